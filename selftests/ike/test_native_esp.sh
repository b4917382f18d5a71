#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=900
# libreswan with NAT traversal off, so that its ESP is native: five clients
# behind one NAT to one gateway, IKEv2 and IKEv1 mixed, through rekeys from
# either side, dead-peer detection and a restart of the gateway. Beside them two
# of another gateway, with NAT traversal.
#
#   c1 (IKEv2) ---+
#   c2 (IKEv1) ---+
#   c3 (IKEv2) ---+--- r (masquerade) ---- g1
#   c4 (IKEv1) ---+
#   c5 (IKEv2) ---+
#   c6 (IKEv1) ---+--- r ------------------- g2 (with NAT-T)
#   c7 (IKEv2) ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/daemons.sh"
checktool jq
ls_have || skip_all "libreswan is missing (selftests/ike/get-libreswan.sh, run before on the host, fetches it)"
native=(1 2 3 4 5) natt=(6 7)
all=("${native[@]}" "${natt[@]}")

version() { echo $((2 - ($1 + 1) % 2)); }

# gw_of i: the number of its gateway
gw_of() { echo $((1 + ($1 > ${#native[@]}))); }

routes()
{
	local i

	for i in "${all[@]}"; do
		echo "route replace ${GIN[$(gw_of "$i")]}/32 via ${CIP[i]%.2}.1 src ${CIN[i]}" |
			ip -n "${nsp}c$i" -batch -
	done
}

# libreswan rekeys IKEv1 by the clock alone: the gateway does so with client 4
# so often that it takes a moment only
renewal()
{
	case $1 in
	g4) printf '%s\n ' salifetime=50s rekeymargin=20s rekeyfuzz=0% ;;
	c4) echo rekey=no ;;
	*) echo rekey=yes ;;
	esac
}

configure()
{
	local i g

	mkdir -p "$scratch"/g{1,2}
	: > "$scratch/g1/conns"
	: > "$scratch/g2/conns"
	for i in "${all[@]}"; do
		mkdir -p "$scratch/c$i"
		g=g$(gw_of "$i")
		[ "$g" = g1 ] || ls_natt=yes
		ls_conn "c$i" "v$i" "$g" "$(version "$i")" dpddelay=3 dpdtimeout=15 \
			dpdaction=restart "$(renewal "c$i")" > "$scratch/c$i/conns"
		ls_conn "$g" "v$i" "c$i" "$(version "$i")" dpddelay=3 dpdtimeout=15 \
			dpdaction=clear "$(renewal "g$i")" >> "$scratch/$g/conns"
	done
}

start()
{
	local n

	for n in g1 g2 "${all[@]/#/c}"; do ls_start "$n"; done
	for n in g1 g2 "${all[@]/#/c}"; do ls_load "$n" || return 1; done
}

up()
{
	ls_whack "c$1" --initiate --name "v$1" || { tail "$scratch/c$1/log"; return 1; }
}

# states PROTO STATE: how many sessions are in it
states() { vp -j session proto "$1" | jq "[.[] | select(.state == \"$2\")] | length"; }

# spis NS: its ESP SPIs
spis() { ip -n "$nsp$1" xfrm state | grep -o 'spi 0x[0-9a-f]*' | sort | tr '\n' ' '; }

# confused: SPIs that the router leads to one client and that are another's
confused()
{
	local i j spi

	for i in "${native[@]}"; do
		for spi in $(vp -j session proto esp client "${CIP[i]}" | jq -r '.[].spi_in[]?.spi'); do
			for j in "${native[@]}"; do
				[ "$i" = "$j" ] || [[ $(spis "c$j") != *"$spi"* ]] || echo "$spi of c$j: c$i"
			done
		done
	done
}

pings_all() { esp_pings "${native[*]}" -c "${1:-4}" -i 200 -w 4000; }

# new_spis i OLD: client i has other SPIs than these
new_spis() { [ "$(spis "c$1")" != "$2" ]; }

# back i: client i works again; what both sides said of it where it does not, in as few
# lines as check() shows
back()
{
	busywait 240 esp_pings "$1" -c 1 && return
	tail -n 5 "$scratch/c$1/log"
	grep "v$1" "$scratch/g1/log" | tail -n 5
	vp session client "${CIP[$1]}"
	return 1
}

check "topology" topo ${#all[@]} 2
daemons_kernel
check "modules load" load_modules vpnpass vpnpass_esp vpnpass_ike
check "routes" routes
check "configuration" configure
check "daemons start" start
# comes_up i: as a tunnel is begun by the traffic that wants it
comes_up()
{
	up "$1" && esp_gw=$(gw_of "$1") esp_pings "$1" -c 2 -i 300 -w 4000
}

for i in 1 2; do
	check "client $i: IKEv$(version $i) comes up, and its first pings are answered" comes_up $i
done
check "two clients: ESP is native" eval '! ip -n "${nsp}c1" xfrm state | grep -q encap'
esp_pings "1 2" -c 3 -i 300 -w 4000
is "two clients: every ping is answered" "$(esp_lost)" 0
for i in "${all[@]:2}"; do
	check "client $i: IKEv$(version "$i") comes up, and its first pings are answered" \
		comes_up "$i"
done
check "all clients at once: nothing is lost" pings_all 5
is "native: their IKE sessions are established" "$(states ike established)" ${#native[@]}
# A daemon that takes long for its part of an exchange makes for a wide answer window, in
# which pings at even intervals prove nothing: not all need be paired yet.
is "and no SPI of their ESP leads to another client" "$(confused)" ""
note "$(states esp paired) of ${#native[@]} are paired"
esp_gw=2 esp_pings "${natt[*]}" -c 3 -i 200 -w 3000
is "NAT-T: every ping is answered" "$(esp_lost)" 0
is "NAT-T: their IKE sessions have moved" "$(states ike 'moved to NAT-T')" ${#natt[@]}
is "and carry ESP on port 4500" "$(states natt established)" ${#natt[@]}

# --- rekeys ---------------------------------------------------------------------------
# g_rekeys i: the gateway has client i's ESP SAs renewed
g_rekeys() { ls_whack g1 --rekey-ipsec --name "v$1" --asynchronous; }

# answers i: how many pings of client i were answered
answers()
{
	C "$1" awk '/^Icmp:/ && !at { for (at = NF; $at != "InEchoReps"; at--); next }
		    /^Icmp:/ { print $at }' /proc/net/snmp
}

# goes_on i: from now on five more packets come in for client i
goes_on()
{
	local n

	n=$(answers "$1")
	busywait 20 eval "[ \$(answers $1) -ge $((n + 5)) ]"
}

# rekeyed i COMMAND...: the command gives client i new ESP SAs, which carry
rekeyed()
{
	local old

	old=$(spis "c$1")
	"${@:2}" && busywait 60 new_spis "$1" "$old" && goes_on "$1"
}

# renewals i: how many ESP SAs client i has made since it started
renewals() { grep -c 'Child SA .*IPsec tunnel\|IPsec SA established' "$scratch/c$1/log"; }

made=()
for i in "${native[@]}"; do made[i]=$(renewals $i); done
esp_stream "${native[*]}" -i 500
check "client 1 rekeys its ESP SAs (IKEv2)" rekeyed 1 \
	ls_whack c1 --rekey-ipsec --name v1 --asynchronous
check "the gateway rekeys client 3's (IKEv2)" rekeyed 3 g_rekeys 3
check "client 2 makes new SAs (IKEv1)" rekeyed 2 ls_whack c2 --initiate --name v2
check "the gateway rekeys client 4's (IKEv1)" rekeyed 4 true
adopted=$(counter adopted ike)
check "client 5 rekeys its IKE SA" eval \
	'ls_whack c5 --rekey-ike --name v5 --asynchronous &&
	 busywait 30 grep -q "rekeyed IKE SA" "$scratch/c5/log"'
check "its ESP goes on" goes_on 5
esp_stream_end
note "$(cat "$scratch/pings")"
# in the moment of a rekey one packet may meet a peer that is not ready for it; on
# a slow machine the moment is long, so the packets are half a second apart
for i in "${native[@]}"; do
	n=$(($(renewals $i) - made[i]))
	num "client $i: $n rekeys, no ping lost beyond the switch-over" "$(esp_lost_of $i)" -le $n
done
check "afterwards: nothing is lost" pings_all

# --- dead-peer detection ------------------------------------------------------------------
before=$(vp -j session proto ike | jq '[.[].packets] | add')
check "quiet SAs are probed" busywait 20 vp_is "[.[].packets] | add >= $((before + 4))" \
	session proto ike
check "a rekeyed IKE SA is known again by its next message" busywait 20 eval \
	'[ "$(counter adopted ike)" -gt "$adopted" ]'
check "and everybody is found alive" eval \
	'! grep -qi "dpd.*timeout\|liveness.*timeout\|no response.*liveness" "$scratch"/*/log'
check "all clients work" pings_all 2

# --- the gateway restarts -------------------------------------------------------------------
{ kill -9 "$ls_pid_g1"; wait "$ls_pid_g1"; } 2> /dev/null
is "the gateway is gone" "$(ip netns pids "${nsp}g1")" ""
ip -n "${nsp}g1" xfrm state flush
ip -n "${nsp}g1" xfrm policy flush
rm -f "$scratch/g1/run/pluto.ctl" "$scratch/g1/run/pluto.pid"
check "the gateway starts again" eval 'ls_start g1 && ls_load g1'
for i in "${native[@]}"; do
	check "client $i comes back by itself" back "$i"
done
check "all clients at once: nothing is lost" pings_all
note "IKE: $(vp stats ike | awk '$3 { printf "%s %s, ", $2, $3 }')"
note "ESP: $(vp stats esp | awk '$3 { printf "%s %s, ", $2, $3 }')"
is "no client is confused with another" "$(confused)" ""
check "modules unload" unload_modules
done_testing
