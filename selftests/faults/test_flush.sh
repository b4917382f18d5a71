#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=600
# conntrack -F in a loop under traffic of every protocol. A session that was up
# goes on with its own numbers: ESP's SPIs, IKE's SA, the tunnel of L2TP, the
# calls of PPTP. None of them begins anew.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
checktool jq
checktool conntrack

flushes=${VPNPASS_CYCLES:-15}

flush_often()
{
	local n

	for ((n = 0; n < $1; n++)); do
		R conntrack -F || return 1
		[ $((n % 2)) = 0 ] || sleep 0.0$((RANDOM % 10))
		[ $((n % 5)) != 0 ] || R conntrack -D -p $((n % 2 ? 17 : 47))
		[ $((n % 7)) != 0 ] || sleep 0.3
	done
	true
}

# Clients of traffic_begin cannot be told apart, as both always ask in the same moment; nor
# by answers of IKE that a script takes its time for. It is questions that tell, 30 of each
# client at the most, however long a slow machine takes for them.
esp_known()
{
	local n

	for n in {1..15}; do
		esp_pings 1 -c 2 -i 150
		esp_pings 2 -c 2 -i 230
		client_has 1 spi_in "${esp_in[1.1]}" && client_has 2 spi_in "${esp_in[2.1]}" &&
			return
	done
}

# ike_goes_on i: client i and gateway 1 with the SA that they have
goes_on_mid=1
ike_goes_on()
{
	goes_on_mid=$((goes_on_mid + 1))
	drain c"$1" g1
	out "$1" 2 37 I 0x$1"01" 0xa"$1" $goes_on_mid 80 &&
		heard g1 "^$PUB 500 2 37 I .*a$1 $goes_on_mid 80" &&
		passes_in "$1" 2 37 R 0x$1"01" 0xa"$1" $goes_on_mid 80
}

check "topology" topo 3 2
check "SAs" esp_up "1 2"
check "peers" all_start
check "modules load" load_modules
check "ESP is settled" esp_settle "1 2"
check "IKE SA of client 1" v2_up 1 0x101 0xa1
check "IKE SA of client 2" v2_up 2 0x201 0xa2
spawn "$(peer pptp_sim)" "$nsp" hold 3 20
calls=$spawn_pid
check "PPTP calls" busywait 20 vp_is 'length == 3' session proto pptp
spawn ip netns exec "${nsp}c1" "$(peer l2tp_sim)" lac -a "${CIP[1]}" -d "${GIP[1]}" -t 71 \
	-n 100000 -i 30
tunnel=$spawn_pid
check "L2TP tunnel" busywait 10 vp_is 'length > 0' session proto l2tp

traffic_begin no-pptp
kib=$(slab_kib)
check "$flushes times conntrack -F" flush_often "$flushes"
check "ESP of two clients" busywait 15 esp_works
check "IKE: client 1 goes on with its SA" busywait 10 ike_goes_on 1
check "IKE: client 2" busywait 10 ike_goes_on 2
# between two tries there may be 10 s
check "PPTP: all calls are back" busywait 25 vp_is 'length == 3' session proto pptp
check "PPTP: they have entries" busywait 10 eval \
	'[ "$(R conntrack -L -p gre 2> /dev/null | grep -c ASSURED)" = 3 ]'
check "L2TP: the tunnel's session is back" busywait 10 vp_is 'length > 0' \
	session proto l2tp client "${CIP[1]}"
spawn ip netns exec "${nsp}c1" "$(peer l2tp_tap)" c1
check "L2TP: what its server says arrives" busywait 10 \
	grep -q ' udp 1701 [0-9]* 00020047' "$spawn_log"
traffic_end
R conntrack -F > /dev/null 2>&1
check "ESP of two clients: after one more its SPIs are known again" esp_known
kill "$calls" "$tunnel"
wait "$calls" "$tunnel" 2> /dev/null
R conntrack -F > /dev/null 2>&1
check "memory is given back" busywait 30 lean "$kib"
note "slabs $kib to $(slab_kib) KiB"
sessions_end() { [ "$(sessions)" = 0 ] && vp_is 'all(.pins == 0)' show; }
R conntrack -F > /dev/null 2>&1
check "without traffic no session and no pin is left" busywait 10 sessions_end
all_work "after it"
done_testing
