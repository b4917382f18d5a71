#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way, of L2TPv3 over IP: two clients have the kernel's own tunnels ("ip l2tp") to
# one server. Hosts that appear behind a client later on are found as without it, and its
# control messages, which have the same protocol, go on being read.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../l2tp/l2tp.sh"
checktool jq
checktool conntrack

# l2tp_fast i: data go fast, both ways
l2tp_fast()
{
	fast_by "$1" l2tp v3_ping "$1" 5
}

# silent i: no ping is answered
silent()
{
	[ "$(v3_ping "$1" 2)" = 0 ]
}

check "topology" topo 2 1
modprobe -qa l2tp_ip l2tp_eth l2tp_netlink
v3 1 ip 2> "$scratch/v3" || skip_all "this kernel has no L2TPv3: $(cat "$scratch/v3")"
check "modules load" load_modules vpnpass vpnpass_l2tp
check "the second tunnel" v3 2 ip
for i in 1 2; do
	check "tunnel $i is up" busywait 20 eval "[ \$(v3_ping $i 5) = 5 ]"
done
is "by default nothing goes fast" "$(fast_of 1 out l2tp) $(fast_of 2 in l2tp)" "0 0"

check "fast" vp set l2tp fast 1000
check "the first goes fast" busywait 10 l2tp_fast 1
check "the second, too" busywait 10 l2tp_fast 2
was=$(packets_of 1 out l2tp) fast_was=$(fast_of 1 out l2tp)
is "nothing is lost" "$(v3_ping 1 20) $(v3_ping 2 20)" "20 20"
num "each packet is counted" $(($(packets_of 1 out l2tp) - was)) -ge 20
num "most went fast" $(($(fast_of 1 out l2tp) - fast_was)) -ge 10

# A second address on the client's Ethernet, not seen before
ip -n "${nsp}c1" link set v3 down
ip -n "${nsp}c1" link set v3 address 02:00:00:00:00:77
ip -n "${nsp}c1" link set v3 up
G 1 ip neigh flush dev v3_1
check "another host behind the client: answered" busywait 10 eval "[ \$(v3_ping 1 3) = 3 ]"
check "... fast" busywait 10 l2tp_fast 1

# IDs that nobody has make vpnpass read the clients' frames again.
send g1 0badbad0deadbeef -- -s "${GIP[1]}" -d "$PUB"
is "a stray ID: the tunnels go on" "$(v3_ping 1 5) $(v3_ping 2 5)" "5 5"
check "... fast" busywait 10 l2tp_fast 2

R nft 'add table ip late; add chain ip late f { type filter hook forward priority 0; }'
R nft add rule ip late f ip saddr "${CIP[1]}" meta l4proto 115 drop
check "a new drop rule: within the lease" busywait 5 silent 1
is "... for the other client nothing changes" "$(v3_ping 2 3)" 3
R nft delete table ip late
check "the rule goes: it goes on" busywait 10 l2tp_fast 1
R conntrack -F > /dev/null 2>&1
for i in 1 2; do
	check "conntrack -F: tunnel $i goes on, fast" busywait 20 l2tp_fast $i
done
check "block" vp set l2tp block
check "... at once" silent 1
check "on" vp set l2tp on
check "... and back, fast" busywait 20 l2tp_fast 1
check "unloaded" unload_modules
dmesg_clean "kernel log"
done_testing
