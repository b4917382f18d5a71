#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Devices with many SAs: two with 24 each at one gateway lose nothing, and nothing is
# copied once they are paired; one with 30 beside a client with one likewise. More than
# the setting allows are counted.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool jq

# sas i N: client i gets N SAs with the gateway, each for an inner address of its own at
# either end; the list for nsping is in targets
sas()
{
	local i=$1 k c g t

	esp_ends "$i" 1
	for ((k = 1; k <= $2; k++)); do
		c=172.2$i.0.$k g=172.2$i.1.$k t="proto esp reqid $((100 * i + k)) mode tunnel"
		esp_state "c$i" "$e_c" "$e_g" $((0x10000 * i + k)) $((100 * i + k))
		esp_state "c$i" "$e_g" "$e_c" $((0x1000000 * i + k)) $((100 * i + k))
		esp_state g1 "$e_p" "$e_g" $((0x10000 * i + k)) $((100 * i + k))
		esp_state g1 "$e_g" "$e_p" $((0x1000000 * i + k)) $((100 * i + k))
		esp_batch[c$i]+="addr replace $c/32 dev lo"$'\n'
		esp_batch[c$i]+="route replace $g/32 via ${CIP[i]%.2}.1 src $c"$'\n'
		esp_batch[c$i]+="xfrm policy add dir out src $c/32 dst $g/32 tmpl src $e_c dst $e_g $t"$'\n'
		esp_batch[c$i]+="xfrm policy add dir in src $g/32 dst $c/32 tmpl src $e_g dst $e_c $t"$'\n'
		esp_batch[g1]+="addr replace $g/32 dev lo"$'\n'
		esp_batch[g1]+="xfrm policy add dir in src $c/32 dst $g/32 tmpl src $e_p dst $e_g $t"$'\n'
		esp_batch[g1]+="xfrm policy add dir out src $g/32 dst $c/32 tmpl src $e_g dst $e_p $t"$'\n'
		targets+=("${nsp}c$i" "$c" "$g")
	done
	esp_commit
}

# made i N MID: N exchanges of client i's, the first of which has message ID MID
made()
{
	local n

	for ((n = 0; n < $2; n++)); do
		v2_child "$1" 0x10$1 0x20$1 $(($3 + n)) || return 1
	done
}

pings() { "$(peer nsping)" "$@" "${targets[@]}" > "$scratch/pings"; }

# paired i N: so many inbound SPIs of client i's have their pins
paired()
{
	[ "$(vp -j session proto esp client "${CIP[$1]}" | jq '.[0].spi_in | length')" = "$2" ]
}

# settle A B: until client 1 has A inbound SPIs and client 2 B
settle()
{
	local n

	for n in {1..6}; do
		pings -c 20 -i 200 -j 400
		lost=$((lost + $(esp_lost)))
		paired 1 "$1" && paired 2 "$2" && return
	done
	vp session
	return 1
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "simulator" sim_start
check "sockets" sim_open c1 c2 g1

# --- two with 24 -----------------------------------------------------------------------------
targets=() lost=0
check "24 SAs of client 1" sas 1 24
check "24 SAs of client 2" sas 2 24
for i in 1 2; do
	check "client $i: IKE" v2_up $i 0x10$i 0x20$i
	check "client $i: 23 more exchanges" made $i 23 2
done
check "two with 24: all are paired" settle 24 24
is "two with 24: nothing was lost meanwhile" $lost 0
copies=$(counter copies)
check "two with 24: 50 pings on each SA" pings -c 50 -i 60
is "two with 24: nothing is copied any more" $(($(counter copies) - copies)) 0
is "two with 24: no limit was hit" "$(counter limit_numbers) $(counter no_room)" "0 0"

# --- one with 30 beside one with one ----------------------------------------------------------
check "all is forgotten" vp session flush
R conntrack -F > /dev/null 2>&1
drain c1 c2 g1
targets=() lost=0
for ns in c1 c2 g1; do ip -n "$nsp$ns" xfrm state flush; ip -n "$nsp$ns" xfrm policy flush; done
check "30 SAs of client 1" sas 1 30
check "one SA of client 2" sas 2 1
for i in 1 2; do
	check "client $i: IKE" v2_up $i 0x10$i 0x20$i
done
check "client 1: 29 more exchanges" made 1 29 2
check "30 and one: all are paired" settle 30 1
is "30 and one: nothing was lost meanwhile" $lost 0
copies=$(counter copies)
check "30 and one: 50 pings on each SA" pings -c 50 -i 60
is "30 and one: nothing is copied any more" $(($(counter copies) - copies)) 0

# --- more than a session keeps ---------------------------------------------------------------
check "a lower limit" vp set esp spis 8
n=$(counter limit_numbers)
C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0x7000/20 -n 20 -q 1 > /dev/null
num "more SPIs are counted" "$(counter limit_numbers)" -gt "$n"
check "and cost nobody anything" pings -c 5 -i 100
check "modules unload" unload_modules
done_testing
