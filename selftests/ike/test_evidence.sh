#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What IKE tells the ESP helper: after an exchange that makes SAs, ESP that the
# gateway sends first reaches its client from the first packet on, with several
# clients; and while it is open whose an SPI is, another client's exchange waits.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

# esp_in SPI SEQ: an ESP packet from the gateway
esp_in()
{
	sim esp g1 "${GIP[1]}" "$PUB" "$1" "$2"
	[ "$got" = ok ]
}

# esp_from i SPI SEQ: one of client i's
esp_from()
{
	sim esp "c$1" "${CIP[$1]}" "${GIP[1]}" "$2" "$3"
	[ "$got" = ok ]
}

# only i SPI: the gateway sends three packets on it, and client i gets all of
# them, nobody else any
only()
{
	local spi n

	spi=$(printf '0x%08x' "$2")
	tap_mark
	for n in 1 2 3; do esp_in "$2" $n; done
	busywait 3 tap_has 3 "^${nsp}c$1 .* esp $spi " || { tap_show; return 1; }
	tap_has 3 "^${nsp}c[123] .* esp $spi "
}

# with_wait COMMAND...: repeated as a client repeats its message
with_wait()
{
	local n

	for n in 1 2 3 4 5 6; do
		"$@" && return
		sleep 0.6
	done
	return 1
}

check "topology" topo 3 1
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "taps" tap c1 c2 c3 g1

# --- the gateway speaks first, three clients -----------------------------------------
for i in 1 2 3; do
	check "client $i: IKE" v2_init $i 0x10$i 0x20$i
	check "client $i: SAs" with_wait v2_auth $i 0x10$i 0x20$i
	check "client $i: the gateway's first ESP packet reaches it alone" only $i 0x1000$i
done
is "all three by what IKE told, or as the only client" \
	$(($(counter paired_evidence) + $(counter paired_only_client))) 3
is "no copy was made" "$(counter copies)" 0
is "three ESP sessions, nobody of whom has sent ESP" "$(sessions proto esp)" 3
tap_mark
esp_from 2 0x30002 1
check "the client's own ESP passes" busywait 3 eval \
	'[ "$(tap_seen "^${nsp}g1 $PUB .* esp 0x00030002 ")" = 1 ]'
is "in the same session" "$(sessions proto esp)" 3
check "the IKE session shows the ESP SPIs that belong to it, and no other's" vp_is \
	'.[0] | .version == 2 and .state == "established" and
	 any(.ike_spi[]; .spi == "0x0000000000000102") and
	 [.spi_in[].spi] == ["0x00010002"]' session proto ike client "${CIP[2]}"

# --- rekeys, from both sides ------------------------------------------------------------
check "client 2 rekeys" with_wait v2_child 2 0x102 0x202 2
check "client 2: the new SPI, gateway first" only 2 0x20002
children=$(counter children ike)
check "the gateway repeats its last answer" passes_in 2 2 36 R 0x102 0x202 2 300
check "and the client its request" passes_out 2 500 2 36 I 0x102 0x202 2 300
is "which is no other exchange" "$(counter children ike)" "$children"
check "gateway rekeys client 3" passes_in 3 2 36 - 0x103 0x203 0 300
check "who answers" passes_out 3 500 2 36 IR 0x103 0x203 0 300
check "client 3: the new SPI, gateway first" only 3 0x20003
check "IKEv1 beside it" v1_main 1 0x1101 0x1201
check "quick mode" with_wait v1_quick 1 0x1101 0x1201 0xcafe
check "client 1: IKEv1's SPI, gateway first" only 1 0x20001
is "still no copy" "$(counter copies)" 0

is "an IKEv1 session says so" "$(vp -j session proto ike client "${CIP[1]}" | jq '.[0].version')" 1

# an IKE SA that was rekeyed under encryption: its SPIs were never seen
check "the gateway asks for SAs in it" in_ 500 2 36 I 0x5103 0x5203 0 300
check "client 3 hears it" heard c3 "^[^ ]+ 500 2 36 I "
drain c1 c2
check "and answers" passes_out 3 500 2 36 R 0x5103 0x5203 0 300
check "client 3: the new SPI, gateway first" only 3 0x20033

# --- one at a time --------------------------------------------------------------------
gated=$(counter gated ike)
vp set ike gate_time 3000 > /dev/null
vp set esp pairing_window 5000 > /dev/null
check "client 1 asks for more SAs" with_wait v2_child 1 0x101 0x201 2
before=$(now_ms)
check_fails "client 2's request waits" passes_out 2 500 2 36 I 0x102 0x202 3 300
num "it is counted" "$(counter gated ike)" -gt "$gated"
check "the repeated one passes in the end" with_wait passes_out 2 500 2 36 I 0x102 0x202 3 300
num "after 3 s at the latest, and a repetition" $(($(now_ms) - before)) -le 8000
passes_in 2 2 36 R 0x102 0x202 3 300
check "client 1 asks again" with_wait v2_child 1 0x101 0x201 3
tap_mark
esp_from 1 0x30001 1
esp_in 0x40001 1
esp_from 1 0x30001 2
esp_in 0x40001 2
vp set ike gate 0 > /dev/null
gated=$(counter gated ike)
check "with gate 0 client 3's passes at once" v2_child 3 0x103 0x203 2
is "and none is counted" "$(counter gated ike)" "$gated"
check "informational messages never wait" passes_out 2 500 2 37 I 0x102 0x202 4 80
check "modules unload" unload_modules
done_testing
