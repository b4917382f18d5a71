// SPDX-License-Identifier: GPL-2.0
/*
 * IKEv1: when phase 1 is up, and quick modes, which make the SAs. Their message
 * IDs are random and their messages are told apart by direction and length (RFC
 * 2409 section 5.5).
 */
#include "ike/track.h"

/*
 * The least that can be message 1 or 2 of a quick mode (RFC 2409 section
 * 5.5): header 28, HASH 20, SA 32, nonce 12. Messages 3 and 4 usually stay
 * below.
 */
#define V1_QUICK_MIN	92

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

	for (i = 0; i < IKE_QUICKS && !q; i++)
		if (!p2->quick[i].count)
			q = &p2->quick[i];
	if (!q) {
		q = &p2->quick[p2->next];
		p2->next = (p2->next + 1) % IKE_QUICKS;
	}
	memset(q, 0, sizeof(*q));
	return q;
}

static u32 quick_done(struct ike_sa_state *st, u32 mid)
{
	struct ike_phase2 *p2 = &st->p2;

	p2->done[p2->next_done] = mid;
	p2->next_done = (p2->next_done + 1) % IKE_QUICKS_DONE;
	if (p2->n_done < IKE_QUICKS_DONE)
		p2->n_done++;
	return ike_sa_up(st) | IKE_EV_CHILD;
}

/*
 * A quick mode whose beginning was not seen. Messages 1 and 2 travel unseen
 * in IKE fragments, which do not tell their exchange; what is too short for
 * either is the third.
 */
static u32 quick_first(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m)
{
	struct ike_quick *q;

	if (m->len < V1_QUICK_MIN)
		return quick_done(st, m->mid);
	q = quick_add(&st->p2);
	q->mid = m->mid;
	q->dir = dir;
	q->count = 1;
	q->len1 = m->len;
	return IKE_EV_BEGIN;
}

/*
 * The initiator's next message is the third if it is shorter than its first:
 * that had a proposal and a nonce besides the hash, this has the hash alone.
 */
static u32 quick_third(struct ike_sa_state *st, struct ike_quick *q,
		       const struct ike_msg *m)
{
	if (m->len >= q->len1)
		return 0;
	if (q->count < 2 && m->len >= V1_QUICK_MIN)
		return 0;
	q->count = 0;
	return quick_done(st, m->mid);
}

static u32 quick_track(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m)
{
	struct ike_quick *q;

	q = (struct ike_quick *)quick_find(&st->p2, m->mid);
	if (!q && quick_is_done(&st->p2, m->mid))
		return 0;
	if (!q)
		return quick_first(st, dir, m);
	if (dir == q->dir)
		return quick_third(st, q, m);
	q->count = 2;
	return 0;
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
		return ike_sa_up(st);
	if (!m->encrypted || (m->exchange == IKE_V1_INFO && !st->adopted))
		return 0;
	st->crypt |= 1 << dir;
	return st->crypt == 3 ? ike_sa_up(st) : 0;
}

u32 ike_v1_track(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m)
{
	u32 ev = v1_phase1_up(st, dir, m);

	if (m->exchange == IKE_V1_QUICK)
		ev |= quick_track(st, dir, m);
	return ev;
}
