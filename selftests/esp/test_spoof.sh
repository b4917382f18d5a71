#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Floods of ESP with random SPIs: from the gateway's address, before, during
# and after pairing; from one client to one gateway, to many, and with many
# made-up source addresses. Nothing may grow, settled clients lose nothing.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1 (also the way to 198.51.100.0/22)
#   c4 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
flood_n=100000

# flood WHERE OPTION...: from that namespace
flood()
{
	ip netns exec "$nsp$1" "$(peer espsend)" "${@:2}"
}

state()
{
	vp -j show esp | jq -c '.[0] | [.sessions, .pins]'
}

# steady NAME COMMAND...: clients 1 and 2 lose nothing meanwhile, and what the
# router holds is the same afterwards
steady()
{
	local name=$1 s ct kib

	s=$(state) ct=$(conntracks) kib=$(slab_kib)
	esp_stream "1 2" -i 20
	"${@:2}" > "$scratch/flood" || not_ok "$name: flood" "$(cat "$scratch/flood")"
	esp_stream_end
	note "$name: $(cat "$scratch/flood"); $(ping_of 1 sent) pings; slabs $kib to $(slab_kib) KiB"
	is "$name: settled clients lose nothing" 0 "$(esp_lost)"
	is "$name: sessions and pins as before" "$s" "$(state)"
	num "$name: conntrack entries as before" "$(conntracks)" -le $((ct + ${spare_ct:-0}))
	num "$name: memory does not grow (KiB)" "$(slab_kib)" -le $((kib + 512))
}

check "topology" topo 4 1
ip -n "${nsp}r" route add 198.51.100.0/22 via "${GIP[1]}"
check "SAs" esp_up "1 2 3 4"
check "modules load" load_modules vpnpass vpnpass_esp
# the sender is faster than a CPU that others use, too: nobody's queue is to overflow
sysctl -qw net.core.netdev_max_backlog=30000

# --- from outside -------------------------------------------------------------
flood g1 -s "${GIP[1]}" -d "$PUB" -n 2000 > /dev/null
is "before any client: no session" 0 "$(sessions)"
num "before any client: conntrack's one entry at most" "$(conntracks)" -le 1
check "clients 1 and 2 are paired all the same" esp_settle "1 2"

steady "spoofed, any sequence" flood g1 -s "${GIP[1]}" -d "$PUB" -n $flood_n
steady "spoofed, as new SAs" flood g1 -s "${GIP[1]}" -d "$PUB" -n $flood_n -q 1
is "the flood was all that" "sent $flood_n failed 0" "$(cut -d ' ' -f 1-4 "$scratch/flood")"
check "settled clients work afterwards" esp_pings "1 2"
is "their SPIs are still pinned" 0 "$(client_has 1 spi_in "${esp_in[1.1]}" &&
	client_has 2 spi_in "${esp_in[2.1]}"; echo $?)"

spawn ip netns exec "${nsp}g1" "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -n 0 -r 500
flood_pid=$spawn_pid
esp_pings 3 -c 40 -i 250 -w 1000
kill "$flood_pid"
wait "$flood_pid" 2> /dev/null
note "during the flood: first answer after $(ping_of 3 first) ms, $(ping_of 3 received) of 40"
num "a client that starts during 500 spoofed packets a second is up within 5 s" \
	"$(ping_of 3 first)" -ge 0
num "and within 5 s" "$(ping_of 3 first)" -le 5000
check "it works when the flood is over" esp_pings 3 -c 10 -i 100
# it may take the slow path for some time: what came during the flood is in doubt
esp_settle 3 > /dev/null && note "and it is settled" || note "it is not settled yet"

# --- from inside --------------------------------------------------------------
spawn "$VPNPASS" -j -n "${nsp}r" monitor
monitor=$spawn_log since=$SECONDS
busywait 20 grep -q . "/proc/$spawn_pid/net/netlink"
limits() { vp -j stats esp | jq '[.[0].counters | to_entries[] |
	select(.key | startswith("limit_")) | .value] | add'; }
hit=$(limits)
kib=$(slab_kib) ct=$(conntracks)
esp_stream "1 2" -i 20
flood c4 -s "${CIP[4]}" -d "${GIP[1]}" -n $flood_n > "$scratch/flood"
esp_stream_end
note "one client to one gateway: $(cat "$scratch/flood"); slabs $kib to $(slab_kib) KiB"
is "one client to one gateway: the others lose nothing" 0 "$(esp_lost)"
is "one client to one gateway: one session" 1 "$(sessions client "${CIP[4]}")"
num "one client to one gateway: one conntrack entry" "$(conntracks)" -le $((ct + 1))
check "one client to one gateway: at most 8 SPIs are pinned" \
	vp_is '.[0].spi_out | length <= 8' session client "${CIP[4]}"
num "one client to one gateway: memory does not grow (KiB)" "$(slab_kib)" -le $((kib + 512))
num "one client to one gateway: its limit was hit and counted" "$(limits)" -gt "$hit"

kib=$(slab_kib) ct=$(conntracks) hit=$(counter limit_client)
esp_stream "1 2" -i 20
flood c4 -s "${CIP[4]}" -d 198.51.100.1/1000 -n $flood_n > "$scratch/flood"
esp_stream_end
note "one client to many gateways: $(cat "$scratch/flood"); slabs $kib to $(slab_kib) KiB"
is "one client to many gateways: the others lose nothing" 0 "$(esp_lost)"
is "one client to many gateways: 64 sessions, the limit" 64 "$(sessions client "${CIP[4]}")"
num "one client to many gateways: 64 conntrack entries" "$(conntracks)" -le $((ct + 64))
num "one client to many gateways: counted" "$(counter limit_client)" -gt "$hit"
check "one client to many gateways: and told" busywait 10 \
	jq -es 'any(.[]; .event == "limit" and .reason == "limit_client")' "$monitor"
# one a second of each of the two limits
num "events of it are few" "$(grep -c '"limit"' "$monitor")" -le $((2 * (SECONDS - since + 2)))
check "the others can still begin" esp_settle 1
check "limit takes effect when set" vp set esp max_per_peer 100
flood c4 -s 10.0.4.10/200 -d "${GIP[1]}" -n 20000 > "$scratch/flood"
num "made-up sources: sessions with the gateway stay at its limit" \
	"$(sessions peer "${GIP[1]}")" -le 100
num "made-up sources: counted" "$(counter limit_peer)" -gt 0
check "settled clients were not evicted for it" esp_pings "1 2"
is "flush ends all" 0 "$(vp session flush > /dev/null; sessions)"
memory_back() { [ "$(slab_kib)" -le $((kib + 1024)) ]; }
check "flush gives the memory back" busywait 10 memory_back
check "modules unload" unload_modules
done_testing
