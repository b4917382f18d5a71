#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A copy of a packet in doubt is no arrival: it does not keep alive, assure or count for
# the connection of a client whose packet it is not, and tc at the WAN's ingress sees
# each packet once, also where it redirects all of them to an ifb (OpenWrt's SQM).
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack
checktool tc iproute2

# entry i: conntrack's line of client i's ESP
entry()
{
	R conntrack -L -p esp -s "${CIP[$1]}" 2> /dev/null
}

from_client()
{
	C "$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" -i "$2" -q 1 -n 2 -r 50 > /dev/null
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_esp
check "taps" tap c1 c2

# --- one SPI that nobody asked for, two clients that wait ---------------------------
check "client 1 begins" from_client 1 0xaaaaaaa1
check "client 2 begins" from_client 2 0xaaaaaaa2
check "the gateway sends 20 packets on an SPI of neither" G 1 "$(peer espsend)" -s "${GIP[1]}" \
	-d "$PUB" -i 0xbbbbbbbb -q 1 -n 20 -r 100
check "they are at one client or at both" busywait 20 eval '[ "$(tap_seen 0xbbbbbbbb)" -ge 20 ]'
num "no more than one copy a packet" "$(tap_seen 0xbbbbbbbb)" -le 40
both=$({ entry 1; entry 2; } | grep -c ASSURED)
num "a client that only had copies is not assured" "$both" -le 1

check "client 1 goes on" from_client 1 0xaaaaaaa1
check "the client that goes on after a copy is assured" eval 'entry 1 | grep -q ASSURED'

# --- both are in doubt, and idle ------------------------------------------------------
R conntrack -F 2> /dev/null
check "a short time-out" R sysctl -qw net.netfilter.nf_conntrack_generic_timeout=3
check "client 1 asks once" from_client 1 0xaaaaaaa1
check "client 2 asks once" from_client 2 0xaaaaaaa2
check "the gateway answers" G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -i 0xdddddddd -q 1 -n 1
sleep 6
tap_mark
check "idle for long: the gateway sends" G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" \
	-i 0xdddddddd -q 2 -n 1
check "idle for long: client 1 gets it" busywait 10 tap_has 1 "^${nsp}c1 .* esp 0xdddddddd "
check "idle for long: client 2 gets it" busywait 10 tap_has 1 "^${nsp}c2 .* esp 0xdddddddd "

# --- tc redirects all that comes in to an ifb ---------------------------------------
modprobe -qa sch_ingress cls_matchall act_mirred ifb
if R ip link add ifb0 type ifb 2> /dev/null && R ip link set ifb0 up &&
	R tc qdisc add dev wan ingress 2> /dev/null &&
	R tc filter add dev wan ingress matchall action mirred egress redirect dev ifb0 2> /dev/null; then
	tap_mark
	check "ifb: the gateway sends 20 packets on another SPI" G 1 "$(peer espsend)" \
		-s "${GIP[1]}" -d "$PUB" -i 0xcccccccc -q 1 -n 20 -r 100
	check "ifb: they are at one client or at both" busywait 20 eval \
		'[ "$(tap_seen 0xcccccccc)" -ge 20 ]'
	sleep 1
	num "ifb: no more than one copy a packet" "$(tap_seen 0xcccccccc)" -le 40
else
	skip "ifb: no more than one copy a packet" "this kernel has no ifb or mirred"
fi
check "modules unload" unload_modules
done_testing
