// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets come in. Just before conntrack a packet with a pinned number is
 * given its connection; one without a pin goes to its protocol module.
 */
#include <linux/inetdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "core.h"
#include "fast.h"
#include "ingress.h"
#include "known.h"
#include "match.h"
#include "packet.h"
#include "pin.h"
#include "watch.h"

/* Have an IPv4 packet's ports to do with us? What every packet of the router pays, which
 * is why they are read in place.
 */
static __always_inline bool has_port_v4(const struct sk_buff *skb,
					const struct vpnpass_watches *w)
{
	/* offsets from skb->head, as the kernel has them anyway */
	long thoff = skb->transport_header;
	const __be16 *h;

	if (unlikely(skb_tail_pointer(skb) - skb->head < thoff + 4))
		return true;
	h = (const __be16 *)(skb->head + thoff);
	if (unlikely(test_bit((__force u16)h[0], vpnpass_ports)) ||
	    unlikely(test_bit((__force u16)h[1], vpnpass_ports)))
		return true;
	return w && (vpnpass_watch_may_have(w, h[0]) || vpnpass_watch_may_have(w, h[1]));
}

/* May an IPv4 packet concern a module? The table may change meanwhile: each of its bytes
 * is then read as it was before or as it is after.
 */
static __always_inline bool concerns_v4(const struct sk_buff *skb)
{
	u8 l4proto = ip_hdr(skb)->protocol;

	/* data_race(): a byte is read whole; READ_ONCE() costs an instruction */
	if (unlikely(data_race(vpnpass_l4map[l4proto]) != L4_PORTS))
		return READ_ONCE(vpnpass_l4map[l4proto]);
	return has_port_v4(skb, NULL);
}

DEFINE_PER_CPU(struct vpnpass_pinned, vpnpass_pinned_now);

static __always_inline bool already_tracked(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	return ctinfo == IP_CT_UNTRACKED || (ct && !nf_ct_is_template(ct));
}

/* Is conntrack at work in this netns? Its hook that confirms is the last one there;
 * security modules have hooks in every netns.
 */
static bool is_tracking(const struct nf_hook_state *state)
{
	const struct netns_nf *nf = &state->net->nf;
	const struct nf_hook_entries *e;

	if (state->pf == NFPROTO_IPV4)
		e = rcu_dereference(nf->hooks_ipv4[NF_INET_POST_ROUTING]);
	else
		e = rcu_dereference(nf->hooks_ipv6[NF_INET_POST_ROUTING]);
	return e && nf_hook_entries_get_hook_ops(e)[e->num_hook_entries - 1]->priority ==
		    NF_IP_PRI_CONNTRACK_CONFIRM;
}

/* The packet concerns no client and no peer of a session, and goes from or to the router
 * itself. It costs next to nothing, which is why this is
 * asked first.
 */
static __always_inline bool is_strange_v4(const struct vpnpass_net *vn,
					  const struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct in_device *in_dev;
	const struct in_ifaddr *ifa;

	if (READ_ONCE(vpnpass_any_end[iph->protocol]) || vpnpass_is_known_v4(vn, iph->saddr) ||
	    vpnpass_is_known_v4(vn, iph->daddr))
		return false;
	if (state->hook != NF_INET_PRE_ROUTING)
		return true;
	in_dev = __in_dev_get_rcu(skb->dev);
	ifa = in_dev ? rcu_dereference(in_dev->ifa_list) : NULL;
	return ifa && ifa->ifa_local == iph->daddr;
}

static bool is_strange_v6(const struct vpnpass_net *vn, const struct sk_buff *skb,
			  const struct nf_hook_state *state, u8 l4proto)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);

	if (READ_ONCE(vpnpass_any_end[l4proto]) || vpnpass_is_known_v6(vn, &iph->saddr) ||
	    vpnpass_is_known_v6(vn, &iph->daddr))
		return false;
	return state->hook != NF_INET_PRE_ROUTING ||
	       nf_ipv6_chk_addr(state->net, &iph->daddr, skb->dev, true);
}

/* An entry that cannot be watched any more, or has another's helper, which post() may
 * want to tell. Most are plain NAT's. Those of NAT-T sessions are not watched by intent:
 * post() sees what has no pin, and keeps no packet. From any other session somebody took
 * our helper: it ends, and its client's next packet begins a new one.
 */
static unsigned int unwatched(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      const struct vpnpass_proto *p, const struct nf_conn *ct)
{
	struct vpnpass_session *s = vpnpass_session_by_ct(vn, p, ct);

	if (s ? s->unwatched : p->begins_late || !nf_ct_is_confirmed(ct))
		return p->ops->post(vn, pkt);
	if (!s)
		return NF_ACCEPT;
	vpnpass_session_end(s, "conntrack helper taken off");
	return NF_ACCEPT;
}

/* Have the packet come to vpnpass_packet_leaves(), and all others of its connection.
 * Conntrack looks here instead of in its own hook, which comes next (and which
 * looks again at what it found invalid).
 */
static unsigned int watch(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			  const struct vpnpass_proto *p)
{
	enum ip_conntrack_info ctinfo;
	unsigned int verdict;
	struct nf_conn *ct;

	if (!already_tracked(pkt->skb)) {
		if (!is_tracking(pkt->state))
			return NF_ACCEPT;
		verdict = nf_conntrack_in(pkt->skb, pkt->state);
		if (verdict != NF_ACCEPT)
			return verdict;
	}
	ct = nf_ct_get(pkt->skb, &ctinfo);
	if (!ct || vpnpass_conn_watched(ct))
		return NF_ACCEPT;
	if (nf_ct_is_confirmed(ct) || nfct_help(ct))
		return unwatched(vn, pkt, p, ct);
	if (vpnpass_conn_watch(ct, pkt->skb))
		return NF_ACCEPT;
	vpnpass_count(vn, p, VPNPASS_CNT_NO_MEMORY);
	return NF_DROP;
}

/* No pin: the module decides. */
static noinline unsigned int miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				  const struct vpnpass_proto *p, int err)
{
	unsigned int verdict;

	if (pkt->key.family == NFPROTO_IPV4) {
		memset(&pkt->key.src.all[1], 0, sizeof(pkt->key.src) - 4);
		memset(&pkt->key.dst.all[1], 0, sizeof(pkt->key.dst) - 4);
	}
	vpnpass_set_pinned(vpnpass_pinned_place(pkt->skb), NULL);
	verdict = p->ops->miss(vn, pkt, err);
	if (pkt->done)
		vpnpass_set_pinned(vpnpass_pinned_place(pkt->skb), pkt->skb);
	else if (verdict == NF_ACCEPT && vpnpass_match_posts(p, pkt->key.l4proto))
		verdict = watch(vn, pkt, p);
	return verdict;
}

static __always_inline struct vpnpass_pin *find(struct vpnpass_net *vn,
						const struct vpnpass_key *key)
{
	return rhashtable_lookup(&vn->pins, key, vpnpass_pin_params);
}

/* The zone of a template may be that of replies alone. */
static noinline struct vpnpass_pin *find_reply(struct vpnpass_net *vn, struct vpnpass_key *key,
					       const struct nf_conn *tmpl)
{
	key->zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_REPLY);
	return vpnpass_pin_find(vn, key);
}

static noinline void want(struct vpnpass_net *vn, struct vpnpass_pin *pin,
			  const struct vpnpass_pkt *pkt)
{
	u32 place = vpnpass_pinned_place(pkt->skb);

	if (vpnpass_fast_want(vn, pin, pkt, place))
		vpnpass_set_pinned(place, vpnpass_wanted(pkt->skb));
}

static __always_inline unsigned int lookup(struct vpnpass_net *vn,
					   struct vpnpass_pkt *pkt,
					   const struct vpnpass_proto *p)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(pkt->skb);
	struct vpnpass_pin *pin;
	int err;

	pkt->key.kind = VPNPASS_KEY_PACKET;
	pkt->key.zone = NF_CT_DEFAULT_ZONE_ID;
	err = p->ops->number(pkt);
	if (unlikely(err))
		return miss(vn, pkt, p, err);

	if (unlikely(tmpl))
		pkt->key.zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_ORIGINAL);
	pin = find(vn, &pkt->key);
	if (unlikely(!pin && tmpl))
		pin = find_reply(vn, &pkt->key, tmpl);
	if (pin && vpnpass_attach_packet(pin->session, pkt->skb, pin->dir)) {
		u32 now = vpnpass_now();

		if (READ_ONCE(pin->last) != now)
			WRITE_ONCE(pin->last, now);
		vpnpass_set_pinned(vpnpass_pinned_place(pkt->skb), pkt->skb);
		/* pairs with vpnpass_fast_set() */
		if (unlikely(smp_load_acquire(&vn->fast_on)))
			want(vn, pin, pkt);
		return vpnpass_renumber(pin, pkt->skb, pkt->thoff, 0);
	}
	return miss(vn, pkt, p, 0);
}

static noinline unsigned int known_v4(struct vpnpass_net *vn, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 slot = READ_ONCE(vpnpass_l4map[iph->protocol]);
	struct vpnpass_pkt pkt VPNPASS_UNINITIALIZED;
	const struct vpnpass_proto *p;

	if (ip_is_fragment(iph) || already_tracked(skb))
		return NF_ACCEPT;
	if (vpnpass_by_ports(slot))
		slot = vpnpass_ports_slot(vn, skb, NFPROTO_IPV4, vpnpass_thoff_v4(skb),
					  iph->protocol);
	else if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, vpnpass_thoff_v4(skb));
	if (!slot)
		return NF_ACCEPT;
	p = vpnpass_proto_on(vn, slot);
	if (!p)
		return NF_ACCEPT;
	pkt.skb = skb;
	pkt.state = state;
	pkt.done = false;
	vpnpass_fill_v4(&pkt, iph);
	return lookup(vn, &pkt, p);
}

static noinline unsigned int fast_or_known_v4(struct vpnpass_net *vn, struct sk_buff *skb,
					      const struct nf_hook_state *state)
{
	if (vpnpass_fast_v4(vn, skb))
		return NF_STOLEN;
	return is_strange_v4(vn, skb, state) ? NF_ACCEPT : known_v4(vn, skb, state);
}

/* Calls nobody, so that it needs no stack. */
static noinline unsigned int ours_v4(struct vpnpass_net *vn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	if (unlikely(READ_ONCE(vpnpass_l4map[ip_hdr(skb)->protocol]) == L4_WATCHED) &&
	    likely(!has_port_v4(skb, READ_ONCE(vn->watches))))
		return NF_ACCEPT;
	if (unlikely(READ_ONCE(vn->fast_on)))
		return fast_or_known_v4(vn, skb, state);
	return is_strange_v4(vn, skb, state) ? NF_ACCEPT : known_v4(vn, skb, state);
}

unsigned int vpnpass_ingress_v4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	return likely(!concerns_v4(skb)) ? NF_ACCEPT : ours_v4(priv, skb, state);
}

unsigned int vpnpass_ingress_v6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct vpnpass_pkt pkt = { .skb = skb, .state = state };
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;
	int l4proto;
	u8 slot;

	l4proto = vpnpass_find_v6(skb, &pkt.thoff);
	if (l4proto < 0)
		return NF_ACCEPT;
	slot = READ_ONCE(vpnpass_l4map[l4proto]);
	if (vpnpass_by_ports(slot))
		slot = vpnpass_ports_slot(vn, skb, NFPROTO_IPV6, pkt.thoff, l4proto);
	if (likely(!slot))
		return NF_ACCEPT;
	if (unlikely(READ_ONCE(vn->fast_on)) && vpnpass_fast_v6(vn, skb))
		return NF_STOLEN;
	if (is_strange_v6(vn, skb, state, l4proto) || already_tracked(skb))
		return NF_ACCEPT;
	if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, pkt.thoff);
	p = vpnpass_proto_on(vn, slot);
	if (!p)
		return NF_ACCEPT;
	vpnpass_fill_v6(&pkt, l4proto);
	return lookup(vn, &pkt, p);
}
