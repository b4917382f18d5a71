// SPDX-License-Identifier: GPL-2.0
/*
 * IKE as a router can read it: the header, the payloads before encryption
 * begins (ike_parse), and what the order of messages tells about an IKE SA
 * (ike_track). Called by the ike helper's kernel face; see parse.h.
 */
#include "ike/parse.h"

/* Payload types, RFC 2408 3.1, RFC 3947 3.2, RFC 7296 3.2, RFC 7383 2.5. */
enum {
	V1_SA = 1,
	V1_NOTIFY = 11,
	V1_DELETE = 12,
	V1_VENDOR = 13,
	V1_NATD = 20,
	V1_NATD_DRAFT = 130,
	V1_FRAGMENT = 132,	/* Cisco's, never standardised */
	V2_SA = 33,
	V2_NOTIFY = 41,
	V2_DELETE = 42,
	V2_SK = 46,
	V2_SKF = 53,
};

/* IKEv2 notify types, RFC 7296 section 3.10.1, RFC 7383 section 2.3. */
enum {
	N_INVALID_KE = 17,
	N_STATUS_MIN = 16384,
	N_NATD_SOURCE = 16388,
	N_NATD_DEST = 16389,
	N_COOKIE = 16390,
	N_FRAGMENTS = 16430,
};

#define PAYLOAD_HDR	4
#define FRAGMENT_HDR	8
#define PROTO_IKE	1

/*
 * The least that can carry a child SA in IKEv2 (RFC 7296 section 3): header
 * 28, SK header 4, IV 8, pad length 1, ICV 8; SA 32 (an AEAD without key
 * length, and ESN), nonce 20, two traffic selectors of 24. IKE_AUTH has no
 * nonce but an AUTH of at least 24. Refusals stay well below.
 */
#define V2_CHILD_MIN	149

/*
 * The least that can be message 1 or 2 of a quick mode (RFC 2409 section
 * 5.5): header 28, HASH 20, SA 32, nonce 12. Messages 3 and 4 usually stay
 * below.
 */
#define V1_QUICK_MIN	92

static const u8 natt_vendor[][16] = {
	/* MD5 of "RFC 3947" */
	{ 0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45,
	  0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f },
	/* MD5 of "draft-ietf-ipsec-nat-t-ike-02", and with a newline */
	{ 0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8,
	  0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4, 0x48 },
	{ 0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e,
	  0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f },
	/* MD5 of "draft-ietf-ipsec-nat-t-ike-03" */
	{ 0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f,
	  0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56 },
};

static enum ike_class bad(struct ike_msg *m, enum ike_reason reason)
{
	m->cls = IKE_CLASS_BAD;
	m->reason = reason;
	return IKE_CLASS_BAD;
}

static bool v1_phase1(u8 exchange)
{
	return exchange == IKE_V1_MAIN || exchange == IKE_V1_AGGRESSIVE ||
	       exchange == IKE_V1_BASE;
}

static bool v2_first(u8 exchange)
{
	return exchange == IKE_V2_SA_INIT || exchange == IKE_V2_RESUME;
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
	if (m->version == 1)
		return;
	if (type == N_NATD_SOURCE || type == N_NATD_DEST)
		m->natd++;
	else if (type == N_COOKIE)
		m->cookie = true;
	else if (type == N_FRAGMENTS)
		m->frag_offered = true;
}

/* Delete: RFC 7296 section 3.11; RFC 2408 section 3.15 has a DOI first. */
static void read_delete(struct ike_msg *m, const u8 *p, u32 len)
{
	u32 off = m->version == 1 ? PAYLOAD_HDR + 4 : PAYLOAD_HDR;

	if (len < off + 1)
		return;
	m->deletes |= p[off] == PROTO_IKE ? IKE_DEL_IKE : IKE_DEL_CHILD;
}

static void read_vendor(struct ike_msg *m, const u8 *p, u32 len)
{
	size_t i;

	if (len != PAYLOAD_HDR + sizeof(natt_vendor[0]))
		return;
	for (i = 0; i < ARRAY_SIZE(natt_vendor); i++)
		if (!memcmp(p + PAYLOAD_HDR, natt_vendor[i],
			    sizeof(natt_vendor[i])))
			m->natt_offered = true;
}

/* @len: the payload's bytes that were captured, at least its header. */
static void read_payload_v1(struct ike_msg *m, u8 type, const u8 *p, u32 len)
{
	switch (type) {
	case V1_SA:
		m->sa = true;
		break;
	case V1_NOTIFY:
		read_notify(m, p, len);
		break;
	case V1_DELETE:
		read_delete(m, p, len);
		break;
	case V1_VENDOR:
		read_vendor(m, p, len);
		break;
	case V1_NATD:
	case V1_NATD_DRAFT:
		m->natd++;
		break;
	}
}

static void read_payload_v2(struct ike_msg *m, u8 type, const u8 *p, u32 len)
{
	switch (type) {
	case V2_SA:
		m->sa = true;
		break;
	case V2_NOTIFY:
		read_notify(m, p, len);
		break;
	case V2_DELETE:
		read_delete(m, p, len);
		break;
	}
}

/* IKEv1: ID (16 bits), number, and 1 if it is the last. */
static enum ike_walk read_fragment_v1(struct ike_msg *m, const u8 *p)
{
	if (!p[6])
		return IKE_WALK_BAD;
	m->frag_num = p[6];
	m->frag_last = p[7] & 1;
	if (m->frag_last)
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

static bool is_fragment(const struct ike_msg *m, u8 type)
{
	return type == (m->version == 1 ? V1_FRAGMENT : V2_SKF);
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
	u8 type = m->next;
	u32 plen;

	while (type) {
		if (is_fragment(m, type)) {
			m->encrypted |= m->version == 2;
			return read_fragment(m, p, cap, len);
		}
		if (m->version == 2 && type == V2_SK)
			m->encrypted = true;
		if (m->encrypted)
			return IKE_WALK_ENCRYPTED;
		if (m->payloads == IKE_MAX_PAYLOADS)
			return IKE_WALK_LIMIT;
		if (len < PAYLOAD_HDR)
			return IKE_WALK_BAD;
		if (cap < PAYLOAD_HDR)
			return IKE_WALK_CUT;
		plen = get_unaligned_be16(p + 2);
		if (plen < PAYLOAD_HDR || plen > len)
			return IKE_WALK_BAD;
		if (m->version == 1)
			read_payload_v1(m, type, p, min(plen, cap));
		else
			read_payload_v2(m, type, p, min(plen, cap));
		m->payloads++;
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
	if (v1_phase1(m->exchange) && !m->rspi) {
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

static enum ike_reason check_v2_first(const struct ike_msg *m)
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
	if (v2_first(m->exchange))
		return check_v2_first(m);
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
	m->minor = p[17] & 15;
	m->exchange = p[18];
	m->flags = p[19];
	m->mid = get_unaligned_be32(p + 20);
	m->len = get_unaligned_be32(p + 24);
	if (m->version == 1) {
		m->encrypted = m->flags & IKE_V1_ENCRYPTED;
		m->commit = m->flags & IKE_V1_COMMIT;
	} else if (m->version == 2) {
		m->initiator = m->flags & IKE_V2_INITIATOR;
		m->response = m->flags & IKE_V2_RESPONSE;
	}
}

/* Where in the life of an IKE SA does this message stand? */
static void place(struct ike_msg *m)
{
	if (m->version == 1) {
		if (!v1_phase1(m->exchange) || m->encrypted)
			return;
		if (!m->rspi)
			m->opens = m->next == V1_SA || m->frag_num;
		else
			m->answers = m->next == V1_SA;
	} else if (v2_first(m->exchange)) {
		m->opens = !m->response;
		m->retry = m->response &&
			   (m->cookie || m->error == N_INVALID_KE);
		m->answers = m->response && m->rspi && !m->retry && !m->error;
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
	m->esp_spi = get_unaligned_be32(p);
	m->esp_seq = get_unaligned_be32(p + 4);
	if (m->esp_spi < 256)
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

/* --- the tracker --- */

static enum ike_dir other(enum ike_dir dir)
{
	return dir == IKE_DIR_OUT ? IKE_DIR_IN : IKE_DIR_OUT;
}

static u32 established(struct ike_sa_state *st)
{
	if (st->phase == IKE_SA_ESTABLISHED)
		return 0;
	st->phase = IKE_SA_ESTABLISHED;
	return IKE_EV_ESTABLISHED;
}

static u32 child_made(struct ike_sa_state *st, enum ike_dir by, u32 now)
{
	if (st->n_child < 0xffff)
		st->n_child++;
	st->child = now;
	st->child_by = by;
	return IKE_EV_CHILD;
}

/* May bring the responder's SPI, or another one for it. */
static bool brings_rspi(const struct ike_msg *m)
{
	if (m->version == 2)
		return m->answers;
	return m->rspi && !m->encrypted && v1_phase1(m->exchange) &&
	       (m->answers || m->frag_num);
}

/* An error or deletion in clear, which may come with any responder SPI. */
static bool is_clear_info(const struct ike_msg *m)
{
	return !m->encrypted && (m->exchange == IKE_V1_INFO ||
				 m->exchange == IKE_V2_INFO);
}

/* Does the message fit an SA that is under way? */
static bool fits(const struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m)
{
	bool from_opener = dir == st->opener;

	if (m->version != st->version || m->ispi != st->ispi)
		return false;
	if (m->version == 2 && v2_first(m->exchange)) {
		/* Nobody asks anew, or answers late, with another SPI. */
		if (m->initiator != from_opener)
			return false;
		return m->opens || !m->answers || !st->rspi_fixed ||
		       m->rspi == st->rspi;
	}
	if (m->opens)
		return from_opener;
	if (is_clear_info(m))
		return !m->rspi || !st->rspi_fixed || m->rspi == st->rspi;
	if (m->version == 2 &&
	    (!m->encrypted || m->initiator != from_opener))
		return false;
	if (st->rspi_fixed || !m->rspi)
		return m->rspi && m->rspi == st->rspi;
	return from_opener || brings_rspi(m) || m->rspi == st->rspi;
}

/* May an unknown SA be joined here? Encrypted, with both SPIs, is enough. */
static bool adoptable(const struct ike_msg *m)
{
	return m->encrypted && m->rspi &&
	       !(m->version == 2 && v2_first(m->exchange));
}

static u32 begin(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m, u32 now)
{
	memset(st, 0, sizeof(*st));
	st->ispi = m->ispi;
	st->version = m->version;
	st->phase = IKE_SA_HALF_OPEN;
	st->opener = dir;
	st->opened = now;
	st->seen = now;
	if (m->opens)
		return IKE_EV_OPENED;
	if (m->version == 2 && !m->initiator)
		st->opener = other(dir);
	st->rspi = m->rspi;
	st->rspi_fixed = true;
	st->adopted = true;
	return IKE_EV_ADOPTED;
}

/* What every message that fits tells. */
static u32 learn(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m, u32 now)
{
	u32 ev = 0;

	st->seen = now;
	if (m->natd)
		st->natd |= 1 << dir;
	if (m->frag_num)
		st->fragmented = true;
	if (m->natt && !st->natt) {
		st->natt = true;
		ev |= IKE_EV_NATT;
	}
	if (!m->rspi || st->rspi_fixed || is_clear_info(m))
		return ev;
	if (dir == st->opener) {
		/* Which of several answers the initiator took. */
		st->rspi = m->rspi;
		st->rspi_fixed = true;
	} else if (brings_rspi(m)) {
		st->rspi = m->rspi;
		if (!st->answered)
			ev |= IKE_EV_ANSWERED;
		st->answered = true;
	}
	return ev;
}

static u32 clear_info(struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m)
{
	u32 ev = 0;

	if (m->error && dir != st->opener)
		ev |= IKE_EV_REFUSED;
	/* Anybody can send it, so it ends nothing that is worth something. */
	if ((m->deletes & IKE_DEL_IKE) && st->phase == IKE_SA_HALF_OPEN &&
	    !st->adopted) {
		st->phase = IKE_SA_DELETED;
		ev |= IKE_EV_DELETED;
	}
	return ev;
}

/* --- IKEv2: each side numbers its own requests, RFC 7296 section 2.2 --- */

static bool makes_child(u8 exchange)
{
	return exchange == IKE_V2_AUTH || exchange == IKE_V2_CREATE_CHILD ||
	       exchange == IKE_V2_FOLLOWUP_KE;
}

/*
 * Message IDs only grow, so whatever is far below the top is finished.
 * Nothing bounds them from above: the top moves only by a request and its
 * response, from different ends, and a router may have missed any number.
 */
static bool win_finished(const struct ike_window *w, u32 mid)
{
	if (!w->any || mid > w->top)
		return false;
	return w->top - mid >= 32 || (w->done >> (w->top - mid) & 1);
}

static void win_finish(struct ike_window *w, u32 mid)
{
	u32 step;

	if (!w->any || mid > w->top) {
		step = w->any ? mid - w->top : 32;
		w->done = step < 32 ? w->done << step : 0;
		w->top = mid;
		w->any = true;
	}
	if (w->top - mid < 32)
		w->done |= 1U << (w->top - mid);
}

static const struct ike_req *win_find(const struct ike_window *w, u32 mid)
{
	size_t i;

	for (i = 0; i < IKE_REQS; i++)
		if (w->req[i].exchange && w->req[i].mid == mid)
			return &w->req[i];
	return NULL;
}

static struct ike_req *win_add(struct ike_window *w, u32 mid, u8 exchange)
{
	struct ike_req *r = NULL;
	size_t i;

	for (i = 0; i < IKE_REQS && !r; i++)
		if (!w->req[i].exchange || w->req[i].done)
			r = &w->req[i];
	if (!r) {
		r = &w->req[w->next];
		w->next = (w->next + 1) % IKE_REQS;
	}
	memset(r, 0, sizeof(*r));
	r->mid = mid;
	r->exchange = exchange;
	return r;
}

/*
 * Note one message or fragment. Beyond 32 fragments, the last bit stands for
 * all that follow. A larger total begins anew (RFC 7383 section 2.6).
 * Return: whether it was new; @seen and @total say whether all are there.
 */
static bool note_part(u32 *seen, u16 *total, const struct ike_msg *m)
{
	u32 num = m->frag_num ? m->frag_num : 1;
	u16 all = m->frag_num ? m->frag_total : 1;
	bool fresh;
	u32 bit;

	if (all < *total)
		return false;
	if (all > *total) {
		*total = all;
		*seen = 0;
	}
	bit = 1U << (min(num, 32U) - 1);
	fresh = !(*seen & bit);
	*seen |= bit;
	return fresh;
}

static bool all_parts(u32 seen, u16 total)
{
	return seen == (total < 32 ? (1U << total) - 1 : ~0U);
}

/*
 * An IKE_AUTH or IKE_FOLLOWUP_KE request next to a response that looked like
 * the last says that it was not (RFC 7296 section 2.16, RFC 9370 section
 * 2.2.4): EAP goes on, or more keys follow.
 */
static u32 retract(struct ike_sa_state *st, struct ike_window *w,
		   const struct ike_msg *m)
{
	if (m->exchange == IKE_V2_CREATE_CHILD || !makes_child(m->exchange) ||
	    !w->child || m->mid != w->child_mid + 1)
		return 0;
	w->child = false;
	if (st->n_child && st->n_child < 0xffff)
		st->n_child--;
	return IKE_EV_CHILD_RETRACT;
}

static u32 v2_request(struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m)
{
	struct ike_window *w = &st->win[dir];
	struct ike_req *r;
	u32 ev = 0;

	if (win_finished(w, m->mid))
		return IKE_EV_RETRANS;
	r = (struct ike_req *)win_find(w, m->mid);
	if (!r) {
		r = win_add(w, m->mid, m->exchange);
		ev = retract(st, w, m);
		if (makes_child(m->exchange))
			ev |= IKE_EV_BEGIN;
	} else if (r->exchange != m->exchange) {
		return 0;
	}
	if (!note_part(&r->asked, &r->ask_total, m))
		ev |= IKE_EV_RETRANS;
	return ev;
}

static u32 v2_finished(struct ike_sa_state *st, enum ike_dir asker,
		       const struct ike_msg *m, u32 now)
{
	struct ike_window *w = &st->win[asker];
	u32 ev = 0;

	if (!makes_child(m->exchange))
		return st->adopted ? established(st) : 0;
	if (m->exchange != IKE_V2_FOLLOWUP_KE && m->frag_total < 2 &&
	    m->len < V2_CHILD_MIN)
		return st->adopted ? established(st) : 0;
	ev = established(st) | child_made(st, asker, now);
	w->child = true;
	w->child_mid = m->mid;
	return ev;
}

static u32 v2_response(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m, u32 now)
{
	struct ike_window *w = &st->win[other(dir)];
	struct ike_req *r;
	bool fresh;

	if (win_finished(w, m->mid))
		return IKE_EV_RETRANS;
	r = (struct ike_req *)win_find(w, m->mid);
	/* Only what was asked can be answered: nothing spoofed gets here. */
	if (!r || r->exchange != m->exchange)
		return 0;
	fresh = note_part(&r->told, &r->tell_total, m);
	if (!all_parts(r->told, r->tell_total))
		return fresh ? 0 : IKE_EV_RETRANS;
	r->done = true;
	win_finish(w, m->mid);
	return v2_finished(st, other(dir), m, now);
}

static u32 v2_track(struct ike_sa_state *st, enum ike_dir dir,
		    const struct ike_msg *m, u32 now)
{
	if (v2_first(m->exchange)) {
		if (m->retry)
			return IKE_EV_RETRY;
		return m->response && m->error ? IKE_EV_REFUSED : 0;
	}
	if (m->response)
		return v2_response(st, dir, m, now);
	return v2_request(st, dir, m);
}

/* --- IKEv1: message IDs are random, RFC 2409 section 5.5 --- */

static const struct ike_quick *quick_find(const struct ike_phase2 *p2,
					  u32 mid)
{
	size_t i;

	for (i = 0; i < IKE_QUICKS; i++)
		if (p2->quick[i].count && p2->quick[i].mid == mid)
			return &p2->quick[i];
	return NULL;
}

static bool quick_is_done(const struct ike_phase2 *p2, u32 mid)
{
	size_t i;

	for (i = 0; i < p2->n_done; i++)
		if (p2->done[i] == mid)
			return true;
	return false;
}

static struct ike_quick *quick_add(struct ike_phase2 *p2)
{
	struct ike_quick *q = NULL;
	size_t i;

	/* Those that only wait for a fourth message count for little. */
	for (i = 0; i < IKE_QUICKS && !q; i++)
		if (!p2->quick[i].count || p2->quick[i].count > 2)
			q = &p2->quick[i];
	if (!q) {
		q = &p2->quick[p2->next];
		p2->next = (p2->next + 1) % IKE_QUICKS;
	}
	memset(q, 0, sizeof(*q));
	return q;
}

static u32 quick_done(struct ike_sa_state *st, u32 mid, enum ike_dir by,
		      u32 now)
{
	struct ike_phase2 *p2 = &st->p2;

	p2->done[p2->next_done] = mid;
	p2->next_done = (p2->next_done + 1) % IKE_QUICKS_DONE;
	if (p2->n_done < IKE_QUICKS_DONE)
		p2->n_done++;
	return established(st) | child_made(st, by, now);
}

/*
 * A quick mode whose beginning was not seen. Messages 1 and 2 travel unseen
 * in IKE fragments, which do not tell their exchange; what is too short for
 * either is the third.
 */
static u32 quick_first(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m, u32 now)
{
	struct ike_quick *q;

	if (m->len < V1_QUICK_MIN)
		return quick_done(st, m->mid, dir, now);
	q = quick_add(&st->p2);
	q->mid = m->mid;
	q->dir = dir;
	q->count = 1;
	q->len1 = m->len;
	q->commit = m->commit;
	return IKE_EV_BEGIN;
}

/*
 * The initiator's next message is the third if it is shorter than its first:
 * that had a proposal and a nonce besides the hash, this has the hash alone.
 */
static u32 quick_third(struct ike_sa_state *st, struct ike_quick *q,
		       const struct ike_msg *m, u32 now)
{
	if (q->count > 2 || m->len >= q->len1)
		return IKE_EV_RETRANS;
	if (q->count < 2 && m->len >= V1_QUICK_MIN)
		return IKE_EV_RETRANS;
	q->count = q->commit ? 3 : 0;
	return quick_done(st, m->mid, q->dir, now);
}

/* Responder's messages: the second, and with a commit bit the fourth. */
static u32 quick_even(struct ike_quick *q, const struct ike_msg *m)
{
	if (q->count == 1) {
		q->count = 2;
		q->len2 = m->len;
		return 0;
	}
	if (q->count < 3 || m->len >= q->len2)
		return IKE_EV_RETRANS;
	q->count = 0;
	return IKE_EV_CHILD_READY;
}

static u32 quick_track(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m, u32 now)
{
	struct ike_quick *q;

	q = (struct ike_quick *)quick_find(&st->p2, m->mid);
	if (!q && quick_is_done(&st->p2, m->mid))
		return IKE_EV_RETRANS;
	if (!q)
		return quick_first(st, dir, m, now);
	q->commit |= m->commit;
	if (dir == q->dir)
		return quick_third(st, q, m, now);
	return quick_even(q, m);
}

/* The fourth message may be a CONNECTED notify, RFC 2408 section 3.1. */
static u32 v1_info(struct ike_sa_state *st, enum ike_dir dir,
		   const struct ike_msg *m)
{
	struct ike_quick *q;

	q = (struct ike_quick *)quick_find(&st->p2, m->mid);
	if (!q || q->count != 3 || dir == q->dir)
		return 0;
	q->count = 0;
	return IKE_EV_CHILD_READY;
}

/*
 * Phase 1 is up when both ends have sent an encrypted message, which main
 * mode's 5 and 6 are, or by aggressive mode's third (RFC 2409 section 5). An
 * informational message may be a refusal, so it does not count, unless there
 * is nothing else to go by.
 */
static u32 v1_phase1_up(struct ike_sa_state *st, enum ike_dir dir,
			const struct ike_msg *m)
{
	if (m->exchange == IKE_V1_AGGRESSIVE && st->answered && m->rspi &&
	    dir == st->opener)
		return established(st);
	if (!m->encrypted || (m->exchange == IKE_V1_INFO && !st->adopted))
		return 0;
	st->crypt |= 1 << dir;
	return st->crypt == 3 ? established(st) : 0;
}

static u32 v1_track(struct ike_sa_state *st, enum ike_dir dir,
		    const struct ike_msg *m, u32 now)
{
	u32 ev = v1_phase1_up(st, dir, m);

	if (m->exchange == IKE_V1_QUICK)
		ev |= quick_track(st, dir, m, now);
	else if (m->exchange == IKE_V1_INFO)
		ev |= v1_info(st, dir, m);
	return ev;
}

u32 ike_track(struct ike_sa_state *st, enum ike_dir dir,
	      const struct ike_msg *m, u32 now)
{
	bool fresh = st->phase == IKE_SA_NEW || st->phase == IKE_SA_DELETED;
	bool answered = st->answered;
	u32 ev = 0;

	if (m->cls != IKE_CLASS_IKE || m->walk == IKE_WALK_BAD ||
	    (is_fragment(m, m->next) && !m->frag_num))
		return IKE_EV_FOREIGN;
	if (fresh && !m->opens &&
	    (st->phase == IKE_SA_DELETED || !adoptable(m)))
		return IKE_EV_FOREIGN;
	if (fresh)
		ev = begin(st, dir, m, now);
	else if (!fits(st, dir, m))
		return IKE_EV_FOREIGN;
	else if (m->opens)
		ev = IKE_EV_RETRANS;
	ev |= learn(st, dir, m, now);
	if (m->answers && answered)
		ev |= IKE_EV_RETRANS;
	if (is_clear_info(m))
		return ev | clear_info(st, dir, m);
	if (m->version == 1)
		return ev | v1_track(st, dir, m, now);
	return ev | v2_track(st, dir, m, now);
}

bool ike_begins_child(const struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m)
{
	if (m->cls != IKE_CLASS_IKE ||
	    (st->phase != IKE_SA_NEW && st->version != m->version))
		return false;
	if (m->version == 1)
		return m->exchange == IKE_V1_QUICK &&
		       m->len >= V1_QUICK_MIN &&
		       !quick_find(&st->p2, m->mid) &&
		       !quick_is_done(&st->p2, m->mid);
	return makes_child(m->exchange) && !m->response &&
	       !win_finished(&st->win[dir], m->mid) &&
	       !win_find(&st->win[dir], m->mid);
}
