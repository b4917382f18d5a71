// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: who gets a packet whose owner is not settled. The
 * best candidate, and in turn all others who still wait for something, so that
 * the owner gets its share whoever it is.
 */
#include "pair_int.h"

#define COPY_RATE	500	/* per second */
#define COPY_BURST	500
#define SILENT		2500	/* ms */
#define COPY_GAP	40	/* ms */
#define LOOK		8	/* clients looked at for one to get a copy */
#define SMALL_N		64	/* packets that all of a small group get, */
#define SMALL_GAP	8	/* and then one in so many ms */

static bool take(struct pair_group *g, u32 now)
{
	u32 ms = min_t(u32, age(now, g->tok_at), 2000);

	g->tok_copy = min_t(u32, g->tok_copy + ms * COPY_RATE,
			    COPY_BURST * 1000);
	g->tok_at = now;
	if (g->tok_copy < 1000) {
		g->dropped_limit++;
		return false;
	}
	g->tok_copy -= 1000;
	return true;
}

/* Adds a receiver. False when there are to be no more. */
static bool give(struct pair_group *g, struct pair_act *act,
		 struct pair_client *c, u32 now, int most)
{
	int i;

	for (i = 0; i < act->n_copy; i++)
		if (act->copy[i] == c)
			return true;
	if (act->to == c)
		return true;
	if (!act->to) {
		act->to = c;
		return true;
	}
	if (act->n_copy >= most || !take(g, now))
		return false;
	act->copy[act->n_copy++] = c;
	g->copies++;
	return true;
}

/* Has asked and then been silent: who only receives is like that. */
static bool silent(const struct pair_client *c, u32 now)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (pair_asks(&c->out[i]) && age(now, c->out[i].sent) >= SILENT)
			return true;
	return false;
}

static bool suits(const struct pair_client *c, const struct pair_trial *t,
		  bool quiet, u32 now)
{
	return pair_may_own(c, t) && (!quiet || silent(c, now));
}

/* The first of a list that may be meant, which then goes to the end. */
static struct pair_client *next_of(struct list_head *h,
				   const struct pair_trial *t, bool quiet,
				   u32 now)
{
	struct pair_client *c;
	int n;

	for (n = 0; n < LOOK && !list_empty(h); n++) {
		c = list_first_entry(h, struct pair_client, pend);
		list_del_init(&c->pend);
		list_add_tail(&c->pend, h);
		if (suits(c, t, quiet, now))
			return c;
	}
	return NULL;
}

/* The next of those whom IKE lets expect something; their order stays. */
static struct pair_client *next_claim(struct pair_group *g,
				      const struct pair_trial *t, bool quiet,
				      u32 now)
{
	struct pair_client *c;
	int n;

	for (n = 0; n < LOOK && !list_empty(&g->evid); n++) {
		if (g->evid_turn == &g->evid)
			g->evid_turn = g->evid.next;
		c = list_entry(g->evid_turn, struct pair_client, evid);
		g->evid_turn = c->evid.next;
		if (pair_expects(c, now) && suits(c, t, quiet, now))
			return c;
	}
	return NULL;
}

static bool waits(const struct pair_client *c, const struct pair_trial *t)
{
	return (c->where || !list_empty(&c->evid)) && pair_may_own(c, t);
}

/* Those who still wait for something, the list that has more to say first. */
static void give_others(struct pair_group *g, struct pair_trial *t, u32 now,
			int most, struct pair_act *act)
{
	bool nobody = !act->to;
	struct pair_client *c;
	int n, k;

	if (pair_is_small(g)) {
		list_for_each_entry(c, &g->clients, node)
			if ((nobody || waits(c, t)) && !give(g, act, c, now, most))
				return;
		return;
	}
	for (n = 0; n < 2 * PAIR_COPY_MAX && act->n_copy < most; n++) {
		k = t->round++ % 8;
		c = NULL;
		if (t->fresh && k % 2)
			c = next_claim(g, t, k != 7, now);
		if (!c && t->fresh && k % 2)
			c = next_claim(g, t, false, now);
		if (!c && k == 0)
			c = next_of(&g->taken, t, false, now);
		if (!c && k % 4)
			c = next_of(&g->open, t, true, now);
		if (!c && k % 4)
			c = next_of(&g->vain, t, true, now);
		if (!c)
			c = next_of(&g->open, t, false, now);
		if (!c)
			c = next_of(&g->vain, t, false, now);
		if (!c)
			c = next_of(&g->taken, t, false, now);
		if (!c || !give(g, act, c, now, most))
			return;
	}
}

/* By chance somebody always has some bits after a while. */
static bool credible(const struct pair_cand *b)
{
	return b && b->score >= (b->prior ? BITS_SEEN + 1 : BITS_LINK);
}

/*
 * The surer who it is, the fewer packets of it are copied; never none. A small
 * group can afford not to bet on the first signs.
 */
static bool to_others(const struct pair_group *g, const struct pair_trial *t,
		      const struct pair_cand *b, u32 now)
{
	int lead = b ? pair_lead(t, b) : 0;
	u32 gap = COPY_GAP << min(max(lead, 0) / 2, 6);

	if (g->cfg->strict)
		return false;
	if (pair_is_small(g) && lead < BITS_AGREED)
		gap = t->n <= SMALL_N ? 0 : SMALL_GAP;
	return !credible(b) || age(now, t->copied) >= gap;
}

/* Who gets it after a silence, and may react. */
static void note_got(const struct pair_trial *t, u32 now, struct pair_act *act)
{
	int i;

	for (i = -1; i < act->n_copy; i++) {
		struct pair_client *c = i < 0 ? act->to : act->copy[i];

		if (!c)
			continue;
		c->got = t->spi;
		c->got_at = now;
	}
}

void pair_deliver(struct pair_group *g, struct pair_trial *t, u32 now,
		  struct pair_act *act)
{
	int i, low, high, most = min_t(int, g->cfg->copies, PAIR_COPY_MAX);
	struct pair_cand *b = pair_best(t);

	if (credible(b))
		act->to = b->c;
	if (to_others(g, t, b, now)) {
		t->copied = now;
		/* Who has no more than a claim is in the others' turns, too. */
		for (high = BITS_MAX; high > BITS_SEEN; high = low) {
			for (i = 0, low = 0; i < t->nc; i++) {
				if (t->cand[i].score < high)
					low = max_t(int, low, t->cand[i].score);
				if (t->cand[i].score == high &&
				    (high > BITS_SHARED || t->cand[i].hit || t->n == 1))
					give(g, act, t->cand[i].c, now,
					     most / (act->to ? 2 : 4));
			}
		}
		give_others(g, t, now, most, act);
	}
	act->verdict = act->to ? PAIR_DELIVER : PAIR_DROP;
	if (t->alone == now)
		note_got(t, now, act);
	if (!act->to) {
		g->unknown++;
	} else if (g->cfg->strict && (b->score < BITS_STRICT ||
				      pair_lead(t, b) < BITS_TURN)) {
		act->verdict = PAIR_DROP;
		act->to = NULL;
		act->n_copy = 0;
		g->dropped_strict++;
	}
}
