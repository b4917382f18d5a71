#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two clients that use the same initiator SPI with the same gateway (machines
# cloned with their random state): the newcomer gets plain NAT, that is another
# port, as on stock Linux, and both are told about it.
#
#   c1 ---+
#   c2 ---+--- r (masquerade) ---- g1
#   c3 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

check "topology" topo 3 1
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
spawn "$VPNPASS" -n "${nsp}r" -j monitor
events=$spawn_log
check "client 3 is somebody else" v2_up 3 0x333 0xd3
check "first client" v2_up 1 0x777 0xd1
busywait 20 grep -q session-new "$events"
check "newcomer with the same SPI is heard" eval \
	'out 2 2 34 I 0x777 0 0 300 && hear g1'
num "from another port, as plain NAT has it" "$port" -ne 500
other=$port
check "and is answered there" eval 'to=$other passes_in 2 2 34 R 0x777 0xd2 0 300'
check "its exchange goes on" eval 'to=$other v2_auth 2 0x777 0xd2'
check "the first client's as well" passes_in 1 2 37 - 0x777 0xd1 0 80
check "nobody got what is another's" quiet c1 c2 c3
num "conflicts are counted" "$(counter conflict ike)" -ge 1
check "there was an event that names both" busywait 20 grep -qE \
	"conflict.*${CIP[1]}.*${CIP[2]}|conflict.*${CIP[2]}.*${CIP[1]}" "$events"
is "both sessions are shown" \
	"$(sessions proto ike client "${CIP[1]}") $(sessions proto ike client "${CIP[2]}")" "1 1"
check "the newcomer's next SA has an SPI of its own" v2_init 3 0x334 0xe3

# ... and of a client that keeps port 500 for the SAs that it has
sleep 1.1	# of conflicts one a second is told
check "client 3 begins one with that SPI, too" eval 'out 3 2 34 I 0x777 0 0 300 && hear g1'
num "from a port of its own" "$port" -ne 500
num "which is not client 2's" "$port" -ne "$other"
third=$port
check "and is answered there" eval 'to=$third passes_in 3 2 34 R 0x777 0xd4 0 300'
check "its exchange goes on" eval 'to=$third v2_auth 3 0x777 0xd4'
check "its other SA keeps port 500" v2_child 3 0x333 0xd3 2
check "the first client's SA does" passes_in 1 2 37 - 0x777 0xd1 1 80
check "client 2's goes on where it was" eval 'to=$other passes_in 2 2 37 - 0x777 0xd2 0 80'
check "nobody got what is another's" quiet c1 c2 c3
check "there was an event that names client 3" busywait 20 grep -qE \
	"conflict.*${CIP[3]}" "$events"

# a client that comes back by another connection takes its SA along
R conntrack -D -s "${CIP[3]}" > /dev/null 2>&1
check "a client whose entry was deleted goes on" passes_out 3 500 2 37 I 0x333 0xd3 2 80
check "and is answered" passes_in 3 2 37 R 0x333 0xd3 2 80
is "no conflict with itself" "$(sessions proto ike client "${CIP[3]}")" 1
check "modules unload" unload_modules
done_testing
