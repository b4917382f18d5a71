#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The switch alone attaches the helper, the numbers are told apart in the tool,
# a rule of nftables' that attaches the kernel's own helper comes too late, and one
# of iptables' makes ours stand back.
#
#   c1 ---+--- r (masquerade) ---- g1
#   c2 ---+
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq
checktool python3

sim=$(peer pptp_sim) || skip_all "no compiler"

# run_case NAME: prints pass or fail
run_case()
{
	"$sim" "$nsp" "$1" | cut -d' ' -f2
}

stock_helper()
{
	modprobe -qa nf_conntrack_pptp nf_nat_pptp || return 1
	R nft -f - <<-E
	table ip stock {
		ct helper pptp { type "pptp" protocol tcp; }
		chain pre {
			type filter hook prerouting priority 0
			tcp dport 1723 ct helper set "pptp"
		}
	}
	E
}

# only what belongs to a connection that is allowed, as a careful admin has it
firewall()
{
	R nft -f - <<-E
	table ip fw {
		chain forward {
			type filter hook forward priority 0; policy drop
			ct state established,related accept
			tcp dport 1723 accept
		}
	}
	E
}

check "topology" topo 2 1
check "modules load" load_modules vpnpass vpnpass_pptp
check "on from the start" vp_is '.[0].mode == "on"' show pptp
check "off" vp set pptp off
is "off: two clients with one number collide" "$(run_case two_clients_one_id)" fail
R conntrack -F 2> /dev/null
check "on" vp set pptp on
is "on: they do not" "$(run_case two_clients_one_id)" pass
check "block" vp set pptp block
is "block: no connection" "$(run_case one_call)" fail
num "block: counted" "$(counter blocked pptp)" -gt 0

R conntrack -F 2> /dev/null
# GRE that is not PPTP's: plain, with a key, and EoIP (version 1, protocol 0x6400)
for form in "plain 0000080045000014" "keyed 200008000000002a45000014" "eoip 2001640000040102"; do
	spawn ip netns exec "${nsp}g1" timeout 20 "$selftests/pkt.py" count --seconds 15 --proto gre --until 1
	seen=$spawn_log
	busywait 20 grep -q ready "$seen"
	C 1 "$selftests/pkt.py" send --src "${CIP[1]}" --dst "${GIP[1]}" --proto 47 \
		--hex "${form#* }"
	check "block: GRE of another kind passes: ${form% *}" busywait 20 grep -q 'total 1' "$seen"
done
entry=$(R conntrack -L -p gre 2> /dev/null | grep -c "src=${CIP[1]}")
num "block: it has an entry" "$entry" -gt 0
check "on again" vp set pptp on
is "on again: that stays" "$(R conntrack -L -p gre 2> /dev/null | grep -c "src=${CIP[1]}")" "$entry"
R conntrack -F 2> /dev/null

check "a firewall that lets out port 1723 alone" firewall
is "GRE is related to its control connection" "$(run_case two_clients_one_id)" pass
if [ -e /proc/sys/net/netfilter/nf_conntrack_gre_timeout ]; then
	is "GRE entry deleted: also then" "$(run_case gre_entry_deleted)" pass
else
	skip "GRE entry deleted: also then" "this kernel's conntrack does not tell GRE apart"
fi
is "ICMP errors too" "$(run_case icmp_quotes)" pass

spawn "$sim" "$nsp" hold 3
hold=$spawn_pid
check "three calls" busywait 20 grep -q ready "$spawn_log"
check "the tool tells them apart" vp_is '[.[].call_id[] | select(.dir == "in").number] |
	sort == [1, 2, 3]' session proto pptp client "${CIP[1]}"
check "the tool tells them apart: shows the server's numbers" \
	vp_is '[.[].call_id[] | select(.dir == "out").number] |
	sort == [16384, 16385, 16386]' session proto pptp peer "${GIP[1]}"
check "three in the overview" vp_is '.[0].sessions == 3' show pptp
kill "$hold"
check "three in the overview: they end with the connection" busywait 10 vp_is 'length == 0' session

if stock_helper; then
	is "a rule that attaches the kernel's own helper: ours serves" \
		"$(run_case two_clients_one_id)" pass
	is "a rule that attaches the kernel's own helper: is not in conflict" \
		"$(counter conflict pptp)" 0
	R nft delete table ip stock
	R conntrack -F 2> /dev/null
else
	skip "a rule that attaches the kernel's own helper" "this kernel has none"
fi
modprobe -qa nft_compat iptable_raw
if modprobe -qa nf_conntrack_pptp nf_nat_pptp xt_CT &&
   R iptables -t raw -A PREROUTING -p tcp --dport 1723 -j CT --helper pptp; then
	spawn "$VPNPASS" -n "${nsp}r" -j monitor
	log=$spawn_log
	sleep 1
	is "the kernel's own helper attached: it serves" "$(run_case one_call)" pass
	R conntrack -F 2> /dev/null
	is "again" "$(run_case one_call)" pass
	is "ours stood back, both times" "$(counter conflict pptp)" 2
	check "ours stood back, both times: said so" busywait 20 grep -q '"conflict"' "$log"
	is "once" "$(grep -c '"conflict"' "$log")" 1
	is "no session of ours" "$(sessions proto pptp)" 0
else
	skip "the kernel's own helper attached" "this kernel has none"
fi
check "modules unload" unload_modules
done_testing
