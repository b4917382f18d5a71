// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of one control connection, and what their IDs become. The
 * stream (ctl.c) knows them as pptp_calls_ctl_ops.
 *
 * The high byte of a call ID may have to be forwarded before its low byte is
 * here, and no earlier answer may be taken back. So a connection translates
 * high bytes one to one: every ID that the inside has given with high byte h
 * gets a number in block f(h), whichever its low byte, and f, once chosen,
 * stays as long as the connection. f(h) is h while that block has room, so
 * a call keeps its own number when it is free. Only a connection that wants
 * more numbers of a block than other clients have left is given one from
 * elsewhere; h is then "odd": half a call ID cannot be decided (the stream
 * waits for both octets to come together), a whole one still can.
 *
 * A number that no call has is translated by its high byte alone, so that
 * the outcome does not depend on how the sender cut its segments.
 */
#include "ctl_calls.h"

#define RESULT_OK	1

static bool bit_test(const u8 *map, u8 i)
{
	return map[i / 8] & 1 << i % 8;
}

static void bit_set(u8 *map, u8 i)
{
	map[i / 8] |= (u8)(1 << i % 8);
}

static void blocks_bind(struct pptp_calls *calls, u8 in, u8 out)
{
	calls->out.to[in] = out;
	calls->in.to[out] = in;
	bit_set(calls->out.set, in);
	bit_set(calls->in.set, out);
}

/* The number's own block if it can be, else the emptiest one; -1 if all are full. */
static int blocks_choose(const struct pptp_calls *calls, u8 in)
{
	u32 block, room, most = 0;
	int best = -1;

	for (block = 0; block < 256; block++) {
		if (bit_test(calls->in.set, (u8)block))
			continue;
		room = calls->ops->id_room(calls->priv, (u8)block);
		if (room && block == in)
			return in;
		if (room > most) {
			most = room;
			best = (int)block;
		}
	}
	return best;
}

/* The number could not be had in its block. */
static void blocks_odd(struct pptp_calls *calls, u8 in, u8 out)
{
	calls->odd++;
	bit_set(calls->out.odd, in);
	bit_set(calls->in.odd, out);
}

enum { BY_IN, BY_NAT, BY_OUT };

static struct list_head *bucket(const struct pptp_calls *calls, int by, u16 id)
{
	return &calls->hash[(u32)by * calls->buckets + id % calls->buckets];
}

/**
 * pptp_call_by_in - find a call by the inside's number
 * @calls: where
 * @id: as the inside knows it
 *
 * Return: the call or NULL; valid under the connection's lock.
 */
struct pptp_call *pptp_call_by_in(const struct pptp_calls *calls, u16 id)
{
	struct pptp_call *call;

	list_for_each_entry(call, bucket(calls, BY_IN, id), by_in)
		if (call->in_id == id)
			return call;
	return NULL;
}

/**
 * pptp_call_by_nat - find a call by the inside's number
 * @calls: where
 * @id: as the outside knows it
 *
 * Return: the call or NULL; valid under the connection's lock.
 */
struct pptp_call *pptp_call_by_nat(const struct pptp_calls *calls, u16 id)
{
	struct pptp_call *call;

	list_for_each_entry(call, bucket(calls, BY_NAT, id), by_nat)
		if (call->nat_id == id)
			return call;
	return NULL;
}

/**
 * pptp_call_by_out - find a call by the outside's number
 * @calls: where
 * @id: that number
 *
 * Return: the call or NULL (the eldest, should the outside have given it
 * twice); valid under the connection's lock.
 */
struct pptp_call *pptp_call_by_out(const struct pptp_calls *calls, u16 id)
{
	struct pptp_call *call;

	list_for_each_entry(call, bucket(calls, BY_OUT, id), by_out)
		if (call->out_id == id)
			return call;
	return NULL;
}

static bool call_new(struct pptp_calls *calls, u16 id, u16 nat)
{
	struct pptp_call *call = calls->ops->alloc(calls->priv);

	if (!call)
		return false;
	call->in_id = id;
	call->nat_id = nat;
	call->out_id = 0;
	call->has_out = false;
	call->up = false;
	call->state = PPTP_CALL_REQUESTED;
	INIT_LIST_HEAD(&call->by_out);
	list_add_tail(&call->link, &calls->live);
	list_add_tail(&call->by_in, bucket(calls, BY_IN, id));
	list_add_tail(&call->by_nat, bucket(calls, BY_NAT, nat));
	calls->count++;
	return true;
}

static void call_end(struct pptp_calls *calls, struct pptp_call *call)
{
	list_del_init(&call->link);
	list_del_init(&call->by_in);
	list_del_init(&call->by_nat);
	list_del_init(&call->by_out);
	calls->count--;
	if (call->up)
		calls->ops->ended(calls->priv, call);
	calls->ops->id_put(calls->priv, call->nat_id);
	calls->ops->free(calls->priv, call);
}

static void call_out(struct pptp_calls *calls, struct pptp_call *call, u16 id)
{
	call->out_id = id;
	call->has_out = true;
	list_add_tail(&call->by_out, bucket(calls, BY_OUT, id));
	/* cleared before it was answered: now its end can be told */
	list_del_init(&call->link);
	list_add_tail(&call->link, &calls->live);
}

/* The inside's numbers stay, everything else begins anew. */
static void call_reset(struct pptp_calls *calls, struct pptp_call *call)
{
	if (call->up)
		calls->ops->ended(calls->priv, call);
	call->up = false;
	call->has_out = false;
	call->out_id = 0;
	call->state = PPTP_CALL_REQUESTED;
	list_del_init(&call->by_out);
	list_del_init(&call->link);
	list_add_tail(&call->link, &calls->live);
}

static void call_connected(struct pptp_calls *calls, struct pptp_call *call)
{
	if (call->state >= PPTP_CALL_CONNECTED || !call->has_out)
		return;
	call->state = PPTP_CALL_CONNECTED;
	call->up = true;
	calls->ops->connected(calls->priv, call);
}

/*
 * A call that is not to be gets a number that no other client has now, and
 * that leads nowhere: its own might be somebody else's.
 */
static int new_id(struct pptp_calls *calls, u16 id, int hi, bool *fresh)
{
	int nat = calls->ops->id_take(calls->priv, id, hi);

	if (nat < 0)
		return nat;
	*fresh = call_new(calls, id, (u16)nat);
	if (!*fresh) {
		calls->ops->id_put(calls->priv, (u16)nat);
		calls->refused++;
		return nat;
	}
	if (!bit_test(calls->out.set, id >> 8) ||
	    calls->out.to[id >> 8] != nat >> 8)
		blocks_odd(calls, id >> 8, (u8)(nat >> 8));
	return nat;
}

/* A number by its high byte alone. */
static int unknown_id(u16 id, int hi)
{
	return (hi < 0 ? id & 0xff00 : hi << 8) | (id & 0xff);
}

/* A known number, if it agrees with what was forwarded of it. */
static int known_id(u16 val, int hi)
{
	return hi < 0 || hi == val >> 8 ? val : -EAGAIN;
}

static int map_new(struct pptp_calls *calls, u16 id, int hi, bool *fresh)
{
	struct pptp_call *call = pptp_call_by_in(calls, id);

	if (call)
		return known_id(call->nat_id, hi);
	return new_id(calls, id, hi, fresh);
}

static int map_own(const struct pptp_calls *calls, u16 id, int hi)
{
	struct pptp_call *call = pptp_call_by_in(calls, id);

	return call ? known_id(call->nat_id, hi) : unknown_id(id, hi);
}

static int map_peer(const struct pptp_calls *calls, u16 id, int hi)
{
	struct pptp_call *call = pptp_call_by_nat(calls, id);

	return call ? known_id(call->in_id, hi) : unknown_id(id, hi);
}

/*
 * Clear and Disconnect carry the sender's own number (RFC 2637 2.12, 2.13).
 * accel-ppp, which has one call per connection, names its peer's there. That
 * is believed of an only call, if it is not the sender's own number as well.
 */
static struct pptp_call *loose(const struct pptp_calls *calls, u16 id)
{
	struct pptp_call *call = pptp_call_by_nat(calls, id);

	return call && calls->count == 1 && call->has_out &&
		call->out_id != id ? call : NULL;
}

/* The high byte, on its way unchanged, must be right. */
static int map_loose(const struct pptp_calls *calls, u16 id)
{
	struct pptp_call *call = loose(calls, id);

	return call && call->in_id >> 8 == id >> 8 ? call->in_id : id;
}

static int calls_map(void *priv, enum pptp_id_kind kind, u16 id, int hi,
		     bool *fresh)
{
	struct pptp_calls *calls = priv;

	switch (kind) {
	case PPTP_ID_NEW:
		return map_new(calls, id, hi, fresh);
	case PPTP_ID_OWN:
		return map_own(calls, id, hi);
	case PPTP_ID_PEER:
		return map_peer(calls, id, hi);
	case PPTP_ID_LOOSE:
		return map_loose(calls, id);
	default:
		return id;
	}
}

static const struct pptp_blocks *blocks_of(const struct pptp_calls *calls,
					   enum pptp_id_kind kind)
{
	switch (kind) {
	case PPTP_ID_NEW:
	case PPTP_ID_OWN:
		return &calls->out;
	case PPTP_ID_PEER:
		return &calls->in;
	default:
		return NULL;
	}
}

static bool calls_undecided(void *priv, enum pptp_id_kind kind, u8 hi)
{
	const struct pptp_blocks *blocks = blocks_of(priv, kind);
	struct pptp_calls *calls = priv;

	if (!blocks)
		return false;
	if (bit_test(blocks->odd, hi))
		return true;
	return kind == PPTP_ID_NEW && bit_test(blocks->set, hi) &&
		!calls->ops->id_room(calls->priv, blocks->to[hi]);
}

static int calls_first(void *priv, enum pptp_id_kind kind, u8 hi)
{
	const struct pptp_blocks *blocks = blocks_of(priv, kind);
	struct pptp_calls *calls = priv;
	int block;

	if (!blocks)
		return hi;
	if (bit_test(blocks->odd, hi))
		return -EAGAIN;
	if (kind == PPTP_ID_NEW && !bit_test(blocks->set, hi)) {
		block = blocks_choose(calls, hi);
		if (block < 0)
			return hi;
		blocks_bind(calls, hi, (u8)block);
	}
	return bit_test(blocks->set, hi) ? blocks->to[hi] : hi;
}

/* Asked for again, so the inside has forgotten the call of that number. */
static void on_request(struct pptp_calls *calls, const struct pptp_ctl_event *ev)
{
	struct pptp_call *call = pptp_call_by_in(calls, ev->own);

	if (call && ev->dir == PPTP_FROM_IN && !ev->fresh)
		call_reset(calls, call);
}

/* Outgoing-Call-Reply (2.8), Incoming-Call-Reply (2.10). */
static void on_reply(struct pptp_calls *calls, const struct pptp_ctl_event *ev)
{
	bool in = ev->dir == PPTP_FROM_IN;
	struct pptp_call *call;
	u16 id;

	call = in ? pptp_call_by_in(calls, ev->own) :
		pptp_call_by_nat(calls, ev->peer);
	if (!call)
		return;
	if (ev->result != RESULT_OK) {
		/* a refusal must not end a call that is up by the same number */
		if (in ? ev->fresh : !call->has_out)
			call_end(calls, call);
		return;
	}
	id = in ? ev->peer : ev->own;
	if (call->has_out && call->out_id != id)
		call_reset(calls, call);
	if (!call->has_out)
		call_out(calls, call, id);
	if (ev->msg == PPTP_OUT_CALL_REPLY)
		call_connected(calls, call);
	else if (call->state == PPTP_CALL_REQUESTED)
		call->state = PPTP_CALL_ANSWERED;
}

/* Incoming-Call-Connected (2.11). */
static void on_connected(struct pptp_calls *calls, const struct pptp_ctl_event *ev)
{
	struct pptp_call *call;

	call = ev->dir == PPTP_FROM_IN ? pptp_call_by_out(calls, ev->peer) :
		pptp_call_by_nat(calls, ev->peer);
	if (call)
		call_connected(calls, call);
}

/* The owner of the call ID in a Clear or Disconnect. */
static struct pptp_call *named(const struct pptp_calls *calls,
			       const struct pptp_ctl_event *ev)
{
	struct pptp_call *call;

	if (ev->dir == PPTP_FROM_IN)
		return pptp_call_by_in(calls, ev->own);
	call = pptp_call_by_out(calls, ev->own);
	return call ? call : loose(calls, ev->own);
}

static void on_clear(struct pptp_calls *calls, const struct pptp_ctl_event *ev)
{
	struct pptp_call *call = named(calls, ev);

	if (!call || call->state == PPTP_CALL_CLEARING)
		return;
	call->state = PPTP_CALL_CLEARING;
	if (call->has_out)
		return;
	list_del_init(&call->link);
	list_add_tail(&call->link, &calls->orphans);
}

/*
 * The PAC ends a call that was cleared before it was answered with a number
 * of its own that nobody has seen: that is the eldest of those.
 */
static void on_disconnect(struct pptp_calls *calls, const struct pptp_ctl_event *ev)
{
	struct pptp_call *call = named(calls, ev);

	if (!call && ev->dir == PPTP_FROM_OUT && !list_empty(&calls->orphans))
		call = list_first_entry(&calls->orphans, struct pptp_call, link);
	if (call)
		call_end(calls, call);
}

static void calls_event(void *priv, const struct pptp_ctl_event *ev)
{
	struct pptp_calls *calls = priv;

	switch (ev->msg) {
	case PPTP_OUT_CALL_REQUEST:
	case PPTP_IN_CALL_REQUEST:
		on_request(calls, ev);
		break;
	case PPTP_OUT_CALL_REPLY:
	case PPTP_IN_CALL_REPLY:
		on_reply(calls, ev);
		break;
	case PPTP_IN_CALL_CONNECTED:
		on_connected(calls, ev);
		break;
	case PPTP_CALL_CLEAR_REQUEST:
		on_clear(calls, ev);
		break;
	case PPTP_CALL_DISCONNECT_NOTIFY:
		on_disconnect(calls, ev);
		break;
	case PPTP_ECHO_REQUEST:
	case PPTP_ECHO_REPLY:
		calls->ops->echo(calls->priv);
		break;
	case PPTP_STOP_REQUEST:
		calls->ops->stop(calls->priv);
		break;
	case PPTP_STOP_REPLY:
		pptp_calls_flush(calls);
		break;
	}
}

const struct pptp_ctl_ops pptp_calls_ctl_ops = {
	.undecided = calls_undecided,
	.first = calls_first,
	.map = calls_map,
	.event = calls_event,
};

/**
 * pptp_calls_flush - end all calls
 * @calls: of which connection
 *
 * For when the control connection is gone. Calls may be made afterwards.
 */
void pptp_calls_flush(struct pptp_calls *calls)
{
	struct pptp_call *call, *next;

	list_for_each_entry_safe(call, next, &calls->orphans, link)
		call_end(calls, call);
	list_for_each_entry_safe(call, next, &calls->live, link)
		call_end(calls, call);
}

/**
 * pptp_calls_init - begin a connection's calls
 * @calls: uninitialised
 * @ops: the embedder; kept
 * @priv: handed to it
 * @hash: the embedder's, uninitialised, to be freed by it after the last use
 * @heads: list heads in @hash, at least 3; one in three per kind of number
 */
void pptp_calls_init(struct pptp_calls *calls, const struct pptp_calls_ops *ops,
		     void *priv, struct list_head *hash, u32 heads)
{
	u32 i;

	memset(calls, 0, sizeof(*calls));
	calls->ops = ops;
	calls->priv = priv;
	calls->hash = hash;
	calls->buckets = heads / 3;
	for (i = 0; i < calls->buckets * 3; i++)
		INIT_LIST_HEAD(&hash[i]);
	INIT_LIST_HEAD(&calls->live);
	INIT_LIST_HEAD(&calls->orphans);
}
