#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: timeout=300
# The doctor concludes from strongSwan's and Libreswan's NAT detection (RFC 7296 2.23, of IKEv1
# RFC 3947 3.2) that there is another NAT outside the router, or that there is none. Each wants
# another group than the one that the doctor begins with. g1 has strongSwan, g2 Libreswan, which
# listens on TCP 4500 as well; g3 and g4 have the same, for IKEv1 alone.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike/daemons.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq
checktool nft nftables
sw_have || skip_all "strongSwan is missing (packages strongswan-charon, strongswan-swanctl)"
modprobe -qa nf_tables nft_chain_nat nft_nat nft_masq nf_conntrack_netlink
daemons=(1 3)
! ls_have || daemons=(1 2 3 4)
versions=(- 2 2 1 1)
natt=("" "" "" "" 1)	# Libreswan's IKEv1 says that it knows NAT-T only where it may use it

start()
{
	local j

	for j in "${daemons[@]}"; do
		mkdir -p "$scratch/g$j"
		# an even number has Libreswan
		if [ $((j % 2)) = 1 ]; then
			sw_conn "g$j" v c1 "${versions[j]}" > "$scratch/g$j/conns"
			# as many half-open exchanges as it likes; it wants cookies when there are some
			sw_setup='block_threshold = 100' sw_start "g$j"
			sw_load "g$j" || return
		else
			# dh19 is none of IKEv1's groups that the doctor offers
			ls_natt=${natt[j]} ls_conn "g$j" v c1 "${versions[j]}" |
				sed "${natt[j]:+s/dh19/modp2048/}" > "$scratch/g$j/conns"
			ls_setup='listen-tcp=yes' ls_start "g$j"
			ls_load "g$j" || return
		fi
	done
}

# nat HOST COMMAND...: what IKE on both ports says to one who asks by that command
nat()
{
	"${@:2}" "$VPNPASS" -j doctor probe "$1" timeout 20 ike natt | tee -a "$scratch/probes" |
		jq -r '[.[].nat] | join(" ")'
}

# outside J: has gateway J see another address than the packets come with
outside()
{
	G "$1" nft "add table ip cgn; add chain ip cgn in { type nat hook input priority 100; };
		add rule ip cgn in ip saddr $PUB snat to 192.0.2.77"
}

check "topology" topo 1 4
daemons_kernel
check "the gateways start" start
# strongSwan wants cookies from the first, but may take none back before it has run 10 s: its
# receiver.c subtracts those from a time without a sign
sleep 11
for j in "${daemons[@]}"; do
	name="$([ $((j % 2)) = 1 ] && echo strongSwan || echo Libreswan), IKEv${versions[j]}"
	is "$name: from the router, no NAT" "$(nat "${GIP[j]}" R)" "none none"
	is "$name: from a client, the router's" "$(nat "${GIP[j]}" C 1)" "address address"
	R "$VPNPASS" -j doctor "${GIP[j]}" > "$scratch/doctor" 2> "$scratch/notes"
	check "$name: nothing outside" jq -e 'all(.[]; .finding != "nat-outside") and
		any(.[]; .seen | test("'"IKEv${versions[j]}"', proposal accepted, .*no NAT on the way"))' \
		"$scratch/doctor"
	check "$name: a NAT outside" outside "$j"
	R conntrack -F 2> /dev/null
	is "$name: it is seen" "$(nat "${GIP[j]}" R)" "address address"
	R "$VPNPASS" -j doctor "${GIP[j]}" > "$scratch/doctor" 2> "$scratch/notes"
	check "$name: it is found" jq -e --arg a "$PUB" 'any(.[]; .finding == "nat-outside" and
		.severity == "warning" and (.seen | contains($a)))' "$scratch/doctor" ||
		note "$(cat "$scratch/doctor")"
done
if python3 -c 'import jsonschema' 2> /dev/null; then
	is "what probe prints is as its schema has it" "$("$selftests/unit/schema_check.py" \
		doctor_probe < "$scratch/probes")" "$(grep -c . "$scratch/probes")"
else
	skip "what probe prints is as its schema has it" "python3-jsonschema is missing"
fi
# pluto takes no connection without the kernel's part (CONFIG_INET_ESPINTCP)
if [ "${#daemons[@]}" = 4 ]; then
	tcp=$(R "$VPNPASS" -j doctor probe "${GIP[2]}" timeout 20 iketcp | jq -r '.[].answer')
	if grep -q 'TCP_ULP, "espintcp") failed' "$scratch/g2/log"; then
		skip "Libreswan by TCP 4500" "no espintcp in this kernel"
	else
		is "Libreswan by TCP 4500" "$tcp" "IKEv2, proposal accepted"
	fi
fi
done_testing
