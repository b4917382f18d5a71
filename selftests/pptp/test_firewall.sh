#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The administrator's rules hold for the GRE of calls as they do without us: it is
# RELATED to its control connection, not ESTABLISHED before the rules have let a packet
# of the caller's through. NAT to an address that the router does not have; a second
# uplink.
#
#   c1 ---+--- r (masquerade; port 1723 of its own leads to c1) ---- g1
#   c2 ---+    wan2 198.51.100.1 ---------------------- eth1 198.51.100.2
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq
checktool python3

sim=$(peer pptp_sim) || skip_all "no compiler"

# run_case NAME: prints pass or fail
run_case()
{
	"$sim" "$nsp" -f "$1" | cut -d' ' -f2
}

# forward RULE...: what a chain of policy drop lets through
forward()
{
	R nft -f - <<-E
	table ip fw
	delete table ip fw
	table ip fw {
		chain forward {
			type filter hook forward priority 0; policy drop
			$(printf '%s\n' "$@")
		}
	}
	E
}

server_inside()
{
	R nft -f - <<-E
	table ip inside {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan" ip daddr $PUB tcp dport 1723 dnat to ${CIP[1]}
		}
	}
	E
}

second_uplink()
{
	ip -batch - <<-E
	link add name wan2 netns ${nsp}r type veth peer name eth1 netns ${nsp}g1
	E
	ip -n "${nsp}r" -batch - <<-E
	addr add 198.51.100.1/24 dev wan2
	link set wan2 up
	E
	ip -n "${nsp}g1" -batch - <<-E
	addr add 198.51.100.2/24 dev eth1
	link set eth1 up
	route replace 198.51.100.0/24 dev eth1 src ${GIP[1]}
	E
	R sh -c 'echo 0 > /proc/sys/net/ipv4/conf/wan2/rp_filter'
	G 1 sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done'
	R nft add rule ip nat post oifname wan2 masquerade
}

# arrive OPTION...: how much does within two seconds at the gateway
arrive()
{
	G 1 "$selftests/pkt.py" count --seconds 2 "$@" | tail -n 1
}

check "topology" topo 2 1
check "a server inside" server_inside
modprobe -qa nf_conntrack_netlink
check "modules load" load_modules vpnpass vpnpass_pptp

check "rules without related" forward "ct state established accept" "tcp dport 1723 accept"
is "the caller's GRE does not pass" "$(run_case one_call)" fail
is "the server's GRE, sent first, does not pass" \
	"$(run_case server_speaks_first)" fail
is "the GRE of a server inside does not pass" "$(run_case server_inside)" fail
check "rules with related for what is not GRE" forward "ct state established accept" \
	"tcp dport 1723 accept" "meta l4proto gre drop" "ct state related accept"
is "the server's GRE does not pass" "$(run_case server_speaks_first)" fail
check "rules with related" forward "ct state established,related accept" "tcp dport 1723 accept"
for c in one_call server_speaks_first server_inside; do
	is "GRE passes: $c" "$(run_case $c)" pass
done
check "rules by the mark of the control connection" forward "tcp dport 1723 ct mark set 7 accept" \
	"tcp sport 1723 accept" "ct mark 7 ct state established,related accept"
for c in one_call server_speaks_first; do
	is "GRE has its mark: $c" "$(run_case $c)" pass
done
R nft delete table ip fw

check "no address" ip -n "${nsp}g1" route add 203.0.113.5 via "$PUB"
R nft insert rule ip nat post oifname wan snat to 203.0.113.5
export PPTP_SIM_PUB=203.0.113.5
for c in two_clients_one_id server_speaks_first gre_before_reply table_flushed; do
	is "NAT to an address on no interface: $c" "$(run_case $c)" pass
done
unset PPTP_SIM_PUB
R nft flush chain ip nat post
R nft add rule ip nat post oifname wan masquerade
R conntrack -F 2> /dev/null

check "a second uplink" second_uplink
spawn "$sim" "$nsp" hold 2
hold=$spawn_pid
check "two calls by the first" busywait 20 grep -q ready "$spawn_log"
is "their GRE has the first one's address" "$(arrive --proto gre --from "$PUB" --until 2)" "total 2"
spawn ip netns exec "${nsp}g1" "$selftests/pkt.py" count --seconds 60 --proto icmp \
	--from 198.51.100.1 --until 1
check "listening" busywait 20 grep -q ready "$spawn_log"
ip -n "${nsp}r" route add "${GIP[1]}" via 198.51.100.2
C 1 ping -q -c 1 -W 2 "${GIP[1]}" > /dev/null
check "what is sent goes by the second" busywait 20 grep -q 'total 1' "$spawn_log"
sleep 1
is "no GRE leaves there with the first one's address" \
	"$(arrive --proto gre --from "$PUB" --until 2)" "total 0"
kill "$hold"
wait "$hold" 2> /dev/null
export PPTP_SIM_PUB=198.51.100.1
R conntrack -F 2> /dev/null
is "a new call by the second uplink" "$(run_case one_call)" pass
check "modules unload" unload_modules
done_testing
