// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: which client an inbound SPI belongs to. Called by
 * the helper's kernel face, see pair.h for what it may rely on.
 *
 * Prevention: clients that know no inbound SPI yet start one at a time, so an
 * answer has one possible owner. Everything else (rekeys, a gateway that
 * sends first, late answers, state lost by the router) becomes a trial: the
 * SPI, the few clients it may belong to, and a score for each. Packets go to
 * all of them until one leads clearly.
 */
#include "pair.h"

#ifndef __KERNEL__
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#endif

/*
 * A new SA counts from 1 (RFC 4303 2.2). Its first packets may be lost on
 * the way here, hardly more of them than this.
 */
#define SEQ_FRESH	64
/* *last may lag by a tick (10 ms at HZ=100), and paths reorder a little. */
#define SLACK		12
/* A host answers what it received within this, delayed ACKs apart. */
#define REACT		12
#define CONSIDER	8	/* list entries looked at per event */
#define SCAN		256	/* clients looked at by one search */
#define TRIES		3	/* unanswered starts before it is one-way */
#define RECENT		5000	/* a silence longer than this tells nothing */
#define TRIALS_MAX	128

#define COPY_RATE	500	/* per second */
#define COPY_BURST	500
#define SCAN_RATE	50
#define SCAN_BURST	50

enum {
	SCORE_EVIDENCE	= 7,	/* IKE has just made an SA for it */
	SCORE_ASKED	= 4,	/* sends on a new SPI, time for an answer */
	SCORE_FOLLOWED	= 3,	/* sent on a new SPI soon after the arrival */
	SCORE_MAYBE	= 1,
	SCORE_GUESS	= 0,
	SCORE_UNSEEN	= 1,	/* of whoever was not thought of */
	SCORE_SETTLE	= 5,
	SCORE_LEAD	= 3,
	SCORE_OUT	= -3,
	SCORE_MAX	= 16,
};

#define CAND_GUESS	1	/* nothing but silence speaks for it */
#define CAND_EVIDENCE	2
#define CAND_MOVED_ON	4	/* its old SPI was seen in use since */

static bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* How long ago; 0 for what a concurrent fast path has put in the future. */
static u32 age(u32 now, u32 then)
{
	return before(now, then) ? 0 : now - then;
}

static u32 slot_last(const struct pair_spi *s)
{
	u32 t;

	if (!s->last)
		return s->seen;
	t = READ_ONCE(*s->last);
	return before(t, s->seen) ? s->seen : t;
}

static void refill(u32 *tokens, u32 ms, u32 rate, u32 burst)
{
	*tokens = min(*tokens + min(ms, (u32)60000) * rate, burst * 1000);
}

static bool take(struct pair_group *g, u32 *tokens, u32 now)
{
	u32 ms = age(now, g->tok_at);

	if (ms) {
		refill(&g->tok_copy, ms, COPY_RATE, COPY_BURST);
		refill(&g->tok_scan, ms, SCAN_RATE, SCAN_BURST);
		g->tok_at = now;
	}
	if (*tokens < 1000)
		return false;
	*tokens -= 1000;
	return true;
}

/* ---- acts ---- */

static void act_clear(struct pair_act *act)
{
	memset(act, 0, sizeof(*act));
	act->verdict = PAIR_PASS;
}

static void act_pin(struct pair_act *act, struct pair_client *c,
		    struct pair_spi *s, bool in)
{
	struct pair_act_slot *p;

	if (s->priv || act->n_pin >= PAIR_ACT_MAX)
		return;
	p = &act->pin[act->n_pin++];
	p->c = c;
	p->slot = s;
	p->in = in;
}

/* ---- trials: storage ---- */

static struct pair_trial **bucket(struct pair_group *g, u32 spi)
{
	return &g->hash[(spi * 0x9e3779b1u) >> 27];
}

static struct pair_trial *trial_find(struct pair_group *g, u32 spi)
{
	struct pair_trial *t = *bucket(g, spi);

	while (t && t->spi != spi)
		t = t->next;
	return t;
}

static void trial_unhash(struct pair_group *g, struct pair_trial *t)
{
	struct pair_trial **pp = bucket(g, t->spi);

	while (*pp && *pp != t)
		pp = &(*pp)->next;
	if (*pp)
		*pp = t->next;
}

static void move(struct pair_trial *t, struct list_head *to)
{
	list_del_init(&t->node);
	list_add_tail(&t->node, to);
}

static void relist(struct pair_client *c, struct list_head *to)
{
	list_del_init(&c->pend);
	list_add_tail(&c->pend, to);
}

static void cand_del(struct pair_group *g, struct pair_trial *t, int i)
{
	struct pair_client *c = t->cand[i].c;
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++)
		if (c->trial[k] == t)
			c->trial[k] = NULL;
	if (c->answer == t) {
		c->answer = NULL;
		if (c->ask && !c->weak)
			relist(c, &g->pending);
	}
	t->cand[i] = t->cand[--t->nc];
}

static void trial_end(struct pair_group *g, struct pair_trial *t)
{
	while (t->nc)
		cand_del(g, t, t->nc - 1);
	trial_unhash(g, t);
	if (t->slot && !t->slot->priv && t->slot->state != PAIR_FREE) {
		t->slot->state = PAIR_FREE;
		t->owner->n_in--;
	}
	t->used = false;
	t->slot = NULL;
	g->n_trials--;
	move(t, &g->room);
}

static struct pair_trial *first_of(struct list_head *h)
{
	return list_empty(h) ? NULL :
	       list_first_entry(h, struct pair_trial, node);
}

/* Room for one more: unused, else settled, else seen once, else idle. */
static struct pair_trial *trial_room(struct pair_group *g, u32 now)
{
	struct pair_trial *t = first_of(&g->room);

	if (t && g->n_trials < TRIALS_MAX)
		return t;
	t = first_of(&g->done);
	if (!t)
		t = first_of(&g->once);
	if (!t) {
		t = first_of(&g->live);
		if (t && age(now, t->last) < RECENT)
			t = NULL;
	}
	if (t)
		trial_end(g, t);
	return t;
}

static struct pair_trial *trial_new(struct pair_group *g, u32 spi, u32 seq,
				    u32 now)
{
	struct pair_trial *t = trial_room(g, now);
	struct pair_trial **pp;

	if (!t)
		return NULL;
	t->spi = spi;
	t->first = now;
	t->last = now;
	t->searched = now;
	t->n = 1;
	t->nc = 0;
	t->used = true;
	t->fresh = seq <= SEQ_FRESH;
	pp = bucket(g, spi);
	t->next = *pp;
	*pp = t;
	g->n_trials++;
	move(t, &g->once);
	return t;
}

/* ---- trials: candidates ---- */

static struct pair_cand *cand_of(struct pair_trial *t,
				 const struct pair_client *c)
{
	int i;

	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c == c)
			return &t->cand[i];
	return NULL;
}

static void cand_score(struct pair_cand *cd, int by)
{
	cd->score = (s8)max(SCORE_OUT, min(SCORE_MAX, cd->score + by));
}

/* A free entry of the client's own list, the least promising if none is. */
static int client_room(struct pair_group *g, struct pair_client *c)
{
	int k, worst = -1, low = SCORE_MAX + 1;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *t = c->trial[k];
		struct pair_cand *cd;

		if (!t)
			return k;
		cd = cand_of(t, c);
		if (cd->score - (t->n == 1) < low) {
			low = cd->score - (t->n == 1);
			worst = k;
		}
	}
	cand_del(g, c->trial[worst],
		 (int)(cand_of(c->trial[worst], c) - c->trial[worst]->cand));
	return worst;
}

static void cand_add(struct pair_group *g, struct pair_trial *t,
		     struct pair_client *c, int score, u8 flags)
{
	struct pair_cand *cd = cand_of(t, c);
	int i, low = 0;

	if (cd) {
		if (cd->score < score)
			cd->score = (s8)score;
		cd->flags |= flags;
		return;
	}
	if (t->nc == PAIR_CAND_MAX) {
		for (i = 1; i < t->nc; i++)
			if (t->cand[i].score < t->cand[low].score)
				low = i;
		if (t->cand[low].score >= score)
			return;
		cand_del(g, t, low);
	}
	c->trial[client_room(g, c)] = t;
	cd = &t->cand[t->nc++];
	cd->c = c;
	cd->score = (s8)score;
	cd->flags = flags;
}

static struct pair_cand *best_of(struct pair_trial *t)
{
	struct pair_cand *b = NULL;
	int i;

	for (i = 0; i < t->nc; i++)
		if (!b || t->cand[i].score > b->score)
			b = &t->cand[i];
	return b;
}

/* Time enough for an answer to come? True as long as nobody knows. */
static bool rtt_plausible(const struct pair_group *g, u32 ms)
{
	return !g->rtt_lo || ms + 1 >= g->rtt_lo - g->rtt_lo / 8;
}

static u32 rtt_slow(const struct pair_group *g)
{
	return g->rtt_hi ? 2 * g->rtt_hi + 20 : 200;
}

static void rtt_learn(struct pair_group *g, u32 ms)
{
	if (!ms)
		ms = 1;
	if (!g->rtt_lo || ms < g->rtt_lo)
		g->rtt_lo = ms;
	else
		g->rtt_lo += (ms - g->rtt_lo) / 16;
	if (ms > g->rtt_hi)
		g->rtt_hi = ms;
	else
		g->rtt_hi -= (g->rtt_hi - ms) / 16;
}

/*
 * Did one of the SPIs this client receives on fall silent when @since began?
 * A gateway changes to its new SA at once, so the owner's did.
 */
static bool fell_silent(const struct pair_client *c, u32 since, u32 *when)
{
	bool found = false;
	u32 last;
	int i;

	for (i = 0; i < PAIR_IN_SLOTS; i++) {
		if (c->in[i].state != PAIR_SETTLED)
			continue;
		last = slot_last(&c->in[i]);
		if (before(since + SLACK, last) || age(since, last) > RECENT)
			continue;
		if (!found || before(*when, last))
			*when = last;
		found = true;
	}
	return found;
}

static void add_asking(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	int n = 0, score;

	list_for_each_entry(c, &g->pending, pend) {
		if (n++ == CONSIDER)
			break;
		if (!c->ask || c->ask->fresh != t->fresh)
			continue;
		score = SCORE_MAYBE;
		if (rtt_plausible(g, age(now, c->ask_first)))
			score = SCORE_ASKED;
		cand_add(g, t, c, score, 0);
	}
}

/* Those just answered, as it seemed: it may have been this one instead. */
static void add_taken(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct list_head *p;
	struct pair_client *c;
	int n = 0;

	for (p = g->taken.prev; p != &g->taken && n < 2; p = p->prev, n++) {
		c = list_entry(p, struct pair_client, pend);
		if (c->ask && c->ask->fresh == t->fresh &&
		    age(now, c->ask_first) <= 2 * rtt_slow(g))
			cand_add(g, t, c, SCORE_MAYBE + 1, 0);
	}
}

static void add_evident(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c, *tmp;
	int n = 0;

	list_for_each_entry_safe(c, tmp, &g->evid, evid) {
		if (n++ == CONSIDER)
			break;
		if (age(now, c->evid_at) > g->cfg->evidence_ms) {
			list_del_init(&c->evid);
			c->n_evid = 0;
			continue;
		}
		cand_add(g, t, c, SCORE_EVIDENCE, CAND_EVIDENCE);
	}
}

static void add_weak(struct pair_group *g, struct pair_trial *t)
{
	struct pair_client *c;
	int n = 0;

	list_for_each_entry(c, &g->weak, pend) {
		if (n++ == CONSIDER)
			break;
		cand_add(g, t, c, SCORE_MAYBE, 0);
	}
}

/* Those whose SPI fell silent, the latest first; waits-for-answer first. */
static void search(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	u32 best[PAIR_CAND_MAX];
	struct pair_client *who[PAIR_CAND_MAX];
	int n = 0, nw = 0, i;
	u32 when, rank;

	t->searched = now;
	if (!take(g, &g->tok_scan, now))
		return;
	list_for_each_entry(c, &g->clients, node) {
		if (n++ == SCAN)
			break;
		if (!fell_silent(c, t->first, &when) || cand_of(t, c))
			continue;
		rank = age(t->first, when);
		for (i = nw; i > 0 && best[i - 1] > rank; i--)
			if (i < PAIR_CAND_MAX) {
				best[i] = best[i - 1];
				who[i] = who[i - 1];
			}
		if (i < PAIR_CAND_MAX) {
			best[i] = rank;
			who[i] = c;
			nw = min(nw + 1, PAIR_CAND_MAX);
		}
	}
	for (i = 0; i < nw && t->nc < PAIR_CAND_MAX; i++)
		cand_add(g, t, who[i], SCORE_GUESS, CAND_GUESS);
}

static void gather(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_cand *b;

	if (g->n_clients == 1) {
		cand_add(g, t, list_first_entry(&g->clients, struct pair_client,
					     node), SCORE_SETTLE, 0);
	} else if (t->fresh) {
		add_evident(g, t, now);
	}
	add_asking(g, t, now);
	if (!t->nc || best_of(t)->score < SCORE_ASKED)
		add_taken(g, t, now);
	if (!t->nc)
		add_weak(g, t);
	if (!t->nc || (best_of(t)->score < SCORE_ASKED &&
		       t->nc < PAIR_CAND_MAX))
		search(g, t, now);
	b = best_of(t);
	if (b && b->score >= SCORE_ASKED && !b->c->answer) {
		b->c->answer = t;
		if (b->c->ask)
			relist(b->c, &g->taken);
	}
}

/* ---- opening: one start at a time ---- */

static void ask_begin(struct pair_group *g, struct pair_client *c,
		      struct pair_spi *s, u32 now)
{
	c->ask = s;
	c->ask_first = now;
	c->ask_last = now;
	c->ask_n = 0;
	c->weak = false;
	relist(c, &g->pending);
}

static void ask_end(struct pair_client *c)
{
	c->ask = NULL;
	c->weak = false;
	list_del_init(&c->pend);
}

static u32 open_time(const struct pair_group *g)
{
	u32 ms = g->rtt_hi ? 4 * g->rtt_hi + 50 : g->cfg->open_ms;

	return min(ms, g->cfg->open_ms);
}

static void open_for(struct pair_group *g, struct pair_client *c, u32 now)
{
	list_del_init(&c->wait);
	g->opener = c;
	g->open_until = now + open_time(g);
}

/* The next start that was held may go. */
static void open_next(struct pair_group *g, u32 now, struct pair_act *act)
{
	struct pair_client *c;

	if (g->opener || act->release || list_empty(&g->waiting))
		return;
	c = list_first_entry(&g->waiting, struct pair_client, wait);
	open_for(g, c, now);
	act->release = c;
	c->out_prev = c->out_last;
	c->out_last = now;
	if (c->ask)
		ask_begin(g, c, c->ask, now);
	c->ask_n = 1;
}

static void go_weak(struct pair_group *g, struct pair_client *c)
{
	if (c->ask)
		c->ask->state = PAIR_ONEWAY;
	c->weak = true;
	g->oneway++;
	relist(c, &g->weak);
}

static void expire(struct pair_group *g, u32 now)
{
	struct pair_client *c = g->opener;
	int n = 0;

	if (c && (c->answer || !c->ask || !before(now, g->open_until))) {
		if (c->ask && !c->answer && ++c->tries >= TRIES && !c->weak)
			go_weak(g, c);
		g->opener = NULL;
	}
	while (!list_empty(&g->pending) && n++ < CONSIDER) {
		c = list_first_entry(&g->pending, struct pair_client, pend);
		if (age(now, c->ask_first) < 4 * g->cfg->open_ms ||
		    c == g->opener)
			break;
		go_weak(g, c);
	}
}

static bool must_hold(struct pair_group *g, struct pair_client *c)
{
	if (!g->cfg->hold || g->n_clients == 1 || c->n_in || c->weak ||
	    c->answer || g->opener == c)
		return false;
	return g->opener || !list_empty(&g->waiting);
}

/* ---- settling ---- */

/* Gives the slot up: from here on it belongs to whoever takes it next. */
static void slot_free(struct pair_group *g, struct pair_act *act,
		      struct pair_client *c, struct pair_spi *s, bool in)
{
	struct pair_act_slot *p;
	struct pair_trial *t;

	if (s->priv && act->n_unpin < PAIR_ACT_MAX) {
		p = &act->unpin[act->n_unpin++];
		p->c = c;
		p->slot = s;
		p->in = in;
	}
	t = in ? trial_find(g, s->spi) : NULL;
	if (t && t->slot == s)
		trial_end(g, t);
	if (in && s->state != PAIR_FREE)
		c->n_in--;
	if (c->ask == s)
		ask_end(c);
	s->state = PAIR_FREE;
	s->last = NULL;
}

/* A slot for one more SPI: free, or the one unused for longest. */
static struct pair_spi *slot_take(struct pair_group *g, struct pair_client *c,
				  bool in, u32 now, struct pair_act *act)
{
	struct pair_spi *s = in ? c->in : c->out, *old = s;
	int i, n = in ? PAIR_IN_SLOTS : PAIR_OUT_SLOTS;

	for (i = 0; i < n; i++) {
		if (s[i].state == PAIR_FREE) {
			old = &s[i];
			break;
		}
		if (age(now, slot_last(&s[i])) > age(now, slot_last(old)))
			old = &s[i];
	}
	if (old->state != PAIR_FREE)
		slot_free(g, act, c, old, in);
	return old;
}

static struct pair_spi *slot_of(struct pair_spi *s, int n, u32 spi)
{
	int i;

	for (i = 0; i < n; i++)
		if (s[i].state != PAIR_FREE && s[i].spi == spi)
			return &s[i];
	return NULL;
}

/* The client's question is answered: it is no candidate for others by it. */
static void answered(struct pair_client *c, const struct pair_trial *by,
		     struct pair_act *act)
{
	struct pair_cand *cd;
	int k;

	if (c->ask) {
		c->ask->state = PAIR_SETTLED;
		act_pin(act, c, c->ask, false);
		ask_end(c);
	}
	c->tries = 0;
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k] || c->trial[k] == by)
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->score > SCORE_MAYBE)
			cd->score = SCORE_MAYBE;
	}
	c->answer = NULL;
}

static void count_settled(struct pair_group *g, struct pair_trial *t,
			  const struct pair_cand *b)
{
	if (g->n_clients == 1)
		g->paired_only_client++;
	else if (b->flags & CAND_EVIDENCE)
		g->paired_evidence++;
	else if (t->nc == 1 && !(b->flags & CAND_GUESS))
		g->paired_pending++;
	else
		g->guessed++;
}

static void settle(struct pair_group *g, struct pair_trial *t,
		   struct pair_cand *b, u32 seq, u32 now, struct pair_act *act)
{
	struct pair_client *c = b->c;
	struct pair_spi *s;

	count_settled(g, t, b);
	s = slot_take(g, c, true, now, act);
	s->spi = t->spi;
	s->first = t->first;
	s->seen = now;
	s->seq = seq;
	s->fresh = t->fresh;
	s->firm = g->n_clients > 1;
	s->state = PAIR_SETTLED;
	c->n_in++;
	if (b->flags & CAND_EVIDENCE && !--c->n_evid)
		list_del_init(&c->evid);
	if (c->ask && c->ask_n == 1 && before(c->ask_first, t->first))
		rtt_learn(g, t->first - c->ask_first);
	answered(c, t, act);
	while (t->nc)
		cand_del(g, t, t->nc - 1);
	t->owner = c;
	t->slot = s;
	act_pin(act, c, s, true);
	move(t, &g->done);
}

/* Best candidate, when it leads clearly. */
static struct pair_cand *leader(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = best_of(t), *o;
	int i, second = SCORE_UNSEEN;

	if (!b || b->score < SCORE_SETTLE)
		return NULL;
	if (g->n_clients == 1)
		return t->n > 1 ? b : NULL;
	if (t->n == 1 && !(b->flags & CAND_EVIDENCE))
		return NULL;
	for (i = 0; i < t->nc; i++)
		if (&t->cand[i] != b)
			second = max(second, (int)t->cand[i].score);
	for (i = 0; i < PAIR_TRIAL_OF; i++) {
		if (!b->c->trial[i] || b->c->trial[i] == t ||
		    b->c->trial[i]->n == 1)
			continue;
		o = cand_of(b->c->trial[i], b->c);
		second = max(second, (int)o->score);
	}
	return b->score - second >= SCORE_LEAD ? b : NULL;
}

/* ---- evidence while undecided ---- */

static void judge_answer(struct pair_group *g, struct pair_trial *t,
			 struct pair_cand *cd, u32 now)
{
	struct pair_client *c = cd->c;
	u32 gap = age(now, t->last);
	u32 since = age(now, c->out_last);

	if (!before(c->out_last, t->last)) {
		if (age(c->out_last, c->out_prev) < rtt_slow(g))
			return;
		if (rtt_plausible(g, since) && since <= 2 * rtt_slow(g))
			cand_score(cd, 1);
		else
			cand_score(cd, -1);
	} else if (gap > rtt_slow(g)) {
		cand_score(cd, -1);
	}
}

static void judge(struct pair_group *g, struct pair_trial *t, int i, u32 now)
{
	struct pair_cand *cd = &t->cand[i];
	struct pair_client *c = cd->c;
	u32 when;

	if (c->n_in && !fell_silent(c, t->first, &when)) {
		if (cd->flags & CAND_GUESS) {
			cand_del(g, t, i);
			return;
		}
		if (!(cd->flags & CAND_MOVED_ON))
			cand_score(cd, -2);
		cd->flags |= CAND_MOVED_ON;
	}
	judge_answer(g, t, cd, now);
	if (t->n % 8 == 0)
		cand_score(cd, 1);
	if (cd->score <= SCORE_OUT)
		cand_del(g, t, i);
}

static void arrive(struct pair_group *g, struct pair_trial *t, u32 now)
{
	int i;

	if (t->n < 0xffff)
		t->n++;
	if (t->n == 2)
		move(t, &g->live);
	for (i = t->nc - 1; i >= 0; i--)
		judge(g, t, i, now);
	if (t->nc < PAIR_CAND_MAX &&
	    (t->n <= 4 || age(now, t->searched) >= 50) &&
	    (!t->nc || best_of(t)->score < SCORE_ASKED))
		search(g, t, now);
	t->last = now;
}

/* ---- events ---- */

static void deliver(struct pair_group *g, struct pair_trial *t, u32 now,
		    struct pair_act *act)
{
	struct pair_cand *b = best_of(t);
	int i;

	if (!b) {
		g->unknown++;
		act->verdict = PAIR_DROP;
		return;
	}
	if (t->nc > 1 && g->cfg->strict) {
		g->dropped_strict++;
		act->verdict = PAIR_DROP;
		return;
	}
	act->verdict = PAIR_DELIVER;
	act->to = b->c;
	for (i = 0; i < t->nc && act->n_copy < g->cfg->copies &&
	     act->n_copy < PAIR_COPY_MAX; i++) {
		if (&t->cand[i] == b)
			continue;
		if (!take(g, &g->tok_copy, now)) {
			g->dropped_limit++;
			break;
		}
		act->copy[act->n_copy++] = t->cand[i].c;
		g->copies++;
	}
}

void pair_in(struct pair_group *g, u32 spi, u32 seq, u32 now,
	     struct pair_act *act)
{
	struct pair_trial *t;
	struct pair_cand *b;

	act_clear(act);
	if (!g->n_clients)
		return;
	expire(g, now);
	t = trial_find(g, spi);
	if (t && t->slot) {
		act->verdict = PAIR_DELIVER;
		act->to = t->owner;
		t->slot->seen = now;
		act_pin(act, act->to, t->slot, true);
		return;
	}
	if (!t) {
		t = trial_new(g, spi, seq, now);
		if (!t) {
			g->dropped_limit++;
			act->verdict = PAIR_DROP;
			return;
		}
		gather(g, t, now);
	} else {
		arrive(g, t, now);
	}
	deliver(g, t, now, act);
	b = leader(g, t);
	if (b)
		settle(g, t, b, seq, now, act);
	expire(g, now);
	open_next(g, now, act);
}

/* A new outbound SPI may explain an inbound one that came before it. */
static void join(struct pair_group *g, struct list_head *h,
		 struct pair_client *c, u32 now)
{
	struct list_head *p;
	struct pair_trial *t;
	int n = 0;

	for (p = h->prev; p != h && n < CONSIDER / 2; p = p->prev, n++) {
		t = list_entry(p, struct pair_trial, node);
		if (age(now, t->first) > RECENT || t->fresh != c->ask->fresh ||
		    (t->nc && best_of(t)->score >= SCORE_ASKED))
			continue;
		cand_add(g, t, c, age(now, t->first) <= rtt_slow(g) ?
			 SCORE_FOLLOWED : SCORE_MAYBE + 1, 0);
	}
}

/* A quiet client that sends right after an arrival has received it. */
static void reacted(struct pair_client *c, u32 now)
{
	struct pair_trial *t;
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		t = c->trial[k];
		if (!t || age(now, t->last) > REACT ||
		    age(t->last, c->out_prev) < 3 * REACT)
			continue;
		cand_score(cand_of(t, c), 2);
	}
}

static void out_new(struct pair_group *g, struct pair_client *c,
		    struct pair_spi *s, u32 now, struct pair_act *act)
{
	bool first = c->ask != s || list_empty(&c->pend);

	if (must_hold(g, c)) {
		c->ask = s;
		if (list_empty(&c->wait))
			list_add_tail(&c->wait, &g->waiting);
		g->held++;
		act->verdict = PAIR_HOLD;
		return;
	}
	if (g->cfg->hold && !c->n_in && !c->answer && !g->opener)
		open_for(g, c, now);
	c->out_prev = c->out_last;
	c->out_last = now;
	if (first)
		ask_begin(g, c, s, now);
	c->ask_last = now;
	if (c->ask_n < 0xffff)
		c->ask_n++;
	reacted(c, now);
	if (first && g->n_clients > 1) {
		join(g, &g->live, c, now);
		join(g, &g->once, c, now);
	}
}

void pair_out(struct pair_group *g, struct pair_client *c, u32 spi, u32 seq,
	      u32 now, struct pair_act *act)
{
	struct pair_spi *s = slot_of(c->out, PAIR_OUT_SLOTS, spi);

	act_clear(act);
	expire(g, now);
	if (!s) {
		s = slot_take(g, c, false, now, act);
		s->spi = spi;
		s->first = now;
		s->seq = seq;
		s->fresh = seq <= SEQ_FRESH;
		s->state = PAIR_NEW;
	}
	s->seen = now;
	s->seq = seq;
	if (s->state == PAIR_NEW) {
		out_new(g, c, s, now, act);
	} else {
		c->out_prev = c->out_last;
		c->out_last = now;
		act_pin(act, c, s, false);
	}
	open_next(g, now, act);
}

void pair_evidence(struct pair_group *g, struct pair_client *c, u32 now,
		   struct pair_act *act)
{
	act_clear(act);
	c->ike = true;
	c->evid_at = now;
	if (c->n_evid < 4)
		c->n_evid++;
	list_del_init(&c->evid);
	list_add_tail(&c->evid, &g->evid);
}

void pair_tick(struct pair_group *g, u32 now, struct pair_act *act)
{
	act_clear(act);
	expire(g, now);
	open_next(g, now, act);
}

u32 pair_next_tick(const struct pair_group *g, u32 now)
{
	const struct pair_client *c;
	u32 at, ms = PAIR_NEVER;

	if (g->opener)
		ms = before(g->open_until, now) ? 0 : g->open_until - now;
	else if (!list_empty(&g->waiting))
		ms = 0;
	if (!list_empty(&g->pending)) {
		c = list_first_entry(&g->pending, struct pair_client, pend);
		at = c->ask_first + 4 * g->cfg->open_ms;
		ms = min(ms, before(at, now) ? 0 : at - now);
	}
	return ms;
}

void pair_group_init(struct pair_group *g, const struct pair_cfg *cfg)
{
	memset(g, 0, sizeof(*g));
	g->cfg = cfg;
	INIT_LIST_HEAD(&g->clients);
	INIT_LIST_HEAD(&g->waiting);
	INIT_LIST_HEAD(&g->pending);
	INIT_LIST_HEAD(&g->taken);
	INIT_LIST_HEAD(&g->weak);
	INIT_LIST_HEAD(&g->evid);
	INIT_LIST_HEAD(&g->room);
	INIT_LIST_HEAD(&g->done);
	INIT_LIST_HEAD(&g->once);
	INIT_LIST_HEAD(&g->live);
	g->tok_copy = COPY_BURST * 1000;
	g->tok_scan = SCAN_BURST * 1000;
}

void pair_client_add(struct pair_group *g, struct pair_client *c, u32 now)
{
	int i;

	INIT_LIST_HEAD(&c->node);
	INIT_LIST_HEAD(&c->wait);
	INIT_LIST_HEAD(&c->pend);
	INIT_LIST_HEAD(&c->evid);
	for (i = 0; i < PAIR_ROOM; i++)
		list_add_tail(&c->room[i].node, &g->room);
	list_add_tail(&c->node, &g->clients);
	c->out_last = now - RECENT;
	c->out_prev = c->out_last;
	if (!g->n_clients++)
		g->tok_at = now;
}

void pair_client_del(struct pair_group *g, struct pair_client *c, u32 now,
		     struct pair_act *act)
{
	struct pair_trial *t;
	int i;

	act_clear(act);
	for (i = 0; i < PAIR_TRIAL_OF; i++)
		if (c->trial[i])
			cand_del(g, c->trial[i], (int)(cand_of(c->trial[i], c) -
						    c->trial[i]->cand));
	for (i = 0; i < PAIR_ROOM; i++) {
		t = &c->room[i];
		if (t->used)
			trial_end(g, t);
		list_del_init(&t->node);
	}
	for (i = 0; i < PAIR_IN_SLOTS; i++) {
		t = trial_find(g, c->in[i].spi);
		if (t && t->slot == &c->in[i])
			trial_end(g, t);
	}
	list_del_init(&c->node);
	list_del_init(&c->wait);
	list_del_init(&c->pend);
	list_del_init(&c->evid);
	g->n_clients--;
	if (g->opener == c)
		g->opener = NULL;
	open_next(g, now, act);
}
