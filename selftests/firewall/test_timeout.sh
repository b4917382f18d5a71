#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A timeout policy of the administrator's is that of our entries, too: the time of an
# unanswered flow before the answer, and that of an answered one after it.
#
#   c1 --- r (masquerade, a policy for UDP) ---- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool conntrack

policy()
{
	R nft -f - <<-E
	table ip times {
		ct timeout vpn {
			protocol udp
			l3proto ip
			policy = { unreplied : 1400, replied : 700 }
		}
		chain forward {
			type filter hook forward priority filter
			meta l4proto udp ct timeout set "vpn"
		}
	}
	E
}

# between LOW HIGH: is the time left of the client's flow so long?
between()
{
	local left

	left=$(R conntrack -L -p udp --orig-src "${CIP[1]}" --orig-port-dst 500 2> /dev/null |
		awk '{ print $3; exit }')
	[ "${left:-0}" -gt "$1" ] && [ "$left" -le "$2" ] ||
		{ echo "$left s left, not $1 to $2"; return 1; }
}

check "topology" topo 1 1
check "modules load" load_modules
policy || skip_all "no timeout policies in this kernel"
check "simulators" sim_start
check "sockets" sim_open c1 g1
check "a request" passes_out 1 500 2 34 I 0x101 0 0 300
check "it has the time of an unanswered flow" between 700 1400
check "its answer" passes_in 1 2 34 R 0x101 0xa1 0 300
check "the messages that follow" v2_auth 1 0x101 0xa1
is "it is a session's" "$(sessions proto ike)" 1
check "it has the time of an answered flow" between 1 700
check "modules unload" unload_modules
done_testing
