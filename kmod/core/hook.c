// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets come in. Just before conntrack a packet with a pinned number is
 * given its connection; one without a pin goes to its helper. After NAT, right
 * before conntrack confirms, helpers see what the admin's rules let through: not
 * by a hook, which would cost every packet of the router, but as the connection's
 * conntrack helper (help.c). A blocked protocol is dropped in FORWARD.
 */
#include <linux/hash.h>
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/route.h>

#include "core.h"
#include "known.h"
#include "pin.h"
#include "watch.h"

/* By IP protocol: 0 nothing of ours, one plus the slot of its helper, or one of
 * those below. Read per packet, written under vpnpass_mutex.
 */
#define L4_ICMP		0xff	/* may be an error about a packet of ours */
#define L4_PORTS	0xfe	/* the ports decide */
#define L4_WATCHED	0xfd	/* likewise, and some netns had ports watched, see watch.c */
static u8 l4map[256] __read_mostly = {
	[IPPROTO_ICMP] = L4_ICMP,
	[IPPROTO_ICMPV6] = L4_ICMP,
};

/* By IP protocol: may a session begin with what the router itself sends or gets? An
 * ICMP error comes to the router's address, too.
 */
static bool any_end[256] __read_mostly = {
	[IPPROTO_ICMP] = true,
	[IPPROTO_ICMPV6] = true,
};

/* Ports that some helper is for, by their value as it is in the packet: other
 * traffic costs two bit tests.
 */
static DECLARE_BITMAP(ports, 65536) __read_mostly;

static bool by_ports(u8 slot)
{
	return slot == L4_PORTS || slot == L4_WATCHED;
}

/* Some netns watches UDP ports from now on: only now that is asked of UDP packets. It
 * is for a helper that has a match with a port, which is in the map. Context: any.
 */
void vpnpass_udp_watched(void)
{
	WRITE_ONCE(l4map[IPPROTO_UDP], L4_WATCHED);
}

/* The matches with a port; l4proto is written last and read first. */
static struct port_match {
	u8 l4proto;
	u8 slot;	/* plus one */
	u16 port;
} port_matches[VPNPASS_PROTOS];

static struct port_match *port_find(u8 l4proto, u16 port)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(port_matches); i++)
		if (READ_ONCE(port_matches[i].l4proto) == l4proto &&
		    READ_ONCE(port_matches[i].port) == port)
			return &port_matches[i];
	return NULL;
}

/* TCP and UDP share the bitmap: a spare bit only costs a search. */
static void port_bit_update(u16 port)
{
	if (port_find(IPPROTO_TCP, port) || port_find(IPPROTO_UDP, port))
		set_bit((__force u16)htons(port), ports);
	else
		clear_bit((__force u16)htons(port), ports);
}

static int match_add_port(const struct vpnpass_match *m, int idx)
{
	struct port_match *pm = port_find(0, 0);

	if (port_find(m->l4proto, m->port))
		return -EEXIST;
	if (!pm)
		return -ENOSPC;
	WRITE_ONCE(pm->port, m->port);
	WRITE_ONCE(pm->slot, idx + 1);
	/* pairs with the READ_ONCE() of it in port_find(): the rest comes first */
	smp_store_release(&pm->l4proto, m->l4proto);
	port_bit_update(m->port);
	if (!by_ports(READ_ONCE(l4map[m->l4proto])))
		WRITE_ONCE(l4map[m->l4proto], L4_PORTS);
	return 0;
}

static void match_del_port(const struct vpnpass_match *m)
{
	struct port_match *pm = port_find(m->l4proto, m->port);

	WRITE_ONCE(pm->l4proto, 0);
	WRITE_ONCE(pm->port, 0);
	port_bit_update(m->port);
}

/* Let packets of one match reach a helper; vpnpass_mutex held. */
static int match_add(const struct vpnpass_match *m, int idx)
{
	if (m->block_only)
		return 0;
	if (m->port)
		return match_add_port(m, idx);
	if (l4map[m->l4proto])
		return -EEXIST;
	WRITE_ONCE(l4map[m->l4proto], idx + 1);
	return 0;
}

static void match_del(const struct vpnpass_match *m)
{
	if (m->block_only)
		return;
	if (m->port)
		match_del_port(m);
	else
		WRITE_ONCE(l4map[m->l4proto], 0);
}

/* Context: process, vpnpass_mutex. Returns 0, -EEXIST or -ENOSPC. */
int vpnpass_match_add(const struct vpnpass_proto *p)
{
	int i, err;

	for (i = 0; i < p->n_match; i++) {
		/* stays: without the helper nobody asks */
		if (p->any_end)
			WRITE_ONCE(any_end[p->match[i].l4proto], true);
		err = match_add(&p->match[i], p->idx);
		if (!err)
			continue;
		while (i--)
			match_del(&p->match[i]);
		return err;
	}
	return 0;
}

void vpnpass_match_del(const struct vpnpass_proto *p)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		match_del(&p->match[i]);
}

/* The slot, plus one, that watches a port of a packet at its address; 0 for none. */
static u8 slot_watching(const struct vpnpass_net *vn, const struct sk_buff *skb, u8 pf,
			const __be16 *h)
{
	const struct vpnpass_watches *w = READ_ONCE(vn->watches);
	union nf_inet_addr src = {}, dst = {};

	if (!w || !(vpnpass_watch_may_have(w, h[0]) || vpnpass_watch_may_have(w, h[1])))
		return 0;
	if (pf == NFPROTO_IPV4) {
		src.ip = ip_hdr(skb)->saddr;
		dst.ip = ip_hdr(skb)->daddr;
	} else {
		src.in6 = ipv6_hdr(skb)->saddr;
		dst.in6 = ipv6_hdr(skb)->daddr;
	}
	return vpnpass_watch_slot(w, pf, &dst, h[1]) ?: vpnpass_watch_slot(w, pf, &src, h[0]);
}

/* The slot, plus one, that a TCP or UDP packet is for; 0 for none. */
static u8 slot_by_ports(const struct vpnpass_net *vn, const struct sk_buff *skb, u8 pf,
			unsigned int thoff, u8 l4proto)
{
	const struct port_match *pm;
	__be16 buf[2];
	const __be16 *h;

	h = skb_header_pointer(skb, thoff, sizeof(buf), buf);
	if (!h)
		return 0;
	pm = port_find(l4proto, ntohs(h[1])) ?: port_find(l4proto, ntohs(h[0]));
	if (pm)
		return READ_ONCE(pm->slot);
	if (l4proto != IPPROTO_UDP)
		return 0;
	return slot_watching(vn, skb, pf, h);
}

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
	if (unlikely(test_bit((__force u16)h[0], ports)) ||
	    unlikely(test_bit((__force u16)h[1], ports)))
		return true;
	return w && (vpnpass_watch_may_have(w, h[0]) || vpnpass_watch_may_have(w, h[1]));
}

/* May an IPv4 packet concern a helper? A byte of the table that changes meanwhile is old
 * or new.
 */
static __always_inline bool concerns_v4(const struct sk_buff *skb)
{
	u8 l4proto = ip_hdr(skb)->protocol;

	/* data_race(): a byte is read whole; READ_ONCE() costs an instruction */
	if (unlikely(data_race(l4map[l4proto]) != L4_PORTS))
		return READ_ONCE(l4map[l4proto]);
	return has_port_v4(skb, NULL);
}

/* Packets on this CPU that went the pinned way: there is nothing to do for them
 * when they leave. Every packet that concerns us sets or clears its place on the way
 * in. A driver may hand over a whole list of packets, all of which pass
 * PREROUTING before the first is sent on: 64 of them (NAPI_POLL_WEIGHT). Two
 * that share a place cost a look at the connection, no more.
 */
#define PINNED_SHIFT	6

struct pinned {
	const struct sk_buff *skb[1 << PINNED_SHIFT];
};

static DEFINE_PER_CPU(struct pinned, pinned_now);

static u32 pinned_place(const struct sk_buff *skb)
{
	return hash_ptr(skb, PINNED_SHIFT);
}

/* @skb, or NULL in its place */
static void set_pinned(u32 place, const struct sk_buff *skb)
{
	this_cpu_write(pinned_now.skb[place], skb);
}

/* Softirqs and NAPI's threads take a packet from PREROUTING to POSTROUTING in one
 * go. One that a task gives back (nfqueue) may have come in on another CPU, and its
 * place here be that of a packet long gone: then the connection is looked at.
 */
static bool in_one_go(void)
{
	return in_serving_softirq() || current->flags & PF_KTHREAD;
}

static bool is_pinned(const struct sk_buff *skb)
{
	return this_cpu_read(pinned_now.skb[pinned_place(skb)]) == skb && in_one_go();
}

static bool already_tracked(const struct sk_buff *skb)
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

	if (READ_ONCE(any_end[iph->protocol]) || vpnpass_is_known_v4(vn, iph->saddr) ||
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

	if (READ_ONCE(any_end[l4proto]) || vpnpass_is_known_v6(vn, &iph->saddr) ||
	    vpnpass_is_known_v6(vn, &iph->daddr))
		return false;
	return state->hook != NF_INET_PRE_ROUTING ||
	       nf_ipv6_chk_addr(state->net, &iph->daddr, skb->dev, true);
}

/* Is the helper to see such packets when they leave? */
static bool has_post(const struct vpnpass_proto *p, u8 l4proto)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		if (p->match[i].l4proto == l4proto)
			return !p->match[i].no_post;
	return true;
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
		return p->post(vn, pkt);
	if (!s)
		return NF_ACCEPT;
	vpnpass_session_end(s, "conntrack helper taken off");
	return NF_ACCEPT;
}

/* Have the packet come to vpnpass_leaving(), and all others of its connection.
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

/* No pin: the helper decides. */
static noinline unsigned int miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				  const struct vpnpass_proto *p, int err)
{
	unsigned int verdict;

	if (pkt->key.family == NFPROTO_IPV4) {
		memset(&pkt->key.src.all[1], 0, sizeof(pkt->key.src) - 4);
		memset(&pkt->key.dst.all[1], 0, sizeof(pkt->key.dst) - 4);
	}
	set_pinned(pinned_place(pkt->skb), NULL);
	verdict = p->miss(vn, pkt, err);
	if (pkt->done)
		set_pinned(pinned_place(pkt->skb), pkt->skb);
	else if (verdict == NF_ACCEPT && has_post(p, pkt->key.l4proto))
		verdict = watch(vn, pkt, p);
	return verdict;
}

static struct vpnpass_pin *find(struct vpnpass_net *vn,
				const struct vpnpass_key *key)
{
	return rhashtable_lookup(&vn->pins, key, vpnpass_pin_params);
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
	err = p->number(pkt);
	if (unlikely(err))
		return miss(vn, pkt, p, err);

	if (unlikely(tmpl))
		pkt->key.zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_ORIGINAL);
	pin = find(vn, &pkt->key);
	if (unlikely(!pin && tmpl)) {
		pkt->key.zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_REPLY);
		pin = find(vn, &pkt->key);
	}
	if (pin && vpnpass_attach(pin->session, pkt->skb, pin->dir)) {
		u32 now = vpnpass_now();

		if (READ_ONCE(pin->last) != now)
			WRITE_ONCE(pin->last, now);
		set_pinned(pinned_place(pkt->skb), pkt->skb);
		return vpnpass_renumber(pin, pkt->skb, pkt->thoff, 0);
	}
	return miss(vn, pkt, p, 0);
}

/* The helper that is switched on for an IP protocol, or NULL. */
static const struct vpnpass_proto *proto_on(const struct vpnpass_net *vn, u8 slot)
{
	if (READ_ONCE(vn->proto[slot - 1].mode) != VPNPASS_MODE_ON)
		return NULL;
	return rcu_dereference(vpnpass_protos[slot - 1]);
}

static unsigned int thoff_v4(const struct sk_buff *skb)
{
	return skb_network_offset(skb) + ip_hdrlen(skb);
}

static void fill_v4(struct vpnpass_pkt *pkt, const struct iphdr *iph)
{
	pkt->thoff = thoff_v4(pkt->skb);
	pkt->key.src.ip = iph->saddr;
	pkt->key.dst.ip = iph->daddr;
	pkt->key.l4proto = iph->protocol;
	pkt->key.family = NFPROTO_IPV4;
}

static noinline unsigned int known_v4(struct vpnpass_net *vn, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 slot = READ_ONCE(l4map[iph->protocol]);
	const struct vpnpass_proto *p;
	struct vpnpass_pkt pkt;

	if (ip_is_fragment(iph) || already_tracked(skb))
		return NF_ACCEPT;
	if (by_ports(slot))
		slot = slot_by_ports(vn, skb, NFPROTO_IPV4, thoff_v4(skb), iph->protocol);
	else if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, thoff_v4(skb));
	if (!slot)
		return NF_ACCEPT;
	p = proto_on(vn, slot);
	if (!p)
		return NF_ACCEPT;
	pkt.skb = skb;
	pkt.state = state;
	pkt.done = false;
	fill_v4(&pkt, iph);
	return lookup(vn, &pkt, p);
}

/* Calls nobody, so that it needs no stack. */
static noinline unsigned int ours_v4(struct vpnpass_net *vn, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	if (unlikely(READ_ONCE(l4map[ip_hdr(skb)->protocol]) == L4_WATCHED) &&
	    likely(!has_port_v4(skb, READ_ONCE(vn->watches))))
		return NF_ACCEPT;
	return is_strange_v4(vn, skb, state) ? NF_ACCEPT : known_v4(vn, skb, state);
}

static unsigned int pre_v4(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	return likely(!concerns_v4(skb)) ? NF_ACCEPT : ours_v4(priv, skb, state);
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
	slot = READ_ONCE(l4map[l4proto]);
	if (by_ports(slot))
		slot = slot_by_ports(vn, skb, NFPROTO_IPV6, pkt.thoff, l4proto);
	if (likely(!slot) || is_strange_v6(vn, skb, state, l4proto) || already_tracked(skb))
		return NF_ACCEPT;
	if (slot == L4_ICMP)
		return vpnpass_icmp_error(vn, skb, state, pkt.thoff);
	p = proto_on(vn, slot);
	if (!p)
		return NF_ACCEPT;
	fill_v6(&pkt, l4proto);
	return lookup(vn, &pkt, p);
}

/* Is the helper to see answers to the router's own clients as they come in? */
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
	u8 slot = READ_ONCE(l4map[l4proto]);
	const struct vpnpass_proto *p;

	if (by_ports(slot))
		slot = slot_by_ports(vn, pkt->skb, pkt->state->pf, pkt->thoff, l4proto);
	if (!slot || slot == L4_ICMP)
		return NF_ACCEPT;
	p = proto_on(vn, slot);
	if (!p || (pkt->state->hook == NF_INET_LOCAL_IN && !has_input(p, l4proto)))
		return NF_ACCEPT;
	if (pkt->state->pf == NFPROTO_IPV4)
		fill_v4(pkt, ip_hdr(pkt->skb));
	else
		fill_v6(pkt, l4proto);
	return p->post(vn, pkt);
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
	s = vpnpass_session_by_ct(vn, NULL, ct);
	if (!s || test_and_set_bit(0, &s->passed) || has_post(s->proto, nf_ct_protonum(ct)))
		return;
	s->unwatched = true;
	vpnpass_conn_unwatch(ct);
}

static noinline unsigned int leaving(struct sk_buff *skb, struct nf_conn *ct, u8 hook)
{
	struct nf_hook_state state = {
		.hook = hook,
		.pf = nf_ct_l3num(ct),
		.out = skb->dev,
		.net = nf_ct_net(ct),
	};
	struct vpnpass_pkt pkt = { .skb = skb, .state = &state };
	unsigned int verdict;
	int l4proto;

	if (state.pf == NFPROTO_IPV4) {
		l4proto = ip_hdr(skb)->protocol;
		pkt.thoff = thoff_v4(skb);
	} else {
		l4proto = find_v6(skb, &pkt.thoff);
		if (l4proto < 0)
			return NF_ACCEPT;
	}
	verdict = after_nat(vpnpass_net_get(state.net), &pkt, l4proto);
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

/**
 * vpnpass_leaving() - a packet of a connection with our helper is about to go
 * @skb: the packet, through all of the user's rules and NAT
 * @protoff: of the L4 header
 * @ct: its connection, confirmed right after this if it is new
 * @ctinfo: direction
 *
 * Context: softirq, RCU read side; conntrack's last hook.
 * Return: verdict.
 */
int vpnpass_leaving(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
		    enum ip_conntrack_info ctinfo)
{
	if (unlikely(!test_bit(IPS_SEEN_REPLY_BIT, &ct->status)) && leaves(skb, nf_ct_l3num(ct)))
		has_passed(ct, ctinfo);
	if (is_pinned(skb))
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

/* As find_v6(), but AH is what is looked for, not what is passed over. */
static int find_v6_ah(const struct sk_buff *skb, unsigned int *thoff)
{
	int flags = IP6_FH_F_AUTH;

	*thoff = 0;
	return ipv6_find_hdr(skb, thoff, -1, NULL, &flags);
}

static unsigned int block(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	const struct vpnpass_proto *p;
	struct vpnpass_net *vn = priv;
	unsigned int thoff;
	int i, l4proto;

	if (state->pf == NFPROTO_IPV4) {
		l4proto = ip_hdr(skb)->protocol;
		thoff = thoff_v4(skb);
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

/* What each mode needs. */
static const struct nf_hook_ops on_ops[] = {
	{ .hook = pre_v4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP_PRI_CONNTRACK - 1 },
	{ .hook = pre_v4, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_OUT,
	  .priority = NF_IP_PRI_CONNTRACK - 1 },
	{ .hook = pre_v6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP6_PRI_CONNTRACK - 1 },
	{ .hook = pre_v6, .pf = NFPROTO_IPV6, .hooknum = NF_INET_LOCAL_OUT,
	  .priority = NF_IP6_PRI_CONNTRACK - 1 },
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
 * switch is off pays nothing. New ones first: when memory runs out, those of the
 * old modes are still there to go back to. Process context, vpnpass_mutex.
 */
int vpnpass_hooks_update(struct vpnpass_net *vn)
{
	int set, err;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++) {
		if (vn->hooks[set] || !any_in_mode(vn, hook_sets[set].mode))
			continue;
		err = hooks_add(vn, set);
		if (err)
			return err;
	}
	for (set = 0; set < ARRAY_SIZE(hook_sets); set++)
		if (!any_in_mode(vn, hook_sets[set].mode))
			hooks_del(vn, set);
	return 0;
}

void vpnpass_hooks_drop(struct vpnpass_net *vn)
{
	int set;

	for (set = 0; set < ARRAY_SIZE(hook_sets); set++)
		hooks_del(vn, set);
}
