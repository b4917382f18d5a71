/* SPDX-License-Identifier: GPL-2.0 */
/* Where a packet's L4 header is, and its addresses as a key has them. */
#ifndef VPNPASS_CORE_PACKET_H
#define VPNPASS_CORE_PACKET_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "vpnpass.h"

static inline unsigned int vpnpass_thoff_v4(const struct sk_buff *skb)
{
	return skb_network_offset(skb) + ip_hdrlen(skb);
}

static inline void vpnpass_fill_v4(struct vpnpass_pkt *pkt, const struct iphdr *iph)
{
	pkt->thoff = vpnpass_thoff_v4(pkt->skb);
	pkt->key.src.ip = iph->saddr;
	pkt->key.dst.ip = iph->daddr;
	pkt->key.l4proto = iph->protocol;
	pkt->key.family = NFPROTO_IPV4;
}

/* IP protocol and offset of an IPv6 packet's L4 header; -1 when there is none
 * to be read (a later fragment, a broken chain).
 */
static inline int vpnpass_find_v6(const struct sk_buff *skb, unsigned int *thoff)
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

static inline void vpnpass_fill_v6(struct vpnpass_pkt *pkt, u8 l4proto)
{
	pkt->key.src.in6 = ipv6_hdr(pkt->skb)->saddr;
	pkt->key.dst.in6 = ipv6_hdr(pkt->skb)->daddr;
	pkt->key.l4proto = l4proto;
	pkt->key.family = NFPROTO_IPV6;
}

#endif /* VPNPASS_CORE_PACKET_H */
