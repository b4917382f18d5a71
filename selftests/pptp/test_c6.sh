#!/bin/bash
. "$(dirname "$0")/../lib.sh"
sim=$(peer pptp_sim)
check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_pptp
for c in stale_gre stale_gre_own stale_gre_outside; do is "$c" "$("$sim" "$nsp" -f $c)" "$c pass"; done
done_testing
