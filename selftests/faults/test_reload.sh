#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=900
# Modules come and go under traffic of every protocol: in every order, each alone,
# in the middle of handshakes. Nothing leaks; without them the router is stock,
# with them all works. A thousand times with make check SLOW=1
# T=faults/test_reload.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
checktool jq

cycles=${VPNPASS_CYCLES:-8}
helpers=(vpnpass_ike vpnpass_esp vpnpass_pptp vpnpass_l2tp)

# without debug information, and near: they are read often
near()
{
	local m

	for m in vpnpass "${helpers[@]}"; do
		strip -g -o "$scratch/$m.ko" "$(module_file "$m")" ||
			cp "$(module_file "$m")" "$scratch/$m.ko" || return 1
	done
}

# cycle N: the order in which helpers come and go turns with N; now and then the
# core stays, or one of them is loaded twice
cycle()
{
	local k m

	[ -d /sys/module/vpnpass ] || insmod "$scratch/vpnpass.ko" default_netns=on || return 1
	for k in 0 1 2 3; do
		insmod "$scratch/${helpers[($1 + k) % 4]}.ko" || return 1
	done
	[ $(($1 % 2)) = 0 ] || sleep 0.$((RANDOM % 4))
	for k in 0 1 2 3; do
		m=${helpers[($1 / 4 + k) % 4]}
		rmmod "$m" || return 1
		[ $(($1 % 5)) != $k ] || { insmod "$scratch/$m.ko" && rmmod "$m" || return 1; }
	done
	[ $(($1 % 3)) = 0 ] || rmmod vpnpass
}

# cycles FROM TO
cycles()
{
	local n

	for ((n = $1; n < $2; n++)); do
		cycle $n || { echo "in cycle $n"; return 1; }
	done
	[ ! -d /sys/module/vpnpass ] || rmmod vpnpass
}

one_of_two()
{
	R conntrack -F
	esp_pings "1 2" -c 3 -i 50 -w 500
	[ "$(esp_answered)" = 1 ]
}

check "topology" topo 3 2
check "SAs" esp_up "1 2"
check "peers" all_start
check "modules load" load_modules
all_work "at first"
check "modules unload" unload_modules
near

traffic_begin
check "some cycles, for what is allocated once" cycles 0 4
kib=$(slab_kib) spaces=$(namespaces)
in_hundreds "cycles under traffic" "$cycles"
traffic_end
R conntrack -F > /dev/null 2>&1
check "memory of the $cycles is given back" busywait 30 lean "$kib"
note "slabs $kib to $(slab_kib) KiB"
num "no netns is kept" "$(namespaces)" -le $((spaces + 10))
is "no slab cache is left" "" "$(awk '/^vpnpass/ { print $1 }' /proc/slabinfo)"
is "no sysctl is left" "" "$(R ls /proc/sys/net/vpnpass 2> /dev/null)"
check "no modules: one of two ESP clients works, as stock has it" busywait 10 one_of_two
check "modules load" load_modules
all_work "after it"
check "modules unload" unload_modules
done_testing
