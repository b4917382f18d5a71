#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ICMP errors about ESP, quoting no more than its first 8 bytes: from the
# gateway and from a router on the way they reach the client they are about,
# and only that one; forged ones reach nobody; a client's own reach the gateway.
#
#   c1 ---+
#         +--- r (masquerade) ---- (192.0.2.77) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq

# error OPTION...: from the WAN, as if about what the router's address sent
error()
{
	G 1 "$(peer icmperr)" -d "$PUB" -S "$PUB" -D "${GIP[1]}" "$@"
}

# reaches NAME i TEXT: client i has it, translated and sound, the other nothing
reaches()
{
	local want="^${nsp}c$2 $3 ${CIP[$2]} ${GIP[1]} esp ${esp_out[$2.1]}\$"

	if busywait 2 tap_has 1 "$want"; then
		is "$1" "" "$(tap_show | grep -vE "$want")"
	else
		not_ok "$1" "$(tap_show) (wanted $want)"
	fi
	tap_mark
}

# nobody NAME: what was sent before this reached nobody. A true error sent
# after it has arrived, so there is nothing left on the way.
nobody()
{
	error -s "${GIP[1]}" -i "${esp_out[1.1]}" -t 3 -c 13 -m 0
	busywait 10 tap_has 1 "^${nsp}c1 .* icmp 3 13 "
	is "$1" 1 "$(tap_seen .)"
	tap_mark
}

mtu_of()
{
	C "$1" ip route get "${GIP[1]}" | sed -n 's/.*\bmtu \([0-9]*\).*/\1/p'
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules vpnpass vpnpass_esp
check "both clients are paired" esp_settle "1 2"
check "taps" tap c1 c2 g1

before=$(counter icmp_related) sent=0
for i in 1 2; do
	for from in "${GIP[1]}" 192.0.2.77; do
		for what in "3 4 1300" "3 1 0" "3 2 0" "11 0 0" "12 0 0"; do
			read -r type code mtu <<< "$what"
			error -s "$from" -i "${esp_out[$i.1]}" -t "$type" -c "$code" -m "$mtu"
			reaches "type $type code $code from $from reaches client $i alone" "$i" \
				"$from ${CIP[i]} icmp $what"
			sent=$((sent + 1))
		done
	done
done
is "each was counted" "$sent" $(($(counter icmp_related) - before))
is "client 1's path MTU is what was said" 1300 "$(mtu_of 1)"
is "client 2's too" 1300 "$(mtu_of 2)"
error -s 192.0.2.77 -i "${esp_out[2.1]}" -m 1200
reaches "fragmentation needed for client 2" 2 "192.0.2.77 ${CIP[2]} icmp 3 4 1200"
is "client 2's path MTU follows" 1200 "$(mtu_of 2)"
is "client 1's does not" 1300 "$(mtu_of 1)"
check "both tunnels still carry what is larger" esp_pings "1 2" -s 1400

# a first packet that is too large is never answered, so nothing is paired by it
tap_mark
C 2 "$(peer espsend)" -s "${CIP[2]}" -d "${GIP[1]}" -i 0x00c0ffee -q 1 -l 1300 > /dev/null
busywait 10 tap_has 1 "^${nsp}g1 $PUB .* esp 0x00c0ffee 1 "
tap_mark
error -s 192.0.2.77 -i 0x00c0ffee -m 1280
check "an error about an SPI that nothing has answered reaches its client" busywait 10 tap_has 1 \
	"^${nsp}c2 192.0.2.77 ${CIP[2]} icmp 3 4 1280 ${CIP[2]} ${GIP[1]} esp 0x00c0ffee\$"

# --- forged -------------------------------------------------------------------
tap_mark
ip -n "${nsp}r" addr add 192.0.2.100/24 dev wan
error -d 192.0.2.100 -s "${GIP[1]}" -i "${esp_out[2.1]}"
nobody "sent to another address than the one quoted: reaches nobody"
error -s "${GIP[1]}" -i "${esp_out[2.1]}" -b
nobody "wrong checksum: reaches nobody"
error -s "${GIP[1]}" -i 0x0badbad0
nobody "unknown SPI: reaches nobody"
error -s "${GIP[1]}" -i "${esp_in[2.1]}"
nobody "an inbound SPI in an outbound one's place: reaches nobody"
error -s "${GIP[1]}" -D 192.0.2.99 -i "${esp_out[2.1]}"
nobody "another gateway quoted: reaches nobody"
error -s "${GIP[1]}" -i "${esp_out[2.1]}" -l 4
nobody "only 4 bytes quoted: reaches nobody"
error -s "${GIP[1]}" -i "${esp_out[2.1]}" -p 51
nobody "AH quoted: reaches nobody"
error -s "${GIP[1]}" -i "${esp_out[2.1]}" -t 0 -c 0
nobody "not an error: reaches nobody"
is "client 2's path MTU is as it was" 1200 "$(mtu_of 2)"

# --- from the clients ---------------------------------------------------------
for i in 1 2; do
	C $i "$(peer icmperr)" -s "${CIP[i]}" -d "${GIP[1]}" -S "${GIP[1]}" -D "${CIP[i]}" \
		-i "${esp_in[$i.1]}" -m 1250
	check "client $i's error about inbound ESP reaches the gateway, translated" busywait 10 \
		tap_has 1 "^${nsp}g1 $PUB ${GIP[1]} icmp 3 4 1250 ${GIP[1]} $PUB esp ${esp_in[$i.1]}\$"
	tap_mark
done
check "both tunnels work" esp_pings "1 2"
is "no session was made or lost by all this" 2 "$(sessions)"

# --- pins that are gone -------------------------------------------------------
check "client 2's session ends" vp session flush client "${CIP[2]}"
tap_mark
error -s "${GIP[1]}" -i "${esp_out[2.1]}"
nobody "an error about an ended session reaches nobody"
error -s "${GIP[1]}" -i "${esp_out[1.1]}" -l 4
check "of an only client's it needs no SPI" busywait 10 tap_has 1 "^${nsp}c1 .* icmp 3 4 "
tap_mark
check "switch off" vp set esp off
error -s "${GIP[1]}" -i "${esp_out[1.1]}"
sleep 0.5
is "switched off and no connection: reaches nobody" 0 "$(tap_seen .)"
check "modules unload" unload_modules
done_testing
