#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way by devices of every kind, as the one that packets come in by and as the one
# they leave by, and with traffic control at the latter; devices go under traffic. In a VRF,
# and on a bridge whose packets iptables sees, nothing goes fast, and nothing is lost.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq

# stack KIND DEVICE ADDRESS: r's DEVICE is "port" from now on, and one of that kind over
# it has its name and address
stack()
{
	local over=$2

	R ip link set "$2" down && R ip link set "$2" name port || return 1
	case $1 in
	vlan) R ip link add link port name "$over" type vlan id 7 ;;
	macvlan) R ip link add link port name "$over" type macvlan mode bridge ;;
	bond) R ip link add "$over" type bond mode active-backup miimon 100 ;;
	bridge)
		R ip link add "$over" type bridge || return 1
		bridge_nf 0 ;;
	esac || return 1
	case $1 in
	bond | bridge) R ip link set port master "$over" || return 1 ;;
	esac
	R ip -batch - <<-E
	addr flush dev port
	link set port up
	link set $over up
	addr add $3/24 dev $over
	E
}

# bridge_nf 0|1: whether iptables sees what is bridged; fails for 1 on a kernel without it
bridge_nf()
{
	R sh -c "echo $1 > /proc/sys/net/bridge/bridge-nf-call-iptables" 2> /dev/null ||
		[ "$1" = 0 ]
}

# not_fast NAME: of client 1 nothing is lost, and nothing goes fast
not_fast()
{
	local was

	check "$1: answered" busywait 20 esp_pings 1 -c 3 -w 500
	was=$(fast_of 1 out)
	esp_pings 1 -c 20 -i 20
	is "$1: always" "$(esp_lost)" 0
	is "$1: none goes fast" "$(fast_of 1 out)" "$was"
}

# unstack DEVICE ADDRESS: also of what stack has done in part
unstack()
{
	R ip -force -batch - <<-E
	link del $1
	link set port down
	link set port name $1
	addr add $2/24 dev $1
	link set $1 up
	E
}

# far NS DEVICE ADDRESS ROUTE...: the far end has its address there, and these routes
far()
{
	ip -n "$nsp$1" -batch - <<-E
	addr flush dev eth0
	$(case $2 in
	eth0) echo "link del eth0.7" ;;
	*) echo "link add link eth0 name $2 type vlan id 7" ;;
	esac)
	link set $2 up
	addr add $3/24 dev $2
	$(printf 'route replace %s\n' "${@:4}")
	E
}

# far_end DEVICE SIDE: of the client's or the gateway's
far_end()
{
	local via=${CIP[1]%.2}.1

	case $2 in
	lan1) far c1 "$1" "${CIP[1]}" "default via $via" "${GIN[1]} via $via src ${CIN[1]}" ;;
	wan) far g1 "$1" "${GIP[1]}" "172.16.0.0/12 via $PUB src ${GIN[1]}" ;;
	esac
}

# A packet that left while the device had another name has a connection without NAT, on stock
# as well, and its client keeps that alive by sending.
forget_flows() { R conntrack -D -p esp > /dev/null 2>&1; }

modprobe -qa 8021q macvlan bonding bridge vrf ifb sch_tbf sch_prio cls_u32 act_mirred
check "topology" topo 2 1
need_esp
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are known" esp_settle "1 2"
check "fast" vp set esp fast 1000
fast_works "veth"

esp_stream "1 2" -i 50
for kind in vlan macvlan bond bridge; do
	for side in lan1 wan; do
		case $side in lan1) address=${CIP[1]%.2}.1 ;; wan) address=$PUB ;; esac
		stack $kind $side "$address" > "$scratch/stack" 2>&1
		if ! R ip link show port > /dev/null 2>&1 || ! R ip link show $side > /dev/null 2>&1; then
			skip "$side over a $kind" "this kernel has none: $(tail -n 1 "$scratch/stack")"
			unstack $side "$address" 2> /dev/null
			continue
		fi
		[ $kind != vlan ] || check "$side: its far end" far_end eth0.7 $side
		forget_flows
		fast_works "$side over a $kind"
		check "$side as it was" unstack $side "$address"
		forget_flows
		[ $kind != vlan ] || check "$side: its far end as it was" far_end eth0 $side
	done
done
esp_stream_end
fast_works "veth again"

# --- traffic control where packets leave ---------------------------------------------------
if R tc qdisc add dev wan root handle 1: prio 2> "$scratch/tc" &&
   R ip link add ifb0 type ifb 2>> "$scratch/tc" && R ip link set ifb0 up &&
   R tc filter add dev wan parent 1: protocol ip u32 match u32 0 0 \
	action mirred egress redirect dev ifb0 2>> "$scratch/tc"; then
	fast_works "redirected to an ifb"
	num "... where they were" "$(R cat /sys/class/net/ifb0/statistics/tx_packets)" -ge 60
	R tc qdisc del dev wan root
	R ip link del ifb0
else
	skip "an ifb" "this kernel has none: $(tail -n 1 "$scratch/tc")"
	R tc qdisc del dev wan root 2> /dev/null
fi
if R tc qdisc add dev wan root tbf rate 8mbit burst 20kb latency 400ms 2> "$scratch/tc"; then
	fast_works "shaped"
	num "... by the qdisc" "$(R tc -s -j qdisc show dev wan | jq '.[0].packets')" -ge 60
	R tc qdisc del dev wan root
else
	skip "a shaper" "this kernel has none: $(tail -n 1 "$scratch/tc")"
fi

# --- rp_filter ----------------------------------------------------------------------------
R sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.lan1.rp_filter=1
fast_works "rp_filter"
R ip route add 10.0.1.0/25 dev lan2
check "the client's route is elsewhere: dropped at once" fast_silent 1
R ip route del 10.0.1.0/25 dev lan2
fast_works "as it was"

# --- a bridge whose packets iptables sees ---------------------------------------------------
modprobe -q br_netfilter
if stack bridge lan1 "${CIP[1]%.2}.1" > "$scratch/stack" 2>&1 && bridge_nf 1; then
	not_fast "bridge-nf-call-iptables"
	bridge_nf 0
	fast_works "without it"
else
	skip "bridge-nf-call-iptables" "this kernel has none"
fi
check "lan1 as it was" unstack lan1 "${CIP[1]%.2}.1"

# --- VRF ----------------------------------------------------------------------------------
if R ip link add red type vrf table 77 2> "$scratch/vrf"; then
	R ip -batch - <<-E
	link set red up
	link set lan1 master red
	route add default via ${GIP[1]} dev wan table 77
	route add ${CIP[1]}/32 dev lan1
	E
	not_fast "a client in a VRF"
else
	skip "a VRF" "this kernel has none: $(cat "$scratch/vrf")"
fi
check "modules unload" unload_modules
dmesg_clean "kernel log"
done_testing
