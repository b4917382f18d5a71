#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# IKE is evidence for the ESP helper: after an exchange that makes SAs, ESP that the
# gateway sends first reaches its client from the first packet on, with several
# clients; once the client has answered, it is that client's alone. No message
# ever waits for another client's.
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

# gets i SPI: the gateway sends three packets on it, and client i gets all of them, the
# others one copy of each at most
gets()
{
	local spi n k

	spi=$(printf '0x%08x' "$2")
	tap_mark
	for n in 1 2 3; do esp_in "$2" $n; done
	busywait 10 tap_has 3 "^${nsp}c$1 .* esp $spi " || { tap_show; return 1; }
	for k in 1 2 3; do
		[ "$(tap_seen "^${nsp}c$k .* esp $spi ")" -le 3 ] || { tap_show; return 1; }
	done
}

# only i SPI: and nobody else any
only()
{
	gets "$@" && tap_has 3 "^${nsp}c[123] .* esp $(printf '0x%08x' "$2") " || { tap_show; return 1; }
}

# asks i MID: client i asks for SAs, which the gateway hears at once
asks()
{
	passes_out "$1" 500 2 36 I "0x10$1" "0x20$1" "$2" 300
}

# answered i MID
answered()
{
	passes_in "$1" 2 36 R "0x10$1" "0x20$1" "$2" 300
}

# pairs i OUT IN: ESP of client i's that is answered, until nobody else gets the answers
pairs()
{
	local n

	for n in {1..30}; do
		sleep 0.$((n * 7 % 10))
		esp_from "$1" "$2" $n && esp_in "$3" $n || return
		client_has "$1" spi_in "$(printf '0x%08x' "$3")" && return
	done
	vp session
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
	check "client $i: SAs" v2_auth $i 0x10$i 0x20$i
	check "client $i: it gets the gateway's ESP from the first packet on" gets $i 0x1000$i
done
is "three ESP sessions, nobody of whom has sent ESP" "$(sessions proto esp)" 3
tap_mark
esp_from 2 0x30002 1
check "the client's own ESP passes" busywait 10 eval \
	'[ "$(tap_seen "^${nsp}g1 $PUB .* esp 0x00030002 ")" = 1 ]'
is "in the same session" "$(sessions proto esp)" 3
for i in 1 2 3; do
	check "client $i is answered" pairs $i 0x3000$i 0x1000$i
done
for i in 1 2 3; do
	check "client $i: what follows is its alone" only $i 0x1000$i
done
check "the IKE session shows the ESP SPIs that belong to it, and no other's" vp_is \
	'.[0] | .version == 2 and .state == "established" and
	 any(.ike_spi[]; .spi == "0x0000000000000102") and
	 [.spi_in[].spi] == ["0x00010002"]' session proto ike client "${CIP[2]}"

# --- rekeys, from both sides ------------------------------------------------------------
check "client 2 rekeys" v2_child 2 0x102 0x202 2
check "client 2: the new SPI, gateway first" gets 2 0x20002
children=$(counter children ike)
check "the gateway repeats its last answer" passes_in 2 2 36 R 0x102 0x202 2 300
check "and the client its request" passes_out 2 500 2 36 I 0x102 0x202 2 300
is "which is no other exchange" "$(counter children ike)" "$children"
check "client 2 is answered" pairs 2 0x40002 0x20002
check "client 2: what follows is its alone" only 2 0x20002
check "gateway rekeys client 3" passes_in 3 2 36 - 0x103 0x203 0 300
check "who answers" passes_out 3 500 2 36 IR 0x103 0x203 0 300
check "client 3: the new SPI, gateway first" gets 3 0x20003
check "client 3 is answered" pairs 3 0x40003 0x20003
check "IKEv1 beside it" v1_main 1 0x1101 0x1201
check "quick mode" v1_quick 1 0x1101 0x1201 0xcafe
check "client 1: IKEv1's SPI, gateway first" gets 1 0x20001
check "client 1 is answered" pairs 1 0x40001 0x20001
check "client 1: what follows is its alone" only 1 0x20001

is "an IKEv1 session says so" "$(vp -j session proto ike client "${CIP[1]}" | jq '.[0].version')" 1

# an IKE SA that was rekeyed under encryption: its SPIs were never seen
check "the gateway asks for SAs in it" in_ 500 2 36 I 0x5103 0x5203 0 300
check "client 3 hears it" heard c3 "^[^ ]+ 500 2 36 I "
drain c1 c2
check "and answers" passes_out 3 500 2 36 R 0x5103 0x5203 0 300
check "client 3: the new SPI, gateway first" gets 3 0x20033
check "client 3 is answered" pairs 3 0x40033 0x20033

# --- an SA that was not made -----------------------------------------------------------
check "client 1 asks" asks 1 2
check "the gateway refuses" passes_in 1 2 36 R 0x101 0x201 2 80
check "client 2 has more SAs" v2_child 2 0x102 0x202 4
check "client 2: the new SPI, gateway first" gets 2 0x20012

# --- nobody waits for another ------------------------------------------------------------
check "client 1 has more SAs, nothing of which comes" v2_child 1 0x101 0x201 3
check "client 2's request passes at once" asks 2 5
check "and client 3's" asks 3 2
check "client 2's, repeated" asks 2 5
check "what the gateway begins" passes_in 1 2 36 - 0x101 0x201 0 300
check "and its answer" passes_out 1 500 2 36 IR 0x101 0x201 0 300
check "client 3's answer" answered 3 2
for n in {1..20}; do
	asks 2 5 || break
done
is "one request, repeated twenty times without an answer, passes each time" "$n" 20
check "another client's exchange meanwhile" v2_child 1 0x101 0x201 4
check "client 1: the new SPI, gateway first" gets 1 0x20051

# --- teardown in the middle of it ---------------------------------------------------------
check "client 3 asks" asks 3 6
check "the helper is unloaded meanwhile" rmmod vpnpass_ike
check "and loaded" load_modules vpnpass_ike
drain g1
check "client 3 is there" passes_out 3 500 2 37 I 0x103 0x203 7 80
check "client 2 has more SAs" v2_child 2 0x102 0x202 7
check "client 3 asks" asks 3 8
check "the namespace goes meanwhile" ip netns del "${nsp}r"
check "modules unload" unload_modules
done_testing
