#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The root of a user namespace changes a router of its own; called by
# test_user_namespace.sh as nobody in "unshare -Urnm". Prints lines of WORD VALUE.
mount -t tmpfs none /run && mkdir -p /run/netns || exit 1
. "$(dirname "$0")/../lib.sh"

sa_init=%016x000000000000000021202208000000000000001c
sccrq=c80200140000000000000000800800000000000180080000000900%02x

# send_all i N RATE: client i's ESP with new SPIs, and a first message of an IKE SA
send_all()
{
	spawn ip netns exec "${nsp}c$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" \
		-n "$2" -r "$3" -q 1
	# shellcheck disable=SC2059
	C "$1" "$(peer l2tp_send)" -s "${CIP[$1]}" -d "${GIP[1]}" -p 500 -q 500 \
		"$(printf "$sa_init" $((RANDOM + 1)))"
	# shellcheck disable=SC2059
	C "$1" "$(peer l2tp_send)" -s "${CIP[$1]}" -d "${GIP[1]}" -p 1701 -q 1701 \
		"$(printf "$sccrq" "$1")"
}

sent()
{
	wait "$spawn_pid"
	awk '{ print $2 }' "$spawn_log"
}

topo 2 1 > /dev/null || { echo "topology failed"; exit 1; }
vp set all on || exit 1
tap g1
for i in 1 2; do
	send_all $i 2 0
	sent > /dev/null
done
echo "sessions $(sessions)"
R "$(peer ct_unhelp)"
first=$(tap_seen ' esp ')
for i in 1 2; do
	send_all $i 100 40
	pids+=" $spawn_pid"
done
# shellcheck disable=SC2086
wait $pids
busywait 20 tap_has $((first + 200)) ' esp '
echo "arrived $(($(tap_seen ' esp ') - first))"
# A connection that stays must be watched again, or be gone.
echo "left $(vp -j session | jq '[.[] | select(.proto == "esp")] | length') helped $(
	R cat /proc/net/nf_conntrack 2> /dev/null | grep -c 'unknown  *50 ')"
R "$(peer ct_unhelp)" | sed 's/^/again /'
vp session flush > /dev/null && echo "flushed"
tap_done=1	# this script has no points of its own
exit 0
