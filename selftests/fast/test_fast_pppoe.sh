#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way by PPPoE, as the device that packets leave by and as the one that they come
# in by: pppd at both ends, of a session that both are told of (no discovery).
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool pppd ppp
need_root

# ppp NS PORT PEER-MAC NAME OWN PEER: that end of the session, until exit
ppp()
{
	spawn ip netns exec "$nsp$1" pppd plugin pppoe.so pppoe-sess "7:$3" "nic-$2" ifname "$4" \
		noauth nodetach nobsdcomp nodeflate novj noipdefault mtu 1492 mru 1492 \
		noccp linkname "$nsp$1$4" debug logfile "$scratch/pppd.$1" "$5:$6"
	ppps+=("$spawn_pid")
}

mac_of()
{
	ip -n "$nsp$1" -j link show "$2" | jq -r '.[0].address'
}

has_address()
{
	ip -n "$nsp$1" -4 -o addr show dev "$2" 2> /dev/null | grep -q " $3 peer "
}

# over_pppoe NS DEVICE OWN OTHER-END: r's DEVICE is a PPPoE session from now on, under the same
# name and address, with the far end's eth0
over_pppoe()
{
	R ip link set "$2" down
	R ip link set "$2" name port
	R ip addr flush dev port
	R ip link set port up
	ip -n "$nsp$1" addr flush dev eth0
	ppps=()
	ppp r port "$(mac_of "$1" eth0)" "$2" "$3" "$4"
	ppp "$1" eth0 "$(mac_of r port)" ppp7 "$4" "$3"
	busywait 40 has_address r "$2" "$3" && busywait 40 has_address "$1" ppp7 "$4" && return
	tail -n 20 "$scratch"/pppd.* "$scratch"/spawn.*
	return 1
}

# no_pppoe NS DEVICE OWN OTHER-END: it is as it was
no_pppoe()
{
	kill "${ppps[@]}"
	wait "${ppps[@]}"
	R ip link set port down
	R ip link set port name "$2"
	R ip addr add "$3/24" dev "$2"
	R ip link set "$2" up
	ip -n "$nsp$1" addr add "$4/24" dev eth0
}

check "topology" topo 2 1
need_esp
modprobe -qa ppp_generic pppoe
[ -c /dev/ppp ] || skip_all "no /dev/ppp"
[ -e /proc/net/pppoe ] || skip_all "this kernel has no PPPoE"
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are known" esp_settle "1 2"
check "fast" vp set esp fast 1000
fast_works "veth"

check "the WAN is a PPPoE session" over_pppoe g1 wan "$PUB" "${GIP[1]}"
has_address r wan "$PUB" || done_testing
G 1 ip route replace 172.16.0.0/12 dev ppp7 src "${GIN[1]}"
fast_works "the WAN by PPPoE"
is "the WAN's MTU" "$(R cat /sys/class/net/wan/mtu)" 1492
esp_stream "1 2" -i 20
check "goes fast" busywait 20 goes_fast 1
kill "${ppps[0]}"
check "the session ends under traffic: nothing gets through" busywait 10 fast_silent 1
esp_stream_end
check "the WAN as it was" no_pppoe g1 wan "$PUB" "${GIP[1]}"
G 1 ip route replace 172.16.0.0/12 via "$PUB" src "${GIN[1]}"
fast_works "veth again"

via=${CIP[1]%.2}.1
check "the client dials in by PPPoE" over_pppoe c1 lan1 "$via" "${CIP[1]}"
C 1 ip route replace default dev ppp7
C 1 ip route replace "${GIN[1]}" dev ppp7 src "${CIN[1]}"
fast_works "the client by PPPoE"
check "the client as it was" no_pppoe c1 lan1 "$via" "${CIP[1]}"
C 1 ip route replace default via "$via"
C 1 ip route replace "${GIN[1]}" via "$via" src "${CIN[1]}"
fast_works "veth once more"
check "modules unload" unload_modules
done_testing
