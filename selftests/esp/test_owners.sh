#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A peer's ESP belongs to whoever had it before a LAN client came: a server behind
# DNAT, an SA of the router's own with a mark (VTI, strongSwan's mark=), an IPsec of
# the router's own that has no SA in the kernel (raw socket).
#
#   c1 (server) ---+
#   c2 ------------+--- r (masquerade, dnat of ESP to c1) ---- g1
. "$(dirname "$0")/../lib.sh"
checktool jq

server=0x11111111 own=0x22222222 raw=0x33333333

# from_gateway SPI SEQ N: the gateway sends N packets on it
from_gateway()
{
	G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -i "$1" -q "$2" -n "$3" -r 100 > /dev/null
}

# from_client i SPI
from_client()
{
	C "$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" -i "$2" -q 1 -n "${3:-1}" -r 50 > /dev/null
}

# all_at NS SPI N: what the gateway sends on the SPI now arrives there, all of it
all_at()
{
	tap_mark
	from_gateway "$2" "$4" "$3" && busywait 20 tap_has "$3" "^$nsp$1 .* esp $2 "
}

# input: how many ESP packets reached the router itself
input()
{
	R nft -j list counter inet t "$1" | jq '.nftables[1].counter.packets'
}

cat > "$scratch/rules" <<-E
	table inet t {
		counter own { }
		chain input {
			type filter hook input priority filter
			meta l4proto esp counter name own
		}
	}
	table ip forwarded {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname wan meta l4proto esp dnat to 10.0.1.2
		}
	}
E

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_esp
check "rules" eval 'R nft -f "$scratch/rules"'
check "taps" tap c1 c2 g1

# --- a server behind DNAT ---------------------------------------------------------
check "server: it has its peer's ESP" all_at c1 $server 5 1
check "server: client 2 sends to the same peer" from_client 2 0x44444444
check "server: that leaves" busywait 10 tap_has 1 "^${nsp}g1 .* esp 0x44444444 "
check "server: it still has all of it" all_at c1 $server 60 100
check "server: client 2 goes on sending" from_client 2 0x44444444 5
check "server: an SPI that was not seen before is its own, too" all_at c1 0x11111112 20 1
R nft delete table ip forwarded
R conntrack -F > /dev/null 2>&1

# --- the router's own --------------------------------------------------------------
# shellcheck disable=SC2086
check "own SA: with a mark" R ip xfrm state add src "${GIP[1]}" dst "$PUB" proto esp \
	spi $own mode tunnel mark 0x42 mask 0xff $esp_keys
check "own SA: client 2 has a session with the same peer" from_client 2 0x44444445
tap_mark
n=$(input own)
check "own SA: the gateway sends" from_gateway $own 1 10
check "own SA: all of it is the router's" busywait 10 eval '[ "$(input own)" = $((n + 10)) ]'
is "own SA: and nothing client 2's" "$(tap_seen " esp $own ")" 0

R ip xfrm state flush
R conntrack -F > /dev/null 2>&1
check "raw socket: the router sends" R "$(peer espsend)" -s "$PUB" -d "${GIP[1]}" -i 0x55555555 -n 1
check "raw socket: client 2 has a session with the same peer" from_client 2 0x44444446
tap_mark
n=$(input own)
check "raw socket: the gateway sends" from_gateway $raw 1 10
check "raw socket: all of it is the router's" busywait 10 eval '[ "$(input own)" = $((n + 10)) ]'
is "raw socket: and nothing client 2's" "$(tap_seen " esp $raw ")" 0

check "modules unload" unload_modules
done_testing
