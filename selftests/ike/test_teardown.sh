#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: smp=2
# Everything goes while two clients flood: entries, sessions, switches, modules
# and the namespace. No leak, no warning, and a client recovers by itself.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2 (flooded by c2 and c3)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

# flood i COUNT: first messages of client i's, in the background
flood()
{
	# shellcheck disable=SC2016
	spawn bash -c 'exec "$1" < <(
			printf "%s\n" "open x $2 $3 501" "flood x $3 20 $4 $5 0x${6}00000000")' \
		- "$(peer ike_sim)" "${nsp}c$1" "${CIP[$1]}" "${GIP[2]}" "$2" "$1"
	flooders+=("$spawn_pid")
}

floods()
{
	flooders=()
	flood 2 "$1"
	flood 3 "$1"
}

floods_end()
{
	kill "${flooders[@]}"
	wait "${flooders[@]}"
} 2> /dev/null

# comes_back: client 1 goes on with its SA
mid=1
comes_back()
{
	mid=$((mid + 1))
	drain c1 g1
	out 1 2 37 I 0x101 0xa1 $mid 80 && heard g1 "^$PUB 500 2 37 I .*a1 $mid 80" &&
		passes_in 1 2 37 R 0x101 0xa1 $mid 80
}

loads()
{
	local n

	for n in 1 2 3 4; do
		unload_modules && load_modules vpnpass vpnpass_esp vpnpass_ike || return 1
	done
}

check "topology" topo 3 2
check "simulator" sim_start
check "sockets" sim_open c1 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "client 1 is up" v2_up 1 0x101 0xa1
slab=$(slab_kib)
slab_mark
floods 2000000
for n in 1 2 3; do
	R conntrack -F > /dev/null 2>&1
	sleep 0.3
	vp session flush > /dev/null
	sleep 0.3
done
check "conntrack -F and session flush under flood: the client comes back" busywait 10 comes_back
for n in 1 2 3; do
	vp set ike off > /dev/null
	vp set natt block > /dev/null
	sleep 0.2
	vp set ike on > /dev/null
	vp set natt on > /dev/null
	sleep 0.2
done
check "switches under flood: the client comes back" busywait 10 comes_back
check "modules unloaded and loaded under flood" loads
check "the client comes back" busywait 10 comes_back
floods_end
R conntrack -F > /dev/null 2>&1
sleep 2
busywait 10 eval '[ $(slab_kib) -le $((slab + 512)) ]'
note "grown most, KiB: $(slab_grown)"
num "memory is as before, within half a MiB" "$(slab_kib)" -le $((slab + 512))
floods 2000000
sleep 0.5
check "the namespace goes under flood" ip netns del "${nsp}r"
floods_end
check "modules unload" unload_modules
done_testing
