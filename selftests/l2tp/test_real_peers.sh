#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real peers through the router: xl2tpd and pppd (L2TPv2), and the kernel's own
# L2TPv3 by "ip l2tp" over UDP and over IP, three clients of one server each.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c3 ---+
# Inside the tunnels: 10.99.0.0/24 (ppp), 10.98.i.0/24 (L2TPv3).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq
checktool xl2tpd
checktool pppd ppp

# --- xl2tpd ---------------------------------------------------------------------
ppp_options()
{
	cat <<-E
	noauth
	nodefaultroute
	noccp
	novj
	nobsdcomp
	nodeflate
	noipv6
	ipcp-accept-local
	ipcp-accept-remote
	lcp-echo-interval 0
	$1
	E
}

xl2tpd_server()
{
	local d=$scratch/server

	mkdir -p "$d"
	ppp_options "" > "$d/ppp"
	cat > "$d/conf" <<-E
	[global]
	listen-addr = ${GIP[1]}
	[lns default]
	ip range = 10.99.0.10-10.99.0.20
	local ip = 10.99.0.1
	require authentication = no
	pppoptfile = $d/ppp
	E
	: > "$d/secrets"
	spawn ip netns exec "${nsp}g1" xl2tpd -D -c "$d/conf" -s "$d/secrets" \
		-p "$d/pid" -C "$d/control"
	busywait 10 eval "G 1 ss -lun | grep -q :1701"
}

xl2tpd_client()
{
	local d=$scratch/client$1

	mkdir -p "$d"
	ppp_options "linkname vp$1" > "$d/ppp"
	cat > "$d/conf" <<-E
	[global]
	[lac server]
	lns = ${GIP[1]}
	autodial = yes
	require authentication = no
	pppoptfile = $d/ppp
	E
	: > "$d/secrets"
	spawn ip netns exec "${nsp}c$1" xl2tpd -D -c "$d/conf" -s "$d/secrets" \
		-p "$d/pid" -C "$d/control"
	xl2tpd_pid[$1]=$spawn_pid
}
xl2tpd_pid=()

ppp_up() { C "$1" ip -o -4 addr show | grep -q 'ppp0.*10\.99\.0\.'; }

# --- ip l2tp ----------------------------------------------------------------------
v3_end()
{
	local i

	for i in 1 2 3; do
		ip -n "${nsp}c$i" l2tp del tunnel tunnel_id "$i"
		ip -n "${nsp}g1" l2tp del tunnel tunnel_id $((100 + i))
	done
}

modprobe -qa ppp_generic ppp_async ppp_synctty pppox l2tp_ppp l2tp_netlink l2tp_eth l2tp_ip
check "topology" topo 3 1

# --- stock, to compare --------------------------------------------------------------
check "stock: L2TPv3 over IP" eval "v3 1 ip && v3 2 ip && v3 3 ip"
for i in 1 2 3; do v3_ping $i 3; done > "$scratch/stock"
is "stock: one client at most can be reached" "$(grep -vc '^0$' "$scratch/stock")" 1
note "answers of 3: $(tr '\n' ' ' < "$scratch/stock")"
v3_end
R conntrack -F > /dev/null 2>&1
check "modules load" load_modules vpnpass vpnpass_l2tp

# --- L2TPv2 -------------------------------------------------------------------------
check "xl2tpd: server" xl2tpd_server
for i in 1 2 3; do xl2tpd_client $i; done
for i in 1 2 3; do check "xl2tpd: client $i gets its address" busywait 25 ppp_up $i; done
for i in 1 2 3; do
	is "xl2tpd: client $i through its tunnel" "$(C $i ping -q -c 20 -i 0.1 10.99.0.1 |
		sed -n 's/.* \([0-9]*\) received.*/\1/p')" 20
done
check "xl2tpd: three sessions, up" vp_is 'length == 3 and all(.[]; .state == "up")' session
check "xl2tpd: with tunnel IDs both ways" vp_is \
	'all(.[]; ([.tunnel_id[].dir] | sort) == ["in", "out"])' session
check "xl2tpd: that count their traffic" vp_is 'all(.[]; .packets > 40)' session
is "xl2tpd: nothing malformed" "$(lcount malformed)" 0
kill -TERM "${xl2tpd_pid[@]}"
check "xl2tpd: all close" busywait 10 vp_is 'all(.[]; .state == "closing")' session
check "flush" vp session flush proto l2tp

# --- L2TPv3 over UDP ------------------------------------------------------------------
for i in 1 2 3; do check "L2TPv3 over UDP: client $i" v3 $i udp; done
for i in 1 2 3; do
	num "L2TPv3 over UDP: client $i reaches the server" "$(v3_ping $i 5)" -ge 4
done
check "L2TPv3 over UDP: three sessions" vp_is \
	"[.[] | select(.peer != \"${GIP[1]}\" and .state == \"up\")] | length == 3" session
v3_end
check "flush" vp session flush proto l2tp

# --- L2TPv3 over IP -------------------------------------------------------------------
# over_ip NAME: all three start in the same moment, and lose nothing. The first
# frames (ARP) tell the router whose session ID is whose.
over_ip()
{
	local i pids=()

	for i in 1 2 3; do check "$1: client $i" v3 $i ip; done
	for i in 1 2 3; do
		C $i ping -q -c 20 -i 0.2 -W 1 "10.98.$i.1" > "$scratch/ping$i" &
		pids[i]=$!
	done
	for i in 1 2 3; do wait "${pids[i]}"; done
	for i in 1 2 3; do
		is "$1: client $i of three at once loses nothing" \
			"$(sed -n 's/.* \([0-9]*\) received.*/\1/p' "$scratch/ping$i")" 20
		check "$1: client $i has its session IDs and no others" vp_is \
			"[.[0].session_id[] | select(.dir == \"in\").number] == [100$i] and
			 [.[0].session_id[] | select(.dir == \"out\").number] == [200$i]" \
			session client "${CIP[i]}"
		is "$1: server reaches client $i" "$(G 1 ping -q -c 5 -i 0.2 -W 1 "10.98.$i.2" |
			sed -n 's/.* \([0-9]*\) received.*/\1/p')" 5
	done
	is "$1: conntrack has three entries" \
		"$(R conntrack -L 2> /dev/null | grep -c '^unknown *115.* src=10\.')" 3
}

over_ip "L2TPv3 over IP"
is "L2TPv3 over IP: nobody had to wait" "$(lcount waited)" 0

# The server is told another session ID for client 2, as is client 2
ip -n "${nsp}c2" -batch - <<-E
l2tp del session tunnel_id 2 session_id 1002
l2tp add session tunnel_id 2 session_id 1502 peer_session_id 2002 name v3
addr add 10.98.2.2/24 dev v3
link set v3 mtu 1400
link set v3 up
E
ip -n "${nsp}g1" -batch - <<-E
l2tp del session tunnel_id 102 session_id 2002
l2tp add session tunnel_id 102 session_id 2002 peer_session_id 1502 name v3_2
addr add 10.98.2.1/24 dev v3_2
link set v3_2 mtu 1400
link set v3_2 up
E
check "L2TPv3 over IP: a session set up anew, with another ID" busywait 10 \
	C 2 ping -q -c 1 -W 1 10.98.2.1
is "L2TPv3 over IP: then it loses nothing" "$(v3_ping 2 10)" 10
is "L2TPv3 over IP: nor do others" "$(v3_ping 1 5) $(v3_ping 3 5)" "5 5"
v3_end
check "flush" vp session flush proto l2tp
hex32 1002
spawn ip netns exec "${nsp}g1" "$(peer l2tp_send)" -s "${GIP[1]}" -d "$PUB" -n 4000 -i 30 "${hex}dead"
over_ip "L2TPv3 over IP, server sends to client 2 all the time"
kill "$spawn_pid"
note "$(vp stats l2tp)"
v3_end
check "modules unload" unload_modules
done_testing
