#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vpnpass doctor on what VPNs send, with no module of ours: who is not answered,
# who needs no help, who clashes, and a connection table without room. And
# doctor probe, against a gateway that checks every byte.
#
#   c1, c2 ---- r (masquerade) ---- g1 (answers, refuses or is silent)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq
checktool conntrack

check "topology" topo -6 2 1

# --- nobody answers --------------------------------------------------------------
G 1 nft -f - <<-N
table inet deaf {
	chain in {
		type filter hook input priority filter
		udp dport { 500, 1194, 1701 } drop
		tcp dport 1723 drop
		meta l4proto { esp, gre } drop
	}
}
N
not_found "nothing was sent" path-silent
check "VPNs knock" send 1 "${GIP[1]}" 500 1701 1194 esp gre
found "UDP 500 without an answer" path-silent ".proto == \"ike\" and .severity == \"error\" and
	(.seen | contains(\"${CIP[1]} asks ${GIP[1]} by IPsec's IKE (UDP 500)\"))"
for proto in l2tp openvpn esp pptp; do
	check "$proto too" jq -e --arg p $proto 'any(.[]; .finding == "path-silent" and .proto == $p)' \
		"$scratch/doctor"
done
check "one finding each" jq -e '[.[] | select(.finding == "path-silent") | .proto] |
	length == (unique | length)' "$scratch/doctor"
not_found "NAT-T did not ask" path-silent '.proto == "natt"'
R conntrack -F 2> /dev/null
check "a TCP connection is tried" send 2 "${GIP[1]}" syn
syn_sent() { R conntrack -L -p tcp --dport 1723 2> /dev/null | grep -q SYN_SENT; }
check "a TCP connection is tried: waits" busywait 10 syn_sent
found "TCP 1723 without an answer" path-silent '.proto == "pptp" and (.seen | contains("TCP 1723"))'
G 1 nft delete table inet deaf
R conntrack -F 2> /dev/null

# --- servers answer ----------------------------------------------------------------
check "a gateway answers" answer g1 ike natt iketcp pptp l2tp openvpn wireguard
R "$VPNPASS" doctor probe "${GIP[1]}" > "$scratch/probe" 2> "$scratch/err"
is "probe: all answer" $? 0
C 1 "$VPNPASS" -j doctor probe "${GIP[1]}" timeout 20 > "$scratch/probe.json"
is "probe through the router" $? 0
check "says what was answered" jq -e --arg g "${GIP[1]}" 'length == 6 and
	all(.[]; .result == "answered" and .address == $g and .time < 20) and
	([.[].answer] | . == ["IKEv2, proposal accepted", "IKEv2, proposal accepted",
		"IKEv2, proposal accepted", "PPTP, accepted, host peer", "L2TP, accepted", "OpenVPN, hard reset"])' \
	"$scratch/probe.json"
C 1 "$VPNPASS" -j doctor probe 2001:db8::2 timeout 20 l2tp natt > "$scratch/probe6.json"
is "says what was answered: by IPv6, some services" \
	"$? $(jq -r '[.[].service] | join(" ")' "$scratch/probe6.json")" "0 natt l2tp"
is "no message had a wrong byte" "$(grep -E "bad|Error" "$responder_log")" ""
for service in ike natt iketcp pptp l2tp openvpn; do
	num "$service was asked" "$(grep -c "^$service good" "$responder_log")" -ge 2
done
not_found "what is answered is not silent" path-silent
found "OpenVPN needs no help" needs-no-help '.proto == "openvpn" and .severity == "info"'
check "OpenVPN needs no help: nor does NAT-T" \
	jq -e 'any(.[]; .finding == "needs-no-help" and .proto == "natt")' \
	"$scratch/doctor"
not_found "IKE may" needs-no-help '.proto == "ike"'
not_found "WireGuard is not used" needs-no-help '.proto == "wireguard"'
check "WireGuard is" send 1 "${GIP[1]}" 51820
found "WireGuard needs no help" needs-no-help '.proto == "wireguard"'

# --- policy routing ----------------------------------------------------------------
R ip rule add from "${CIP[2]}" lookup 100
R ip rule add ipproto udp dport 53 lookup 100
not_found "rules about others" route-split
R ip rule add priority 77 ipproto esp lookup 100
found "ESP by another table" route-split '.proto == "esp" and (.seen | contains("rule 77 "))'
R ip rule add ipproto udp dport 500-4500 lookup 100
not_found "and IKE as well" route-split
R ip rule flush
R ip rule add priority 32766 lookup main

# --- L2TP inside IPsec ---------------------------------------------------------------
not_found "one client" l2tp-ipsec-clash
R conntrack -F 2> /dev/null
check "two clients with IPsec" eval "send 1 ${GIP[1]} 4500 && send 2 ${GIP[1]} 4500"
not_found "no L2TP" l2tp-ipsec-clash
check "two clients with IPsec: L2TP" send 2 "${GIP[1]}" 1701
found "two clients of L2TP and IPsec" l2tp-ipsec-clash ".seen | contains(\"${CIP[1]}\") and
	contains(\"${CIP[2]}\") and contains(\"${GIP[1]}\")"
end_answer

# --- probe: other answers -----------------------------------------------------------
result() { jq -r --arg s "$1" '.[] | select(.service == $s) | .result + ": " + .answer' "$scratch/probe.json"; }
check "another gateway" answer g1 ike=refuse natt=v1 pptp=mute l2tp=move
C 1 "$VPNPASS" -j doctor probe "${GIP[1]}" timeout 4 > "$scratch/probe.json"
is "not all answer" $? 3
is "a refusal is an answer" "$(result ike)" \
	"answered: IKEv2, NO_PROPOSAL_CHOSEN; IKEv1, NO_PROPOSAL_CHOSEN"
is "IKEv1 alone" "$(result natt)" "answered: IKEv1, proposal accepted"
is "a connection without words" "$(result pptp)" "silent: takes the connection, does not answer"
is "another port, which plain NAT does not pass" "$(result l2tp)" "silent: no answer"
R "$VPNPASS" -j doctor probe "${GIP[1]}" timeout 10 l2tp > "$scratch/probe.json.r"
is "the router itself sees it" "$(jq -r '.[].answer' "$scratch/probe.json.r")" \
	"L2TP, accepted, from port 41701"
is "ICMP says no" "$(result openvpn)" "refused: port unreachable, says ${GIP[1]}"
is "ICMP says no: no message had a wrong byte" "$(grep -E "bad|Error" "$responder_log")" ""
end_answer
G 1 nft 'add table inet deaf; add chain inet deaf in { type filter hook input priority 0; policy drop; }'
before=$(now_ms)
C 1 "$VPNPASS" doctor probe "${GIP[1]}" timeout 1 ike pptp > "$scratch/probe" 2> "$scratch/err"
is "nobody there" $? 3
num "takes the time it was given" $(($(now_ms) - before)) -lt 10000
is "takes the time it was given: as it is shown" \
	"$(awk '$1 == "ike" || $1 == "pptp" { printf "%s %s.", $1, $3 }' "$scratch/probe")" \
	"ike silent.pptp silent."
for words in "" "h timeout" "h timeout 0" "h timeout x" "h sstp"; do
	# shellcheck disable=SC2086
	"$VPNPASS" doctor probe $words > /dev/null 2> "$scratch/err"
	is "usage: doctor probe $words" "$? $(grep -c '^Usage:' "$scratch/err")" "1 1"
done
G 1 nft delete table inet deaf

# --- probe: real gateways -----------------------------------------------------------
# real: strongSwan, pptpd and xl2tpd in g1, with a /run of their own
real()
{
	local d=$scratch/real charon=/usr/lib/ipsec/charon

	[ -x $charon ] && command -v pptpd xl2tpd > /dev/null || return 1
	mkdir "$d"
	printf 'option %s\nlocalip 172.20.0.1\nremoteip 172.20.0.10-20\n' "$d/none" > "$d/pptpd"
	printf '[lns default]\nip range = 172.21.0.2-172.21.0.9\nlocal ip = 172.21.0.1\n' > "$d/xl2tpd"
	printf 'charon {\nload = random nonce sha1 kernel-netlink socket-default\n}\n' > "$d/charon"
	: > "$d/none"
	cat > "$d/go" <<-E
	mount -t tmpfs run /run
	pptpd -f -c $d/pptpd -p $d/pptpd.pid &
	xl2tpd -D -c $d/xl2tpd -C /run/xl2tpd-control -p $d/xl2tpd.pid &
	STRONGSWAN_CONF=$d/charon $charon &
	trap 'kill \$(jobs -p); wait; exit' TERM
	wait
	E
	spawn ip netns exec "${nsp}g1" unshare -m bash "$d/go"
}
all_listen()
{
	G 1 ss -Hlntu | awk '{ n += $5 ~ /:(500|4500|1701|1723)$/ } END { exit n < 4 }'
}
no="IKEv2, NO_PROPOSAL_CHOSEN; IKEv1, NO_PROPOSAL_CHOSEN"
if real; then
	check "real gateways listen" busywait 40 all_listen
	C 1 "$VPNPASS" -j doctor probe "${GIP[1]}" timeout 20 ike natt pptp l2tp > "$scratch/probe.json"
	is "strongSwan, pptpd and xl2tpd answer" "$? $(jq -r '[.[].answer] | join(", ")' "$scratch/probe.json")" \
		"0 $no, $no, PPTP, accepted, host local, L2TP, accepted"
	kill "$spawn_pid"
else
	skip "real gateways listen" "strongSwan, pptpd or xl2tpd is missing"
	skip "strongSwan, pptpd and xl2tpd answer" "strongSwan, pptpd or xl2tpd is missing"
fi

# --- no room -----------------------------------------------------------------------
R conntrack -F 2> /dev/null
not_found "there is room" conntrack-full
if conntrack_room 4; then
	for port in 1001 1002 1003 1004 1005 1006; do
		send 1 "${GIP[1]}" $port
	done
	found "the table is full" conntrack-full '.seen | contains("connections of at most 4 ")'
	conntrack_room
	R conntrack -F 2> /dev/null
	not_found "it was, but nothing is wrong now" conntrack-full '.severity == "error"'
else
	skip "the table is full" "the limit cannot be changed here"
	skip "the table is full: it was, but nothing is wrong now" \
		"the limit cannot be changed here"
fi
done_testing
