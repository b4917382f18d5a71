#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A server that answers to port 1701 whatever port a message came from. With the
# setting keep_port each client on port 1701 keeps it, and is told from the
# others by its tunnel ID.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1: l2tp_sim
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq

# together NAME OPTION...: clients 1 to 3 at once, client i with tunnel ID 100+i
together()
{
	local i

	for i in 1 2 3; do lac_start $i -p 1701 -t $((100 + i)) -n 10 "${@:2}"; done
	for i in 1 2 3; do check "$1: client $i" lac_done $i; done
}

# error HEX [OPTION...]: from the server, quoting what the router sent to it
error()
{
	G 1 "$(peer l2tp_icmp)" -s "${GIP[1]}" -d "$PUB" -S "$PUB" -D "${GIP[1]}" -p 17 \
		"${@:2}" "$1"
}

check "topology" topo 4 1
check "server that insists on port 1701" lns -P 1701
check "plain NAT: the first client works" lac 1 -p 1701 -t 1
check_fails "plain NAT: the second does not" lac 2 -p 1701 -t 2 -r 2
R conntrack -F > /dev/null 2>&1
check "modules load" load_modules vpnpass vpnpass_l2tp
check_fails "keep_port is off unless set" eval \
	"lac 1 -p 1701 -t 3 -n 1 && lac 2 -p 1701 -t 4 -n 1 -r 2"
check "flush" vp session flush proto l2tp
check "keep_port" vp set l2tp keep_port 1
together "at once"
is "each kept its port" "$(lcount kept_port)" 3
is "the server saw port 1701 alone" "$(awk '$4 > 100 { print $3 }' "$lns_log" | sort -u)" 1701
is "conntrack has three entries to tell apart" "$(R conntrack -L -p udp 2> /dev/null |
	grep -c 'sport=1701 dport=1701 .*zone-reply=[0-9]* .*')" 3
together "again, with the same IDs" -x
check "a client on another port is left alone" eval "lac 4 -p 2222 -t 9 -r 2; true"
is "a client on another port is left alone: its port too" \
	"$(awk '$4 == 9 { print $3 }' "$lns_log" | sort -u | grep -vc '^1701$')" 1

# --- a tunnel ID in common ----------------------------------------------------
check "flush" vp session flush proto l2tp
lac_start 1 -p 1701 -t 77 -n 40 -i 50
check "client 1 is up" busywait 20 vp_is '.[0].state == "up"' session client "${CIP[1]}"
lac_start 2 -p 1701 -t 77 -n 1 -r 2
lac_done 2 > /dev/null
num "another client's same tunnel ID is a conflict" "$(lcount conflict)" -ge 1
check "another client's same tunnel ID is a conflict: of which the first client notices nothing" \
	lac_done 1
is "the second got another port" "$(awk '$4 == 77 { print $3 }' "$lns_log" | sort -u | wc -l)" 2
check "the second got another port: with an ID of its own it works" lac 2 -p 1701 -t 78
lns_end

# --- two tunnel IDs hidden, one server that looks at ports ----------------------
check "flush" vp session flush proto l2tp
check "server that answers where a message came from" lns
for i in 1 2 3; do lac_start $i -p 1701 -t $((200 + i)); done
for i in 1 2 3; do check "both halves on port 1701: client $i" lac_done $i; done
# a flow of the router's own, so that the port is taken as stock NAT sees it
R python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 1701))
s.sendto(b"x", (sys.argv[2], 1701))' "$PUB" "${GIP[1]}"
check "a client that hides its tunnel ID gets no answer it could have" eval \
	"lac 4 -p 1701 -t 5 -H -r 1; true"
is "a client that hides its tunnel ID gets no answer it could have: it was given a port of its own" \
	"$(awk '$1 == "stray" { print $3 }' "$lns_log" |
	sort -u | grep -vc '^1701$')" 1
num "hidden IDs are counted" "$(lcount hidden_id)" -ge 1
R conntrack -D -p udp -s "$PUB" > /dev/null 2>&1
lns_end

# --- server on a new port -----------------------------------------------------
check "flush" vp session flush proto l2tp
check "server on one other port" lns -m 11701
together "kept port, new server port"
lns_end

# --- ICMP errors ----------------------------------------------------------------
check "flush" vp session flush proto l2tp
check "server" lns
for i in 1 2; do lac_start $i -p 1701 -t $((300 + i)) -n 200 -i 50; done
for i in 1 2; do
	check "client $i is up" busywait 20 vp_is '.[0].state == "up"' session client "${CIP[i]}"
done
check "tap" tap c1 c2
for i in 1 2; do
	id=$(vp -j session client "${CIP[i]}" |
		jq '.[0].tunnel_id[] | select(.dir == "out").number')
	printf -v quote '06a506a5001c00000002%04x0001' "$id"
	error "$quote" -m $((1300 + i))
	check "client $i's error reaches it, by the tunnel ID quoted" busywait 10 tap_has 1 \
		"^${nsp}c$i ${GIP[1]} ${CIP[i]} icmp 3 4 $((1300 + i)) ${CIP[i]} ${GIP[1]} 17 0x06a506a5\$"
	is "and nobody else" "$(tap_seen icmp)" 1
	tap_mark
done
error 06a506a5001c00000002dead0001
error 06a506a5001c0000
error 06a506a5001c0000deadbeefdead
error "$quote" -c 13
busywait 10 tap_has 1 "icmp 3 13 "
is "an unknown ID, and 8 bytes, which do not tell: nobody" "$(tap_seen icmp)" 1
for i in 1 2; do lac_done $i > /dev/null; done
check "modules unload" unload_modules
done_testing
