#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own PPTP helper, attached by a rule as its manual says, against
# vpnpass: the same octets to both (peers/pptp_sim.c), in one table.
#
#   c1 ---+--- r (masquerade; port 1723 of its own leads to c1) ---+--- g1
#   c2 ---+                                                        +--- g2
# run: timeout=400
. "$(dirname "$0")/../lib.sh"
checktool conntrack
checktool jq

sim=$(peer pptp_sim) || skip_all "no compiler"
expect_max=/proc/sys/net/netfilter/nf_conntrack_expect_max

# cases NAME [-f]: runs all, results in $scratch/NAME; with -f, conntrack is
# flushed after each
cases()
{
	local max

	# shellcheck disable=SC2046
	"$sim" "$nsp" ${2-} $("$sim" "$nsp" list | grep -vx expectations_full) > "$scratch/$1" 2>&1
	max=$(cat $expect_max)
	echo 1 > $expect_max
	"$sim" "$nsp" expectations_full >> "$scratch/$1" 2>&1
	echo "$max" > $expect_max
	R conntrack -F 2> /dev/null
}

result()
{
	awk -v c="$2" '$1 == c { print $2 }' "$scratch/$1"
}

why()
{
	awk -v c="$2" '$1 == c { $1 = $2 = ""; print substr($0, 3) }' "$scratch/$1"
}

server_inside()
{
	R nft -f - <<-E
	table ip inside {
		chain pre {
			type nat hook prerouting priority dstnat
			iifname "wan" ip daddr $PUB tcp dport 1723 dnat to ${CIP[1]}
			iifname "wan" ip daddr $PUB meta l4proto gre @th,48,16 0x6007 dnat to ${CIP[1]}
		}
	}
	E
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

check "topology" topo 2 2
check "a server inside" server_inside
modprobe -qa nf_conntrack_netlink
if stock_helper; then
	cases stock -f
	is "the kernel's own helper serves one call" "$(result stock one_call)" pass
	R nft delete table ip stock
else
	skip "the kernel's own helper" "this kernel has none"
	: > "$scratch/stock"
fi

check "modules load" load_modules vpnpass vpnpass_pptp
cases vpnpass
note "$(printf '%-24s %-8s %-8s %s' case in-tree vpnpass "what happened in-tree")"
for c in $("$sim" "$nsp" list); do
	stock=$(result stock "$c")
	note "$(printf '%-24s %-8s %-8s %s' "$c" "${stock:--}" "$(result vpnpass "$c")" \
		"$(why stock "$c")")"
done
for c in $("$sim" "$nsp" list); do
	if [ "$(result vpnpass "$c")" = pass ]; then
		ok "$c"
	else
		not_ok "$c" "$(why vpnpass "$c")"
	fi
done
is "nothing was taken for something else, but for a torn GRE header" \
	"$(counter malformed pptp) $(counter plain pptp)" "1 0"
busywait 20 vp_is 'length == 0' session
is "no session is left" "$(sessions proto pptp)" 0
note "$(vp stats pptp)"
check "modules unload" unload_modules
done_testing
