/* SPDX-License-Identifier: GPL-2.0 */
/* Watched ports, in line for the packet path (ingress.c); watch.c has the rest. */
#ifndef VPNPASS_CORE_WATCH_H
#define VPNPASS_CORE_WATCH_H

#include "vpnpass.h"

#define WATCH_PORT_BITS	13	/* a watch costs one of 8,192 ports a search */
#define WATCH_BUCKETS	64

/**
 * struct vpnpass_watches - what a netns watches; made by its first watch
 * @ports: by the low bits of a port as it is in the packet
 * @bucket: struct watch, by fewer of these; RCU, changed under vpnpass_net.lock
 * @n: how many, likewise
 */
struct vpnpass_watches {
	DECLARE_BITMAP(ports, 1 << WATCH_PORT_BITS);
	struct hlist_head bucket[WATCH_BUCKETS];
	u32 n;
};

static inline u32 vpnpass_watch_bit(__be16 port)
{
	return (__force u16)port & ((1 << WATCH_PORT_BITS) - 1);
}

static inline bool vpnpass_watch_may_have(const struct vpnpass_watches *w, __be16 port)
{
	return unlikely(test_bit(vpnpass_watch_bit(port), w->ports));
}

u8 vpnpass_ports_slot(const struct vpnpass_net *vn, const struct sk_buff *skb, u8 pf,
		      unsigned int thoff, u8 l4proto);
void vpnpass_watches_exit(struct vpnpass_net *vn);

#endif /* VPNPASS_CORE_WATCH_H */
