#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# L2TPv3 over IP without a control connection: the IDs were configured, nobody
# says them aloud, and each end's are unrelated to the other's. Of what the
# server sends each client gets its own and nothing else: by the addresses in
# Ethernet frames, or by taking turns where there are none.
#
#   c1 ---+
#   ...   +--- r (masquerade) ---- g1
#   c3 ---+
# Client i sends on session 2000+i, and the server to it on 1000+i.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq

# server [OPTION...]: one for sessions without addresses
server()
{
	spawn ip netns exec "${nsp}g1" "$(peer l2tp_static)" server -a "${GIP[1]}" "$@" \
		2001:1001 2002:1002 2003:1003
	server_pid=$spawn_pid
	busywait 20 grep -q ready "$spawn_log"
}

server_end()
{
	kill "$server_pid"
	wait "$server_pid" 2> /dev/null
	return 0
}

# start i [OPTION...]: client i, in the background; then client_said i
client_log=() client_pid=()
start()
{
	spawn ip netns exec "${nsp}c$1" "$(peer l2tp_static)" client -a "${CIP[$1]}" \
		-d "${GIP[1]}" -x $((2000 + $1)) -y $((1000 + $1)) "${@:2}"
	client_log[$1]=$spawn_log client_pid[$1]=$spawn_pid
}

# client_done i: waits for it; its exit code
client_done()
{
	wait "${client_pid[$1]}"
	local rc=$?

	cat "${client_log[$1]}"
	return $rc
}

# ids i IN OUT: these are the session IDs of client i, and no others
ids()
{
	vp_is "([.[0].session_id[]? | select(.dir == \"in\").number] | sort == $2) and
	       ([.[0].session_id[]? | select(.dir == \"out\").number] | sort == $3)" \
		session client "${CIP[$1]}"
}

# reaches "CLIENTS" NAME HEX: of what the server sends one packet reaches each
# of these, and nobody else
reaches()
{
	local i

	tap_mark
	send g1 "$3" -- -s "${GIP[1]}" -d "$PUB"
	tap_flush 1 2 3 || not_ok "$2: marks arrive" "$(tap_show)"
	is "$2" "$(reached '^c' | sed "s/^c\([0-9]*\) ${GIP[1]} 10.* 115 $3\$/\1/" | xargs)" "$1"
}

check "topology" topo 3 1
check "modules load" load_modules vpnpass vpnpass_l2tp
check "tap" l2tp_tap c1 c2 c3

# --- Ethernet -------------------------------------------------------------------------
none=00000000 all=ffffffffffff arp=0806000108000604
mac() { hex16 "$1"; mac=02000000$hex; }
# eth ID SUBLAYER DST SRC: a data message in $msg
eth() { hex32 "$1"; msg=$hex$2$3$4$arp; }

mac 0xaa; srv=$mac
for i in 1 2 3; do
	mac $i; eth $((2000 + i)) $none $all "$mac"
	send c$i "$msg" -- -s "${CIP[i]}" -d "${GIP[1]}"
done
eth 1001 $none $all "$srv"
reaches "" "a broadcast before anything is known reaches nobody" "$msg"
mac 0x99; eth 1001 $none "$mac" "$srv"
reaches "" "a frame for an unknown address neither" "$msg"
mac 2; eth 1002 $none "$mac" "$srv"
reaches 2 "a frame for client 2's address reaches it" "$msg"
check "whose ID is known from then on" ids 2 "[1002]" "[]"
eth 1002 $none $all "$srv"
reaches 2 "so that a broadcast reaches it" "$msg"
mac 1; eth 1001 "0123456789abcdef$none" "$mac" "$srv"
reaches 1 "a cookie and a sublayer in one direction alone: client 1" "$msg"
mac 3; eth 1003 "" "$mac" "$srv"
reaches 3 "neither of them: client 3" "$msg"
for i in 1 2 3; do
	mac $i; eth $((2000 + i)) $none "$srv" "$mac"
	send c$i "$msg" -- -s "${CIP[i]}" -d "${GIP[1]}"
	check "client $i has its IDs" ids $i "[$((1000 + i))]" "[$((2000 + i))]"
done
is "three were found" "$(lcount paired)" 3

# Client 2's second session, with the address of a host that client 1 has, too
for i in 1 2; do
	mac 0x77; eth $((2010 + i)) $none $all "$mac"
	send c$i "$msg" -- -s "${CIP[i]}" -d "${GIP[1]}"
done
eth 1012 $none "$mac" "$srv"
tap_mark
send g1 "$msg" -- -s "${GIP[1]}" -d "$PUB"
check "marks arrive" tap_flush 1 2 3
is "an address that two clients have tells nothing" "$(lcount paired)" 3
mac 0x78; eth 2012 $none $all "$mac"
send c2 "$msg" -- -s "${CIP[2]}" -d "${GIP[1]}"
eth 1012 $none "$mac" "$srv"
reaches 2 "one of its own does" "$msg"

# IDs that were nobody's have had the clients' own read again: with their next
# frames they are back
check "an unknown ID: clients' are read again" ids 1 "[1001]" "[]"
mac 0x79; eth 2001 $none "$srv" "$mac"
send c1 "$msg" -- -s "${CIP[1]}" -d "${GIP[1]}"
check "a frame of a host not seen before brings client 1's back" ids 1 "[1001]" "[2001]"
for i in 1 2 3; do
	mac $i; eth $((2000 + i)) $none "$srv" "$mac"
	send c$i "$msg" -- -s "${CIP[i]}" -d "${GIP[1]}"
done
mac 0x78; eth 2012 $none "$srv" "$mac"
send c2 "$msg" -- -s "${CIP[2]}" -d "${GIP[1]}"
check "a client's second session" ids 2 "[1002,1012]" "[2002,2012]"
check "beside another's only one" ids 1 "[1001]" "[2001]"

# IDs that were found have ICMP errors as others have
l2tp_log=$tap_log
check "tap for ICMP" tap c1 c2 c3
for i in 1 3; do
	G 1 "$(peer icmperr)" -s "${GIP[1]}" -d "$PUB" -S "$PUB" -D "${GIP[1]}" -p 115 \
		-i $((2000 + i)) -m 1300
	printf -v id '0x%08x' $((2000 + i))
	check "8 bytes of client $i's data quoted: reaches it" busywait 10 tap_has 1 \
		"^${nsp}c$i ${GIP[1]} ${CIP[i]} icmp 3 4 1300 ${CIP[i]} ${GIP[1]} 115 $id\$"
	is "and nobody else" "$(tap_seen ' icmp ')" 1
	tap_mark
done
kill "$tap_pid"
tap_log=$l2tp_log

# --- no addresses -----------------------------------------------------------------------
check "flush" vp session flush proto l2tp
check "pairing_window 200" vp set l2tp pairing_window 200
check "server" server
check "an only client does not wait" eval "start 1 -n 20; client_done 1"
is "though it proves nothing" "$(lcount paired)" 4
waited=$(lcount waited)
for i in 1 2 3; do start $i -n 2000 -e 40; done
for i in 1 2 3; do check "three at once: client $i, until 40 answers in a row" client_done $i; done
for i in 1 2 3; do
	is "client $i was given nothing of others'" "$(sed 's/.*foreign //' "${client_log[i]}")" 0
	check "client $i has its IDs" ids $i "[$((1000 + i))]" "[$((2000 + i))]"
done
num "they had to wait" "$(lcount waited)" -gt "$waited"
for i in 1 2 3; do start $i -n 50 -i 10; done
for i in 1 2 3; do check "then client $i loses nothing" client_done $i; done
server_end

# The server sends on client 2's of its own accord: that must not be taken for an
# answer to client 1 or 3
check "flush" vp session flush proto l2tp
check "server that sends to client 2 all the time" server -u 1002:30 -d "$PUB"
for i in 1 2 3; do start $i -n 3000 -e 40; done
for i in 1 3; do check "client $i finds its own" client_done $i; done
for i in 1 3; do check "client $i has its IDs" ids $i "[$((1000 + i))]" "[$((2000 + i))]"; done
check "client 2 gets on when it is the only one left" client_done 2
is "client 2 gets on when it is the only one left: was given nothing of others'" \
	"$(sed 's/.*foreign //' "${client_log[2]}")" 0
server_end

# --- a flow that is not answered --------------------------------------------------------
check "flush" vp session flush proto l2tp
check "server" server
spawn ip netns exec "${nsp}c3" "$(peer l2tp_static)" client -a "${CIP[3]}" \
	-d "${GIP[1]}" -x 9 -y 9 -n 100000
for i in 1 2; do start $i -n 3000 -e 40; done
for i in 1 2; do check "beside a flow that is never answered: client $i" client_done $i; done
for i in 1 2; do check "client $i has its IDs" ids $i "[$((1000 + i))]" "[$((2000 + i))]"; done
server_end
check "modules unload in use" unload_modules
done_testing
