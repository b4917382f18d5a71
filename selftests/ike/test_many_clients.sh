#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 200 clients of one gateway that start within a second: IKEv2 on port 500, then
# native ESP; each rekeys once, from either side, and some only receive. All of
# them get their SAs through the gate, one after the other. No ESP packet at all
# goes to another client instead of its own, unless this machine is so slow that
# turns run into each other: there is room for a few.
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

check "200 clients, $seconds s" many 200
# shellcheck disable=SC2154 # set by many
{
is "all are up" "$up" 200
is "all have rekeyed" "$rekeyed" 200
num "packets that went to others and not to their own client, of $sent" \
	"$misled" -le $((sent / 500))
num "of these or lost, at the end" "$late" -le $((sent / 500))
num "who got what is not theirs got a copy" "$strayed" -le "$(counter copies)"
num "packets lost, of $sent" "$lost" -le $((sent / 500))
}
is "so many sessions of each" "$(sessions proto ike) $(sessions proto esp)" "200 200"
is "nothing that waited was dropped" "$(counter gate_dropped ike)" 0
note "$(vp -j stats esp | jq -c '.[0].counters | with_entries(select(.value > 0))')"
check "modules unload" unload_modules
done_testing
