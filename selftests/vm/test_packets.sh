#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The packet tools do what the other tests believe of them.
#
#   c1 ---- r (no NAT) ---- g1
. "$(dirname "$0")/../lib.sh"
pkt=$selftests/pkt.py
checktool python3

topo -6 -n 1 || exit
G 1 ip route add default via "$PUB"
G 1 ip -6 route add default via "$PUB6"
check "c1 reaches g1" C 1 ping -c 1 -W 3 "${GIP[1]}"
check "c1 reaches g1: over IPv6 too" C 1 ping -c 1 -W 3 "${GIP6[1]}"

# counted NAME COUNT-ARGS SEND-ARGS WANTED-LINES: what g1 sees
# shellcheck disable=SC2086
counted()
{
	spawn ip netns exec "${nsp}g1" "$pkt" count --seconds 20 $2
	busywait 10 grep -q ready "$spawn_log"
	C 1 $3
	wait "$spawn_pid"
	is "$1" "$(grep -v ready "$spawn_log" | paste -sd';')" "$4"
}

c=${CIP[1]} g=${GIP[1]} c6=${CIP6[1]} g6=${GIP6[1]}
counted "ESP by SPI" "--proto esp --until 3" \
	"$pkt send --src $c --dst $g --proto esp --spi 0x12345678 --count 3" \
	"$c $g 50 0x12345678 3;total 3"
counted "a source that is not ours" "--proto esp --until 1" \
	"$pkt send --src 10.0.1.77 --dst $g --proto esp --spi 77" \
	"10.0.1.77 $g 50 0x0000004d 1;total 1"
counted "IPv6 ESP" "--proto esp --until 1" \
	"$pkt send --src $c6 --dst $g6 --proto esp --spi 0xfffffff0" \
	"$c6 $g6 50 0xfffffff0 1;total 1"
counted "GRE by call ID" "--proto gre --until 1" \
	"$pkt send --src $c --dst $g --proto gre --key 4242" "$c $g 47 4242 1;total 1"
counted "UDP" "--proto udp --until 1" \
	"$pkt send --src $c --dst $g --proto udp --sport 500 --dport 500 --hex 00" \
	"$c $g 17 500>500 1;total 1"
counted "short ESP" "--proto esp --until 1" \
	"$pkt send --src $c --dst $g --proto esp --cut 3" "$c $g 50 - 1;total 1"
counted "ICMP error with a quote" "--proto icmp --from $c --until 1" \
	"$pkt send --src $c --dst $g --proto icmp --type 3 --code 4 --mtu 1400
	 --qproto esp --qsrc $g --qdst $c --qspi 5" "$c $g 1 3/4 1;total 1"
counted "a flood of one SPI" "--proto esp --until 200" \
	"$(peer espflood) -s $c -d $g -n 200 -S 4096 -r 400" "$c $g 50 0x00001000 200;total 200"
counted "an IPv6 flood" "--proto esp --until 50" \
	"$(peer espflood) -s $c6 -d $g6 -n 50 -S 4097 -r 200" "$c6 $g6 50 0x00001001 50;total 50"

G 1 nft "table ip count { chain in { type filter hook prerouting priority 0;
	meta l4proto esp counter drop; }; }"
note "100000 more: $(C 1 "$(peer espflood)" -s "$c" -d "$g" -n 100000)"
num "a flood arrives" \
	"$(G 1 nft list ruleset | sed -n 's/.*counter packets \([0-9]*\).*/\1/p')" -ge 99000
done_testing
