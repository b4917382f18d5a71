/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A NAT around kmod/pptp/ctl*.c for the host: what pptp.c is in the kernel,
 * with arrays for hashes. Included by test_pptp_ctl.c and fuzz_pptp_ctl.c.
 */
#ifndef PPTP_HOST_H
#define PPTP_HOST_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../kmod/pptp/ctl_calls.h"
#include "../../kmod/pptp/ctl_ids.h"

#define HEADS 24

struct host_log {
	char *text;
	size_t len, cap;
};

/* A control connection with the NAT's view of it. */
struct host {
	struct pptp_ctl ctl;
	struct pptp_calls calls;
	struct pptp_ids *ids;
	struct list_head heads[HEADS];
	struct host_log log;
	u32 max_calls, allocated, up, echoes;
	bool no_grow;
	struct pptp_ctl_result res;
};

#define HOST_CHECK(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
		abort();						\
	}								\
} while (0)

static inline void host_note(struct host *h, const char *fmt, ...)
{
	struct host_log *log = &h->log;
	va_list ap;

	if (log->cap - log->len < 64) {
		log->cap = log->cap * 2 + 256;
		log->text = realloc(log->text, log->cap);
		HOST_CHECK(log->text);
	}
	va_start(ap, fmt);
	log->len += (size_t)vsnprintf(log->text + log->len, log->cap - log->len, fmt, ap);
	va_end(ap);
}

static inline struct pptp_call *host_alloc(void *priv)
{
	struct host *h = priv;

	if (h->allocated >= h->max_calls)
		return NULL;
	h->allocated++;
	return malloc(sizeof(struct pptp_call));
}

static inline void host_free(void *priv, struct pptp_call *call)
{
	struct host *h = priv;

	h->allocated--;
	free(call);
}

static inline int host_id_take(void *priv, u16 want, int block)
{
	return pptp_ids_take(((struct host *)priv)->ids, want, block);
}

static inline void host_id_put(void *priv, u16 id)
{
	pptp_ids_put(((struct host *)priv)->ids, id);
}

static inline u32 host_id_room(void *priv, u8 block)
{
	return pptp_ids_room(((struct host *)priv)->ids, block);
}

static inline void host_connected(void *priv, struct pptp_call *call)
{
	struct host *h = priv;

	HOST_CHECK(call->has_out);
	h->up++;
	host_note(h, "up %04x/%04x-%04x\n", call->in_id, call->nat_id, call->out_id);
}

static inline void host_ended(void *priv, struct pptp_call *call)
{
	struct host *h = priv;

	HOST_CHECK(h->up--);
	host_note(h, "end %04x/%04x-%04x\n", call->in_id, call->nat_id, call->out_id);
}

static inline void host_echo(void *priv)
{
	((struct host *)priv)->echoes++;
}

static inline void host_stop(void *priv)
{
	host_note(priv, "stop\n");
}

static const struct pptp_calls_ops host_ops = {
	.alloc = host_alloc,
	.free = host_free,
	.id_take = host_id_take,
	.id_put = host_id_put,
	.id_room = host_id_room,
	.connected = host_connected,
	.ended = host_ended,
	.echo = host_echo,
	.stop = host_stop,
};

static inline void host_init(struct host *h, struct pptp_ids *ids, u32 isn_in, u32 isn_out)
{
	memset(h, 0, sizeof(*h));
	h->ids = ids;
	h->max_calls = 65536;
	pptp_calls_init(&h->calls, &host_ops, h, h->heads, HEADS);
	pptp_ctl_init(&h->ctl, &pptp_calls_ctl_ops, &h->calls);
	pptp_ctl_syn(&h->ctl, PPTP_FROM_IN, isn_in);
	pptp_ctl_syn(&h->ctl, PPTP_FROM_OUT, isn_out);
	host_note(h, "%s", "");
}

static inline void host_done(struct host *h)
{
	int dir;

	pptp_calls_flush(&h->calls);
	HOST_CHECK(!h->allocated && !h->up && !h->calls.count);
	for (dir = 0; dir < PPTP_DIRS; dir++)
		if (h->ctl.half[dir].ring != h->ctl.half[dir].own_ring)
			free(h->ctl.half[dir].ring);
	free(h->log.text);
}

static inline u32 host_sum(const u8 *p, u32 len)
{
	u32 i, sum = 0;

	for (i = 0; i < len; i++) {
		sum += (u32)p[i] << (i & 1 ? 0 : 8);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* 0 and 0xffff are the same number in one's complement. */
static inline bool host_sum_same(u32 a, u32 b)
{
	return a % 0xffff == b % 0xffff;
}

/* The octets that the result says were changed are those that were. */
static inline void host_check_result(const struct pptp_ctl_result *res, const u8 *was,
				     const u8 *is, u32 len)
{
	u32 i, from = len, to = 0;

	for (i = 0; i < len; i++) {
		if (was[i] == is[i])
			continue;
		from = min(from, i);
		to = i + 1;
	}
	HOST_CHECK(res->to <= len && res->from <= res->to);
	HOST_CHECK(!to || (res->changed && res->from <= from && res->to >= to));
	HOST_CHECK(host_sum_same(host_sum(was, len) + res->csum, host_sum(is, len)));
}

static inline bool host_grow(struct host *h, enum pptp_dir dir)
{
	struct pptp_ctl_fix *ring, *old;
	u32 cap = h->res.want;

	if (h->no_grow)
		return false;
	HOST_CHECK(cap > h->ctl.half[dir].cap && cap <= 65536);
	ring = malloc(cap * sizeof(*ring));
	HOST_CHECK(ring);
	old = pptp_ctl_ring(&h->ctl, dir, ring, cap);
	HOST_CHECK(old != ring);
	free(old);
	return true;
}

/*
 * A segment through the NAT, in memory of exactly its size. @out (may be
 * @data) gets what is forwarded. Returns the verdict.
 */
static inline int host_segment(struct host *h, enum pptp_dir dir, u32 seq,
			       const u8 *data, u32 len, u8 *out)
{
	u8 *seg = malloc(len ? len : 1);
	int verdict;

	HOST_CHECK(seg);
	memcpy(seg, data, len);
	verdict = pptp_ctl_segment(&h->ctl, dir, seq, seg, len, &h->res);
	if (verdict == PPTP_CTL_GROW) {
		HOST_CHECK(!memcmp(seg, data, len));
		if (host_grow(h, dir))
			verdict = pptp_ctl_segment(&h->ctl, dir, seq, seg, len, &h->res);
	}
	if (verdict == PPTP_CTL_PASS) {
		host_check_result(&h->res, data, seg, len);
		memcpy(out, seg, len);
	} else {
		HOST_CHECK(!memcmp(seg, data, len));
	}
	free(seg);
	return verdict;
}

#endif
