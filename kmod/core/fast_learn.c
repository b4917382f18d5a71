// SPDX-License-Identifier: GPL-2.0
/*
 * Where the fast way of a pin comes from: a packet that went the ordinary way, through
 * routing, all rules, NAT and IPsec's policies, and is about to leave. What the fast way
 * would have made of it is compared with what it has become: what they differ in, the
 * fast way cannot do, and there is none. Also the setting, and what ends all ways at once.
 */
#include <linux/if_arp.h>
#include <linux/ip.h>
#include <net/dsfield.h>
#include <net/dst_metadata.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "core.h"
#include "fast.h"

/* A packet that leaves, its IP header and what follows. */
struct leaving {
	struct sk_buff *skb;
	const struct vpnpass_fast_seen *seen;
	u8 header[FAST_HEADER];
};

/* Add a changed address to a one's complement sum of 16-bit words, as checksums want it. */
static u32 add_addr_change(u32 sum, __be32 from, __be32 to)
{
	u32 gone = ~(__force u32)from, come = (__force u32)to;

	return sum + (gone & 0xffff) + (gone >> 16) + (come & 0xffff) + (come >> 16);
}

/* RFC 1624 eqn. 3, without the old checksum: the addresses, and one off the TTL. */
static u16 check_change(const struct iphdr *from, const struct iphdr *to)
{
	u32 sum = (u16)~(__force u16)htons(0x0100);

	sum = add_addr_change(sum, from->saddr, to->saddr);
	sum = add_addr_change(sum, from->daddr, to->daddr);
	return (__force u16)~csum_fold((__force __wsum)sum);
}

/* Zero has two forms, of which routers make now the one and now the other. */
static bool is_same_check(__sum16 a, __sum16 b)
{
	u16 x = (__force u16)a, y = (__force u16)b;

	return x == y || (!x && !(u16)~y) || (!y && !(u16)~x);
}

static void number_of(const struct vpnpass_key *key, u8 *seen, const u8 *left,
		      struct vpnpass_way *way)
{
	__be16 was, is;

	if (key->l4proto != IPPROTO_GRE)
		return;
	memcpy(&was, seen + FAST_CALL_ID, sizeof(was));
	memcpy(&is, left + FAST_CALL_ID, sizeof(is));
	way->renumber = was != is;
	way->number = way->renumber ? is : 0;
	memcpy(seen + FAST_CALL_ID, &is, sizeof(is));
}

/* Is what the way makes of the packet as it came in what is leaving? */
static bool makes_v4(struct leaving *l, struct vpnpass_way *way)
{
	unsigned int len = sizeof(struct iphdr) + FAST_L4;
	struct iphdr made, left;
	u8 *l4, seen[FAST_L4];

	if (skb_copy_bits(l->skb, skb_network_offset(l->skb), l->header, len))
		return false;
	memcpy(&made, l->seen->header, sizeof(made));
	memcpy(&left, l->header, sizeof(left));
	l4 = l->header + sizeof(left);
	memcpy(seen, l->seen->header + sizeof(made), FAST_L4);
	number_of(&l->seen->key, seen, l4, way);

	way->saddr.ip = left.saddr;
	way->daddr.ip = left.daddr;
	way->dsfield = made.tos;
	way->check = check_change(&made, &left);
	vpnpass_fast_rewrite_v4(&made, way);
	if (!is_same_check(made.check, left.check))
		return false;
	made.check = left.check;
	return !memcmp(&made, &left, sizeof(made)) && !memcmp(seen, l4, FAST_L4);
}

static const char *refused_device(const struct net_device *in, const struct net_device *out)
{
	if (in == out)
		return "leaves by the device it came in by";
	if (out->flags & IFF_LOOPBACK)
		return "loopback";
	if (netif_is_l3_slave(in) || netif_is_l3_master(in) || netif_is_l3_slave(out) ||
	    netif_is_l3_master(out))
		return "VRF";
	return NULL;
}

static const char *refused_route(const struct sk_buff *skb, const struct dst_entry *dst)
{
	if (dst_xfrm(dst) || skb_sec_path((struct sk_buff *)skb))
		return "IPsec of the router's own";
	if (dst->lwtstate)
		return "tunnel in the route";
	if (dst->flags & DST_FAKE_RTABLE)
		return "bridge";
	return NULL;
}

static const char *fill_v4(struct leaving *l, struct vpnpass_way *way)
{
	const struct rtable *rt = skb_rtable(l->skb);

	if (rt->dst.output != ip_output || rt->rt_type != RTN_UNICAST)
		return "route";
	if (!makes_v4(l, way))
		return "changed by more than NAT";
	way->mtu = ip_dst_mtu_maybe_forward(&rt->dst, true);
	return NULL;
}

#if IS_ENABLED(CONFIG_IPV6)
static bool makes_v6(struct leaving *l, struct vpnpass_way *way)
{
	unsigned int len = sizeof(struct ipv6hdr) + FAST_L4;
	struct ipv6hdr made, left;

	if (skb_copy_bits(l->skb, skb_network_offset(l->skb), l->header, len))
		return false;
	memcpy(&made, l->seen->header, sizeof(made));
	memcpy(&left, l->header, sizeof(left));
	way->saddr.in6 = left.saddr;
	way->daddr.in6 = left.daddr;
	way->dsfield = ipv6_get_dsfield(&made);
	vpnpass_fast_rewrite_v6(&made, way);
	return !memcmp(&made, &left, sizeof(made)) &&
	       !memcmp(l->seen->header + sizeof(made), l->header + sizeof(left), FAST_L4);
}

static const char *fill_v6(struct leaving *l, struct vpnpass_way *way)
{
	const struct rt6_info *rt = (struct rt6_info *)skb_dst(l->skb);

	if (rt->dst.output != ip6_output || rt->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST | RTF_REJECT))
		return "route";
	if (!makes_v6(l, way))
		return "changed by more than NAT";
	way->mtu = max_t(u32, vpnpass_dst_mtu_v6(&rt->dst), IPV6_MIN_MTU);
	way->cookie = rt6_get_cookie(rt);
	return NULL;
}
#else
static const char *fill_v6(struct leaving *l, struct vpnpass_way *way)
{
	return "route";
}
#endif

/* Returns why there is no way, or NULL. */
static const char *fill(struct vpnpass_net *vn, struct leaving *l, struct vpnpass_way *way)
{
	struct net_device *out = l->skb->dev;
	struct dst_entry *dst = skb_dst(l->skb);
	const char *why;

	why = refused_device(l->seen->in, out) ?: refused_route(l->skb, dst);
	if (!why)
		why = l->seen->key.family == NFPROTO_IPV4 ? fill_v4(l, way) : fill_v6(l, way);
	if (why)
		return why;
	way->dst = dst;
	way->in = l->seen->in;
	way->gen = l->seen->gen;
	way->mark_in = l->seen->mark;
	way->priority_in = l->seen->priority;
	way->mark = l->skb->mark;
	way->priority = l->skb->priority;
	way->headroom = LL_RESERVED_SPACE(out) + dst->header_len;
	return NULL;
}

/* Events tell what has become of a pin, not of each of its leases. */
static void tell(struct vpnpass_pin *pin, u32 type, const char *why)
{
	if (READ_ONCE(pin->fast_told) == type)
		return;
	WRITE_ONCE(pin->fast_told, type);
	vpnpass_event_pin(pin->session, type, pin, why);
}

static bool is_same(const struct vpnpass_way *a, const struct vpnpass_way *b)
{
	size_t from = offsetof(struct vpnpass_way, dst);

	return !memcmp((const u8 *)a + from, (const u8 *)b + from,
		       offsetof(struct vpnpass_way, rcu) - from);
}

/* A new way, in the place of an old one; a pin that is hidden gets none any more. */
static void publish(struct vpnpass_net *vn, struct vpnpass_pin *pin,
		    const struct vpnpass_way *found)
{
	const struct vpnpass_proto *p = pin->session->proto;
	struct vpnpass_way *way = vpnpass_alloc_zeroed(vn, sizeof(*way));
	bool shown;

	if (!way) {
		vpnpass_count(vn, p, VPNPASS_CNT_NO_MEMORY);
		return;
	}
	memcpy(way, found, sizeof(*way));
	spin_lock_bh(&vn->lock);
	shown = !pin->hidden && dst_hold_safe(way->dst);
	if (shown) {
		vpnpass_pin_end_way(pin);
		rcu_assign_pointer(pin->way, way);
	}
	spin_unlock_bh(&vn->lock);
	if (!shown) {
		kfree(way);
		return;
	}
	vpnpass_count(vn, p, p->fast_counter + VPNPASS_FAST_LEARNED);
	tell(pin, VPNPASS_EVENT_TYPE_FAST, NULL);
}

/* The lease begins, or begins again. */
static void lease(struct vpnpass_net *vn, struct vpnpass_pin *pin, struct vpnpass_way *found)
{
	struct vpnpass_way *way = rcu_dereference(pin->way);
	struct vpnpass_session *s = pin->session;
	u32 ms = vpnpass_setting(vn, s->proto, s->proto->fast_setting);

	if (!ms)
		return;
	/* A packet of each lease has to refresh the connection in time. */
	found->lease = min(ms, jiffies_to_msecs(vpnpass_attach_timeout(s)) / 4);
	found->from = vpnpass_now();
	WRITE_ONCE(pin->fast_wait, 1);
	if (!way || !is_same(way, found)) {
		publish(vn, pin, found);
		return;
	}
	WRITE_ONCE(way->from, found->from);
	WRITE_ONCE(way->lease, found->lease);
}

static void learn(struct vpnpass_net *vn, struct vpnpass_pin *pin, struct leaving *l)
{
	const struct vpnpass_proto *p = pin->session->proto;
	struct vpnpass_way found;
	const char *why;

	memset(&found, 0, sizeof(found));
	found.stats = &vn->fast->packets[p->idx];
	why = fill(vn, l, &found);
	if (!why) {
		lease(vn, pin, &found);
		return;
	}
	WRITE_ONCE(pin->fast_wait, vpnpass_setting(vn, p, p->fast_setting));
	vpnpass_count(vn, p, p->fast_counter + VPNPASS_FAST_REFUSED);
	tell(pin, VPNPASS_EVENT_TYPE_FAST_REFUSED, why);
}

/**
 * vpnpass_fast_learn() - a packet whose way is wanted is about to leave
 * @skb: the packet
 * @ct: its connection
 * @ctinfo: direction
 * @place: ingress.h's, for the packet
 *
 * Context: softirq, RCU read side; conntrack's last hook.
 */
void vpnpass_fast_learn(struct sk_buff *skb, struct nf_conn *ct,
			enum ip_conntrack_info ctinfo, u32 place)
{
	struct vpnpass_net *vn = vpnpass_net_get(nf_ct_net(ct));
	struct leaving l = { .skb = skb };
	struct vpnpass_fast_seen *seen;
	struct vpnpass_pin *pin;

	/* The place may tell of a packet long gone, of another netns even. */
	if (!vn || !vn->fast || !test_bit(IPS_SEEN_REPLY_BIT, &ct->status) || !skb_dst(skb))
		return;
	seen = &this_cpu_ptr(vn->fast)->seen[place];
	if (seen->skb != skb)
		return;
	seen->skb = NULL;
	pin = vpnpass_pin_find(vn, &seen->key);
	if (!pin || pin->session->ct != ct || pin->dir != CTINFO2DIR(ctinfo))
		return;
	l.seen = seen;
	learn(vn, pin, &l);
}

/**
 * vpnpass_fast_stale() - all ways of a netns end, for something that no route tells of
 * @vn: netns
 *
 * Context: any.
 */
void vpnpass_fast_stale(struct vpnpass_net *vn)
{
	atomic_inc(&vn->fast_gen);
}

static bool any_wants(const struct vpnpass_net *vn)
{
	const struct vpnpass_proto *p;
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++) {
		p = vpnpass_proto_slot(i);
		if (p && p->fast_setting && vn->proto[i].setting[p->fast_setting])
			return true;
	}
	return false;
}

/**
 * vpnpass_fast_set() - change the setting "fast" of a protocol
 * @vn: netns
 * @p: the protocol
 * @value: ms, checked
 *
 * Context: process, vpnpass_mutex.
 * Return: 0 or -ENOMEM.
 */
int vpnpass_fast_set(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 value)
{
	struct vpnpass_fast __percpu *fast;

	if (value && !vn->fast) {
		fast = alloc_percpu(struct vpnpass_fast);
		if (!fast)
			return -ENOMEM;
		vn->fast = fast;
	}
	WRITE_ONCE(vn->proto[p->idx].setting[p->fast_setting], value);
	/* pairs with ingress.c's: who sees that it is on sees the memory */
	smp_store_release(&vn->fast_on, any_wants(vn));
	vpnpass_fast_stale(vn);
	return 0;
}

/* Packets of a protocol that went fast; any context. */
u64 vpnpass_fast_packets(const struct vpnpass_net *vn, const struct vpnpass_proto *p)
{
	u64 n = 0;
	int cpu;

	if (vn->fast)
		for_each_possible_cpu(cpu)
			n += READ_ONCE(per_cpu_ptr(vn->fast, cpu)->packets[p->idx]);
	return n;
}

/* Context: process, no packet comes any more. */
void vpnpass_fast_exit(struct vpnpass_net *vn)
{
	free_percpu(vn->fast);
}
