#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The EXAMPLES of vpnpass-doctor(8), and README's on the doctor: each is typed where
# what it tells of is so, and has to print what the text says, word by word.
#
#   c1, c2 ---- r (masquerade, a rule on IKE) ---- g1 (NAT-T alone)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/doctor.sh"
checktool jq
page=$selftests/../tools/man/vpnpass-doctor.8
readme=$selftests/../README.md
hosts=/etc/netns/${nsp}r/hosts

# examples: the literal parts of the page, each ended by a line of its own
examples()
{
	awk '/^\.Sh/ { on = $2 == "EXAMPLES" } on && /^\.Ed/ { print "@@end"; b = 0 }
		b { print } on && /^\.Bd -literal/ { b = 1 }' "$page" |
		sed ':line; /\\c$/ { N; s/\\c\n//; b line }; s/\\&//g; s/\\e/\\/g'
}

# try COMMAND WANT: prints just that
try()
{
	is "$1" "$(eval "$1" 2>&1)" "$2"
}

# told_of: README's block that begins with this command or word, without comments
told_of()
{
	awk -v w="$1" '/^    / { if (!b++) on = index(substr($0, 5), w) == 1
			if (on) print substr($0, 5); next }
		{ b = 0 }' "$readme" | sed -E 's/ +# .*//'
}

check "topology" topo 2 1
check "modules" load_modules
# the example's name for the gateway
if ! mkdir -p "${hosts%/*}" 2> /dev/null || ! echo "${GIP[1]} vpn.example.org vpn.example" > "$hosts"; then
	skip_all "no names can be given here"
fi
at_exit rm -r "${hosts%/*}"
# there is no other shell in the router's namespace
vpnpass() { R "$VPNPASS" "$@"; }

rules 'chain forward { type filter hook forward priority filter; policy accept
	ct state established accept; iifname "lan1" udp dport 500 counter drop; }'
vp set l2tp off > /dev/null
G 1 nft -f - <<-N
table inet deaf {
	chain in {
		type filter hook input priority filter
		udp dport 500 drop
	}
}
N
check "a gateway" answer g1 natt=v2-refuse

command='' want='' n=0
while IFS= read -r line; do
	case $line in
	"# "* | @@end)
		[ -z "$command" ] || { try "$command" "${want%$'\n'}"; n=$((n + 1)); }
		command=${line:2} want=
		[ "$line" != @@end ] || command= ;;
	*) want+=$line$'\n' ;;
	esac
	# Connections that a probe leaves behind are no part of the next example.
	R conntrack -F 2> /dev/null
done < <(examples)
num "all of the page's examples" $n -eq 3

# --- README ------------------------------------------------------------------------
vp set l2tp on > /dev/null
is "README: what the doctor prints" "$(vpnpass doctor 2>&1)" "$(told_of "error: ")"
no_rules
is "README: its commands" "$(told_of "vpnpass doctor")" "vpnpass doctor
vpnpass doctor vpn.example
vpnpass doctor probe vpn.example"
is "README: its commands: where nothing is wrong" "$(vpnpass doctor; echo $?)" "Nothing found.
0"
vpnpass doctor probe vpn.example timeout 2 > "$scratch/probe" 2>&1
is "a service that is silent or refused" $? 3
is "README: asks for IKE on 500 and 4500, by TCP too, PPTP, L2TP and OpenVPN" \
	"$(awk '/\// { printf "%s %s, ", $1, $2 }' "$scratch/probe")" \
	"ike udp/500, natt udp/4500, iketcp tcp/4500, pptp tcp/1723, l2tp udp/1701, openvpn udp/1194, "
end_answer
done_testing
