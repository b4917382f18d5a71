#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way, of ESP over IPv6 with NAT66: as test_fast_esp.sh, what is IPv6's own.
#
#   c1 fd00:0:0:1::2 ---+
#                       +--- r (masquerade 2001:db8::1) ---- g1 2001:db8::2
#   c2 fd00:0:0:2::2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack
esp6=1

# mib6: what the router counted of IPv6 that goes through; from 6.7 on its own packets,
# of which neighbour discovery makes some, are apart
mib6()
{
	R awk '$1 == "Ip6OutForwDatagrams" { print "forwarded", $2 }
	       $1 == "Ip6OutRequests" { own = $2 }
	       $1 == "Ip6OutTransmits" { print "transmitted", $2 - own }' /proc/net/snmp6
}

mib6_grown()
{
	mib6 | join "$1" - | awk '{ print $1, $3 - $2 }'
}

check "topology" topo -6 2 1
need_esp
check "modules load" load_modules vpnpass vpnpass_esp
check "SAs" esp_up "1 2"
check "both clients are known" esp_settle "1 2"
mib6 > "$scratch/mib"
esp_pings "1 2" -c 50 -i 20 -w 1000
is "ordinary: nothing is lost" "$(esp_lost)" 0
mib6_grown "$scratch/mib" > "$scratch/mib.ordinary"
check "fast" vp set esp fast 1000
G 1 nft -f - <<-E
table ip6 fasttest {
	counter hops { }
	chain c {
		type filter hook prerouting priority -150
		meta l4proto esp ip6 hoplimit != 63 counter name hops
	}
}
E
was=$(packets_of 1 out)
strays="$(xfrm_stat c1 XfrmInNoStates) $(xfrm_stat c2 XfrmInNoStates)"
mib6 > "$scratch/mib"
esp_pings "1 2" -c 50 -i 20 -w 1000
is "fast: nothing is lost" "$(esp_lost)" 0
is "the MIB counts as on the ordinary path" "$(mib6_grown "$scratch/mib")" \
	"$(cat "$scratch/mib.ordinary")"
is "each packet is counted" $(($(packets_of 1 out) - was)) 50
num "most went fast, outward" "$(fast_of 1 out)" -ge 40
num "... and inward" "$(fast_of 2 in)" -ge 40
is "each packet's hop limit is one less" "$(G 1 nft -j list counters |
	jq '[.nftables[].counter?.packets // empty] | add')" 0
is "nobody got another's packets" "$(xfrm_stat c1 XfrmInNoStates) $(xfrm_stat c2 XfrmInNoStates)" \
	"$strays"

esp_stream "1 2" -i 20
R ip -6 route add blackhole "${GIP6[1]}"
check "a blackhole route: at once" fast_silent 1
R ip -6 route del blackhole "${GIP6[1]}"
check "it goes: all go on" busywait 20 all_back
check "... fast" busywait 20 goes_fast 1
R conntrack -D -f ipv6 -p esp > /dev/null 2>&1
check "conntrack -D: it goes on" busywait 10 all_back
check "... fast" busywait 20 goes_fast 1
R nft 'add table ip6 late; add chain ip6 late f { type filter hook forward priority 0; }'
R nft add rule ip6 late f ip6 saddr "${CIP6[1]}" meta l4proto esp drop
check "a new drop rule: within the lease" busywait 3 fast_silent 1
R nft delete table ip6 late
check "the rule goes: all go on" busywait 20 all_back
check "block" vp set esp block
check "... at once" fast_silent 1
check "on" vp set esp on
check "... and back" busywait 15 all_back
check "... fast" busywait 20 goes_fast 1
check "unloaded under traffic" unload_modules
esp_stream_end
dmesg_clean "kernel log"
done_testing
