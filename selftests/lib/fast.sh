# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Helpers of fast/: which packets went fast, and what counters and rules saw of them.

# fast_for_all: with VPNPASS_FAST=MS in the environment packets go fast in every script that
# does not say otherwise. Called when the modules are loaded and when the router is there.
fast_for_all()
{
	local p

	[ -n "${VPNPASS_FAST-}" ] && [ -e "/run/netns/${nsp}r" ] || return 0
	for p in esp pptp l2tp; do
		[ ! -d "/sys/module/vpnpass_$p" ] || vp set $p fast "$VPNPASS_FAST" || return 1
	done
}

# fast_client i: prints its address
fast_client()
{
	if [ -n "${esp6-}" ]; then echo "${CIP6[$1]}"; else echo "${CIP[$1]}"; fi
}

# fast_of i out|in [PROTO]: prints how many packets of client i went fast that way
fast_of()
{
	vp -j session proto "${3:-esp}" client "$(fast_client "$1")" | jq "[.[].fast_$2] | add // 0"
}

# packets_of i out|in [PROTO]: how many it had in all
packets_of()
{
	vp -j session proto "${3:-esp}" client "$(fast_client "$1")" | jq "[.[].packets_$2] | add // 0"
}

# seen NS NAME: packets that a counter of ours there has counted, see count_at
seen()
{
	ip netns exec "$nsp$1" nft -j list counter ip fasttest "$2" |
		jq '.nftables[] | .counter? // empty | .packets'
}

# count_at NS HOOK NAME MATCH...: counts what matches, before any other rule there
count_at()
{
	ip netns exec "$nsp$1" nft -f - <<-E
	table ip fasttest {
		counter $3 { }
		chain $3 {
			type filter hook $2 priority -150
			${*:4} counter name $3
		}
	}
	E
}

# mib: prints what the router's IPv4 counted for forwarding: packets and octets, in and out
mib()
{
	R awk '/^Ip:/ && !n { split($0, name); n = 1; next }
	       /^Ip:/ { for (i in name) if (name[i] ~ /ForwDatagrams|OutRequests|OutTransmits/)
				print name[i], $i }
	       /^IpExt:/ && !m { split($0, ext); m = 1; next }
	       /^IpExt:/ { for (i in ext) if (ext[i] ~ /^(In|Out)Octets/) print ext[i], $i }' \
		/proc/net/snmp /proc/net/netstat | sort
}

# mib_grown FILE: the same as differences to what mib wrote there
mib_grown()
{
	mib | join "$1" - | awk '{ print $1, $3 - $2 }'
}

# fast_silent i: a ping of the client's stays without an answer
fast_silent()
{
	[ "$(esp_pings "$1" -c 3 -i 20 -w 200; ping_of "$1" received)" = 0 ]
}

# fast_by i PROTO COMMAND...: by that, packets of the client go fast, both ways
fast_by()
{
	local out in

	out=$(fast_of "$1" out "$2") in=$(fast_of "$1" in "$2")
	"${@:3}" > /dev/null
	[ "$(fast_of "$1" out "$2")" -gt "$out" ] && [ "$(fast_of "$1" in "$2")" -gt "$in" ]
}

# goes_fast i: ESP of the client goes fast, both ways
goes_fast()
{
	esp_settle "$1" > /dev/null && fast_by "$1" esp esp_pings "$1" -c 12 -i 20 -w 500
}

# all_back: both clients are answered again; the session may have to begin anew
all_back()
{
	esp_pings "1 2" -c 2 -i 50 -w 300
}

# fast_works NAME: both clients, fast, and nothing is lost
fast_works()
{
	check "$1: goes fast" busywait 20 goes_fast 1
	esp_pings "1 2" -c 30 -i 20
	is "$1: nothing is lost" "$(esp_lost)" 0
	esp_pings 1 -c 10 -i 20 -s 3000
	is "$1: nor of what has to be cut up" "$(esp_lost)" 0
}
