#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that can end under living calls with traffic: entries deleted, the
# switch, the module, the namespace.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq
checktool python3

sim=$(peer pptp_sim) || skip_all "no compiler"

# calls N: so many, with traffic, until hang_up
calls()
{
	spawn "$sim" "$nsp" hold "$1"
	hold=$spawn_pid
	busywait 30 grep -q ready "$spawn_log" && num_sessions "$1"
}

hang_up()
{
	kill "$hold"
	wait "$hold" 2> /dev/null
}

num_sessions()
{
	busywait 20 vp_is "length == $1" session proto pptp
}

check "topology" topo 2 1
modprobe -qa nf_conntrack_netlink
check "modules load" load_modules vpnpass vpnpass_pptp

check "20 calls" calls 20
for _ in 1 2 3 4 5; do
	R conntrack -D -p gre > /dev/null 2>&1
done
check "their entries deleted five times: all are back" num_sessions 20
is "their entries deleted five times: all are back: have entries" \
	"$(R conntrack -L -p gre 2> /dev/null | grep -c ASSURED)" 20
for _ in 1 2 3; do
	R conntrack -F > /dev/null 2>&1
done
check "the table flushed three times: all are back" num_sessions 20
check "the control connection goes on" eval '[ "$(counter resumed pptp)" -gt 0 ]'

check "sessions flushed" vp session flush proto pptp
is "sessions flushed: they stay away" "$(sleep 1; sessions proto pptp)" 0
hang_up

check "calls again" calls 5
check "switched off" vp set pptp off
is "off: no session" "$(sessions proto pptp)" 0
check "switched on" vp set pptp on
hang_up
check "calls after that" calls 5
check "blocked" vp set pptp block
is "block: no session" "$(sessions proto pptp)" 0
check "block: packets are dropped" busywait 20 eval '[ "$(counter blocked pptp)" -gt 2 ]'
check "on again" vp set pptp on
hang_up

rounds=0
for _ in 1 2 3 4 5 6 7 8; do
	calls 10 && rmmod vpnpass_pptp && load_module vpnpass_pptp || break
	rounds=$((rounds + 1))
	hang_up
done
is "unloaded and loaded under traffic" $rounds 8

# router_calls FIRST: a call of the router's own; FIRST, r or g1, closes it. RFC 2637
# 2.1, 2.2, 2.7 and 2.8 by hand.
call_py='
import socket, struct, sys, time
me, first, gateway = sys.argv[1:]
def message(kind, body, length):
    return (struct.pack(">HHIHH", length, 1, 0x1a2b3c4d, kind, 0) + body).ljust(length, bytes(1))
if me == "g1":
    with socket.create_server((gateway, 1723)) as l:
        s, _ = l.accept()
    s.settimeout(9)
    s.recv(156, socket.MSG_WAITALL)
    s.send(message(2, struct.pack(">HBB", 0x100, 1, 0), 156))
    asked = s.recv(168, socket.MSG_WAITALL)
    s.send(message(8, b"\0\x63" + asked[12:14] + b"\1", 32))
else:
    s = socket.create_connection((gateway, 1723), 5)
    s.settimeout(9)
    s.send(message(1, struct.pack(">H", 0x100), 156))
    s.recv(156, socket.MSG_WAITALL)
    s.send(message(7, b"\0\x4d\0\1", 168))
    assert len(s.recv(32, socket.MSG_WAITALL)) == 32
if me != first:
    s.recv(1)
else:
    time.sleep(3)
s.close()
'
router_calls()
{
	spawn ip netns exec "${nsp}g1" python3 -c "$call_py" g1 "$1" "${GIP[1]}"
	busywait 20 eval 'G 1 ss -ltn | grep -q :1723' || return
	spawn ip netns exec "${nsp}r" python3 -c "$call_py" r "$1" "${GIP[1]}"
	num_sessions 1
}
for first in r g1; do
	check "a call of the router's own" router_calls $first
	check "$first is the first to close: no session is left" num_sessions 0
done

check "calls once more" calls 20
check "the router's namespace goes" ip netns del "${nsp}r"
hang_up
# needs every entry of the namespace to be gone
check "modules unload" timeout 60 bash -c "rmmod vpnpass_pptp && rmmod vpnpass"
done_testing
