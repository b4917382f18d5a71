#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: icount timeout=2400
# What an IKE message and a NAT-T packet cost the router, stock and vpnpass, in
# one boot whose clock counts instructions (vm/run --icount), and runs ahead of a busy
# machine: hence the time limit. The sender's share is taken off, and what arrives is
# dropped at ingress.
#
#   c1 --- r (masquerade) --- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq
N=${IKE_COST_PACKETS:-2000}
kinds="ike-out ike-in auth-out auth-in natt-out natt-in"
declare -A cost=()

# Neighbours that are looked up now and then would cost one side more.
fixed_neighbours()
{
	local mac d ns dev peer_ns peer_dev a

	for d in c1:eth0:r:lan1:${CIP[1]%.2}.1 r:lan1:c1:eth0:${CIP[1]} \
		g1:eth0:r:wan:$PUB r:wan:g1:eth0:${GIP[1]}; do
		IFS=: read -r ns dev peer_ns peer_dev a <<< "$d"
		mac=$(ip netns exec "$nsp$peer_ns" cat "/sys/class/net/$peer_dev/address")
		ip -n "$nsp$ns" neigh replace "$a" lladdr "$mac" dev "$dev" nud permanent
	done
}

# drop_at NS DEVICE
drop_at()
{
	ip netns exec "$nsp$1" nft -f - <<-E
	table netdev sink {
		chain $2 {
			type filter hook ingress device "$2" priority 0
			policy drop
		}
	}
	E
}

drop_off() { ip netns exec "$nsp$1" nft delete table netdev sink; }

# least LINE...: ns a time of the quickest of four rounds, the first not counted
least()
{
	local i best=

	for i in 0 1 2 3; do
		sim repeat "$N" "$@"
		[[ $got =~ ^[0-9]+$ ]] || { echo "$got"; return 1; }
		if [ $i -gt 0 ] && [ "$got" -lt "${best:-$((got + 1))}" ]; then
			best=$got
		fi
	done
	least_ns=$((best / N))
}

# ESP in UDP: SPI, sequence number and 100 bytes
ESP=abcdef0100000001$(printf '%0200d' 0)

# measure WHAT: cost[WHAT KIND]
measure()
{
	local kind line

	for kind in $kinds; do
		case $kind in
		ike-out) line="send c1 ${GIP[1]} 500 2 37 I 0x101 0xa1 7 80" ;;
		ike-in) line="send g1 $PUB 500 2 37 - 0x101 0xa1 7 80" ;;
		auth-out) line="send c1 ${GIP[1]} 500 2 35 I 0x101 0xa1 1 300" ;;
		auth-in) line="send g1 $PUB 500 2 35 R 0x101 0xa1 1 300" ;;
		natt-out) line="bytes n1 ${GIP[1]} 4500 $ESP" ;;
		natt-in) line="bytes m1 $PUB 4500 $ESP" ;;
		esac
		# shellcheck disable=SC2086
		least $line || return 1
		cost[$1 $kind]=$least_ns
	done
}

# prepare: both flows, answered, and taken for streams by conntrack (after 2 s)
prepare()
{
	local n

	for n in 1 2; do
		drain c1 g1 n1 m1
		v2_up 1 0x101 0xa1 || return 1
		sim bytes n1 "${GIP[1]}" 4500 "$ESP"
		heard m1 "^$PUB 4500 bytes" || return 1
		sim bytes m1 "$PUB" 4500 "$ESP"
		heard n1 "^${GIP[1]} 4500 bytes" || return 1
		[ $n = 2 ] || sleep 3
	done
}

check "topology" topo 1 1
fixed_neighbours
check "simulator" sim_start
check "sockets" sim_open c1 g1
sim open n1 "${nsp}c1" "${CIP[1]}" 4500
sim open m1 "${nsp}g1" "${GIP[1]}" 4500
modprobe -qa nf_conntrack_netlink
check "stock: flows" prepare
check "ends drop at ingress" eval 'drop_at c1 eth0 && drop_at g1 eth0'
check "stock" measure stock
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "only the router runs it" eval '"$VPNPASS" -n "${nsp}c1" set all off &&
	"$VPNPASS" -n "${nsp}g1" set all off'
R conntrack -F 2> /dev/null
check "ends receive" eval 'drop_off c1 && drop_off g1'
check "vpnpass: flows" prepare
is "sessions" "$(sessions proto ike) $(sessions proto natt)" "1 1"
check "ends drop again" eval 'drop_at c1 eth0 && drop_at g1 eth0'
check "vpnpass" measure vpnpass
check "router drops at ingress" eval 'drop_at r lan1 && drop_at r wan'
check "sender" measure sender
# The aim is an eighth for what is read in full. 6.1 met it until sessions showed what
# conntrack counts, and is at 133 of 1000 since; other kernels are to stay near it.
plain=25 read=200
case $(uname -r) in
*-rt-*) ;;
6.1.*) plain=0 read=140 ;;
esac
for kind in $kinds; do
	stock=$((cost["stock $kind"] - cost["sender $kind"]))
	ours=$((cost["vpnpass $kind"] - cost["sender $kind"]))
	note "$kind: $stock instructions stock, $ours vpnpass"
	case $kind in
	auth-*) num "$kind: read in full, at most $read/1000 more than stock's" \
			$((ours * 1000)) -le $((stock * (1000 + read))) ;;
	*) num "$kind: at most $plain/1000 more than stock's" \
			$((ours * 1000)) -le $((stock * (1000 + plain))) ;;
	esac
done
check "modules unload" unload_modules
done_testing
