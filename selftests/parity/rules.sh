# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two routers with the same rules, for test_parity.sh and lane.sh; sourced after lib.sh.
#
#   v: all switches on   v-lan --- lan +---+ wan  --- v-wan      (default route)
#                        v-dmz --- dmz | v | wan2 --- v-wan2
#                                      +---+
#   s: all switches off  the same with s-, and what rules drop is logged for the engine
# All outer ends are in t, where the engine is. Hosts exist in its frames only:
# clients 10.64.0.0/10, server 10.9.0.2, gateways 198.18.0.0/15; fd00:64::, fd00:9::2,
# 2001:db9::.
parity_routers="v s"
parity_doc=$selftests/../docs/parity.md

parity_links()
{
	local r d

	echo "netns add ${nsp}t"
	for r in $parity_routers; do
		echo "netns add $nsp$r"
		for d in lan wan wan2 dmz; do
			echo "link add name $d netns $nsp$r address 02:00:00:00:00:01 type veth" \
				"peer name $r-$d netns ${nsp}t address 02:00:00:00:00:02"
		done
	done
}

parity_router()
{
	local d

	cat <<-E
	link set lo up
	addr add 10.0.0.1/30 dev lan
	addr add 192.0.2.1/24 dev wan
	addr add 192.0.3.1/24 dev wan2
	addr add 10.9.0.1/24 dev dmz
	addr add fd00:0:0:1::1/64 dev lan nodad
	addr add fd00:9::1/64 dev dmz nodad
	addr add 2001:db8:2::1/64 dev wan nodad
	addr add 2001:db8:3::1/64 dev wan2 nodad
	E
	for d in lan wan wan2 dmz; do echo "link set $d up"; done
	cat <<-E
	neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev lan
	neigh replace 192.0.2.2 lladdr 02:00:00:00:00:02 dev wan
	neigh replace 192.0.3.2 lladdr 02:00:00:00:00:02 dev wan2
	neigh replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev dmz
	neigh replace fd00:0:0:1::2 lladdr 02:00:00:00:00:02 dev lan
	neigh replace fd00:9::2 lladdr 02:00:00:00:00:02 dev dmz
	neigh replace 2001:db8:2::2 lladdr 02:00:00:00:00:02 dev wan
	neigh replace 2001:db8:3::2 lladdr 02:00:00:00:00:02 dev wan2
	route add 10.64.0.0/10 via 10.0.0.2
	route add default via 192.0.2.2 proto static
	route add default via 192.0.3.2 table 101
	route add 10.64.0.0/10 via 10.0.0.2 table 101
	route add fd00:64::/32 via fd00:0:0:1::2
	route add default via 2001:db8:2::2 proto static
	rule add fwmark 1 lookup 101 pref 100
	E
}

parity_sysctl()
{
	ip netns exec "$nsp$1" sh -c 'cd /proc/sys/net
		echo 1 > ipv4/ip_forward
		echo 1 > ipv6/conf/all/forwarding
		for f in ipv4/conf/*/rp_filter; do echo 0 > $f; done
		echo 0 > ipv4/conf/all/send_redirects
		for f in ipv4/conf/*/send_redirects; do echo 0 > $f; done'
}

parity_down()
{
	local r

	for r in t $parity_routers; do echo "netns del $nsp$r"; done | ip -force -batch -
}

# parity_up: both routers without rules, and the modules
parity_up()
{
	local r d

	need_root
	checktool ip iproute2
	checktool nft nftables
	modprobe -qa veth vrf nf_conntrack nf_conntrack_netlink nf_tables nft_ct nft_masq nft_nat \
		nft_chain_nat nft_log nfnetlink_log
	at_exit parity_down
	parity_links | ip -batch - || return 1
	ip netns exec "${nsp}t" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'
	for r in $parity_routers; do
		for d in lan wan wan2 dmz; do echo "link set $r-$d up"; done
	done | ip -n "${nsp}t" -batch - || return 1
	for r in $parity_routers; do
		parity_router | ip -n "$nsp$r" -batch - || return 1
		parity_sysctl "$r" || return 1
	done
	conntrack_room 500000
	load_modules || return 1
	"$VPNPASS" -n "${nsp}v" set all on && "$VPNPASS" -n "${nsp}s" set all off || return 1
	for r in ${VPNPASS_PARITY_FAST:+esp pptp l2tp}; do
		"$VPNPASS" -n "${nsp}v" set "$r" fast "$VPNPASS_PARITY_FAST" || return 1
	done
}

# parity_fast: prints how many packets went fast
parity_fast()
{
	"$VPNPASS" -j -n "${nsp}v" stats | jq '[.[].counters.fast_packets // 0] | add'
}

# nat POST [PRE]: chains of a nat table; $family is ip or ip6
nat()
{
	printf 'table %s nat {\n' "${family:-ip}"
	printf 'chain post { type nat hook postrouting priority srcnat; %s; }\n' "$1"
	[ -z "${2-}" ] || printf 'chain pre { type nat hook prerouting priority dstnat; %s; }\n' "$2"
	printf '}\n'
}

# forward RULES: what they do not accept is dropped, by stock with a copy to the engine
forward()
{
	cat <<-E
	table ${family:-ip} filter {
		chain gone {
			$log
			drop
		}
		chain forwarded {
			type filter hook forward priority filter; policy accept;
			$1
			jump gone
		}
	}
	E
}

masquerade='oifname { "wan", "wan2" } masquerade'
server_ports='iifname { "wan", "wan2" } udp dport { 500, 4500, 1701 } dnat to 10.9.0.2;
	iifname { "wan", "wan2" } tcp dport 1723 dnat to 10.9.0.2;
	iifname { "wan", "wan2" } ip protocol { 47, 50, 115 } dnat to 10.9.0.2'

# The rule sets: rules_NAME prints the nftables rules, words_NAME says what the engine
# is to know of them.
words_masquerade="router 1"
rules_masquerade() { nat "$masquerade"; }

words_range=
rules_range() { nat 'oifname "wan" snat to 192.0.2.10-192.0.2.13'; }

words_persistent=
rules_persistent() { nat 'oifname "wan" snat to 192.0.2.10-192.0.2.13 persistent'; }

words_nowhere="pub 203.0.113.77"
rules_nowhere() { nat 'oifname "wan" snat to 203.0.113.77'; }

words_ports="random-port 1"
rules_ports()
{
	nat 'oifname "wan" meta l4proto { tcp, udp } masquerade to :20000-30000; oifname "wan" masquerade'
}

words_two_wans="failover 1"
rules_two_wans() { nat "$masquerade"; }

words_server="server 1"
rules_server() { nat "$masquerade" "$server_ports"; }

# ESP and GRE are not accepted, what begins them is
words_drop=
rules_drop()
{
	nat "$masquerade"
	forward 'ct state established accept; meta l4proto { esp, gre, 115 } jump gone;
		iifname "lan" udp dport { 500, 4500, 1701 } accept;
		iifname "lan" tcp dport 1723 accept; meta l4proto icmp accept'
}

# all from inside, nothing that is only related
words_established=
rules_established()
{
	nat "$masquerade"
	forward 'ct state established accept; ct state invalid jump gone; iifname "lan" accept'
}

# rules as home routers have them
words_related=
rules_related()
{
	nat "$masquerade"
	forward 'ct state established,related accept; ct state invalid jump gone;
		iifname "lan" meta l4proto { udp, tcp, esp } accept'
}

words_server_drop="server 1"
rules_server_drop()
{
	nat "$masquerade" "$server_ports"
	forward 'ct state established,related accept; iifname "lan" accept; iifname "dmz" accept;
		ct status dnat udp dport { 500, 4500 } accept; ct status dnat ip protocol 50 accept'
}

# IKE and what follows from it leave by the other WAN
words_marks=
rules_marks()
{
	nat "$masquerade"
	cat <<-E
	table ip mangle {
		chain pre {
			type filter hook prerouting priority mangle
			meta mark set ct mark
			meta mark != 0 accept
			iifname "lan" udp dport { 500, 4500 } meta mark set 1
			iifname "lan" tcp dport 1723 meta mark set 1
			ct mark set meta mark
		}
	}
	E
}

words_zones=
rules_zones()
{
	nat "$masquerade"
	cat <<-E
	table ip raw {
		chain pre {
			type filter hook prerouting priority raw
			iifname { "lan", "wan", "wan2", "dmz" } ct zone set 5
		}
		chain out {
			type filter hook output priority raw
			ct zone set 5
		}
	}
	E
}

words_vrf=
rules_vrf() { nat "$masquerade"; }

six="six 1 pub 2001:db8:2::1 pub2 2001:db8:3::1"
words_masquerade6=$six
rules_masquerade6() { family=ip6 nat "$masquerade"; }

words_routed6="$six routed 1"
rules_routed6()
{
	family=ip6 forward 'ct state established,related accept; ct state invalid jump gone;
		iifname "lan" meta l4proto { udp, tcp, esp, ipv6-icmp } accept'
}

parity_sets="masquerade range persistent nowhere ports two_wans server drop established related
	server_drop marks zones masquerade6 routed6 vrf"

parity_vrf()
{
	local r d

	for r in $parity_routers; do
		{
			echo "link add vrf-b type vrf table 20"
			echo "link set vrf-b up"
			for d in lan wan wan2 dmz; do echo "link set $d master vrf-b"; done
			parity_router | grep -E '^(neigh|route)' | grep -v :: |
				sed '/table/d; s/^route .*/& table 20/; s/^route add /route replace /'
		} | ip -n "$nsp$r" -batch - || return 1
	done
}

# parity_rules NAME: loads them in both
parity_rules()
{
	local r log

	[ "$1" != vrf ] || parity_vrf || return 1
	for r in $parity_routers; do
		log=counter
		[ $r != s ] || log='log group 5'
		{ echo "flush ruleset"; "rules_$1"; } > "$scratch/rules"
		ip netns exec "$nsp$r" nft -f "$scratch/rules" || { cat "$scratch/rules"; return 1; }
	done
}

# parity_play NAME SEED COUNT [WORD VALUE...]: the engine's report; 1 when there is a difference
parity_play()
{
	local words=words_$1

	# shellcheck disable=SC2086
	timeout "${VPNPASS_PARITY_SECONDS:-300}" \
		ip netns exec "${nsp}t" "$selftests/parity/bin/parity" "$1" "${nsp}v" "${nsp}s" \
		pub 192.0.2.1 pub2 192.0.3.1 ${!words} seed "$2" count "$3" hosts "$scratch/hosts" \
		corpus "$selftests/parity/corpus/captures.txt" intended "$parity_doc" "${@:4}"
}
