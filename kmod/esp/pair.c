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
#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
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
#define SETTLED_IN	1000	/* an SA younger than this is not yet rekeyed */
#define BUSY		300	/* sent on another SPI so lately: mid-transfer */
#define TRIALS_MAX	128
#define RTT_SURE	8	/* answers timed before one is too quick */
#define ONEWAY_PIN	16	/* packets before a one-way SPI gets its pin */

#define COPY_RATE	500	/* per second */
#define COPY_BURST	500
#define SCAN_RATE	50
#define SCAN_BURST	50

enum {
	SCORE_EVIDENCE	= 7,	/* IKE has just made an SA for it */
	SCORE_ASKED	= 4,	/* sends on a new SPI, time for an answer */
	SCORE_FOLLOWED	= 3,	/* sent on a new SPI soon after the arrival */
	SCORE_LATE	= 2,	/* asked, not at a likely time */
	SCORE_MAYBE	= 1,
	SCORE_GUESS	= 0,	/* nothing but silence speaks for it */
	SCORE_UNSEEN	= 1,	/* of whoever was not thought of */
	SCORE_SETTLE	= 7,
	SCORE_LEAD	= 3,
	SCORE_OUT	= -3,
	SCORE_MAX	= 16,
};

/*
 * Periodic traffic repeats its coincidences, so that the same observation
 * counts for a candidate only so many times. Against it, always.
 */
#define CAP_TIMELY	3
#define CAP_REACTED	2

#define CAND_EVIDENCE	1
#define CAND_MOVED_ON	2	/* its old SPI was seen in use since */
#define CAND_SILENT	4	/* its old SPI was not */

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

/* ---- token buckets, in thousandths ---- */

static void refill(u32 *tokens, u32 ms, u32 rate, u32 burst)
{
	u32 more = min_t(u32, ms, 60000) * rate;

	*tokens = min(*tokens + more, burst * 1000);
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

/* ---- how long answers take ---- */

/* Time enough for an answer to come? True as long as nobody knows. */
static bool rtt_plausible(const struct pair_group *g, u32 ms)
{
	u32 early = g->rtt_n < RTT_SURE ? g->rtt_lo / 2 : g->rtt_lo / 8 + 2;

	return ms + early >= g->rtt_lo;
}

static u32 rtt_slow(const struct pair_group *g)
{
	return g->rtt_n ? 2 * g->rtt_hi + 20 : 200;
}

/* Low follows what is quicker at once, else slowly; high the other way. */
static void rtt_learn(struct pair_group *g, u32 ms)
{
	u32 slow = g->rtt_n < RTT_SURE ? 4 : 16;

	if (!g->rtt_n++) {
		g->rtt_lo = ms;
		g->rtt_hi = ms;
		return;
	}
	if (g->rtt_n > RTT_SURE)
		g->rtt_n = RTT_SURE;
	if (ms < g->rtt_lo)
		g->rtt_lo -= (g->rtt_lo - ms + 3) / 4;
	else
		g->rtt_lo += (ms - g->rtt_lo) / slow;
	if (ms > g->rtt_hi)
		g->rtt_hi += (ms - g->rtt_hi + 3) / 4;
	else
		g->rtt_hi -= (g->rtt_hi - ms) / (2 * slow);
}

/* ---- acts ---- */

static void act_clear(struct pair_act *act)
{
	memset(act, 0, sizeof(*act));
	act->verdict = PAIR_PASS;
}

static void act_add(struct pair_act_slot *list, u8 *n, struct pair_client *c,
		    struct pair_spi *s, bool in)
{
	if (*n == PAIR_ACT_MAX)
		return;
	list[*n].c = c;
	list[*n].slot = s;
	list[*n].in = in;
	++*n;
}

static void act_pin(struct pair_act *act, struct pair_client *c,
		    struct pair_spi *s, bool in)
{
	if (!s->priv)
		act_add(act->pin, &act->n_pin, c, s, in);
}

/* ---- which list a client is on ---- */

static bool asks(const struct pair_spi *s)
{
	return s->state == PAIR_NEW && s->n;
}

static void relist(struct pair_group *g, struct pair_client *c)
{
	bool open = false, taken = false, weak = false;
	struct list_head *to = NULL;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		open |= asks(&c->out[i]) && !c->out[i].answer;
		taken |= asks(&c->out[i]) && c->out[i].answer;
		weak |= c->out[i].state == PAIR_ONEWAY;
	}
	if (open)
		to = &g->pending;
	else if (taken)
		to = &g->taken;
	else if (weak)
		to = &g->weak;
	if (to == c->where)
		return;
	list_del_init(&c->pend);
	if (to)
		list_add_tail(&c->pend, to);
	c->where = to;
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

static void trial_move(struct pair_trial *t, struct list_head *to)
{
	list_del_init(&t->node);
	list_add_tail(&t->node, to);
}

static void cand_del(struct pair_group *g, struct pair_trial *t, int i)
{
	struct pair_client *c = t->cand[i].c;
	struct pair_spi *ask = t->cand[i].ask;
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++)
		if (c->trial[k] == t)
			c->trial[k] = NULL;
	if (ask && ask->answer == t) {
		ask->answer = NULL;
		relist(g, c);
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
	trial_move(t, &g->room);
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
	struct pair_trial **pp = bucket(g, spi);

	if (!t)
		return NULL;
	t->spi = spi;
	t->first = now;
	t->last = now;
	t->searched = now;
	t->rtt = PAIR_NEVER;
	t->n = 1;
	t->nc = 0;
	t->used = true;
	t->fresh = seq <= SEQ_FRESH;
	t->next = *pp;
	*pp = t;
	g->n_trials++;
	trial_move(t, &g->once);
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

static struct pair_cand *best_of(struct pair_trial *t)
{
	struct pair_cand *b = NULL;
	int i;

	for (i = 0; i < t->nc; i++)
		if (!b || t->cand[i].score > b->score)
			b = &t->cand[i];
	return b;
}

static int best_score(struct pair_trial *t)
{
	struct pair_cand *b = best_of(t);

	return b ? b->score : SCORE_OUT;
}

static void cand_score(struct pair_cand *cd, int by)
{
	int score = cd->score + by;

	cd->score = (s8)min_t(int, score, SCORE_MAX);
}

/* An entry of the client's own list: free, or worth less than @score. */
static int client_room(struct pair_group *g, struct pair_client *c, int score)
{
	int k, worst = -1, low = score;
	struct pair_cand *cd;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		int worth;

		if (!c->trial[k])
			return k;
		cd = cand_of(c->trial[k], c);
		worth = c->trial[k]->n > 1 ? cd->score : cd->score - 1;
		if (worth < low) {
			low = worth;
			worst = k;
		}
	}
	if (worst < 0)
		return -1;
	cd = cand_of(c->trial[worst], c);
	cand_del(g, c->trial[worst], (int)(cd - c->trial[worst]->cand));
	return worst;
}

static bool cand_room(struct pair_group *g, struct pair_trial *t, int score)
{
	int i, low = 0;

	if (t->nc < PAIR_CAND_MAX)
		return true;
	for (i = 1; i < t->nc; i++)
		if (t->cand[i].score < t->cand[low].score)
			low = i;
	if (t->cand[low].score >= score)
		return false;
	cand_del(g, t, low);
	return true;
}

static void cand_add(struct pair_group *g, struct pair_trial *t,
		     struct pair_client *c, struct pair_spi *ask, int score)
{
	struct pair_cand *cd = cand_of(t, c);
	int k;

	if (cd) {
		if (!cd->ask)
			cd->ask = ask;
		cd->score = (s8)max_t(int, cd->score, score);
		return;
	}
	if (!cand_room(g, t, score))
		return;
	k = client_room(g, c, score);
	if (k < 0)
		return;
	c->trial[k] = t;
	cd = &t->cand[t->nc++];
	memset(cd, 0, sizeof(*cd));
	cd->c = c;
	cd->ask = ask;
	cd->score = (s8)score;
}

/* ---- trials: who may it be ---- */

enum succession { UNKNOWN, SILENT, MOVED_ON };

/*
 * Did one of the SPIs this client receives on fall silent when @since began?
 * A gateway changes to its new SA at once, so the owner's did.
 */
static enum succession succession(const struct pair_client *c, u32 since,
				  u32 *when)
{
	enum succession s = UNKNOWN;
	u32 last;
	int i;

	for (i = 0; i < PAIR_IN_SLOTS; i++) {
		if (c->in[i].state != PAIR_SETTLED ||
		    before(since - SETTLED_IN, c->in[i].first))
			continue;
		last = slot_last(&c->in[i]);
		if (before(since + SLACK, last)) {
			if (s == UNKNOWN)
				s = MOVED_ON;
			continue;
		}
		if (age(since, last) > RECENT)
			continue;
		if (s != SILENT || before(*when, last))
			*when = last;
		s = SILENT;
	}
	return s;
}

/* An answer comes a while after the first packet, or one sent on its own. */
static bool in_time(const struct pair_group *g, const struct pair_trial *t,
		    const struct pair_spi *s)
{
	if (before(t->first, s->seen))
		return false;
	if (age(t->first, s->first) <= rtt_slow(g))
		return true;
	return age(s->seen, s->prev) > rtt_slow(g) &&
		age(t->first, s->seen) <= rtt_slow(g) &&
		rtt_plausible(g, age(t->first, s->seen));
}

/* How well the trial's first packet fits as the answer to this SPI. */
static int ask_score(const struct pair_group *g, const struct pair_trial *t,
		     const struct pair_spi *s)
{
	if (s->state == PAIR_ONEWAY) {
		if (s->n >= ONEWAY_PIN)
			return SCORE_GUESS;
		return in_time(g, t, s) ? SCORE_LATE : SCORE_MAYBE;
	}
	if (before(t->first, s->first))
		return age(s->first, t->first) <= rtt_slow(g) ?
			SCORE_FOLLOWED : SCORE_LATE;
	if (!rtt_plausible(g, age(t->first, s->first)))
		return SCORE_FOLLOWED;
	return in_time(g, t, s) ? SCORE_ASKED : SCORE_LATE;
}

/* Adds a client by the likeliest of its SPIs that this would answer. */
static void add_client(struct pair_group *g, struct pair_trial *t,
		       struct pair_client *c, int cap)
{
	struct pair_spi *s, *ask = NULL;
	int i, score, best = -1;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (!asks(s) && s->state != PAIR_ONEWAY)
			continue;
		if (s->fresh != t->fresh)
			continue;
		score = ask_score(g, t, s);
		if (s->answer)
			score = min_t(int, score, SCORE_LATE);
		if (score > best) {
			best = score;
			ask = s;
		}
	}
	if (ask)
		cand_add(g, t, c, ask, min(best, cap));
}

static void add_list(struct pair_group *g, struct pair_trial *t,
		     struct list_head *h, int most, int cap)
{
	struct list_head *p;
	int n = 0;

	for (p = h->prev; p != h && n < most; p = p->prev, n++)
		add_client(g, t, list_entry(p, struct pair_client, pend), cap);
}

static void add_evident(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c, *tmp;
	struct pair_cand *cd;
	int n = 0;

	list_for_each_entry_safe(c, tmp, &g->evid, evid) {
		if (n++ == CONSIDER)
			break;
		if (age(now, c->evid_at) > g->cfg->evidence_ms) {
			list_del_init(&c->evid);
			c->n_evid = 0;
			continue;
		}
		add_client(g, t, c, SCORE_ASKED);
		cand_add(g, t, c, NULL, SCORE_EVIDENCE);
		cd = cand_of(t, c);
		if (cd)
			cd->flags |= CAND_EVIDENCE;
	}
}

/* Those whose SPI fell silent, the latest first. */
static void search(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *who[PAIR_CAND_MAX], *c;
	u32 rank[PAIR_CAND_MAX], when, r;
	int n = 0, nw = 0, i;

	t->searched = now;
	if (t->nc == PAIR_CAND_MAX || !take(g, &g->tok_scan, now))
		return;
	list_for_each_entry(c, &g->clients, node) {
		if (n++ == SCAN)
			break;
		if (!c->n_in || cand_of(t, c) ||
		    succession(c, t->first, &when) != SILENT)
			continue;
		r = age(t->first, when);
		for (i = min_t(int, nw, PAIR_CAND_MAX - 1);
		     i > 0 && rank[i - 1] > r; i--) {
			rank[i] = rank[i - 1];
			who[i] = who[i - 1];
		}
		if (i == nw || rank[i] > r || nw < PAIR_CAND_MAX) {
			rank[i] = r;
			who[i] = c;
			nw = min_t(int, nw + 1, PAIR_CAND_MAX);
		}
	}
	for (i = 0; i < nw && t->nc < PAIR_CAND_MAX; i++)
		cand_add(g, t, who[i], NULL, SCORE_GUESS);
}

/* The best candidate's question counts as answered if no other comes near. */
static void link_answer(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = best_of(t), *cd;
	bool sole = b && b->score >= SCORE_ASKED;
	int i;

	for (i = 0; i < t->nc; i++)
		if (&t->cand[i] != b && t->cand[i].score + 2 > b->score)
			sole = false;
	for (i = 0; i < t->nc; i++) {
		cd = &t->cand[i];
		if (!cd->ask)
			continue;
		if (cd == b && sole && !cd->ask->answer)
			cd->ask->answer = t;
		else if ((cd != b || !sole) && cd->ask->answer == t)
			cd->ask->answer = NULL;
		else
			continue;
		relist(g, cd->c);
	}
}

/*
 * Something came that nobody asked for. One of the latest answers may have
 * been mistaken for one: those are in doubt now, and this may be theirs.
 */
static void dispute(struct pair_group *g, struct pair_trial *t)
{
	struct pair_client *c[2];
	struct list_head *p;
	int n = 0, k;

	for (p = g->taken.prev; p != &g->taken && n < 2; p = p->prev)
		c[n++] = list_entry(p, struct pair_client, pend);
	while (n--) {
		add_client(g, t, c[n], SCORE_LATE);
		for (k = 0; k < PAIR_TRIAL_OF; k++) {
			struct pair_trial *o = c[n]->trial[k];
			struct pair_cand *cd = o ? cand_of(o, c[n]) : NULL;

			if (!cd || o == t || !cd->ask || cd->ask->answer != o ||
			    age(t->first, o->first) > rtt_slow(g))
				continue;
			if (cd->score > SCORE_FOLLOWED)
				cd->score = SCORE_FOLLOWED;
			cd->ask->answer = NULL;
			relist(g, c[n]);
		}
	}
}

static void gather(struct pair_group *g, struct pair_trial *t, u32 now)
{
	if (g->n_clients == 1) {
		struct pair_client *c = list_first_entry(&g->clients,
							 struct pair_client,
							 node);
		add_client(g, t, c, SCORE_ASKED);
		cand_add(g, t, c, NULL, SCORE_SETTLE);
		link_answer(g, t);
		return;
	}
	if (t->fresh && t->n == 1)
		add_evident(g, t, now);
	if (g->opener)
		add_client(g, t, g->opener, SCORE_ASKED);
	add_list(g, t, &g->pending, CONSIDER, SCORE_ASKED);
	if (best_score(t) < SCORE_ASKED && t->n == 1)
		dispute(g, t);
	if (best_score(t) < SCORE_ASKED)
		add_list(g, t, &g->weak, 2, SCORE_LATE);
	if (best_score(t) < SCORE_ASKED)
		search(g, t, now);
	link_answer(g, t);
}

/* A new outbound SPI may explain an inbound one that came before it. */
static void join(struct pair_group *g, struct list_head *h,
		 struct pair_client *c, struct pair_spi *s, u32 now)
{
	struct list_head *p;
	struct pair_trial *t;
	int n = 0;

	for (p = h->prev; p != h && n < CONSIDER / 2; p = p->prev, n++) {
		t = list_entry(p, struct pair_trial, node);
		if (age(now, t->first) > RECENT || t->fresh != s->fresh ||
		    best_score(t) >= SCORE_ASKED)
			continue;
		cand_add(g, t, c, s, ask_score(g, t, s));
	}
}

/* ---- opening: one start at a time ---- */

static u32 open_time(const struct pair_group *g)
{
	u32 ms = g->rtt_n ? 2 * g->rtt_hi + 30 : g->cfg->open_ms;

	return min(ms, g->cfg->open_ms);
}

static void open_for(struct pair_group *g, struct pair_client *c, u32 now)
{
	list_del_init(&c->wait);
	g->opener = c;
	g->open_until = now + open_time(g);
}

/* A packet on an unanswered SPI goes out now. */
static void note_sent(struct pair_group *g, struct pair_client *c,
		      struct pair_spi *s, u32 now)
{
	if (!s->n)
		s->first = now;
	s->prev = s->n ? s->seen : now - RECENT;
	s->seen = now;
	if (s->n < 0xffff)
		s->n++;
	relist(g, c);
	if (s->n > 1 || g->n_clients == 1)
		return;
	join(g, &g->live, c, s, now);
	join(g, &g->once, c, s, now);
}

/* The next start that was held may go. */
static void open_next(struct pair_group *g, u32 now, struct pair_act *act)
{
	struct pair_client *c;
	int i;

	if (g->opener || act->release || list_empty(&g->waiting))
		return;
	c = list_first_entry(&g->waiting, struct pair_client, wait);
	open_for(g, c, now);
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].state == PAIR_NEW)
			note_sent(g, c, &c->out[i], now);
	act->release = c;
}

/* Gets packets, if perhaps with others, that may answer this question. */
static bool served(const struct pair_client *c, const struct pair_spi *s,
		   u32 now)
{
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *t = c->trial[k];

		if (t && age(now, t->last) < 2 * RECENT &&
		    cand_of(t, c)->ask == s &&
		    cand_of(t, c)->score >= SCORE_LATE)
			return true;
	}
	return false;
}

/* Those who wait in vain are taken for one-way. */
static void give_up(struct pair_group *g, struct pair_client *c, u32 now)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		if (!asks(&c->out[i]) || c->out[i].answer ||
		    served(c, &c->out[i], now))
			continue;
		c->out[i].state = PAIR_ONEWAY;
		g->oneway++;
	}
	relist(g, c);
}

static bool all_answered(const struct pair_client *c)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (asks(&c->out[i]) && !c->out[i].answer)
			return false;
	return true;
}

static const struct pair_spi *oldest_ask(const struct pair_client *c)
{
	const struct pair_spi *old = NULL;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		if (!asks(&c->out[i]) || c->out[i].answer)
			continue;
		if (!old || before(c->out[i].first, old->first))
			old = &c->out[i];
	}
	return old;
}

/* When a client on the pending list is given up. */
static u32 patience(const struct pair_group *g, const struct pair_client *c)
{
	const struct pair_spi *s = oldest_ask(c);

	return s->first + g->cfg->open_ms * (s->n < TRIES ? 20 : 4);
}

static void expire(struct pair_group *g, u32 now)
{
	struct pair_client *c = g->opener;
	int n = 0;

	if (c && all_answered(c)) {
		g->opener = NULL;
	} else if (c && !before(now, g->open_until)) {
		g->opener = NULL;
		if (++c->tries >= TRIES)
			give_up(g, c, now);
	}
	while (!list_empty(&g->pending) && n++ < CONSIDER) {
		c = list_first_entry(&g->pending, struct pair_client, pend);
		if (before(now, patience(g, c)))
			break;
		give_up(g, c, now);
		if (c->where == &g->pending) {
			list_del_init(&c->pend);
			list_add_tail(&c->pend, &g->pending);
		}
	}
}

/* Sends on another SPI right now: not to be disturbed. */
static bool busy(const struct pair_client *c, u32 now)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].state != PAIR_FREE &&
		    (c->out[i].state != PAIR_NEW || c->out[i].n) &&
		    age(now, slot_last(&c->out[i])) < BUSY)
			return true;
	return false;
}

/* Does another SPI of its have an answer, or never will? */
static bool started(const struct pair_client *c)
{
	int i;

	if (c->n_in)
		return true;
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].state == PAIR_ONEWAY ||
		    (c->out[i].state != PAIR_FREE && c->out[i].answer))
			return true;
	return false;
}

/*
 * A client's first packets may wait their turn, until one is answered. Later
 * only the first packet of a new SPI, and not in the middle of a transfer.
 */
static bool must_hold(const struct pair_group *g, const struct pair_client *c,
		      const struct pair_spi *s, u32 now)
{
	if (!g->cfg->hold || g->n_clients == 1 || g->opener == c)
		return false;
	if (!g->opener && list_empty(&g->waiting))
		return false;
	if (s->n)
		return s->state == PAIR_NEW && !s->answer && !started(c) &&
			!served(c, s, now);
	return !busy(c, now);
}

/* ---- slots ---- */

/* Gives the slot up: from here on it belongs to whoever takes it next. */
static void slot_free(struct pair_group *g, struct pair_act *act,
		      struct pair_client *c, struct pair_spi *s, bool in)
{
	struct pair_trial *t = in ? trial_find(g, s->spi) : NULL;
	struct pair_cand *cd;
	int k;

	if (s->priv)
		act_add(act->unpin, &act->n_unpin, c, s, in);
	if (t && t->slot == s) {
		t->slot = NULL;
		trial_end(g, t);
	}
	for (k = 0; !in && k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->ask == s)
			cand_del(g, c->trial[k], (int)(cd - c->trial[k]->cand));
	}
	if (in)
		c->n_in--;
	s->state = PAIR_FREE;
	s->last = NULL;
	relist(g, c);
}

/* A slot for one more SPI: free, or the one unused for longest. */
static struct pair_spi *slot_take(struct pair_group *g, struct pair_client *c,
				  bool in, u32 spi, u32 now,
				  struct pair_act *act)
{
	struct pair_spi *s = in ? c->in : c->out, *old = s;
	int i, n = in ? PAIR_IN_SLOTS : PAIR_OUT_SLOTS;
	void *priv;

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
	priv = old->priv;
	memset(old, 0, sizeof(*old));
	old->priv = priv;
	old->spi = spi;
	old->seen = now;
	old->first = now;
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

/* ---- settling ---- */

static void count_settled(struct pair_group *g, const struct pair_trial *t,
			  const struct pair_cand *b)
{
	if (g->n_clients == 1)
		g->paired_only_client++;
	else if (b->flags & CAND_EVIDENCE)
		g->paired_evidence++;
	else if (t->nc == 1 && b->ask)
		g->paired_pending++;
	else
		g->guessed++;
}

static struct pair_spi *other_ask(struct pair_client *c,
				  const struct pair_trial *t)
{
	struct pair_spi *s = c->out;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (asks(&s[i]) && s[i].fresh == t->fresh &&
		    (!s[i].answer || s[i].answer == t))
			return &s[i];
	return NULL;
}

/* One question has one answer: no other trial is about it any more. */
static void ask_done(struct pair_group *g, struct pair_client *c,
		     struct pair_spi *ask, struct pair_act *act)
{
	struct pair_spi *other;
	struct pair_cand *cd;
	int k;

	ask->state = PAIR_SETTLED;
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->ask != ask)
			continue;
		other = other_ask(c, c->trial[k]);
		if (other)
			cd->ask = other;
		else
			cand_del(g, c->trial[k], (int)(cd - c->trial[k]->cand));
	}
	ask->answer = NULL;
	act_pin(act, c, ask, false);
	relist(g, c);
}

static void settle(struct pair_group *g, struct pair_trial *t,
		   const struct pair_cand *b, u32 seq, u32 now,
		   struct pair_act *act)
{
	struct pair_client *c = b->c;
	struct pair_spi *ask = b->ask, *s;

	count_settled(g, t, b);
	if (b->flags & CAND_EVIDENCE && c->n_evid && !--c->n_evid)
		list_del_init(&c->evid);
	while (t->nc)
		cand_del(g, t, t->nc - 1);
	if (ask)
		ask_done(g, c, ask, act);
	s = slot_take(g, c, true, t->spi, now, act);
	s->first = t->first;
	s->seq = seq;
	s->fresh = t->fresh;
	s->firm = g->n_clients > 1;
	s->state = PAIR_SETTLED;
	c->n_in++;
	c->tries = 0;
	t->owner = c;
	t->slot = s;
	act_pin(act, c, s, true);
	trial_move(t, &g->done);
}

/* How far a candidate is ahead of the others, known and unknown. */
static int lead(const struct pair_trial *t, const struct pair_client *c)
{
	int i, own = SCORE_OUT, second = SCORE_UNSEEN;

	for (i = 0; i < t->nc; i++) {
		if (t->cand[i].c == c)
			own = t->cand[i].score;
		else
			second = max_t(int, second, t->cand[i].score);
	}
	return own - second;
}

/* The best lead of the client in other trials about the same question. */
static int sibling_lead(const struct pair_cand *b, const struct pair_trial *t)
{
	int k, best = -SCORE_MAX;

	for (k = 0; b->ask && k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *o = b->c->trial[k];

		if (o && o != t && o->n > 1 && cand_of(o, b->c)->ask == b->ask)
			best = max(best, lead(o, b->c));
	}
	return best;
}

/* Best candidate, when it leads clearly. */
static struct pair_cand *leader(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = best_of(t);
	int ahead;

	if (!b || b->score < SCORE_SETTLE)
		return NULL;
	if (g->n_clients == 1)
		return t->n > 1 ? b : NULL;
	if (t->n == 1 && !(b->flags & CAND_EVIDENCE))
		return NULL;
	ahead = lead(t, b->c);
	if (ahead < SCORE_LEAD || ahead < sibling_lead(b, t) + SCORE_LEAD)
		return NULL;
	return b;
}

/* ---- evidence while undecided ---- */

/* Does an arrival fit what was last sent on this SPI? -1, 0 or 1. */
static int timing(const struct pair_group *g, const struct pair_trial *t,
		  const struct pair_spi *s, u32 now)
{
	u32 since = age(now, s->seen);

	if (before(s->seen, t->last))
		return age(now, t->last) > rtt_slow(g) ? -1 : 0;
	if (age(s->seen, s->prev) < rtt_slow(g))
		return 0;
	return rtt_plausible(g, since) && since <= rtt_slow(g) ? 1 : -1;
}

/* Which of the client's questions is answered is unknown: the best fits. */
static void judge_timing(const struct pair_group *g, const struct pair_trial *t,
			 struct pair_cand *cd, u32 now)
{
	const struct pair_spi *s = cd->c->out;
	int i, fit = -2;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if ((asks(&s[i]) || s[i].state == PAIR_ONEWAY) && !s[i].priv)
			fit = max_t(int, fit, timing(g, t, &s[i], now));
	if (fit == 1 && cd->timely++ >= CAP_TIMELY) {
		cd->timely--;
		fit = 0;
	}
	if (fit > -2)
		cand_score(cd, fit);
}

static void judge(struct pair_group *g, struct pair_trial *t, int i, u32 now)
{
	struct pair_cand *cd = &t->cand[i];
	u32 when;

	if (cd->c->n_in) {
		enum succession s = succession(cd->c, t->first, &when);

		if (s == MOVED_ON && !(cd->flags & CAND_MOVED_ON)) {
			cand_score(cd, cd->ask ? -2 : SCORE_OUT);
			cd->flags |= CAND_MOVED_ON;
		} else if (s == SILENT && t->n == 4 &&
			   !(cd->flags & CAND_SILENT)) {
			cand_score(cd, 1);
			cd->flags |= CAND_SILENT;
		}
	}
	if (cd->ask)
		judge_timing(g, t, cd, now);
	if (t->n % 8 == 0 && t->nc == 1)
		cand_score(cd, 1);
	if (cd->score <= SCORE_OUT)
		cand_del(g, t, i);
}

static void arrive(struct pair_group *g, struct pair_trial *t, u32 now)
{
	int i;

	if (t->n < 0xffff)
		t->n++;
	if (t->n == 2) {
		trial_move(t, &g->live);
		if (t->rtt != PAIR_NEVER)
			rtt_learn(g, t->rtt);
	}
	for (i = t->nc - 1; i >= 0; i--)
		judge(g, t, i, now);
	if (best_score(t) < SCORE_ASKED &&
	    (!t->nc || t->n <= 4 || age(now, t->searched) >= 50))
		gather(g, t, now);
	else
		link_answer(g, t);
	t->last = now;
}

/* A quiet client that sends right after an arrival has received it. */
static void reacted(struct pair_client *c, const struct pair_spi *s, u32 now)
{
	struct pair_cand *cd;
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *t = c->trial[k];

		if (!t || age(now, t->last) > REACT ||
		    before(t->last, s->prev) ||
		    age(t->last, s->prev) < 3 * REACT)
			continue;
		cd = cand_of(t, c);
		if (cd->reacted == CAP_REACTED)
			continue;
		cd->reacted++;
		cand_score(cd, 2);
	}
}

/* ---- events ---- */

static void deliver(struct pair_group *g, struct pair_trial *t, u32 now,
		    struct pair_act *act)
{
	struct pair_cand *b = best_of(t);
	int i, most = min_t(int, g->cfg->copies, PAIR_COPY_MAX);

	act->verdict = PAIR_DROP;
	if (!b) {
		g->unknown++;
		return;
	}
	if (t->nc > 1 && g->cfg->strict) {
		g->dropped_strict++;
		return;
	}
	act->verdict = PAIR_DELIVER;
	act->to = b->c;
	if (b->ask && b->ask->answer == t)
		return;
	for (i = 0; i < t->nc && act->n_copy < most; i++) {
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

/* The answer to the only question there is tells how long one takes. */
static void first_answer(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_cand *b = best_of(t);

	if (!b || !b->ask || b->ask->n != 1 || t->nc != 1)
		return;
	t->rtt = age(now, b->ask->first);
	if (b->ask->answer == t && g->opener == b->c) {
		rtt_learn(g, t->rtt);
		t->rtt = PAIR_NEVER;
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
		act_pin(act, t->owner, t->slot, true);
		open_next(g, now, act);
		return;
	}
	if (t) {
		arrive(g, t, now);
	} else {
		t = trial_new(g, spi, seq, now);
		if (!t) {
			g->dropped_limit++;
			act->verdict = PAIR_DROP;
			return;
		}
		gather(g, t, now);
		first_answer(g, t, now);
	}
	deliver(g, t, now, act);
	b = leader(g, t);
	if (b)
		settle(g, t, b, seq, now, act);
	expire(g, now);
	open_next(g, now, act);
}

static void out_unanswered(struct pair_group *g, struct pair_client *c,
			   struct pair_spi *s, u32 now, struct pair_act *act)
{
	if (must_hold(g, c, s, now)) {
		if (list_empty(&c->wait))
			list_add_tail(&c->wait, s->n || started(c) ? g->waiting.next :
				      &g->waiting);
		g->held++;
		act->verdict = PAIR_HOLD;
		return;
	}
	if (g->cfg->hold && !g->opener && !s->answer && s->state == PAIR_NEW)
		open_for(g, c, now);
	note_sent(g, c, s, now);
	reacted(c, s, now);
	if (s->state == PAIR_ONEWAY && s->n >= ONEWAY_PIN)
		act_pin(act, c, s, false);
}

void pair_out(struct pair_group *g, struct pair_client *c, u32 spi, u32 seq,
	      u32 now, struct pair_act *act)
{
	struct pair_spi *s = slot_of(c->out, PAIR_OUT_SLOTS, spi);

	act_clear(act);
	expire(g, now);
	if (!s) {
		s = slot_take(g, c, false, spi, now, act);
		s->fresh = seq <= SEQ_FRESH;
		s->state = PAIR_NEW;
	}
	s->seq = seq;
	if (s->state == PAIR_SETTLED) {
		s->seen = now;
		act_pin(act, c, s, false);
	} else {
		out_unanswered(g, c, s, now, act);
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
		at = patience(g, c);
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

	INIT_LIST_HEAD(&c->wait);
	INIT_LIST_HEAD(&c->pend);
	INIT_LIST_HEAD(&c->evid);
	for (i = 0; i < PAIR_ROOM; i++)
		list_add_tail(&c->room[i].node, &g->room);
	list_add_tail(&c->node, &g->clients);
	if (!g->n_clients++)
		g->tok_at = now;
}

void pair_client_del(struct pair_group *g, struct pair_client *c, u32 now,
		     struct pair_act *act)
{
	struct pair_trial *t;
	int i;

	act_clear(act);
	for (i = 0; i < PAIR_TRIAL_OF; i++) {
		t = c->trial[i];
		if (t)
			cand_del(g, t, (int)(cand_of(t, c) - t->cand));
	}
	for (i = 0; i < PAIR_IN_SLOTS; i++) {
		t = trial_find(g, c->in[i].spi);
		if (t && t->slot == &c->in[i]) {
			t->slot = NULL;
			trial_end(g, t);
		}
	}
	for (i = 0; i < PAIR_ROOM; i++) {
		t = &c->room[i];
		if (t->used)
			trial_end(g, t);
		list_del_init(&t->node);
	}
	list_del_init(&c->node);
	list_del_init(&c->wait);
	list_del_init(&c->pend);
	list_del_init(&c->evid);
	c->where = NULL;
	g->n_clients--;
	if (g->opener == c)
		g->opener = NULL;
	open_next(g, now, act);
}
