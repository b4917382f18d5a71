// SPDX-License-Identifier: GPL-2.0
/*
 * From a packet to its numbers: the few bytes that each data packet is told
 * by, and all of a control message for l2tp/parse.c.
 */
#include <linux/udp.h>

#include "l2tp.h"

#define COPIED	512	/* bytes read of a message that is in pieces */

/* RFC 2661 3.1: flags, a length when L is set, then the tunnel ID. RFC 3931
 * 4.1.2 has 32 bits at 4: a data message's session, or a control connection.
 */
static bool read_udp(const struct vpnpass_pkt *pkt, struct l2tp_head *h)
{
	const unsigned int udp = sizeof(struct udphdr);
	u8 buf[sizeof(struct udphdr) + 8];
	const u8 *p;
	u16 bits;

	p = skb_header_pointer(pkt->skb, pkt->thoff, udp + 6, buf);
	if (!p)
		return false;
	h->sport = get_unaligned_be16(p);
	h->dport = get_unaligned_be16(p + 2);
	bits = get_unaligned_be16(p + udp);
	h->control = bits & L2TP_F_CONTROL;
	if ((bits & L2TP_F_VERSION) == 2) {
		h->kind = L2TP_KEY_TUNNEL;
		h->id = get_unaligned_be16(p + udp + (bits & L2TP_F_LENGTH ? 4 : 2));
		return true;
	}
	if ((bits & L2TP_F_VERSION) != 3)
		return false;
	p = skb_header_pointer(pkt->skb, pkt->thoff, udp + 8, buf);
	if (!p)
		return false;
	h->kind = h->control ? L2TP_KEY_CCID : L2TP_KEY_SESSION;
	h->id = get_unaligned_be32(p + udp + 4);
	return true;
}

/* RFC 3931 4.1.1: session 0 is a control message, its connection's ID at 8. */
static bool read_ip(const struct vpnpass_pkt *pkt, struct l2tp_head *h)
{
	const u8 *p;
	u8 buf[12];

	p = skb_header_pointer(pkt->skb, pkt->thoff, 4, buf);
	if (!p)
		return false;
	h->sport = 0;
	h->dport = 0;
	h->kind = L2TP_KEY_SESSION;
	h->id = get_unaligned_be32(p);
	h->control = !h->id;
	if (!h->control)
		return true;
	p = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!p)
		return false;
	h->kind = L2TP_KEY_CCID;
	h->id = get_unaligned_be32(p + 8);
	return true;
}

/**
 * l2tp_read_head() - the numbers in a packet's first bytes
 * @pkt: the packet, or one that an ICMP error quotes
 * @h: filled
 *
 * Context: any.
 * Return: false when it is too short for them, or not L2TP.
 */
bool l2tp_read_head(const struct vpnpass_pkt *pkt, struct l2tp_head *h)
{
	return pkt->key.l4proto == IPPROTO_UDP ? read_udp(pkt, h) :
						 read_ip(pkt, h);
}

/* Length of the L2TP packet that starts at *@off; 0 when it is not whole. */
static u32 payload(const struct vpnpass_pkt *pkt, unsigned int *off)
{
	u32 len = pkt->skb->len - pkt->thoff, udp_len;
	const struct udphdr *uh;
	struct udphdr buf;

	*off = pkt->thoff;
	if (pkt->key.l4proto != IPPROTO_UDP)
		return len;
	uh = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), &buf);
	if (!uh)
		return 0;
	udp_len = ntohs(uh->len);
	if (udp_len < sizeof(*uh) || udp_len > len)
		return 0;
	*off += sizeof(*uh);
	return udp_len - sizeof(*uh);
}

/**
 * l2tp_read_message() - read a packet as L2TP
 * @pkt: the packet
 * @m: filled
 *
 * Context: any.
 * Return: whether it is L2TP.
 */
bool l2tp_read_message(const struct vpnpass_pkt *pkt, struct l2tp_msg *m)
{
	const struct sk_buff *skb = pkt->skb;
	unsigned int off;
	u8 buf[COPIED];
	const u8 *data;
	u32 len, cap;

	len = payload(pkt, &off);
	cap = min_t(u32, len, L2TP_CAPTURE_WANTED);
	if (skb_headlen(skb) >= off + cap) {
		data = skb->data + off;
	} else {
		cap = min_t(u32, cap, sizeof(buf));
		data = skb_header_pointer(skb, off, cap, buf);
	}
	if (!data)
		return false;
	return l2tp_parse(m, data, cap, len, pkt->key.l4proto == IPPROTO_UDP ?
			  L2TP_UDP : L2TP_IP) != L2TP_CLASS_BAD;
}
