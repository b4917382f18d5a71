/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks before conntrack's, and what they leave for the one behind NAT. */
#ifndef VPNPASS_CORE_INGRESS_H
#define VPNPASS_CORE_INGRESS_H

#include <linux/hash.h>
#include <linux/percpu.h>

#include "core.h"

/* Packets on this CPU that went the pinned way: there is nothing to do for them
 * when they leave. Every packet that concerns us sets or clears its place on the way
 * in. A driver may hand over a whole list of packets, all of which pass
 * PREROUTING before the first is sent on: 64 of them (NAPI_POLL_WEIGHT). Two
 * that share a place cost a look at the connection, no more. One whose fast way is
 * wanted has the lowest bit set.
 */
#define PINNED_SHIFT	6

struct vpnpass_pinned {
	const struct sk_buff *skb[1 << PINNED_SHIFT];
};

DECLARE_PER_CPU(struct vpnpass_pinned, vpnpass_pinned_now);

static inline u32 vpnpass_pinned_place(const struct sk_buff *skb)
{
	return hash_ptr(skb, PINNED_SHIFT);
}

/* @skb, or NULL in its place */
static inline void vpnpass_set_pinned(u32 place, const struct sk_buff *skb)
{
	this_cpu_write(vpnpass_pinned_now.skb[place], skb);
}

/* Softirqs and NAPI's threads take a packet from PREROUTING to POSTROUTING in one
 * go. One that a task gives back (nfqueue) may have come in on another CPU, and its
 * place here be that of a packet long gone: then the connection is looked at.
 */
static inline bool vpnpass_in_one_go(void)
{
	return in_serving_softirq() || current->flags & PF_KTHREAD;
}

static inline bool vpnpass_is_pinned(const struct sk_buff *skb)
{
	return this_cpu_read(vpnpass_pinned_now.skb[vpnpass_pinned_place(skb)]) == skb &&
	       vpnpass_in_one_go();
}

/* The mark in a place that the fast way of a packet is wanted. */
static inline const struct sk_buff *vpnpass_wanted(const struct sk_buff *skb)
{
	return (const struct sk_buff *)((unsigned long)skb | 1);
}

unsigned int vpnpass_ingress_v4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);
unsigned int vpnpass_ingress_v6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state);

#endif /* VPNPASS_CORE_INGRESS_H */
