// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: what arrivals say of who they are for.
 *
 * Probes are packets that went out on an unsettled SPI after a silence. An
 * arrival after a silence is an answer to one, or to none. For whom it comes
 * as late as its answers came before, that counts: three bits when the probe
 * went out at a time of our own random choice, as anything else hits the time
 * so narrowly at one of eight. Against whom has asked and gets it at another
 * time, it counts as much. Both add up to the logarithm of the odds.
 */
#include "pair_int.h"

#define CONSIDER	4
#define LATE		3	/* claims taken for what may be meant */
#define REACT		16	/* ms to a client and back */
#define DENSE		160	/* ms; arrivals closer than this hit anything more easily */
#define QUESTIONS	3	/* so often asked the first answer is no surprise */

/* An unsettled packet goes out. */
void pair_probe(struct pair_group *g, struct pair_client *c,
		struct pair_spi *s, u32 now, int bits)
{
	bool quiet = !s->n || age(now, s->seen) >= PAIR_QUIET;

	if (!s->n)
		s->first = now;
	if (quiet) {
		if (s->asked < 255)
			s->asked++;
		s->burst[1] = s->burst[0];
		s->burst[0].from = now;
	}
	s->burst[0].to = now;
	if (s->n < 0xffff)
		s->n++;
	s->seen = now;
	s->held = false;
	pair_relist(g, c);
	if (quiet && s->state != PAIR_SETTLED)
		g->probe[g->n_probe++ % PAIR_PROBES] =
			(struct pair_probe) { c, s, now, (u8)bits };
}

/* The slot, or all of the client's when NULL, is about to be another's. */
void pair_probe_void(struct pair_group *g, const struct pair_client *c,
		     const struct pair_spi *s)
{
	int i;

	for (i = 0; i < PAIR_PROBES; i++)
		if (g->probe[i].c == c && (!s || g->probe[i].ask == s))
			g->probe[i].c = NULL;
}

/* On this list nobody but the client. */
static bool only_on(const struct list_head *h, const struct list_head *node)
{
	return list_empty(h) || (h->next == node && h->prev == node);
}

/* Of the inbound SPIs in question none but the client's own have come lately. */
static bool none_but_of(const struct list_head *h, const struct pair_client *c,
			u32 now)
{
	const struct list_head *p = h->prev;
	struct pair_trial *t;
	int n = 0;

	for (; p != h; p = p->prev) {
		t = list_entry(p, struct pair_trial, node);
		if (n++ == CONSIDER)
			return false;
		if (t->owner != c && age(now, t->last) < RECENT &&
		    !(t->n == 1 && t->last == now))
			return false;
	}
	return true;
}

/*
 * All others are settled and ask nothing: what comes in time is the client's, as
 * another's new SPI just then is all that it could be instead.
 */
bool pair_calm(const struct pair_group *g, const struct pair_client *c, u32 now)
{
	return only_on(&g->asking, &c->asks) && only_on(&g->evid, &c->evid) &&
		list_empty(&g->waiting) && only_on(&g->delayed, &c->wait) &&
		none_but_of(&g->once, c, now) && none_but_of(&g->live, c, now);
}

/* Something speaks for it somewhere: its packets are worth an experiment. */
bool pair_in_doubt(const struct pair_client *c, const struct pair_spi *s)
{
	int i, k;

	for (k = 0; pair_asks(s) && k < PAIR_TRIAL_OF; k++) {
		const struct pair_trial *t = c->trial[k];

		for (i = 0; t && i < t->nc; i++)
			if (t->cand[i].c == c && t->cand[i].ask == s)
				return true;
	}
	return false;
}

static void score(struct pair_cand *cd, int by)
{
	int least = cd->told && (cd->c->n_evid || cd->c->n_begun) ? BITS_LINK : BITS_OUT;

	cd->score = (s8)clamp_t(int, cd->score + by, least, BITS_MAX);
}

/* The best candidate's question counts as answered if no other comes near. */
static void relink(struct pair_group *g, struct pair_trial *t)
{
	struct pair_cand *b = pair_best(t), *cd;
	bool sole = b && pair_lead(t, b) >= BITS_SHARED &&
		(b->score >= BITS_LINK || (b->ask && b->ask->answer == t));
	int i;

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
		pair_relist(g, cd->c);
	}
}

static void follow(struct pair_group *g, struct pair_client *c,
		   struct pair_spi *s, u32 now, struct list_head *h)
{
	struct list_head *p = h->prev;
	struct pair_trial *t;
	struct pair_cand *b;
	int n = 0;

	for (; p != h && n++ < CONSIDER; p = p->prev) {
		t = list_entry(p, struct pair_trial, node);
		b = pair_best(t);
		if (t->fresh != s->fresh || !pair_may_own(c, t) ||
		    age(now, t->first) > pair_rtt_slow(g) ||
		    pair_cand_of(t, c, s) || (b && b->score >= BITS_FOLLOW))
			continue;
		b = pair_cand_add(g, t, c, s, BITS_FOLLOW);
		if (b)
			b->prior = true;
	}
}

/* A new SPI: what came unasked a moment ago may be its other half. */
void pair_follow(struct pair_group *g, struct pair_client *c,
		 struct pair_spi *s, u32 now)
{
	follow(g, c, s, now, &g->once);
	follow(g, c, s, now, &g->live);
}

/*
 * It has just got this and sends at once, after a silence: an answer, it may
 * be. As nobody has chosen the time, never enough for a pin.
 */
void pair_react(struct pair_group *g, struct pair_client *c,
		struct pair_spi *s, u32 now)
{
	u32 quiet = age(now, s->sent);
	struct pair_trial *t;
	struct pair_cand *cd;
	bool told;
	int bits;

	s->sent = now;
	if (quiet < PAIR_QUIET || age(now, c->got_at) > REACT)
		return;
	t = pair_trial_find(g, c->got);
	if (!t || t->slot || !pair_may_own(c, t))
		return;
	bits = quiet >= DENSE ? BITS_HIT : BITS_SEEN;
	told = t->fresh && pair_claims(c, now);
	cd = pair_cand_of(t, c, s);
	if (!cd) {	/* an expected answer is worth a chance hit's place */
		cd = pair_cand_add(g, t, c, s, told ? bits : 0);
		if (cd)
			cd->score = 0;
	}
	if (!cd || cd->score >= BITS_REACT)
		return;
	cd->ask = s;
	cd->score = (s8)min_t(int, max_t(int, cd->score, 0) + bits, BITS_REACT);
	relink(g, t);
}

/* As late as its answers have been? */
static bool as_late(u32 took, u32 before, u32 slack)
{
	return before && took + slack >= before && before + slack >= took;
}

static void swap_took(struct pair_cand *cd)
{
	u16 took = cd->took[0];

	cd->took[0] = cd->took[1];
	cd->took[1] = took;
}

/*
 * By another, unless that came just before this: one of the two is mistaken. Or
 * has not come since it was asked again.
 */
static bool answered(const struct pair_group *g, const struct pair_trial *t,
		     const struct pair_spi *s)
{
	if (!s->answer || s->answer == t ||
	    (s->asked > 1 && before(s->answer->last, s->burst[1].from)))
		return false;
	return t->n > 1 || age(t->first, s->answer->first) > pair_rtt_slow(g);
}

/*
 * Waits for an answer. When @again, also who just had one, that may be wrong,
 * and one whose state was lost, so that the two counters differ.
 */
static bool fits(const struct pair_trial *t, const struct pair_client *c,
		 const struct pair_spi *s, const struct pair_client *o, bool again)
{
	return !s || (s->asked <= QUESTIONS && (c == o || !s->tries) &&
		      (again || (s->fresh == t->fresh && !s->answer)));
}

/* The arrival may be the answer to this probe: is it, going by the others? */
static void explain(struct pair_group *g, struct pair_trial *t,
		    const struct pair_probe *p, u32 took, u32 now)
{
	struct pair_cand *cd = pair_cand_of(t, p->c, p->ask);
	u32 slack = pair_rtt_slack(g);
	u32 gap = age(t->last, t->alone);
	int density = t->n < 2 ? 0 : gap < DENSE / 2 ? 2 : gap < DENSE;
	int prior = 0;
	bool first;

	if (!pair_asks(p->ask) || !pair_may_own(p->c, t))
		return;
	if (!cd && answered(g, t, p->ask))
		return;
	if (!cd && t->n == 1 && p->ask->fresh == t->fresh && fits(t, p->c, p->ask, g->opener, true))
		prior = BITS_SHARED - BITS_SEEN;
	if (!cd)
		cd = pair_cand_add(g, t, p->c, p->ask, prior);
	if (!cd || cd->hit)
		return;
	if (!cd->ask)
		cd->ask = p->ask;
	cd->hit = true;
	if (as_late(took, cd->took[0], slack)) {
		cd->took[0] = (u16)max_t(u32, (3 * cd->took[0] + took + 2) / 4, 1);
		score(cd, pair_calm(g, cd->c, now) ? BITS_CALM_HIT :
			  max_t(int, p->bits - density, BITS_SEEN));
		return;
	}
	first = !cd->took[0];
	swap_took(cd);
	if (as_late(took, cd->took[0], slack)) {
		score(cd, BITS_SEEN);
	} else {
		score(cd, first ? BITS_SEEN : BITS_MISS);
		cd->took[0] = (u16)max_t(u32, took, 1);
	}
}

static bool receives(const struct pair_client *c)
{
	int i;

	for (i = 0; !c->n_in && i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].state == PAIR_NEW && c->out[i].answer)
			return true;
	return c->n_in;
}

/* A rekey: both sides change over at about the same time, unasked. */
static void beside(struct pair_group *g, struct pair_trial *t,
		   const struct pair_probe *p)
{
	if (pair_wants(p->ask) && p->ask->fresh == t->fresh &&
	    pair_may_own(p->c, t) && !pair_cand_of(t, p->c, p->ask))
		pair_cand_add(g, t, p->c, p->ask, BITS_FOLLOW);
}

static void explain_all(struct pair_group *g, struct pair_trial *t, u32 now)
{
	const struct pair_probe *p;
	u32 i, took;

	for (i = 0; i < t->nc; i++)
		t->cand[i].hit = false;
	for (i = 1; i <= PAIR_PROBES; i++) {
		p = &g->probe[(g->n_probe - i) % PAIR_PROBES];
		if (!p->c)
			continue;
		took = age(now, p->at);
		if (took > pair_rtt_slow(g))
			break;
		if (pair_rtt_fits(g, took))
			explain(g, t, p, took, now);
		else if (t->n == 1 && p->ask->first == p->at &&
			 receives(p->c))
			beside(g, t, p);
	}
}

/* Asked, and got it at another time than its answers come? */
static bool missed(const struct pair_group *g, const struct pair_trial *t,
		   const struct pair_cand *cd, u32 now)
{
	u32 slack = pair_rtt_slack(g), at = now - cd->took[0];
	const struct pair_spi *s = cd->ask;
	int i;

	if (cd->hit || !cd->took[0] || !s || !s->n || !before(t->alone, s->seen))
		return false;
	for (i = 0; i < 2; i++)
		if (!before(at + slack, s->burst[i].from) &&
		    !before(s->burst[i].to + slack, at))
			return false;
	return true;
}

static int count_fits(const struct pair_trial *t, const struct pair_client *o,
		      bool again)
{
	const struct pair_client *last = NULL;
	int i, n = 0;

	for (i = 0; i < t->nc; i++) {
		if (!fits(t, t->cand[i].c, t->cand[i].ask, o, again))
			continue;
		n += last != t->cand[i].c;
		last = t->cand[i].c;
	}
	return n;
}

static void add_claim(struct pair_group *g, struct pair_trial *t,
		      struct pair_client *c, int score)
{
	struct pair_cand *cd = pair_cand_of(t, c, NULL);

	if (!cd)
		cd = pair_cand_add(g, t, c, NULL, score);
	if (cd)
		cd->score = (s8)max_t(int, cd->score, score);
}

/* Those who have claimed a new SPI last: SAs are mostly used soon. */
static void late_claims(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	int n = 0, seen = 0;

	list_for_each_entry_reverse(c, &g->evid, evid) {
		if (n == LATE || ++seen > PAIR_CLAIMS)
			break;
		if (!pair_claims(c, now))
			continue;
		add_claim(g, t, c, BITS_SHARED);
		n++;
	}
}

/* The first arrival: how many waited for it? */
static void first_seen(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *o = g->opener;
	struct pair_cand *cd;
	bool again = false;
	int i, bits, n;

	if (t->fresh)
		late_claims(g, t, now);
	if (o && pair_claims(o, now) && t->fresh &&
	    age(now, o->evid_at) <= g->cfg->open_ms)
		add_claim(g, t, o, BITS_FOLLOW);
	n = count_fits(t, o, false);
	if (!n) {
		again = true;
		n = count_fits(t, o, true);
	}
	for (i = 0; i < t->nc; i++) {
		cd = &t->cand[i];
		bits = n > 1 ? BITS_SHARED :
			cd->took[0] ? BITS_TURN : BITS_FOLLOW;
		if (bits == BITS_TURN && pair_calm(g, cd->c, now))
			bits = BITS_CALM;
		if (!fits(t, cd->c, cd->ask, o, again))
			bits = BITS_SEEN;
		if (cd->c == o && pair_claims(o, now) && t->fresh) {
			bits = o->n_evid ? BITS_TURN_IKE : BITS_FOLLOW;
			cd->told = o->n_evid;
		}
		cd->score = (s8)max_t(int, cd->score, bits);
		cd->prior = bits > BITS_SEEN;
	}
}

/*
 * Who was likely at first and has asked nothing since: one that only receives,
 * which few are. Not worth more than that, once others have spoken.
 */
static void unconfirmed(struct pair_cand *cd)
{
	if (!cd->prior || cd->c->n_evid || cd->c->n_begun || ++cd->idle < 4)
		return;
	cd->idle = 4;
	cd->score = (s8)min_t(int, cd->score, BITS_ALONE);
}

/* Says something only after a silence; misses only of who has asked since. */
void pair_arrive(struct pair_group *g, struct pair_trial *t, u32 now)
{
	u32 gap = age(now, t->last);
	struct pair_cand *cd;
	bool alone;
	int i;

	alone = !t->n || gap >= max_t(u32, PAIR_QUIET, 4 * t->pace);
	if (gap && gap < PAIR_QUIET)
		t->pace = (u8)gap;

	if (t->n < 0xffff)
		t->n++;
	if (t->n == 2)
		pair_trial_move(t, &g->live);
	t->last = now;
	if (!alone)
		return;
	explain_all(g, t, now);
	/* What comes out of silence is in somebody's turn, too: a weaker sign */
	if (t->n == 1 || (gap >= RECENT && !g->n_ike && !g->cfg->strict))
		first_seen(g, t, now);
	for (i = t->nc - 1; i >= 0; i--) {
		cd = &t->cand[i];
		if (missed(g, t, cd, now))
			score(cd, BITS_MISS);
		else if (!cd->hit)
			unconfirmed(cd);
		else if (t->n > 1)
			cd->prior = false;
		if (cd->score <= BITS_OUT)
			pair_cand_del(g, t, cd);
	}
	t->alone = now;
	relink(g, t);
}
