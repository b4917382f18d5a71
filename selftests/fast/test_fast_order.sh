#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way keeps the order of packets: one that cannot go fast (reassembled, too long,
# with IP options) is not overtaken by those behind it, also where a driver hands over
# several at once.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool ethtool

# batches NS DEVICE: what is sent there leaves in batches, 20 ms apart, and r's DEVICE hands
# a batch over as lists; a veth does so for a peer without TSO
batches()
{
	ip netns exec "$nsp$1" tc qdisc add dev eth0 root netem slot 20ms limit 5000 &&
		ip netns exec "$nsp$1" ethtool -K eth0 tso off && R ethtool -K "$2" gro on
}

first=100000
# in_order NAME FROM OPTION...: 400 packets of client 1, FROM it or from the gateway to it,
# arrive as they were sent
in_order()
{
	local spi ends at

	first=$((first + 1000))
	if [ "$2" = c1 ]; then
		ends="-s ${CIP[1]} -d ${GIP[1]}" spi=${esp_out[1.1]} at=g1
	else
		ends="-s ${GIP[1]} -d $PUB" spi=${esp_in[1.1]} at=c1
	fi
	tap_mark
	# shellcheck disable=SC2086
	ip netns exec "$nsp$2" "$(peer espsend)" $ends -i "$spi" -q $first -n 400 -r 1600 \
		"${@:3}" > "$scratch/sent"
	busywait 5 eval '[ $(arrived $at $spi | wc -l) -ge 400 ]'
	arrived $at "$spi" > "$scratch/arrived"
	is "$1: all arrive" "$(wc -l < "$scratch/arrived")" 400
	is "$1: in order" "$(sort -n "$scratch/arrived" | cmp - "$scratch/arrived" 2>&1)" ""
}

# arrived NS SPI: prints the sequence numbers of what in_order has sent, as they came
arrived()
{
	tap_show | awk -v ns="$nsp$1" -v spi="$2" -v from=$first \
		'$1 == ns && $4 == "esp" && $5 == spi && $6 >= from { print $6 }'
}

# kinds NAME: packets of each kind among short ones. A list has eight.
kinds()
{
	in_order "$1: with IP options" c1 -e 27 -o
	R ip link set wan mtu 800
	in_order "$1: too long for the route" c1 -e 27 -L 1000
	R ip link set wan mtu 1500
	R ip link set lan1 mtu 800
	in_order "$1: too long, to the client" g1 -e 27 -L 1000
	R ip link set lan1 mtu 1500
	C 1 ip route replace default via "${CIP[1]%.2}.1" mtu lock 600
	in_order "$1: in fragments" c1 -e 27 -L 1000
	C 1 ip route replace default via "${CIP[1]%.2}.1"
}

check "topology" topo 2 1
need_esp
modprobe -qa sch_netem
R tc qdisc add dev lo root netem 2> /dev/null || skip_all "this kernel has no netem"
check "c1 sends in batches" batches c1 lan1
check "g1 sends in batches" batches g1 wan
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are known" esp_settle "1 2"
check "a tap" tap g1 c1
kinds "ordinary"
# A packet that shows no way has the next attempt wait for an eighth of the lease.
check "fast" vp set esp fast 100
check "goes fast" busywait 20 goes_fast 1
was="$(fast_of 1 out) $(fast_of 1 in)"
kinds "fast"
# fewer the slower the machine is; without any the order would say nothing
num "of 1200, many went fast" $(($(fast_of 1 out) - ${was% *})) -ge 100
num "of the other way's 400, many went fast" $(($(fast_of 1 in) - ${was#* })) -ge 50
done_testing
