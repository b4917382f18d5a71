#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run: smp=1 mem=1024 timeout=900
# vpnpass doctor in scenes: what is planted is measured with packets, and every word
# of his is right, and none is missing. The scenes are in scenes/scenes_*.py; one of
# them by name: test_scenes.sh WORD...
. "$(dirname "$0")/../lib.sh"
need_root
checktool nft nftables
checktool conntrack
checktool python3
modprobe -qa veth tun vrf ppp_generic ppp_async pppoe xt_iprange xt_set xt_policy xt_pkttype xt_physdev ip_set ip_set_hash_net nf_conntrack nf_conntrack_netlink nf_tables nft_ct nft_masq nft_redir nft_nat nft_chain_nat \
	nft_compat xt_multiport xt_conntrack xt_LOG xt_limit xt_addrtype xt_recent xt_hl nft_limit nft_reject_inet nft_quota nft_fib_inet \
	bridge xt_comment xt_mark xt_MASQUERADE xt_CHECKSUM nft_reject_bridge nft_limit \
	ip_tables iptable_raw iptable_mangle iptable_nat iptable_filter ip6_tables ip6table_filter \
	xt_mac xt_statistic nft_xfrm xfrm_user sch_ingress sch_tbf cls_bpf \
	xt_CT xt_REDIRECT xt_TCPMSS xt_connlimit xt_connmark xt_hashlimit xt_nat xt_state xt_time
exec "$(dirname "$0")/scenes/run.py" "$@"
