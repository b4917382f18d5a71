#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Entries of ours as conntrackd hands them to another router: ctnetlink finds their
# helper by its name for each protocol, and asks for no module. And a helper that is
# taken off an entry by ctnetlink: its session ends, the client begins another.
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack
checktool python3
here=$(dirname "$(readlink -f "$0")")

asked=$scratch/asked
: > "$asked"
cat > "$scratch/modprobe" <<-E
	#!/bin/sh
	echo "\$*" >> $asked
	exec /sbin/modprobe "\$@"
E
chmod +x "$scratch/modprobe"

ctnetlink() { R "$here/ctnetlink.py" "$@"; }

from_client()
{
	C "$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" -i "$2" -q 1 -n "$3" -r 50 > /dev/null
}

check "topology" topo 2 1
check "modules load" load_modules
echo "$scratch/modprobe" > /proc/sys/kernel/modprobe
at_exit "echo /sbin/modprobe > /proc/sys/kernel/modprobe"

for proto in "17 500" "6 1723" 50 115; do
	# shellcheck disable=SC2086
	set -- $proto
	check "an entry of protocol $1 is taken" \
		ctnetlink create "$1" "${CIP[1]}" "${GIP[1]}" "$PUB" "${2:-0}"
done
is "none of them asked for a helper's module" "$(grep -c nfct-helper "$asked")" 0
n=$(R conntrack -L 2> /dev/null | grep -c helper=vpnpass)
is "all of them have the helper" "$n" 4
R conntrack -F > /dev/null 2>&1

# --- taken off ---------------------------------------------------------------------
check "client 1 begins" from_client 1 0xaaaaaaa1 3
check "client 2 begins" from_client 2 0xaaaaaaa2 3
is "two sessions" "$(sessions proto esp)" 2
check "the helper is taken off client 1's entry" ctnetlink unhelp 50 "${CIP[1]}" "${GIP[1]}"
check "the helper is taken off client 2's entry" ctnetlink unhelp 50 "${CIP[2]}" "${GIP[1]}"
is "no entry has the helper any more" "$(R conntrack -L 2> /dev/null | grep -c helper=vpnpass)" 0
check "taps" tap g1
check "client 1 goes on, on many SPIs" C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" \
	-i 0x10000000/40 -n 200 -r 400
check "client 2 goes on" from_client 2 0xaaaaaaa2 20
check "both have sessions again" busywait 20 eval '[ "$(sessions proto esp)" = 2 ]'
num "both have sessions again: client 2's packets leave" \
	"$(tap_seen "^${nsp}g1 .* esp 0xaaaaaaa2 ")" -ge 19
check "modules unload" unload_modules
done_testing
