#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A router whose LAN is a bridge, with br_netfilter handing bridged frames to the
# IP hooks: what is routed is helped as without it, what is only bridged is left
# alone, and a port goes with packets on their way.
#
#   c1 ---+
#   c2 ---+-- bridge in r (masquerade) ---+--- g1
#   c3 ---+                               +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
checktool jq

# neighbours: two addresses in one subnet, which the router is not in
neighbours()
{
	ip -n "${nsp}c1" addr add 10.99.0.1/24 dev eth0 &&
		ip -n "${nsp}c2" addr add 10.99.0.2/24 dev eth0
}

modprobe -q br_netfilter
[ -d /proc/sys/net/bridge ] || skip_all "this kernel has no br_netfilter"
check "topology" topo -b 3 2
R sh -c 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables'
is "bridged frames go through the IP hooks" 1 \
	"$(R cat /proc/sys/net/bridge/bridge-nf-call-iptables)"
# with an address of its own: it would change with the ports, and what clients then
# send to the old one be bridged, un-translated, and remembered so
R ip link set lan0 address 02:00:00:00:00:01
check "SAs" esp_up "1 2"
check "peers" all_start
check "modules load" load_modules
all_work "a bridge"

# --- between two clients, through the router's hooks but not its NAT ---------------------
check "neighbours" neighbours
R conntrack -F > /dev/null 2>&1
busywait 10 eval '[ "$(sessions)" = 0 ]'
check "tap" tap c2
C 1 "$(peer espsend)" -s 10.99.0.1 -d 10.99.0.2 -i 0x4001 -q 1 -n 5 -r 50 > /dev/null
C 1 "$(peer espsend)" -s 10.99.0.1 -d 10.99.0.2 -i 0x4002 -q 1 -n 5 -r 50 > /dev/null
check "bridged ESP arrives" busywait 20 tap_has 10 "^${nsp}c2 10.99.0.1 .* esp 0x0000400[12] "
is "bridged ESP arrives: it has no session" "$(sessions proto esp)" 0
check "the switch blocks" vp set esp block
tap_mark
C 1 "$(peer espsend)" -s 10.99.0.1 -d 10.99.0.2 -i 0x4003 -q 1 -n 5 -r 50 > /dev/null
check "what is blocked is not bridged either" tap_has 0 " esp 0x00004003 "
vp set esp on > /dev/null

# --- ports go under traffic ------------------------------------------------------------------
traffic_begin
ports()
{
	local n

	for n in 1 2 3 4 5 6; do
		R ip link set lan$((n % 3 + 1)) nomaster || return 1
		sleep 0.1
		R ip link set lan$((n % 3 + 1)) master lan0 || return 1
	done
}
check "ports leave the bridge and come back under traffic" ports
check "ESP works" busywait 15 esp_works
check "br_netfilter off and on under traffic" eval \
	'for n in 0 1 0 1; do R sysctl -qw net.bridge.bridge-nf-call-iptables=$n; sleep 0.1; done'
traffic_end
all_work "after it"
done_testing
