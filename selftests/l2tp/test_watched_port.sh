#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A server may answer from another port to whatever port the client's first message
# came from. That port is the client's affair alone: the same port of others does not
# become L2TP's, and there is a bound on how many there are.
#
#   c1 ---+--- r (masquerade) ---- g1: l2tp_sim
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/l2tp.sh"
checktool jq
checktool python3

# seen_by_helper: how many UDP packets have reached it since the probe was set
trace=/sys/kernel/tracing
probe()
{
	[ -e $trace/trace ] || mount -t tracefs t $trace 2> /dev/null
	[ -w $trace/kprobe_events ] || return
	echo 'p:vpnpass_miss vpnpass_l2tp:l2tp_udp_miss' > $trace/kprobe_events &&
		echo 1 > $trace/events/kprobes/vpnpass_miss/enable
}
unprobe()
{
	echo 0 > $trace/events/kprobes/vpnpass_miss/enable
	echo > $trace/kprobe_events
}
seen_by_helper() { grep -c vpnpass_miss: $trace/trace; }

# first_messages FIRST N: client 1's, from so many ports, with their numbers for IDs
first_messages()
{
	C 1 python3 -c '
import socket, struct, sys, time
first, n = int(sys.argv[2]), int(sys.argv[3])
for port in range(first, first + n):
    time.sleep(port % 100 == 99)  # a queue has 1,000 places
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    s.sendto(struct.pack("!HHHHHHHHHHHHHH", 0xc802, 28, 0, 0, 0, 0, 0x8008, 0, 0, 1,
                         0x8008, 0, 9, port), (sys.argv[1], 1701))' "${GIP[1]}" "$@"
}

# answers FIRST N: the server's, each from another port
answers()
{
	G 1 python3 -c '
import socket, struct, sys, time
first, n = int(sys.argv[2]), int(sys.argv[3])
for port in range(first, first + n):
    time.sleep(port % 100 == 99)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    s.sendto(struct.pack("!HHHHHHHHHHHHHH", 0xc802, 28, port, 0, 0, 1, 0x8008, 0, 0, 2,
                         0x8008, 0, 9, 1), (sys.argv[1], port))' "$PUB" "$@"
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_l2tp
check "server on new ports" lns -m new
check "a client on port 443, answered from another port" lac 1 -p 443 -t 21
is "a client on port 443, answered from another port: its port moved" "$(lcount moved_port)" 1
lns_end
check "flush" vp session flush proto l2tp

first_messages 443 1
if probe; then
	C 1 "$selftests/pkt.py" send --src "${CIP[1]}" --dst "${GIP[1]}" --proto udp \
		--sport 9000 --dport 1701 --count 3
	check "the probe is at work" busywait 30 eval '[ "$(seen_by_helper)" -ge 3 ]'
	sleep 1
	before=$(seen_by_helper)	# the other namespaces', too
	C 2 "$selftests/pkt.py" send --src "${CIP[2]}" --dst "${GIP[1]}" --proto udp \
		--sport 9000 --dport 443 --count 50
	G 1 "$selftests/pkt.py" send --src "${GIP[1]}" --dst "$PUB" --proto udp \
		--sport 443 --dport 9000 --count 50
	is "port 443 of others is not L2TP's" "$(seen_by_helper)" "$before"
	unprobe
else
	skip "port 443 of others is not L2TP's" "this kernel has no kprobes"
fi

check "flush" vp session flush proto l2tp
check "room for many sessions" vp set l2tp max_per_client 3000
moved=$(lcount moved_port)
first_messages 20000 1100
answers 20000 1100
num "room for many sessions: of 1,100 ports no more than 1,024 are watched at once" \
	"$(($(lcount moved_port) - moved))" -le 1024
num "not many less than 1,024 ports are watched" "$(($(lcount moved_port) - moved))" -ge 900
check "flush" vp session flush proto l2tp
moved=$(lcount moved_port)
first_messages 30000 1
answers 30000 1
is "other ports are watched when these are gone" "$(($(lcount moved_port) - moved))" 1
check "modules unload" unload_modules
done_testing
