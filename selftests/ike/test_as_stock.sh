#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets that a router without vpnpass delivers arrive with it: messages of a gateway's that
# nobody can read, an address that is on no interface, the address of a range that a
# client's other packets leave by; and a server behind a DNAT rule keeps what its
# rule gives it.
#
#   c1 ---+
#   c2 ---+--- r (NAT) ---- g1
#   c3 ---+    (a server, behind dnat)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/sim.sh"
checktool jq

# header ISPI RSPI NEXT VERSION EXCHANGE FLAGS MID LENGTH: hex digits in $hex
header()
{
	printf -v hex '%016x%016x%02x%02x%02x%02x%08x%08x' "$@"
}

# bytes_in: $hex from the gateway
bytes_in()
{
	local pub=$PUB

	[ -z "$sim6" ] || pub=$PUB6
	sim bytes g1 "$pub" 500 "$hex"
	[ "$got" = ok ]
}

# odd NAME: an answer to client 1's first message as NAME has it, in $hex
odd()
{
	local tail

	tail=$(printf '%0544d' 0)	# 272 octets: 300 in all
	case $1 in
	"octets behind its length") header 0x901 0x902 0 0x20 34 0x20 0 280 ;;
	"a length beyond its end") header 0x901 0x902 0 0x20 34 0x20 0 400 ;;
	"a message ID that it cannot have") header 0x901 0x902 0 0x20 34 0x20 7 300 ;;
	"flags that contradict") header 0x901 0x902 0 0x20 34 0x28 0 300 ;;
	"version 3") header 0x901 0x902 0 0x30 34 0x20 0 300 ;;
	"no responder's SPI") header 0x901 0 0 0x20 35 0x20 1 300 ;;
	"exchange type 0") header 0x901 0x902 0 0x20 0 0x20 0 300 ;;
	"another initiator's SPI") header 0x909 0x908 0 0x20 35 0x20 1 300 ;;
	"a new exchange of the gateway's") header 0x9090 0 0 0x20 34 0x08 0 300 ;;
	"a vendor ID before the SA") header 0x9091 0 13 0x10 2 0 0 300 ;;
	"no SPI") header 0 0 0 0x20 34 0x20 0 300 ;;
	"12 octets") hex=000000000000090100000000 tail= ;;
	"1 octet") hex=ff tail= ;;
	esac
	hex=$hex$tail
}

answers=("octets behind its length" "a length beyond its end" "a message ID that it cannot have"
	"flags that contradict" "version 3" "no responder's SPI" "exchange type 0"
	"another initiator's SPI" "a new exchange of the gateway's" "no SPI" "12 octets" "1 octet")

# all_arrive WHERE: client 1 gets each of them
all_arrive()
{
	local a

	check "$1: client 1 begins" passes_out 1 500 2 34 I 0x901 0 0 300
	for a in "${answers[@]}"; do
		odd "$a"
		check "$1: an answer with $a arrives" eval 'bytes_in && hear c1'
	done
	check "$1: client 1 is asked in full" passes_in 1 2 34 R 0x901 0x902 0 300
	check "$1: nothing was doubled" quiet c1
}

# nat RULE...: the router's rule for what leaves by wan, instead of masquerade
nat()
{
	R nft -f - <<-N
	flush chain ip nat post
	add rule ip nat post oifname "wan" $*
	N
	R conntrack -F 2> /dev/null
	# NAT repeats the translation of a connection that a session still holds
	[ ! -e /proc/sys/net/vpnpass ] || busywait 20 vp_is 'length == 0' session
}

# leaves_by i: addresses of client i's IKE and NAT-T, in $addresses
leaves_by()
{
	local ike

	sim_ip g1
	tell "c$1" "$ip" 500 2 34 I "0xa0$1" 0 0 300 && hear g1 || return 1
	ike=$from:$port
	sim bytes "n$1" "$ip" 4500 ff
	hear m1 && addresses="$ike $from"
}

all_leave_by()
{
	local i all=

	for i in 1 2; do
		leaves_by $i || return 1
		all+="$addresses "
	done
	echo "$all"
}

server_rule()
{
	R nft -f - <<-E
	table ip server {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan" udp dport 500 dnat to ${CIP[3]}
			iifname "wan" meta l4proto esp dnat to ${CIP[3]}
		}
	}
	E
}

check "topology" topo -6 3 1
check "simulator" sim_start
check "sockets" sim_open c1 c2 c3 g1
for i in 1 2; do
	sim open n$i "${nsp}c$i" "${CIP[i]}" 4500
done
sim open m1 "${nsp}g1" "${GIP[1]}" 4500
check "the gateway's routes lead to the router" eval '
	G 1 ip route add 192.0.2.77 via $PUB && G 1 ip route add 192.0.2.128/25 via $PUB'

# --- stock -----------------------------------------------------------------------
all_arrive "stock"
nat snat to 192.0.2.77
PUB=192.0.2.77
all_arrive "stock, an address on no interface"
PUB=192.0.2.1
nat snat to 192.0.2.128-192.0.2.191
stock=$(all_leave_by)
check "stock: IKE and NAT-T of a client leave by one address of a range" \
	test "${stock%%:*}" = "$(cut -d' ' -f2 <<< "$stock")"
drain c1 c2 g1 m1
nat masquerade

# --- vpnpass ---------------------------------------------------------------------
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
all_arrive "vpnpass"
is "vpnpass: there is one session" "$(sessions proto ike)" 1
nat snat to 192.0.2.77
PUB=192.0.2.77
all_arrive "vpnpass, an address on no interface"
PUB=192.0.2.1
nat snat to 192.0.2.128-192.0.2.191
is "vpnpass: what leaves by an address of a range leaves by the same" "$(all_leave_by)" "$stock"
drain c1 c2 g1 m1
first=${stock%%:*}
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session
PUB=$first
check "the gateway sends to that address first" in_ 500 2 34 I 0x5000 0 0 300
PUB=192.0.2.1
check "the client's IKE leaves by it all the same" leaves_by 1
is "and from port 500" "${addresses% *}" "$first:500"
drain c1 c2 g1 m1

# a rule that gives the port away has the last word
nat meta l4proto udp masquerade to :4000-4999
check "a range of ports: the client is heard" eval 'out 1 2 34 I 0xb01 0 0 300 && hear g1'
check "from a port of the range" test "$port" -ge 4000 -a "$port" -le 4999
check "and is answered there" eval 'to=$port passes_in 1 2 34 R 0xb01 0xb02 0 300'
nat masquerade

# nothing that comes to port 500 is for a client that asks from another port
check "a client on another port" eval 'sim open other "${nsp}c3" "${CIP[3]}" 28099 &&
	tell other "${GIP[1]}" 500 2 34 I 0xd01 0 0 300 && hear g1'
check "a client on another port: one on port 500 beside it" v2_init 1 0xc01 0xc02
hex=040000000d802d94dffec20a8067373b27e97339d9ab624972efa7800e632b91
check "what cannot be read goes to the only client on port 500" eval 'bytes_in && hear c1'
check "what cannot be read goes to no client on another port" quiet other
R conntrack -F 2> /dev/null
check "a client on another port: both sessions end" busywait 20 vp_is 'length == 0' session

# two clients: the number alone decides
check "clients 1 and 2" eval 'v2_init 1 0x901 0x902 && v2_init 2 0x911 0x912'
odd "octets behind its length"
check "two clients: one's answer with octets behind its length is its own" \
	eval 'bytes_in && hear c1 && quiet c2'
is "both have sessions" "$(sessions proto ike client "${CIP[1]}") $(sessions proto ike client "${CIP[2]}")" "1 1"
odd "no SPI"
check "two clients: what is nobody's reaches none" eval 'bytes_in && quiet c1 c2'

# --- ICMP ------------------------------------------------------------------------
# of UDP an error need not quote more than the ports
icmp_500()
{
	G 1 "$(peer icmperr)" -s "${GIP[1]}" -d "$PUB" -S "$PUB" -D "${GIP[1]}" -p 17 \
		-i 0x01f401f4 -m "$1"
}

check "taps for ICMP" tap c1 c2
for i in 2 1; do
	check "client $i asks" passes_out $i 500 2 37 I "0x9$((i - 1))1" "0x9$((i - 1))2" 5 80
	icmp_500 130$i
	check "an ICMP error that quotes 8 octets goes to the client that was heard last, $i" \
		busywait 10 tap_has 1 "^${nsp}c$i ${GIP[1]} ${CIP[i]} icmp 3 4 130$i "
done
drain c1 c2 g1

# --- IPv6 ------------------------------------------------------------------------
sim6=6
for n in c1 c2 g1; do sim close $n; done
check "sockets, IPv6" sim_open c1 c2 g1
all_arrive "vpnpass, IPv6"

# --- a server inside ---------------------------------------------------------------
sim6=
for n in c1 c2 g1; do sim close $n; done
check "sockets, IPv4" sim_open c1 c2 g1
R conntrack -F 2> /dev/null
check "a rule leads port 500 to client 3" server_rule
check "client 1 is up" v2_up 1 0x101 0xa1
odd "a vendor ID before the SA"
check "what begins with a vendor ID is for the server alone" eval 'bytes_in && hear c3 && quiet c1'
R conntrack -D -p udp -s "${GIP[1]}" 2> /dev/null
check "what the gateway begins is for the server" passes_in 3 2 34 I 0x5001 0 0 300
check "and not for the client" quiet c1
check "it answers" passes_out 3 500 2 34 R 0x5001 0x5002 0 300
check "the exchange goes on" eval 'passes_in 3 2 35 I 0x5001 0x5002 1 300 &&
	passes_out 3 500 2 35 R 0x5001 0x5002 1 300'
check "the client's goes on as well" eval 'passes_in 1 2 37 - 0x101 0xa1 0 80 &&
	passes_out 1 500 2 37 IR 0x101 0xa1 0 80'
check "another client keeps port 500 beside it" v2_up 2 0x102 0xa2

# --- ESP that the gateway sends first ------------------------------------------------
# esp_in SPI, esp_out i SPI: two packets of the gateway's, of client i's
esp_in() { G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -i "$1" -q 1 -n 2 -r 50 > /dev/null; }
esp_out() { C "$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" -i "$2" -q 1 -n 2 -r 50 > /dev/null; }

check "the clients' SAs are known" busywait 20 vp_is 'length == 2' session proto esp
kill "$tap_pid"
check "taps for ESP" tap c1 c2 c3 g1
check "the gateway sends ESP before a client does" esp_in 0xe5000001
check "a rule leads ESP to the server: the server has it" \
	busywait 20 tap_has 2 "^${nsp}c3 .* esp 0xe5000001 "
is "and no client" "$(tap_seen "^${nsp}c[12] .* esp ")" 0
R conntrack -F 2> /dev/null
check "all sessions end" busywait 20 vp_is 'length == 0' session
# the two flows need one tuple, so NAT gives the gateway another port; not its ESP
check "the server uses port 500 by itself" passes_out 3 500 2 34 I 0x107 0 0 300
check "the gateway begins with the server beside it" eval 'in_ 500 2 34 I 0x5004 0 0 300 && hear c3'
check "it asks the server for an SA" eval 'in_ 500 2 35 I 0x5004 0x5005 1 300 && hear c3'
tap_mark
check "the gateway sends the server ESP" esp_in 0xe5000005
check "the server has it" busywait 20 tap_has 2 "^${nsp}c3 .* esp 0xe5000005 "
check "the server reports an error about it" C 3 "$(peer icmperr)" -s "${CIP[3]}" -d "${GIP[1]}" \
	-S "${GIP[1]}" -D "${CIP[3]}" -p 50 -i 0xe5000005 -m 1305
check "the error comes from the router's address, as on stock" \
	busywait 10 tap_has 1 "^${nsp}g1 $PUB ${GIP[1]} icmp 3 4 1305 "
R conntrack -F 2> /dev/null
check "the server's sessions end" busywait 20 vp_is 'length == 0' session
check "the server asks for an SA of its own" v2_up 3 0x108 0xa8
check "its ESP is made ready" busywait 20 vp_is 'length == 1' session proto esp client "${CIP[3]}"
tap_mark
check "the gateway sends ESP to it first" esp_in 0xe5000004
check "rule and SA lead to the same host: it has it" \
	busywait 20 tap_has 2 "^${nsp}c3 .* esp 0xe5000004 "
check "nothing went astray" quiet c1 c2 c3
check "the rule goes" R nft delete table ip server
R conntrack -F 2> /dev/null
check "sessions end" busywait 20 vp_is 'length == 0' session proto ike
check "without it, clients are asked" eval 'v2_up 1 0x101 0xa1 && passes_in 1 2 34 I 0x5003 0 0 300'
check "sessions of ESP" busywait 20 vp_is 'length == 1' session proto esp
tap_mark
check "without the rule, the gateway sends ESP first" esp_in 0xe5000002
check "it reaches the client" busywait 20 tap_has 2 "^${nsp}c1 .* esp 0xe5000002 "
check "the client answers" esp_out 1 0xe5000003
check "the gateway hears it" busywait 20 tap_has 2 "^${nsp}g1 .* esp 0xe5000003 "
check "modules unload" unload_modules
done_testing
