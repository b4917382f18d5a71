#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Many clients of one gateway, native ESP with random SPIs: twelve that start
# one after the other, without IKE in sight; then fifty that start in the same
# instant, with IKE.
#
#   c1 ----+
#   ...    +--- r (masquerade) ---- g1
#   c50 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool jq

# XfrmInNoStates of these clients: copies, and packets for somebody else
strays()
{
	local i

	for i in $1; do
		xfrm_stat "c$i" XfrmInNoStates
	done
}

sum() { awk '{ n += $1 } END { print n + 0 }' <<< "$1"; }
most() { sort -n <<< "$1" | tail -n 1; }

twelve=$(echo {1..12}) fifty=$(echo {1..50})
check "topology" topo 50 1
check "SAs" esp_up "$fifty"
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike

for i in $twelve; do
	esp_pings "$i" -c 2 -i 50 -w 1000
	[ "$(ping_of "$i" received)" = 2 ] || late+=" c$i:$(ping_of "$i" received)/2"
done
is "12 one after the other: each has its answers at once" "" "${late-}"
esp_pings "$twelve" -c 10 -i 100
is "12: nothing lost when all send" 0 "$(esp_lost)"
num "12: what reached another client is the copies made, at most" \
	"$(sum "$(strays "$twelve")")" -le "$(counter copies)"
note "$(counter copies) copies made"
is "12 sessions" 12 "$(sessions proto esp)"

check "sessions flushed" vp session flush
is "no session is left" 0 "$(sessions)"
check "simulator" sim_start
# shellcheck disable=SC2046,SC2086
check "sockets" sim_open $(printf 'c%s ' $fifty) g1
for i in $fifty; do
	v2_up "$i" $((0x1000 + i)) $((0x2000 + i)) || failed+=" c$i"
done
is "50: IKE of each" "" "${failed-}"
copies=$(counter copies)
before=$(sum "$(strays "$fifty")")
esp_pings "$fifty" -c 20 -i 400 -j 600 -w 3000
is "50 at once: traffic flows for every one" 50 "$(esp_answered)"
lost=$(esp_lost)
note "first answers: $(awk '{ print $9 }' "$scratch/pings" | sort -n | tr '\n' ' ')ms," \
	"lost while pairing: $lost of 1000"
num "50: the last to start waited at most 8 s" \
	"$(awk '{ print $9 }' "$scratch/pings" | sort -n | tail -n 1)" -le 8000
after=$(strays "$fifty")
copies=$(($(counter copies) - copies))
note "XfrmInNoStates: $(($(sum "$after") - before)) in all, at most $(most "$after")" \
	"on one client; copies made: $copies"
# A packet that its client did not get went to one other and the copies.
num "50: wrong deliveries are the copies made and the packets lost, at most" \
	$(($(sum "$after") - before)) -le $((copies + lost))

# It takes some more packets until all are known.
all_paired() { vp_is 'length == 50 and all(.[]; .state == "paired")' session proto esp; }
for i in {1..6}; do
	! all_paired || break
	esp_pings "$fifty" -c 10 -i 400 -j 600
	after=$(strays "$fifty")
done
note "all were known after $((20 + 10 * (i - 1))) pings of each"
esp_pings "$fifty" -c 10 -i 200
is "50: afterwards nothing is lost" 0 "$(esp_lost)"
is "50: and nothing reaches another client" "$(sum "$after")" "$(sum "$(strays "$fifty")")"
is "50 sessions" 50 "$(sessions proto esp)"
check "all of them are paired" all_paired
for i in $fifty; do
	client_has "$i" spi_in "${esp_in[$i.1]}" || wrong+=" c$i"
done
is "each has its own inbound SPI, as its SA says" "" "${wrong-}"
check "packets that were fragmented pass as well" esp_pings "1 25 50" -s 4000
check "modules unload" unload_modules
done_testing
