#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Four clients whose pings are in step rekey within a second, the gateway first
# with two of them. While they cannot be told apart, each gets all that comes.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

check "topology" topo 4 1
check "SAs" esp_up "1 2 3 4"
check "modules load" load_modules vpnpass vpnpass_esp
esp_pings "1 2 3 4" -c 3
check "all four work" esp_pings "1 2 3 4" -c 3

# everybody at once
esp_stream "1 2 3 4" -i 30
sides=(gateway client)
for i in 1 2 3 4; do
	esp_rekey $i 1 "${sides[i % 2]}" || break
done
sleep 2
esp_stream_end
note "lost: $(esp_lost) of $((4 * $(ping_of 1 sent)))"
num "rekeys of all four within a second, in step: at most four packets each are lost" "$(esp_lost)" -le 16
check "and afterwards nothing is" esp_pings "1 2 3 4" -c 20 -i 50
check "modules unload" unload_modules
done_testing
