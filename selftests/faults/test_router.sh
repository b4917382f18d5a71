#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Things that happen to a router: its connection table is full, its firewall rules are
# loaded anew, its WAN address changes. What works goes on, what cannot comes
# back by itself or with the next exchange.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool jq

work()
{
	esp_pings "$1" -c 2 -i 50 -w 500
}

sessions_are() { [ "$(sessions "${@:2}")" = "$1" ]; }

# others N: connections that have nothing to do with VPNs, of client 3
others()
{
	C 3 "$(peer espsend)" -s "${CIP[3]}" -d "${GIP[1]}/$1" -p 17 -n $(($1 * 3)) -r 2000
}

check "topology" topo 3 1
check "SAs" esp_up "1 2 3"
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "two clients are paired" esp_settle "1 2"

# --- no room for connections -------------------------------------------------------------
# the limit is the kernel's, what is counted the namespace's
if conntrack_room; then
	esp_stream "1 2" -i 40
	conntrack_room "$(conntracks)"
	others 2000 > /dev/null
	esp_pings 3 -c 3 -i 50 -w 500
	is "table full: a new client has to wait" "$(esp_answered)" 0
	is "table full: it has no session" "$(sessions client "${CIP[3]}")" 0
	check "table full: the tool works" vp_is 'length == 2' session proto esp
	esp_stream_end
	is "table full: the two that were there lost nothing" "$(esp_lost)" 0
	# entries that come from IKE, not from a packet of their own
	check "sockets" eval 'sim_start && sim_open c3 g1'
	out 3 2 34 I 0x303 0 0 300
	conntrack_room
	check "room again: the third client works" busywait 15 work 3
	check "room again: the third client works: all three" busywait 10 work "1 2 3"
else
	skip "table full" "its size cannot be set"
fi

# --- rules loaded anew ---------------------------------------------------------------------
reload_rules()
{
	local n

	R nft list ruleset > "$scratch/rules"
	for ((n = 0; n < 20; n++)); do
		{ echo "flush ruleset"; cat "$scratch/rules"; } | R nft -f - || return 1
	done
}
esp_stream "1 2 3" -i 40
check "the ruleset is loaded anew 20 times" reload_rules
esp_stream_end
is "nothing was lost" "$(esp_lost)" 0
check "new sessions begin under it" eval 'R conntrack -F && busywait 15 work "1 2 3"'

# without NAT there is nothing to help with
R nft flush ruleset
R conntrack -F > /dev/null 2>&1
check "no NAT: the sessions end" busywait 20 sessions_are 0
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0x1001 -q 1 -n 3 > /dev/null
is "no NAT: no session" "$(sessions proto esp)" 0
check "NAT again" nat_rules wan
R conntrack -F > /dev/null 2>&1
check "all three work" busywait 15 work "1 2 3"

# --- another WAN address ----------------------------------------------------------------------
# by_gateway SPI: the gateway sends on it to the router's address
by_gateway()
{
	sim esp g1 "${GIP[1]}" "$PUB" "$1" 1
	[ "$got" = ok ]
}

# client 2 by IKE alone: its session was made before any packet of its own
R conntrack -F > /dev/null 2>&1
check "no session is left" busywait 20 sessions_are 0
[ -n "${SIM_PID-}" ] || sim_start
check "sockets of client 2" sim_open c2
check "client 2 has an IKE SA and child SA" v2_up 2 0x202 0xa2
check "client 2 has an IKE SA and child SA: an ESP session" \
	sessions_are 1 proto esp client "${CIP[2]}"
check "the gateway speaks first" by_gateway 0x2002
check "client 1 works" busywait 15 work 1
esp_stream 1 -i 20
R ip -batch - <<-E
	addr del $PUB/24 dev wan
	addr add 192.0.2.99/24 dev wan
E
left() { vp_is "all(.local != \"$PUB\")" session; }
check "the address goes: so do all its sessions" busywait 20 left
esp_stream_end
is "no entry of a client by the old address is left" \
	"$(R conntrack -L 2> /dev/null | grep -c "src=10\..* dst=$PUB ")" 0
PUB=192.0.2.99
for ns in c1 c2 c3 g1; do
	ip -n "$nsp$ns" xfrm state flush
	ip -n "$nsp$ns" xfrm policy flush
done
G 1 ip route replace 172.16.0.0/12 via $PUB src "${GIN[1]}"
esp_up "1 3" > /dev/null 2>&1
check "the new address: clients with new SAs work" busywait 15 work "1 3"
check "client 2 begins again" v2_up 2 0x203 0xa3
check "tap" tap c2
check "the gateway's first packet reaches the new client" eval \
	'by_gateway 0x2003 && busywait 3 tap_has 1 "^${nsp}c2 .* esp 0x00002003 "'
done_testing
