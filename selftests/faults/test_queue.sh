#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: smp=2 timeout=900
# A user's nfqueue: packets leave the router's chains and come back in another
# context, on another CPU, late, or never. In every chain two clients of each
# VPN work; the program dies with packets in its hands, modules and the netns go
# with packets in the queue.
#
#   c1 ---+                       +--- g1
#   c2 ---+--- r (masquerade) ----+
#   c3 ---+                       +--- g2
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/sim.sh"
. "$(dirname "$0")/all.sh"
checktool jq
modprobe -a nfnetlink_queue nft_queue 2> /dev/null || skip_all "this kernel has no nfqueue"

# rules CHAIN...: all VPN packets there go to the queue. raw is before our hook,
# mangle behind it; prerouting and postrouting have both of ours between them.
rules()
{
	local c

	R nft delete table ip q 2> /dev/null
	{
		echo "table ip q {"
		for c; do
			case $c in
			raw) echo "chain at_raw { type filter hook prerouting priority raw;" ;;
			mangle) echo "chain at_mangle { type filter hook prerouting priority mangle;" ;;
			forward) echo "chain at_forward { type filter hook forward priority filter;" ;;
			postrouting) echo "chain at_post { type filter hook postrouting priority 150;" ;;
			esac
			echo "meta l4proto { esp, gre } meta mark != 1 queue num 7"
			echo "meta l4proto { udp, tcp } th dport { 500, 1701, 1723 } meta mark != 1 queue num 7"
			echo "meta l4proto { udp, tcp } th sport { 500, 1701, 1723 } meta mark != 1 queue num 7"
			echo "}"
		done
		echo "}"
	} | R nft -f -
}

# queue_start WORD...: the program, in the router
queue_start()
{
	spawn ip netns exec "${nsp}r" "$(peer queue)" 7 "$@"
	queue_pid=$spawn_pid queue_log=$spawn_log
	busywait 20 grep -q ready "$queue_log"
}

queue_end()
{
	kill "$queue_pid"
	wait "$queue_pid" 2> /dev/null
	queued=$(sed -n 's/packets //p' "$queue_log")
}

queue_length()
{
	R awk '$1 == 7 { print $3 }' /proc/net/netfilter/nfnetlink_queue
}

long() { [ "$(queue_length)" -gt 20 ]; }

check "topology" topo 3 2
check "SAs" esp_up "1 2"
check "peers" all_start
check "modules load" load_modules
check "a rule" rules forward
check "a program" queue_start
queue_end

# --- given back at once, late, twice -------------------------------------------------------
for c in raw mangle forward postrouting "raw mangle forward postrouting"; do
	R conntrack -F > /dev/null 2>&1
	rules $c
	queue_start
	all_work "$c"
	queue_end
	num "$c: the queue was used" "$queued" -gt 20
done
for way in "delay 30" repeat; do
	R conntrack -F > /dev/null 2>&1
	# shellcheck disable=SC2086
	queue_start $way
	all_work "all chains, $way"
	queue_end
done

# --- the program dies; what it had is gone, all comes back -------------------------------------
rules raw mangle forward postrouting
traffic_begin
killed=0
for n in 1 2 3 4 5; do
	queue_start delay 20 && killed=$((killed + 1))
	sleep 0.5
	kill -9 "$queue_pid"
	wait "$queue_pid" 2> /dev/null
done
is "killed under traffic" "$killed" 5
queue_start
check "ESP works with the next one" busywait 15 esp_works

# --- modules and entries go with packets in the queue -----------------------------------------
went=0
for c in postrouting forward mangle; do
	queue_end
	rules $c
	queue_start keep
	busywait 10 long || break
	R conntrack -F > /dev/null 2>&1
	kill -USR1 "$queue_pid"
	busywait 10 eval '! long' || break
	queue_end
	queue_start keep
	busywait 10 long || break
	unload_modules || break
	kill -USR1 "$queue_pid"
	load_modules || break
	went=$((went + 1))
done
is "entries, then modules, go with packets in the queue" $went 3
queue_end
R nft delete table ip q
traffic_end
all_work "after it"
rules postrouting forward
queue_start keep
traffic_begin
check "packets are in the queue" busywait 10 long
ip netns del "${nsp}r"
queue_end
traffic_end
check "the netns goes with packets in the queue, then the modules" unload_modules
done_testing
