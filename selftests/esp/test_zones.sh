#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What administrators do: conntrack zones of their own, two uplinks with policy
# routing, a bridge on the LAN side, another WAN address, a new rule set, a pool
# of addresses. Both clients of one gateway have to work in each.
#
#   c1 ---+                  wan  192.0.2.1 ------- eth0 192.0.2.2
#         +--- r (NAT)                                        g1 203.0.113.9
#   c2 ---+                  wan2 198.51.100.1 ---- eth1 198.51.100.2
. "$(dirname "$0")/../lib.sh"
checktool jq

# began CLIENT: has it a session?
began() { [ "$(sessions client "${CIP[$1]}")" = 1 ]; }

# by_hand NAME [PUB1 PUB2]: ESP of the clients, one after the other and then in
# turns, from SPI 0x1000i answered on 0x2000i: each must reach the gateway from
# the client's public address, each answer that client and no other
by_hand()
{
	local name=$1 pub=("" "${2:-$PUB}" "${3:-$PUB}") i seq bad=""

	tap_mark
	for seq in {1..8}; do
		for i in 1 2; do
			C $i "$(peer espsend)" -s "${CIP[i]}" -d "$gw" -i 0x0001000$i -q "$seq"
			# its first packet may have to wait for ARP
			[ "$seq" != 1 ] || busywait 2 began "$i"
			G 1 "$(peer espsend)" -s "$gw" -d "${pub[i]}" -i 0x0002000$i -q "$seq"
		done
	done > /dev/null
	for i in 1 2; do
		busywait 10 tap_has 8 "^${nsp}c$i $gw ${CIP[i]} esp 0x0002000$i "
		[ "$(tap_seen "^${nsp}g1 ${pub[i]} $gw esp 0x0001000$i ")" = 8 ] || bad+=" out$i"
		[ "$(tap_seen "^${nsp}c$i $gw ${CIP[i]} esp 0x0002000$i ")" = 8 ] || bad+=" in$i"
	done
	if [ -z "$bad" ]; then
		ok "$name: all 32 packets arrive"
	else
		not_ok "$name: all 32 packets arrive" "$bad: $(tap_show | sort | uniq -c)"
	fi
	vp session flush > /dev/null
	R conntrack -F > /dev/null 2>&1
}

check "topology" topo 2 1
esp_modules
gw=203.0.113.9
ip -batch - <<-E
	link add name wan2 netns ${nsp}r type veth peer name eth1 netns ${nsp}g1
E
ip -n "${nsp}r" -batch - <<-E
	addr add 198.51.100.1/24 dev wan2
	addr add 192.0.2.10/24 dev wan
	addr add 192.0.2.11/24 dev wan
	link set wan2 up
	route add $gw/32 via ${GIP[1]}
	route add $gw/32 via 198.51.100.2 table 102
E
ip -n "${nsp}g1" -batch - <<-E
	addr add $gw/32 dev lo
	addr add 198.51.100.2/24 dev eth1
	link set eth1 up
E
topo_sysctl
check "modules load" load_modules vpnpass vpnpass_esp
spawn "$(peer rawtap)" "${nsp}c1" eth0 "${nsp}c2" eth0 "${nsp}g1" eth0 "${nsp}g1" eth1
tap_log=$spawn_log
busywait 20 grep -q ready "$tap_log"
by_hand "plain"

# --- zones ----------------------------------------------------------------------
zones()
{
	R nft -f - <<-E
	table ip zones
	delete table ip zones
	table ip zones {
		chain pre {
			type filter hook prerouting priority raw
			$1
			$2
		}
	}
	E
}

check "zone by client, original direction" zones 'iifname lan1 ct original zone set 1' \
	'iifname lan2 ct original zone set 2'
by_hand "zone by client, original direction"
check "one zone for all, both directions" zones 'iifname "lan*" ct zone set 7' \
	'iifname "wan*" ct zone set 7'
by_hand "one zone for all"
check "a zone for one client only" zones 'iifname lan1 ct original zone set 3' \
	'iifname lan1 counter'
by_hand "a zone for one client only"
R nft delete table ip zones

# --- NAT ------------------------------------------------------------------------
post()
{
	R nft -f - <<-E
	flush table ip nat
	table ip nat { chain post { $1; }; }
	E
}

check "SNAT to two addresses" post "ip saddr ${CIP[1]} oifname wan snat to 192.0.2.10
	ip saddr ${CIP[2]} oifname wan snat to 192.0.2.11"
by_hand "SNAT to two addresses" 192.0.2.10 192.0.2.11
check "SNAT to one of the pool" post 'oifname wan snat to 192.0.2.10-192.0.2.11 persistent'
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "$gw" -i 0x99 > /dev/null
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "$gw" -i 0x9999 > /dev/null
C 2 "$(peer espsend)" -s "${CIP[2]}" -d "$gw" -i 0x9998 > /dev/null
pool=()
for i in 1 2; do
	pool[i]=$(vp -j session client "${CIP[i]}" | jq -r '.[0].local')
done
note "pool: ${pool[1]} and ${pool[2]}"
vp session flush > /dev/null
R conntrack -F > /dev/null 2>&1
by_hand "SNAT to a pool" "${pool[1]}" "${pool[2]}"

R nft flush ruleset
nat_rules wan > /dev/null
R nft add rule ip nat post oifname wan2 masquerade
by_hand "masquerade again"

# --- reload under traffic --------------------------------------------------------
for i in 1 2; do
	C $i "$(peer espsend)" -s "${CIP[i]}" -d "$gw" -i 0x0001000$i -q 1
	G 1 "$(peer espsend)" -s "$gw" -d "$PUB" -i 0x0002000$i -q 1 -n 4
done > /dev/null
reload()
{
	R nft -f - <<-E
	flush ruleset
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat
			oifname "wan*" masquerade
		}
	}
	E
}
tap_mark
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "$gw" -i 0x00010001 -q 2 -n 60 -r 30 > /dev/null &
sender=$!
for i in 1 2 3 4 5; do
	reload || break
	sleep 0.2
done
wait $sender
check "rules reloaded 5 times: every packet arrives, translated" busywait 10 \
	tap_has 60 "^${nsp}g1 $PUB $gw esp 0x00010001 "
is "rules reloaded: the sessions are the same" 2 "$(sessions)"
vp session flush > /dev/null
R conntrack -F > /dev/null 2>&1

# --- routes ---------------------------------------------------------------------
check "client 2 by the second uplink" ip -n "${nsp}r" rule add from "${CIP[2]}" lookup 102
by_hand "two uplinks" "$PUB" 198.51.100.1

# a client moves to the other uplink in mid-session: its old address is gone
C 2 "$(peer espsend)" -s "${CIP[2]}" -d "$gw" -i 0x00010002 -q 1 > /dev/null
check "client 2 moves back" ip -n "${nsp}r" rule del from "${CIP[2]}" lookup 102
R conntrack -D -s "${CIP[2]}" > /dev/null 2>&1
by_hand "back on one uplink"

# --- the WAN address changes -------------------------------------------------------
for i in 1 2; do
	C $i "$(peer espsend)" -s "${CIP[i]}" -d "$gw" -i 0x0001000$i -q 1 -n 2 > /dev/null
done
is "two sessions on the old address" 2 "$(vp -j session | jq "[.[] | select(.local == \"$PUB\")] | length")"
ip -n "${nsp}r" -batch - <<-E
	addr add 192.0.2.200/24 dev wan
	addr del $PUB/24 dev wan
	addr del 192.0.2.10/24 dev wan
	addr del 192.0.2.11/24 dev wan
	route replace $gw/32 via ${GIP[1]} src 192.0.2.200
E
ip -n "${nsp}r" addr add 192.0.2.200/24 dev wan 2> /dev/null
ip -n "${nsp}r" route replace "$gw/32" via "${GIP[1]}" src 192.0.2.200
old_gone() { vp_is "all(.[]; .local != \"$PUB\")" session; }
check "another WAN address: the sessions on the old one end" busywait 20 old_gone
by_hand "another WAN address" 192.0.2.200 192.0.2.200
check "modules unload" unload_modules

# --- a bridge on the LAN side ------------------------------------------------------
topo_down
check "topology with a bridge" topo -b 2 1
modprobe -q br_netfilter
R sh -c 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables' 2> /dev/null
gw=${GIP[1]}
check "modules load" load_modules vpnpass vpnpass_esp
check "taps" tap c1 c2 g1
by_hand "bridged LAN, bridge netfilter on"
check "modules unload" unload_modules
done_testing
