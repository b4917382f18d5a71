#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The problem itself, without any module of ours: of several clients with native
# ESP to one gateway, stock Linux passes one. Proves that the topology, the SAs
# and the counters of the test library show what they should.
#
#   c1..c12 ---- r (masquerade) ---- g1
. "$(dirname "$0")/../lib.sh"

topo 12 || exit
need_esp
check "SAs of twelve clients" esp_up "1 2 3 4 5 6 7 8 9 10 11 12"
is "first client alone" "$(esp_ping 1)" 3
is "second client gets nothing" "$(esp_ping 2)" 0
num "second client gets nothing: its packets clash in conntrack" \
	"$(R conntrack -S 2> /dev/null | grep -o 'insert_failed=[0-9]*' |
	   awk -F= '{ n += $2 } END { print n }')" -ge 3

esp_pings "1 2 3 4 5 6 7 8 9 10 11 12" -c 3
is "1 2 3 4 5 6 7 8 9 10 11 12: of twelve at once one is answered" "$(esp_answered)" 1

spawn "$(peer nsping)" -c 0 -i 50 "${nsp}c1" "${CIN[1]}" "${GIN[1]}"
log=$spawn_log pid=$spawn_pid
sleep 0.5
check "rekey in mid-transfer" esp_rekey 1
sleep 1
check "old SAs expire" esp_expire 1
kill -INT "$pid"
wait "$pid"
is "nothing is lost by the rekey" "$(awk '{ print $5 - $7 }' "$log")" 0
is "no packet came on an unknown SPI" "$(xfrm_stat c1 XfrmInNoStates)" 0
done_testing
