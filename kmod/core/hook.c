// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: where packets come in. Just before conntrack a packet
 * with a pinned number is given its connection; one without a pin goes to its
 * helper. After NAT, right before conntrack confirms, helpers see what the
 * admin's rules let through. A blocked protocol is dropped in FORWARD.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "core.h"

/* By IP protocol: 0 nothing of ours, else one plus the helper's slot, or
 * L4_ICMP. Read per packet, written under vpnpass_mutex.
 */
#define L4_ICMP		0xff
u8 vpnpass_l4map[256] __read_mostly = {
	[IPPROTO_ICMP] = L4_ICMP,
	[IPPROTO_ICMPV6] = L4_ICMP,
};

/* The packet on this CPU that went the pinned way: POSTROUTING has nothing to
 * do for it. Every packet that concerns us sets or clears it on its way in.
 */
static DEFINE_PER_CPU(const struct sk_buff *, pinned_skb);

static unsigned int lookup(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			   const struct vpnpass_proto *p)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(pkt->skb);
	struct vpnpass_pin *pin;
	int err;

	err = p->number(pkt);
	if (unlikely(err))
		goto miss;

	pkt->key.zone = tmpl ? nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_ORIGINAL) :
			       NF_CT_DEFAULT_ZONE_ID;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (unlikely(!pin && tmpl)) {
		pkt->key.zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_REPLY);
		pin = vpnpass_pin_find(vn, &pkt->key);
	}
	if (pin && vpnpass_attach(pin->session, pkt->skb, pin->dir)) {
		u32 now = vpnpass_now();

		if (pin->last != now)
			WRITE_ONCE(pin->last, now);
		this_cpu_write(pinned_skb, pkt->skb);
		return NF_ACCEPT;
	}
miss:
	this_cpu_write(pinned_skb, NULL);
	return p->miss(vn, pkt, err);
}

/* The helper that is switched on for an IP protocol, or NULL. */
static const struct vpnpass_proto *proto_on(const struct vpnpass_net *vn, u8 slot)
{
	if (READ_ONCE(vn->proto[slot - 1].mode) != VPNPASS_MODE_ON)
		return NULL;
	return rcu_dereference(vpnpass_protos[slot - 1]);
}

static bool already_tracked(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ctinfo == IP_CT_UNTRACKED || (ct && !nf_ct_is_template(ct));
}

static void fill_v4(struct vpnpass_pkt *pkt, const struct iphdr *iph)
{
	pkt->thoff = skb_network_offset(pkt->skb) + iph->ihl * 4;
	pkt->key.src.ip = iph->saddr;
	pkt->key.dst.ip = iph->daddr;
	pkt->key.l4proto = iph->protocol;
	pkt->key.family = NFPROTO_IPV4;
}

static unsigned int pre_v4(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 slot = vpnpass_l4map[iph->protocol];
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;

	if (likely(!slot) || ip_is_fragment(iph) || already_tracked(skb))
		return NF_ACCEPT;
	if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, skb_network_offset(skb) +
							  iph->ihl * 4);
	p = proto_on(vn, slot);
	if (p) {
		struct vpnpass_pkt pkt = { .skb = skb, .state = state };

		fill_v4(&pkt, iph);
		return lookup(vn, &pkt, p);
	}
	return NF_ACCEPT;
}

/* IP protocol and offset of an IPv6 packet's L4 header; -1 when there is none
 * to be read (a later fragment, a broken chain).
 */
static int find_v6(const struct sk_buff *skb, unsigned int *thoff)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 frag_off;
	int off;

	off = skb_network_offset(skb) + sizeof(struct ipv6hdr);
	if (unlikely(ipv6_ext_hdr(nexthdr) && nexthdr != NEXTHDR_NONE)) {
		off = ipv6_skip_exthdr(skb, off, &nexthdr, &frag_off);
		if (off < 0 || (frag_off & htons(~0x7)))
			return -1;
	}
	*thoff = off;
	return nexthdr;
}

static void fill_v6(struct vpnpass_pkt *pkt, u8 l4proto)
{
	pkt->key.src.in6 = ipv6_hdr(pkt->skb)->saddr;
	pkt->key.dst.in6 = ipv6_hdr(pkt->skb)->daddr;
	pkt->key.l4proto = l4proto;
	pkt->key.family = NFPROTO_IPV6;
}

static unsigned int pre_v6(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	struct vpnpass_pkt pkt = { .skb = skb, .state = state };
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;
	int l4proto;
	u8 slot;

	l4proto = find_v6(skb, &pkt.thoff);
	if (l4proto < 0)
		return NF_ACCEPT;
	slot = vpnpass_l4map[l4proto];
	if (likely(!slot) || already_tracked(skb))
		return NF_ACCEPT;
	if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, pkt.thoff);
	p = proto_on(vn, slot);
	if (!p)
		return NF_ACCEPT;
	fill_v6(&pkt, l4proto);
	return lookup(vn, &pkt, p);
}

/* After NAT; what went the pinned way is known already. */
static unsigned int post(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	struct vpnpass_pkt pkt = { .skb = skb, .state = state };
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;
	int l4proto;
	u8 slot;

	if (state->pf == NFPROTO_IPV4)
		l4proto = ip_hdr(skb)->protocol;
	else
		l4proto = find_v6(skb, &pkt.thoff);
	if (l4proto < 0)
		return NF_ACCEPT;
	slot = vpnpass_l4map[l4proto];
	if (likely(!slot) || slot == L4_ICMP ||
	    this_cpu_read(pinned_skb) == skb)
		return NF_ACCEPT;
	p = proto_on(vn, slot);
	if (!p || !skb_nfct(skb) || !already_tracked(skb))
		return NF_ACCEPT;
	if (state->pf == NFPROTO_IPV4)
		fill_v4(&pkt, ip_hdr(skb));
	else
		fill_v6(&pkt, l4proto);
	return p->post(vn, &pkt);
}

static bool blocks(struct vpnpass_net *vn, u8 l4proto)
{
	const struct vpnpass_proto *p;
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++) {
		if (READ_ONCE(vn->proto[i].mode) != VPNPASS_MODE_BLOCK)
			continue;
		p = rcu_dereference(vpnpass_protos[i]);
		if (p && (p->l4proto == l4proto || p->block_l4proto == l4proto)) {
			vpnpass_count(vn, p, VPNPASS_CNT_BLOCKED);
			return true;
		}
	}
	return false;
}

static unsigned int block(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	unsigned int thoff;
	int l4proto;

	if (state->pf == NFPROTO_IPV4)
		l4proto = ip_hdr(skb)->protocol;
	else
		l4proto = find_v6(skb, &thoff);
	return l4proto >= 0 && blocks(priv, l4proto) ? NF_DROP : NF_ACCEPT;
}

/* What each mode needs; POSTROUTING comes after every chain of the user's and
 * before conntrack's confirmation, which is at INT_MAX.
 */
static const struct nf_hook_ops on_ops[] = {
	{ .hook = pre_v4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP_PRI_CONNTRACK - 1 },
	{ .hook = post, .pf = NFPROTO_IPV4, .hooknum = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_CONNTRACK_CONFIRM - 1 },
	{ .hook = pre_v6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP6_PRI_CONNTRACK - 1 },
	{ .hook = post, .pf = NFPROTO_IPV6, .hooknum = NF_INET_POST_ROUTING,
	  .priority = NF_IP_PRI_CONNTRACK_CONFIRM - 1 },
};

static const struct nf_hook_ops block_ops[] = {
	{ .hook = block, .pf = NFPROTO_IPV4, .hooknum = NF_INET_FORWARD,
	  .priority = NF_IP_PRI_FIRST },
	{ .hook = block, .pf = NFPROTO_IPV6, .hooknum = NF_INET_FORWARD,
	  .priority = NF_IP6_PRI_FIRST },
};

static const struct {
	u32 mode;
	const struct nf_hook_ops *ops;
	unsigned int n;
} hook_sets[] = {
	{ VPNPASS_MODE_ON, on_ops, ARRAY_SIZE(on_ops) },
	{ VPNPASS_MODE_BLOCK, block_ops, ARRAY_SIZE(block_ops) },
};

static bool any_in_mode(const struct vpnpass_net *vn, u32 mode)
{
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++)
		if (vpnpass_proto_slot(i) && vn->proto[i].mode == mode)
			return true;
	return false;
}

static int hooks_add(struct vpnpass_net *vn, int set)
{
	unsigned int i, n = hook_sets[set].n;
	struct nf_hook_ops *ops;
	int err;

	ops = kmemdup(hook_sets[set].ops, n * sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		ops[i].priv = vn;
	err = nf_register_net_hooks(vn->net, ops, n);
	if (err) {
		kfree(ops);
		return err;
	}
	vn->hooks[set] = ops;
	return 0;
}

static void hooks_del(struct vpnpass_net *vn, int set)
{
	if (!vn->hooks[set])
		return;
	nf_unregister_net_hooks(vn->net, vn->hooks[set], hook_sets[set].n);
	kfree(vn->hooks[set]);
	vn->hooks[set] = NULL;
}

/* Have the hooks that the modes need, and no others: a router on which every
 * switch is off pays nothing. Process context, vpnpass_mutex.
 */
int vpnpass_hooks_update(struct vpnpass_net *vn)
{
	int set, err, ret = 0;
	bool want;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++) {
		want = any_in_mode(vn, hook_sets[set].mode);
		if (want == !!vn->hooks[set])
			continue;
		if (!want) {
			hooks_del(vn, set);
			continue;
		}
		err = hooks_add(vn, set);
		if (err)
			ret = err;
	}
	return ret;
}

void vpnpass_hooks_drop(struct vpnpass_net *vn)
{
	int set;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++)
		hooks_del(vn, set);
}
