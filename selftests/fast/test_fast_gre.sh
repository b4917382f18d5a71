#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The fast way, of PPTP's GRE: two clients dial one server, with real peers. Call IDs are
# translated as on the ordinary path. A call that was up before the setting goes fast, too.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1 (pptpd)
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
pptp_tools

# gre_fast i: packets of the call go fast, both ways
gre_fast()
{
	fast_by "$1" pptp pptp_ping "c$1" 5
}

# all_fast: what went fast of all calls
all_fast()
{
	vp -j session proto pptp | jq '[.[] | .fast_out, .fast_in] | add'
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_pptp
check "a server" pptp_server g1
pptp_dial c1 "${GIP[1]}"
check "the first client's tunnel is up" busywait 30 pptp_up c1
is "ordinary: it is answered" "$(pptp_ping c1 5)" 5
check "fast" vp set pptp fast 1000
pptp_dial c2 "${GIP[1]}"
check "the second client's tunnel is up" busywait 30 pptp_up c2
check "a call from before goes fast" busywait 10 gre_fast 1
check "one from after, too" busywait 10 gre_fast 2
is "nothing is lost" "$(pptp_ping c1 20) $(pptp_ping c2 20)" "20 20"
num "most went fast" "$(fast_of 2 out pptp)" -ge 10
# PPP says something now and then
before=$(all_fast) told=$(counter fast_packets pptp)
num "the protocol's counter is their sum" "$told" -ge "$before"
num "... and no more" "$told" -le "$(all_fast)"
R conntrack -D -p gre > /dev/null 2>&1
check "conntrack -D: the calls go on" busywait 10 gre_fast 1
check "... both" busywait 10 gre_fast 2
check "block" vp set pptp block
is "... at once" "$(pptp_ping c1 2)" 0
check "unloaded" unload_modules
dmesg_clean "kernel log"
done_testing
