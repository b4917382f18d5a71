#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The same over IPv6 with NAT66: two clients, rekey, errors, floods, block.
#
#   c1 fd00:0:0:1::2 ---+
#                       +--- r (masquerade 2001:db8::1) ---- g1 2001:db8::2
#   c2 fd00:0:0:2::2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
esp6=1

error()
{
	G 1 "$(peer icmperr)" -d "$PUB6" -S "$PUB6" -D "${GIP6[1]}" "$@"
}

mtu_of()
{
	C "$1" ip route get "${GIP6[1]}" | sed -n 's/.*\bmtu \([0-9]*\).*/\1/p'
}

check "topology" topo -6 2 1
modprobe -qa ah6
check "SAs" esp_up "1 2"
is "stock: first client's pings answered" 3 "$(esp_ping 1)"
is "stock: second client's are not" 0 "$(esp_ping 2)"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are paired" esp_settle "1 2"
esp_pings "1 2" -c 10 -i 50
is "both at once lose nothing" 0 "$(esp_lost)"
check "the tool shows IPv6 addresses" vp_is \
	"[.[].client] == [\"${CIP6[1]}\", \"${CIP6[2]}\"] and
	 all(.[]; .peer == \"${GIP6[1]}\" and .local == \"$PUB6\")" session
is "and filters by them" 1 "$(sessions client "${CIP6[2]}" peer "${GIP6[1]}")"

esp_stream "1 2" -i 50
check "rekey" esp_rekey 1
sleep 1
esp_stream_end
num "rekey: at most the packet at the switch-over is lost" "$(esp_lost)" -le 1
check "is learned" esp_learned 1

# --- errors (RFC 4443 3) ------------------------------------------------------
check "taps" tap c1 c2 g1
for i in 1 2; do
	for what in "2 0 1300" "1 4 0" "3 0 0"; do
		read -r type code mtu <<< "$what"
		error -s 2001:db8::77 -i "${esp_out[$i.1]}" -t "$type" -c "$code" -m "$mtu"
		want="^${nsp}c$i 2001:db8::77 ${CIP6[i]} icmp $what"
		want+=" ${CIP6[i]} ${GIP6[1]} esp ${esp_out[$i.1]}\$"
		check "type $type code $code reaches client $i, translated" busywait 10 tap_has 1 "$want"
		is "and nobody else" 1 "$(tap_seen icmp)"
		tap_mark
	done
done
is "client 1's path MTU" 1300 "$(mtu_of 1)"
is "client 2's path MTU" 1300 "$(mtu_of 2)"
error -s 2001:db8::77 -i "${esp_out[2.1]}" -b
error -s 2001:db8::77 -i 0x0badbad0
error -s 2001:db8::77 -i "${esp_out[2.1]}" -m 1290
check "forged ones do not, a true one after them does" busywait 10 tap_has 1 \
	"^${nsp}c2 .* icmp 2 0 1290 .* esp ${esp_out[2.1]}\$"
is "and is the only one" 1 "$(tap_seen icmp)"
tap_mark
C 2 "$(peer icmperr)" -s "${CIP6[2]}" -d "${GIP6[1]}" -S "${GIP6[1]}" -D "${CIP6[2]}" \
	-i "${esp_in[2.1]}" -t 1 -c 1 -m 0
check "client 2's own error reaches the gateway, translated" busywait 10 tap_has 1 \
	"^${nsp}g1 $PUB6 ${GIP6[1]} icmp 1 1 0 ${GIP6[1]} $PUB6 esp ${esp_in[2.1]}\$"

# --- hostile --------------------------------------------------------------------
check "both halves of each pair are pinned" esp_settle "1 2"
s=$(vp -j show esp | jq -c '.[0] | [.sessions, .pins]') ct=$(conntracks)
# the sender is faster than a CPU that others use, too: nobody's queue is to overflow
sysctl -qw net.core.netdev_max_backlog=30000
esp_stream "1 2" -i 20
G 1 "$(peer espsend)" -s "${GIP6[1]}" -d "$PUB6" -n 20000 > /dev/null
esp_stream_end
is "20,000 spoofed: nothing lost" 0 "$(esp_lost)"
note "$(cat "$scratch/pings")"
is "20,000 spoofed: nothing kept" "$s" "$(vp -j show esp | jq -c '.[0] | [.sessions, .pins]')"
num "20,000 spoofed: no connections" "$(conntracks)" -le "$ct"
n=$(counter malformed)
# The taps may not have read all of the flood: new ones have nothing of it.
kill "$tap_pid"
check "new taps" tap c1 c2 g1
for len in {0..7}; do
	C 1 "$(peer espsend)" -s "${CIP6[1]}" -d "${GIP6[1]}" -i 0x12345678 -q 1 -l "$len"
done > /dev/null
G 1 "$(peer espsend)" -s "${GIP6[1]}" -d "$PUB6" -i 0/256 -n 256 -q 1 > /dev/null
is "short ones and reserved SPIs are counted" 264 $(($(counter malformed) - n))
is "and do not pass" 0 "$(tap_seen .)"

# --- block ----------------------------------------------------------------------
check "block" vp set esp block
for proto in 50 51; do
	C 1 "$(peer espsend)" -s "${CIP6[1]}" -d "${GIP6[1]}" -i 0x5555 -p $proto
	G 1 "$(peer espsend)" -s "${GIP6[1]}" -d "$PUB6" -i 0x5555 -p $proto
done > /dev/null
esp_pings "1 2" -c 2 -w 300
is "block: nothing answered" 0 "$(esp_answered)"
is "block: nothing passed" "" "$(tap_show)"
check "on" vp set esp on
check "both are paired" esp_settle "1 2"
check "modules unload" unload_modules
R conntrack -F > /dev/null 2>&1
esp_pings "1 2" -c 3 -w 500
is "unloaded: stock" 1 "$(esp_answered)"
done_testing
