#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor on our own part: modules, switches, limits, and on packets that
# do not come. A router where all is well has nothing to be told, with traffic
# and without.
#
#   c1, c2 ---- r (masquerade) ---- g1, g2
# run: timeout=400
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq

check "topology" topo 2 2
R sysctl -qw net.ipv4.ipfrag_time=1

# healthy NAME: no finding, no note, exit code 0
healthy()
{
	doctor
	if [ "$doctor_rc $(jq -c . "$scratch/doctor")" = "0 []" ] && [ ! -s "$scratch/notes" ]; then
		ok "$1"
	else
		not_ok "$1"
		say_doctor
	fi
}

found "no module" not-loaded
check "modules" load_modules
healthy "a router where all is well"
is "in words" "$(vp doctor)" "Nothing found."

# --- helpers and switches ---------------------------------------------------------
rmmod vpnpass_l2tp
found "a helper is missing" helper-missing \
	'.proto == "l2tp" and .severity == "info" and (.seen | contains("vpnpass_l2tp"))'
send 1 "${GIP[1]}" 1701
found "and missed" helper-missing ".severity == \"warning\" and (.seen | contains(\"${CIP[1]}\"))"
conntrack() { R conntrack "$@" 2> /dev/null; }
conntrack -F
check "and missed: it is loaded" load_modules vpnpass_l2tp
healthy "nothing is missing"

vp set esp off > /dev/null
found "a switch is off" switch-off '.proto == "esp" and .severity == "info"'
send 1 "${GIP[1]}" esp
found "and was needed" switch-off '.severity == "warning" and (.seen | contains("ESP"))'
vp set pptp block > /dev/null
found "another blocks" switch-block '.proto == "pptp" and .severity == "warning"'
send 1 "${GIP[1]}" gre
found "and has blocked" switch-block '.severity == "error" and (.seen | contains(" 1 packets"))'
vp set all on > /dev/null
conntrack -F
healthy "all are on"

# --- traffic that is well, limits --------------------------------------------------
need_esp
check "two IPsec clients" esp_up "1 2"
check "are answered" esp_pings "1 2" -c 3
healthy "their router"
vp set esp max_per_client 1 > /dev/null
send 1 "${GIP[2]}" esp
found "a limit is hit" limit-hit '.proto == "esp" and (.seen | contains("limit_client")) and
	(.do | contains("vpnpass set esp max_per_client 2 (it is 1)"))'
not_found "no other limit is" limit-hit '.proto != "esp"'
vp session flush > /dev/null
conntrack -F
spawn ip netns exec "${nsp}g1" "$(peer l2tp_sim)" lns -a "${GIP[1]}" -m new
check "an L2TP server" busywait 20 grep -q ready "$spawn_log"
check "answers from a port of its own" C 1 "$(peer l2tp_sim)" lac -a "${CIP[1]}" \
	-d "${GIP[1]}" -t 31 -n 3 -r 3
not_found "which is an answer" path-silent
kill "$spawn_pid"
conntrack -F

# --- fragments, ways back -------------------------------------------------------------
# fragment: g1 sends the first of two, the other never comes
fragment()
{
	G 1 python3 - "${GIP[1]}" $PUB <<-'P'
	import socket, struct, sys
	a, b = (socket.inet_aton(x) for x in sys.argv[1:])
	udp = struct.pack("!HHHH", 500, 500, 2000, 0) + bytes(1192)
	ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 99, 0x2000, 64, 17, 0, a, b)
	s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
	s.sendto(ip + udp, (sys.argv[2], 0))
	P
}
failed() { [ "$(R awk '$1 == "Ip:" { n = $17 } END { print n }' /proc/net/snmp)" -gt 0 ]; }
check "a gateway" answer g1 natt=refuse
C 1 "$VPNPASS" doctor probe "${GIP[1]}" timeout 20 natt > /dev/null
stuck() { vp_is 'any(.[]; .state == "half-open" and .packets_in > 0 and .age > 5)' session proto natt; }
check "an exchange is stuck" busywait 20 stuck
not_found "not for fragments" ike-fragments
fragment
check "a datagram is never complete" busywait 20 failed
found "fragments of IKE are lost" ike-fragments ".proto == \"ike\" and
	(.seen | contains(\"${CIP[1]}\") and contains(\"ReasmFails\"))"
vp session flush > /dev/null
not_found "not of what is over" ike-fragments
end_answer
conntrack -F

not_found "no packet came the wrong way" reverse-path
R sh -c 'echo 1 > /proc/sys/net/ipv4/conf/wan/rp_filter'
not_found "a filter against it is no fault" reverse-path
G 1 ip addr add 10.0.1.77/32 dev lo
G 1 ping -q -c 1 -W 1 -I 10.0.1.77 $PUB > /dev/null
not_found "one that came once is no fault" reverse-path
spawn ip netns exec "${nsp}g1" ping -q -i 0.2 -I 10.0.1.77 $PUB
ping_pid=$spawn_pid
found "some come now" reverse-path '.severity == "warning" and (.seen | contains("wan"))'
kill "$ping_pid"
R sh -c 'echo 0 > /proc/sys/net/ipv4/conf/wan/rp_filter'
not_found "and would be let in now" reverse-path

# --- GRE comes related to its control connection -------------------------------------
rules 'chain forward { type filter hook forward priority filter; policy drop
	ct state established,related accept; tcp dport { 80, 443, 1723 } accept
	udp dport { 443, 500, 1701, 4500 } accept; meta l4proto { esp, 115 } accept; }'
not_found "no rule for GRE is needed" nft-drop '.proto == "pptp"'
vp set pptp off > /dev/null
found "but without our help" nft-drop '.proto == "pptp" and (.seen | contains("GRE"))'
vp set pptp on > /dev/null
no_rules

vp set esp max_per_client 64 > /dev/null
unload_modules
load_modules
conntrack -F
healthy "all is well again"
check "modules unload" unload_modules
done_testing
