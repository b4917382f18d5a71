# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The VPNs of the demonstration, sourced by guest.sh. Of each VPN:
#   VPN_start     the server, and what else is set up once
#   VPN_dial_both (if there is one) the clients begin, anew the second time
#   VPN_try i     client i: succeeds when its VPN works; $saw says what was seen
# shellcheck source=selftests/ike/sim.sh
. "$selftests/ike/sim.sh"
# shellcheck source=selftests/l2tp/l2tp.sh
. "$selftests/l2tp/l2tp.sh"
vpns="esp ike pptp l2tp l2tpv3"
declare -A title=([esp]="IPsec ESP" [ike]="IKE, port 500" [pptp]=PPTP
	[l2tp]="L2TP, new port" [l2tpv3]="L2TPv3 over IP")
declare -A about=(
	[esp]="the kernel's IPsec without NAT-T; pings through the tunnel"
	[ike]="IKEv2 by messages, to a gateway that answers to port 500 only"
	[pptp]="pptp-linux and pppd, to pptpd; pings through the tunnel"
	[l2tp]="L2TPv2 by messages, to a server that answers from a port of its choice"
	[l2tpv3]="the kernel's 'ip l2tp' on IP protocol 115; pings through the tunnel")
# Stock Linux with client 1 and client 2. PPTP: no helper is attached,
# as none is unless a rule asks for it.
declare -A stock=([esp]="ok FAILS" [ike]="ok FAILS" [pptp]="FAILS FAILS"
	[l2tp]="FAILS FAILS" [l2tpv3]="ok FAILS")
pings=5
sim_wait=2000	# ms; nobody is in a hurry, and the CPU may be busy

pings_answered()
{
	saw="$1 of $pings pings answered"
	[ "$1" = $pings ]
}

# --- ESP --------------------------------------------------------------------------
esp_start()
{
	esp_up "1 2"
}

esp_try()
{
	pings_answered "$(esp_ping "$1" $pings)"
}

# --- IKE --------------------------------------------------------------------------
ike_start()
{
	sim_start && sim_open c1 c2 g1
}

# ike_exchange i EXCHANGE ISPI RSPI MID: a request of the client and the answer,
# which the gateway sends to port 500 whatever port was asked from. Says in
# $ike_port which one that was.
ike_exchange()
{
	local i=$1 rspi=$4

	[ "$2" != 34 ] || rspi=0
	out "$i" 2 "$2" I "$3" "$rspi" "$5" 300 && hear g1 || return 1
	ike_port=$port
	in_ 500 2 "$2" R "$3" "$4" "$5" 300 && heard "c$i" "^[^ ]+ 500 2 $2 R" > /dev/null
}

# A message that is not answered is repeated, as IKE says (RFC 7296 2.1)
ike_repeat()
{
	local n

	for n in 1 2 3; do
		ike_exchange "$@" && return
	done
	return 1
}

ike_try()
{
	local spi=$((RANDOM << 8 | $1)) rc=0

	ike_port=
	saw="no answer"
	ike_repeat "$1" 34 "0x1$spi" "0x2$spi" 0 && ike_repeat "$1" 35 "0x1$spi" "0x2$spi" 1 &&
		saw="answered" || rc=1
	drain c1 c2 g1
	saw="arrives from port ${ike_port:--}, $saw"
	return $rc
}

# --- PPTP -------------------------------------------------------------------------
pptp_start()
{
	(pptp_tools) && pptp_server g1
}

pptp_dial_both()
{
	local i

	if [ ${#pptp_pid[@]} -gt 0 ]; then
		kill "${pptp_pid[@]}"
		wait "${pptp_pid[@]}"
	fi
	for i in 1 2; do
		pptp_dial c$i "${GIP[1]}"
		pptp_pid[i]=$spawn_pid
	done
	pptp_until=$((SECONDS + pptp_wait))
}
pptp_pid=() pptp_wait=30

pptp_try()
{
	local left=$((pptp_until - SECONDS))

	if ! busywait $((left > 1 ? left : 1)) pptp_up "c$1"; then
		saw="no tunnel after $pptp_wait s"
		return 1
	fi
	pings_answered "$(pptp_ping "c$1" $pings)"
}

# --- L2TP -------------------------------------------------------------------------
l2tp_start()
{
	lns -m new
}

l2tp_try()
{
	local port echoed rc

	saw=$(lac "$1" -t "3$1" -n $pings -r 3)
	rc=$?
	# "up PORT sent N echoed N"
	read -r _ port _ _ _ echoed <<< "$saw"
	[ -z "$echoed" ] || saw="server on port $port, $echoed of $pings echoed"
	return $rc
}

l2tpv3_start()
{
	modprobe -qa l2tp_netlink l2tp_eth l2tp_ip
	# the first to send is the one that stock Linux serves
	v3 1 ip && busywait 10 C 1 ping -c 1 -W 1 10.98.1.1 && v3 2 ip
}

l2tpv3_try()
{
	pings_answered "$(v3_ping "$1" $pings)"
}
