# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Traffic of every protocol at once, and whether each works. Sourced after
# lib.sh and ike/sim.sh, in a topology of three clients and two gateways:
# clients 1 and 2 have ESP, IKE and L2TP with gateway 1, client 1 PPTP; client 3
# makes IKE SAs with gateway 2, one after the other, and sends ESP to gateway 1 on
# more SPIs than there is room for.

# all_start: what stays, whatever becomes of the router
all_start()
{
	sim_start
	sim_open c1 c2 g1 || return 1
	spawn ip netns exec "${nsp}g1" "$(peer l2tp_sim)" lns -a "${GIP[1]}"
	busywait 20 grep -q ready "$spawn_log"
}

# ike_exchanges: lines for the simulator, without end; IKE_SA_INIT and IKE_AUTH
ike_exchanges()
{
	local n=0 i r

	printf 'open c %s %s 500\nopen g %s %s 500\n' "${nsp}c3" "${CIP[3]}" \
		"${nsp}g2" "${GIP[2]}"
	while :; do
		n=$((n % 64 + 1))
		printf -v i 0x30%06x $n
		printf -v r 0xa3%06x $n
		cat <<-L || return
		send c ${GIP[2]} 500 2 34 I $i 0 0 300
		recv g 50
		send g $PUB 500 2 34 R $i $r 0 300
		recv c 50
		send c ${GIP[2]} 500 2 35 I $i $r 1 300
		recv g 50
		send g $PUB 500 2 35 R $i $r 1 300
		recv c 50
		recv c 150
		L
	done
}

# again COMMAND...: over and over, in the background
again()
{
	spawn bash -c 'trap "kill \$!; exit" TERM; while :; do "$@" & wait $!; sleep 0.05; done' \
		- "$@"
	traffic+=("$spawn_pid")
}

# traffic_begin [no-pptp]: all of it, until traffic_end
traffic_begin()
{
	traffic=()
	esp_stream "1 2" -i 50
	spawn bash -c "$(declare -f ike_exchanges)
		CIP=(- - - ${CIP[3]}) GIP=(- - ${GIP[2]}) PUB=$PUB nsp=$nsp
		exec '$(peer ike_sim)' < <(ike_exchanges)"
	traffic+=("$spawn_pid")
	[ -n "${1-}" ] || again timeout -k 1 3 "$(peer pptp_sim)" "$nsp" hold 3 20
	again ip netns exec "${nsp}c2" "$(peer l2tp_sim)" lac -a "${CIP[2]}" -d "${GIP[1]}" \
		-t 72 -n 40 -i 30 -r 1
	again ip netns exec "${nsp}c3" "$(peer espsend)" -s "${CIP[3]}" -d "${GIP[1]}" \
		-i 0x00010000/12 -q 1 -n 100 -r 100
}

traffic_end()
{
	esp_stream_end
	kill "${traffic[@]}"
	wait "${traffic[@]}"
	drain c1 c2 g1
} 2> /dev/null

# in_hundreds TEXT N: cycles 0 to N, a point for each hundred of them
in_hundreds()
{
	local from to

	for ((from = 0; from < $2; from = to)); do
		to=$((from + 100 < $2 ? from + 100 : $2))
		check "$1: $((from + 1)) to $to of $2" cycles "$from" "$to"
	done
}

# --- each protocol by itself ---------------------------------------------------------------
esp_works()
{
	esp_pings "1 2" -c 2 -i 50 -w $((500 * ${VPNPASS_SLOW:-1}))
}

ike_mid=1
ike_works()
{
	ike_mid=$((ike_mid + 1))
	drain c1 c2 g1
	v2_up 1 0x10$ike_mid 0xa1$ike_mid && v2_up 2 0x20$ike_mid 0xa2$ike_mid
}

l2tp_works()
{
	C 2 "$(peer l2tp_sim)" lac -a "${CIP[2]}" -d "${GIP[1]}" -t 77 |
		grep -q "up .*sent 3 echoed 3"
}

pptp_works()
{
	local rc

	spawn "$(peer pptp_sim)" "$nsp" hold 3
	busywait 10 vp_is 'length == 3' session proto pptp
	rc=$?
	kill "$spawn_pid"
	wait "$spawn_pid"
	return $rc
}

# all_work NAME: four test points
all_work()
{
	check "$1: ESP of two clients" busywait 15 esp_works
	check "$1: IKE" busywait 15 ike_works
	check "$1: L2TP" busywait 15 l2tp_works
	check "$1: PPTP" busywait 15 pptp_works
}

# --- left over -----------------------------------------------------------------------------
namespaces()
{
	slab_shrink
	awk '$1 == "net_namespace" { print $2 }' /proc/slabinfo
}

# lean KIB: no more than a MiB over that
lean()
{
	[ "$(slab_kib)" -le $(($1 + 1024)) ]
}
