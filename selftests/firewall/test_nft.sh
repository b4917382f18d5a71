#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packaging/firewall/vpnpass.nft in a forward chain that drops all else: what
# passthrough needs passes, and nothing more.
#
#   c1 ---+--- r (masquerade, drop by default) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool socat
sim=$(peer pptp_sim) || skip_all "no compiler"
snippet=$selftests/../packaging/firewall/vpnpass.nft

# firewall [RULE]: what an admin would write, with RULE in the chain
firewall()
{
	R nft -f - <<-E
	define vpnpass_lan = { "lan1", "lan2" }
	define vpnpass_wan = { "wan" }
	table inet filter
	delete table inet filter
	table inet filter {
		include "$snippet"
		chain forward {
			type filter hook forward priority filter; policy drop;
			${1-}
			counter comment "dropped"
		}
	}
	E
}

dropped()
{
	R nft -j list chain inet filter forward |
		jq '[.. | .counter? | objects | .packets] | add'
}

# udp_passes NS1 NS2 ADDRESS PORT [SECONDS]: whether a datagram arrives, and its
# answer comes back
udp_passes()
{
	local limit=$((${5:-20} * ${VPNPASS_SLOW:-1})) answer

	spawn ip netns exec "$nsp$2" socat "UDP4-RECVFROM:$4,fork" EXEC:cat
	busywait 20 listens "$2" "$4" || return 2
	# dd takes a datagram whole, and ends with it
	answer=$(ip netns exec "$nsp$1" timeout $limit bash -c "exec 3<> /dev/udp/$3/$4
		echo hello >&3; dd bs=64 count=1 status=none <&3")
	kill "$spawn_pid"
	[ "$answer" = hello ]
}

# kept_out NS1 NS2 ADDRESS PORT: the chain dropped it
kept_out()
{
	local before

	before=$(dropped)
	udp_passes "$@" 4 && return 1
	[ "$(dropped)" -gt "$before" ]
}

listens()
{
	ip netns exec "$nsp$1" ss -Hlun | grep -q ":$2 "
}

pptp_case()
{
	"$sim" "$nsp" "$1" | cut -d' ' -f2
}

check "topology" topo 2 1
need_esp
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_pptp
check "SAs" esp_up "1 2"
check "a chain that drops everything" firewall
esp_pings "1 2" -c 2 -i 100 -w 500
is "no ESP passes" "$(esp_answered)" 0
is "no PPTP passes" "$(pptp_case one_call)" fail
is "no PPTP passes: what it dropped was counted" "$(test "$(dropped)" -gt 0 && echo yes)" yes

check "the same chain with the snippet" firewall "jump vpnpass"
is "two ESP clients work" "$(esp_settle "1 2" && esp_pings "1 2" -c 5 && esp_lost)" 0
is "two PPTP clients work, GRE and all" "$(pptp_case two_clients_one_id)" pass
is "ICMP errors about their GRE arrive" "$(pptp_case icmp_quotes)" pass
for port in 500 1701 4500; do
	check "UDP port $port passes, and its answer" udp_passes c1 g1 "${GIP[1]}" $port
done
check "UDP port 4501 does not" kept_out c1 g1 "${GIP[1]}" 4501
G 1 ip route add 10.0.0.0/8 via "$PUB"
check "a gateway that begins with port 500 is kept out" \
	kept_out g1 c1 "${CIP[1]}" 500
check "a client does not reach another LAN's port 500" \
	kept_out c1 c2 "${CIP[2]}" 500
check_fails "a ping does not pass" \
	C 1 ping -n -c 1 -W 1 "${GIP[1]}"
check "a ping would pass, but for the chain" eval \
	'firewall accept && C 1 ping -n -c 1 -W 2 "${GIP[1]}"'
check "the gateway would pass, but for the chain" \
	udp_passes g1 c1 "${CIP[1]}" 500
check "modules unload" unload_modules
done_testing
