#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=400
# strongSwan as it comes, with NAT traversal: IKE begins on port 500 and moves to
# 4500, where the translation is left alone and only watched. Two clients, then
# five, IKEv2 and IKEv1 mixed, of one gateway.
#
#   c1, c3, c5 (IKEv2) ---+
#                         +--- r (masquerade) ---- g1
#   c2, c4 (IKEv1) -------+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/daemons.sh"
checktool jq
sw_have || skip_all "strongSwan is missing (packages strongswan-charon, strongswan-swanctl)"
clients=(1 2 3 4 5)

version() { echo $((2 - ($1 + 1) % 2)); }

configure()
{
	local i

	mkdir -p "$scratch/g1"
	: > "$scratch/g1/conns"
	for i in "${clients[@]}"; do
		mkdir -p "$scratch/c$i"
		sw_conn "c$i" v g1 "$(version "$i")" "keyingtries = 0" > "$scratch/c$i/conns"
		sw_conn g1 "v$i" "c$i" "$(version "$i")" >> "$scratch/g1/conns"
	done
}

start()
{
	local n

	for n in g1 "${clients[@]/#/c}"; do sw_start "$n"; done
	for n in g1 "${clients[@]/#/c}"; do sw_load "$n" || return 1; done
}

routes()
{
	local i

	for i in "${clients[@]}"; do
		echo "route replace ${GIN[1]}/32 via ${CIP[i]%.2}.1 src ${CIN[i]}" |
			ip -n "${nsp}c$i" -batch -
	done
}

up() { sw "c$1" --initiate --child v --timeout 40 || { tail -n 20 "$scratch/c$1/log"; return 1; }; }

# states PROTO STATE: how many sessions are in it
states() { vp -j session proto "$1" | jq "[.[] | select(.state == \"$2\")] | length"; }

esp_state_has() { ip -n "$nsp$1" xfrm state | grep -q 'encap type espinudp'; }

check "topology" topo 5 1
daemons_kernel
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "routes" routes
check "configuration" configure
check "daemons start" start
check "client 1: IKEv2 comes up" up 1
check "client 2: IKEv1 comes up" up 2
check "their ESP is in UDP" esp_state_has c1
esp_pings "1 2" -c 3 -i 200 -w 3000
is "two clients: every ping is answered" "$(esp_lost)" 0
is "their sessions on port 500 say so" "$(states ike 'moved to NAT-T')" 2
is "those on port 4500 are established" "$(states natt established)" 2
for i in 3 4 5; do
	check "client $i: IKEv$(version $i) comes up" up $i
done
esp_pings "${clients[*]}" -c 5 -i 200 -w 3000
is "five clients at once: every ping is answered" "$(esp_lost)" 0
is "five sessions, moved" "$(states ike 'moved to NAT-T')" 5
is "five sessions on port 4500" "$(states natt established)" 5
is "nothing of it is ESP to the ESP helper" "$(sessions proto esp)" 0
is "ESP in UDP is counted, two packets a ping" "$(counter esp natt)" $((2 * (2 * 3 + 5 * 5)))
num "and so is IKE" "$(counter ike natt)" -ge 15
check "a session counts both ways" vp_is \
	'.[0] | .packets_out >= 5 and .packets_in >= 5' session proto natt client "${CIP[1]}"

# --- rekeys, from both sides -----------------------------------------------------------
# spis i: client i's ESP SPIs
spis() { ip -n "${nsp}c$1" xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort | tr '\n' ' '; }
new_spis() { [ "$(spis "$1")" != "$2" ]; }

# child_rekeyed i COMMAND...: the command gives client i new ESP SAs
child_rekeyed()
{
	local old

	old=$(spis "$1")
	"${@:2}" && busywait 30 new_spis "$1" "$old"
}

# ike_rekeyed NAME COMMAND...: ... gives NAME a new IKE SA
ike_rekeyed()
{
	"${@:2}" && busywait 30 grep -q 'IKE_SA .* rekeyed between' "$scratch/$1/log"
}

# goes_on i: from now on ten more packets come in for client i
goes_on()
{
	local n

	n=$(vp -j session proto natt client "${CIP[$1]}" | jq '.[0].packets_in')
	busywait 20 vp_is ".[0].packets_in >= $((n + 10))" session proto natt client "${CIP[$1]}"
}

# without_sa: ESP that came to client 2 or the gateway before its SA was there, or
# when there was no more than its number
without_sa()
{
	local ns why n=0

	for ns in c2 g1; do
		for why in XfrmInNoStates XfrmAcquireError XfrmInStateInvalid; do
			n=$((n + $(xfrm_stat $ns $why)))
		done
	done
	echo $n
}

early=$(without_sa)
esp_stream "${clients[*]}" -i 200
check "client 1 rekeys its ESP SAs" child_rekeyed 1 sw c1 --rekey --child v
check "gateway rekeys client 2's (IKEv1)" child_rekeyed 2 sw g1 --rekey --child v2
check "client 3 rekeys its IKE SA" ike_rekeyed c3 sw c3 --rekey --ike v
check "gateway rekeys client 5's" ike_rekeyed c5 sw g1 --rekey --ike v5
check "and ESP goes on" eval 'goes_on 1 && goes_on 2 && goes_on 3 && goes_on 5'
esp_stream_end
note "$(cat "$scratch/pings")"
for i in 1 3 4 5; do
	is "meanwhile client $i lost nothing" "$(esp_lost_of $i)" 0
done
# IKEv1's initiator uses the new SA when the responder has not installed it yet
num "client 2 lost what came before its SA, and no more" \
	"$(esp_lost_of 2)" -le $(($(without_sa) - early))
check "switching natt off and on again" eval 'vp set natt off && vp set natt on'
esp_pings "${clients[*]}" -c 10 -i 200 -w 3000
num "costs a packet or two at most" "$(esp_lost)" -le 10
is "and they are watched again" "$(states natt established)" 5
check "natt at block stops them" vp set natt block
esp_pings "1 2" -c 2 -i 200 -w 500
is "both of them" "$(esp_answered)" 0
check "modules unload" unload_modules
check "without the modules all of it is stock NAT's" busywait 20 esp_pings "${clients[*]}" -c 1
done_testing
