# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the L2TP tests share; sourced after ../lib.sh. Messages as hex text, and
# the simulated server and clients of peers/l2tp_sim.c.

# avp TYPE HEX [FLAGS]: one AVP (RFC 2661 4.1) in $avp, M bit set
avp()
{
	printf -v avp '%04x0000%04x%s' $((${3:-0x8000} | (6 + ${#2} / 2))) "$1" "$2"
}

# msg2 TUNNEL TYPE [AVPS]: a v2 control message in $msg; type 0 has no body
msg2()
{
	local body=''

	if [ "$2" != 0 ]; then
		printf -v body '800800000000%04x%s' "$2" "${3-}"
	fi
	printf -v msg 'c802%04x%04x000000000000%s' $((12 + ${#body} / 2)) "$1" "$body"
}

# msg3 CONNECTION TYPE [AVPS]: a v3 control message in $msg (RFC 3931 3.2.1), as
# over UDP; over IP put 00000000 in front
msg3()
{
	local body=''

	if [ "$2" != 0 ]; then
		printf -v body '800800000000%04x%s' "$2" "${3-}"
	fi
	printf -v msg 'c803%04x%08x00000000%s' $((12 + ${#body} / 2)) "$1" "$body"
}

# call_ids LOCAL REMOTE: the AVPs of a v3 session's IDs in $avps
call_ids()
{
	local hex

	hex32 "$1"; avp 63 "$hex"; avps=$avp
	hex32 "$2"; avp 64 "$hex"; avps+=$avp
}

# hex32 N: in $hex; hex16 likewise
hex32() { printf -v hex '%08x' "$1"; }
hex16() { printf -v hex '%04x' "$1"; }

# lns [OPTION...]: a server on gateway 1; its lines go to $lns_log
lns()
{
	spawn ip netns exec "${nsp}g1" "$(peer l2tp_sim)" lns -a "${GIP[1]}" "$@"
	lns_log=$spawn_log lns_pid=$spawn_pid
	busywait 20 grep -q ready "$lns_log"
}

lns_end()
{
	kill "$lns_pid"
	wait "$lns_pid" 2> /dev/null
	return 0
}

# lac i [OPTION...]: client i, to its end
lac()
{
	C "$1" "$(peer l2tp_sim)" lac -a "${CIP[$1]}" -d "${GIP[1]}" "${@:2}"
}

# lac_start i [OPTION...]: in the background; $lac_log[i], $lac_pid[i]
lac_log=() lac_pid=()
lac_start()
{
	spawn ip netns exec "${nsp}c$1" "$(peer l2tp_sim)" lac -a "${CIP[$1]}" \
		-d "${GIP[1]}" "${@:2}"
	lac_log[$1]=$spawn_log lac_pid[$1]=$spawn_pid
}

# lac_done i: waits for it; its exit code
lac_done()
{
	wait "${lac_pid[$1]}"
	local rc=$?

	cat "${lac_log[$1]}"
	return $rc
}

# L2TPv3 of the kernel's own, by "ip l2tp"; inside the tunnels 10.98.i.0/24.
# v3 i udp|ip: a static tunnel of client i with the server, IDs i and 100+i
v3()
{
	local i=$1 c g f=''

	c="encap $2 local ${CIP[i]} remote ${GIP[1]}"
	g="encap $2 local ${GIP[1]} remote $PUB"
	if [ "$2" = udp ]; then
		# the kernel's server side has one tunnel a socket
		c="encap udp local ${CIP[i]} remote 192.0.2.1$i udp_sport $((5000 + i)) udp_dport 1701"
		g="encap udp local 192.0.2.1$i remote $PUB udp_sport 1701 udp_dport $((5000 + i))"
		f="addr add 192.0.2.1$i/24 dev eth0"
	fi
	ip -n "${nsp}c$i" -batch - <<-E || return 1
	l2tp add tunnel tunnel_id $i peer_tunnel_id $((100 + i)) $c
	l2tp add session tunnel_id $i session_id $((1000 + i)) peer_session_id $((2000 + i)) name v3
	addr add 10.98.$i.2/24 dev v3
	link set v3 mtu 1400
	link set v3 up
	E
	ip -n "${nsp}g1" -batch - <<-E
	$f
	l2tp add tunnel tunnel_id $((100 + i)) peer_tunnel_id $i $g
	l2tp add session tunnel_id $((100 + i)) session_id $((2000 + i)) peer_session_id $((1000 + i)) name v3_$i
	addr add 10.98.$i.1/24 dev v3_$i
	link set v3_$i mtu 1400
	link set v3_$i up
	E
}

# v3_ping i COUNT: prints how many of them were answered
v3_ping()
{
	C "$1" ping -q -c "$2" -i 0.2 -W 1 "10.98.$1.1" |
		sed -n 's/.* \([0-9]*\) received.*/\1/p'
}

# send NS HEX... -- OPTION...: l2tp_send there
send()
{
	local ns=$1 packets=()

	shift
	while [ "$1" != -- ]; do packets+=("$1"); shift; done
	shift
	ip netns exec "$nsp$ns" "$(peer l2tp_send)" "$@" "${packets[@]}"
}

# l2tp_tap NS...: from now on what arrives there is in $tap_log (see tool.sh)
l2tp_tap()
{
	local ns n=0

	tap_log=$scratch/l2tp_tap
	: > "$tap_log"
	for ns; do
		spawn sh -c "exec ip netns exec $nsp$ns '$(peer l2tp_tap)' $ns >> $tap_log"
		n=$((n + 1))
		busywait 20 eval "[ \$(grep -c ready $tap_log) = $n ]" || return 1
	done
	tap_mark
}

# tap_flush i...: all that was on its way to client i has arrived and is in the
# tap; the router's own packet after it has
tap_flush()
{
	local i hex

	for i; do
		marks=$((marks + 1))
		hex16 $marks
		send r "$hex" -- -s "${CIP[i]%.2}.1" -d "${CIP[i]}" -p 9 -q 9
		busywait 20 tap_has 1 "^c$i .* udp 9 9 $hex\$" || return 1
	done
}
marks=0

# reached REGEX: what did, but for those marks
reached()
{
	tap_show | grep -E "$1" | grep -v ' udp 9 9 '
}

lcount() { counter "$1" l2tp; }
