// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: who gets a packet whose owner is not settled. The
 * best candidate, and in turn all others who still wait for something, so that
 * the owner gets its share whoever it is.
 */
#include "pair_int.h"

#define COPY_RATE	500	/* copies per second, and burst, */
#define COPY_RATE_EACH	4	/* that many more for each client */
#define COPY_CLIENTS	375	/* up to this number */
#define SILENT		2500	/* ms */
#define COPY_GAP	40	/* ms */
#define COPIES		4	/* of a packet that follows another closely, */
#define COPY_MORE	100	/* and one more for so many ms, */
#define COPIES_SELDOM	16	/* up to this number */
#define ALL_GAP		8000	/* ms; so often one goes to all who wait */
#define PLENTY		3	/* more than that */
#define LOOK		32	/* clients looked at for one to get a copy, */
#define LOOKS		8	/* and so many times when it goes to all */
#define SMALL_N		64	/* packets that all of a small group get, */
#define SMALL_GAP	8	/* and then one in so many ms */

/* The copies of one packet. */
struct copying {
	struct pair_group *g;
	struct pair_trial *t;
	struct pair_act *act;
	u32 now;
	int most;
	bool all;	/* of those who wait, not a few in turn */
};

/* A full bucket, whatever the clock shows. */
void pair_copies_init(struct pair_group *g, u32 now)
{
	g->tok_copy = COPY_RATE * 1000;
	g->tok_at = now;
}

/* Among many, half of it is kept for what is to go to all: that comes seldom. */
static bool take(const struct copying *cp)
{
	struct pair_group *g = cp->g;
	u32 rate = COPY_RATE + COPY_RATE_EACH *
		   min_t(u32, g->n_clients, COPY_CLIENTS);
	u32 ms = min_t(u32, age(cp->now, g->tok_at), 2000), keep;

	g->tok_copy = min_t(u32, g->tok_copy + ms * rate, rate * 1000);
	g->tok_at = cp->now;
	keep = cp->all || pair_is_small(g) ? 0 : rate * 500;
	if (g->tok_copy < keep + 1000) {
		g->dropped_limit++;
		return false;
	}
	g->tok_copy -= 1000;
	return true;
}

/* Adds a receiver. False when there are to be no more. */
static bool give(const struct copying *cp, struct pair_client *c, int most)
{
	struct pair_act *act = cp->act;
	struct pair_group *g = cp->g;

	if (c->given == g->n_given)
		return true;
	if (!act->to) {
		act->to = c;
	} else {
		if (act->n_copy >= most || !take(cp))
			return false;
		act->copy[act->n_copy++] = c;
		g->copies++;
	}
	c->given = g->n_given;
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

static struct list_head *turn_list(struct pair_group *g, enum pair_queue k)
{
	return k < PAIR_Q_CLAIMS ? &g->asking : &g->evid;
}

static struct list_head *after(const struct list_head *turn, const struct list_head *h)
{
	return turn->next == h ? NULL : turn->next;
}

static void turns_pass(struct pair_group *g, const struct list_head *trials,
		       const struct list_head *node)
{
	struct pair_trial *t;
	int k;

	list_for_each_entry(t, trials, node)
		for (k = 0; k < PAIR_QUEUES; k++)
			if (t->turn[k] == node)
				t->turn[k] = after(node, turn_list(g, k));
}

/* Leaves the list of those who ask or claim: whose turn it is passes on. */
void pair_turns_leave(struct pair_group *g, struct list_head *node)
{
	if (list_empty(node))
		return;
	turns_pass(g, &g->once, node);
	turns_pass(g, &g->live, node);
	list_del_init(node);
}

/*
 * The next of a kind. Every trial has its own turns, so that each client gets a
 * copy before any gets another, however many trials there are.
 */
static struct pair_client *next_turn(struct pair_group *g, struct pair_trial *t,
				     enum pair_queue k, u32 now)
{
	bool quiet = k == PAIR_Q_ASKS_SILENT || k == PAIR_Q_CLAIMS_SILENT;
	struct list_head *h = turn_list(g, k), *p;
	struct pair_client *c;
	int n;

	for (n = 0; n < LOOK && !list_empty(h); n++) {
		p = t->turn[k] ?: h->next;
		t->turn[k] = after(p, h);
		c = h == &g->asking ? list_entry(p, struct pair_client, asks) :
				      list_entry(p, struct pair_client, evid);
		if (suits(c, t, quiet, now) && (h == &g->asking || pair_expects(c, now)))
			return c;
	}
	return NULL;
}

static bool waits(const struct pair_client *c, const struct pair_trial *t)
{
	return (!list_empty(&c->asks) || !list_empty(&c->evid)) && pair_may_own(c, t);
}

/* Who still waits for something; more often one who has been silent. */
static struct pair_client *next_receiver(const struct copying *cp)
{
	struct pair_group *g = cp->g;
	struct pair_trial *t = cp->t;
	struct pair_client *c = NULL;
	int k = t->round++ % 8;

	if (t->fresh && k % 2 && k != 7)
		c = next_turn(g, t, PAIR_Q_CLAIMS_SILENT, cp->now);
	if (!c && t->fresh && k % 2)
		c = next_turn(g, t, PAIR_Q_CLAIMS, cp->now);
	if (!c && k % 4)
		c = next_turn(g, t, PAIR_Q_ASKS_SILENT, cp->now);
	if (!c)
		c = next_turn(g, t, PAIR_Q_ASKS, cp->now);
	if (!c && t->fresh)
		c = next_turn(g, t, PAIR_Q_CLAIMS, cp->now);
	return c;
}

static void give_turns(const struct copying *cp)
{
	struct pair_client *c;
	int n;

	for (n = 0; n < 2 * cp->most && cp->act->n_copy < cp->most; n++) {
		c = next_receiver(cp);
		if (!c || !give(cp, c, cp->most))
			return;
	}
}

/*
 * All of one kind, or as many as may be; the next time it goes on behind them. Most
 * of those who ask may be known not to own it: that one look found none says little.
 */
static void give_queue(const struct copying *cp, enum pair_queue k)
{
	struct pair_client *c, *first = NULL;
	int looks = LOOKS;

	do {
		c = next_turn(cp->g, cp->t, k, cp->now);
		if (c && (c == first || !give(cp, c, cp->most)))
			return;
		first = first ?: c;
	} while (c || --looks);
}

static void give_small(const struct copying *cp)
{
	bool nobody = !cp->act->to;
	struct pair_client *c;

	list_for_each_entry(c, &cp->g->clients, node)
		if ((nobody || waits(c, cp->t)) && !give(cp, c, cp->most))
			return;
}

static void give_others(const struct copying *cp)
{
	if (pair_is_small(cp->g)) {
		give_small(cp);
	} else if (cp->all) {
		if (cp->t->fresh)
			give_queue(cp, PAIR_Q_CLAIMS);
		give_queue(cp, PAIR_Q_ASKS);
	} else {
		give_turns(cp);
	}
}

/*
 * Those for whom something speaks, best first. Who has no more than a claim is in
 * the others' turns, too.
 */
static void give_cands(const struct copying *cp)
{
	int base = min(cp->most, COPIES), extra = cp->most - base;
	struct pair_trial *t = cp->t;
	int i, low, high, n;

	for (high = BITS_MAX; high >= BITS_SEEN; high = low) {
		low = 0;
		for (i = 0; i < t->nc; i++) {
			const struct pair_cand *cd = &t->cand[i];

			if (cd->score < high)
				low = max_t(int, low, cd->score);
			if (cd->score != high ||
			    (high <= BITS_SHARED && !cd->hit && t->n > 1 &&
			     (!cd->ask || extra < PLENTY)))
				continue;
			n = high > BITS_SEEN ? base / (cp->act->to ? 2 : 4) : 0;
			give(cp, cd->c, n + 3 * extra / 4);
		}
	}
}

/*
 * The more of them the longer it has not been copied: what comes seldom would take
 * minutes to come round else. Part is for those for whom something speaks. Now and
 * then all who wait get one: whoever it is for is never without for long.
 */
static void give_copies(struct pair_group *g, struct pair_trial *t, u32 now,
			struct pair_act *act)
{
	struct copying cp = {
		.g = g, .t = t, .act = act, .now = now,
		.most = min_t(u32, COPIES + age(now, t->copied) / COPY_MORE,
			      COPIES_SELDOM),
		.all = age(now, t->all) >= ALL_GAP,
	};

	if (cp.all) {
		cp.most = PAIR_COPY_MAX;
		t->all = now;
	}
	cp.most = min_t(int, cp.most, g->cfg->copies);
	t->copied = now;
	give_cands(&cp);
	give_others(&cp);
}

/* By chance somebody always has some bits after a while. */
static bool credible(const struct pair_cand *b)
{
	return b && b->score >= (b->prior ? BITS_SEEN + 1 : BITS_LINK);
}

/*
 * The surer who it is, the fewer packets of it are copied; never none. A small
 * group can afford not to bet on signs before they are enough for a pin.
 */
static bool to_others(const struct pair_group *g, const struct pair_trial *t,
		      const struct pair_cand *b, u32 now)
{
	int lead = b ? pair_lead(t, b) : 0;
	u32 gap = COPY_GAP << min(max(lead, 0) / 2, 6);

	if (g->cfg->strict)
		return false;
	if (pair_is_small(g))
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
	struct pair_cand *b = pair_best(t);

	g->n_given++;
	if (credible(b)) {
		act->to = b->c;
		b->c->given = g->n_given;
	}
	if (to_others(g, t, b, now))
		give_copies(g, t, now, act);
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
