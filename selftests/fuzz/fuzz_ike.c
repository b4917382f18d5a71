// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target for kmod/ike/parse.c and track.c: datagrams are parsed at every way of
 * cutting them short, and given to a tracker in a row.
 *
 * An input is a row of datagrams, each behind three bytes: flags (bit 0 port
 * 4500, bit 1 inbound, bit 2 cut the capture at IKE_CAPTURE_MIN, bit 3 a new
 * SA) and the length, big endian.
 */
#include "ike/track.h"
#include "fuzz.h"

#define FLAG_4500	1
#define FLAG_IN		2
#define FLAG_CUT	4
#define FLAG_NEW	8

static void parse(struct ike_msg *m, const u8 *p, u32 cap, u32 len,
		  enum ike_port port)
{
	cap = cap < len ? cap : len;
	memset(m, 0xa5, sizeof(*m));
	MUST(ike_parse(m, at_heap_end(p, cap), cap, len, port) == m->cls);
}

static void check_bad(const struct ike_msg *m)
{
	MUST(m->reason > IKE_OK && m->reason < IKE_BAD_MAX);
	MUST(!m->opens && !m->answers);
}

static void check_ike(const struct ike_msg *m, u32 len)
{
	MUST(m->ispi);
	MUST(m->len == len - (m->natt ? IKE_MARKER_LEN : 0));
	MUST(m->version == 1 || m->version == 2);
	MUST(!m->opens || !m->rspi);
	MUST(!m->answers || m->rspi);
	MUST(m->opens + m->answers <= 1);
	MUST(m->walk <= IKE_WALK_BAD);
	MUST(!m->frag_total || m->frag_num <= m->frag_total);
	if (m->version == 2)
		MUST(!m->frag_num == !m->frag_total);
}

static void check(const struct ike_msg *m, u32 len, enum ike_port port)
{
	if (m->cls == IKE_CLASS_BAD) {
		check_bad(m);
		return;
	}
	MUST(m->reason == IKE_OK);
	if (m->cls == IKE_CLASS_IKE)
		check_ike(m, len);
	else if (m->cls == IKE_CLASS_ESP)
		MUST(port == IKE_PORT_4500 && len >= 8);
	else
		MUST(m->cls == IKE_CLASS_KEEPALIVE && len == 1);
	if (port == IKE_PORT_500)
		MUST(!m->natt);
}

/* Capturing less may hide things but must not change them. */
static void check_cut(const struct ike_msg *full, const struct ike_msg *cut)
{
	if (cut->cls == IKE_CLASS_BAD && cut->reason == IKE_BAD_CAPTURE)
		return;
	MUST(cut->cls == full->cls && cut->reason == full->reason);
	MUST(cut->ispi == full->ispi && cut->rspi == full->rspi);
	MUST(cut->mid == full->mid && cut->len == full->len);
	MUST(cut->walk == full->walk || cut->walk == IKE_WALK_CUT);
	MUST(cut->deletes <= full->deletes);
	MUST(!cut->frag_num || cut->frag_num == full->frag_num);
	MUST(cut->encrypted <= full->encrypted);
}

static void check_state(const struct ike_sa_state *st)
{
	int i, j;

	MUST(st->phase <= IKE_SA_DELETED);
	MUST(st->opener <= 1);
	if (st->phase == IKE_SA_NEW)
		return;
	MUST(st->ispi);
	MUST(!st->rspi_fixed || st->rspi);
	if (st->version == 1) {
		MUST(st->p2.n_done <= IKE_QUICKS_DONE);
		MUST(st->p2.next_done < IKE_QUICKS_DONE);
		MUST(st->p2.next < IKE_QUICKS);
		for (i = 0; i < IKE_QUICKS; i++)
			MUST(st->p2.quick[i].count <= 3);
		return;
	}
	for (i = 0; i < 2; i++) {
		MUST(st->win[i].next < IKE_REQS);
		for (j = 0; j < IKE_REQS; j++)
			MUST(!st->win[i].req[j].told ||
			     st->win[i].req[j].asked || st->adopted);
	}
}

/*
 * Events that a repeated message must not bring. A fragment may complete a message
 * only once, too.
 */
#define ONCE (IKE_EV_ESTABLISHED |						\
	      IKE_EV_NATT | IKE_EV_BEGIN | IKE_EV_CHILD |		\
	      IKE_EV_CHILD_RETRACT | IKE_EV_ADOPTED)

static void track(struct ike_sa_state *st, enum ike_dir dir,
		  const struct ike_msg *m)
{
	struct ike_sa_state old = *st;
	u32 ev;

	ev = ike_track_message(st, dir, m);
	check_state(st);
	if (ev & IKE_EV_FOREIGN) {
		MUST(ev == IKE_EV_FOREIGN);
		MUST(!memcmp(st, &old, sizeof(old)));
		return;
	}
	MUST(st->ispi == m->ispi && st->version == m->version);
	MUST(!(ev & IKE_EV_CHILD) ||
	     st->phase == IKE_SA_ESTABLISHED);
	MUST(old.phase != IKE_SA_ESTABLISHED ||
	     st->phase == IKE_SA_ESTABLISHED);
	if (ev & IKE_EV_DELETED)
		return;
	old = *st;
	ev = ike_track_message(st, dir, m);
	MUST(!(ev & ONCE));
	MUST(st->rspi == old.rspi);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct ike_sa_state st;
	struct ike_msg m, cut;
	enum ike_port port;
	u32 len, cap;
	u8 flags;

	memset(&st, 0, sizeof(st));
	while (size > 3) {
		flags = data[0];
		len = get_unaligned_be16(data + 1);
		data += 3;
		size -= 3;
		if (len > size)
			len = (u32)size;
		port = flags & FLAG_4500 ? IKE_PORT_4500 : IKE_PORT_500;
		parse(&m, data, len, len, port);
		check(&m, len, port);
		for (cap = 0; cap < len && cap < 96; cap++) {
			parse(&cut, data, cap, len, port);
			check_cut(&m, &cut);
		}
		if (flags & FLAG_CUT)
			parse(&m, data, IKE_CAPTURE_MIN, len, port);
		if (flags & FLAG_NEW)
			memset(&st, 0, sizeof(st));
		track(&st, flags & FLAG_IN ? IKE_DIR_IN : IKE_DIR_OUT, &m);
		data += len;
		size -= len;
	}
	return 0;
}
