#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# PPTP with the peers that people have: pptp-linux and pppd, pptpd and pppd.
#
#   c1 ---+
#   c2 ---+--- r (masquerade; a client itself) ---- g1 (pptpd)
#   c3 ---+
# and at last the other way round: pptpd on c1, to which r leads port 1723.
. "$(dirname "$0")/../lib.sh"
pptp_tools

# every session's own call ID as the server knows it
numbers()
{
	vp -j session proto pptp | jq -r '.[].call_id[] | select(.dir == "in") | .number'
}

server_inside()
{
	R nft -f - <<-E
	table ip inside {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan" ip daddr $PUB tcp dport 1723 dnat to ${CIP[1]}
		}
	}
	E
}

check "topology" topo 3 1
check "modules load" load_modules vpnpass vpnpass_pptp
check "server" pptp_server g1
pptp_dial c1 "${GIP[1]}"
dial1=$spawn_pid
check "first client up" busywait 30 pptp_up c1
is "first client's pings answered" "$(pptp_ping c1)" 3
check "the tool shows its call" vp_is "length == 1 and .[0].proto == \"pptp\" and
	.[0].client == \"${CIP[1]}\" and .[0].peer == \"${GIP[1]}\" and
	.[0].local == \"$PUB\" and .[0].state == \"up\" and .[0].packets > 6 and
	.[0].bytes > 500 and (.[0].call_id | length) == 2" session proto pptp

pptp_dial c2 "${GIP[1]}"
pptp_dial c3 "${GIP[1]}"
check "second client up" busywait 30 pptp_up c2
check "third client up" busywait 30 pptp_up c3
for i in 1 2 3; do
	is "three at one server: c$i's pings answered" "$(pptp_ping c$i)" 3
done
check "the tool shows three clients" vp_is \
	'[.[].client] | sort == ["10.0.1.2", "10.0.2.2", "10.0.3.2"]' session proto pptp
is "three numbers towards the server" "$(numbers | sort -u | wc -l)" 3

R conntrack -D -p gre > /dev/null 2>&1
busywait 20 vp_is 'length == 3' session proto pptp
for i in 1 2 3; do
	is "conntrack -D -p gre: c$i's pings answered" "$(pptp_ping c$i)" 3
done

pptp_dial r "${GIP[1]}"
dialr=$spawn_pid
check "the router's own client up" busywait 30 pptp_up r
is "the router's own client up: its pings answered" "$(pptp_ping r)" 3
is "c2's as well" "$(pptp_ping c2)" 3

kill "$dial1" "$dialr"
check "two hang up: their sessions end" busywait 10 vp_is \
	'[.[].client] | sort == ["10.0.2.2", "10.0.3.2"]' session proto pptp || note "$(vp session)"
is "those of the others stay: c2" "$(pptp_ping c2)" 3
is "those of the others stay: c3" "$(pptp_ping c3)" 3

check "a server inside" server_inside
check "server on c1" pptp_server c1 172.21.0.1
pptp_dial g1 "$PUB"
check "client from outside up" busywait 30 pptp_up g1 172.21.0.1
is "client from outside up: its pings answered" "$(pptp_ping g1 3 172.21.0.1)" 3
check "the tool shows it" vp_is "any(.[]; .client == \"${GIP[1]}\" and
	.peer == \"${CIP[1]}\" and .local == \"$PUB\")" session proto pptp
is "nothing was malformed" "$(counter malformed pptp)" 0
is "nothing became plain TCP" "$(counter plain pptp)" 0
check "modules unload with calls up" unload_modules
done_testing
