#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every form that the topology can have, on stock Linux: traffic must flow where
# it should before a test may say that it does not.
#
#   c1, c2 ---- bridge - r (NAT, NAT66) ---- bridge ---- g1, g2
. "$(dirname "$0")/../lib.sh"

topo -6 -b 2 2 || exit
need_esp
for i in 1 2; do
	for j in 1 2; do
		check "c$i reaches g$j" C $i ping -c 1 -W 3 "${GIP[j]}"
		check "c$i reaches g$j by IPv6" C $i ping -c 1 -W 3 "${GIP6[j]}"
	done
done
check "c1 and c2 are behind one bridge" R ip link show lan2 master lan0
check "masquerading is seen" eval "R conntrack -L 2> /dev/null | grep -q 'dst=$PUB '"
check "masquerading is seen: over IPv6 too" \
	eval "R conntrack -L -f ipv6 2> /dev/null | grep -q 'dst=$PUB6 '"

# Stock Linux can serve one client a gateway.
check "SAs of c1 with g1" esp_up 1 1 0x1001 0x2001
check "SAs of c2 with g2, the same SPIs" esp_up 2 2 0x1001 0x2001
is "c1 to g1" "$(esp_ping 1)" 3
is "c2 to g2" "$(esp_gw=2 esp_ping 2)" 3
check "gateway swaps first" esp_rekey 2 2 gateway
is "after a rekey" "$(esp_gw=2 esp_ping 2)" 3
check_fails "the SPI is a new one" test "${esp_in[2.2]}" = 0x2001

topo_down
topo -6 1 1 || exit
esp6=1
check "IPv4 inside IPv6 ESP" esp_up 1
is "IPv4 inside IPv6 ESP: its pings" "$(esp_ping 1)" 3
num "IPv4 inside IPv6 ESP: it was ESP over IPv6" \
	"$(R conntrack -L -f ipv6 2> /dev/null | grep -c 'unknown  *50')" -ge 1
done_testing
