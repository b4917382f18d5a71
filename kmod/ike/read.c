// SPDX-License-Identifier: GPL-2.0
/*
 * From a packet to ike/parse.c: finds the UDP payload and hands over as much
 * of it as lies in one piece.
 */
#include <linux/udp.h>
#include <linux/unaligned.h>

#include "ike.h"

#define IKE_COPIED	256	/* bytes read of a payload that is in pieces */

/* Apart, so that the buffer is not there (and zeroed) for most packets. */
static noinline void parse_pieces(const struct sk_buff *skb, unsigned int off,
				  u32 len, enum ike_port port, struct ike_msg *m)
{
	u32 cap = min_t(u32, len, IKE_COPIED);
	u8 buf[IKE_COPIED];
	const u8 *data;

	data = skb_header_pointer(skb, off, cap, buf);
	ike_parse(m, data, data ? cap : 0, len, port);
}

static void parse(const struct sk_buff *skb, unsigned int off, u32 len,
		  enum ike_port port, struct ike_msg *m)
{
	u32 cap = min_t(u32, len, IKE_CAPTURE_WANTED);
	u32 linear = skb_headlen(skb) > off ? skb_headlen(skb) - off : 0;

	if (linear < cap && linear < IKE_COPIED)
		parse_pieces(skb, off, len, port, m);
	else
		ike_parse(m, skb->data + off, min(cap, linear), len, port);
}

/**
 * ike_read_message() - read a UDP datagram as IKE or NAT-T
 * @pkt: the packet
 * @port: which of the two it is for
 * @d: filled when there is a UDP header; @d->m says what it holds
 *
 * Context: any.
 * Return: false when there is no whole UDP header, or its length is a lie.
 */
bool ike_read_message(const struct vpnpass_pkt *pkt, enum ike_port port,
		      struct ike_datagram *d)
{
	const struct udphdr *uh;
	struct udphdr buf;
	u32 len;

	uh = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), &buf);
	if (!uh)
		return false;
	d->sport = ntohs(uh->source);
	d->dport = ntohs(uh->dest);
	len = ntohs(uh->len);
	if (len < sizeof(*uh) || len > pkt->skb->len - pkt->thoff)
		return false;
	parse(pkt->skb, pkt->thoff + sizeof(*uh), len - sizeof(*uh), port, &d->m);
	return true;
}

/* A packet that ends before the message ID does: zeroes stand for what is missing. */
static noinline const u8 *read_short(const struct vpnpass_pkt *pkt, u8 *buf, int len)
{
	int there = pkt->skb->len - pkt->thoff;

	memset(buf, 0, len);
	if (there < (int)sizeof(struct udphdr) ||
	    skb_copy_bits(pkt->skb, pkt->thoff, buf, min(there, len)))
		return NULL;
	return buf;
}

/**
 * ike_read_head() - what it takes to find a message's pin
 * @pkt: the packet
 * @p: filled; SPIs that are not there are 0
 *
 * Return: whether there is a UDP header.
 */
bool ike_read_head(const struct vpnpass_pkt *pkt, struct ike_head *p)
{
	u8 buf[sizeof(struct udphdr) + 24];
	const u8 *h;
	u32 len;

	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!h)
		h = read_short(pkt, buf, sizeof(buf));
	if (!h)
		return false;
	p->sport = get_unaligned_be16(h);
	p->dport = get_unaligned_be16(h + 2);
	len = get_unaligned_be16(h + 4);
	p->valid = len >= sizeof(struct udphdr) && len <= pkt->skb->len - pkt->thoff;
	h += sizeof(struct udphdr);
	p->ispi = get_unaligned_be64(h);
	p->rspi = get_unaligned_be64(h + 8);
	p->next = h[16];
	p->version = h[17] >> 4;
	p->exchange = h[18];
	p->flags = h[19];
	p->mid = get_unaligned_be32(h + 20);
	return true;
}

/**
 * ike_read_quote() - the initiator's SPI of a message that an ICMP error quotes
 * @pkt: the quote, from port 500 to port 500
 *
 * Return: the SPI, or 0 when the quote ends before it.
 */
u64 ike_read_quote(const struct vpnpass_pkt *pkt)
{
	u8 buf[8];
	const u8 *p;

	p = skb_header_pointer(pkt->skb, pkt->thoff + sizeof(struct udphdr),
			       sizeof(buf), buf);
	return p ? get_unaligned_be64(p) : 0;
}
