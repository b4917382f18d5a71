#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor on firewalls, with no module of ours: every rule that drops a
# VPN is named, and firewalls that let VPNs pass are left in peace.
#
#   c1, c2 ---- r (masquerade, the firewall) ---- g1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq

check "topology" topo 2 1
forward="type filter hook forward priority filter;"
state="ct state vmap { established : accept, related : accept, invalid : drop }"

# drops NAME PROTO HANDLE-CHAIN REGEX: the rule found by REGEX is named
drops()
{
	local h

	h=$(handle "$3" "$4")
	found "$1" nft-drop \
		".proto == $2 and (.seen | contains(\"table inet fw, chain $3, handle $h \"))"
}

# peace NAME: no rule is found
peace()
{
	not_found "$1" nft-drop
}

# --- rules ---------------------------------------------------------------------
peace "no firewall"

rules "chain forward { $forward policy accept; meta l4proto esp counter drop; }"
drops "a rule on ESP" '"esp"' forward esp
is "is all that is found of rules" 1 \
	"$(jq '[.[] | select(.finding == "nft-drop")] | length' "$scratch/doctor")"
check "the rule is shown with its counter" \
	jq -e 'any(.[]; .seen | contains("0 packets"))' "$scratch/doctor"
check "the advice is as nft takes it" eval \
	"R nft \"\$(jq -r '.[] | select(.finding == \"nft-drop\") | .do' '$scratch/doctor' |
		sed \"s/.*nft '//; s/'\$//\")\""
peace "after which it is gone"

rules "chain forward { $forward policy accept; $state; udp dport { 500, 4500 } reject; }"
drops "a set of ports, rejected" '"ike"' forward 4500
drops "the other port of it" '"natt"' forward 4500

rules "chain out { udp dport vmap { 1-1700 : goto end, 1701 : drop }; }
chain end { drop; }
chain forward { $forward policy accept; $state
	iifname . oifname vmap { \"lan1\" . \"wan\" : jump out, \"wan\" . \"lan1\" : drop }; }"
check "the ruleset of maps and jumps loads" R nft list chain inet fw end
drops "an interval of a map, by goto" '"ike"' end drop
drops "an element of it" '"l2tp"' out 1701

rules "chain pre { type filter hook prerouting priority raw; policy accept; udp sport 4500 drop; }"
drops "before connection tracking" '"natt"' pre 4500
rules "chain post { type filter hook postrouting priority 10; oifname \"wan\" meta l4proto 47 drop; }"
drops "after routing" '"pptp"' post gre
rules "chain out { type filter hook output priority filter; udp dport 1701 drop; }"
found "of the router itself" nft-drop \
	'.proto == "l2tp" and .severity == "warning" and (.seen | contains("from the router to wan"))'
R nft -f - <<-N
table netdev fw {
	chain in { type filter hook ingress device "lan1" priority 0; ip protocol esp drop; }
}
N
found "at the interface" nft-drop '.seen | contains("table netdev fw, chain in, handle ")'
R nft delete table netdev fw

rules "chain forward { $forward policy accept; iifname \"lan*\" ip daddr 192.0.2.0/24 accept
	ct state new meta l4proto { tcp, udp } accept; ct state established accept
	ip saddr 10.0.0.0/8 counter drop; }"
found "a rule that spares some" nft-drop \
	'.severity == "warning" and .proto == "esp" and (.seen | contains("except what a rule before"))'
rules "chain forward { $forward policy accept; iifname \"lan1\" ip daddr 192.0.2.0/24 accept
	meta l4proto { tcp, udp } accept; ip saddr 10.0.0.0/8 counter drop; }"
found "a rule that spares some of one LAN, and nothing of another" nft-drop \
	'.severity == "error" and (.seen | contains("from lan2 to wan"))'

# --- policies ------------------------------------------------------------------
rules "chain forward { $forward policy drop; $state
	tcp dport { 80, 443 } accept; udp dport 53 accept; }"
found "a policy that nothing escapes" nft-drop \
	'(has("proto") | not) and (.seen | contains("the policy of table inet fw, chain forward"))'
rules "chain forward { $forward policy drop; $state; meta l4proto { tcp, udp } accept; }"
found "a policy that only ports escape" nft-drop '.proto == "esp"'
not_found "is not about those" nft-drop '.proto == "ike"'
rules "chain forward { $forward policy drop; iifname \"lan*\" accept; }"
found "answers that nothing accepts" nft-drop '.seen | contains("from wan to lan1")'

rules "chain forward { $forward policy drop; $state
	udp dport { 500, 4500 } accept; meta l4proto { esp, gre, 115 } accept; udp dport 1701 accept; }"
found "a LAN that has VPNs only, but for one" nft-drop '.proto == "pptp" and (.seen | contains("TCP 1723"))'
not_found "does not lack the others, nor the Web" nft-drop '.proto != "pptp"'

# --- no fault ------------------------------------------------------------------
rules "chain forward { $forward policy drop; $state; iifname \"lan*\" oifname \"wan\" accept; }"
peace "a home router's firewall"
rules "chain forward { $forward policy drop; $state; iifname \"lan1\" oifname \"wan\" accept; }"
peace "a LAN that is shut off on purpose"
rules "chain forward { $forward policy drop; $state; tcp dport 1723 accept
	udp dport { 500, 1701, 4500 } accept; meta l4proto { esp, gre, 115 } accept; }"
peace "a LAN that has VPNs only"
rules "set blocked { type ipv4_addr; flags interval; elements = { 198.51.100.0/24, 203.0.113.7 }; }
chain forward { $forward policy accept; $state
	ip daddr @blocked drop
	ip saddr 172.16.0.0/12 meta l4proto esp drop
	ip saddr 10.0.1.77 udp dport 500 drop
	iifname \"wan\" udp dport 500 drop
	udp dport 501-4499 udp dport != 1701 udp dport != 1194 drop
	tcp flags & (syn | ack) == ack tcp dport 1723 ct state new drop
	meta mark 0x5 drop
	limit rate over 1000/second drop
	fib daddr type local drop
	ct status dnat drop; }"
peace "rules about others"
rules "chain in { type filter hook input priority filter; policy drop; iifname lo accept; }
chain out { type filter hook output priority filter; policy drop; tcp dport 443 accept; }"
peace "a router that keeps itself to itself"
rules "set allowed { type ipv4_addr; elements = { 10.0.1.2, 10.0.2.2 }; }
chain forward { $forward policy drop; $state; ip saddr @allowed accept; }"
peace "clients that are allowed one by one"
rules "chain forward { $forward policy accept; ip saddr 10.0.1.77 meta l4proto gre counter packets 7 bytes 700 drop; }"
found "a rule about one client, that has dropped" nft-drop \
	'.proto == "pptp" and .severity == "warning" and (.seen | contains("7 packets"))'
no_rules

# --- rulesets as programs write them ---------------------------------------------
# OpenWrt's: zones by jumps, the end of each rejects
fw4()
{
	rules "chain forward { $forward policy drop
		ct state vmap { established : accept, related : accept }
		iifname \"lan1\" jump forward_lan
		iifname \"wan\" jump forward_wan
		jump handle_reject; }
	chain handle_reject { meta l4proto tcp reject with tcp reset; reject; }
	chain accept_to_lan { oifname \"lan1\" counter accept; }
	chain accept_to_wan { meta nfproto ipv4 oifname \"wan\" ct state invalid counter drop
		oifname \"wan\" counter accept; }
	chain reject_to_wan { oifname \"wan\" counter goto handle_reject; }
	chain forward_lan { $1; jump accept_to_wan; jump accept_to_lan; }
	chain forward_wan { icmp type echo-request limit rate 1000/second accept
		meta l4proto esp counter jump accept_to_lan
		udp dport 500 counter jump accept_to_lan
		jump handle_reject; }"
}
fw4 "counter"
peace "OpenWrt's zones"
fw4 "ip protocol != { tcp, udp, icmp } jump reject_to_wan"
drops "OpenWrt's zones and a rule by negation" '"esp"' handle_reject 'reject # handle'
not_found "that spares ports" nft-drop '.proto == "ike"'
fw4 "udp dport != { 53, 123, 443-1700, 4500 } jump reject_to_wan"
drops "all ports but a set" '"l2tp"' handle_reject 'reject # handle'
not_found "and not those of the set" nft-drop '.proto == "ike" or .proto == "natt"'
fw4 "ip saddr . udp dport { 10.0.1.77 . 500, 10.0.1.78 . 1701 } drop"
peace "a set of address and port of others"
fw4 "ip6 nexthdr esp drop; meta nfproto ipv6 udp dport 500 drop"
peace "rules about IPv6 where there is none"
fw4 "tcp dport 1723 tcp flags syn limit rate over 5/minute drop"
peace "a limit that may never be reached"
fw4 "ct direction reply meta l4proto esp drop"
peace "the other direction"
fw4 "ct state established meta l4proto gre drop"
peace "behind what accepts it"

R ip -batch - <<-B
	link add docker0 type bridge
	addr add 172.17.0.1/16 dev docker0
	link set docker0 up
	link add tun9 type dummy
	link set tun9 up
B
fw4 "counter"
peace "more interfaces, without rules of their own"
R ip route del default 2> /dev/null
R ip route add default via "${GIP[1]}"
peace "with a default route"
fw4 "oifname \"docker*\" drop; oifname \"tun9\" meta l4proto esp drop"
peace "rules about those"
fw4 "meta l4proto esp drop"
drops "with a default route, a rule on ESP" '"esp"' forward_lan esp
R ip -batch - <<-B
	route del default
	link del docker0
	link del tun9
B
no_rules

# --- iptables --------------------------------------------------------------------
# ipt LINE...: as iptables-restore takes the filter table
ipt()
{
	{ printf '*filter\n'; printf '%s\n' "$@"; printf 'COMMIT\n'; } | R iptables-nft-restore
}
if command -v iptables-nft > /dev/null && R iptables-nft -P FORWARD ACCEPT; then
	R iptables-nft -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
	R iptables-nft -A FORWARD -p udp -m multiport --dports 1194,1701 -m comment --comment x -j REJECT
	R iptables-nft -A FORWARD -p esp -m limit --limit 5/s -j DROP
	found "iptables, several ports" nft-drop \
		'.proto == "l2tp" and (.seen | contains("table ip filter, chain FORWARD, handle "))'
	not_found "iptables, a limit" nft-drop '.proto == "esp"'
	# ufw's and Docker's: chains of their own, negated interfaces, the policy drops
	healthy=(":FORWARD DROP [0:0]" ":DOCKER-USER - [0:0]" ":ufw-before - [0:0]" ":ufw-log - [0:0]"
		"-A FORWARD -j DOCKER-USER" "-A FORWARD -j ufw-before" "-A FORWARD -j ufw-log"
		"-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
		"-A FORWARD -i docker0 ! -o docker0 -j ACCEPT"
		"-A FORWARD -i lan+ -o wan -j ACCEPT"
		"-A DOCKER-USER -j RETURN"
		"-A ufw-before -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
		"-A ufw-before -p icmp --icmp-type 8 -j ACCEPT")
	check "ufw's and Docker's rules" ipt "${healthy[@]}"
	peace "iptables, chains and negated interfaces"
	check "a jump into a drop" ipt "${healthy[@]}" \
		"-I DOCKER-USER 1 -i lan1 ! -s 10.9.0.0/16 -p esp -j DROP"
	drops_esp='.proto == "esp" and (.seen | contains("table ip filter, chain DOCKER-USER, handle "))'
	found "iptables, a negated source" nft-drop "$drops_esp"
	check "a negated protocol" ipt "${healthy[@]}" "-I DOCKER-USER 1 -i lan1 ! -p tcp -j DROP"
	found "iptables, a negated protocol" nft-drop '(.seen | contains("chain DOCKER-USER, handle "))'
	check "an interface that is another's" ipt "${healthy[@]}" \
		"-I DOCKER-USER 1 -i docker0 -p esp -j DROP" "-I DOCKER-USER 1 ! -i lan+ -o wan -j DROP"
	peace "iptables, other interfaces"
	R nft delete table ip filter
else
	skip "iptables, several ports" "no iptables-nft"
	skip "iptables, a limit" "no iptables-nft"
	skip "iptables, chains and negated interfaces" "no iptables-nft"
fi

# --- tracking, NAT, forwarding ---------------------------------------------------
rules "chain pre { type filter hook prerouting priority raw; meta l4proto esp notrack; }"
found "ESP exempted from tracking" nft-notrack ".proto == \"esp\" and
	(.seen | contains(\"inet fw pre handle $(handle pre notrack) \"))"
rules "chain pre { type filter hook prerouting priority raw; udp dport 53 notrack; }"
not_found "others may be" nft-notrack
no_rules
not_found "there is NAT" no-nat
R nft delete table ip nat
found "no NAT" no-nat '.seen | contains("lan1")'
check "the advice makes one" eval "R nft \"\$(jq -r '.[] | select(.finding == \"no-nat\") | .do' \
	'$scratch/doctor' | sed \"s/.*nft '//; s/'\$//\")\""
not_found "and then it is there" no-nat
R nft delete table ip nat
rules "chain forward { $forward policy accept; $state; }"
sends_esp() { C 1 "$(peer espsend)" -s "${CIP[1]}" -d "${GIP[1]}" -i 0x1234 -q "$1" -n 3; }
check "ESP is sent before there is NAT" sends_esp 1
check "NAT comes after ESP was sent" nat_rules wan
found "a connection that is older" untranslated '.proto == "esp" and .severity == "error" and
	(.seen | contains("'"${CIP[1]} sends IPsec's ESP (IP protocol 50) to ${GIP[1]} "'"))'
check "ESP goes on" sends_esp 4
found "which does not change it" untranslated
check "what to do, as conntrack takes it" eval "R $(jq -r \
	'.[] | select(.finding == "untranslated") | .commands[0]' "$scratch/doctor")"
check "ESP is sent anew" sends_esp 7
not_found "and is translated" untranslated
no_rules
R sysctl -qw net.ipv4.ip_forward=0
found "nothing is forwarded" forwarding-off
R sysctl -qw net.ipv4.ip_forward=1
not_found "forwarding is on" forwarding-off
not_found "a public address" double-nat
not_found "nor a carrier's" cgnat
R ip addr add 192.168.178.20/24 dev wan
not_found "a private one beside it" double-nat
R ip addr del $PUB/24 dev wan
found "a private address" double-nat '.seen | contains("192.168.178.20")'
R ip addr flush dev wan
R ip addr add 100.64.3.4/24 dev wan
found "a carrier's address" cgnat '.seen | contains("100.64.3.4")'
not_found "is not called private" double-nat
R ip addr flush dev wan
R ip addr add $PUB/24 dev wan

# --- rights ------------------------------------------------------------------------
R setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$VPNPASS" -j doctor \
	> "$scratch/doctor" 2> "$scratch/notes"
check "without privilege the output is valid" jq -e 'type == "array"' "$scratch/doctor"
check "without privilege the output is valid: what could not be examined is said" \
	grep -q "not examined: firewall rules: .*root" \
	"$scratch/notes"
done_testing
