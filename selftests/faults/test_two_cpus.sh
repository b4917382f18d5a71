#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: smp=2 timeout=900 append=kcsan.skip_watch=500
# named only: made for make check-debug KERNEL=kcsan
# Two CPUs on one session of each protocol: packets of both directions at the same
# moment, while the tool reads, switches flip, entries and sessions are deleted.
# What it is for is make check-debug KERNEL=kcsan, which sees data races.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
export VPNPASS_FAST=${VPNPASS_FAST:-1000}
checktool jq
checktool conntrack

seconds=$((${VPNPASS_SECONDS:-3} * ${VPNPASS_SLOW:-1}))

# ike_side NS ADDR TO FLAGS PORT: messages of one SA from one end, for ever, and
# with each round one that makes a child SA and one that begins another SA
ike_side()
{
	local n=0

	echo "open x $1 $2 $5"
	while :; do
		n=$((n % 16 + 1))
		cat <<-L || return
		repeat 40 send x $3 500 2 37 $4 0x101 0xa1 $n 80
		send x $3 500 2 36 $4 0x101 0xa1 $n 200
		send x $3 500 2 34 $4 0x5$n $([ "$4" = I ] && echo 0 || echo 0x6$n) 0 300
		repeat 40 recv x 0
		recv x 5
		L
	done
}

flows=()
in_background()
{
	spawn "$@"
	flows+=("$spawn_pid")
}

ike_background()
{
	in_background bash -c "$(declare -f ike_side)
		exec '$(peer ike_sim)' < <(ike_side $*)"
}

# flows_begin: both ends of one session each, one process an end
flows_begin()
{
	in_background ip netns exec "${nsp}c1" "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" \
		-i "${esp_out[1.1]}" -q 100000 -n 0 -r 800
	in_background ip netns exec "${nsp}g1" "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" \
		-i "${esp_in[1.1]}" -q 100000 -n 0 -r 800
	# more SPIs than there is room for, from both ends
	in_background ip netns exec "${nsp}c2" "$(peer espsend)" -s "${CIP[2]}" -d "${GIP[1]}" \
		-i 0x00020000/12 -q 1 -n 0 -r 200
	in_background ip netns exec "${nsp}g1" "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" \
		-i 0x00030000/64 -q 1 -n 0 -r 200
	in_background "$(peer pptp_sim)" "$nsp" hold 2
	in_background ip netns exec "${nsp}c1" "$(peer l2tp_sim)" lac -a "${CIP[1]}" \
		-d "${GIP[1]}" -t 81 -n 1000000 -i 0
	in_background ip netns exec "${nsp}c2" "$(peer l2tp_sim)" lac -a "${CIP[2]}" \
		-d "${GIP[1]}" -t 82 -n 1000000 -i 0
	ike_background "${nsp}c1" "${CIP[1]}" "${GIP[1]}" I 500
	ike_background "${nsp}g1" "${GIP[1]}" "$PUB" R 500
	ike_background "${nsp}c1" "${CIP[1]}" "${GIP[1]}" I 4500
	ike_background "${nsp}c2" "${CIP[2]}" "${GIP[1]}" I 500
}

flows_end()
{
	kill "${flows[@]}"
	wait "${flows[@]}"
	flows=()
} 2> /dev/null

# for_a_while COMMAND...: again and again; fails when it fails
for_a_while()
{
	local end=$((SECONDS + seconds))

	while [ $SECONDS -lt $end ]; do
		"$@" > /dev/null 2>&1 || return 1
	done
}

reads()
{
	vp -j show && vp -j session && vp -j stats && vp session client "${CIP[1]}"
}

deletes()
{
	R conntrack -D -p esp
	R conntrack -D -p gre
	R conntrack -D -p udp
	R conntrack -F
	true
}

flips()
{
	local p

	for p in esp ike pptp l2tp natt; do
		vp set $p off && vp set $p block && vp set $p on || return 1
	done
}

settings()
{
	vp set esp spis 8 && vp set esp copies 1 && vp set esp timeout 600 &&
		vp set esp copies 64 && vp set esp spis 64
}

# ways: of the fast way, learned and ended
ways()
{
	R ip link set wan mtu 1400
	R ip link set wan mtu 1500
	R ip route add blackhole 198.51.100.0/24
	R ip route del blackhole 198.51.100.0/24
	vp set esp fast 0 && vp set pptp fast 0 && vp set esp fast 50 && vp set pptp fast 1000
}

reloads() { unload_modules && load_modules; }

check "topology" topo 3 2
check "SAs" esp_up "1 2"
check "modules load" load_modules
check "ESP is settled" esp_settle 1
spawn ip netns exec "${nsp}g1" "$(peer l2tp_sim)" lns -a "${GIP[1]}"
check "L2TP server" busywait 20 grep -q ready "$spawn_log"
spawn "$VPNPASS" -n "${nsp}r" -j monitor
flows_begin
check "sessions of every protocol" busywait 20 eval '[ "$(vp -j session |
	jq -c "map(.proto) | unique | length")" -ge 4 ]'
check "packets go fast" busywait 30 eval '[ "$(counter fast_packets)" -gt 100 ]'
check "the tool reads" for_a_while reads
check "ways begin and end" for_a_while ways
check "entries are deleted" for_a_while deletes
check "sessions are flushed" for_a_while vp session flush
check "settings change" for_a_while settings
check "switches flip" for_a_while flips
check "modules come and go" for_a_while reloads
flows_end
R conntrack -F > /dev/null 2>&1
check "ESP works after it" busywait 15 esp_works
check "modules unload" unload_modules
done_testing
