#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way while the network changes under it: several WANs and the route that moves
# between them, neighbours, addresses, devices that go to another namespace or for good, and
# rules that are loaded anew. What routes, devices and neighbours tell counts at once, rules
# within the lease, as docs/fast.md has it.
#
#   c1 ---+     wan  192.0.2.1 ---- eth0 192.0.2.2 ---+
#         +--- r                                      +--- g1
#   c2 ---+     wan2 198.51.100.1 - eth1 198.51.100.2 +
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq

# second_wan: its NAT keeps the first one's address, which is where the gateway answers to
second_wan()
{
	ip link add name wan2 netns "${nsp}r" type veth peer name eth1 netns "${nsp}g1" &&
		ip -n "${nsp}r" addr add 198.51.100.1/24 dev wan2 &&
		ip -n "${nsp}r" link set wan2 up &&
		ip -n "${nsp}g1" addr add 198.51.100.2/24 dev eth1 &&
		ip -n "${nsp}g1" link set eth1 up &&
		G 1 sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done' &&
		R nft add rule ip nat post oifname wan2 snat to "$PUB"
}

# by WAN-END COMMAND...: it succeeds, and what the gateway has of client 1 came by that end
by()
{
	local eth0 eth1

	eth0=$(seen g1 eth0) eth1=$(seen g1 eth1)
	"${@:2}" || return 1
	eth0=$(($(seen g1 eth0) - eth0)) eth1=$(($(seen g1 eth1) - eth1))
	case $1 in
	eth0) [ $eth0 -gt 0 ] && [ $eth1 = 0 ] ;;
	eth1) [ $eth1 -gt 0 ] && [ $eth0 = 0 ] ;;
	esac
}

# lease_over COMMAND...: once nothing goes by a way that was learned before
lease_over()
{
	sleep 1.2
	"$@"
}

# goes_on NAME: both clients have answers again, and packets go fast
goes_on()
{
	check "$1: it goes on" busywait 20 all_back
	check "$1: ... fast" busywait 20 goes_fast 1
}

# moved NAME DEVICE ADDRESS: of r, to another namespace and back
moved()
{
	R ip link set "$2" netns "${nsp}spare"
	check "$1 in another namespace: at once" fast_silent 1
	ip -n "${nsp}spare" link set "$2" netns "${nsp}r"
	R ip addr add "$3/24" dev "$2"
	R ip link set "$2" up
	goes_on "$1 is back"
}

# reload RULE: all rules of the router anew, in one transaction, with one more in FORWARD
reload()
{
	printf 'flush ruleset\n%s\ntable ip late {\n%s\n}\n' "$(cat "$scratch/rules")" \
		"chain f { type filter hook forward priority 0; $1; }" | R nft -f -
}

# reloads N: every 100 ms
reloads()
{
	local n

	for ((n = 0; n < $1; n++)); do
		reload accept || return 1
		sleep 0.1
	done
}

# none_fast i: the client's packets arrive, and none goes fast
none_fast()
{
	local was

	was=$(fast_of "$1" out)
	esp_pings "$1" -c 20 -i 20 -w 500 && [ "$(fast_of "$1" out)" = "$was" ]
}

check "topology" topo 2 1
need_esp
at_exit "ip netns del ${nsp}spare"
ip netns add "${nsp}spare"
check "modules load" load_modules vpnpass vpnpass_esp
check "SAs" esp_up "1 2"
check "both clients are known" esp_settle "1 2"
check "fast" vp set esp fast 1000
esp_stream "1 2" -i 20
check "goes fast" busywait 20 goes_fast 1

# --- neighbours ---------------------------------------------------------------------------
mac=$(G 1 cat /sys/class/net/eth0/address)
R ip neigh replace "${GIP[1]}" lladdr 02:00:00:00:00:99 dev wan nud permanent
check "the gateway's neighbour entry is another's: at once" fast_silent 1
R ip neigh replace "${GIP[1]}" lladdr "$mac" dev wan nud reachable
check "... and its own again: at once" fast_by 1 esp esp_pings 1 -c 12 -i 20 -w 500
R ip neigh flush dev wan
R ip neigh flush dev lan1
check "no neighbour entry: it is asked for, and nothing is lost" \
	fast_by 1 esp esp_pings 1 -c 20 -i 20 -w 1000
G 1 ip link set eth0 address 02:00:00:00:00:02
G 1 ping -qn -c 1 -W 1 "$PUB" > /dev/null 2>&1
check "the gateway has another link-layer address" busywait 20 \
	fast_by 1 esp esp_pings 1 -c 12 -i 20 -w 500
is "... which packets go to" "$(R ip -j neigh show to "${GIP[1]}" dev wan |
	jq -r '.[0].lladdr')" 02:00:00:00:00:02

# --- addresses ----------------------------------------------------------------------------
R ip addr del "$PUB/24" dev wan
check "the WAN address goes: at once" fast_silent 1
R ip addr add "$PUB/24" dev wan
goes_on "the WAN address is back"

# --- several WANs -------------------------------------------------------------------------
check "a second WAN" second_wan
for dev in eth0 eth1; do
	count_at g1 prerouting $dev "iifname $dev esp spi ${esp_out[1.1]}"
done
check "by the first" busywait 20 by eth0 goes_fast 1
# A masqueraded connection ends when its route leaves by another device.
R ip route add "${GIP[1]}" via 198.51.100.2 dev wan2
was=$(seen g1 eth0)
goes_on "the route moves to the second"
check "... by that" busywait 20 by eth1 goes_fast 1
is "... and from then on none by the first" "$(seen g1 eth0)" "$was"
R ip route del "${GIP[1]}"
was=$(seen g1 eth1)
check "the route moves back: at once" by eth0 esp_pings 1 -c 10 -i 20 -w 500
check "... fast" busywait 20 goes_fast 1
is "... and none by the second" "$(seen g1 eth1)" "$was"
R ip route add "${GIP[1]}" via 198.51.100.2 dev wan2 table 77
R ip rule add fwmark 2 lookup 77
R nft 'add table ip mangle; add chain ip mangle p { type filter hook prerouting priority -150; }'
R nft add rule ip mangle p ip saddr "${CIP[1]}" meta l4proto esp meta mark set 2
check "a rule whose mark has another route: within the lease" \
	lease_over by eth1 esp_pings 1 -c 10 -i 20 -w 500
check "... fast" busywait 20 by eth1 goes_fast 1
R nft delete table ip mangle
check "the rule goes: within the lease" lease_over by eth0 esp_pings 1 -c 10 -i 20 -w 500
check "... fast" busywait 20 by eth0 goes_fast 1
R ip link set wan down
R ip route add "${GIP[1]}" via 198.51.100.2 dev wan2
G 1 ip route add "$PUB" via 198.51.100.1 dev eth1
goes_on "the first WAN is down"
check "... by the second" busywait 20 by eth1 goes_fast 1
R ip route del "${GIP[1]}"
G 1 ip route del "$PUB"
R ip link set wan up
goes_on "the first WAN is up"
check "... by that" busywait 20 by eth0 goes_fast 1

# --- rules ----------------------------------------------------------------------------------
R nft list ruleset > "$scratch/rules"
reloads 10 &
check "rules are loaded anew ten times: nothing is lost" esp_pings "1 2" -c 80 -i 20 -w 1000
wait $!
check "... and it goes fast" busywait 3 goes_fast 1
check "loaded with one that drops" reload "ip saddr ${CIP[1]} meta l4proto esp drop"
check "... within the lease" busywait 3 fast_silent 1
check "... the other client's go on" busywait 20 goes_fast 2
check "loaded without it" reload accept
goes_on "without it"

# --- a queue: a task gives back what has come in by another context ---------------------------
modprobe -qa nfnetlink_queue nft_queue
if reload "ip saddr ${CIP[1]} meta l4proto esp queue num 7" 2> "$scratch/queue"; then
	spawn ip netns exec "${nsp}r" "$(peer queue)" 7
	check "a queue: within the lease it has every packet" busywait 5 none_fast 1
	check "a queue: the other client's go fast" busywait 20 goes_fast 2
	check "loaded without the queue" reload accept
	goes_on "without the queue"
else
	skip "a queue" "this kernel has none: $(tail -n 1 "$scratch/queue")"
fi

# --- namespaces -----------------------------------------------------------------------------
moved "the client's device" lan1 "${CIP[1]%.2}.1"
moved "the WAN" wan "$PUB"
R ip link del lan1
check "the client's device is deleted under traffic: the other goes on, fast" \
	busywait 20 goes_fast 2
dmesg_clean "kernel log"
check "modules unload under traffic" unload_modules
done_testing
