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
sim_wait=8000	# a message may have to wait for another client's

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

# with_wait COMMAND...: repeated as a gateway repeats its message
with_wait()
{
	local sim_wait=1000 n

	for n in 1 2 3 4 5 6 7 8; do
		"$@" && return
	done
	return 1
}

# asks i MID: client i asks for SAs, and nobody hears it
asks()
{
	out "$1" 2 36 I "0x10$1" "0x20$1" "$2" 300 && quiet g1
}

# asked i MID: now the gateway hears it
asked()
{
	heard g1 "^$PUB 500 2 36 I $(spi "0x10$1") $(spi "0x20$1") $2 300"
}

# answered i MID
answered()
{
	passes_in "$1" 2 36 R "0x10$1" "0x20$1" "$2" 300
}

# pairs i OUT IN: ESP of client i's that is answered ends its pairing
pairs()
{
	local n

	for n in 1 2; do
		esp_from "$1" "$2" $n && esp_in "$3" $n || return
	done
}

# forget_esp: an SPI that is left undecided would have the next part's requests wait
no_esp() { [ "$(sessions proto esp)" = 0 ]; }

forget_esp()
{
	R conntrack -D -p esp > /dev/null 2>&1
	busywait 5 no_esp
}

# packets i: of client i, as its IKE session has counted
packets()
{
	vp -j session proto ike client "${CIP[$1]}" | jq '.[0].packets_out'
}

# dropped N: so many were dropped that waited
dropped() { [ "$(counter gate_dropped ike)" = "$1" ]; }

check "topology" topo 3 1
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "taps" tap c1 c2 c3 g1

# --- the gateway speaks first, three clients -----------------------------------------
for i in 1 2 3; do
	check "client $i: IKE" v2_init $i 0x10$i 0x20$i
	check "client $i: SAs" v2_auth $i 0x10$i 0x20$i
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
check "client 2 rekeys" v2_child 2 0x102 0x202 2
check "client 2: the new SPI, gateway first" only 2 0x20002
children=$(counter children ike)
check "the gateway repeats its last answer" passes_in 2 2 36 R 0x102 0x202 2 300
check "and the client its request" passes_out 2 500 2 36 I 0x102 0x202 2 300
is "which is no other exchange" "$(counter children ike)" "$children"
check "gateway rekeys client 3" with_wait passes_in 3 2 36 - 0x103 0x203 0 300
check "who answers" passes_out 3 500 2 36 IR 0x103 0x203 0 300
check "client 3: the new SPI, gateway first" only 3 0x20003
check "IKEv1 beside it" v1_main 1 0x1101 0x1201
check "quick mode" v1_quick 1 0x1101 0x1201 0xcafe
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
check "a client's pairing stays open for 10 s" vp set esp pairing_window 10000
gated=$(counter gated ike) sent=$(packets 2)
check "client 1 has more SAs" v2_child 1 0x101 0x201 2
check "client 2's request waits" asks 2 3
check "and client 3's" asks 3 2
check "client 2's, repeated, is not heard either" asks 2 3
check "informational messages never wait" passes_out 2 500 2 37 I 0x102 0x202 4 80
is "what waits is counted" "$(counter gated ike)" $((gated + 3))
is "and every packet once" "$(packets 2)" $((sent + 3))
check "client 1's ESP" pairs 1 0x30001 0x40001
check "client 2's request goes on by itself" asked 2 3
check "nobody answers it, so client 3's, which came after it, follows" asked 3 2
check "each of them once" quiet g1
is "none was dropped" "$(counter gate_dropped ike)" 0

check "a shorter time to wait" vp set ike gate_time 3000
# Nobody answers client 3, whose turn it is for half a second: client 2's SA is awaited for
# its whole time all the same.
check "client 2's answer, late, in the turn of client 3" answered 2 3
before=$(now_ms)
check "client 1's request waits" asks 1 3
check "but not for ever" asked 1 3
num "3 s" $(($(now_ms) - before)) -ge 2500
check "what the gateway begins waits" eval 'in_ 500 2 36 - 0x101 0x201 0 300 && quiet c1'
check "and goes on when it is repeated" with_wait passes_in 1 2 36 - 0x101 0x201 0 300
check "an answer never waits" passes_out 1 500 2 36 IR 0x101 0x201 0 300
vp set ike gate_time 60000 > /dev/null
check "client 2's ESP" pairs 2 0x30022 0x40022
check "then client 1's, of the SA which the gateway began" pairs 1 0x30014 0x40014
check "all that is known of ESP goes" forget_esp

# --- one that nobody answered ---------------------------------------------------------------
check "client 2 makes one more SA" v2_child 2 0x102 0x202 4
check "client 1's, passed and never answered, waits when it is repeated" asks 1 3
check "client 2's ESP" pairs 2 0x30023 0x40023
check "then client 1's goes on" asked 1 3
check "and is answered" answered 1 3
check "client 1's ESP" pairs 1 0x30013 0x40013
check "all that is known of ESP goes" forget_esp

# --- what waits goes with all that it depends on --------------------------------------------
check "client 2 has more SAs" v2_child 2 0x102 0x202 5
check "client 1's request waits" asks 1 4
R conntrack -D -p udp -s "${CIP[1]}" > /dev/null 2>&1
check "its connection ends: it is dropped" busywait 5 dropped 1
check "client 3's waits" asks 3 3
check "gate 0: it goes on" eval 'vp set ike gate 0 && asked 3 3'
gated=$(counter gated ike)
check "and the next one at once" passes_out 3 500 2 36 I 0x103 0x203 4 300
is "which is not counted" "$(counter gated ike)" "$gated"
vp set ike gate 1 > /dev/null
check "client 3's waits" asks 3 5
R ip link set wan down
check "its device goes down: it is dropped" busywait 5 dropped 2
R ip link set wan up
check "client 2 has more SAs" v2_child 2 0x102 0x202 6
check "client 3's request waits" asks 3 6
check "the helper is unloaded meanwhile" rmmod vpnpass_ike
check "and loaded" load_modules vpnpass_ike
drain g1
check "client 3 is there" passes_out 3 500 2 37 I 0x103 0x203 7 80
check "client 2 has more SAs" v2_child 2 0x102 0x202 7
check "client 3's request waits" asks 3 8
check "the namespace goes meanwhile" ip netns del "${nsp}r"
check "modules unload" unload_modules
done_testing
