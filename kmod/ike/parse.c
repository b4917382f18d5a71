// SPDX-License-Identifier: GPL-2.0
/*
 * IKE as a router can read it: the header, and the payloads before encryption
 * begins; see parse.h.
 */
#include "ike/parse.h"

/* Payload types, RFC 2408 3.1, RFC 7296 3.2. */
enum {
	V1_SA = 1,
	V1_NOTIFY = 11,
	V1_DELETE = 12,
	V2_NOTIFY = 41,
	V2_DELETE = 42,
	V2_SK = 46,
};

/* IKEv2 notify types, RFC 7296 section 3.10.1. */
enum {
	N_STATUS_MIN = 16384,
	N_COOKIE = 16390,
};

#define PAYLOAD_HDR	4
#define FRAGMENT_HDR	8
#define PROTO_IKE	1

static enum ike_class bad(struct ike_msg *m, enum ike_reason reason)
{
	m->cls = IKE_CLASS_BAD;
	m->reason = reason;
	return IKE_CLASS_BAD;
}

/*
 * Notify: v2 has protocol, SPI size and type after the payload header, v1 a
 * DOI of 4 bytes before them (RFC 7296 section 3.10, RFC 2408 section 3.14).
 */
static void read_notify(struct ike_msg *m, const u8 *p, u32 len)
{
	u32 off = m->version == 1 ? PAYLOAD_HDR + 6 : PAYLOAD_HDR + 2;
	u16 type;

	if (len < off + 2)
		return;
	type = get_unaligned_be16(p + off);
	if (type && type < N_STATUS_MIN && !m->error)
		m->error = type;
	if (m->version == 2 && type == N_COOKIE)
		m->cookie = true;
}

/* Delete: RFC 7296 section 3.11; RFC 2408 section 3.15 has a DOI first. */
static void read_delete(struct ike_msg *m, const u8 *p, u32 len)
{
	u32 off = m->version == 1 ? PAYLOAD_HDR + 4 : PAYLOAD_HDR;

	if (len < off + 1)
		return;
	m->deletes |= p[off] == PROTO_IKE;
}

/* @len: the payload's bytes that were captured, at least its header. */
static void read_payload(struct ike_msg *m, u8 type, const u8 *p, u32 len)
{
	if (type == (m->version == 1 ? V1_NOTIFY : V2_NOTIFY))
		read_notify(m, p, len);
	else if (type == (m->version == 1 ? V1_DELETE : V2_DELETE))
		read_delete(m, p, len);
}

/* IKEv1: ID (16 bits), number, and 1 if it is the last. */
static enum ike_walk read_fragment_v1(struct ike_msg *m, const u8 *p)
{
	if (!p[6])
		return IKE_WALK_BAD;
	m->frag_num = p[6];
	if (p[7] & 1)
		m->frag_total = m->frag_num;
	return IKE_WALK_DONE;
}

/* RFC 7383 section 2.5: number and total, both from 1. */
static enum ike_walk read_fragment_v2(struct ike_msg *m, const u8 *p)
{
	u16 num = get_unaligned_be16(p + 4);
	u16 total = get_unaligned_be16(p + 6);

	if (!num || num > total)
		return IKE_WALK_BAD;
	m->frag_num = num;
	m->frag_total = total;
	return IKE_WALK_ENCRYPTED;
}

static enum ike_walk read_fragment(struct ike_msg *m, const u8 *p, u32 cap,
				   u32 len)
{
	if (len < FRAGMENT_HDR)
		return IKE_WALK_BAD;
	if (cap < FRAGMENT_HDR)
		return IKE_WALK_CUT;
	if (m->version == 1)
		return read_fragment_v1(m, p);
	return read_fragment_v2(m, p);
}

/*
 * Walk the payloads at @p. @cap bytes of them can be read, @len exist. What
 * an encrypted IKEv1 message holds is not for us, unless it is a fragment,
 * whose numbers some senders put under the encryption flag.
 */
static enum ike_walk walk(struct ike_msg *m, const u8 *p, u32 cap, u32 len)
{
	u32 plen, payloads = 0;
	u8 type = m->next;

	while (type) {
		if (ike_is_fragment(m, type)) {
			m->encrypted |= m->version == 2;
			return read_fragment(m, p, cap, len);
		}
		if (m->version == 2 && type == V2_SK)
			m->encrypted = true;
		if (m->encrypted)
			return IKE_WALK_ENCRYPTED;
		if (payloads++ == IKE_MAX_PAYLOADS)
			return IKE_WALK_LIMIT;
		if (len < PAYLOAD_HDR)
			return IKE_WALK_BAD;
		if (cap < PAYLOAD_HDR)
			return IKE_WALK_CUT;
		plen = get_unaligned_be16(p + 2);
		if (plen < PAYLOAD_HDR || plen > len)
			return IKE_WALK_BAD;
		read_payload(m, type, p, min(plen, cap));
		if (plen > cap)
			return IKE_WALK_CUT;
		type = p[0];
		p += plen;
		cap -= plen;
		len -= plen;
	}
	return IKE_WALK_DONE;
}

static enum ike_reason check_v1(const struct ike_msg *m)
{
	if (!m->exchange ||
	    (m->exchange > IKE_V1_NEW_GROUP && m->exchange < 240))
		return IKE_BAD_EXCHANGE;
	if (ike_v1_phase1(m->exchange) && !m->rspi) {
		if (m->encrypted)
			return IKE_BAD_FLAGS;
		if (m->mid)
			return IKE_BAD_MSGID;
	}
	/* Phase 2 (RFC 2409 section 5.5) stands on a finished phase 1. */
	if (m->exchange == IKE_V1_QUICK || m->exchange == IKE_V1_CONFIG ||
	    m->exchange == IKE_V1_NEW_GROUP) {
		if (!m->rspi)
			return IKE_BAD_RSPI_ZERO;
		if (!m->encrypted)
			return IKE_BAD_FLAGS;
		if (!m->mid)
			return IKE_BAD_MSGID;
	}
	return IKE_OK;
}

static enum ike_reason check_ike_v2_first(const struct ike_msg *m)
{
	if (m->initiator == m->response)
		return IKE_BAD_FLAGS;
	if (m->initiator && m->rspi)
		return IKE_BAD_RSPI_SET;
	if (m->mid)
		return IKE_BAD_MSGID;
	return IKE_OK;
}

static enum ike_reason check_v2(const struct ike_msg *m)
{
	if (m->exchange < IKE_V2_SA_INIT)
		return IKE_BAD_EXCHANGE;
	if (ike_v2_first(m->exchange))
		return check_ike_v2_first(m);
	/*
	 * Unprotected informational messages (RFC 7296 section 1.5) may lack
	 * a responder SPI.
	 */
	if (m->exchange != IKE_V2_INFO && !m->rspi)
		return IKE_BAD_RSPI_ZERO;
	if (m->exchange == IKE_V2_AUTH) {
		if (m->initiator == m->response)
			return IKE_BAD_FLAGS;
		if (!m->mid)
			return IKE_BAD_MSGID;
	}
	return IKE_OK;
}

/* @dlen: what the length field should say */
static enum ike_reason check_header(const struct ike_msg *m, u32 dlen)
{
	if (!m->ispi)
		return IKE_BAD_ISPI;
	if (m->version != 1 && m->version != 2)
		return IKE_BAD_VERSION;
	if (m->len < IKE_HDR_LEN || m->len > dlen)
		return IKE_BAD_LENGTH;
	if (m->len < dlen)
		return IKE_BAD_TRAILING;
	return m->version == 1 ? check_v1(m) : check_v2(m);
}

/* RFC 7296 section 3.1; RFC 2408 section 3.1 lays it out alike. */
static void read_header(struct ike_msg *m, const u8 *p)
{
	m->ispi = get_unaligned_be64(p);
	m->rspi = get_unaligned_be64(p + 8);
	m->next = p[16];
	m->version = p[17] >> 4;
	m->exchange = p[18];
	m->mid = get_unaligned_be32(p + 20);
	m->len = get_unaligned_be32(p + 24);
	if (m->version == 1) {
		m->encrypted = p[19] & IKE_V1_ENCRYPTED;
	} else if (m->version == 2) {
		m->initiator = p[19] & IKE_V2_INITIATOR;
		m->response = p[19] & IKE_V2_RESPONSE;
	}
}

/* Where in the life of an IKE SA does this message stand? */
static void place(struct ike_msg *m)
{
	if (m->version == 1) {
		if (!ike_v1_phase1(m->exchange) || m->encrypted)
			return;
		m->opens = !m->rspi;
		m->answers = m->rspi && m->next == V1_SA;
	} else if (ike_v2_first(m->exchange)) {
		m->opens = !m->response;
		m->answers = m->response && m->rspi && !m->cookie && !m->error;
	}
}

static enum ike_class parse_ike(struct ike_msg *m, const u8 *p, u32 cap,
				u32 dlen)
{
	enum ike_reason reason;

	if (dlen < IKE_HDR_LEN)
		return bad(m, IKE_BAD_SHORT);
	if (cap < IKE_HDR_LEN)
		return bad(m, IKE_BAD_CAPTURE);
	read_header(m, p);
	reason = check_header(m, dlen);
	if (reason)
		return bad(m, reason);
	m->walk = walk(m, p + IKE_HDR_LEN, cap - IKE_HDR_LEN,
		       dlen - IKE_HDR_LEN);
	place(m);
	m->cls = IKE_CLASS_IKE;
	return IKE_CLASS_IKE;
}

/* RFC 3948 section 2.1, RFC 4303 section 2. */
static enum ike_class parse_esp(struct ike_msg *m, const u8 *p, u32 cap,
				u32 dlen)
{
	if (dlen < 8)
		return bad(m, IKE_BAD_SHORT);
	if (cap < 8)
		return bad(m, IKE_BAD_CAPTURE);
	if (get_unaligned_be32(p) < 256)
		return bad(m, IKE_BAD_ESP_SPI);
	m->cls = IKE_CLASS_ESP;
	return IKE_CLASS_ESP;
}

enum ike_class ike_parse(struct ike_msg *m, const u8 *data, u32 cap, u32 dlen,
			 enum ike_port port)
{
	memset(m, 0, sizeof(*m));
	if (!dlen)
		return bad(m, IKE_BAD_EMPTY);
	if (!cap)
		return bad(m, IKE_BAD_CAPTURE);
	cap = min(cap, dlen);
	if (dlen == 1 && data[0] == 0xff) {
		m->cls = IKE_CLASS_KEEPALIVE;
		return IKE_CLASS_KEEPALIVE;
	}
	if (port == IKE_PORT_500)
		return parse_ike(m, data, cap, dlen);
	if (dlen < IKE_MARKER_LEN)
		return bad(m, IKE_BAD_SHORT);
	if (cap < IKE_MARKER_LEN)
		return bad(m, IKE_BAD_CAPTURE);
	if (get_unaligned_be32(data))
		return parse_esp(m, data, cap, dlen);
	m->natt = true;
	return parse_ike(m, data + IKE_MARKER_LEN, cap - IKE_MARKER_LEN,
			 dlen - IKE_MARKER_LEN);
}
