#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The demonstration itself, in the guest of vm/demo:
#
#   c1 10.0.1.2 ---+
#                  +--- r (masquerade, 192.0.2.1) ---- g1 192.0.2.2
#   c2 10.0.2.2 ---+
. "$(dirname "$0")/../lib.sh"
exec 3>&1
tap_done=1	# it speaks to people, not TAP
tool=$selftests/../tools/vpnpass

say() { printf '%s\n' "$*" >&3; }
run() { say "  \$ $*"; "$@" 2>&1 | sed 's/^/    /' >&3; }

# try LABEL: ping through both tunnels
try()
{
	local i n

	for i in 1 2; do
		n=$(esp_ping $i 5)
		say "$(printf '  %-22s client %d: %d of 5 pings answered' "$1" $i "$n")"
		result[$i]=$n
	done
}

result=()
say
say "Two clients behind one NAT, one IPsec gateway, native ESP (no NAT-T)"
topo 2 1 > /dev/null && esp_up "1 2" > /dev/null || { say "no topology"; exit 1; }
try "stock Linux"
stock=${result[2]}
load_modules vpnpass vpnpass_esp || exit 1
try "with vpnpass"
say
run ip netns exec "${nsp}r" "$tool" show
run ip netns exec "${nsp}r" "$tool" session
say
if [ "$stock" = 0 ] && [ "${result[1]}" = 5 ] && [ "${result[2]}" = 5 ]; then
	say "The second client works with vpnpass, and only with it."
	exit 0
fi
say "That is not what was to be shown."
exit 1
