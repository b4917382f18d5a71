#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP that is none: shorter than SPI and sequence number, SPI 0 (local use) and
# 1..255 (reserved, RFC 4303 2.1). Counted, not passed, nothing kept for it.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

# malformed NS OPTION...: one packet of each length 0..7 and of each SPI 0..255
malformed()
{
	local len ns=$1

	shift
	for len in {0..7}; do
		ip netns exec "$nsp$ns" "$(peer espsend)" "$@" -i 0x12345678 -q 1 -l "$len"
	done
	ip netns exec "$nsp$ns" "$(peer espsend)" "$@" -i 0/256 -n 256 -q 1
}

state()
{
	echo "$(vp -j show esp | jq -c '.[0] | [.sessions, .pins]') conntrack $(conntracks)"
}

# all_counted NAME BEFORE
all_counted()
{
	is "$1: all 264 are counted" 264 $(($(counter malformed) - $2))
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "taps" tap c1 c2 g1

s=$(state) n=$(counter malformed)
check "from a client that has no session" malformed c1 -s "${CIP[1]}" -d "${GIP[1]}"
all_counted "without a session" "$n"
is "without a session: nothing is kept" "$s" "$(state)"
is "without a session: none passes" 0 "$(tap_seen .)"

# a gateway nobody talks to: ESP for the router itself, which conntrack sees
n=$(counter malformed)
check "from a gateway that nobody uses" malformed g1 -s "${GIP[1]}" -d "$PUB"
is "from outside, nobody there: what is the router's own is not looked at" "$n" \
	"$(counter malformed)"
is "from outside, nobody there: none passes" 0 "$(tap_seen .)"
is "from outside, nobody there: no session" 0 "$(sessions)"

check "both clients are paired all the same" esp_settle "1 2"
R conntrack -D -s "${GIP[1]}" > /dev/null 2>&1
check "and work" esp_pings "1 2"
s=$(state) n=$(counter malformed)
tap_mark
check "from a client that has a session" malformed c1 -s "${CIP[1]}" -d "${GIP[1]}"
all_counted "with a session" "$n"
is "with a session: nothing is kept" "$s" "$(state)"
n=$(counter malformed)
check "from the gateway in use" malformed g1 -s "${GIP[1]}" -d "$PUB"
all_counted "from the gateway in use" "$n"
is "from the gateway in use: nothing is kept" "$s" "$(state)"
is "none of them passed" 0 "$(tap_seen .)"

# the least that is ESP: SPI and sequence number, no more
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 256 -q 1 -l 8 > /dev/null
check "SPI 256 and 8 bytes are passed" busywait 10 \
	tap_has 1 "^${nsp}g1 $PUB ${GIP[1]} esp 0x00000100 1 8\$"
check "both tunnels lost nothing by it" esp_pings "1 2" -c 5
check "modules unload" unload_modules
done_testing
