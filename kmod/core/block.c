// SPDX-License-Identifier: GPL-2.0
/* Packets of protocols whose switch is at block are dropped in FORWARD. */
#include <linux/netfilter_ipv6.h>

#include "block.h"
#include "packet.h"

static bool blocks(const struct vpnpass_proto *p, const struct sk_buff *skb,
		   unsigned int thoff, u8 l4proto)
{
	const __be16 *h;
	__be16 buf[2];
	int i;

	for (i = 0; i < p->n_match; i++) {
		if (p->match[i].l4proto != l4proto)
			continue;
		if (p->match[i].blocks)
			return p->match[i].blocks(skb, thoff);
		if (!p->match[i].port)
			return true;
		h = skb_header_pointer(skb, thoff, sizeof(buf), buf);
		if (h && (ntohs(h[0]) == p->match[i].port ||
			  ntohs(h[1]) == p->match[i].port))
			return true;
	}
	return false;
}

/* As vpnpass_find_v6(), but AH is what is looked for, not what is passed over. */
static int find_v6_ah(const struct sk_buff *skb, unsigned int *thoff)
{
	int flags = IP6_FH_F_AUTH;

	*thoff = 0;
	return ipv6_find_hdr(skb, thoff, -1, NULL, &flags);
}

unsigned int vpnpass_block_packet(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;
	unsigned int thoff;
	int i, l4proto;

	if (state->pf == NFPROTO_IPV4) {
		l4proto = ip_hdr(skb)->protocol;
		thoff = vpnpass_thoff_v4(skb);
	} else {
		l4proto = find_v6_ah(skb, &thoff);
		if (l4proto < 0)
			return NF_ACCEPT;
	}
	for (i = 0; i < VPNPASS_PROTOS; i++) {
		if (READ_ONCE(vn->proto[i].mode) != VPNPASS_MODE_BLOCK)
			continue;
		p = rcu_dereference(vpnpass_protos[i]);
		if (p && blocks(p, skb, thoff, l4proto)) {
			vpnpass_count(vn, p, VPNPASS_CNT_BLOCKED);
			return NF_DROP;
		}
	}
	return NF_ACCEPT;
}
