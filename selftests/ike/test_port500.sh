#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A gateway that answers to port 500 alone, and several clients of it. Stock
# Linux gives the second client another port; with vpnpass each keeps 500 and is
# told apart by SPI.
#
#   c1 ---+                       +--- g1 (only to port 500)
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

# one_of_two A B: both exchanges, as the strict gateway would have them
serves_two()
{
	local n=0

	v2_up 1 "$1" 0xa1 > /dev/null && n=$((n + 1))
	v2_up 2 "$2" 0xa2 > /dev/null && n=$((n + 1))
	drain c1 c2 g1
	echo $n
}

check "topology" topo -6 3 2
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1 g2
is "stock: of two clients the strict gateway serves one" "$(serves_two 0x101 0x102)" 1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
is "vpnpass: it serves two" "$(serves_two 0x111 0x112)" 2

# --- two clients, IKEv2 -----------------------------------------------------------
check "one more, while they are up" v2_up 3 0x113 0xa3
is "three sessions" "$(sessions proto ike)" 3
is "each is established" "$(ike_state 1) $(ike_state 2) $(ike_state 3)" \
	"established established established"
check "the tool shows the initiator SPI" vp_is \
	'.[0].ike_spi | any(.dir == "in" and .spi == "0x0000000000000112")' \
	session proto ike client "${CIP[2]}"
check "gateway's message reaches client 1 (by its SPI)" passes_in 1 2 37 - 0x111 0xa1 0 80
check "gateway's message reaches client 2" passes_in 2 2 37 - 0x112 0xa2 0 80
check "and nobody else" quiet c1 c2 c3
check "another gateway, same SPI" eval 'gw=2 v2_up 1 0x111 0xa1'
check "a new SA beside the old one" v2_up 1 0x121 0xb1
check "the old one still works" passes_in 1 2 37 - 0x111 0xa1 1 80
check "responder's SPI alone is known" passes_in 2 2 37 - 0x7777 0xa2 5 80
check "responder's SPI in the initiator's place" passes_in 2 2 37 - 0xa2 0x112 6 80
is "counted" "$(counter by_responder_spi ike)" 1
check "nothing went astray" quiet c1 c2 c3

# --- IKEv1 --------------------------------------------------------------------------
check "IKEv1, client 1" v1_main 1 0x1001 0x2001
check "IKEv1, client 2" v1_main 2 0x1002 0x2002
check "quick mode, client 1" v1_quick 1 0x1001 0x2001 0xabc1
check "aggressive mode, client 2" eval 'passes_out 2 500 1 4 - 0x1003 0 0 300 &&
	passes_in 2 1 4 - 0x1003 0x2003 0 300 && passes_out 2 500 1 4 E 0x1003 0x2003 0 100'
check "and its quick mode, which the gateway begins" eval 'passes_in 2 1 32 E 0x1003 0x2003 0xabc3 172 &&
	passes_out 2 500 1 32 E 0x1003 0x2003 0xabc3 172 &&
	passes_in 2 1 32 E 0x1003 0x2003 0xabc3 60'
check "informational from the gateway, client 2" passes_in 2 1 5 E 0x1002 0x2002 0x99 92
check "and from the client" passes_out 2 500 1 5 E 0x1002 0x2002 0x9a 92

# --- larger than a frame ------------------------------------------------------------
check "4000 bytes out, in IP fragments" passes_out 2 500 2 35 I 0x112 0xa2 2 4000
check "4000 bytes in" passes_in 2 2 35 R 0x112 0xa2 2 4000
check "4000 bytes in, for the other" passes_in 1 2 37 - 0x111 0xa1 2 4000

how=pieces
check "IP fragments, the last first: out" passes_out 2 500 2 35 I 0x112 0xa2 3 4000
check "and in" passes_in 2 2 35 R 0x112 0xa2 3 4000
check "and in, for the other" passes_in 1 2 37 - 0x111 0xa1 3 4000
# an SA whose IKE_AUTH goes in RFC 7383 fragments, the last first
check "RFC 7383: a fourth SA" v2_init 3 0x114 0xa4
children=$(counter children ike)
for n in 2 1; do
	how="part $n 2" check "fragment $n out" passes_out 3 500 2 35 I 0x114 0xa4 1 600
done
for n in 3 1; do
	how="part $n 3" check "fragment $n in" passes_in 3 2 35 R 0x114 0xa4 1 600
done
is "it is not whole yet" "$(counter children ike)" "$children"
how="part 2 3" check "fragment 2 in" passes_in 3 2 35 R 0x114 0xa4 1 600
is "now it is" "$(counter children ike)" $((children + 1))
how=send

# --- unreadable messages -------------------------------------------------------------
bad=$(counter malformed ike)
check "initiator SPI 0 passes as on stock" passes_out 1 500 2 34 I 0 0 0 300
sim bytes c1 "${GIP[1]}" 500 00112233
check "so does what is too short" heard g1 "^$PUB 500 bytes 4"
num "both are counted" "$(counter malformed ike)" -ge $((bad + 2))
in_ 500 2 34 R 0 0 0 300
check "initiator SPI 0 from outside reaches no client" quiet c2 c3
drain c1

# --- packets not ours ---------------------------------------------------------------
sim open r "${nsp}r" "$PUB" 500
is "the router's own daemon binds" "$got" ok
tell r "${GIP[1]}" 500 2 34 I 0x9001 0 0 300
check "its message leaves from port 500" heard g1 "^$PUB 500 "
in_ 500 2 34 R 0x9001 0x9002 0 300
check "and the answer is its own" heard r "^${GIP[1]} 500 2 34"
in_ 500 2 34 I 0x9003 0 0 300
check "what the gateway begins is for the daemon" heard r "0x0000000000009003"
check "clients see none of it" quiet c1 c2 c3
check "and theirs goes on" passes_in 2 2 37 - 0x112 0xa2 7 80
sim close r
sim open c1x "${nsp}c1" "${CIP[1]}" 5500
tell c1x "${GIP[1]}" 500 2 34 I 0x9101 0 0 300
check "another source port is kept by stock NAT" heard g1 "^$PUB 5500 "
in_ 5500 2 34 R 0x9101 0x9102 0 300
check "and answered" heard c1x "0x0000000000009101"

# --- gateway begins -----------------------------------------------------------------
R conntrack -F 2> /dev/null
busywait 20 vp_is 'length == 0' session proto ike
is "conntrack -F ends the sessions" "$(sessions proto ike)" 0
in_ 500 2 34 I 0x5000 0 0 300	# nobody's
check "one client comes back in mid-life" passes_out 1 500 2 37 I 0x111 0xa1 9 80
check "and is answered" passes_in 1 2 37 R 0x111 0xa1 9 80
check "a new exchange of the gateway's reaches the only client" passes_in 1 2 34 I 0x5001 0 0 300
check "its answer passes" passes_out 1 500 2 34 R 0x5001 0x5002 0 300
check "and the exchange goes on" passes_in 1 2 35 I 0x5001 0x5002 1 300
check "rekeyed under encryption: unknown SPIs, one client" passes_in 1 2 37 - 0x6001 0x6002 0 80
check "the others come back" eval 'passes_out 2 500 2 37 I 0x112 0xa2 9 80 &&
	passes_out 3 500 2 37 I 0x113 0xa3 9 80'
for n in 1 2 3; do
	in_ 500 2 34 I 0x5101 0 0 300
done
check "several clients: a repeated message asks each in turn" eval 'hear c1 && hear c2 && hear c3'
check "once" quiet c1 c2 c3
check "who answers" passes_out 2 500 2 34 R 0x5101 0x5102 0 300
check "is the one" passes_in 2 2 35 I 0x5101 0x5102 1 300
in_ 500 2 37 - 0x6101 0x6102 0 80
check "unknown SPIs, several clients: copies" eval 'hear c1 && hear c2 && hear c3'
check "who answers" passes_out 3 500 2 37 IR 0x6101 0x6102 0 80
check "is the one from then on" passes_in 3 2 37 - 0x6101 0x6102 1 80
check "nothing went astray" quiet c1 c2 c3

# --- ICMP errors ---------------------------------------------------------------------
check "taps" tap c1 c2 c3
sim close g1
out 2 2 37 I 0x112 0xa2 10 80
check "nobody listens on the port: client 2 is told" busywait 10 tap_has 1 \
	"^${nsp}c2 ${GIP[1]} ${CIP[2]} icmp 3 3 .* ${CIP[2]} ${GIP[1]} "
check "and no other" tap_has 0 "^${nsp}c[13] .* icmp "

# --- IPv6 ---------------------------------------------------------------------------
for n in c1 c2; do sim close $n; done
sim6=6
check "sockets, IPv6" sim_open c1 c2 g1
check "IPv6: first client" v2_up 1 0x201 0xc1
check "IPv6: second client" v2_up 2 0x202 0xc2
check "IPv6: each its own" eval 'passes_in 1 2 37 - 0x201 0xc1 0 80 && passes_in 2 2 37 - 0x202 0xc2 0 80'
how=pieces
check "IPv6: 4000 bytes in fragments, the last first, out" passes_out 2 500 2 37 I 0x202 0xc2 3 4000
check "and in" passes_in 1 2 37 - 0x201 0xc1 3 4000
how=send
check "IPv6: the responder's SPI alone is known" passes_in 2 2 37 - 0x7778 0xc2 5 80
for n in 1 2; do
	in_ 500 2 34 I 0x5201 0 0 300
done
check "IPv6: what the gateway begins asks each in turn" eval 'hear c1 && hear c2'
check "who answers" passes_out 1 500 2 34 R 0x5201 0x5202 0 300
check "is the one" passes_in 1 2 35 I 0x5201 0x5202 1 300
check "and the other hears nothing" quiet c2
check "modules unload" unload_modules
done_testing
