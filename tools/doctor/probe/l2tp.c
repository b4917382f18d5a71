// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for L2TP: a Start-Control-Connection-Request (RFC 2661 6.1), taken
 * back with a Stop-Control-Connection-Notification (6.4) when it is answered.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define HEADER_SIZE	12
#define FLAGS		0xc802	/* control message, length, sequence, version 2 (3.1) */
#define MANDATORY	0x8000

#define SCCRP		2
#define STOPCCN		4

#define AVP_TYPE	0
#define AVP_RESULT	1
#define AVP_VERSION	2
#define AVP_FRAMING	3
#define AVP_HOST	7
#define AVP_TUNNEL	9
#define AVP_WINDOW	10

/* RFC 2661 4.1: length with the header of 6 bytes, no vendor */
static uint8_t *put_avp(uint8_t *p, uint16_t type, size_t length)
{
	return put16(put16(put16(p, MANDATORY | (6 + length)), 0), type);
}

static uint16_t our_tunnel(const struct talk *talk)
{
	return get16(talk->random) | 1;
}

static uint8_t *put_header(uint8_t *p, uint16_t tunnel, uint16_t ns, uint16_t nr)
{
	p = put16(put16(p, FLAGS), 0);
	p = put16(put16(p, tunnel), 0);
	return put16(put16(p, ns), nr);
}

static size_t ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	static const char host[] = "vpnpass";
	uint8_t *p = put_header(to, 0, 0, 0);

	(void)variant;
	p = put16(put_avp(p, AVP_TYPE, 2), 1);
	p = put16(put_avp(p, AVP_VERSION, 2), 0x0100);
	p = put32(put_avp(p, AVP_FRAMING, 4), 3);
	p = put_bytes(put_avp(p, AVP_HOST, strlen(host)), host, strlen(host));
	p = put16(put_avp(p, AVP_TUNNEL, 2), our_tunnel(talk));
	p = put16(put_avp(p, AVP_WINDOW, 2), 4);
	put16(to + 2, p - to);
	return p - to;
}

/* The number in an AVP of a message, 0 when it is not there. */
static uint16_t avp(const uint8_t *data, size_t length, uint16_t type)
{
	size_t at = HEADER_SIZE, size;

	for (; at + 8 <= length; at += size) {
		size = get16(data + at) & 0x3ff;
		if (size < 6)
			break;
		if (size >= 8 && !get16(data + at + 2) && get16(data + at + 4) == type)
			return get16(data + at + 6);
	}
	return 0;
}

static bool understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	uint16_t type;

	if (length < HEADER_SIZE || get16(data) != FLAGS || get16(data + 2) < HEADER_SIZE ||
	    get16(data + 2) > length || get16(data + 4) != our_tunnel(talk))
		return false;
	length = get16(data + 2);
	type = avp(data, length, AVP_TYPE);
	if (length == HEADER_SIZE)
		snprintf(text, PROBE_TEXT, "L2TP, acknowledged");
	else if (type == SCCRP)
		snprintf(text, PROBE_TEXT, "L2TP, accepted");
	else if (type == STOPCCN)
		snprintf(text, PROBE_TEXT, "L2TP, refused with result %u",
			 avp(data, length, AVP_RESULT));
	else
		snprintf(text, PROBE_TEXT, "L2TP, message %u", type);
	return true;
}

static size_t end(uint8_t to[PROBE_SIZE], const struct talk *talk, const uint8_t *answer,
		  size_t length)
{
	uint16_t theirs = avp(answer, length, AVP_TUNNEL);
	uint8_t *p;

	if (avp(answer, length, AVP_TYPE) != SCCRP || !theirs)
		return 0;
	p = put_header(to, theirs, 1, 1);
	p = put16(put_avp(p, AVP_TYPE, 2), STOPCCN);
	p = put16(put_avp(p, AVP_TUNNEL, 2), our_tunnel(talk));
	p = put16(put_avp(p, AVP_RESULT, 2), 1);	/* end it (4.4.2) */
	put16(to + 2, p - to);
	return p - to;
}

const struct service service_l2tp = {
	.name = "l2tp",
	.l4proto = IPPROTO_UDP,
	.port = 1701,
	.any_port = true,
	.variants = 1,
	.ask = ask,
	.understand = understand,
	.end = end,
};
