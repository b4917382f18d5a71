// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: which client an inbound SPI belongs to. Called by
 * the helper's kernel face, see pair.h for what it may rely on.
 *
 * Prevention: clients take turns. One that has sent on a new SPI, or that IKE
 * saw make an SA, has its turn until something comes that may be its; who
 * receives nothing yet waits for that. So most answers have one possible owner.
 *
 * Every inbound SPI is a trial first: the few clients it may belong to, and a
 * score for each. One that leads is "linked": it gets the packets, its question
 * counts as answered, the next may take its turn. Without one, packets are
 * copied to all candidates. One that leads clearly, and has for a while, is
 * settled: the SPI gets its pin.
 *
 * With IKE in sight (see evident()) only clients that have made an SA which
 * nothing has come for are candidates. What has come for one is not another's:
 * as the others are settled, one is left.
 *
 * What cannot be decided without: an SA that the gateway uses first towards a
 * client that never sends on it, when several clients are as quiet as that one.
 */
#include "pair.h"

/*
 * A new SA counts from 1 (RFC 4303 2.2). Its first packets may be lost on
 * the way here, hardly more of them than this.
 */
#define SEQ_FRESH	64
/* *last may lag by a tick (10 ms at HZ=100), and paths reorder a little. */
#define SLACK		12
#define CONSIDER	8	/* list entries looked at per event */
#define LEFT_SURE	4	/* the same for the last of all clients */
#define GAIN_MAX	5
#define GAIN_SURE	3	/* more answers in time than any rival */
#define LONE_SURE	2	/* arrivals that settle what nobody else asked for */
#define TRIES		2	/* unanswered starts before it is one-way */
#define RECENT		5000	/* a silence longer than this tells nothing */
#define BUSY		300	/* sent on another SPI so lately: mid-transfer */
#define TRIALS_MAX	512
#define VOLUME		16	/* arrivals after which both ways are compared */
#define ROTATE		1000	/* between changes of who gets copies in vain */
#define DITHER_FROM	2	/* arrivals before packets are held back */
#define SHIFTS		3	/* answers to packets held back, to compare */
#define ACTIVE		2000	/* received something so lately */
#define JUST_NOW	120	/* silent since so little before: because of it */
#define LATELY		1500	/* silent since before that: idle, more likely */
#define STALE		3000	/* no claim for what comes in another's turn */
#define AUDIT		3000	/* not settled by then: may be another's */
#define RTT_COLD	25	/* what the first answers may be too slow by */
#define RTT_SLACK	6	/* between what the clock shows of equal times */
#define RTT_SURE	8	/* answers timed before one is too quick */
#define GUARD		150	/* a turn takes at least, until then */
#define ONEWAY_SURE	16	/* packets before it is hardly considered */
#define ONEWAY_PIN	32	/* and before it gets its pin */

#define COPY_RATE	500	/* per second */
#define COPY_BURST	500
#define SCAN_RATE	50
#define SCAN_BURST	50

enum {
	SCORE_EVIDENT	= 10,	/* ... and it asks for it */
	SCORE_EVIDENCE	= 8,	/* IKE has just made an SA for it */
	SCORE_ASKED	= 4,	/* sends on a new SPI, time for an answer */
	SCORE_FOLLOWED	= 3,	/* sent on a new SPI soon after the arrival */
	SCORE_LATE	= 2,	/* asked, not at a likely time */
	SCORE_MAYBE	= 1,
	SCORE_GUESS	= 0,	/* nothing but silence speaks for it */
	SCORE_UNSEEN	= 1,	/* of whoever was not thought of */
	SCORE_SETTLE	= 6,
	RIVALS		= 2,	/* more, when there was choice */
	SCORE_LEAD	= 3,
	SCORE_OUT	= -6,
	SCORE_MAX	= 16,
};

/*
 * Periodic traffic repeats its coincidences, so that the same observation
 * counts for a candidate only so many times. Against it, always.
 */
#define CAP_TIMELY	2
#define CAP_SHIFTS	3
#define CAP_VOLUME	2

#define CAND_EVIDENCE	1
#define CAND_MISSED	8	/* it came, but not as an answer to the last asked */
#define CAND_IN_TURN	4	/* and it had just asked */
#define CAND_MOVED_ON	2	/* its old SPI was seen in use since */

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
	/* the first answers are slow for reasons of their own: ARP, cold caches */
	u32 early = g->rtt_n < RTT_SURE ? max_t(u32, g->rtt_lo / 2, RTT_COLD) :
					  g->rtt_lo / 8 + RTT_SLACK;

	return ms + early >= g->rtt_lo;
}

static u32 rtt_slow(const struct pair_group *g)
{
	return g->rtt_n ? max_t(u32, g->rtt_hi + g->rtt_hi / 4 + 10, 80) : 200;
}

/* Low and high end of what is usual; the low end rises in small steps. */
static void rtt_learn(struct pair_group *g, u32 ms)
{
	if (g->rtt_n >= RTT_SURE && ms > 2 * g->rtt_hi + RTT_COLD)
		return;
	if (!g->rtt_n) {
		g->rtt_lo = ms;
		g->rtt_hi = ms;
	}
	if (ms < g->rtt_lo) {
		g->rtt_lo -= (g->rtt_lo - ms + 3) / 4;
	} else if (g->rtt_n < RTT_SURE) {
		g->rtt_lo += (ms - g->rtt_lo) / 4;
	} else if (ms > g->rtt_lo && ++g->rtt_rise == 8) {
		g->rtt_lo++;
		g->rtt_rise = 0;
	}
	if (ms > g->rtt_hi)
		g->rtt_hi += (ms - g->rtt_hi + 3) / 4;
	else
		g->rtt_hi -= (g->rtt_hi - ms) / 32;
	if (g->rtt_n < RTT_SURE)
		g->rtt_n++;
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

/* ... and none has been found to answer it so far. */
static bool wants(const struct pair_spi *s)
{
	return asks(s) && !s->answer && !s->paid;
}

static void relist(struct pair_group *g, struct pair_client *c)
{
	bool open = false, taken = false, weak = false;
	struct list_head *to = NULL;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		open |= wants(&c->out[i]);
		taken |= asks(&c->out[i]);
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

/* The lists have who asked last at their end. */
static void relist_last(struct pair_client *c)
{
	list_del_init(&c->pend);
	list_add_tail(&c->pend, c->where);
}

/* ---- trials: storage ---- */

static struct pair_trial **bucket(struct pair_group *g, u32 spi)
{
	return &g->hash[(spi * 0x9e3779b1u) >> 26];
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
	t->rotated = now;
	t->owner = NULL;
	t->n = 1;
	t->nc = 0;
	t->used = true;
	t->any = false;
	t->rivals = false;
	t->partial = false;
	t->all = false;
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

/* What IKE says stands: traffic can speak for a client, hardly against it. */
static void cand_score(struct pair_cand *cd, int by)
{
	int score = cd->score + by;

	if (cd->flags & CAND_EVIDENCE)
		score = clamp_t(int, score, cd->base, cd->base + GAIN_MAX);
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
	c->trial[worst]->partial = true;
	cand_del(g, c->trial[worst], (int)(cd - c->trial[worst]->cand));
	return worst;
}

static bool cand_room(struct pair_group *g, struct pair_trial *t, int score)
{
	int i, low = 0;

	if (t->nc < PAIR_CANDS)
		return true;
	for (i = 1; i < t->nc; i++)
		if (t->cand[i].score < t->cand[low].score)
			low = i;
	t->partial = true;
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
		cd->base = (s8)max_t(int, cd->base, score);
		return;
	}
	if (!cand_room(g, t, score))
		return;
	k = client_room(g, c, score);
	if (k < 0) {
		t->partial = true;
		return;
	}
	c->trial[k] = t;
	cd = &t->cand[t->nc++];
	memset(cd, 0, sizeof(*cd));
	cd->c = c;
	cd->ask = ask;
	cd->score = (s8)score;
	cd->base = (s8)score;
	cd->asked = ask && score >= SCORE_ASKED;
}

/* ---- trials: who may it be ---- */

enum succession { UNKNOWN, SILENT, MOVED_ON };

struct history {
	enum succession is;
	u32 when;		/* SILENT: since */
	bool goes_on;
};

/* One SPI that a client receives on, against a trial that began at @since. */
static void compare(struct history *h, u32 last, u32 since)
{
	if (before(since + SLACK, last)) {
		h->goes_on = true;
	} else if (age(since, last) <= LATELY &&
		   (h->is != SILENT || before(h->when, last))) {
		h->is = SILENT;
		h->when = last;
	}
}

/* What has become of the client's other SPIs since the trial began? One that
 * fell silent just then is what the new one takes over from; one that did so
 * long before, while another goes on, was taken over from by that.
 */
static struct history succession(const struct pair_client *c,
				 const struct pair_trial *t)
{
	struct history h = { UNKNOWN, 0, false };
	int i;

	for (i = 0; c->n_in && i < PAIR_IN_SLOTS; i++)
		if (c->in[i].state == PAIR_SETTLED)
			compare(&h, slot_last(&c->in[i]), t->first);
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].state == PAIR_NEW && c->out[i].answer &&
		    c->out[i].answer != t)
			compare(&h, c->out[i].answer->last, t->first);
	if (h.goes_on && (h.is != SILENT || age(t->first, h.when) > JUST_NOW))
		h.is = MOVED_ON;
	return h;
}

/* Was the last packet sent on its own, and is it time for an answer to it? */
static bool alone(const struct pair_group *g, const struct pair_spi *s, u32 now)
{
	return age(s->seen, s->prev) > rtt_slow(g) &&
		age(now, s->seen) <= rtt_slow(g) &&
		rtt_plausible(g, age(now, s->seen));
}

/* An answer comes a while after the first packet, or one sent on its own. */
static bool in_time(const struct pair_group *g, const struct pair_trial *t,
		    const struct pair_spi *s)
{
	if (before(t->first, s->seen))
		return false;
	return age(t->first, s->first) <= rtt_slow(g) || alone(g, s, t->first);
}

/* How well the trial's first packet fits as the answer to this SPI. */
static int ask_score(const struct pair_group *g, const struct pair_trial *t,
		     const struct pair_spi *s)
{
	if (s->state == PAIR_ONEWAY) {
		if (s->n >= ONEWAY_SURE)
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

/*
 * A new SA is new both ways. After state was lost the two counters may stand
 * anywhere: looked at when nobody else has asked.
 */
static bool fits(const struct pair_trial *t, const struct pair_spi *s)
{
	return t->any || s->fresh == t->fresh;
}

/* Is the client a candidate elsewhere for having asked this? */
static bool used_elsewhere(const struct pair_client *c,
			   const struct pair_spi *s, const struct pair_trial *t)
{
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++)
		if (c->trial[k] && c->trial[k] != t &&
		    cand_of(c->trial[k], c)->ask == s)
			return true;
	return false;
}

/* Which of several questions is answered is unknown: one that is free. */
static struct pair_spi *free_ask(struct pair_client *c,
				 const struct pair_trial *t)
{
	struct pair_spi *s, *ask = NULL;
	int i, rank, best = 0;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (!fits(t, s) || s->paid)
			continue;
		if (s->state == PAIR_ONEWAY)
			rank = 2;
		else if (!asks(s))
			continue;
		else if (s->answer && s->answer != t)
			rank = 1;
		else
			rank = used_elsewhere(c, s, t) ? 3 : 4;
		if (rank > best) {
			best = rank;
			ask = s;
		}
	}
	return ask;
}

/* Adds a client that sends on SPIs this could be the answer to. */
static void add_client(struct pair_group *g, struct pair_trial *t,
		       struct pair_client *c, u32 now, int cap)
{
	struct pair_spi *s, *ask = free_ask(c, t);
	int i, score, best = -1;

	if (!ask)
		return;
	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (!fits(t, s) || (!asks(s) && s->state != PAIR_ONEWAY))
			continue;
		score = ask_score(g, t, s);
		if (t->n > 1 && score < SCORE_LATE && asks(s) &&
		    alone(g, s, now))
			score = SCORE_LATE;
		best = max(best, score);
	}
	if (ask->answer && ask->answer != t)
		best = min_t(int, best, SCORE_LATE);
	best = min(best, cap);
	if (c->ike && !c->n_evid && t->fresh)
		best = min_t(int, best, SCORE_MAYBE);
	if (best >= SCORE_ASKED || cand_of(t, c) ||
	    succession(c, t).is != MOVED_ON)
		cand_add(g, t, c, ask, best);
}

static void add_list(struct pair_group *g, struct pair_trial *t,
		     struct list_head *h, u32 now, int most, int cap)
{
	struct list_head *p;
	int n = 0;

	for (p = h->prev; p != h && n < most; p = p->prev, n++)
		add_client(g, t, list_entry(p, struct pair_client, pend), now,
			   cap);
}

/*
 * Those who asked, got nothing, and have been quiet since: who only receives
 * is like that, once it does.
 */
static void add_quiet(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	struct pair_spi *s;
	int n = 0;

	list_for_each_entry(c, &g->weak, pend) {
		if (n++ == CONSIDER)
			break;
		s = free_ask(c, t);
		if (s && s->n < ONEWAY_SURE && age(now, s->seen) > ACTIVE)
			cand_add(g, t, c, s, SCORE_LATE);
	}
}

/* Does it lead alone? */
static bool leads(const struct pair_trial *t, const struct pair_client *c)
{
	int i, own = SCORE_OUT, most = SCORE_OUT;

	for (i = 0; i < t->nc; i++) {
		if (t->cand[i].c == c)
			own = t->cand[i].score;
		else
			most = max_t(int, most, t->cand[i].score);
	}
	return own > most;
}

/* IKE saw it make an SA, and nothing but @t has come that is likely to be it. */
static bool expects(const struct pair_client *c, const struct pair_trial *t)
{
	int k, n = c->n_evid;

	for (k = 0; n && k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *o = c->trial[k];

		if (o && o != t && cand_of(o, c)->flags & CAND_EVIDENCE &&
		    leads(o, c))
			n--;
	}
	return n;
}

/* IKE saw it make an SA that nothing has come for. Has it asked for that? */
static void add_evident_one(struct pair_group *g, struct pair_trial *t,
			    struct pair_client *c, u32 now)
{
	struct pair_spi *ask = free_ask(c, t);
	struct pair_cand *cd;
	int score;

	if (ask && (!asks(ask) || before(t->first, ask->first) ||
		    (age(t->first, ask->first) > rtt_slow(g) &&
		     age(t->first, c->turn) > rtt_slow(g))))
		ask = NULL;
	if (!expects(c, t))
		score = ask ? SCORE_ASKED : SCORE_LATE;
	else if (ask)
		score = SCORE_EVIDENT;
	else if (age(now, c->evid_at) <= g->cfg->open_ms)
		score = SCORE_EVIDENCE;
	else
		score = age(now, c->evid_at) <= g->cfg->evidence_ms ?
			SCORE_ASKED : SCORE_LATE;
	cand_add(g, t, c, ask, score);
	cd = cand_of(t, c);
	if (!cd)
		return;
	cd->flags |= CAND_EVIDENCE | (ask ? CAND_IN_TURN : 0);
	if (ask && t->n == 1)
		cd->took_first = min(age(t->first, ask->first),
				     age(t->first, c->turn));
}

/* The latest of them, and those who have asked. */
static void add_evident(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	struct list_head *p;
	int n = 0;

	t->partial = false;
	for (p = g->evid.prev; p != &g->evid && n < CONSIDER; p = p->prev, n++)
		add_evident_one(g, t, list_entry(p, struct pair_client, evid),
				now);
	if (p != &g->evid) {
		c = list_entry(p, struct pair_client, evid);
		t->partial = age(now, c->evid_at) <= g->cfg->evidence_ms;
	}
	n = 0;
	for (p = g->pending.prev; p != &g->pending && n < CONSIDER;
	     p = p->prev, n++) {
		c = list_entry(p, struct pair_client, pend);
		if (c->n_evid)
			add_evident_one(g, t, c, now);
	}
}

/* So few that all of them can have a copy: who goes on as before drops out. */
static void consider_all(struct pair_group *g, struct pair_trial *t)
{
	struct pair_client *c;

	t->all = true;
	list_for_each_entry(c, &g->clients, node) {
		if (cand_of(t, c) || succession(c, t).is == MOVED_ON)
			continue;
		cand_add(g, t, c, NULL, SCORE_GUESS);
		if (!cand_of(t, c))
			t->all = false;
	}
}

/* The best candidate's question counts as answered if no other comes near. */
static void link_answer(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = best_of(t), *cd;
	bool sole = b && b->score >= SCORE_ASKED;
	int i;

	for (i = 0; i < t->nc; i++) {
		if (&t->cand[i] == b)
			continue;
		if (t->cand[i].score + 2 > b->score)
			sole = false;
		if (t->cand[i].score >= SCORE_ASKED)
			t->rivals = true;
	}
	for (i = 0; i < t->nc; i++) {
		cd = &t->cand[i];
		if (!cd->ask)
			continue;
		if (cd == b && sole && !cd->ask->answer) {
			cd->ask->answer = t;
			g->corrected += t->owner && t->owner != cd->c;
			t->owner = cd->c;
			if (cd->ask->state == PAIR_ONEWAY && !cd->ask->priv)
				cd->ask->state = PAIR_NEW;
		} else if ((cd != b || !sole) && cd->ask->answer == t) {
			cd->ask->answer = NULL;
		} else {
			continue;
		}
		relist(g, cd->c);
	}
}

/* Takes back that @o answers this client, if it only just did. */
static bool unlink_late(struct pair_group *g, struct pair_client *c,
			struct pair_trial *o, const struct pair_trial *t)
{
	struct pair_cand *cd = o && o != t ? cand_of(o, c) : NULL;

	if (!cd || !cd->ask || cd->ask->answer != o ||
	    age(t->first, o->first) > rtt_slow(g))
		return false;
	if (cd->score > SCORE_FOLLOWED)
		cd->score = SCORE_FOLLOWED;
	cd->ask->answer = NULL;
	relist(g, c);
	return true;
}

/*
 * Something came that nobody asked for. One of the latest answers may have
 * been mistaken for one: those are in doubt now, and this may be theirs.
 */
static void dispute(struct pair_group *g, struct pair_trial *t)
{
	struct pair_client *c[2];
	struct list_head *p;
	bool late;
	int n = 0, k;

	for (p = g->taken.prev; p != &g->taken && n < 2; p = p->prev)
		c[n++] = list_entry(p, struct pair_client, pend);
	while (n--) {
		late = false;
		for (k = 0; k < PAIR_TRIAL_OF; k++)
			late |= unlink_late(g, c[n], c[n]->trial[k], t);
		if (late)
			add_client(g, t, c[n], t->first, SCORE_LATE);
	}
}

static void add_asking(struct pair_group *g, struct pair_trial *t, u32 now)
{
	if (g->opener)
		add_client(g, t, g->opener, now, SCORE_ASKED);
	add_list(g, t, &g->pending, now, CONSIDER, SCORE_ASKED);
}

static void gather(struct pair_group *g, struct pair_trial *t, u32 now)
{
	if (g->n_clients == 1) {
		struct pair_client *c = list_first_entry(&g->clients,
							 struct pair_client,
							 node);
		add_client(g, t, c, now, SCORE_ASKED);
		cand_add(g, t, c, NULL, SCORE_SETTLE);
		if (t->fresh && c->n_evid)
			t->cand[0].flags |= CAND_EVIDENCE;
		link_answer(g, t);
		return;
	}
	if (t->fresh)
		add_evident(g, t, now);
	add_asking(g, t, now);
	if (!t->nc && !t->any) {
		t->any = true;
		add_asking(g, t, now);
	}
	if (best_score(t) < SCORE_ASKED && t->n == 1)
		dispute(g, t);
	if (t->n == 1 || best_score(t) < SCORE_ASKED)
		add_list(g, t, &g->weak, now, CONSIDER, SCORE_LATE);
	if (t->n > 1 && best_score(t) < SCORE_ASKED)
		add_quiet(g, t, now);
	if (best_score(t) < SCORE_ASKED &&
	    g->n_clients <= 1u + g->cfg->copies)
		consider_all(g, t);
	link_answer(g, t);
}

/* ---- opening: one start at a time ---- */

static u32 open_time(const struct pair_group *g)
{
	u32 ms = g->rtt_n ? rtt_slow(g) + 10 : g->cfg->open_ms;

	return min(ms, g->cfg->open_ms);
}

static void open_for(struct pair_group *g, struct pair_client *c, u32 now)
{
	list_del_init(&c->wait);
	g->opener = c;
	c->turn = now;
	g->open_at = now;
	g->open_new = 0;
	g->open_until = now + open_time(g);
	if (c->n_evid && before(g->open_until, c->evid_at + g->cfg->open_ms))
		g->open_until = c->evid_at + g->cfg->open_ms;
}

/* A packet on an unanswered SPI goes out now. */
static void note_sent(struct pair_group *g, struct pair_client *c,
		      struct pair_spi *s, u32 now)
{
	if (!s->n)
		s->first = now;
	s->prev = s->n ? s->seen : now - RECENT;
	s->seen = now;
	s->held = false;
	s->shift = 0;
	if (s->n < 0xffff)
		s->n++;
	relist(g, c);
	if (c->where && age(now, s->prev) > rtt_slow(g))
		relist_last(c);
}

/*
 * Receives something, so holding it for long would disturb what works. One
 * whose SPIs have all fallen silent starts anew, like all clients do when the
 * gateway was restarted.
 */
static bool started(const struct pair_client *c, u32 now)
{
	const struct pair_spi *s;
	int i;

	for (i = 0; c->n_in && i < PAIR_IN_SLOTS; i++)
		if (c->in[i].state == PAIR_SETTLED &&
		    age(now, slot_last(&c->in[i])) < ACTIVE)
			return true;
	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (s->state == PAIR_NEW && s->answer &&
		    age(now, s->answer->last) < ACTIVE)
			return true;
	}
	return false;
}

/* It is its turn: the clock of this question starts now. */
static void ask_anew(struct pair_spi *s)
{
	if (s->answer || s->paid)
		return;
	s->n = 0;
	if (s->state == PAIR_ONEWAY && !s->priv)
		s->state = PAIR_NEW;
}

static void release(struct pair_group *g, struct pair_client *c, u32 now,
		    bool shifted, struct pair_act *act)
{
	int i;

	list_del_init(&c->wait);
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].held) {
			if (!shifted && !started(c, now))
				ask_anew(&c->out[i]);
			note_sent(g, c, &c->out[i], now);
			if (shifted)
				c->out[i].shift = (u16)age(now, c->since);
		}
	act->release = c;
}

/* Packets that were held may go: a delayed one, or the next start. */
static void release_next(struct pair_group *g, u32 now, struct pair_act *act)
{
	struct pair_client *c;

	if (act->release)
		return;
	if (!list_empty(&g->delayed)) {
		c = list_first_entry(&g->delayed, struct pair_client, wait);
		if (!before(now, c->due)) {
			release(g, c, now, true, act);
			return;
		}
	}
	if (g->opener || list_empty(&g->waiting))
		return;
	c = list_first_entry(&g->waiting, struct pair_client, wait);
	if (c->n_evid || !started(c, now))
		open_for(g, c, now);
	release(g, c, now, false, act);
}

/*
 * Several questions of a client may be open, and which of them was answered
 * is unknown: they are done with when as many answers are settled.
 */
static void all_paid(struct pair_client *c)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (asks(&c->out[i]) && !c->out[i].paid)
			return;
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (asks(&c->out[i]))
			c->out[i].state = PAIR_SETTLED;
}

/* When this question is given up: sooner if it was asked several times. */
static u32 patience(const struct pair_group *g, const struct pair_spi *s)
{
	return s->first + g->cfg->open_ms * (s->n < TRIES ? 20 : 4);
}

/* Those who wait in vain are taken for one-way. */
static void give_up(struct pair_group *g, struct pair_client *c, u32 now)
{
	struct pair_spi *s;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (!wants(s) || s->held ||
		    (s->tries < TRIES && before(now, patience(g, s))))
			continue;
		s->state = PAIR_ONEWAY;
		g->oneway++;
	}
	all_paid(c);
	relist(g, c);
}

static bool all_linked(const struct pair_client *c)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (wants(&c->out[i]))
			return false;
	return true;
}

/* When the first of its questions is given up. */
static u32 give_up_at(const struct pair_group *g, const struct pair_client *c,
		      u32 now)
{
	u32 at, soonest = now + g->cfg->open_ms * 20;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		if (!wants(&c->out[i]) || c->out[i].held)
			continue;
		at = patience(g, &c->out[i]);
		if (before(at, soonest))
			soonest = at;
	}
	return soonest;
}

/* Nothing came while it was this client's turn. */
static void turn_over(struct pair_group *g, struct pair_client *c, u32 now)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (wants(&c->out[i]))
			c->out[i].tries++;
	give_up(g, c, now);
}

/*
 * Its turn is over once it has its answers. As long as nobody knows how long
 * these take something else may have come first: then a while later.
 */
static bool may_close(const struct pair_group *g, u32 now)
{
	if (g->opener->n_evid)
		return !expects(g->opener, NULL);
	return all_linked(g->opener) &&
		(g->rtt_n >= RTT_SURE || age(now, g->open_at) >= GUARD);
}

static void expire(struct pair_group *g, u32 now)
{
	struct pair_client *c = g->opener;
	int n = 0;

	if (c && (may_close(g, now) || !before(now, g->open_until))) {
		if (g->open_new == 1)
			rtt_learn(g, g->open_took);
		g->opener = NULL;
		if (!all_linked(c))
			turn_over(g, c, now);
	}
	while (!list_empty(&g->pending) && n++ < CONSIDER) {
		c = list_first_entry(&g->pending, struct pair_client, pend);
		if (before(now, give_up_at(g, c, now)))
			break;
		give_up(g, c, now);
		if (c->where == &g->pending)
			relist_last(c);
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
	if (c->n_evid)
		return wants(s) || !s->n;
	if (s->n)
		return s->state == PAIR_NEW && !s->answer && !s->paid &&
			!started(c, now);
	return !(started(c, now) && busy(c, now));
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

/*
 * Who has asked is not rivalled by who has not: askers are let through one at
 * a time.
 */
static bool has_rival(const struct pair_trial *t, const struct pair_cand *b,
		      int least)
{
	int i;

	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c != b->c && t->cand[i].score >= least)
			return true;
	return t->partial && least < SCORE_EVIDENCE;
}

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

/* One question has one answer: no other trial is about it any more. */
static void ask_done(struct pair_group *g, struct pair_client *c,
		     struct pair_spi *ask, struct pair_act *act)
{
	struct pair_spi *other;
	struct pair_cand *cd;
	int k;

	ask->paid = true;
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->ask != ask)
			continue;
		other = free_ask(c, c->trial[k]);
		if (other)
			cd->ask = other;
		else
			cand_del(g, c->trial[k], (int)(cd - c->trial[k]->cand));
	}
	ask->answer = NULL;
	all_paid(c);
	if (ask->state == PAIR_SETTLED)
		act_pin(act, c, ask, false);
	relist(g, c);
}

/* All that IKE saw it make has come: nothing else is its for that reason. */
static void not_evident(struct pair_group *g, struct pair_client *c)
{
	struct pair_cand *cd;
	int k;

	list_del_init(&c->evid);
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->flags & CAND_EVIDENCE)
			cand_del(g, c->trial[k], (int)(cd - c->trial[k]->cand));
	}
}

static void settle(struct pair_group *g, struct pair_trial *t,
		   const struct pair_cand *b, u32 seq, u32 now,
		   struct pair_act *act)
{
	struct pair_client *c = b->c;
	struct pair_spi *ask = b->ask, *s;

	count_settled(g, t, b);
	if (b->flags & CAND_EVIDENCE && b->base >= SCORE_EVIDENT)
		rtt_learn(g, b->took_first);
	if (c->n_evid && t->fresh && !--c->n_evid)
		not_evident(g, c);
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

/*
 * It came when one client alone waited for an answer, and nobody else has come
 * into question since: to have others in doubt takes more than that they send.
 */
static bool unrivalled(const struct pair_trial *t)
{
	const struct pair_cand *b = &t->cand[0];

	return t->nc == 1 && !t->rivals && b->ask && b->ask->answer == t &&
	       b->score >= SCORE_ASKED;
}

/* There was choice, and it is not long that there is none. */
static bool contested(const struct pair_trial *t)
{
	return t->rivals && (t->nc > 1 || age(t->last, t->first) < 2 * RECENT);
}

/* What traffic has added to what IKE says of this client, best rival last. */
static int gain(const struct pair_trial *t, const struct pair_cand *b)
{
	int i, rival = 0;

	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c != b->c)
			rival = max(rival, t->cand[i].score - t->cand[i].base);
	return b->score - b->base - rival;
}

/* Most that traffic says for the client in other trials. */
static int gain_elsewhere(const struct pair_cand *b, const struct pair_trial *t)
{
	struct pair_cand *cd;
	int k, most = 0;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!b->c->trial[k] || b->c->trial[k] == t)
			continue;
		cd = cand_of(b->c->trial[k], b->c);
		most = max(most, cd->score - cd->base);
	}
	return most;
}

/* More has come that may be this client's than IKE saw it make. */
static bool disputed(const struct pair_trial *t, const struct pair_cand *b)
{
	struct pair_client *c = b->c;
	struct pair_cand *cd;
	int k, n = 1;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k] || c->trial[k] == t)
			continue;
		cd = cand_of(c->trial[k], c);
		n += cd->base >= SCORE_EVIDENCE ||
			(cd->flags & CAND_IN_TURN &&
			 cd->score == best_score(c->trial[k]));
	}
	return n > c->n_evid;
}

/*
 * It has just made an SA, and of all others what IKE saw has come, too, or is
 * long overdue.
 */
static bool only_fresh(const struct pair_group *g, const struct pair_trial *t,
		       const struct pair_cand *b)
{
	const struct pair_client *c;
	int i;

	if (b->base < SCORE_EVIDENCE || !expects(b->c, t) ||
	    age(t->first, b->c->evid_at) > g->cfg->open_ms)
		return false;
	for (i = 0; i < t->nc; i++) {
		c = t->cand[i].c;
		if (c != b->c && expects(c, t) &&
		    age(t->first, c->evid_at) <= STALE)
			return false;
	}
	return true;
}

/*
 * The one client for which IKE explains it; of several, the one whose packets
 * are answered by this, time and again, and by nothing else.
 */
static bool evident(const struct pair_group *g, const struct pair_trial *t,
		    const struct pair_cand *b)
{
	int least = b->base >= SCORE_EVIDENT ? SCORE_EVIDENCE :
		b->base >= SCORE_EVIDENCE ? SCORE_ASKED : SCORE_LATE;

	if (t->nc == 1 && !t->partial && b->base >= SCORE_ASKED)
		return true;
	if (only_fresh(g, t, b))
		return true;
	if (age(t->last, t->first) <= rtt_slow(g))
		return false;
	if (age(t->last, t->first) < AUDIT) {
		if (b->score == b->base && has_rival(t, b, SCORE_ASKED))
			return false;
	} else if (b->base >= SCORE_EVIDENCE && !b->c->n_in &&
		   !(b->flags & CAND_MISSED)) {
		least = SCORE_EVIDENCE;
	}
	if (has_rival(t, b, least) || disputed(t, b) || gain(t, b) < 0 ||
	    b->flags & CAND_MISSED)
		return t->n > 1 && gain(t, b) >= GAIN_SURE &&
			gain(t, b) >= gain_elsewhere(b, t) + GAIN_SURE;
	if (b->base >= (b->c->n_in ? SCORE_EVIDENT : SCORE_EVIDENCE))
		return true;
	return t->n > LONE_SURE && !succession(b->c, t).goes_on;
}

/* Best candidate, when it leads clearly. */
static struct pair_cand *leader(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = best_of(t);
	int ahead;

	if (b && b->flags & CAND_EVIDENCE && g->n_clients > 1)
		return evident(g, t, b) ? b : NULL;
	if (b && t->n >= LONE_SURE && unrivalled(t))
		return b;
	if (b && t->all && t->nc == 1 && t->n >= LEFT_SURE)
		return b;
	if (!b || b->score < SCORE_SETTLE + (contested(t) ? RIVALS : 0))
		return NULL;
	if (g->n_clients == 1)
		return t->n > 1 || b->flags & CAND_EVIDENCE ? b : NULL;
	if (t->n == 1 && !(b->flags & CAND_EVIDENCE))
		return NULL;
	ahead = lead(t, b->c);
	if (ahead < SCORE_LEAD || ahead < sibling_lead(b, t) + SCORE_LEAD)
		return NULL;
	return b;
}

/* ---- evidence while undecided ---- */

/*
 * Does an arrival fit what was last sent on this SPI? -1, 0 or 1. Says
 * nothing where packets follow each other closely, either way.
 */
static int timing(const struct pair_group *g, const struct pair_trial *t,
		  const struct pair_spi *s, u32 now)
{
	u32 since = age(now, s->seen);

	if (age(now, t->last) <= rtt_slow(g))
		return 0;
	if (before(s->seen, t->last))
		return -1;
	if (age(s->seen, s->prev) < rtt_slow(g))
		return 0;
	return rtt_plausible(g, since) && since <= rtt_slow(g) ? 1 : -1;
}

static void widen(struct pair_range *r, u32 v)
{
	u16 x = (u16)min_t(u32, v, 0xffff);

	if (!r->n++) {
		r->lo = x;
		r->hi = x;
	}
	r->lo = min(r->lo, x);
	r->hi = max(r->hi, x);
}

/*
 * Packets are held back for random times while in doubt. The owner's answers
 * come as late after each; what comes of itself, or by another's questions,
 * is not moved by that.
 */
static void judge_shift(const struct pair_group *g, struct pair_cand *cd,
			const struct pair_spi *s, u32 since)
{
	int tight = 4 + g->rtt_lo / 16;

	widen(&cd->held, s->shift);
	widen(&cd->took, since);
	widen(&cd->both, since + s->shift);
	if (cd->held.n < SHIFTS || cd->held.hi - cd->held.lo < 3 * tight)
		return;
	if (cd->took.hi - cd->took.lo <= tight) {
		if (cd->shifts < CAP_SHIFTS) {
			cd->shifts++;
			cand_score(cd, 2);
		}
	} else if (cd->both.hi - cd->both.lo <= tight) {
		cand_score(cd, -2);
	} else if (cd->held.n < 2 * SHIFTS) {
		return;
	}
	cd->held.n = 0;
	cd->took.n = 0;
	cd->both.n = 0;
}

/* Which of the client's questions is answered is unknown: the best fits. */
static void judge_timing(const struct pair_group *g, const struct pair_trial *t,
			 struct pair_cand *cd, u32 now)
{
	const struct pair_spi *s = cd->c->out, *best = NULL;
	int i, fit = -2, f;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		if (s[i].priv || (!asks(&s[i]) && s[i].state != PAIR_ONEWAY))
			continue;
		f = timing(g, t, &s[i], now);
		if (f > fit) {
			fit = f;
			best = &s[i];
		}
	}
	if (fit == 1) {
		judge_shift(g, cd, best, age(now, best->seen));
		if (cd->timely == CAP_TIMELY && !(cd->flags & CAND_EVIDENCE))
			return;
		if (cd->timely < CAP_TIMELY)
			cd->timely++;
	}
	if (fit == 1)
		cd->flags &= ~CAND_MISSED;
	else if (fit == -1)
		cd->flags |= CAND_MISSED;
	if (fit == -1 && cd->flags & CAND_EVIDENCE)
		cd->score = cd->base;
	else if (fit > -2)
		cand_score(cd, fit);
}

/* Who sends nothing while so much arrives is less likely to receive it. */
static void judge_volume(struct pair_cand *cd, bool sole)
{
	if (cd->outs < VOLUME / 8)
		cand_score(cd, sole ? 1 : -1);
	else if (cd->outs >= VOLUME / 3 && cd->volume++ < CAP_VOLUME)
		cand_score(cd, 1);
	cd->outs = 0;
}

/* The owner's older SPI is not used any more. */
static void judge_silence(struct pair_trial *t, struct pair_cand *cd)
{
	if (cd->flags & CAND_MOVED_ON || succession(cd->c, t).is != MOVED_ON)
		return;
	cd->flags |= CAND_MOVED_ON;
	cand_score(cd, !cd->ask ? SCORE_OUT : cd->asked ? -1 : -3);
}

static void judge(struct pair_group *g, struct pair_trial *t, int i, u32 now)
{
	struct pair_cand *cd = &t->cand[i];

	judge_silence(t, cd);
	if (cd->ask)
		judge_timing(g, t, cd, now);
	if (t->n % VOLUME == 0)
		judge_volume(cd, t->nc == 1);
}

/*
 * What speaks against all alike speaks against none: only who falls behind
 * is out. Where nobody stands out, the last makes room for others at times.
 */
static void prune(struct pair_group *g, struct pair_trial *t, u32 now)
{
	int i, last = 0, top = best_score(t);

	for (i = t->nc - 1; i >= 0; i--) {
		if (top < SCORE_LATE && top > SCORE_OUT)
			t->cand[i].score += SCORE_LATE - top;
		if (!(t->cand[i].flags & CAND_EVIDENCE) &&
		    t->cand[i].score <= max_t(int, top, SCORE_LATE) + SCORE_OUT)
			cand_del(g, t, i);
	}
	if (t->nc < PAIR_CANDS || best_score(t) >= SCORE_ASKED ||
	    age(now, t->rotated) < ROTATE)
		return;
	t->rotated = now;
	for (i = 1; i < t->nc; i++)
		if (t->cand[i].score <= t->cand[last].score)
			last = i;
	cand_del(g, t, last);
}

static void arrive(struct pair_group *g, struct pair_trial *t, u32 now)
{
	int i;

	if (t->n < 0xffff)
		t->n++;
	if (t->n == 2)
		trial_move(t, &g->live);
	for (i = t->nc - 1; i >= 0; i--)
		judge(g, t, i, now);
	prune(g, t, now);
	if (best_score(t) < SCORE_ASKED) {
		gather(g, t, now);
	} else {
		if (age(now, t->last) > rtt_slow(g) && !unrivalled(t))
			add_list(g, t, &g->pending, now, CONSIDER / 2,
				 SCORE_LATE);
		link_answer(g, t);
	}
	t->last = now;
}

/* What a candidate sends while its case is open. */
static void count_out(struct pair_client *c)
{
	struct pair_cand *cd;
	int k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			continue;
		cd = cand_of(c->trial[k], c);
		if (cd->outs < 255)
			cd->outs++;
	}
}

/* ---- events ---- */

/* Copies to the best of the rest, to those who scored the same in turn. */
static void copies(struct pair_group *g, struct pair_trial *t, u32 now,
		   const struct pair_cand *b, int least,
		   struct pair_act *act)
{
	int most = min_t(int, g->cfg->copies, PAIR_COPY_MAX);
	int score = SCORE_MAX, next, i;

	for (; score >= least && act->n_copy < most; score = next) {
		next = SCORE_OUT;
		for (i = 0; i < t->nc && act->n_copy < most; i++) {
			struct pair_cand *cd = &t->cand[(i + t->n) % t->nc];

			if (cd->score < score)
				next = max_t(int, next, cd->score);
			if (cd->score != score || cd == b)
				continue;
			if (!take(g, &g->tok_copy, now)) {
				g->dropped_limit++;
				return;
			}
			act->copy[act->n_copy++] = cd->c;
			g->copies++;
		}
	}
}

/* The least score that gets copies: one who is sure gets it all, at first. */
static int copy_to(const struct pair_trial *t, const struct pair_cand *b,
		   u32 now)
{
	if (!b->ask || b->ask->answer != t)
		return SCORE_OUT + 1;
	return age(now, t->first) < AUDIT ? SCORE_ASKED : SCORE_LATE;
}

static void deliver(struct pair_group *g, struct pair_trial *t, u32 now,
		    struct pair_act *act)
{
	struct pair_cand *b = best_of(t);

	act->verdict = PAIR_DROP;
	if (!b) {
		g->unknown++;
	} else if (t->nc > 1 && g->cfg->strict) {
		g->dropped_strict++;
	} else {
		act->verdict = PAIR_DELIVER;
		act->to = b->c;
		copies(g, t, now, b, copy_to(t, b, now), act);
	}
}

/* Notes how long the client whose turn it is has waited for something new. */
static void time_answer(struct pair_group *g, const struct pair_trial *t,
			u32 now)
{
	if (!g->opener || g->opener->ike || !t->fresh)
		return;
	if (!g->open_new++)
		g->open_took = age(now, g->open_at);
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
		release_next(g, now, act);
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
		time_answer(g, t, now);
		gather(g, t, now);
	}
	deliver(g, t, now, act);
	b = leader(g, t);
	if (b)
		settle(g, t, b, seq, now, act);
	expire(g, now);
	release_next(g, now, act);
}

/*
 * Periodic traffic of several clients can stay in step, so that each of them
 * could own what arrives. Holding back a packet now and then, for less than
 * the way to the gateway and back takes, shows whose answer shifts with it.
 */
static bool in_step(struct pair_group *g, struct pair_client *c,
		    const struct pair_spi *s, u32 now)
{
	int k;

	if (!g->cfg->hold || !s->n || s->state != PAIR_NEW || c->n_evid ||
	    age(now, s->seen) <= rtt_slow(g))
		return false;
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		struct pair_trial *t = c->trial[k];
		struct pair_cand *cd;

		if (!t || t->n < DITHER_FROM || age(now, t->last) > RECENT)
			continue;
		cd = cand_of(t, c);
		if (cd->score >= SCORE_LATE)
			return true;
	}
	return false;
}

static void delay(struct pair_group *g, struct pair_client *c,
		  const struct pair_spi *s, u32 now)
{
	c->since = now;
	c->due = now + 8 + ((s->seq ^ s->spi) * 0x9e3779b1u >> 16) % (g->rtt_lo / 2 + 32);
	list_add_tail(&c->wait, &g->delayed);
}

static void out_unanswered(struct pair_group *g, struct pair_client *c,
			   struct pair_spi *s, u32 now, struct pair_act *act)
{
	bool hold = false;

	if (must_hold(g, c, s, now)) {
		if (list_empty(&c->wait))
			list_add_tail(&c->wait, s->n || started(c, now) ?
				      g->waiting.next :
				      &g->waiting);
		hold = true;
	} else if (s->held && !list_empty(&c->wait)) {
		hold = true;
	} else if (list_empty(&c->wait) && in_step(g, c, s, now)) {
		delay(g, c, s, now);
		hold = true;
	}
	if (hold) {
		s->held = true;
		g->held++;
		act->verdict = PAIR_HOLD;
		return;
	}
	if (g->cfg->hold && !g->opener && s->state == PAIR_NEW && !s->paid &&
	    (c->n_evid || !started(c, now)))
		open_for(g, c, now);
	note_sent(g, c, s, now);
	count_out(c);
	if (c->where == &g->pending && !before(now, give_up_at(g, c, now)))
		give_up(g, c, now);
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
	release_next(g, now, act);
}

/**
 * pair_is_open() - had another client better wait with making SAs?
 * @g: the group
 * @c: the client that is about to, or NULL
 * @now: ms
 *
 * Return: whether another's SA is expected to show up at this moment.
 */
bool pair_is_open(const struct pair_group *g, const struct pair_client *c,
		  u32 now)
{
	return g->opener && g->opener != c && before(now, g->open_until);
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
	expire(g, now);
	if (!g->opener)
		open_for(g, c, now);
	release_next(g, now, act);
}

void pair_tick(struct pair_group *g, u32 now, struct pair_act *act)
{
	act_clear(act);
	expire(g, now);
	release_next(g, now, act);
}

u32 pair_next_tick(const struct pair_group *g, u32 now)
{
	const struct pair_client *c;
	u32 at, ms = PAIR_NEVER;

	if (!list_empty(&g->delayed)) {
		c = list_first_entry(&g->delayed, struct pair_client, wait);
		ms = before(c->due, now) ? 0 : c->due - now;
	}
	if (g->opener) {
		at = all_linked(g->opener) ? g->open_at + GUARD : g->open_until;
		ms = min(ms, before(at, now) ? 0 : at - now);
	} else if (!list_empty(&g->waiting)) {
		ms = 0;
	}
	if (!list_empty(&g->pending)) {
		c = list_first_entry(&g->pending, struct pair_client, pend);
		at = give_up_at(g, c, now);
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
	INIT_LIST_HEAD(&g->delayed);
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
	release_next(g, now, act);
}

/**
 * pair_restore() - an SPI that is known to be a client's, from before a reload
 * @g: the group
 * @c: the client
 * @spi: the SPI, which no other client of the group is known to have
 * @in: whether it is inbound
 * @seen: when it was last seen, ms
 * @act: asks for its pin
 *
 * Return: where it is kept; NULL when the client has it, packets on it have
 * been seen already, or there is no room.
 */
struct pair_spi *pair_restore(struct pair_group *g, struct pair_client *c,
			      u32 spi, bool in, u32 seen, struct pair_act *act)
{
	struct pair_spi *s = in ? c->in : c->out;
	int i, n = in ? PAIR_IN_SLOTS : PAIR_OUT_SLOTS, used = 0;

	act_clear(act);
	for (i = 0; i < n; i++)
		used += s[i].state != PAIR_FREE;
	if (used == n || slot_of(s, n, spi) || (in && trial_find(g, spi)))
		return NULL;
	s = slot_take(g, c, in, spi, seen, act);
	s->state = PAIR_SETTLED;
	s->firm = in;
	c->n_in += in;
	act_pin(act, c, s, in);
	return s;
}
