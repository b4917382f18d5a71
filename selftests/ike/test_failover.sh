#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The word of IKE about a client's ESP holds for the connection that the exchange was made
# by: its way out, which may be another after a failover, the address that the client
# sends to, and its conntrack zone.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+      \_ second line __/
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq
checktool conntrack
PUB2=198.51.100.1

second_line()
{
	ip link add name wan2 netns "${nsp}r" type veth peer name eth1 netns "${nsp}g1" &&
		R ip addr add $PUB2/24 dev wan2 && R ip link set wan2 up &&
		G 1 ip addr add 198.51.100.2/24 dev eth1 && G 1 ip link set eth1 up &&
		R nft add rule ip nat post oifname wan2 masquerade &&
		R sh -c 'echo 0 > /proc/sys/net/ipv4/conf/wan2/rp_filter' &&
		G 1 sh -c 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done'
}

# esp_from i SPI SEQ: an ESP packet of client i's
esp_from()
{
	sim_ip "c$1"
	sim esp "c$1" "$ip" "${GIP[1]}" "$2" "$3"
	[ "$got" = ok ]
}

# esp_arrives_from ADDR SPI: the gateway sees client 1's ESP from there
esp_arrives_from()
{
	local n

	tap_mark
	for n in 1 2 3; do
		esp_from 1 "$2" $n || return
		busywait 1 tap_has 1 "^${nsp}g1 $1 ${GIP[1]} esp $2 " && return
	done
	tap_show
	return 1
}

# tap_lines: as tap, of both of the gateway's devices
tap_lines()
{
	spawn "$(peer rawtap)" "${nsp}g1" eth0 "${nsp}g1" eth1
	tap_log=$spawn_log tap_pid=$spawn_pid
	busywait 20 grep -q ready "$tap_log"
	tap_mark
}

# esp_entry FIELD: what conntrack has of client 1's ESP
esp_entry()
{
	R conntrack -L -s "${CIP[1]}" 2> /dev/null | grep -E '^(esp|unknown) +50 ' | grep -o "$1"
}

# asks MID: until it passes, as a client repeats it
asks()
{
	local n

	for n in 1 2 3; do
		passes_out 1 500 2 36 I 0x101 0xa1 "$1" 300 > /dev/null && return
	done
	return 1
}

other_address()
{
	R nft -f - <<-E
	table ip other {
		chain pre {
			type nat hook prerouting priority dstnat
			ip daddr 203.0.113.5 dnat to ${GIP[1]}
		}
	}
	E
}

zones()
{
	R nft -f - <<-E
	table ip zones {
		chain pre {
			type filter hook prerouting priority raw
			iifname { "lan1", "wan" } ct zone set 5
		}
	}
	E
}

check "topology" topo 2 1
check "second line" second_line
check "simulator" sim_start
check "sockets" sim_open c1 c2 g1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "tap" tap_lines

check "client 1 is up" v2_up 1 0x101 0xa1
is "its ESP is made ready by the first line's address" "$(esp_entry "dst=$PUB ")" "dst=$PUB "
check "the first line fails, its address stays" R ip route replace "${GIP[1]}" \
	via 198.51.100.2 dev wan2
check "the client asks for another SA" asks 2
is "which the gateway hears from the second line" "$from" $PUB2
check "and is answered" eval 'PUB=$PUB2 passes_in 1 2 36 R 0x101 0xa1 2 300'
is "its ESP is made ready by the second line's address" \
	"$(esp_entry "dst=$PUB2 ")" "dst=$PUB2 "
check "and leaves by it" esp_arrives_from $PUB2 0x00001111
check "the first line is back" R ip route del "${GIP[1]}"
check "its ESP moves without a word of IKE's, as on stock" esp_arrives_from "$PUB" 0x00001111

# --- the client's first ESP comes after the failover --------------------------------
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session
check "client 1 is up by the first line" v2_up 1 0x103 0xa3
is "its ESP is made ready there" "$(esp_entry "dst=$PUB ")" "dst=$PUB "
check "the first line fails before it is used" R ip route replace "${GIP[1]}" \
	via 198.51.100.2 dev wan2
tap_mark
check "client 1 sends one packet" esp_from 1 0x00002222 1
check "which leaves by the second line" \
	busywait 10 tap_has 1 "^${nsp}g1 $PUB2 ${GIP[1]} esp 0x00002222 "
check "the first line is back again" R ip route del "${GIP[1]}"

# --- the client knows the gateway by another address ------------------------------
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session
check "a rule leads 203.0.113.5 to the gateway" other_address
check "client 1 sends to that" eval 'tell c1 203.0.113.5 500 2 34 I 0x201 0 0 300 && hear g1 &&
	in_ 500 2 34 R 0x201 0xb1 0 300 && hear c1 &&
	tell c1 203.0.113.5 500 2 35 I 0x201 0xb1 1 300 && hear g1 &&
	in_ 500 2 35 R 0x201 0xb1 1 300 && hear c1'
is "and so does its ESP" "$(esp_entry "dst=203.0.113.5 ")" "dst=203.0.113.5 "
check "the rule goes" R nft delete table ip other

# --- entries that another router has handed over -----------------------------------
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session
check "client 1's entry is there, in a reply zone" R "$selftests/faults/ctnetlink.py" \
	create 17 "${CIP[1]}" "${GIP[1]}" "$PUB" 500 1
check "another client begins beside it" v2_up 2 0x402 0xe2
check "client 1 is heard from port 500" passes_out 1 500 2 37 I 0x401 0xe1 5 80
check "and answered" passes_in 1 2 37 R 0x401 0xe1 5 80
check "neither hears the other's" quiet c1 c2
is "both have sessions" "$(sessions proto ike)" 2

# --- zones ------------------------------------------------------------------------
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session
check "the administrator has zones" zones
check "client 1 is up, in a zone" eval 'gw=1 v2_up 1 0x301 0xc1'
is "its ESP is made ready in that zone" "$(esp_entry "zone=5")" "zone=5"
check "modules unload" unload_modules
done_testing
