#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rekeys in mid-transfer: client 1 changes its SPIs ten times with its own side
# first, ten times with the gateway's side first, while four clients ping.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

# rekeys N SIDE: of client 1, SIDE first
rekeys()
{
	local n

	for ((n = 0; n < $1; n++)); do
		esp_rekey 1 1 "$2" || return 1
		busywait 3 client_has 1 spi_in "${esp_in[1.1]}" || missed=$((missed + 1))
	done
}

# judge SIDE: of the stream that just ended
judge()
{
	note "client 1 lost $(esp_lost_of 1) of $(ping_of 1 sent), longest gap $(ping_of 1 gap)"
	num "$1 first: at most the packet at each switch-over is lost" "$(esp_lost_of 1)" -le 10
	num "$1 first: never two in a row" "$(ping_of 1 gap)" -le 1
	is "$1 first: the others lose nothing" "0 0 0" \
		"$(esp_lost_of 2) $(esp_lost_of 3) $(esp_lost_of 4)"
	is "$1 first: the router learns each new SPI" 0 "$missed"
}

check "topology" topo 4 1
check "SAs" esp_up "1 2 3 4"
check "modules load" load_modules vpnpass vpnpass_esp
esp_pings "1 2 3 4" -c 3
check "all four work" esp_pings "1 2 3 4" -c 3

for side in client gateway; do
	missed=0
	esp_stream "1 2 3 4" -i 30
	check "ten rekeys of client 1, $side first" rekeys 10 "$side"
	esp_stream_end
	judge "$side"
	check "old SAs expire" esp_expire 1
	check "and nobody needs them any more" esp_pings "1 2 3 4"
done

for way in in out; do
	kept=$(vp -j session client "${CIP[1]}" | jq ".[0].spi_$way | length")
	num "old SPIs live on, at least 8 of them, ${way}bound" "$kept" -ge 8
done
is "the sessions are still the same four" 4 "$(sessions)"
is "none was ended meanwhile" 0 "$(counter sessions_end)"
check "modules unload" unload_modules
done_testing
