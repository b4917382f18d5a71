#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor on what keeps packets from us: the kernel's own PPTP helper, by
# a rule and on a connection that got it earlier, and flowtables, as a rule and
# when a VPN goes by one; and rules that the fast way goes past.
#
#   c1, c2 ---- r (masquerade) ---- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq
checktool conntrack

check "topology" topo 2 1
check "modules" load_modules
modprobe -qa nf_conntrack_pptp xt_CT nft_compat iptable_raw nft_ct nft_objref nft_flow_offload nf_flow_table_inet

# helper_rule PORT: connections to it get the kernel's own helper
helper_rule()
{
	rules "ct helper pptp { type \"pptp\" protocol tcp; }
	       chain pre { type filter hook prerouting priority filter
			tcp dport $1 ct helper set \"pptp\"; }" 2> "$scratch/err"
}

# pptp_connects i: client i opens a connection to g1's port 1723 and keeps it
pptp_connects()
{
	spawn ip netns exec "${nsp}c$1" python3 -uc 'import socket, sys, time
s = socket.create_connection((sys.argv[1], 1723), 10)
print("connected")
time.sleep(600)' "${GIP[1]}"
	busywait 15 grep -q connected "$spawn_log"
}

# --- the kernel's own helper ---------------------------------------------------
check "a PPTP server" answer g1 pptp=mute
if helper_rule 1723; then
	found "the kernel's own helper by a rule" in-tree-helper \
		".seen | contains(\"inet fw pre handle $(handle pre helper) \")"
	check "a connection" pptp_connects 1
	check "has ours nevertheless" jq -e '.[] | select(.finding == "in-tree-helper") |
		.do | contains("no effect")' "$scratch/doctor"
	no_rules
	check "a rule of iptables'" R iptables -t raw -A PREROUTING -p tcp --dport 1723 \
		-j CT --helper pptp
	check "comes before us" pptp_connects 2
	R iptables -t raw -F
	found "which it keeps without the rule" in-tree-helper ".proto == \"pptp\" and
		(.seen | contains(\"has the connection of ${CIP[2]} with ${GIP[1]}\"))"
	check "what to do, as conntrack takes it" eval "R \$(jq -r '.[] |
		select(.finding == \"in-tree-helper\") | .do' '$scratch/doctor' |
		grep -o 'conntrack -D [^.]*')"
	not_found "after which it is gone" in-tree-helper
	helper_rule 21
	check "another connection" pptp_connects 2
	not_found "has ours, as others have that rule" in-tree-helper
	no_rules
else
	skip "the kernel's own helper by a rule" "this kernel has none"
	skip "the kernel's own helper by a rule: it keeps without the rule" "this kernel has none"
	skip "has ours, as others have that rule" "this kernel has none"
fi
# kernels before 6.0
if R test -e /proc/sys/net/netfilter/nf_conntrack_helper; then
	R sysctl -qw net.netfilter.nf_conntrack_helper=1
	found "by a switch of the kernel's" in-tree-helper '.seen | contains("nf_conntrack_helper")'
	R sysctl -qw net.netfilter.nf_conntrack_helper=0
	not_found "which is off" in-tree-helper
else
	skip "which is off: by a switch of the kernel's" "this kernel has none"
fi
end_answer
R conntrack -F 2> /dev/null

# --- the fast way --------------------------------------------------------------------
counting="chain forward { type filter hook forward priority filter; ip protocol esp"
rules "$counting limit rate over 10/second burst 5 packets drop; }"
not_found "a limit on ESP, which goes by the rules" fast-rules
check "fast" vp set esp fast 1000
found "a limit on ESP that goes fast" fast-rules ".proto == \"esp\" and .severity == \"info\" and
	(.seen | contains(\"inet fw forward handle \") and contains(\"'limit'\")) and
	.commands == [\"vpnpass set esp fast 0\"]"
for statement in "log prefix \"esp\"" "quota over 10 mbytes drop" "queue num 3 bypass"; do
	rules "$counting $statement; }" && found "... ${statement%% *}" fast-rules \
		".seen | contains(\"'${statement%% *}'\")"
done
rules "$counting ct state established accept; ip protocol esp log; }"
not_found "a log of first packets alone" fast-rules
rules "chain raw { type filter hook prerouting priority raw; ip protocol esp log; }"
not_found "one that sees each packet" fast-rules
rules "chain forward { type filter hook forward priority filter; udp dport 500 log; }"
not_found "one of IKE" fast-rules
check "off" vp set esp fast 0
rules "$counting limit rate over 10/second burst 5 packets drop; }"
not_found "off: it goes by the rules again" fast-rules
no_rules

# --- flowtables --------------------------------------------------------------------
# offload RULES: those before what hands the rest to a flowtable
offload()
{
	rules "flowtable ft { hook ingress priority filter; devices = { wan, lan1, lan2 }; }
	       chain forward { type filter hook forward priority filter; policy accept
		$1
		meta l4proto { tcp, udp } flow add @ft; }" 2> "$scratch/err"
}

# asks i WHAT...: client i asks g1, and is answered
asks()
{
	local i=$1

	shift
	C "$i" "$VPNPASS" doctor probe "${GIP[1]}" timeout 20 "$@" > /dev/null
}

offloaded() { [ "$(R conntrack -L 2> /dev/null | grep -c "OFFLOAD.*")" -ge 1 ]; }
apart="udp dport { 500, 1701 } accept; tcp dport 1723 accept
	udp sport { 500, 1701 } accept; tcp sport 1723 accept"
check "a gateway" answer g1 ike l2tp openvpn
if offload ""; then
	found "a flowtable" flowtable '.proto == "ike" and .severity == "warning" and
		(.seen | contains("inet fw forward handle ") and contains("flowtable ft"))'
	check "for what goes by it alone" jq -e \
		'[.[] | select(.finding == "flowtable") | .proto] | sort == ["ike", "l2tp", "pptp"]' \
		"$scratch/doctor"
	check "OpenVPN is answered" asks 1 openvpn
	check "OpenVPN is answered: goes by the flowtable" busywait 20 offloaded
	not_found "which is no fault" flowtable '.severity == "error" or .proto == "openvpn"'
	R conntrack -F 2> /dev/null
	check "IKE and L2TP are answered" asks 1 ike l2tp
	sleep 2
	is "IKE and L2TP are answered: are kept out of it" \
		"$(R conntrack -L 2> /dev/null | grep -c OFFLOAD)" 0
	not_found "which is no error" flowtable '.severity == "error"'
	check "no more sessions" vp set l2tp max_sessions 1
	check "L2TP is answered without one" asks 2 l2tp
	check "L2TP is answered without one: goes by the flowtable" busywait 20 offloaded
	found "a VPN that goes by it now" flowtable '.proto == "l2tp" and .severity == "error" and
		(.seen | contains("one that it does not is offloaded now"))'
	not_found "others do not" flowtable '.proto != "l2tp" and .severity == "error"'
	vp set l2tp max_sessions 65536
	R conntrack -F 2> /dev/null
	not_found "nor does it once it is over" flowtable '.severity == "error"'
	check "a flowtable without them" offload "$apart"
	not_found "is no fault" flowtable
	check "L2TP and IKE are answered" asks 1 l2tp ike
	not_found "and do not go by it" flowtable
	no_rules
else
	skip "a flowtable" "this kernel has none"
	skip "a VPN that goes by it now" "this kernel has none"
	skip "is no fault" "this kernel has none"
fi
end_answer
check "modules unload" unload_modules
done_testing
