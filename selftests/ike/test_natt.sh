#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# NAT-T by the message: IKE that moves from port 500 to 4500, what is counted
# there, timeouts, a client and a gateway that change their address (MOBIKE, RFC
# 4555), `conntrack -F` and another WAN address. Translation is stock NAT's.
#
#   c1 ---+                       +--- g1
#         +--- r (masquerade) ----+
#   c2 ---+                       +--- g2 (where the gateway moves to)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

# RFC 3948: ESP in UDP (SPI, sequence number, data), keepalive
esp=a1b2c3d400000001$(printf '%080d' 0)
keepalive=ff

# up NAME ADDR WHAT...: from that socket to port 4500 of the gateway, heard there;
# sets $nat, the port it came from
up()
{
	local name=$1 gw=$2

	shift 2
	case $1 in
	bytes) sim bytes "$name" "${GIP[${gw#m}]}" 4500 "$2" ;;
	*) sim marked "$name" "${GIP[${gw#m}]}" 4500 "$@" ;;
	esac
	[ "$got" = ok ] && hear "$gw" && [ "$from" = "$PUB" ] && nat=$port
}

# down NAME GW WHAT...: the gateway's answer to port $nat reaches that socket
down()
{
	local name=$1 gw=$2

	shift 2
	case $1 in
	bytes) sim bytes "$gw" "$PUB" "$nat" "$2" ;;
	*) sim marked "$gw" "$PUB" "$nat" "$@" ;;
	esac
	[ "$got" = ok ] && hear "$name" && [ "$from" = "${GIP[${gw#m}]}" ]
}

# float i: an SA that begins on port 500 and moves with its third message
float()
{
	v2_init "$1" 0x10$1 0xa$1 &&
		up n$1 m1 2 35 I 0x10$1 0xa$1 1 300 && down n$1 m1 2 35 R 0x10$1 0xa$1 1 300
}

natt_state() { vp -j session proto natt client "$1" | jq -r '[.[].state] | join(" ")'; }

# timeout_of ADDRESS: seconds that conntrack gives that client's flow to port 4500
timeout_of()
{
	R conntrack -L -p udp --orig-src "$1" --orig-port-dst 4500 2> /dev/null |
		awk '{ print $3; exit }'
}

check "topology" topo 2 2
check "simulator" sim_start
check "sockets" sim_open c1 c2 g1
for i in 1 2; do
	sim open n$i "${nsp}c$i" "${CIP[i]}" 4500
	sim open m$i "${nsp}g$i" "${GIP[i]}" 4500
done
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike

# --- 500 to 4500 ------------------------------------------------------------------
check "client 1 moves" float 1
is "from port 4500, as stock NAT has it" "$nat" 4500
check "client 2 moves" float 2
num "and has another port" "$nat" -ne 4500
is "their sessions on port 500 say so" "$(ike_state 1), $(ike_state 2)" \
	"moved to NAT-T, moved to NAT-T"
is "on port 4500 there is no ESP yet" "$(natt_state "${CIP[1]}") $(natt_state "${CIP[2]}")" \
	"half-open half-open"
n=$(counter esp natt)
check "client 2: ESP in UDP, both ways" eval \
	'up n2 m1 bytes $esp && down n2 m1 bytes $esp'
is "counted" "$(counter esp natt)" $((n + 2))
is "its session is up, client 1's is not" \
	"$(natt_state "${CIP[1]}") $(natt_state "${CIP[2]}")" "half-open established"
is "no ESP session comes of it" "$(sessions proto esp)" 0
n=$(counter ike natt)
check "IKE behind the marker" up n1 m1 2 37 I 0x101 0xa1 2 80
is "counted as IKE" "$(counter ike natt)" $((n + 1))

# --- a port of each helper's at either end --------------------------------------------
# crossed ISPI RSPI: an exchange from port 4500 of client 2 to the gateway's 500
crossed()
{
	sim send n2 "${GIP[1]}" 500 2 34 I "$1" 0 0 300
	[ "$got" = ok ] && hear g1 && [ "$from" = "$PUB" ] || return 1
	sim send g1 "$PUB" "$port" 2 34 R "$1" "$2" 0 300
	[ "$got" = ok ] && heard n2 "^${GIP[1]} 500 2 34 R "
}
check "IKE from port 4500 to port 500, both ways" eval \
	'crossed 0x2e1 0xe1 && crossed 0x2e2 0xe2 && crossed 0x2e3 0xe3'
check "it is a session of IKE's" vp_is 'any(.state == "half-open")' \
	session proto ike client "${CIP[2]}"
R conntrack -D -p udp --orig-port-src 4500 --orig-port-dst 500 > /dev/null 2>&1
check "which ends as such" busywait 20 vp_is 'length == 1' session proto ike client "${CIP[2]}"

# --- keepalives --------------------------------------------------------------------
n=$(counter keepalive natt)
check "a keepalive passes" up n1 m1 bytes $keepalive
is "counted as such" "$(counter keepalive natt)" $((n + 1))
num "an answered flow outlives many of them" "$(timeout_of "${CIP[1]}")" -ge 100
sim open n1y "${nsp}c1" "${CIP[1]}" 4501
sim bytes n1y "${GIP[2]}" 4500 $keepalive
sim bytes n1y "${GIP[2]}" 4500 $keepalive
check "two to who does not answer" eval 'hear m2 && hear m2'
num "that flow outlives one every 20 s" "$(R conntrack -L -p udp --orig-port-src 4501 \
	2> /dev/null | awk '{ print $3; exit }')" -ge 25
bad=$(counter malformed natt)
check "a marker alone passes" up n1 m1 bytes 00000000
check "a reserved SPI passes" up n1 m1 bytes "000000ff00000001${esp:16}"
num "as malformed" "$(counter malformed natt)" -ge $((bad + 1))

# --- addresses change ----------------------------------------------------------------
C 1 ip addr add 10.0.1.77/24 dev eth0
check "client 1 gets another address" sim open n1b "${nsp}c1" 10.0.1.77 4500
check "MOBIKE: it tells the gateway from there" up n1b m1 2 37 I 0x101 0xa1 3 120
check "and is answered there" down n1b m1 2 37 R 0x101 0xa1 3 120
check "ESP goes on" eval 'up n1b m1 bytes $esp && down n1b m1 bytes $esp'
is "a session of its own" "$(natt_state 10.0.1.77)" established
check "the gateway moves: the client goes there" up n1b m2 2 37 I 0x101 0xa1 4 120
check "and is answered" down n1b m2 2 37 R 0x101 0xa1 4 120
check "ESP there" eval 'up n1b m2 bytes $esp && down n1b m2 bytes $esp'
check "client 2 saw none of it" quiet n2 c2

R conntrack -F > /dev/null 2>&1
check "conntrack -F ends what is shown" busywait 20 vp_is 'length == 0' session proto natt
check "client 2 comes back" eval 'up n2 m1 bytes $esp && down n2 m1 bytes $esp'
is "and is watched again" "$(natt_state "${CIP[2]}")" established
check "client 1 comes back on port 500" v2_up 1 0x111 0xb1

ip -n "${nsp}r" -batch - <<-E
	addr add 192.0.2.200/24 dev wan
	addr del $PUB/24 dev wan
E
old=$PUB PUB=192.0.2.200
ip -n "${nsp}r" addr replace $PUB/24 dev wan
check "another WAN address: what is on the old one ends" busywait 10 vp_is \
	"all(.[]; .local != \"$old\")" session
check "NAT-T comes back" eval 'up n2 m1 bytes $esp && down n2 m1 bytes $esp'
check "port 500 as well, in mid-life" eval \
	'passes_out 1 500 2 37 I 0x111 0xb1 2 80 && passes_in 1 2 37 R 0x111 0xb1 2 80'
check "and for the other client" v2_up 2 0x112 0xb2
is "all on the new one" "$(vp -j session | jq -r '[.[].local] | unique | join(" ")')" $PUB

# --- flowtables -----------------------------------------------------------------------
flowtable()
{
	modprobe -qa nft_flow_offload nf_flow_table_inet
	R nft -f - 2> /dev/null <<-E
	table inet fast {
		flowtable ft { hook ingress priority filter; devices = { wan, lan1, lan2 }; }
		chain forward {
			type filter hook forward priority filter
			meta l4proto udp flow add @ft
		}
	}
	E
}

# offloaded PORT: flows to it that a flowtable has
offloaded() { R conntrack -L -p udp --orig-port-dst "$1" 2> /dev/null | grep -c OFFLOAD; }

R conntrack -F > /dev/null 2>&1
if flowtable; then
	check "a flowtable: ESP in UDP, both ways" eval 'for k in 1 2 3; do
		up n2 m1 bytes $esp && down n2 m1 bytes $esp || break; done'
	num "goes by it" "$(offloaded 4500)" -ge 1
	check "IKE on port 500, both ways" v2_up 1 0x121 0xc1
	check "and again" eval \
		'passes_out 1 500 2 37 I 0x121 0xc1 2 80 && passes_in 1 2 37 R 0x121 0xc1 2 80'
	is "does not: all of it is read" "$(offloaded 500)" 0
	R nft delete table inet fast
else
	skip "a flowtable" "this kernel has none"
fi
check "modules unload" unload_modules
done_testing
