// SPDX-License-Identifier: GPL-2.0
/*
 * IKEv2 exchanges that make SAs: IKE_AUTH and CREATE_CHILD_SA, asked for by
 * either side. Each side numbers its own requests (RFC 7296 section 2.2), and
 * an exchange is over with its response.
 */
#include "ike/track.h"

/*
 * The least that can carry a child SA in IKEv2 (RFC 7296 section 3): header
 * 28, SK header 4, IV 8, pad length 1, ICV 8; SA 32 (an AEAD without key
 * length, and ESN), nonce 20, two traffic selectors of 24. IKE_AUTH has no
 * nonce but an AUTH of at least 24. Refusals stay well below.
 */
#define V2_CHILD_MIN	149

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
static u32 retract(struct ike_window *w, const struct ike_msg *m)
{
	if (m->exchange == IKE_V2_CREATE_CHILD || !makes_child(m->exchange) ||
	    !w->child || m->mid != w->child_mid + 1)
		return 0;
	w->child = false;
	return IKE_EV_CHILD_RETRACT;
}

static u32 v2_request(struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m)
{
	struct ike_window *w = &st->win[dir];
	struct ike_req *r;
	u32 ev = 0;

	if (win_finished(w, m->mid))
		return 0;
	r = (struct ike_req *)win_find(w, m->mid);
	if (!r) {
		r = win_add(w, m->mid, m->exchange);
		ev = retract(w, m);
		if (makes_child(m->exchange))
			ev |= IKE_EV_BEGIN;
	} else if (r->exchange != m->exchange) {
		return 0;
	}
	note_part(&r->asked, &r->ask_total, m);
	return ev;
}

static u32 v2_finished(struct ike_sa_state *st, enum ike_dir asker,
		       const struct ike_msg *m)
{
	struct ike_window *w = &st->win[asker];
	u32 ev = 0;

	if (!makes_child(m->exchange))
		return st->adopted ? ike_sa_up(st) : 0;
	if (m->exchange != IKE_V2_FOLLOWUP_KE && m->frag_total < 2 &&
	    m->len < V2_CHILD_MIN)
		return IKE_EV_NO_CHILD | (st->adopted ? ike_sa_up(st) : 0);
	ev = ike_sa_up(st) | IKE_EV_CHILD;
	w->child = true;
	w->child_mid = m->mid;
	return ev;
}

static u32 v2_response(struct ike_sa_state *st, enum ike_dir dir,
		       const struct ike_msg *m, bool joined)
{
	struct ike_window *w = &st->win[ike_other(dir)];
	struct ike_req *r;

	if (win_finished(w, m->mid))
		return 0;
	r = (struct ike_req *)win_find(w, m->mid);
	/*
	 * Only what was asked can be answered: nothing spoofed gets here. But
	 * an answer may be the first that is seen of an SA.
	 */
	if (!r && joined)
		r = win_add(w, m->mid, m->exchange);
	if (!r || r->exchange != m->exchange)
		return 0;
	note_part(&r->told, &r->tell_total, m);
	if (!all_parts(r->told, r->tell_total))
		return 0;
	r->done = true;
	win_finish(w, m->mid);
	return v2_finished(st, ike_other(dir), m);
}

u32 ike_v2_track(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m, bool joined)
{
	if (ike_v2_first(m->exchange))
		return 0;
	if (m->response)
		return v2_response(st, dir, m, joined);
	return v2_request(st, dir, m);
}
