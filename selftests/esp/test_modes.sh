#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The switch: block stops ESP and AH both ways and ends what runs, off is plain
# NAT to the packet, both in mid-session, by the tool and by sysctl, each netns
# for itself. The router's own IPsec with the same gateway is left alone.
#
#   c1 ---+
#         +--- r (masquerade; its own SA r == g1) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

# own_sa: the router's own tunnel to the gateway, from its WAN address
own_sa()
{
	local here="proto esp reqid 99 mode tunnel"

	esp_batch[r]="addr add 172.20.0.1/32 dev lo"$'\n'
	esp_batch[r]+="route add 172.20.0.2/32 dev wan src 172.20.0.1"$'\n'
	esp_batch[g1]="addr add 172.20.0.2/32 dev lo"$'\n'
	esp_batch[g1]+="route add 172.20.0.1/32 dev eth0 src 172.20.0.2"$'\n'
	e_f=
	for ns in r g1; do
		esp_state $ns "$PUB" "${GIP[1]}" 0x00aa0001 99
		esp_state $ns "${GIP[1]}" "$PUB" 0x00aa0002 99
	done
	esp_batch[r]+="xfrm policy add dir out src 172.20.0.1 dst 172.20.0.2"
	esp_batch[r]+=" tmpl src $PUB dst ${GIP[1]} $here"$'\n'
	esp_batch[r]+="xfrm policy add dir in src 172.20.0.2 dst 172.20.0.1"
	esp_batch[r]+=" tmpl src ${GIP[1]} dst $PUB $here"$'\n'
	esp_batch[g1]+="xfrm policy add dir in src 172.20.0.1 dst 172.20.0.2"
	esp_batch[g1]+=" tmpl src $PUB dst ${GIP[1]} $here"$'\n'
	esp_batch[g1]+="xfrm policy add dir out src 172.20.0.2 dst 172.20.0.1"
	esp_batch[g1]+=" tmpl src ${GIP[1]} dst $PUB $here"$'\n'
	esp_commit
	# what goes into the tunnel is not to be masqueraded
	R nft insert rule ip nat post ip daddr 172.20.0.2 accept
}

# by_hand: ESP and AH of two clients and of the gateway, in a fixed order, one
# at a time; what arrived where is printed
by_hand()
{
	local proto i

	R conntrack -F > /dev/null 2>&1
	tap_mark
	for proto in 50 51; do
		for i in 1 2; do
			C $i "$(peer espsend)" -s "${CIP[i]}" -d "${GIP[1]}" -p $proto \
				-i 0x000100$i$i -q 1 -n 3
		done
		G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -p $proto -i 0x00020099 -q 1 -n 3
		C 2 "$(peer espsend)" -s "${CIP[2]}" -d "${GIP[1]}" -p $proto -i 0x00010099 -q 1 -n 3
	done > /dev/null
	C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0x7 -q 1 > /dev/null
	C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0x00010100 -q 77 > /dev/null
	[ -n "${1-}" ] || busywait 2 tap_has 1 " esp 0x00010100 77 "
	tap_show
}

mode_is()
{
	vp_is ".[0].mode == \"$1\"" show esp &&
		[ "$(R cat /proc/sys/net/vpnpass/esp)" = "$2" ]
}

set_sysctl()
{
	R sh -c "echo $1 > /proc/sys/net/vpnpass/esp"
}

check "topology" topo 2 1
# with these no stack answers "protocol unreachable", before or after
esp_modules
modprobe -qa ah4 ah6
check "taps" tap c1 c2 g1
by_hand > "$scratch/stock"
num "stock: there is something to compare" "$(grep -c . "$scratch/stock")" -ge 10
check "SAs" esp_up "1 2"
R conntrack -F > /dev/null 2>&1
check "modules load" load_modules vpnpass vpnpass_esp
check "on by default, says netlink and sysctl" mode_is on 1

# --- off ------------------------------------------------------------------------
check "on: both clients are paired" esp_settle "1 2"
check "off, by the tool" vp set esp off
check "off, says netlink and sysctl" mode_is off 0
is "off: the sessions are ended" 0 "$(sessions)"
esp_pings "1 2" -c 5
is "off: one client works, as with plain NAT" 1 "$(esp_answered)"
by_hand > "$scratch/off"
is "off: to the packet what it was without the module" "" \
	"$(diff "$scratch/stock" "$scratch/off")"
R conntrack -F > /dev/null 2>&1
is "off: no counter moves" "$(vp -j stats esp)" "$(by_hand > /dev/null; vp -j stats esp)"
check "on, by sysctl" set_sysctl 1
check "on, says netlink and sysctl" mode_is on 1
check "on: both are paired again" esp_settle "1 2"
check "on: both work" esp_pings "1 2"

# --- block ----------------------------------------------------------------------
spawn "$VPNPASS" -j -n "${nsp}r" monitor
monitor=$spawn_log
busywait 20 grep -q . "/proc/$spawn_pid/net/netlink"
sleep 0.5
esp_stream "1 2" -i 50
check "block, by the tool, in mid-session" vp set esp block
tap_mark
check "block, says netlink and sysctl" mode_is block 2
is "block: the sessions are ended" 0 "$(sessions)"
esp_stream_end
check "block: which is told" busywait 10 jq -es \
	'([.[] | select(.event == "session-end")] | length) == 2 and
	 any(.[]; .event == "mode" and .mode == "block")' "$monitor"
tap_mark
n=$(counter blocked)
is "block: nothing passes, ESP or AH, either way" "" "$(by_hand 1)"
num "block: and is counted" "$(counter blocked)" -ge $((n + 18))
is "block: no connection is left of it" "" \
	"$(R conntrack -L 2> /dev/null | grep -E '^(esp|ah|unknown *5[01]) .* src=10')"
check "block: other traffic passes" C 1 ping -c 1 -W 2 "${GIP[1]}"
check "block to on, by the tool, in mid-session" vp set ipsec on
check "on: both are paired" esp_settle "1 2"
check "block by sysctl" set_sysctl 2
check "block, says netlink" mode_is block 2
esp_pings "1 2" -c 2 -w 500
is "block by sysctl: nothing passes" 0 "$(esp_answered)"
R conntrack -F > /dev/null 2>&1
check "block to off" set_sysctl 0
esp_pings "1 2" -c 3 -w 500
is "off after block: plain NAT" 1 "$(esp_answered)"
check "and on again" vp set esp on
check "on again: both are paired" esp_settle "1 2"
check_fails "sysctl refuses 3" set_sysctl 3
check_fails "and what is no number" set_sysctl on
check "and changed nothing" mode_is on 1
check "setting the mode that is set ends no session" vp set esp on
is "as seen" 2 "$(sessions)"

# --- the router's own -------------------------------------------------------------
check "the router gets an SA of its own with the same gateway" own_sa
R conntrack -F > /dev/null 2>&1
esp_stream "1 2" -i 50
spawn ip netns exec "${nsp}r" "$(peer nsping)" -c 0 -i 50 - 172.20.0.1 172.20.0.2
own_pid=$spawn_pid own_log=$spawn_log
own_seen() { [ "$(counter local_sa)" -ge 5 ]; }
check "on: its packets are known as its own" busywait 20 own_seen
for mode in off block on; do
	check "its tunnel runs: $mode" vp set esp $mode
	sleep 0.5
done
esp_stream_end
check "both clients are paired beside it" esp_settle "1 2"
check "and work" esp_pings "1 2"
kill -TERM "$own_pid"
wait "$own_pid"
note "the router's own tunnel: $(cat "$own_log")"
is "it lost nothing through all of it" 0 "$(awk '{ print $5 - $7 }' "$own_log")"
num "and was at work" "$(awk '{ print $7 }' "$own_log")" -ge 30

# --- per netns --------------------------------------------------------------------
other() { "$VPNPASS" -n "${nsp}g1" "$@"; }
check "another netns has a switch of its own" other set esp block
check "which does not move this one" mode_is on 1
is "it has no sessions" 0 "$(other -j session | jq length)"
check "and blocks what it forwards, not what is its own" esp_pings "1 2"
check "modules unload" unload_modules
R conntrack -F > /dev/null 2>&1
esp_pings "1 2" -c 3 -w 500
is "unloaded: plain NAT" 1 "$(esp_answered)"
done_testing
