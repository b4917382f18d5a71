// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets leave. After NAT, right before conntrack confirms, protocol modules see
 * every packet that has passed the administrator's rules. They are called as the connection's
 * conntrack helper (helper.c), as a hook would cost every packet of the router.
 */
#include <linux/netfilter_ipv4.h>
#include <net/ip6_fib.h>
#include <net/route.h>

#include "core.h"
#include "egress.h"
#include "fast.h"
#include "ingress.h"
#include "match.h"
#include "packet.h"
#include "watch.h"

/* Is the module to see answers to the router's own clients as they come in? */
static bool has_input(const struct vpnpass_proto *p, u8 l4proto)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		if (p->match[i].l4proto == l4proto && p->match[i].input)
			return true;
	return false;
}

/* A packet after NAT that did not go the pinned way, of protocol @l4proto. */
static unsigned int after_nat(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      int l4proto)
{
	u8 slot = READ_ONCE(vpnpass_l4map[l4proto]);
	const struct vpnpass_proto *p;

	if (vpnpass_by_ports(slot))
		slot = vpnpass_ports_slot(vn, pkt->skb, pkt->state->pf, pkt->thoff, l4proto);
	if (!slot || slot == L4_ICMP)
		return NF_ACCEPT;
	p = vpnpass_proto_on(vn, slot);
	if (!p || (pkt->state->hook == NF_INET_LOCAL_IN && !has_input(p, l4proto)))
		return NF_ACCEPT;
	if (pkt->state->pf == NFPROTO_IPV4)
		vpnpass_fill_v4(pkt, ip_hdr(pkt->skb));
	else
		vpnpass_fill_v6(pkt, l4proto);
	return p->ops->post(vn, pkt);
}

/* Conntrack calls helpers in LOCAL_IN, too. */
static bool leaves(const struct sk_buff *skb, u8 pf)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (!dst)
		return false;
	if (pf == NFPROTO_IPV4)
		return !(skb_rtable(skb)->rt_flags & RTCF_LOCAL);
	return !(((const struct rt6_info *)dst)->rt6i_flags &
		 (RTF_LOCAL | RTF_ANYCAST));
}

/* A packet of the client's has passed all rules: from now on answers to it are. */
static noinline void has_passed(struct nf_conn *ct, enum ip_conntrack_info ctinfo)
{
	struct vpnpass_net *vn = vpnpass_net_get(nf_ct_net(ct));
	struct vpnpass_session *s;

	if (CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL)
		return;
	s = vn ? vpnpass_session_by_ct(vn, NULL, ct) : NULL;
	if (!s || test_and_set_bit(0, &s->passed) ||
	    vpnpass_match_posts(s->proto, nf_ct_protonum(ct)))
		return;
	s->unwatched = true;
	if (vpnpass_fast_is_on(s))
		return;
	/* in case that is switched on later */
	WRITE_ONCE(s->help_at, READ_ONCE(ct->ext->offset[NF_CT_EXT_HELPER]));
	vpnpass_conn_unwatch(ct);
}

static noinline unsigned int leaving(struct sk_buff *skb, struct nf_conn *ct, u8 hook)
{
	struct vpnpass_net *vn = vpnpass_net_get(nf_ct_net(ct));
	struct nf_hook_state state = {
		.hook = hook,
		.pf = nf_ct_l3num(ct),
		.out = skb->dev,
		.net = nf_ct_net(ct),
	};
	struct vpnpass_pkt pkt = { .skb = skb, .state = &state };
	unsigned int verdict;
	int l4proto;

	/* User space can attach the helper where nothing was ever switched on. */
	if (!vn)
		return NF_ACCEPT;
	if (state.pf == NFPROTO_IPV4) {
		l4proto = ip_hdr(skb)->protocol;
		pkt.thoff = vpnpass_thoff_v4(skb);
	} else {
		l4proto = vpnpass_find_v6(skb, &pkt.thoff);
		if (l4proto < 0)
			return NF_ACCEPT;
	}
	verdict = after_nat(vn, &pkt, l4proto);
	if (verdict != NF_ACCEPT)
		return verdict;
	/* A clash was settled by another entry; the caller holds on to this one */
	if (skb_nfct(skb) != &ct->ct_general)
		return NF_DROP;
	/* post() confirms what it has a use for: plain NAT from here on */
	if (!nf_ct_is_confirmed(ct))
		vpnpass_conn_unwatch(ct);
	return NF_ACCEPT;
}

/* Is the packet's way wanted? Then it went the pinned way. */
static bool learns(struct sk_buff *skb, struct nf_conn *ct, enum ip_conntrack_info ctinfo)
{
	u32 place = vpnpass_pinned_place(skb);

	if (this_cpu_read(vpnpass_pinned_now.skb[place]) != vpnpass_wanted(skb) ||
	    !vpnpass_in_one_go())
		return false;
	vpnpass_set_pinned(place, skb);
	vpnpass_fast_learn(skb, ct, ctinfo, place);
	return true;
}

static noinline unsigned int unpinned(struct sk_buff *skb, struct nf_conn *ct,
				      enum ip_conntrack_info ctinfo)
{
	if (learns(skb, ct, ctinfo))
		return NF_ACCEPT;
	if (leaves(skb, nf_ct_l3num(ct)))
		return leaving(skb, ct, NF_INET_POST_ROUTING);
	/* Answers to the router's own client concern us; a connection to the router does not. */
	if (!nf_ct_is_confirmed(ct))
		vpnpass_conn_unwatch(ct);
	else if (CTINFO2DIR(ctinfo) == IP_CT_DIR_REPLY)
		return leaving(skb, ct, NF_INET_LOCAL_IN);
	return NF_ACCEPT;
}

/**
 * vpnpass_packet_leaves() - a packet of a connection with our helper is about to go
 * @skb: the packet, through all of the user's rules and NAT
 * @protoff: of the L4 header
 * @ct: its connection, confirmed right after this if it is new
 * @ctinfo: direction
 *
 * Context: softirq, RCU read side; conntrack's last hook.
 * Return: verdict.
 */
int vpnpass_packet_leaves(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
			  enum ip_conntrack_info ctinfo)
{
	if (unlikely(!test_bit(IPS_SEEN_REPLY_BIT, &ct->status)) && leaves(skb, nf_ct_l3num(ct)))
		has_passed(ct, ctinfo);
	return vpnpass_is_pinned(skb) ? NF_ACCEPT : unpinned(skb, ct, ctinfo);
}
