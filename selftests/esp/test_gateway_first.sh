#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The gateway sends first on an SPI that nobody has seen, with one client and
# with several; and SAs that carry traffic one way only.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
strays=()

# gateway_rekeys i: it alone gets a new SA to client i and sends on it at once
gateway_rekeys()
{
	local old=${esp_in[$1.1]}

	esp_ends "$1" 1
	esp_random
	esp_in[$1.1]=$esp_spi
	esp_state "c$1" "$e_g" "$e_c" "$esp_spi" "$1"
	esp_commit || return 1
	esp_state g1 "$e_g" "$e_p" "$esp_spi" "$1"
	esp_batch[g1]+="xfrm state delete src $e_g dst $e_p proto esp spi $old"
	esp_commit
}

# from_gateway i [OPTION...]: the gateway pings client i
from_gateway()
{
	"$(peer nsping)" "${@:2}" "${nsp}g1" "${GIN[1]}" "${CIN[$1]}" > "$scratch/pings"
}

# arrivals i SPI: ESP packets of this SPI at client i
arrivals()
{
	tap_seen "^${nsp}c$1 .* esp $2 "
}

# elsewhere i SPI: and at others
elsewhere()
{
	tap_show | grep -E " esp $2 " | grep -vc "^${nsp}c$1 "
}

check "topology" topo 4 1
check "SAs" esp_up "1 2 3 4"
check "modules load" load_modules vpnpass vpnpass_esp

# --- one client ---------------------------------------------------------------
check "client 1 talks" esp_pings 1 -c 4 -i 40
check "client 1 is paired" client_has 1 spi_in "${esp_in[1.1]}"
check "client 1: both ways" client_has 1 spi_out "${esp_out[1.1]}"
check "one client: gateway changes its SPI" gateway_rekeys 1
check "one client: gateway's packets on the new SPI are answered" from_gateway 1 -c 5
check "one client: and learned" client_has 1 spi_in "${esp_in[1.1]}"
is "one client: none was stray" 0 "$(xfrm_stat c1 XfrmInNoStates)"

# --- several ------------------------------------------------------------------
# Client 1 has company now, and what was concluded of it alone, just before, is in doubt.
check "clients 2, 3, 4 and 1 are paired" esp_settle "2 3 4 1"
esp_stream "1 2 4" -i 50
for i in 1 2 4; do strays[i]=$(xfrm_stat c$i XfrmInNoStates); done
check "gateway changes its SPI to client 3" gateway_rekeys 3
from_gateway 3 -c 30 -i 60
num "several: client 3 answers all but 1 of 30 pings at most" \
	"$(awk '{ print $7 }' "$scratch/pings")" -ge 29
esp_stream_end
is "several: the others lose nothing" 0 "$(esp_lost)"
check "several: client 3 works" esp_pings 3 -c 5
# Nothing tells that the SPI is client 3's: each packet of it, 35 by now, goes to all.
for i in 1 2 4; do
	num "several: client $i gets a copy at most of each packet in doubt" \
		"$(xfrm_stat c$i XfrmInNoStates)" -le $((strays[i] + 35))
done

# --- one way ------------------------------------------------------------------
check "taps" tap c1 c2 c3 c4 g1
esp_stream "1 2 3" -i 50
C 4 "$(peer espsend)" -s "${CIP[4]}" -d "${GIP[1]}" -i 0x44444444 -q 1 -n 40 -r 20 > /dev/null
check "client to gateway only: every packet arrives" \
	busywait 10 tap_has 40 "^${nsp}g1 $PUB ${GIP[1]} esp 0x44444444 "
tap_mark
G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -i 0x55555555 -q 5000 -n 40 -r 20 > /dev/null
esp_stream_end
is "one-way SAs cost the other clients nothing" 0 "$(esp_lost)"
note "an SA towards nobody that can be told: $(grep -c 0x55555555 <<< "$(tap_show)") copies for 40 packets"
num "an SPI nobody asked for is not copied to more than 5 clients a packet" \
	"$(tap_seen 0x55555555)" -le 200

# gateway to client only: a new SA to client 2 takes over and the client never
# sends on another; the others keep talking
esp_stream "1 3 4" -i 50
check "gateway to client only: SA to client 2" gateway_rekeys 2
tap_mark
ip -n "${nsp}c2" xfrm policy delete dir out src "${CIN[2]}/32" dst "${GIN[1]}/32"
from_gateway 2 -c 60 -i 50 -w 200
esp_stream_end
num "gateway to client only: at most 2 of 60 packets do not reach client 2" \
	"$(arrivals 2 "${esp_in[2.1]}")" -ge 58
is "gateway to client only: the others lose nothing" 0 "$(esp_lost)"
tap_mark
from_gateway 2 -c 10 -i 20 -w 100
note "after that: $(elsewhere 2 "${esp_in[2.1]}") of 10 packets were copied to others as well"
is "gateway to client only: it stays so" 10 "$(arrivals 2 "${esp_in[2.1]}")"
check "modules unload" unload_modules
done_testing
