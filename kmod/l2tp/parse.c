// SPDX-License-Identifier: GPL-2.0
/*
 * L2TP as a router reads it: headers of version 2 (RFC 2661) and 3 (RFC
 * 3931), and those AVPs of a control message by which IDs are assigned and
 * given up; see parse.h.
 */
#include "l2tp/parse.h"

/* AVP: flags and length, vendor, type; RFC 2661 section 4.1. */
#define AVP_HDR		6
#define AVP_MANDATORY	0x8000
#define AVP_HIDDEN	0x4000
#define AVP_RESERVED	0x3c00
#define AVP_LENGTH	0x03ff

enum {
	AVP_MESSAGE_TYPE = 0,
	AVP_TUNNEL = 9,
	AVP_CCID = 61,
	AVP_LOCAL_SESSION = 63,
	AVP_REMOTE_SESSION = 64,
};

/* The rest of a packet: @cap bytes can be read, @len belong to the message. */
struct cursor {
	const u8 *p;
	u32 cap;
	u32 len;
	u16 bits;		/* the message's first 16: L2TP_F_* */
	bool trailing;		/* the packet goes on beyond the message */
};

static enum l2tp_class bad(struct l2tp_msg *m, enum l2tp_reason reason)
{
	m->cls = L2TP_CLASS_BAD;
	m->reason = reason;
	return L2TP_CLASS_BAD;
}

/* Return: the next @n bytes, or NULL with the reason set. */
static const u8 *pull(struct l2tp_msg *m, struct cursor *c, u32 n)
{
	const u8 *p = c->p;

	if (c->len < n) {
		bad(m, c->trailing ? L2TP_BAD_LENGTH : L2TP_BAD_SHORT);
		return NULL;
	}
	if (c->cap < n) {
		bad(m, L2TP_BAD_CAPTURE);
		return NULL;
	}
	c->p += n;
	c->cap -= n;
	c->len -= n;
	return p;
}

/* Cut the packet down to its length field, of which @used bytes are gone. */
static bool trim(struct l2tp_msg *m, struct cursor *c, u32 used, u32 length)
{
	if (length < used || length - used > c->len) {
		bad(m, L2TP_BAD_LENGTH);
		return false;
	}
	c->trailing = length - used < c->len;
	c->len = length - used;
	c->cap = min(c->cap, c->len);
	return true;
}

/* Store an ID, once. A second copy may only repeat the first. */
static bool set32(struct l2tp_msg *m, u8 bit, u32 *to, u32 val)
{
	if ((m->has & bit) && *to != val) {
		bad(m, L2TP_BAD_AVP_TWICE);
		return false;
	}
	m->has |= bit;
	*to = val;
	return true;
}

static bool set_tunnel(struct l2tp_msg *m, u16 val)
{
	u32 tmp = m->assigned_tunnel;

	if (!set32(m, L2TP_HAS_TUNNEL, &tmp, val))
		return false;
	m->assigned_tunnel = val;
	return true;
}

static u8 avp_bit(u16 type)
{
	switch (type) {
	case AVP_TUNNEL:
		return L2TP_HAS_TUNNEL;
	case AVP_CCID:
		return L2TP_HAS_CCID;
	case AVP_LOCAL_SESSION:
		return L2TP_HAS_LOCAL;
	case AVP_REMOTE_SESSION:
		return L2TP_HAS_REMOTE;
	}
	return 0;
}

static bool avp_value(struct l2tp_msg *m, u8 bit, const u8 *v)
{
	switch (bit) {
	case L2TP_HAS_TUNNEL:
		return set_tunnel(m, get_unaligned_be16(v));
	case L2TP_HAS_CCID:
		return set32(m, bit, &m->assigned_ccid, get_unaligned_be32(v));
	case L2TP_HAS_LOCAL:
		return set32(m, bit, &m->local_session, get_unaligned_be32(v));
	case L2TP_HAS_REMOTE:
		return set32(m, bit, &m->remote_session, get_unaligned_be32(v));
	}
	return true;
}

/*
 * An AVP of @len bytes, of which @cap can be read (the header at least). One
 * with a reserved bit counts as unknown (RFC 2661 section 4.1).
 * Return: whether to go on.
 */
static bool read_avp(struct l2tp_msg *m, const u8 *p, u32 cap, u32 len)
{
	u16 flags = get_unaligned_be16(p);
	u16 vendor = get_unaligned_be16(p + 2);
	u16 type = get_unaligned_be16(p + 4);
	u8 bit;

	bit = vendor || (flags & AVP_RESERVED) ? 0 : avp_bit(type);
	if (!bit)
		return true;
	if (flags & AVP_HIDDEN) {
		m->hidden |= bit;
		return true;
	}
	if (len - AVP_HDR != (bit == L2TP_HAS_TUNNEL ? 2 : 4)) {
		bad(m, L2TP_BAD_AVP_LEN);
		return false;
	}
	return cap < len || avp_value(m, bit, p + AVP_HDR);
}

static bool walk(struct l2tp_msg *m, struct cursor *c)
{
	u32 len, n;

	for (n = 0; c->len && n < L2TP_MAX_AVPS; n++) {
		if (c->cap < AVP_HDR && c->len >= AVP_HDR)
			break;
		len = 0;
		if (c->len >= AVP_HDR)
			len = get_unaligned_be16(c->p) & AVP_LENGTH;
		if (len < AVP_HDR || len > c->len) {
			bad(m, L2TP_BAD_AVP_LEN);
			return false;
		}
		if (!read_avp(m, c->p, min(c->cap, len), len))
			return false;
		if (len > c->cap)
			break;
		c->p += len;
		c->cap -= len;
		c->len -= len;
	}
	return true;
}

/* The message type comes first and is never hidden, RFC 2661 section 4.4.1. */
static bool read_type(struct l2tp_msg *m, struct cursor *c)
{
	const u32 len = AVP_HDR + 2;

	if (c->len < len) {
		bad(m, L2TP_BAD_FIRST_AVP);
		return false;
	}
	if (c->cap < len) {
		bad(m, L2TP_BAD_CAPTURE);
		return false;
	}
	if ((get_unaligned_be16(c->p) & ~AVP_MANDATORY) != len ||
	    get_unaligned_be32(c->p + 2) != AVP_MESSAGE_TYPE) {
		bad(m, L2TP_BAD_FIRST_AVP);
		return false;
	}
	m->type = get_unaligned_be16(c->p + AVP_HDR);
	return true;
}

/* An ID of zero where one must be given. Elsewhere it means: none yet. */
static bool assigns_zero(const struct l2tp_msg *m)
{
	switch (m->type) {
	case L2TP_SCCRQ:
	case L2TP_SCCRP:
		return ((m->has & L2TP_HAS_TUNNEL) && !m->assigned_tunnel) ||
		       ((m->has & L2TP_HAS_CCID) && !m->assigned_ccid);
	case L2TP_ICRQ:
	case L2TP_ICRP:
	case L2TP_OCRQ:
	case L2TP_OCRP:
		return (m->has & L2TP_HAS_LOCAL) && !m->local_session;
	}
	return false;
}

static enum l2tp_class parse_body(struct l2tp_msg *m, struct cursor *c)
{
	/* A message without a body only acknowledges. */
	if (c->len && (!read_type(m, c) || !walk(m, c)))
		return L2TP_CLASS_BAD;
	if (assigns_zero(m))
		return bad(m, L2TP_BAD_AVP_VALUE);
	m->cls = L2TP_CLASS_CONTROL;
	return L2TP_CLASS_CONTROL;
}

/*
 * Both versions' control headers are 12 bytes (RFC 2661 section 3.1, RFC 3931
 * section 3.2.1); the first 2 are in @c->bits. The bits that only data may
 * have, and reserved ones, are ignored as receivers do; but O would move
 * what follows.
 */
static enum l2tp_class parse_control(struct l2tp_msg *m, struct cursor *c)
{
	const u16 must = L2TP_F_LENGTH | L2TP_F_SEQUENCE;
	const u8 *p;

	if ((c->bits & must) != must ||
	    (m->version == 2 && (c->bits & L2TP_F_OFFSET)))
		return bad(m, L2TP_BAD_FLAGS);
	p = pull(m, c, 10);
	if (!p)
		return L2TP_CLASS_BAD;
	if (m->version == 2)
		m->tunnel = get_unaligned_be16(p + 2);
	else
		m->ccid = get_unaligned_be32(p + 2);
	if (!trim(m, c, 12, get_unaligned_be16(p)))
		return L2TP_CLASS_BAD;
	return parse_body(m, c);
}

/* Optional fields of v2 data: Ns and Nr, offset size and padding. */
static bool pull_options(struct l2tp_msg *m, struct cursor *c)
{
	const u8 *p;

	if ((c->bits & L2TP_F_SEQUENCE) && !pull(m, c, 4))
		return false;
	if (!(c->bits & L2TP_F_OFFSET))
		return true;
	p = pull(m, c, 2);
	if (!p)
		return false;
	if (get_unaligned_be16(p) > c->len) {
		bad(m, L2TP_BAD_OFFSET);
		return false;
	}
	return true;
}

static enum l2tp_class parse_data_v2(struct l2tp_msg *m, struct cursor *c)
{
	const u8 *p;

	if (c->bits & L2TP_F_LENGTH) {
		p = pull(m, c, 2);
		if (!p || !trim(m, c, 4, get_unaligned_be16(p)))
			return L2TP_CLASS_BAD;
	}
	p = pull(m, c, 4);
	if (!p)
		return L2TP_CLASS_BAD;
	m->tunnel = get_unaligned_be16(p);
	if (!pull_options(m, c))
		return L2TP_CLASS_BAD;
	if (!m->tunnel)
		return bad(m, L2TP_BAD_TUNNEL);
	if (!get_unaligned_be16(p + 2))
		return bad(m, L2TP_BAD_SESSION);
	m->cls = L2TP_CLASS_DATA;
	return L2TP_CLASS_DATA;
}

/* RFC 3931 section 4.1.2.1: 16 reserved bits, then the session ID */
static enum l2tp_class parse_data_v3(struct l2tp_msg *m, struct cursor *c)
{
	const u8 *p = pull(m, c, 6);

	if (!p)
		return L2TP_CLASS_BAD;
	m->session_v3 = get_unaligned_be32(p + 2);
	if (!m->session_v3)
		return bad(m, L2TP_BAD_SESSION);
	m->cls = L2TP_CLASS_DATA;
	return L2TP_CLASS_DATA;
}

static enum l2tp_class parse_udp(struct l2tp_msg *m, struct cursor *c)
{
	const u8 *p = pull(m, c, 2);

	if (!p)
		return L2TP_CLASS_BAD;
	c->bits = get_unaligned_be16(p);
	m->version = c->bits & L2TP_F_VERSION;
	if (m->version != 2 && m->version != 3)
		return bad(m, m->version == 1 ? L2TP_BAD_L2F :
						L2TP_BAD_VERSION);
	if (c->bits & L2TP_F_CONTROL)
		return parse_control(m, c);
	if (m->version == 2)
		return parse_data_v2(m, c);
	return parse_data_v3(m, c);
}

/* RFC 3931 section 4.1.1: session 0 is the control connection */
static enum l2tp_class parse_ip(struct l2tp_msg *m, struct cursor *c)
{
	const u8 *p = pull(m, c, 4);

	if (!p)
		return L2TP_CLASS_BAD;
	m->version = 3;
	m->session_v3 = get_unaligned_be32(p);
	if (m->session_v3) {
		m->cls = L2TP_CLASS_DATA;
		return L2TP_CLASS_DATA;
	}
	p = pull(m, c, 2);
	if (!p)
		return L2TP_CLASS_BAD;
	c->bits = get_unaligned_be16(p);
	if ((c->bits & L2TP_F_VERSION) != 3)
		return bad(m, L2TP_BAD_VERSION);
	if (!(c->bits & L2TP_F_CONTROL))
		return bad(m, L2TP_BAD_FLAGS);
	return parse_control(m, c);
}

enum l2tp_class l2tp_parse(struct l2tp_msg *m, const u8 *data, u32 cap,
			   u32 plen, enum l2tp_encap encap)
{
	struct cursor c = { .p = data, .cap = min(cap, plen), .len = plen };

	memset(m, 0, sizeof(*m));
	if (!plen)
		return bad(m, L2TP_BAD_EMPTY);
	return encap == L2TP_IP ? parse_ip(m, &c) : parse_udp(m, &c);
}
