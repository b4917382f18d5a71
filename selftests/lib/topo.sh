# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The network that most tests want, in network namespaces:
#
#   c1 eth0 10.0.1.2 ---- 10.0.1.1 lan1 +---+
#   c2 eth0 10.0.2.2 ---- 10.0.2.1 lan2 | r | wan 192.0.2.1 ----+---- g1 eth0 192.0.2.2
#   ...                                 |   |  (masquerade)     +---- g2 eth0 192.0.2.3
#   cN                           lanN   +---+                   ...   (a bridge in w, if
#                                                                      there are several)
# IPv6: fd00:0:0:i::2 behind fd00:0:0:i::1, 2001:db8::1 to 2001:db8::(j+1).
# Inner addresses, for tunnels: client i 172.16.i.2, gateway j 172.31.0.j.
# Separate ip calls are slow where the CPU is emulated: all goes in batches.

# In the guest the names are bare; elsewhere they must not meet others.
nsp=
[ -n "${VPNPASS_VM-}" ] || nsp=vp$$-
CIP=() CIP6=() CIN=() GIP=() GIP6=() GIN=()
PUB=192.0.2.1 PUB6=2001:db8::1
n_clients=0 n_gateways=0

# R COMMAND..., C i COMMAND..., G j COMMAND...: in that namespace
R() { ip netns exec "${nsp}r" "$@"; }
C() { ip netns exec "${nsp}c$1" "${@:2}"; }
G() { ip netns exec "${nsp}g$1" "${@:2}"; }

# topo_addresses: fills the arrays, so that no script calls a function (and
# pays for a process) to learn an address
topo_addresses()
{
	local i j

	for ((i = 1; i <= n_clients; i++)); do
		CIP[i]=10.$((i >> 8)).$((i & 255)).2
		CIP6[i]=$(printf 'fd00:0:0:%x::2' $i)
		CIN[i]=172.$((16 + (i >> 8))).$((i & 255)).2
	done
	for ((j = 1; j <= n_gateways; j++)); do
		GIP[j]=192.0.2.$((j + 1))
		GIP6[j]=$(printf '2001:db8::%x' $((j + 1)))
		GIN[j]=172.31.0.$j
	done
}

topo_links()
{
	local i j

	# the guest's own network namespace may have been given that name
	[ -e "/run/netns/${nsp}r" ] || echo "netns add ${nsp}r"
	for ((i = 1; i <= n_clients; i++)); do
		echo "netns add ${nsp}c$i"
		echo "link add name lan$i netns ${nsp}r type veth peer name eth0 netns ${nsp}c$i"
	done
	[ "$n_gateways" -le 1 ] || echo "netns add ${nsp}w"
	for ((j = 1; j <= n_gateways; j++)); do
		echo "netns add ${nsp}g$j"
		[ "$n_gateways" = 1 ] ||
			echo "link add name p$j netns ${nsp}w type veth peer name eth0 netns ${nsp}g$j"
	done
	case $n_gateways in
	0) echo "link add name wan netns ${nsp}r type dummy" ;;
	1) echo "link add name wan netns ${nsp}r type veth peer name eth0 netns ${nsp}g1" ;;
	*) echo "link add name wan netns ${nsp}r type veth peer name p0 netns ${nsp}w" ;;
	esac
}

topo_router()
{
	local i dev

	echo "link set lo up"
	[ -z "$bridge" ] || printf '%s\n' "link add name lan0 type bridge" "link set lan0 up"
	for ((i = 1; i <= n_clients; i++)); do
		dev=${bridge:+lan0}
		dev=${dev:-lan$i}
		[ -z "$bridge" ] || echo "link set lan$i master lan0"
		echo "addr add ${CIP[i]%.2}.1/24 dev $dev"
		[ -z "$six" ] || echo "addr add ${CIP6[i]%2}1/64 dev $dev nodad"
		echo "link set lan$i up"
	done
	echo "addr add $PUB/24 dev wan"
	[ -z "$six" ] || echo "addr add $PUB6/64 dev wan nodad"
	echo "link set wan up"
}

topo_client()
{
	cat <<-E
	link set lo up
	addr add ${CIN[$1]}/32 dev lo
	addr add ${CIP[$1]}/24 dev eth0
	link set eth0 up
	route add default via ${CIP[$1]%.2}.1
	E
	[ -z "$six" ] || cat <<-E
	addr add ${CIP6[$1]}/64 dev eth0 nodad
	route add default via ${CIP6[$1]%2}1
	E
}

topo_gateway()
{
	cat <<-E
	link set lo up
	addr add ${GIN[$1]}/32 dev lo
	addr add ${GIP[$1]}/24 dev eth0
	link set eth0 up
	route add 172.16.0.0/12 via $PUB src ${GIN[$1]}
	E
	[ -z "$six" ] || echo "addr add ${GIP6[$1]}/64 dev eth0 nodad"
}

topo_wan()
{
	local j

	printf '%s\n' "link add name sw type bridge" "link set sw up"
	for ((j = 0; j <= n_gateways; j++)); do
		printf '%s\n' "link set p$j master sw" "link set p$j up"
	done
}

# nat_rules DEVICE: what a home router does; the default of topo
nat_rules()
{
	R nft -f - <<-E
	table ip nat {
		chain post {
			type nat hook postrouting priority srcnat
			oifname "$1" counter masquerade
		}
	}
	$([ -z "$six" ] || cat <<-S
	table ip6 nat {
		chain post {
			type nat hook postrouting priority srcnat
			oifname "$1" counter masquerade
		}
	}
	S
	)
	E
}

topo_sysctl()
{
	R sh -c 'cd /proc/sys/net
		echo 1 > ipv4/ip_forward
		echo 1 > ipv6/conf/all/forwarding
		for f in ipv4/conf/*/rp_filter; do echo 0 > $f; done
		[ "$(cat ipv4/ip_forward)" = 1 ]' 2> /dev/null ||
		{ echo "the router does not forward"; return 1; }
}

topo_down()
{
	local i

	{
		for i in r w; do echo "netns del $nsp$i"; done
		for ((i = 1; i <= n_clients; i++)); do echo "netns del ${nsp}c$i"; done
		for ((i = 1; i <= n_gateways; i++)); do echo "netns del ${nsp}g$i"; done
	} | ip -force -batch - 2> /dev/null
	n_clients=0 n_gateways=0
}

# topo [-6] [-b] [-n] [CLIENTS [GATEWAYS]]: -6 IPv6 as well, -b one bridge for
# the LAN, -n without NAT. Defaults: 2 clients, 1 gateway.
topo()
{
	local OPTIND=1 opt bridge='' nat=1 i

	need_root
	checktool ip iproute2
	checktool nft nftables
	six=
	while getopts 6bn opt; do
		case $opt in
		6) six=1 ;;
		b) bridge=1 ;;
		n) nat= ;;
		*) return 2 ;;
		esac
	done
	shift $((OPTIND - 1))
	n_clients=${1:-2} n_gateways=${2:-1}
	at_exit topo_down
	modprobe -qa veth dummy bridge nf_conntrack nf_tables nft_ct nft_masq nft_chain_nat
	topo_addresses
	topo_links | ip -batch - || return 1
	topo_router | ip -n "${nsp}r" -batch - || return 1
	[ "$n_gateways" -le 1 ] || topo_wan | ip -n "${nsp}w" -batch - || return 1
	for ((i = 1; i <= n_gateways; i++)); do
		topo_gateway $i | ip -n "${nsp}g$i" -batch - || return 1
	done
	for ((i = 1; i <= n_clients; i++)); do
		topo_client $i | ip -n "${nsp}c$i" -batch - || return 1
	done
	topo_sysctl || return 1
	fast_for_all || return 1
	[ -z "$nat" ] || nat_rules wan
}
six=
