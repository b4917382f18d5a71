#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# L2TP as seldom seen: odd headers, torn and empty messages, IDs used again and
# by two clients, L2TPv3 over UDP and over IP with and without a control
# connection heard, ICMP errors true and forged, limits, unloading in use.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq
checktool conntrack

# out i HEX..., back i HEX...: UDP between port 400i of client i and the server
out() { send "c$1" "${@:2}" -- -s "${CIP[$1]}" -d "${GIP[1]}" -p "400$1" -q 1701; }
back() { send g1 "${@:2}" -- -s "${GIP[1]}" -d "$PUB" -p 1701 -q "400$1"; }
# ip_out i HEX..., ip_back HEX...: protocol 115
ip_out() { send "c$1" "${@:2}" -- -s "${CIP[$1]}" -d "${GIP[1]}"; }
ip_back() { send g1 "$@" -- -s "${GIP[1]}" -d "$PUB"; }

# icrp i SERVER-ID CLIENT-ID: the server's answer to a call of client i's
icrp()
{
	call_ids "$2" "$3"
	msg3 $((0xa0 + $1)) 11 "$avps"
	ip_back "00000000$msg"
}

# arrives NAME REGEX: one line of the tap, and no other that is not of ICMP
arrives()
{
	if busywait 2 tap_has 1 "$2\$"; then
		is "$1" "$(tap_show | grep -vE "$2\$|^g1 .* udp 1701 1701")" ""
	else
		not_ok "$1" "$(tap_show) (wanted $2)"
	fi
	tap_mark
}

# nothing NAME: of what was sent nothing arrived at a client
nothing()
{
	tap_flush 1 2 || not_ok "$1: marks arrive" "$(tap_show)"
	is "$1" "$(reached '^c')" ""
	tap_mark
}

# only i NAME: $msg over IP reaches client i and no other
only()
{
	tap_mark
	ip_back "00000000$msg"
	tap_flush 1 2 || not_ok "$2: marks arrive" "$(tap_show)"
	is "$2" "$(reached '^c')" "c$1 ${GIP[1]} ${CIP[$1]} 115 00000000$msg"
	tap_mark
}

check "topology" topo -6 2 1
check "modules load" load_modules vpnpass vpnpass_l2tp
check "tap" l2tp_tap c1 c2 g1

# --- headers of data (RFC 2661 3.1) -----------------------------------------------
avp 9 0011; msg2 0 1 "$avp"
out 1 "$msg"
arrives "SCCRQ goes out" "^g1 $PUB ${GIP[1]} udp 4001 1701 $msg"
avp 9 0022; msg2 0x11 2 "$avp"
back 1 "$msg"
arrives "SCCRP comes in" "^c1 ${GIP[1]} ${CIP[1]} udp 1701 4001 $msg"
msg2 0x22 3
out 1 "$msg"
arrives "SCCCN goes out" "^g1 $PUB ${GIP[1]} udp 4001 1701 $msg"
n=0
for data in 0002002200010000 40020008002200 400200080022000100 08020022000100010000 \
	    02020022000100040000000012 4a02001200220001000100000002000045 01020022000199 \
	    00020022000145000014; do
	out 1 "$data"
	busywait 10 tap_has 1 "^g1 $PUB ${GIP[1]} udp 4001 1701 $data\$" && n=$((n + 1))
	data=${data/0022/0011}
	back 1 "$data"
	busywait 10 tap_has 1 "^c1 ${GIP[1]} ${CIP[1]} udp 1701 4001 $data\$" && n=$((n + 1))
	tap_mark
done
is "length, sequence, offset and priority bits pass unchanged, both ways" "$n" 16
msg2 0x22 0; out 1 "$msg"
arrives "a message without a body (ZLB)" "^g1 .* udp 4001 1701 $msg"
is "one session for all of it" "$(sessions)" 1
malformed=$(lcount malformed)
for data in "" 00 c802 c80200ff00220000 0001002200010000 c802000c0022000000000000ffffff \
	    c802000e00220000000000000000 8002000c002200000000000000000000; do
	out 1 "$data"
	back 1 "$data"
done
check "what is no L2TP passes as it would without us" busywait 10 eval \
	'[ "$(tap_seen "^g1 ")" = 8 ] && [ "$(tap_seen "^c1 ")" = 8 ]'
num "what is no L2TP passes as it would without us: is counted" \
	"$(lcount malformed)" -gt "$malformed"
tap_mark
out 2 00
arrives "another client's passes, too" "^g1 $PUB ${GIP[1]} udp 4002 1701 00"
is "another client's passes, too: it begins no session" "$(sessions)" 1

# An ID that is hidden (RFC 2661 4.3) cannot be read: plain NAT is left
hidden=$(lcount hidden_id)
avp 9 "0123456789abcdef" 0xc000; msg2 0 1 "$avp"
send c1 "$msg" -- -s "${CIP[1]}" -d "${GIP[1]}" -p 4011 -q 1701
arrives "SCCRQ with a hidden tunnel ID goes out" "^g1 $PUB ${GIP[1]} udp 4011 1701 $msg"
is "that is counted" "$(($(lcount hidden_id) - hidden))" 1
msg2 0x33 2 "$avp"
send g1 "$msg" -- -s "${GIP[1]}" -d "$PUB" -p 1701 -q 4011
arrives "the answer from port 1701 comes in" "^c1 ${GIP[1]} ${CIP[1]} udp 1701 4011 $msg"
send g1 "$msg" -- -s "${GIP[1]}" -d "$PUB" -p 1702 -q 4011
nothing "one from another port does not: nobody can tell whose it is"

# --- L2TPv3 over UDP (RFC 3931 4.1.2) -----------------------------------------------
tap_mark
avp 61 0000beef; msg3 0 1 "$avp"
out 2 "$msg"
arrives "v3: SCCRQ goes out" "^g1 $PUB ${GIP[1]} udp 4002 1701 $msg"
avp 61 0000cafe; msg3 0xbeef 2 "$avp"
send g1 "$msg" -- -s "${GIP[1]}" -d "$PUB" -p 12345 -q 4002
arrives "v3: SCCRP from a new port, by its connection ID" \
	"^c2 ${GIP[1]} ${CIP[2]} udp 12345 4002 $msg"
msg3 0xcafe 3
send c2 "$msg" -- -s "${CIP[2]}" -d "${GIP[1]}" -p 4002 -q 12345
arrives "v3: SCCCN to that port" "^g1 $PUB ${GIP[1]} udp 4002 12345 $msg"
send g1 0003000000000077aabb -- -s "${GIP[1]}" -d "$PUB" -p 12345 -q 4002
arrives "v3: data comes in" "^c2 ${GIP[1]} ${CIP[2]} udp 12345 4002 0003000000000077aabb"
check "v3: the session has both IDs" vp_is \
	'[.[0].tunnel_id[].number] | contains([48879, 51966])' session client "${CIP[2]}"

# --- two tunnels in one flow (the client's IDs 0x51 and 0x52) -----------------------
# tunnel CLIENT-ID SERVER-ID: set up, from port 4001
tunnel()
{
	hex16 "$1"; avp 9 "$hex"; msg2 0 1 "$avp"; out 1 "$msg"
	hex16 "$2"; avp 9 "$hex"; msg2 "$1" 2 "$avp"; back 1 "$msg"
	msg2 "$2" 3; out 1 "$msg"
}
# ids DIR: the session's tunnel IDs of that direction
ids()
{
	vp -j session client "${CIP[1]}" |
		jq -c "[.[0].tunnel_id[] | select(.dir == \"$1\").number] | sort"
}
# state: of the session
state() { vp -j session client "${CIP[1]}" | jq -r '.[0].state'; }
check "flush" vp session flush proto l2tp
tunnel 0x51 0x61
tunnel 0x52 0x62
is "two tunnels: their IDs" "$(ids in) $(ids out)" "[81,82] [97,98]"
tap_mark
avp 9 0061; msg2 0x51 4 "$avp"
back 1 "$msg"
arrives "the server ends the first (StopCCN)" "^c1 ${GIP[1]} ${CIP[1]} udp 1701 4001 $msg"
is "the server ends the first (StopCCN): its IDs go, the other's stay" \
	"$(ids in) $(ids out)" "[82] [98]"
is "the session is up" "$(state)" up
back 1 "$msg"
arrives "the same again passes" "^c1 ${GIP[1]} ${CIP[1]} udp 1701 4001 $msg"
tap_mark
avp 9 0052; msg2 0x62 4 "$avp"
out 1 "$msg"
arrives "the client ends the second" "^g1 $PUB ${GIP[1]} udp 4001 1701 $msg"
is "the session is closing" "$(state)" closing
check "flush" vp session flush proto l2tp
tap_mark

# --- limits -------------------------------------------------------------------------
check "flush" vp session flush proto l2tp
check "max_ids 4" vp set l2tp max_ids 4
many=()
for i in {1..12}; do
	hex16 $i; avp 9 "$hex"; msg2 0 1 "$avp"
	many+=("$msg")
done
out 1 "${many[@]}"
is "a client's many tunnels: as many IDs as allowed" "$(vp -j session |
	jq '[.[0].tunnel_id[] | select(.dir == "in")] | length')" 4
num "a client's many tunnels: as many IDs as allowed: the limit is told" "$(lcount limit_ids)" -ge 1
check "max_per_client 3" vp set l2tp max_per_client 3
for i in {1..9}; do
	avp 9 0101; msg2 0 1 "$avp"
	send c2 "$msg" -- -s "${CIP[2]}" -d "${GIP[1]}" -p $((5000 + i)) -q 1701
done
is "sessions of one client" "$(sessions client "${CIP[2]}")" 3
num "refused ones are counted" "$(lcount limit_client)" -ge 6
is "messages of refused sessions pass" "$(tap_seen '^g1 .* udp 500[1-9] 1701 ')" 9
vp set l2tp max_per_client 64 > /dev/null
vp set l2tp max_ids 256 > /dev/null
check "flush" vp session flush proto l2tp
tap_mark

# --- over IP, control connection heard ------------------------------------------------
for i in 1 2; do
	hex32 $((0xa0 + i)); avp 61 "$hex"; msg3 0 1 "$avp"
	ip_out $i "00000000$msg"
	arrives "over IP: client $i's SCCRQ" "^g1 $PUB ${GIP[1]} 115 00000000$msg"
done
for i in 1 2; do
	tap_mark
	hex32 $((0xb0 + i)); avp 61 "$hex"; msg3 $((0xa0 + i)) 2 "$avp"
	ip_back "00000000$msg"
	arrives "over IP: its SCCRP, by its ID" "^c$i ${GIP[1]} ${CIP[i]} 115 00000000$msg"
	msg3 $((0xb0 + i)) 3
	ip_out $i "00000000$msg"
	call_ids $((0x51 + i)) 0
	msg3 $((0xb0 + i)) 10 "$avps"
	ip_out $i "00000000$msg"
	icrp $i $((0x61 + i)) $((0x51 + i))
	call_ids $((0x51 + i)) $((0x61 + i))
	msg3 $((0xb0 + i)) 12 "$avps"
	ip_out $i "00000000$msg"
done
tap_mark
for i in 1 2; do
	hex32 $((0x51 + i)); ip_back "${hex}beef"
	arrives "over IP: data the server sends first reaches client $i" \
		"^c$i ${GIP[1]} ${CIP[i]} 115 ${hex}beef"
	hex32 $((0x61 + i)); ip_out $i "${hex}cafe"
	arrives "over IP: client $i's data" "^g1 $PUB ${GIP[1]} 115 ${hex}cafe"
done
is "nothing had to be found out" "$(lcount paired)" 0
unknown=$(lcount unknown_id)
ip_back 0badbad0dead
nothing "an ID of nobody's reaches nobody"
is "an ID of nobody's reaches nobody: is counted" "$(($(lcount unknown_id) - unknown))" 1
malformed=$(lcount malformed)
ip_back 000000 0000000000 00000000c803000c000000
nothing "torn headers from the server reach nobody"
send c1 aabb -- -s "${CIP[1]}" -d "${GIP[1]}"
arrives "torn headers of a client leave the router, as on stock" "^g1 $PUB ${GIP[1]} 115 aabb"
num "torn headers are counted" "$(lcount malformed)" -ge $((malformed + 3))
msg3 0x7777 6
only 1 "a control message with nobody's ID reaches who was there first, as on stock"

# --- ICMP ----------------------------------------------------------------------------
# error ID [OPTION...]: about L2TPv3 that the router's address sent, 8 bytes of it
error()
{
	G 1 "$(peer icmperr)" -d "$PUB" -S "$PUB" -D "${GIP[1]}" -p 115 -i "$@"
}

l2tp_log=$tap_log
check "tap for ICMP" tap c1 c2 g1
for i in 1 2; do
	printf -v id '0x%08x' $((0x61 + i))
	for from in "${GIP[1]}" 192.0.2.77; do
		for what in "3 4 1300" "3 1 0" "11 0 0"; do
			read -r type code mtu <<< "$what"
			error "$id" -s "$from" -t "$type" -c "$code" -m "$mtu"
			arrives "ICMP $type/$code from $from: client $i alone" \
				"^${nsp}c$i $from ${CIP[i]} icmp $what ${CIP[i]} ${GIP[1]} 115 $id"
		done
	done
	C $i "$(peer icmperr)" -s "${CIP[i]}" -d "${GIP[1]}" -S "${GIP[1]}" -D "${CIP[i]}" \
		-p 115 -i $((0x51 + i)) -m 1250
	arrives "ICMP from client $i reaches the server, translated" \
		"^${nsp}g1 $PUB ${GIP[1]} icmp 3 4 1250 ${GIP[1]} $PUB 115 0x000000$((51 + i))"
done
num "counted" "$(lcount icmp_related)" -ge 12
msg3 0xb2 6
ip_out 2 "00000000$msg"
busywait 10 tap_has 1 "^${nsp}g1 $PUB .* 115 "
tap_mark
error 0 -s "${GIP[1]}" -m 1300
arrives "ICMP about a control message, of which 8 bytes have no ID: to whom was heard last" \
	"^${nsp}c2 ${GIP[1]} ${CIP[2]} icmp 3 4 1300 ${CIP[2]} ${GIP[1]} 115 0x00000000"
ip -n "${nsp}r" addr add 192.0.2.100/24 dev wan
G 1 "$(peer icmperr)" -s "${GIP[1]}" -d 192.0.2.100 -S "$PUB" -D "${GIP[1]}" -p 115 -i 0x62
error 0x62 -s "${GIP[1]}" -b
error 0x0badbad0 -s "${GIP[1]}"
error 0x52 -s "${GIP[1]}"
error 0x62 -s "${GIP[1]}" -l 3
error 0x62 -s "${GIP[1]}" -t 0 -c 0
G 1 "$(peer icmperr)" -s "${GIP[1]}" -d "$PUB" -S "$PUB" -D 192.0.2.99 -p 115 -i 0x62
G 1 "$(peer l2tp_icmp)" -s "${GIP[1]}" -d "$PUB" -S "$PUB" -D "${GIP[1]}" -p 115 -w 00000062beef
error 0x62 -s "${GIP[1]}" -t 3 -c 13 -m 0
busywait 10 tap_has 1 "^${nsp}c1 .* icmp 3 13 "
is "forged, torn and nested errors reach nobody" "$(tap_seen .)" 1
kill "$tap_pid"
tap_log=$l2tp_log
tap_mark

# --- IDs that end, and that clash -------------------------------------------------------
conflict=$(lcount conflict)
call_ids 0x52 0; msg3 0xb2 10 "$avps"; icrq=00000000$msg
ip_out 2 "$icrq"
icrp 2 0x72 0x52
is "client 2 is given the ID that client 1 has: a conflict" "$(($(lcount conflict) - conflict))" 1
tap_mark
ip_back 00000052feed
arrives "which stays client 1's" "^c1 ${GIP[1]} ${CIP[1]} 115 00000052feed"
call_ids 0x52 0x62
msg3 0xb1 14 "$avps"
ip_out 1 "00000000$msg"
tap_mark
ip_back 00000052feed
nothing "call ended (CDN): the ID is nobody's"
ip_out 2 "$icrq"
tap_mark
ip_back 00000052feed
nothing "client 2 asks for it: unanswered, it is nobody's"
icrp 2 0x72 0x52
tap_mark
ip_back 00000052feed
arrives "now client 2 can have it" "^c2 ${GIP[1]} ${CIP[2]} 115 00000052feed"

# IDs that a client asks for, or says it was given, without a word of the server's
for i in {1..20}; do
	call_ids $((0x3000 + i)) 0; msg3 0xb2 10 "$avps"
	ip_out 2 "00000000$msg"
	call_ids $((0x3000 + i)) 0x73; msg3 0xb2 12 "$avps"
	ip_out 2 "00000000$msg"
done
conflict=$(lcount conflict)
call_ids 0x3005 0; msg3 0xb1 10 "$avps"
ip_out 1 "00000000$msg"
icrp 1 0x65 0x3005
tap_mark
ip_back 00003005feed
arrives "claimed by one, answered to another: it is the other's" \
	"^c1 ${GIP[1]} ${CIP[1]} 115 00003005feed"
is "claimed by one, answered to another: no conflict" "$(lcount conflict)" "$conflict"
icrp 2 0x74 0x3099
tap_mark
ip_back 00003099feed
nothing "what a server answers that was not asked for is nobody's"
msg3 0xb1 4
ip_out 1 "00000000$msg"
is "StopCCN: closing" "$(vp -j session client "${CIP[1]}" | jq -r '.[0].state')" closing

R conntrack -D -p 115 -s "${CIP[1]}" > /dev/null 2>&1
msg3 0x7777 6
only 2 "a control message with nobody's ID, the first client's connection being gone: the second"

# --- IPv6 -------------------------------------------------------------------------------
check "flush" vp session flush proto l2tp
avp 9 0011; msg2 0 1 "$avp"
send c1 "$msg" -- -s "${CIP6[1]}" -d "${GIP6[1]}" -p 4001 -q 1701
check "IPv6: a session" vp_is 'length == 1' session client "${CIP6[1]}"
avp 9 0022; msg2 0x11 2 "$avp"
send g1 "$msg" -- -s "${GIP6[1]}" -d "$PUB6" -p 2222 -q 4001
is "IPv6: an answer from a new port" "$(vp -j session client "${CIP6[1]}" |
	jq '[.[].packets_in] | add')" 1
for i in 1 2; do
	hex32 $((0xa0 + i)); avp 61 "$hex"; msg3 0 1 "$avp"
	send c$i "00000000$msg" -- -s "${CIP6[i]}" -d "${GIP6[1]}"
	msg3 $((0xa0 + i)) 2 "$avp"
	send g1 "00000000$msg" -- -s "${GIP6[1]}" -d "$PUB6"
	check "IPv6 over IP: client $i" vp_is 'any(.[]; .packets_in == 1 and .packets_out == 1)' \
		session client "${CIP6[i]}"
done

# --- not the router's clients -------------------------------------------------------------
check "flush" vp session flush proto l2tp
check "server" lns
check "the router's own client" R "$(peer l2tp_sim)" lac -a "$PUB" -d "${GIP[1]}" -p 1701
is "the router's own client: it has no session" "$(sessions)" 0
check "keep_port" vp set l2tp keep_port 1
check "the router's own client, beside one that keeps its port" eval \
	'lac_start 1 -p 1701 -n 40 -t 900 -i 50 &&
	 R "$(peer l2tp_sim)" lac -a "$PUB" -d "${GIP[1]}" -p 1701 -t 901 && lac_done 1'
vp set l2tp keep_port 0 > /dev/null
lns_end
check "flush" vp session flush proto l2tp
R nft "table ip in { chain pre { type nat hook prerouting priority dstnat;
	iifname wan udp dport 1701 dnat to ${CIP[2]}; }; }"
spawn ip netns exec "${nsp}c2" "$(peer l2tp_sim)" lns -a "${CIP[2]}"
busywait 20 grep -q ready "$spawn_log"
check "a server inside" G 1 "$(peer l2tp_sim)" lac -a "${GIP[1]}" -d "$PUB" -x
is "a server inside: it has no session" "$(sessions)" 0
kill "$spawn_pid"

# --- ending in use --------------------------------------------------------------------------
check "server on new ports" lns -m new
for i in 1 2; do lac_start $i -n 400 -i 10 -t $i; done
for i in 1 2; do
	check "client $i is up" busywait 20 vp_is '.[0].state == "up"' session client "${CIP[i]}"
done
check "conntrack -F in use" R conntrack -F
check "the sessions go" busywait 10 vp_is 'length == 0' session
check "modules unload in use" unload_modules
check "modules load in use" load_modules vpnpass vpnpass_l2tp
check "a client begins again" lac 1 -t 99 -p 999
check "namespace goes in use" ip netns del "${nsp}r"
check "modules unload" unload_modules
done_testing
