#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The switches ike (port 500) and natt (port 4500), each for itself: off is plain
# NAT, block stops the port both ways and leaves the other alone; ipsec is ike
# and esp, not natt. By the tool and by sysctl, in mid-session.
#
#   c1 ---+
#         +--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq
esp=a1b2c3d400000001$(printf '%080d' 0)

# on_500 i: client i's SA works, from port 500; again after all that was ended
mid=1
on_500()
{
	mid=$((mid + 1))
	drain c1 c2 g1
	passes_out "$1" 500 2 37 I 0x10$1 0xa$1 $mid 80 && passes_in "$1" 2 37 R 0x10$1 0xa$1 $mid 80
}

# on_4500 i: NAT-T works
on_4500()
{
	drain n1 n2 m1
	sim bytes n$1 "${GIP[1]}" 4500 $esp
	hear m1 || return 1
	sim bytes m1 "$PUB" "$port" $esp
	hear n$1
}

# stopped i PORT SOCKET: nothing passes, out or in
stopped()
{
	drain c1 c2 g1 n1 n2 m1
	sim bytes "$3$1" "${GIP[1]}" "$2" $esp
	case $2 in
	500) sim bytes g1 "$PUB" 500 $esp ;;
	*) sim bytes m1 "$PUB" 4500 $esp ;;
	esac
	quiet g1 m1 c1 c2 n1 n2
}

# modes: of ike, natt and esp
modes()
{
	vp -j show | jq -r '[.[] | {(.proto): .mode}] | add | [.ike, .natt, .esp] | join(" ")'
}

set_sysctl() { R sh -c "echo $2 > /proc/sys/net/vpnpass/$1"; }

check "topology" topo 2 1
check "simulator" sim_start
check "sockets" sim_open c1 c2 g1
for i in 1 2; do sim open n$i "${nsp}c$i" "${CIP[i]}" 4500; done
sim open m1 "${nsp}g1" "${GIP[1]}" 4500
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
is "on by default" "$(modes)" "on on on"
check "both clients are up" eval 'v2_up 1 0x101 0xa1 && v2_up 2 0x102 0xa2'
check "NAT-T as well" eval 'on_4500 1 && on_4500 2'
is "sessions" "$(sessions proto ike) $(sessions proto natt)" "2 2"

# --- off ------------------------------------------------------------------------------
check "ike off" vp set ike off
is "its sessions end, natt's do not" "$(sessions proto ike) $(sessions proto natt)" "0 2"
drain c1 c2 g1
check "plain NAT: client 1 has port 500" passes_out 1 500 2 37 I 0x101 0xa1 50 80
out 2 2 37 I 0x102 0xa2 50 80
hear g1
num "and client 2 another" "$port" -ne 500
check "NAT-T goes on" eval 'on_4500 1 && on_4500 2'
check "ike on: both have port 500 again" eval 'vp set ike on && on_500 1 && on_500 2'
check "natt off, by sysctl" set_sysctl natt 0
is "says the tool, and its sessions end" "$(modes), $(sessions proto natt)" "on off on, 0"
check "NAT-T is stock NAT's" eval 'on_4500 1 && on_4500 2'
is "and not watched" "$(sessions proto natt)" 0
check "port 500 goes on" eval 'on_500 1 && on_500 2'
check "natt on: watched again" eval 'vp set natt on && on_4500 1 && on_4500 2'
is "sessions" "$(sessions proto ike) $(sessions proto natt)" "2 2"

# --- block ----------------------------------------------------------------------------
check "natt at block" vp set natt block
check "stops NAT-T of both" eval 'stopped 1 4500 n && stopped 2 4500 n'
num "counted" "$(counter blocked natt)" -ge 2
is "its sessions have ended" "$(sessions proto natt)" 0
check "port 500 goes on" eval 'on_500 1 && on_500 2'
check "natt on, ike at block, by sysctl" eval 'vp set natt on && set_sysctl ike 2'
is "says the tool" "$(modes)" "block on on"
check "stops port 500 of both" eval 'stopped 1 500 c && stopped 2 500 c'
num "counted" "$(counter blocked ike)" -ge 2
check "NAT-T goes on" eval 'on_4500 1 && on_4500 2'
check "what the router itself sends is its own" eval 'sim open r "${nsp}r" "$PUB" 500 &&
	tell r "${GIP[1]}" 500 2 34 I 0x9001 0 0 300 && heard g1 "^$PUB 500 2 34"'
sim close r
# before 5.15 a flow of the router's own takes the port in every zone: docs/limits.md
case $(uname -r) in
5.10.*) R conntrack -D -p udp --orig-port-dst 500 > /dev/null 2>&1 ;;
esac
check "ike on: both are back" eval 'vp set ike on && on_500 1 && on_500 2'

# --- ipsec ----------------------------------------------------------------------------
check "ipsec at block" vp set ipsec block
is "is ike and esp, not natt" "$(modes)" "block on block"
check "port 500 is stopped" stopped 1 500 c
check "NAT-T is not" on_4500 1
check "ipsec off" vp set ipsec off
is "likewise" "$(modes)" "off on off"
check "ipsec on: both are back" eval 'vp set ipsec on && on_500 1 && on_500 2'
is "sessions" "$(sessions proto ike) $(modes)" "2 on on on"

# --- zones of the administrator's -------------------------------------------------------
zones()
{
	R nft -f - <<-E
	table ip zones {
		chain pre {
			type filter hook prerouting priority raw
			iifname lan1 ct original zone set 3
		}
	}
	E
}

check "a zone for client 1's connections" zones
R conntrack -F > /dev/null 2>&1
check "client 2 has port 500" on_500 2
drain c1 c2 g1
out 1 2 37 I 0x101 0xa1 90 80
check "client 1 is heard, from whatever port its rules give" hear g1
to=$port
check "and answered" passes_in 1 2 37 R 0x101 0xa1 90 80
check "NAT-T of both" eval 'on_4500 1 && on_4500 2'
check "modules unload" unload_modules
done_testing
