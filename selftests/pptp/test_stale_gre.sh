#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# GRE of a call that is over, or of a stranger's, has a conntrack entry in which a new
# call's would have to be: the new call works all the same.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"

sim=$(peer pptp_sim) || skip_all "no compiler"

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_pptp
is "a new call beside GRE of another call of the client's that is over" "$("$sim" "$nsp" -f stale_gre)" "stale_gre pass"
is "a new call beside GRE of the client's own, sent before its call" "$("$sim" "$nsp" -f stale_gre_own)" "stale_gre_own pass"
is "a new call after GRE of a server that starts too early" "$("$sim" "$nsp" -f stale_gre_outside)" "stale_gre_outside pass"
check "modules unload" unload_modules
done_testing
