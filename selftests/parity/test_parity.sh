#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nobody is worse off than on stock Linux: random conversations of VPN peers, whole and
# mutilated, are played to two routers with the same rules, one of them with every
# switch on. What stock delivers the other has to deliver, and what a rule drops it
# has to drop; docs/parity.md lists the differences that are meant.
#
# make parity plays more of them. By hand, e.g. one sequence of a report:
#   VPNPASS_PARITY_SETS=masquerade VPNPASS_PARITY_ONLY=17 \
#	make check KERNEL=uml T=parity/test_parity
# run: timeout=900
. "$(dirname "$0")/../lib.sh"
# shellcheck source=selftests/parity/rules.sh
. "$selftests/parity/rules.sh"
count=${VPNPASS_PARITY_COUNT:-125} seed=${VPNPASS_PARITY_SEED:-1}
[ -z "${VPNPASS_PARITY_ONLY-}" ] || count=$((VPNPASS_PARITY_ONLY + 1))

[ -x "$selftests/parity/bin/parity" ] || make -s -C "$selftests/parity" >&2
check "two routers" parity_up
for name in ${VPNPASS_PARITY_SETS:-$parity_sets}; do
	check "$name: rules" parity_rules "$name"
	parity_play "$name" "$seed" "$count" ${VPNPASS_PARITY_ONLY:+only $VPNPASS_PARITY_ONLY} \
		> "$scratch/report" 2>&1
	rc=$?
	tail -n 120 "$scratch/report"
	is "$name: $count sequences, nobody is worse off" 0 $rc
done
[ -z "${VPNPASS_PARITY_FAST-}" ] || num "of these, packets that went fast" "$(parity_fast)" -gt 100
done_testing
