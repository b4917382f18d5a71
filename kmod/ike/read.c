// SPDX-License-Identifier: GPL-2.0
/*
 * From a packet to ike/parse.c: finds the UDP payload and hands over as much
 * of it as lies in one piece. Called by ike.c and natt.c.
 */
#include <linux/udp.h>

#include "../compat/unaligned.h"
#include "ike.h"

#define IKE_COPIED	256	/* bytes read of a payload that is in pieces */

/* The first @want bytes from @off, or fewer; *@want says how many. */
static const u8 *payload(const struct sk_buff *skb, unsigned int off, u32 *want,
			 u8 *buf)
{
	u32 linear = skb_headlen(skb) > off ? skb_headlen(skb) - off : 0;

	*want = min_t(u32, *want, IKE_CAPTURE_WANTED);
	if (*want <= linear)
		return skb->data + off;
	if (linear >= IKE_COPIED) {
		*want = linear;
		return skb->data + off;
	}
	*want = min_t(u32, *want, IKE_COPIED);
	return skb_header_pointer(skb, off, *want, buf);
}

/**
 * ike_read() - read a UDP datagram as IKE or NAT-T
 * @pkt: the packet
 * @port: which of the two it is for
 * @d: filled when there is a UDP header; @d->m says what it holds
 *
 * Context: any.
 * Return: false when there is no whole UDP header, or its length is a lie.
 */
bool ike_read(const struct vpnpass_pkt *pkt, enum ike_port port,
	      struct ike_datagram *d)
{
	const struct udphdr *uh;
	struct udphdr uh_buf;
	u8 buf[IKE_COPIED];
	const u8 *data;
	u32 len, cap;

	uh = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(uh_buf), &uh_buf);
	if (!uh)
		return false;
	d->sport = ntohs(uh->source);
	d->dport = ntohs(uh->dest);
	len = ntohs(uh->len);
	if (len < sizeof(*uh) || len > pkt->skb->len - pkt->thoff)
		return false;
	len -= sizeof(*uh);
	cap = len;
	data = payload(pkt->skb, pkt->thoff + sizeof(*uh), &cap, buf);
	if (!data)
		return false;
	ike_parse(&d->m, data, cap, len, port);
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
