#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Changes at a router: the switch moved in mid-session, sessions and
# entries deleted, limits, events, another WAN address, zones of the user's,
# a careful firewall, loading and unloading under traffic. For UDP and for
# L2TPv3 over IP.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq
checktool conntrack

# over_ip i: client i has a control connection and a session over IP; its IDs
# are a0+i, b0+i and 51+i, 61+i
over_ip()
{
	hex32 $((0xa0 + $1)); avp 61 "$hex"; msg3 0 1 "$avp"
	ip_out "$1" "00000000$msg"
	hex32 $((0xb0 + $1)); avp 61 "$hex"; msg3 $((0xa0 + $1)) 2 "$avp"
	ip_back "00000000$msg"
	msg3 $((0xb0 + $1)) 3
	ip_out "$1" "00000000$msg"
	call_ids $((0x51 + $1)) 0
	msg3 $((0xb0 + $1)) 10 "$avps"
	ip_out "$1" "00000000$msg"
	call_ids $((0x61 + $1)) $((0x51 + $1))
	msg3 $((0xa0 + $1)) 11 "$avps"
	ip_back "00000000$msg"
	call_ids $((0x51 + $1)) $((0x61 + $1))
	msg3 $((0xb0 + $1)) 12 "$avps"
	ip_out "$1" "00000000$msg"
}
ip_out() { send "c$1" "${@:2}" -- -s "${CIP[$1]}" -d "${GIP[1]}"; }
ip_back() { send g1 "$@" -- -s "${GIP[1]}" -d "${to:-$PUB}"; }

# both_ways NAME WANT: data of client 1 over IP: "out in", each 0 or 1 arrived
both_ways()
{
	tap_mark
	hex32 0x62; ip_out 1 "${hex}cafe"
	hex32 0x52; ip_back "${hex}beef"
	marks=$((marks + 1)); hex16 $marks
	send r "$hex" -- -s "${GIP[1]%.*}.1" -d "${GIP[1]}" -p 9 -q 9
	busywait 20 tap_has 1 "^g1 .* udp 9 9 $hex\$"
	tap_flush 1 2
	is "$1" "$(reached '^g1 .* 115 .*cafe$' | wc -l) $(reached '^c1 .* 115 .*beef$' | wc -l)" "$2"
}

# client i [OPTION...]: one in the background that goes on for a while, and is up
client()
{
	lac_start "$1" -t "$((700 + $1))" -n 2000 -i 20 "${@:2}"
	busywait 10 vp_is 'any(.[]; .state == "up")' session client "${CIP[$1]}"
}
client_end() { kill "${lac_pid[$1]}"; wait "${lac_pid[$1]}" 2> /dev/null; return 0; }

# goes_on i: the client's data are answered, ten more of them
packets_of() { vp -j session client "${CIP[$1]}" | jq '[.[].packets_in] | add // 0'; }
goes_on()
{
	local n

	n=$(packets_of "$1")
	busywait 10 eval '[ "$(packets_of '"$1"')" -ge '$((n + 10))' ]'
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_l2tp
spawn "$VPNPASS" -j -n "${nsp}r" monitor
events=$spawn_log
check "the monitor listens" busywait 20 eval 'vp set l2tp max_ids 255 && grep -q max_ids $events'
check "tap" l2tp_tap c1 c2 g1 r
check "server" lns

# --- the switch -------------------------------------------------------------------------
over_ip 1
both_ways "over IP: on" "1 1"
check "switch to block" vp set l2tp block
check "switch to block: its session is gone" vp_is 'length == 0' session
both_ways "over IP: block drops it both ways" "0 0"
check "switch off" vp set l2tp off
R conntrack -F 2> /dev/null	# an entry of the router's own has the place of an answer
tap_mark
hex32 0x62; ip_out 1 "${hex}cafe"
check "over IP: off is plain NAT" busywait 20 tap_has 1 "^g1 $PUB .* 115 ${hex}cafe\$"
over_ip 2
is "switch off: has no session" "$(sessions)" 0
R conntrack -F 2> /dev/null
check "switch on" vp set l2tp on
check "a client in use" client 1
check "switched off in use" vp set l2tp off
is "switched off in use: its session ends" "$(sessions)" 0
check "switched on in use" vp set l2tp on
check "blocked in use" vp set l2tp block
check "that is counted" busywait 20 eval '[ "$(lcount blocked)" -gt 2 ]'
check "switched on again" vp set l2tp on
client_end 1

# --- ends -------------------------------------------------------------------------------
check "a client in use" client 1
n=$(lcount sessions_end)
check "conntrack -D of its entry" R conntrack -D -p udp --orig-src "${CIP[1]}"
check "conntrack -D of its entry: its session goes; the next packet makes another" busywait 20 eval \
	'[ "$(lcount sessions_end)" -gt $n ]'
check "conntrack -D of its entry: goes on" goes_on 1
check "conntrack -D of its entry: it is flushed" vp session flush client "${CIP[1]}"
check "conntrack -D of its entry: goes on" goes_on 1
client_end 1
check "flush" vp session flush proto l2tp
lac 1 -t 5 -p 4444 -x > /dev/null
is "StopCCN: closing" "$(vp -j session | jq -r '.[0].state')" closing
num "StopCCN: closing: its entry stays for half a minute, to answer once more (RFC 2661 5.7)" \
	"$(R conntrack -L -p udp 2> /dev/null | awk '/sport=4444/ { print $3 }')" -le 31
over_ip 1
R conntrack -D -p 115 > /dev/null 2>&1
check "conntrack -D -p 115: the session goes" busywait 20 vp_is \
	'all(.[]; .session_id // [] | length == 0)' session client "${CIP[1]}"
over_ip 1
both_ways "and is set up again" "1 1"
over_ip 2
both_ways "client 2 beside it" "1 1"
is "two sessions over IP" "$(vp -j session |
	jq '[.[] | select(.session_id | length > 0)] | length')" 2

# The router's own L2TPv3, with the same server
hex32 0xdd; tap_mark; send r "${hex}aaaa" -- -s "$PUB" -d "${GIP[1]}"
check "the router's own goes out" busywait 20 tap_has 1 "^g1 $PUB .* 115 ${hex}aaaa\$"
ip_back 000000eebbbb
check "what answers it stays with the router" busywait 20 tap_has 1 "^r .* 115 000000eebbbb\$"
check "marks arrive" tap_flush 1 2
is "marks arrive: reaches no client" "$(reached '^c.* 000000eebbbb')" ""
both_ways "of which client 1 notices nothing" "1 1"

# --- limits -----------------------------------------------------------------------------
check "flush" vp session flush proto l2tp
check "max_per_peer 1" vp set l2tp max_per_peer 1
over_ip 1
over_ip 2
is "the second client of a server is refused" "$(sessions client "${CIP[2]}")" 0
num "the second client of a server is refused: counted" "$(lcount limit_peer)" -ge 1
both_ways "of which the first notices nothing" "1 1"
vp set l2tp max_per_peer 4096 > /dev/null
check "flush" vp session flush proto l2tp
check "max_sessions 1" vp set l2tp max_sessions 1
check "one client" lac 1 -t 8
check "the next has plain NAT, which does for it" lac 2 -t 9
num "the limit is counted" "$(lcount limit_sessions)" -ge 1
is "one session" "$(sessions)" 1
vp set l2tp max_sessions 65536 > /dev/null

# --- events -----------------------------------------------------------------------------
# told TYPE [FILTER]: there was such an event
told() { jq -se "any(.[]; .event == \"$1\" and .proto == \"l2tp\" and (${2:-true}))" "$events"; }
check "flush" vp session flush proto l2tp
for e in session-new session-end limit mode setting; do
	check "event: $e" busywait 20 told $e
done
check "event: a pin, with the number" busywait 20 told pinned \
	"[.. | numbers] | any(. == $((0x52)))" || sed 's/^/# /' "$events" | tail -n 20

# --- zones of the user's ------------------------------------------------------------------
R nft "table ip zones { chain pre { type filter hook prerouting priority raw
	iifname lan1 ct original zone set 11
	iifname lan2 ct original zone set 12; }; }"
for i in 1 2; do check "zones in original direction: client $i" lac $i -t $((20 + i)); done
over_ip 1
both_ways "zones in original direction, over IP" "1 1"
R nft delete table ip zones
check "flush" vp session flush proto l2tp
R conntrack -F 2> /dev/null
R nft "table ip zones { chain pre { type filter hook prerouting priority raw
	iifname { lan1, lan2 } ct zone set 5
	iifname wan ct zone set 5; }; }"
for i in 1 2; do check "all in one zone: client $i" lac $i -t $((30 + i)); done
over_ip 1
both_ways "all in one zone, over IP" "1 1"
R nft delete table ip zones
check "flush" vp session flush proto l2tp
R conntrack -F 2> /dev/null

# --- a careful firewall -------------------------------------------------------------------
R nft "table ip fw { chain forward { type filter hook forward priority 0; policy drop
	ct state established,related accept
	iifname wan drop
	udp dport 1701 accept
	meta l4proto 115 accept; }; }"
lns_end
check "server on new ports" lns -m new
check "an answer from a new port is of a connection known to it" lac 1 -t 40
over_ip 1
both_ways "over IP, too" "1 1"
R nft delete table ip fw

# --- another WAN address ------------------------------------------------------------------
check "flush" vp session flush proto l2tp
over_ip 1
both_ways "before the WAN address changes" "1 1"
check "the WAN address changes" eval \
	'R ip addr del $PUB/24 dev wan && R ip addr add 192.0.2.200/24 dev wan'
check "the session with the old one is gone" busywait 20 vp_is \
	"all(.[]; .local != \"$PUB\")" session
to=192.0.2.200
over_ip 1
both_ways "a new one is set up" "1 1"
check "a new one is set up: over UDP, too" lac 2 -t 50
is "a new one is set up: with the new address" \
	"$(vp -j session | jq -r '[.[].local] | unique | join(" ")')" 192.0.2.200
to=

# --- loading and unloading under traffic --------------------------------------------------
check "two clients in use" eval 'client 1 && client 2'
rounds=0
for _ in 1 2 3 4 5 6; do
	n=$(wc -l < "$lns_log")
	rmmod vpnpass_l2tp && load_module vpnpass_l2tp || break
	busywait 20 eval '[ "$(wc -l < $lns_log)" -gt $((n + 10)) ]' || break
	rounds=$((rounds + 1))
done
is "unloaded and loaded in use, and the traffic goes on" $rounds 6
check "modules unload in use" unload_modules
done_testing
