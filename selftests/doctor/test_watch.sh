#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=300
# vpnpass doctor --watch runs while a client connects, and says what it sees as it comes: as
# text and in JSON, whose lines are as docs/schema/doctor.json has them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq
checktool nft nftables
checktool conntrack
modprobe -qa nf_tables nft_ct nft_masq nft_chain_nat nf_conntrack_netlink

# begin_watch WORD...: him, watching; what he says is in $watch_log
begin_watch()
{
	spawn ip netns exec "${nsp}r" "$VPNPASS" "$@"
	watch_log=$spawn_log watch_pid=$spawn_pid
}

end_watch()
{
	kill -INT "$watch_pid"
	wait "$watch_pid"
}

# told FILTER: he has told that; jq's, on one event
told() { busywait 30 eval "jq -es 'any(.[]; $1)' '$watch_log' > /dev/null 2>&1"; }

# never FILTER: he has not
never() { jq -es "all(.[]; ($1) | not)" "$watch_log" > /dev/null; }

# text REGEX: likewise as text
text() { busywait 30 grep -q "$1" "$watch_log"; }

check "topology" topo 2 1
R sysctl -qw net.netfilter.nf_conntrack_acct=1

# --- JSON ------------------------------------------------------------------------------
begin_watch -j doctor --watch
check "begins with what is there" told '.event == "finding" and .id == "not-loaded"'
check "a client sends IKE" send 1 "${GIP[1]}" 500
check "he says so" told ".event == \"packet\" and .proto == \"ike\" and
	.src == \"${CIP[1]}\" and .dst == \"${GIP[1]}\" and .interface == \"lan1\""
check "one packet is no silence" never '.id == "path-silent" or .id == "path-refused"'
check "he goes on to ask" eval "busywait 30 eval 'send 1 ${GIP[1]} 500; sleep 0.5;
	grep -q path-refused $watch_log'"
check "the gateway, which has no such service, says so" told \
	'.event == "finding" and .id == "path-refused" and .proto == "ike"'
check "a gateway comes" answer g1 natt
check "a client uses NAT-T" C 2 "$VPNPASS" doctor probe "${GIP[1]}" timeout 20 natt
check "its answer comes in" told ".event == \"packet\" and .src == \"${GIP[1]}\" and
	.proto == \"natt\" and .interface == \"wan\""
end_answer
check "a rule drops" rules 'chain forward { type filter hook forward priority 0
	meta l4proto esp drop
	}'
check "it is found" told '.event == "finding" and .id == "nft-drop" and .proto == "esp" and
	(.commands | length) == 1'
check "it is removed" no_rules
check "and gone" told '.event == "gone" and .id == "nft-drop" and .proto == "esp"'
check "each is told once" eval "[ \$(grep -c '\"id\":\"nft-drop\"' $watch_log) = 2 ]"
end_watch
is "interrupted: something was found" $? 3
bad=$(cd "$selftests/doctor/scenes" && python3 -c '
import json, sys, run
for line in sys.stdin:
    print(*run.schema_errors(json.loads(line), {"$ref": "#/$defs/event"}), sep="")' < "$watch_log")
is "the lines are as the schema has them" "${bad//$'\n'/}" ""

# --- text, and one host ------------------------------------------------------------------
begin_watch doctor --watch "${GIP[1]}" from "${CIP[1]}"
check "begins" text "info: not-loaded\|warning: not-loaded"
check "the other client sends L2TP" send 2 "${GIP[1]}" 1701
check "this one sends WireGuard" send 1 "${GIP[1]}" 51820
check "that is told" text "WireGuard (UDP 51820) from ${CIP[1]} to ${GIP[1]} comes in by lan1"
is "and of the other nothing" "$(grep -c L2TP "$watch_log")" 0
end_watch
R "$VPNPASS" doctor --watch probe "${GIP[1]}" 2> /dev/null
is "not with probe" $? 1
done_testing
