#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that can end under living calls with traffic: entries deleted, the
# switch, the module, the namespace.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq

sim=$(peer pptp_sim) || skip_all "no compiler"

# calls N: so many, with traffic, until hang_up
calls()
{
	spawn "$sim" "$nsp" hold "$1"
	hold=$spawn_pid
	busywait 30 grep -q ready "$spawn_log" && num_sessions "$1"
}

hang_up()
{
	kill "$hold"
	wait "$hold" 2> /dev/null
}

num_sessions()
{
	busywait 5 vp_is "length == $1" session proto pptp
}

check "topology" topo 2 1
modprobe -qa nf_conntrack_netlink
check "modules load" load_modules vpnpass vpnpass_pptp

check "20 calls" calls 20
for _ in 1 2 3 4 5; do
	R conntrack -D -p gre > /dev/null 2>&1
done
check "their entries deleted five times: all are back" num_sessions 20
is "and have entries" "$(R conntrack -L -p gre 2> /dev/null | grep -c ASSURED)" 20
for _ in 1 2 3; do
	R conntrack -F > /dev/null 2>&1
done
check "the table flushed three times: all are back" num_sessions 20
check "the control connection goes on" eval '[ "$(counter resumed pptp)" -gt 0 ]'

check "sessions flushed" vp session flush proto pptp
is "they stay away" "$(sleep 1; sessions proto pptp)" 0
hang_up

check "calls again" calls 5
check "switched off" vp set pptp off
is "off: no session" "$(sessions proto pptp)" 0
check "switched on" vp set pptp on
hang_up
check "calls after that" calls 5
check "blocked" vp set pptp block
is "block: no session" "$(sessions proto pptp)" 0
check "block: packets are dropped" busywait 5 eval '[ "$(counter blocked pptp)" -gt 2 ]'
check "on again" vp set pptp on
hang_up

rounds=0
for _ in 1 2 3 4 5 6 7 8; do
	calls 10 && rmmod vpnpass_pptp && load_module vpnpass_pptp || break
	rounds=$((rounds + 1))
	hang_up
done
is "unloaded and loaded under traffic" $rounds 8

check "calls once more" calls 20
check "the router's namespace goes" ip netns del "${nsp}r"
hang_up
# needs every entry of the namespace to be gone
check "modules unload" timeout 60 bash -c "rmmod vpnpass_pptp && rmmod vpnpass"
done_testing
