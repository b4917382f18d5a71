#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A netns without sessions is left alone: no work runs in it. The first session
# has the rounds begin that look for dead entries, the last one has them end,
# again and again.
#
#   c1 ---+--- r (masquerade) ----+--- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool jq
checktool conntrack

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing 2> /dev/null
event=$tracing/events/workqueue/workqueue_execute_start/enable
[ -w $event ] || skip_all "this kernel has no trace event of work queues"

# rounds SECONDS: how often the sweep ran, in any netns
rounds()
{
	echo > $tracing/trace
	sleep "$1"
	grep -c 'function sweep \[vpnpass\]' $tracing/trace
}

# both_gone: no packet meets the entries, only a round can find them dead
both_gone()
{
	R conntrack -D -p esp > /dev/null 2>&1
	busywait 3 eval '[ "$(sessions)" = 0 ]'
}

none_run()
{
	sleep 2	# the round that finds nothing left
	rounds 4
}

check "topology" topo 2 1
check "SAs" esp_up "1 2"
check "modules load" load_modules
echo 1 > $event
at_exit "echo 0 > $event"
is "rounds of a router without sessions" "$(rounds 4)" 0

for n in first second third; do
	check "both clients work, $n time" busywait 10 esp_pings "1 2" -c 2 -i 50 -w 500
	num "$n time: rounds while there are sessions" "$(rounds 4)" -ge 2
	check "$n time: deleted entries' sessions end" both_gone
	is "$n time: rounds after the last session" "$(none_run)" 0
done

check "one client begins as the last session of the other ends" \
	busywait 10 esp_pings "1" -c 2 -i 50 -w 500
for n in {1..10}; do
	R conntrack -D -p esp > /dev/null 2>&1
	esp_pings "2" -c 1 -i 20 -w 300
	R conntrack -D -p esp > /dev/null 2>&1
	sleep "0.$((RANDOM % 10))"
	esp_pings "1" -c 1 -i 20 -w 300
done
num "sessions" "$(sessions)" -gt 0
check "sessions: none is forgotten" both_gone
is "rounds at the end" "$(none_run)" 0
done_testing
