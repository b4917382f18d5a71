/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast way: a pinned packet goes as the one before it went, from PREROUTING
 * straight to the neighbour, for as long as a lease. ingress.c asks, egress.c tells, pin.c
 * lets go; fast.c has the packets' side, fast_learn.c finds out what the way is.
 */
#ifndef VPNPASS_CORE_FAST_H
#define VPNPASS_CORE_FAST_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/checksum.h>
#include <net/dst.h>

#include "vpnpass.h"

/* Kept of a packet as it came in: its IP header, and the number and what tells it from
 * the packet before.
 */
#define FAST_L4		8
#define FAST_CALL_ID	6	/* offset in PPTP's GRE, RFC 2637 4.1 */
#define FAST_HEADER	(sizeof(struct ipv6hdr) + FAST_L4)

/**
 * struct vpnpass_way - the way of a pin's packets through the router
 * @from: vpnpass_now() when the lease began
 * @lease: ms; 0 once a packet could not go this way, so that none overtakes it
 * @dst: the route, held
 * @in: the device they come in by, compared and never followed
 * @stats: fast packets of the protocol on this CPU
 * @gen: vpnpass_net.fast_gen when it was learnt
 * @mtu: the longest packet
 * @headroom: that the link-layer header wants
 * @mark_in: mark of the packets that come in
 * @priority_in: likewise
 * @mark: of those that leave
 * @priority: of those that leave
 * @saddr: source address they leave with
 * @daddr: destination address, likewise
 * @check: what is added to the checksum of the IPv4 header
 * @number: the call ID they leave with
 * @renumber: whether it is another than the one they come with
 * @cookie: for dst_check()
 * @dsfield: TOS or traffic class without ECN's bits, of all packets
 * @rcu: owned by fast.c
 */
struct vpnpass_way {
	u32 from;
	u32 lease;
	struct dst_entry *dst;
	const struct net_device *in;
	unsigned long __percpu *stats;
	u32 gen;
	u32 mtu;
	u32 headroom;
	u32 mark_in;
	u32 priority_in;
	u32 mark;
	u32 priority;
	union nf_inet_addr saddr;
	union nf_inet_addr daddr;
	u16 check;
	__be16 number;
	u32 cookie;
	u8 dsfield;
	bool renumber;
	struct rcu_head rcu;
};

/* A packet whose way is wanted, as it came in. */
struct vpnpass_fast_seen {
	const struct sk_buff *skb;
	const struct net_device *in;
	struct vpnpass_key key;
	u32 gen;
	u32 mark;
	u32 priority;
	u8 header[FAST_HEADER];
};

#define FAST_SEEN	64	/* as many as ingress.h has places */

/**
 * struct vpnpass_fast - what a netns has once a protocol's packets may go fast
 * @packets: that went fast, by protocol
 * @seen: by ingress.h's places
 */
struct vpnpass_fast {
	unsigned long packets[VPNPASS_PROTOS];
	struct vpnpass_fast_seen seen[FAST_SEEN];
};

/* Counters of a protocol that may go fast, from its fast_counter on. */
enum {
	VPNPASS_FAST_PACKETS,
	VPNPASS_FAST_LEARNED,
	VPNPASS_FAST_REFUSED,
};

static __always_inline void vpnpass_fast_rewrite_v4(struct iphdr *iph,
						    const struct vpnpass_way *way)
{
	iph->ttl--;
	iph->check = csum_fold((__force __wsum)((u16)~(__force u16)iph->check + way->check));
	iph->saddr = way->saddr.ip;
	iph->daddr = way->daddr.ip;
}

static __always_inline void vpnpass_fast_rewrite_v6(struct ipv6hdr *iph,
						    const struct vpnpass_way *way)
{
	iph->hop_limit--;
	iph->saddr = way->saddr.in6;
	iph->daddr = way->daddr.in6;
}

/* fast.c */
bool vpnpass_fast_v4(struct vpnpass_net *vn, struct sk_buff *skb);
bool vpnpass_fast_v6(struct vpnpass_net *vn, struct sk_buff *skb);
bool vpnpass_fast_is_on(const struct vpnpass_session *s);
bool vpnpass_fast_want(struct vpnpass_net *vn, struct vpnpass_pin *pin,
		       const struct vpnpass_pkt *pkt, u32 place);

/* fast_learn.c */
void vpnpass_fast_learn(struct sk_buff *skb, struct nf_conn *ct,
			enum ip_conntrack_info ctinfo, u32 place);
int vpnpass_fast_set(struct vpnpass_net *vn, struct vpnpass_proto *p, u32 value);
void vpnpass_fast_stale(struct vpnpass_net *vn);
u64 vpnpass_fast_packets(const struct vpnpass_net *vn, const struct vpnpass_proto *p);
void vpnpass_fast_exit(struct vpnpass_net *vn);

#endif /* VPNPASS_CORE_FAST_H */
