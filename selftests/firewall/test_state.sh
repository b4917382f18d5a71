#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Connections that are made before their first packet, in the firewall's eyes:
# RELATED to their control connection, with its mark, and ESTABLISHED only when a packet
# of the client's has passed the forward chain.
#
#   c1 ---+--- r (masquerade, drop by default) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
checktool jq
checktool conntrack

# firewall RULE...: IKE passes, and what the rules say
firewall()
{
	R nft -f - <<-E
	table inet filter
	delete table inet filter
	table inet filter {
		chain marks {
			type filter hook prerouting priority mangle
			udp dport 500 ct mark set 0x77
		}
		chain forward {
			type filter hook forward priority filter; policy drop;
			udp dport 500 accept
			ct state established accept
			$(printf '%s\n' "$@")
		}
	}
	E
}

# esp_in SPI N, esp_out i SPI N: ESP packets from the gateway, from client i
esp_in()
{
	G 1 "$(peer espsend)" -s "${GIP[1]}" -d "$PUB" -i "$1" -q 1 -n "$2" -r 50 > /dev/null
}

esp_out()
{
	C "$1" "$(peer espsend)" -s "${CIP[$1]}" -d "${GIP[1]}" -i "$2" -q 1 -n "$3" -r 50 > /dev/null
}

# entry i: conntrack's line of client i's ESP
entry()
{
	R conntrack -L -p esp -s "${CIP[$1]}" 2> /dev/null | grep -F "${CIP[$1]}"
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "simulator" sim_start
check "sockets" sim_open c1 c2 g1
check "taps" tap c1 c2 g1

# --- ESP is dropped ----------------------------------------------------------------
check "dropped: rules" firewall "meta l4proto esp counter drop"
check "dropped: client 1 makes SAs by IKE" v2_up 1 0x101 0x201
check "dropped: the client's ESP is sent" esp_out 1 0xaaaaaaa1 3
check "dropped: the gateway's ESP is sent" esp_in 0xbbbbbbb1 3
check "dropped: all of it met the rule" busywait 20 eval \
	'[ "$(R nft -j list chain inet filter forward | jq "[.. | .counter? | objects | .packets] | add")" -ge 6 ]'
is "dropped: no ESP reached the gateway" "$(tap_seen "^${nsp}g1 .* esp ")" 0
is "dropped: nothing reached the client" "$(tap_seen "^${nsp}c1 .* esp ")" 0
check "dropped: the entry is no established one" eval '! entry 1 | grep -q ASSURED'

# --- the key exchange passes on to the entry -----------------------------------------
check "mark: the ESP entry has that of the IKE connection" eval 'entry 1 | grep -q "mark=119"'

# --- related is accepted: the gateway may begin ------------------------------------
R conntrack -F > /dev/null 2>&1
check "related: rules" firewall "ct state related accept"
check "related: client 2 makes SAs by IKE" v2_up 2 0x102 0x202
tap_mark
check "related: the gateway's first packets are sent" esp_in 0xbbbbbbb2 3
check "related: and reach client 2" busywait 20 tap_has 3 "^${nsp}c2 .* esp 0xbbbbbbb2 "
check "related: client 2 answers" esp_out 2 0xaaaaaaa2 2
check "related: the gateway hears it" busywait 20 tap_has 2 "^${nsp}g1 .* esp 0xaaaaaaa2 "

# --- once the client's own packet has passed, answers are established ----------------
check "established: related is dropped again" firewall
tap_mark
check "established: the gateway goes on" esp_in 0xbbbbbbb2 3
check "established: and is heard" busywait 20 tap_has 3 "^${nsp}c2 .* esp 0xbbbbbbb2 "
check "modules unload" unload_modules
done_testing
