#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor on firewalls of IPv6: tables ip6 and inet, ip6tables. What is
# dropped there is told with a packet that was, and rules of one family do not
# count for the other.
#
#   c1, c2 ---- r (IPv4 and IPv6, masquerade) ---- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq

check "topology" topo -6 2 1
forward="type filter hook forward priority filter;"
state="ct state vmap { established : accept, related : accept, invalid : drop }"

# rules6 BODY: replaces table ip6 fw
rules6()
{
	R nft -f - <<-N
	table ip6 fw
	delete table ip6 fw
	table ip6 fw {
	$1
	}
	N
}

# handle6 REGEX: of the rule of ip6 fw forward that matches
handle6()
{
	R nft -a list chain ip6 fw forward | sed -n "/$1/s/.* # handle //p"
}

# send6 WHAT...: client 1 sends one packet of each to g1: PORT, or esp
send6()
{
	C 1 python3 - "${GIP6[1]}" "$@" <<-'P'
	import socket, sys
	for what in sys.argv[2:]:
	    if what == "esp":
	        s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 50)
	        s.sendto(bytes.fromhex("000010010000000100112233"), (sys.argv[1], 0))
	    else:
	        s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
	        s.sendto(b"x" * 16, (sys.argv[1], int(what)))
	P
}

peace()
{
	not_found "$1" nft-drop
}

# --- tables of nft -----------------------------------------------------------------
peace "no firewall"
rules6 "chain forward { $forward policy accept; $state; meta l4proto esp counter drop; }"
check "ESP is sent" send6 esp
found "ESP of IPv6 is dropped" nft-drop ".proto == \"esp\" and .severity == \"error\" and
	(.seen | contains(\"table ip6 fw, chain forward, handle $(handle6 esp) \") and
	 contains(\"its counter says 1 packets\"))"
is "ESP of IPv6 is dropped: it is all that is found of rules" 1 \
	"$(jq '[.[] | select(.finding == "nft-drop")] | length' "$scratch/doctor")"
check "ESP of IPv6 is dropped: what to do, as nft takes it" eval \
	"R nft \"\$(jq -r '.[] | select(.finding == \"nft-drop\") | .do' '$scratch/doctor' |
		sed \"s/.*nft '//; s/'\$//\")\""
peace "after which it is gone"
check "ESP is sent again" send6 esp
is "ESP is sent again: not dropped" \
	"$(R nft list chain ip6 fw forward | sed -n 's/.*esp counter packets \([0-9]*\) .*/\1/p')" 1
R nft delete table ip6 fw

rules "chain forward { $forward policy accept; $state
	meta nfproto ipv6 udp dport { 500, 4500 } counter reject; }"
check "IKE is sent" send6 500
found "IKE, in a table of both" nft-drop ".proto == \"ike\" and
	(.seen | contains(\"inet fw, chain forward, handle $(handle forward 4500) \") and
	 contains(\"its counter says 1 packets\"))"
found "and NAT-T" nft-drop '.proto == "natt"'
not_found "no others" nft-drop '.proto != "ike" and .proto != "natt"'
rules "chain forward { $forward policy accept; $state; ip6 nexthdr esp drop; }"
found "by the next header" nft-drop ".proto == \"esp\" and
	(.seen | contains(\"inet fw, chain forward, handle $(handle forward nexthdr) \"))"
rules "chain forward { $forward policy accept; ip6 saddr fd00::/16 udp dport 1701 drop; }"
found "by a prefix that the LAN is in" nft-drop '.proto == "l2tp"'
rules "chain forward { $forward policy accept; ip6 saddr fd00:0:0:1::/64 ip6 daddr 2000::/3 drop; }"
found "some addresses outside, one of which a client asked lately" nft-drop \
	".seen | contains(\"with ${GIP6[1]}\")"
check "what the clients asked is forgotten" R conntrack -F -f ipv6
peace "some addresses outside, which may be others"
rules6 "chain forward { $forward policy drop; $state; meta l4proto { tcp, udp, ipv6-icmp } accept; }"
no_rules
found "a policy that only ports escape" nft-drop \
	'.proto == "esp" and (.seen | contains("the policy of table ip6 fw, chain forward"))'
not_found "is not about those" nft-drop '.proto == "ike" or .proto == "natt"'

# --- no fault ------------------------------------------------------------------------
rules6 "chain forward { $forward policy drop; $state; meta l4proto ipv6-icmp accept
	iifname \"lan*\" oifname \"wan\" accept; }"
peace "a home router's firewall"
rules6 "set blocked { type ipv6_addr; flags interval; elements = { 2001:db8:dead::/48 }; }
chain forward { $forward policy accept; $state
	ip6 daddr @blocked drop
	ip6 saddr 2001:db8:beef::/48 meta l4proto esp drop
	iifname \"wan\" udp dport 500 drop
	rt type 0 drop
	ip6 hoplimit < 2 drop
	fib daddr type local drop; }"
peace "rules about others"
R nft delete table ip6 fw
R nft -f - <<-N
table ip fw4 {
	chain forward { $forward policy accept; $state; meta l4proto esp drop; }
}
N
found "a rule of IPv4" nft-drop '.proto == "esp" and (.seen | contains("table ip fw4, chain forward"))'
is "does not count for IPv6 as well" 1 \
	"$(jq '[.[] | select(.finding == "nft-drop")] | length' "$scratch/doctor")"
R nft delete table ip fw4

# --- ip6tables -----------------------------------------------------------------------
# ipt6 LINE...: as ip6tables-restore takes the filter table
ipt6()
{
	{ printf '*filter\n'; printf '%s\n' "$@"; printf 'COMMIT\n'; } | R ip6tables-nft-restore
}
related="-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"
if command -v ip6tables-nft > /dev/null && R ip6tables-nft -P FORWARD ACCEPT; then
	check "a rule of ip6tables" ipt6 "$related" "-A FORWARD -i lan1 -p esp -j DROP"
	check "ESP is sent" send6 esp
	found "ip6tables, ESP" nft-drop '.proto == "esp" and
		(.seen | contains("table ip6 filter, chain FORWARD, handle ") and
		 contains("made by iptables") and contains("its counter says 1 packets"))'
	check "several ports" ipt6 "$related" \
		"-A FORWARD -p udp -m multiport --dports 500,1701 -j REJECT"
	found "ip6tables, IKE" nft-drop '.proto == "ike"'
	found "ip6tables, L2TP" nft-drop '.proto == "l2tp"'
	check "what others have" ipt6 ":FORWARD DROP [0:0]" "$related" \
		"-A FORWARD -p ipv6-icmp -j ACCEPT" "-A FORWARD -s 2001:db8:beef::/48 -p esp -j DROP" \
		"-A FORWARD -i lan+ -o wan -j ACCEPT"
	peace "ip6tables, a home router's"
	R nft delete table ip6 filter
else
	skip "ip6tables, ESP" "no ip6tables-nft"
	skip "ip6tables, IKE" "no ip6tables-nft"
	skip "ip6tables, a home router's" "no ip6tables-nft"
fi

# --- tracking --------------------------------------------------------------------------
rules6 "chain pre { type filter hook prerouting priority raw; meta l4proto esp notrack; }"
found "ESP exempted from tracking" nft-notrack '.proto == "esp" and (.seen | contains("ip6 fw pre handle "))'
R nft delete table ip6 fw
not_found "it no longer is" nft-notrack
done_testing
