#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rekeys in mid-transfer, with IKE in sight: client 1 changes its SPIs ten times
# with its own side first, ten times with the gateway's side first, while four
# clients ping.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool jq
mid=2 gw_mid=0

# agreed SIDE: the exchange that makes the SAs, which SIDE begins
agreed()
{
	if [ "$1" = client ]; then
		v2_child 1 0x101 0x201 $((mid++))
	else
		passes_in 1 2 36 - 0x101 0x201 "$gw_mid" 300 &&
			passes_out 1 500 2 36 IR 0x101 0x201 $((gw_mid++)) 300
	fi
}

# rekeys N SIDE: of client 1, SIDE first
rekeys()
{
	local n

	for ((n = 0; n < $1; n++)); do
		agreed "$2" && esp_rekey 1 1 "$2" || return 1
		sleep 0.3
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
	check "$1 first: the router learns the new SPI" esp_learned 1
}

check "topology" topo 4 1
check "SAs" esp_up "1 2 3 4"
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 c4 g1
for i in 1 2 3 4; do
	check "client $i: IKE" v2_up $i 0x10$i 0x20$i
done
esp_pings "1 2 3 4" -c 3
check "all four work" esp_pings "1 2 3 4" -c 3

for side in client gateway; do
	esp_stream "1 2 3 4" -i 30
	check "ten rekeys of client 1, $side first" rekeys 10 "$side"
	esp_stream_end
	judge "$side"
	check "old SAs expire" esp_expire 1
	check "and nobody needs them any more" esp_pings "1 2 3 4"
done

is "the sessions are still the same four" 4 "$(sessions proto esp)"
is "none was ended meanwhile" 0 "$(counter sessions_end)"
check "modules unload" unload_modules
done_testing
