#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A server that answers from another port than 1701, as RFC 2661 8.1 lets it:
# fails with plain NAT, works with vpnpass, with the right tunnel ID alone.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1: l2tp_sim
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq

check "topology" topo 3 1
check "server on new ports" lns -m new
check_fails "plain NAT: no answer" lac 1 -t 11 -r 2
R conntrack -F > /dev/null 2>&1
check "modules load" load_modules vpnpass vpnpass_l2tp

# --- clients ------------------------------------------------------------------
check "one client" lac 1 -t 21 -n 5
is "one client: its port moved" "$(lcount moved_port)" 1
is "one client: it is up" "$(vp -j session client "${CIP[1]}" | jq -r '.[0].state')" up
is "one client: has one session, the first having ended" "$(sessions)" 1
check "one client: knows the client's tunnel ID" vp_is \
	'any(.[0].tunnel_id[]; .dir == "in" and .number == 21)' session client "${CIP[1]}"
check "conntrack has the flow to the new port" eval \
	"R conntrack -L -p udp 2> /dev/null | grep -q 'src=${CIP[1]} .* dport=[^1].*ASSURED'"
check "a client on port 1701" lac 2 -p 1701 -t 22
check "the server sees the client's one port throughout" eval \
	"[ \$(awk '\$1 ~ /sccrq|scccn|data/ && \$4 == 22 { print \$3 }' $lns_log | sort -u | wc -l) = 1 ]"

for i in 1 2 3; do lac_start $i -t $((30 + i)) -n 10; done
for i in 1 2 3; do check "three at once: client $i" lac_done $i; done
for i in 1 2 3; do lac_start $i -t 7 -n 10; done
for i in 1 2 3; do check "three at once with one tunnel ID: client $i" lac_done $i; done
check "a tunnel ID used again" lac 1 -t 21 -x
is "StopCCN: it closes" "$(vp -j session client "${CIP[1]}" | jq -r '.[-1].state')" closing
check "StopCCN: it closes: once more after that" lac 1 -t 21 -p 4000
check "StopCCN: it closes: from the same port" lac 1 -t 23 -p 4000
lns_end

# --- a new port for all -------------------------------------------------------
check "flush" vp session flush proto l2tp
check "server on one other port" lns -m 11701
for i in 1 2 3; do lac_start $i -p 1701 -t $((40 + i)); done
for i in 1 2 3; do check "all from port 1701, answered from 11701: client $i" lac_done $i; done
lns_end

# --- only with the right tunnel ID --------------------------------------------
check "flush" vp session flush proto l2tp
moved=$(lcount moved_port)
check "server that answers with another tunnel ID" lns -m wrong
check "tap" l2tp_tap c1
lac 1 -p 5555 -t 51 -r 2 > /dev/null
check "mark" tap_flush 1
is "a wrong tunnel ID is not accepted" \
	"$(($(lcount moved_port) - moved)) $(tap_seen "^c1 ${GIP[1]} ")" "0 0"
tap_mark
lns_end
C 1 "$(peer l2tp_sim)" lac -a "${CIP[1]}" -d "${GIP[1]}" -p 5555 -t 51 -r 1 > /dev/null
avp 9 0001; msg2 51 2 "$avp"; right=$msg
msg2 0 2 "$avp"; zero=$msg
ip -n "${nsp}g1" addr add 192.0.2.66/24 dev eth0
send g1 "$right" -- -s 192.0.2.66 -d "$PUB" -p 7777 -q 5555
send g1 "$zero" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
send g1 "0002003300010000" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
send g1 "$right" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5556
send g1 "${right:0:30}" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
check "mark" tap_flush 1
is "another server, tunnel 0, data, another port, a torn message: none passes" \
	"$(tap_seen "^c1 .* 7777 ")" 0
is "another server, tunnel 0, data, another port, a torn message: no port moved" \
	"$(lcount moved_port)" "$moved"
n=$(conntracks)
send g1 "$right" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
check "the true answer passes" busywait 10 tap_has 1 "^c1 ${GIP[1]} ${CIP[1]} udp 7777 5555 $right"
for p in 7778 7779 7780 7781; do
	send g1 "$right" -- -s "${GIP[1]}" -d "$PUB" -p $p -q 5555
done
check "mark" tap_flush 1
is "a second one from yet another port does not" "$(tap_seen "^c1 .* 77(78|79|80|81) 5555")" 0
num "no more than one connection came of all that" "$(conntracks)" -le $((n + 1 + 5))
is "one moved port" "$(lcount moved_port)" $((moved + 1))
tap_mark
C 1 "$(peer l2tp_sim)" lac -a "${CIP[1]}" -d "${GIP[1]}" -p 5555 -t 51 -r 1 > /dev/null
send g1 "$right" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
check "asked again, it passes again" busywait 10 tap_has 1 "^c1 .* udp 7777 5555 $right"
is "asked again, it passes again: by the same connection" "$(lcount moved_port)" $((moved + 1))

# --- gone when the session is -------------------------------------------------
check "flush" vp session flush proto l2tp
tap_mark
send g1 "$right" -- -s "${GIP[1]}" -d "$PUB" -p 7777 -q 5555
check "mark" tap_flush 1
is "after the end of the session nothing passes" "$(tap_seen '7777 5555')" 0
check "server on new ports" lns -m new
check "switch off" vp set l2tp off
check_fails "off: no answer" lac 1 -t 61 -r 2
check "switch on" vp set l2tp on
check "on: works again" lac 1 -t 62
check "switch to block" vp set l2tp block
check_fails "block: no answer" lac 1 -t 63 -r 2
num "block: counted" "$(lcount blocked)" -ge 1
check "modules unload" unload_modules
done_testing
