#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 60 and then 200 clients of one gateway that start within a second: IKEv2 on port
# 500, then native ESP; each rekeys once, from either side, and some only receive.
# No message waits. Of 60 hardly any packet goes to others instead of its own client;
# there is not room for so many copies as 200 need in the first minute (docs/limits.md).
#
#   c1 (10.128.0.0/9) ---- r (masquerade) ---- g1
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
checktool jq

seconds=${VPNPASS_SECONDS:-60}

# many N: leaves its figures in up, misled, ...
many()
{
	local f figures

	figures=$("$(peer ipsec_many)" "${@:2}" -n "$1" -t "$seconds" "${nsp}c1" "${nsp}g1" \
		10.128.0.1 "${GIP[1]}" "$PUB" 2>&1)
	note "$figures"
	for f in $figures; do
		case $f in *=*) printf -v "${f%=*}" '%s' "${f#*=}" ;; *) return 1 ;; esac
	done
}

check "topology" topo 1 1
C 1 ip route add local 10.128.0.0/9 dev lo
R ip route add 10.128.0.0/9 via "${CIP[1]}"
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
# a CPU that is emulated is slower than the senders: nobody's queue is to overflow
sysctl -qw net.core.netdev_max_backlog=30000

# shellcheck disable=SC2154 # set by many
for n in 60 200; do
	part=$((n == 60 ? 500 : 2)) end=$((n == 60 ? 500 : 20))
	copies=$(counter copies)
	check "$n clients, $seconds s" many $n
	is "$n: all are up" "$up" $n
	is "$n: all have rekeyed" "$rekeyed" $n
	num "$n: packets that went to others and not to their own client, of $sent" \
		"$misled" -le $((sent / part))
	num "$n: of these or lost, at the end" "$late" -le $((sent / end))
	num "$n: who got what is not theirs got a copy" "$strayed" -le $(($(counter copies) - copies))
	num "$n: packets lost, of $sent" "$lost" -le $((sent / 500))
	is "$n: so many sessions of each" "$(sessions proto ike) $(sessions proto esp)" "$n $n"
	[ $n = 60 ] && num "60: the last to start has its first packet within a second" "$last" -le 1000
	check "$n: flush" vp session flush
done
note "$(vp -j stats esp | jq -c '.[0].counters | with_entries(select(.value > 0))')"
check "modules unload" unload_modules
done_testing
