#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two CPUs on one session: packets of one SPI come at both at once, both ways, while leases
# end and begin. Conntrack, session and counters have each of them, once.
#
#   c1 --- r (masquerade) ---- g1
# run: smp=2 timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool taskset util-linux
[ "$(nproc)" -ge 2 ] || skip_all "one CPU"

n=$((4000 / ${VPNPASS_SLOW:-1}))

# sender CPU NS SRC DST SPI: in the background
sender()
{
	spawn ip netns exec "$nsp$2" taskset -c "$1" "$(peer espsend)" -s "$3" -d "$4" -i "$5" \
		-q 100000 -n $n -r 1000
	senders+=("$spawn_pid")
}

# both_ends: from both CPUs and both ends; meanwhile routes end the ways
both_ends()
{
	local cpu p

	senders=()
	for cpu in 0 1; do
		sender $cpu c1 "${CIP[1]}" "${GIP[1]}" "${esp_out[1.1]}"
		sender $cpu g1 "${GIP[1]}" "$PUB" "${esp_in[1.1]}"
	done
	for p in "${senders[@]}"; do
		while kill -0 "$p" 2> /dev/null; do
			R ip route add blackhole 198.18.0.0/15
			R ip route del blackhole 198.18.0.0/15
			sleep 0.2
		done
		wait "$p" || return 1
	done
}

# came SPI: packets that came in at the router
came()
{
	R nft -j list counter ip raw "$1" | jq '.nftables[] | .counter? // empty | .packets'
}

check "topology" topo 1 1
need_esp
check "modules load" load_modules vpnpass vpnpass_esp
check "SAs" esp_up 1
check "the client is known" esp_settle 1
check "fast" vp set esp fast 100
check "goes fast" busywait 20 goes_fast 1
R nft -f - <<-E
table ip raw {
	counter out { }
	counter in { }
	chain p {
		type filter hook prerouting priority raw
		esp spi ${esp_out[1.1]} counter name out
		esp spi ${esp_in[1.1]} counter name in
	}
}
E
count_at r forward rules "meta l4proto esp"
was_out=$(packets_of 1 out) was_in=$(packets_of 1 in) was_fast=$(counter fast_packets)
check "two CPUs at both ends" both_ends
out=$(came out) in=$(came in) fast=$(($(counter fast_packets) - was_fast))
num "packets came" "$out" -ge $n
num "... the other way, too" "$in" -ge $n
is "conntrack has each packet out" $(($(packets_of 1 out) - was_out)) "$out"
is "... and in" $(($(packets_of 1 in) - was_in)) "$in"
is "what FORWARD saw and what went fast is all" $(($(seen r rules) + fast)) $((out + in))
num "most went fast" "$fast" -ge $(((out + in) / 2))
check "unload" unload_modules
done_testing
