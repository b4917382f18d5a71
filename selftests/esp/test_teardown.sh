#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Ends in every way while traffic runs: conntrack -F and -D, rmmod and insmod,
# netns deletion. Nothing leaks or warns, what can comes back by itself.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack

both_work()
{
	esp_pings "1 2" -c 2 -i 50 -w 300
}

# comes_back NAME: without a word from anybody
comes_back()
{
	local t

	t=$(now_ms)
	check "$1: both clients work again by themselves" busywait 15 both_work
	note "$1: after $(($(now_ms) - t)) ms"
}

# traffic_begin: of the two clients, one way, beside their tunnels
traffic_begin()
{
	local i

	floods=()
	for i in 1 2; do
		spawn ip netns exec "${nsp}c$i" "$(peer espsend)" -s "${CIP[i]}" -d "${GIP[1]}" \
			-i 0x0001000$i -q 1 -n 0 -r 200
		floods+=("$spawn_pid")
	done
}

# flood_begin RATE: both clients and the gateway send, on more SPIs than there
# is room for, until flood_end
flood_begin()
{
	local i

	floods=()
	for i in 1 2; do
		spawn ip netns exec "${nsp}c$i" "$(peer espsend)" -s "${CIP[i]}" -d "${GIP[1]}" \
			-i 0x0001000$i/12 -q 1 -n 0 -r "$1"
		floods+=("$spawn_pid")
	done
	spawn ip netns exec "${nsp}g1" "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -n 0 -r "$1"
	floods+=("$spawn_pid")
}

flood_end()
{
	kill "${floods[@]}" 2> /dev/null
	wait "${floods[@]}" 2> /dev/null
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are paired" esp_settle "1 2"

# --- connections ----------------------------------------------------------------
traffic_begin
check "conntrack -F under traffic" R conntrack -F
comes_back "conntrack -F"
for i in 1 2 3; do
	R conntrack -F > /dev/null 2>&1
	R conntrack -D -p esp > /dev/null 2>&1
	sleep 0.3
done
comes_back "many of both"
check "conntrack -D of one client" R conntrack -D -s "${CIP[2]}"
comes_back "conntrack -D"
flood_end
sessions_end() { [ "$(sessions)" = 0 ] && vp_is '.[0].pins == 0' show esp; }
R conntrack -F > /dev/null 2>&1
check "sessions and pins go with their connections" busywait 20 sessions_end
esp_settle "1 2"
traffic_begin
check "flush under traffic" vp session flush
comes_back "flush"
flood_end

# --- modules ----------------------------------------------------------------------
flood_begin 1500
check "rmmod under traffic" unload_modules
is "no sysctl is left" "" "$(ls /proc/sys/net/vpnpass 2> /dev/null)"
flood_end
R conntrack -F > /dev/null 2>&1
esp_pings "1 2" -c 4 -w 500
is "unloaded: one client works, as stock has it" 1 "$(esp_answered)"
check "modules load" load_modules vpnpass vpnpass_esp
comes_back "insmod"

# without debug information, and near: they are read fifty times
core=$scratch/vpnpass.ko helper=$scratch/vpnpass_esp.ko
for module in vpnpass vpnpass_esp; do
	strip -g -o "$scratch/$module.ko" "$(module_file $module)" ||
		cp "$(module_file $module)" "$scratch/$module.ko"
done
again()
{
	local n

	rmmod vpnpass_esp vpnpass || return 1
	for ((n = 0; n < $1; n++)); do
		insmod "$core" default_netns=on && insmod "$helper" || return 1
		[ $((n % 2)) = 0 ] || sleep 0.05
		rmmod vpnpass_esp || return 1
		# the core alone, with sessions of a helper that is gone
		[ $((n % 3)) = 0 ] && { insmod "$helper" && rmmod vpnpass_esp || return 1; }
		rmmod vpnpass || return 1
	done
	insmod "$core" default_netns=on && insmod "$helper"
}

esp_stream "1 2" -i 20
flood_begin 400
again 3
kib=$(slab_kib)
check "rmmod and insmod 50 times under traffic" again 50
flood_end
esp_stream_end
lean() { [ "$(slab_kib)" -le $((kib + 1024)) ]; }
check "memory of the 50 times is given back" busywait 30 lean
note "slabs $kib to $(slab_kib) KiB"
comes_back "50 times"

# --- network namespaces -------------------------------------------------------------
netns_many()
{
	local n

	for n in {1..200}; do
		echo "netns add ${nsp}x$n"
		echo "netns del ${nsp}x$n"
	done | ip -batch -
}

namespaces()
{
	slab_shrink
	awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo
}

# stock kernels keep some dozens for minutes; ours must not keep them all
netns_gone()
{
	[ "$(namespaces)" -le $((existed + 100)) ]
}

flood_begin 200
existed=$(namespaces)
kib=$(slab_kib)
check "200 netns come and go under traffic" netns_many
check "all of them are gone" busywait 30 netns_gone
note "net_namespace slab: $existed to $(namespaces)"
flood_end
check "memory of the 200 is given back" busywait 30 lean
note "slabs $kib to $(slab_kib) KiB"
check "both clients work" busywait 10 both_work

# the router itself, with live sessions and pairings in doubt
for n in 1 2 3; do
	flood_begin 1000
	busywait 20 sessions client "${CIP[1]}"
	ip netns del "${nsp}r" || break
	flood_end
	topo_down
	topo 2 1 || break
	esp_up "1 2"
done > "$scratch/again" 2>&1
is "the router's netns is deleted under flood, 3 times" 3 "$n"
check "the last one works" busywait 15 both_work
flood_begin 1000
ip netns del "${nsp}r"
check "modules unload right after a netns went" unload_modules
flood_end
done_testing
