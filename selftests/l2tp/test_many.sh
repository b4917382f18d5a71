#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 20,000 clients of one server, all on source port 1701; then some that the
# server answers from another port; then L2TPv3 over IP. Each gets its own, as
# with plain NAT the last two do not.
#
#   c1 (10.128.0.0/9) ---- r (masquerade) ---- g1
# run: timeout=600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq

# many NAME N [OPTION...]: so many clients; then the sessions in the tool
many()
{
	is "$1: each is answered, and what is for it reaches it alone" \
		"$("$(peer l2tp_many)" "${@:3}" -n "$2" "${nsp}c1" "${nsp}g1" 10.128.0.1 \
			"${GIP[1]}" "$PUB" 2>&1)" \
		"$2 tunnels, $2 up, $2 in, $2 out, 0 astray"
	check "$1: so many sessions" vp_is ".[0].sessions == $2" show l2tp
}

check "topology" topo 1 1
C 1 ip route add local 10.128.0.0/9 dev lo
R ip route add 10.128.0.0/9 via "${CIP[1]}"
conntrack_room 200000
# stock OPTION...: with plain NAT, of 100
stock()
{
	"$(peer l2tp_many)" "$@" -n 100 "${nsp}c1" "${nsp}g1" 10.128.0.1 "${GIP[1]}" "$PUB" |
		sed 's/.*tunnels, \([0-9]*\) up.*/\1/'
}
is "plain NAT: answered from another port, of 100" "$(stock -m)" 0
num "plain NAT: over IP, of 100" "$(stock -3)" -le 1
R conntrack -F 2> /dev/null
check "modules load" load_modules vpnpass vpnpass_l2tp
vp set l2tp max_per_peer 65535 > /dev/null

many "20,000 over UDP" 20000
is "20,000 over UDP: none was refused" \
	"$(lcount limit_peer) $(lcount limit_sessions) $(lcount pin_failed)" "0 0 0"
check "the last is found by its address" vp_is \
	'length == 1 and any(.[0].tunnel_id[]; .dir == "in" and .number == 20000)' \
	session client 10.128.78.32
check "flush" vp session flush proto l2tp
check "no session is left" vp_is '.[0].sessions == 0' show l2tp
is "no connection is left" \
	"$(R conntrack -L -p udp --dport 1701 2> /dev/null | wc -l)" 0

many "2,000 answered from another port" 2000 -m
is "all moved" "$(lcount moved_port)" 2000
check "flush" vp session flush proto l2tp
R conntrack -F 2> /dev/null

many "2,000 over IP" 2000 -3
is "nothing had to be found out" "$(lcount paired) $(lcount waited)" "0 0"
check "modules unload" unload_modules
done_testing
