// SPDX-License-Identifier: GPL-2.0
/*
 * Packets on the fast way. Each is asked all that the ordinary path would ask of it
 * alone; what concerns its whole flow (rules, routes, NAT) was asked of the packet that
 * the way was learnt from, and is asked again when the lease ends. A packet that is
 * refused goes the ordinary way, and ends the lease: it must not be overtaken by those
 * behind it, which a driver may have handed over in one list with it.
 */
#include <linux/ip.h>
#include <net/arp.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/route.h>

#include "core.h"
#include "fast.h"
#include "match.h"
#include "pin.h"

static bool is_open(const struct vpnpass_net *vn, const struct vpnpass_way *way, u32 now)
{
	return now - READ_ONCE(way->from) < READ_ONCE(way->lease) &&
	       way->gen == (u32)atomic_read(&vn->fast_gen);
}

/* Is there nothing about a packet, IP header apart, that needs the ordinary path? One with
 * a socket or a route was given it for a reason; extensions are IPsec's and bridges'.
 */
static __always_inline bool is_plain(struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb->sk && !skb->_skb_refdst &&
	       !skb_has_extensions(skb) && !skb_is_gso(skb) && !vpnpass_skb_is_special(skb);
}

/* Is there nothing about an IPv4 header that needs the ordinary path? A reassembled packet
 * has to be cut up again.
 */
static __always_inline bool is_plain_v4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return iph->ttl > 1 && !IPCB(skb)->frag_max_size;
}

static __always_inline bool is_plain_v6(const struct sk_buff *skb)
{
	return ipv6_hdr(skb)->hop_limit > 1 && !IP6CB(skb)->frag_max_size;
}

static __always_inline bool may_go(struct sk_buff *skb, const struct vpnpass_way *way,
				   const struct nf_conn *ct)
{
	return skb->dev == way->in && skb->mark == way->mark_in &&
	       skb->priority == way->priority_in && skb->len <= way->mtu && is_plain(skb) &&
	       !test_bit(IPS_DYING_BIT, &ct->status) && dst_check(way->dst, way->cookie);
}

/* Tell conntrack and the pin of a packet. The connection's timeout is not refreshed, which
 * is no loss: a lease is a small part of it.
 */
static __always_inline void account(struct vpnpass_pin *pin, const struct vpnpass_way *way,
				    const struct sk_buff *skb, u32 now)
{
	struct vpnpass_session *s = pin->session;
	struct nf_conn_acct *acct = nf_conn_acct_find(s->ct);
	u8 dir = pin->dir;

	if (acct) {
		atomic64_inc(&acct->counter[dir].packets);
		atomic64_add(skb->len, &acct->counter[dir].bytes);
	}
	atomic64_inc(&s->fast[dir]);
	this_cpu_inc(*way->stats);
	if (READ_ONCE(pin->last) != now) {
		WRITE_ONCE(pin->last, now);
		WRITE_ONCE(s->last, now);
	}
}

/* Do to a packet what conntrack's hook and forwarding do, whatever its protocol. A qdisc
 * and its filters may ask for the connection.
 */
static __always_inline void prepare(struct sk_buff *skb, const struct vpnpass_way *way,
				    struct vpnpass_pin *pin)
{
	struct nf_conn *ct = pin->session->ct;

	if (unlikely(skb->_nfct))
		nf_reset_ct(skb);
	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, pin->dir == IP_CT_DIR_ORIGINAL ? IP_CT_ESTABLISHED :
							     IP_CT_ESTABLISHED_REPLY);
	skb_forward_csum(skb);
	vpnpass_skb_clear_tstamp(skb);
	skb->mark = way->mark;
	skb->priority = way->priority;
	skb->dev = vpnpass_dst_dev(way->dst);
	skb_dst_set_noref(skb, way->dst);
}

/* To a neighbour that is not known yet, or a gateway with an IPv6 address. */
static noinline void send_to_new_v4(struct sk_buff *skb, struct rtable *rt)
{
	struct neighbour *neigh;
	bool is_v6gw = false;

	neigh = ip_neigh_for_gw(rt, skb, &is_v6gw);
	if (IS_ERR(neigh))
		kfree_skb(skb);
	else
		neigh_output(neigh, skb, is_v6gw);
}

static noinline void send_v6(struct net *net, struct sk_buff *skb, struct rt6_info *rt)
{
	vpnpass_count_forwarded_v6(net, skb);
	neigh_xmit(NEIGH_ND_TABLE, skb->dev, rt6_nexthop(rt, &ipv6_hdr(skb)->daddr), skb);
}

static __always_inline void send_v4(struct net *net, struct sk_buff *skb, struct rtable *rt)
{
	struct neighbour *neigh = NULL;

	vpnpass_count_forwarded_v4(net, skb);
	if (rt->rt_gw_family != AF_INET6)
		neigh = __ipv4_neigh_lookup_noref(skb->dev,
						  (__force u32)rt_nexthop(rt, ip_hdr(skb)->daddr));
	if (likely(neigh))
		neigh_output(neigh, skb, false);
	else
		send_to_new_v4(skb, rt);
}

/* The pin in the zone of a packet that has a template. */
static noinline struct vpnpass_pin *find_zoned(struct vpnpass_net *vn, struct sk_buff *skb,
					       struct vpnpass_key *key)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(skb);

	if (!tmpl || !nf_ct_is_template(tmpl))	/* untracked, or tracked already */
		return NULL;
	return vpnpass_pin_find_arriving(vn, skb, key);
}

static __always_inline struct vpnpass_pin *find(struct vpnpass_net *vn, struct sk_buff *skb,
						struct vpnpass_key *key)
{
	if (unlikely(skb->_nfct))
		return find_zoned(vn, skb, key);
	return rhashtable_lookup(&vn->pins, key, vpnpass_pin_params);
}

/* Fill in what a packet's pin is found by, but for the addresses: the number is in the first
 * octets behind the IP header. @kind: from vpnpass_fast_kind[]. Returns false for GRE that is
 * not PPTP's.
 */
static __always_inline bool read_number(struct vpnpass_key *key, u8 kind, u8 l4proto,
					const u8 *h)
{
	key->kind = kind - 1;
	key->l4proto = l4proto;
	if (l4proto != IPPROTO_GRE) {
		key->number = get_unaligned_be32(h);
		return true;
	}
	key->number = get_unaligned_be16(h + FAST_CALL_ID);
	return vpnpass_gre_is_pptp(h);
}

/* The way of a pin's packets, if it is open, or NULL. */
static __always_inline struct vpnpass_way *open_way(const struct vpnpass_net *vn,
						    const struct vpnpass_pin *pin, u32 now)
{
	struct vpnpass_way *way = pin ? rcu_dereference(pin->way) : NULL;

	return way && is_open(vn, way, now) ? way : NULL;
}

/* Get a packet ready for its way, all but the header. @plain: there is nothing about the
 * header that needs the ordinary path. Returns false when it has to go that.
 */
static __always_inline bool take(struct vpnpass_pin *pin, struct vpnpass_way *way,
				 struct sk_buff *skb, bool plain, u8 dsfield, u32 now)
{
	if (unlikely(!plain || (dsfield ^ way->dsfield) & ~INET_ECN_MASK ||
		     !may_go(skb, way, pin->session->ct) || skb_cow(skb, way->headroom))) {
		WRITE_ONCE(way->lease, 0);
		return false;
	}
	account(pin, way, skb, now);
	prepare(skb, way, pin);
	return true;
}

/**
 * vpnpass_fast_v4() - have an IPv4 packet go the fast way
 * @vn: netns
 * @skb: the packet, in PREROUTING or OUTPUT
 *
 * Everything is in line, as the calls and what they save are a fiftieth of the cost.
 *
 * Context: softirq, RCU read side.
 * Return: whether it went, and is gone for the caller.
 */
__flatten bool vpnpass_fast_v4(struct vpnpass_net *vn, struct sk_buff *skb)
{
	struct vpnpass_key key VPNPASS_UNINITIALIZED;
	const struct iphdr *iph = ip_hdr(skb);
	u8 kind = READ_ONCE(vpnpass_fast_kind[iph->protocol]);
	struct vpnpass_way *way;
	struct vpnpass_pin *pin;
	u32 now;

	if (!kind || iph->ihl != 5 || ip_is_fragment(iph) ||
	    sizeof(*iph) + FAST_L4 > skb_headlen(skb) ||
	    !read_number(&key, kind, iph->protocol, (const u8 *)(iph + 1)))
		return false;
	key.src.ip = iph->saddr;
	key.dst.ip = iph->daddr;
	key.zone = NF_CT_DEFAULT_ZONE_ID;
	key.family = NFPROTO_IPV4;
	pin = find(vn, skb, &key);
	now = vpnpass_now();
	way = open_way(vn, pin, now);
	if (!way || !take(pin, way, skb, is_plain_v4(skb), iph->tos, now))
		return false;
	vpnpass_fast_rewrite_v4(ip_hdr(skb), way);
	if (unlikely(way->renumber))
		put_unaligned(way->number, (__be16 *)((u8 *)(ip_hdr(skb) + 1) + FAST_CALL_ID));
	send_v4(vn->net, skb, (struct rtable *)way->dst);
	return true;
}

/* An IPv6 packet, as vpnpass_fast_v4() has it. */
bool vpnpass_fast_v6(struct vpnpass_net *vn, struct sk_buff *skb)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	u8 kind = READ_ONCE(vpnpass_fast_kind[iph->nexthdr]);
	struct vpnpass_key key = {};
	struct vpnpass_way *way;
	struct vpnpass_pin *pin;
	u32 now;

	if (!kind || sizeof(*iph) + FAST_L4 > skb_headlen(skb) ||
	    !read_number(&key, kind, iph->nexthdr, (const u8 *)(iph + 1)))
		return false;
	key.src.in6 = iph->saddr;
	key.dst.in6 = iph->daddr;
	key.family = NFPROTO_IPV6;
	pin = find(vn, skb, &key);
	now = vpnpass_now();
	way = open_way(vn, pin, now);
	if (!way || !take(pin, way, skb, is_plain_v6(skb), ipv6_get_dsfield(iph), now))
		return false;
	vpnpass_fast_rewrite_v6(ipv6_hdr(skb), way);
	send_v6(vn->net, skb, (struct rt6_info *)way->dst);
	return true;
}

/* The lease of a protocol's ways in ms; 0: none. */
static u32 lease_of(const struct vpnpass_net *vn, const struct vpnpass_pin *pin)
{
	const struct vpnpass_proto *p = pin->session->proto;

	if (!p->fast_setting || pin->key.l4proto != p->fast_number.l4proto)
		return 0;
	return vpnpass_setting(vn, p, p->fast_setting);
}

/* May packets of a session's protocol go fast? Context: any. */
bool vpnpass_fast_is_on(const struct vpnpass_session *s)
{
	return s->proto->fast_setting && vpnpass_setting(s->vn, s->proto, s->proto->fast_setting);
}

/* Have the connection's conntrack helper see its packets, as ways are learnt there. It was
 * let go of where there was no other use for it.
 */
static bool is_watched(struct vpnpass_session *s)
{
	u32 at;

	if (vpnpass_conn_watched(s->ct))
		return true;
	at = xchg(&s->help_at, 0);
	if (at)
		vpnpass_conn_rewatch(s->ct, at);
	return at;
}

/* Octets of the headers that matter, or 0: the packet cannot show its way. */
static unsigned int length_of(const struct vpnpass_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;
	unsigned int len;
	bool plain;

	if (pkt->key.family == NFPROTO_IPV4) {
		plain = is_plain_v4(skb);
		len = sizeof(struct iphdr);
	} else {
		plain = is_plain_v6(skb);
		len = sizeof(struct ipv6hdr);
	}
	return plain && is_plain(skb) && pkt->thoff == skb_network_offset(skb) + len ?
	       len + FAST_L4 : 0;
}

/**
 * vpnpass_fast_want() - is the way of a pinned packet wanted?
 * @vn: netns
 * @pin: its pin
 * @pkt: the packet as it came in; it goes the ordinary way
 * @place: ingress.c's, for the packet
 *
 * Its first bytes are kept for vpnpass_fast_learn(). The pin is not: it may be gone
 * when the packet leaves.
 *
 * Context: softirq, RCU read side.
 * Return: true when vpnpass_fast_learn() is to be called for it.
 */
bool vpnpass_fast_want(struct vpnpass_net *vn, struct vpnpass_pin *pin,
		       const struct vpnpass_pkt *pkt, u32 place)
{
	u32 lease = lease_of(vn, pin), now = vpnpass_now();
	struct vpnpass_fast_seen *seen;
	struct sk_buff *skb = pkt->skb;
	struct vpnpass_way *way;
	unsigned int len;

	if (!lease || pkt->state->hook != NF_INET_PRE_ROUTING)
		return false;
	/* It was no candidate, such as with IP options: those behind it must not overtake it. */
	way = open_way(vn, pin, now);
	if (way)
		WRITE_ONCE(way->lease, 0);
	if (now - READ_ONCE(pin->fast_tried) < READ_ONCE(pin->fast_wait))
		return false;
	len = length_of(pkt);
	seen = &this_cpu_ptr(vn->fast)->seen[place];
	if (!len || !is_watched(pin->session) ||
	    skb_copy_bits(skb, skb_network_offset(skb), seen->header, len))
		return false;
	seen->skb = skb;
	seen->in = skb->dev;
	seen->key = pkt->key;
	seen->gen = atomic_read(&vn->fast_gen);
	seen->mark = skb->mark;
	seen->priority = skb->priority;
	/* The packet may be dropped: the next attempt is not long in coming, nor at once. */
	WRITE_ONCE(pin->fast_tried, now);
	WRITE_ONCE(pin->fast_wait, lease / 8 + 1);
	return true;
}
