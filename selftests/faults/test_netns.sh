#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=600
# named only: it takes four minutes where the CPU is emulated
# The router's namespace is deleted and made anew under traffic of every protocol,
# with all that it then has: hooks, pins, pairings in doubt, timers. What is made in
# its place works. A thousand times with make check SLOW=1 T=faults/test_netns.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
checktool jq

cycles=${VPNPASS_CYCLES:-15}

router_links()
{
	local i

	echo "netns add ${nsp}r"
	echo "link add name wan netns ${nsp}r type veth peer name p0 netns ${nsp}w"
	for i in 1 2 3; do
		echo "link add name lan$i netns ${nsp}r type veth peer name eth0 netns ${nsp}c$i"
	done
}

# router_again: where the one before was. The rules come first: a connection that is
# there before them stays as it is for as long as its client sends.
router_again()
{
	local i

	router_links | ip -batch - && nat_rules wan || return 1
	bridge='' topo_router | ip -n "${nsp}r" -batch - || return 1
	ip -n "${nsp}w" -batch - <<< $'link set p0 master sw\nlink set p0 up' || return 1
	for i in 1 2 3; do
		ip -n "${nsp}c$i" -batch - <<-E || return 1
		addr add ${CIP[i]}/24 dev eth0
		link set eth0 up
		route add default via ${CIP[i]%.2}.1
		E
	done
	topo_sysctl
}

# devices of a namespace go after it, in the background
links_gone()
{
	! ip -n "${nsp}c1" link show eth0 && ! ip -n "${nsp}w" link show p0
}

has_sessions()
{
	vp_is '[.[] | select(.proto != "natt") | .sessions > 0] | length == 4 and all' show
}

# cycle N: now and then before anything is there, and after all is
full=0
cycle()
{
	local rc=0

	router_again || return 1
	case $(($1 % 3)) in
	0) if busywait 20 has_sessions; then
			full=$((full + 1))
		else
			vp show
			tail -n 2 "$scratch"/spawn.*
			rc=1
		fi ;;
	1) sleep 0.$((RANDOM % 10)) ;;
	esac
	ip netns del "${nsp}r"
	busywait 20 links_gone && return $rc
}

# cycles FROM TO
cycles()
{
	local n

	for ((n = $1; n < $2; n++)); do
		cycle $n || { echo "in cycle $n"; return 1; }
	done
}

check "topology" topo 3 2
check "SAs" esp_up "1 2"
check "peers" all_start
check "modules load" load_modules
all_work "at first"

traffic_begin
check "sessions of every protocol" busywait 20 has_sessions
ip netns del "${nsp}r"
check "the router goes" busywait 20 links_gone
check "some cycles, for what is allocated once" cycles 0 3
kib=$(slab_kib) spaces=$(namespaces)
in_hundreds "routers come and go under traffic" "$cycles"
note "$full of them with sessions of every protocol"
gone() { [ "$(namespaces)" -le $((spaces + 10)) ]; }
check "all of them are gone" busywait 60 gone
note "net_namespace slab: $spaces to $(namespaces)"
check "another router" router_again
traffic_end
R conntrack -F > /dev/null 2>&1
check "memory of the $cycles is given back" busywait 30 lean "$kib"
note "slabs $kib to $(slab_kib) KiB"
all_work "the last router"
check "modules unload" unload_modules
done_testing
