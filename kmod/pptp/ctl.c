// SPDX-License-Identifier: GPL-2.0
/*
 * The control channel's stream: message boundaries at any segmentation, call
 * IDs rewritten and remembered by TCP sequence until acknowledged. What a
 * call ID becomes is the ops' matter.
 *
 * A message's call IDs come at octets 12 to 15, after everything that can
 * make it unreadable and before its result code. So a field is translated by
 * its number alone, and what a message means is told when all of it is here.
 */
#include "ctl.h"

#define PPTP_COOKIE	0x1a2b3c4d
#define PPTP_CONTROL	1
#define PPTP_LEN_MIN	12
#define ID_OFF		12

/* How often to wait for the other half of an undecidable call ID. */
#define WAIT_MAX	3

/* A row of RFC 2637 2.1 to 2.15. */
struct msg_desc {
	u8 len;		/* octets, with the header */
	u8 ids;		/* call IDs, from octet 12 on */
	u8 result;	/* where the result code is, 0 none */
	bool peer;	/* the only call ID is the peer's */
	u8 kind[PPTP_DIRS][2];
};

#define IN(...)		.kind[PPTP_FROM_IN] = { __VA_ARGS__ }
#define OUT(...)	.kind[PPTP_FROM_OUT] = { __VA_ARGS__ }
#define FOREIGN		PPTP_ID_FOREIGN
#define NEW		PPTP_ID_NEW
#define OWN		PPTP_ID_OWN
#define PEER		PPTP_ID_PEER
#define LOOSE		PPTP_ID_LOOSE

static const struct msg_desc descs[PPTP_MSG_TYPES] = {
	[0] = { .len = PPTP_LEN_MIN },		/* stands for unknown types */
	[PPTP_START_REQUEST] = { .len = 156 },
	[PPTP_START_REPLY] = { .len = 156, .result = 14 },
	[PPTP_STOP_REQUEST] = { .len = 16 },
	[PPTP_STOP_REPLY] = { .len = 16, .result = 12 },
	[PPTP_ECHO_REQUEST] = { .len = 16 },
	[PPTP_ECHO_REPLY] = { .len = 20, .result = 16 },
	[PPTP_OUT_CALL_REQUEST] = {
		.len = 168, .ids = 1, IN(NEW), OUT(FOREIGN) },
	[PPTP_OUT_CALL_REPLY] = {
		.len = 32, .ids = 2, .result = 16,
		IN(NEW, FOREIGN), OUT(FOREIGN, PEER) },
	[PPTP_IN_CALL_REQUEST] = {
		.len = 220, .ids = 1, IN(NEW), OUT(FOREIGN) },
	[PPTP_IN_CALL_REPLY] = {
		.len = 24, .ids = 2, .result = 16,
		IN(NEW, FOREIGN), OUT(FOREIGN, PEER) },
	[PPTP_IN_CALL_CONNECTED] = {
		.len = 28, .ids = 1, .peer = true, IN(FOREIGN), OUT(PEER) },
	/* 2.12: the PNS's own, since it may not know the peer's yet */
	[PPTP_CALL_CLEAR_REQUEST] = {
		.len = 16, .ids = 1, IN(OWN), OUT(LOOSE) },
	/* 2.13: the PAC's own */
	[PPTP_CALL_DISCONNECT_NOTIFY] = {
		.len = 148, .ids = 1, .result = 14, IN(OWN), OUT(LOOSE) },
	[PPTP_WAN_ERROR_NOTIFY] = {
		.len = 40, .ids = 1, .peer = true, IN(FOREIGN), OUT(PEER) },
	[PPTP_SET_LINK_INFO] = {
		.len = 24, .ids = 1, .peer = true, IN(FOREIGN), OUT(PEER) },
};

static const struct msg_desc *desc_of(const struct pptp_scan *s)
{
	return &descs[s->type < PPTP_MSG_TYPES ? s->type : 0];
}

enum scan_tok {
	SCAN_MORE,
	SCAN_HIGH,	/* the high octet of a call ID */
	SCAN_LOW,	/* the low octet */
	SCAN_DONE,	/* the last octet of a message */
	SCAN_BAD,
};

static enum scan_tok scan_bad(struct pptp_scan *s, enum pptp_ctl_dead why)
{
	s->bad = why;
	return SCAN_BAD;
}

/* The header's fields, each as soon as it is whole. */
static enum scan_tok scan_header(struct pptp_scan *s)
{
	switch (s->off) {
	case 2:
		s->len = get_unaligned_be16(s->head);
		if (s->len < PPTP_LEN_MIN || s->len > PPTP_CTL_MSG_MAX)
			return scan_bad(s, PPTP_DEAD_LENGTH);
		break;
	case 4:
		if (get_unaligned_be16(s->head + 2) != PPTP_CONTROL)
			return scan_bad(s, PPTP_DEAD_MSGTYPE);
		break;
	case 8:
		if (get_unaligned_be32(s->head + 4) != PPTP_COOKIE)
			return scan_bad(s, PPTP_DEAD_COOKIE);
		break;
	case 10:
		s->type = get_unaligned_be16(s->head + 8);
		if (s->len < desc_of(s)->len)
			return scan_bad(s, PPTP_DEAD_LENGTH);
		break;
	}
	return s->off >= PPTP_LEN_MIN && s->off == s->len ? SCAN_DONE : SCAN_MORE;
}

static unsigned int scan_field(const struct pptp_scan *s)
{
	return (s->off - 1 - ID_OFF) / 2;
}

/* No message with call IDs ends with one, so DONE never hides LOW. */
static enum scan_tok scan_octet(struct pptp_scan *s, u8 octet)
{
	s->head[s->off++] = octet;
	if (s->off <= ID_OFF || scan_field(s) >= desc_of(s)->ids)
		return scan_header(s);
	return (s->off - ID_OFF) & 1 ? SCAN_HIGH : SCAN_LOW;
}

/* Take one octet of what matters, or all that is here of what does not. */
static enum scan_tok scan_next(struct pptp_scan *s, const u8 *p, u32 n, u32 *used)
{
	u32 left;

	if (s->off < sizeof(s->head)) {
		*used = 1;
		return scan_octet(s, *p);
	}
	left = s->len - s->off;
	*used = min(n, left);
	s->off += *used;
	return s->off == s->len ? SCAN_DONE : SCAN_MORE;
}

static struct pptp_ctl_fix *ring_at(const struct pptp_ctl_half *h, u32 i)
{
	return &h->ring[(h->head + i) % h->cap];
}

/* pptp_ctl_segment() has seen to it that there is room. */
static struct pptp_ctl_fix *ring_push(struct pptp_ctl_half *h, u32 seq, u8 octet)
{
	struct pptp_ctl_fix *fix = ring_at(h, h->count++);

	fix->seq = seq;
	fix->octet[0] = octet;
	fix->n = 1;
	fix->loose = false;
	return fix;
}

/* Index of the first entry that ends behind @seq; they are in order. */
static u32 ring_find(const struct pptp_ctl_half *h, u32 seq)
{
	u32 lo = 0, hi = h->count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((s32)(ring_at(h, mid)->seq + 2 - seq) > 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void put_octet(struct pptp_ctl_result *res, u8 *data, u32 off, u8 val)
{
	unsigned int shift = off & 1 ? 0 : 8;
	u32 sum;

	if (data[off] == val)
		return;
	sum = res->csum + ((u32)val << shift) + (0xffff - ((u32)data[off] << shift));
	sum = (sum & 0xffff) + (sum >> 16);
	res->csum = (u16)((sum & 0xffff) + (sum >> 16));
	data[off] = val;
	if (!res->changed || off < res->from)
		res->from = off;
	if (!res->changed || off >= res->to)
		res->to = off + 1;
	res->changed = true;
}

/*
 * Octets that went by before: call IDs get what they got then, whatever the
 * sender writes now. True if there was one.
 */
static bool repeat(const struct pptp_ctl_half *h, u32 seq, u8 *data, u32 len,
		   struct pptp_ctl_result *res)
{
	bool any = false;
	u32 i, k, off;

	for (i = ring_find(h, seq); i < h->count; i++) {
		const struct pptp_ctl_fix *fix = ring_at(h, i);

		if ((s32)(fix->seq - (seq + len)) >= 0)
			break;
		for (k = 0; k < fix->n; k++) {
			off = fix->seq + k - seq;
			if (off >= len)
				continue;
			put_octet(res, data, off, fix->octet[k]);
			any = true;
		}
	}
	return any;
}

static enum pptp_id_kind kind_of(const struct pptp_scan *s, enum pptp_dir dir)
{
	return desc_of(s)->kind[dir][scan_field(s)];
}

/*
 * Look ahead: is there room to remember every call ID that begins in here,
 * and if the last is cut in half, can its half be decided?
 */
static int admit(struct pptp_ctl *ctl, enum pptp_dir dir, const u8 *p, u32 n,
		 struct pptp_ctl_result *res)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	enum scan_tok tok = SCAN_MORE;
	struct pptp_scan s = h->scan;
	enum pptp_id_kind kind;
	u32 used, fields = 0;

	for (; n && tok != SCAN_BAD; p += used, n -= used) {
		tok = scan_next(&s, p, n, &used);
		if (tok == SCAN_HIGH)
			fields++;
		else if (tok == SCAN_DONE)
			s.off = 0;
	}
	if (h->count + fields > h->cap) {
		res->want = h->count + fields;
		res->wait = fields <= h->cap;
		return PPTP_CTL_GROW;
	}
	if (tok != SCAN_HIGH)
		return PPTP_CTL_PASS;
	kind = kind_of(&s, dir);
	if (kind == PPTP_ID_FOREIGN || h->waited >= WAIT_MAX ||
	    !ctl->ops->undecided(ctl->priv, kind, s.head[s.off - 1]))
		return PPTP_CTL_PASS;
	h->waited++;
	ctl->waits++;
	return PPTP_CTL_DROP;
}

static void id_high(struct pptp_ctl *ctl, enum pptp_dir dir, u8 *data, u32 off,
		    struct pptp_ctl_result *res)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	enum pptp_id_kind kind = kind_of(&h->scan, dir);
	struct pptp_ctl_fix *fix;
	u8 octet = data[off];
	int hi = octet;

	if (kind != PPTP_ID_FOREIGN)
		hi = ctl->ops->first(ctl->priv, kind, octet);
	fix = ring_push(h, h->next - 1, hi < 0 ? octet : (u8)hi);
	fix->loose = hi < 0;
	put_octet(res, data, off, fix->octet[0]);
}

/* @held: the high octet is in this segment too and may still be changed. */
static int id_map(struct pptp_ctl *ctl, enum pptp_dir dir, u16 id,
		  const struct pptp_ctl_fix *fix, bool held)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	enum pptp_id_kind kind = kind_of(&h->scan, dir);
	int val = -1;

	if (kind == PPTP_ID_FOREIGN)
		return id;
	if (!held || !fix->loose)
		val = ctl->ops->map(ctl->priv, kind, id, fix->octet[0], &h->fresh);
	if (val < 0 && held)
		val = ctl->ops->map(ctl->priv, kind, id, -1, &h->fresh);
	return val;
}

static void id_low(struct pptp_ctl *ctl, enum pptp_dir dir, u8 *data, u32 off,
		   bool held, struct pptp_ctl_result *res)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	struct pptp_ctl_fix *fix = ring_at(h, h->count - 1);
	u16 id = get_unaligned_be16(h->scan.head + h->scan.off - 2);
	int val = id_map(ctl, dir, id, fix, held);

	if (val < 0) {
		ctl->torn++;
		val = fix->octet[0] << 8 | (id & 0xff);
	}
	fix->octet[0] = (u8)(val >> 8);
	fix->octet[1] = (u8)val;
	fix->n = 2;
	h->waited = 0;
	if (held)
		put_octet(res, data, off - 1, fix->octet[0]);
	put_octet(res, data, off, fix->octet[1]);
}

static void message(struct pptp_ctl *ctl, enum pptp_dir dir)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	const struct msg_desc *d = desc_of(&h->scan);
	const u8 *head = h->scan.head;
	struct pptp_ctl_event ev = {
		.msg = h->scan.type,
		.dir = dir,
		.result = d->result ? head[d->result] : 0,
		.fresh = h->fresh,
	};

	if (d->ids && !d->peer)
		ev.own = get_unaligned_be16(head + ID_OFF);
	if (d->peer || d->ids == 2)
		ev.peer = get_unaligned_be16(head + ID_OFF + (d->peer ? 0 : 2));
	ctl->msgs++;
	ctl->unknown += d == &descs[0];
	h->scan.off = 0;
	h->fresh = false;
	ctl->ops->event(ctl->priv, &ev);
}

/* Octets that are seen for the first time. */
static void advance(struct pptp_ctl *ctl, enum pptp_dir dir, u8 *data, u32 off,
		    u32 len, struct pptp_ctl_result *res)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	u32 used, start = off;

	for (; off < len; off += used) {
		enum scan_tok tok = scan_next(&h->scan, data + off, len - off, &used);

		h->next += used;
		switch (tok) {
		case SCAN_MORE:
			break;
		case SCAN_HIGH:
			id_high(ctl, dir, data, off, res);
			break;
		case SCAN_LOW:
			id_low(ctl, dir, data, off, off > start, res);
			break;
		case SCAN_DONE:
			message(ctl, dir);
			break;
		case SCAN_BAD:
			pptp_ctl_kill(ctl, h->scan.bad);
			res->died = true;
			return;
		}
	}
}

/**
 * pptp_ctl_segment - read a TCP segment's payload and rewrite its call IDs
 * @ctl: the connection
 * @dir: who sent it
 * @seq: sequence number of data[0] (one behind the SYN's if there is a SYN)
 * @data: the payload, contiguous and writable
 * @len: its length in octets; may be 0
 * @res: filled in
 *
 * On GROW nothing was done. The embedder may hand in a bigger ring with
 * pptp_ctl_ring() and call again; or drop the segment if @res->wait is set;
 * or pptp_ctl_kill() with PPTP_DEAD_RING and call again, which passes it.
 *
 * Context: any, serialised per connection. Return: enum pptp_ctl_verdict.
 */
int pptp_ctl_segment(struct pptp_ctl *ctl, enum pptp_dir dir, u32 seq,
		     u8 *data, u32 len, struct pptp_ctl_result *res)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	u32 behind = h->next - seq;
	int verdict;
	u32 old;

	memset(res, 0, sizeof(*res));
	if (!len)
		return PPTP_CTL_PASS;
	if ((s32)behind < 0 && !ctl->dead) {
		ctl->ahead++;
		return PPTP_CTL_DROP;
	}
	old = min(len, behind);
	if (!ctl->dead && old < len) {
		verdict = admit(ctl, dir, data + old, len - old, res);
		if (verdict != PPTP_CTL_PASS)
			return verdict;
	}
	ctl->resent += repeat(h, seq, data, old, res);
	if (!ctl->dead && old < len)
		advance(ctl, dir, data, old, len, res);
	if (ctl->dead)
		pptp_ctl_follow(ctl, dir, seq + len);
	return PPTP_CTL_PASS;
}

/**
 * pptp_ctl_ack - forget what cannot be sent again
 * @ctl: the connection
 * @dir: who sent the acknowledgment; it is the other's data
 * @ack: acknowledgment number, believed only up to what went by
 *
 * Context: as pptp_ctl_segment().
 */
void pptp_ctl_ack(struct pptp_ctl *ctl, enum pptp_dir dir, u32 ack)
{
	struct pptp_ctl_half *h = &ctl->half[dir == PPTP_FROM_IN ?
					     PPTP_FROM_OUT : PPTP_FROM_IN];

	if (!ctl->dead && (s32)(ack - h->next) > 0)
		return;
	while (h->count && (s32)(ack - (ring_at(h, 0)->seq + 2)) >= 0) {
		h->head = (h->head + 1) % h->cap;
		h->count--;
	}
}

/**
 * pptp_ctl_syn - where a direction's stream begins
 * @ctl: the connection
 * @dir: who sent the SYN or SYN-ACK
 * @isn: its sequence number
 */
void pptp_ctl_syn(struct pptp_ctl *ctl, enum pptp_dir dir, u32 isn)
{
	ctl->half[dir].next = isn + 1;
}

/**
 * pptp_ctl_kill - make the connection plain TCP for good
 * @ctl: the connection
 * @why: the reason that is kept, unless there is one
 *
 * What is in flight is still repeated as it was sent.
 */
void pptp_ctl_kill(struct pptp_ctl *ctl, enum pptp_ctl_dead why)
{
	if (!ctl->dead)
		ctl->dead = why;
}

/**
 * pptp_ctl_ring - give a direction another memory
 * @ctl: the connection
 * @dir: the direction
 * @ring: uninitialised; the embedder's, to be freed by it after the last use
 * @cap: entries in it
 *
 * Return: the ring that is no longer used, for the embedder to free; NULL if
 * that was the built-in one; @ring itself if it is too small for what is in
 * flight and was not taken.
 */
struct pptp_ctl_fix *pptp_ctl_ring(struct pptp_ctl *ctl, enum pptp_dir dir,
				   struct pptp_ctl_fix *ring, u32 cap)
{
	struct pptp_ctl_half *h = &ctl->half[dir];
	struct pptp_ctl_fix *old = h->ring;
	u32 i;

	if (!cap || cap < h->count)
		return ring;
	for (i = 0; i < h->count; i++)
		ring[i] = *ring_at(h, i);
	h->ring = ring;
	h->cap = cap;
	h->head = 0;
	return old == h->own_ring ? NULL : old;
}

/**
 * pptp_ctl_init - begin a connection
 * @ctl: uninitialised
 * @ops: where translations come from; kept
 * @priv: handed to them
 */
void pptp_ctl_init(struct pptp_ctl *ctl, const struct pptp_ctl_ops *ops,
		   void *priv)
{
	int dir;

	memset(ctl, 0, sizeof(*ctl));
	ctl->ops = ops;
	ctl->priv = priv;
	for (dir = 0; dir < PPTP_DIRS; dir++) {
		ctl->half[dir].ring = ctl->half[dir].own_ring;
		ctl->half[dir].cap = PPTP_CTL_RING;
	}
}
