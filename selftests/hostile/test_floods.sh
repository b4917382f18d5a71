#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Floods of packets that look like the first of something new, from a host on the WAN
# that uses the gateway's address, and from a client of the LAN: what they cost with every
# switch on beside what they cost on stock, in memory, time, copies, and service of others.
#
#   c1 (a tunnel of ESP) ---+                   +--- g1
#   c2 (the hostile client) +--- r (masquerade) +
#                           |                   +--- g2 (the stranger)
# With icount, the guest's clock counts instructions: 1 us is 1,000 of them.
# run: icount timeout=2400
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack
n=${VPNPASS_HOSTILE_N:-5000}

rx_packets()
{
	C "$1" awk '$1 == "eth0:" { print $3 }' /proc/net/dev
}

# flood WHERE KIND SRC DST [SPORT DPORT]: sets $f_kib, $f_us (a packet), $f_copies (that
# clients got beside answers), $f_lost (of the other's pings)
flood()
{
	local kib rx

	R conntrack -F > /dev/null 2>&1
	esp_stream 1 -i 50
	sleep 0.3
	kib=$(slab_kib) rx=$(($(rx_packets 1) + $(rx_packets 2)))
	ip netns exec "$nsp$1" "$(peer strange)" "$2" "$3" "$4" "$n" "${@:5}" > "$scratch/flood"
	esp_stream_end
	f_kib=$(($(slab_kib) - kib))
	f_us=$(awk -v n="$n" '{ printf "%d", $4 / n }' "$scratch/flood")
	f_copies=$(($(rx_packets 1) + $(rx_packets 2) - rx - $(ping_of 1 received)))
	[ $f_copies -ge 0 ] || f_copies=0	# answers to earlier pings
	f_lost=$(esp_lost_of 1)
}

# against NAME WHERE KIND SRC DST [SPORT DPORT]: on stock, and with all switches on
against()
{
	local name=$1 s_kib s_us s_copies s_lost

	shift
	vp set all off && flood "$@"
	s_kib=$f_kib s_us=$f_us s_copies=$f_copies s_lost=$f_lost
	vp set all on && flood "$@"
	note "$(printf '%-34s | %6d %6d | %4d %4d | %6d %6d | %4d %4d' "$name" \
		"$s_kib" "$f_kib" "$s_us" "$f_us" "$s_copies" "$f_copies" "$s_lost" "$f_lost")"
	num "$name: memory (KiB)" "$f_kib" -le $((s_kib + allowed_kib))
	num "$name: time a packet, at most half as much again" "$f_us" -le $((s_us * 3 / 2 + 1))
	num "$name: others lose no more than on stock" "$f_lost" -le $((s_lost + 1))
	num "$name: no more copies than stock delivers" "$f_copies" -le $((s_copies + 20))
}

check "topology" topo 2 2
check "SAs" esp_up 1
check "modules load" load_modules
conntrack_room 200000
peer strange > /dev/null
note "$(printf '%-34s | %13s | %9s | %13s | %9s' "stock, vpnpass" "slab KiB" us/packet \
	copies lost)"
# Packets from outside that ask for nothing make nothing.
allowed_kib=256
for kind in esp ah gre l2tp3 synack ack; do
	against "stranger, $kind" g2 $kind "${GIP[1]}" "$PUB"
done
against "stranger, ike" g2 ike "${GIP[1]}" "$PUB" 500 500
against "stranger, ike answers" g2 ikeanswer "${GIP[1]}" "$PUB" 500 500
against "stranger, natt" g2 natt "${GIP[1]}" "$PUB" 4500 4500
against "stranger, l2tp" g2 l2tp "${GIP[1]}" "$PUB" 1701 1701
# from inside there are limits: 64 sessions a client, 3 KiB each, and what pairing holds
allowed_kib=1024
for kind in esp gre l2tp3; do
	against "client, $kind" c2 $kind "${CIP[2]}" "${GIP[1]}"
done
against "client, ike" c2 ike "${CIP[2]}" "${GIP[1]}" 500 500
against "client, ike, any port" c2 ike "${CIP[2]}" "${GIP[1]}" 0 500
against "client, l2tp, any port" c2 l2tp "${CIP[2]}" "${GIP[1]}" 0 1701
against "client, syn" c2 syn "${CIP[2]}" "${GIP[1]}" 0 1723
check "afterwards the other's tunnel works" esp_pings 1
check "modules unload" unload_modules
done_testing
