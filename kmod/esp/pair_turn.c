// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: when a client's packets on an unsettled SPI go out.
 *
 * Clients start one after the other: who has sent on a new SPI, or was seen by
 * IKE to make an SA, has its turn until something new comes. So the first
 * arrival has one that waits for it. Later packets of who is in doubt are
 * delayed by a random time, which makes each an experiment: the owner's
 * answers come as late after the delay, what belongs to others does not.
 */
#include "pair_int.h"

#define RTT_COLD	25	/* what the first answers may be too slow by */
#define RTT_SLACK	6	/* between what the clock shows of equal times */
#define RTT_SURE	8	/* answers timed before one is too quick */
#define ANSWER		500	/* ms; IKE's takes less */
#define GUARD		150	/* a turn takes at least, until then */
#define BUSY		300	/* sent on another SPI so lately: mid-transfer */
#define TRIES		2	/* turns in vain before it is one-way */
#define SCATTER		16	/* a delay is up to so many times the slack */
#define PAUSE		250	/* ms between pauses of who makes none itself */
#define PAUSES		24	/* so many of them, then few */
#define WAIT_MAX	7	/* packets that a delay may make wait */

/* ---- how long answers take ---- */

u32 pair_rtt_slow(const struct pair_group *g)
{
	return g->rtt_n ? max_t(u32, g->rtt_hi + g->rtt_hi / 4 + 10, 80) : 200;
}

/* How far answers to the same client are apart, ticks of the clock included. */
u32 pair_rtt_slack(const struct pair_group *g)
{
	return 8 + g->rtt_lo / 16;
}

/* May an answer take so long? The first are slow: ARP, cold caches. */
bool pair_rtt_fits(const struct pair_group *g, u32 ms)
{
	u32 early = g->rtt_n < RTT_SURE ? g->rtt_lo :
					  g->rtt_lo / 8 + RTT_SLACK;

	return ms + early >= g->rtt_lo && ms <= pair_rtt_slow(g);
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

/* ---- whose turn it is ---- */

static void open_for(struct pair_group *g, struct pair_client *c, u32 now)
{
	u32 ms = g->rtt_n ? pair_rtt_slow(g) + 10 : g->cfg->open_ms;

	g->opener = c;
	g->open_at = now;
	g->open_new = 0;
	g->open_until = now + min(ms, g->cfg->open_ms);
	if (pair_claims(c, now) && before(g->open_until, c->evid_at + g->cfg->open_ms))
		g->open_until = c->evid_at + g->cfg->open_ms;
}

/* Notes how long the client whose turn it is has waited for something new. */
void pair_turn_new(struct pair_group *g, const struct pair_trial *t, u32 now)
{
	if (g->opener && !g->opener->ike && t->fresh && !g->open_new++)
		g->open_took = age(now, g->open_at);
}

static bool all_answered(const struct pair_client *c)
{
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (pair_wants(&c->out[i]))
			return false;
	return true;
}

/* Nothing came of its turn: after some of these it is taken for one-way. */
static void turn_over(struct pair_group *g, struct pair_client *c)
{
	struct pair_spi *s;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (!pair_wants(s) || !s->n || s->held || ++s->tries < TRIES)
			continue;
		s->state = PAIR_ONEWAY;
		g->oneway++;
	}
	pair_relist(g, c);
}

/*
 * Its turn is over once it has its answers. As long as nobody knows how long
 * these take something else may have come first: then a while later.
 */
static bool may_close(const struct pair_group *g, u32 now)
{
	if (!before(now, g->open_until))
		return true;
	if (g->opener->ike)
		return !pair_expects(g->opener, now);
	return all_answered(g->opener) &&
		(g->rtt_n >= RTT_SURE || age(now, g->open_at) >= GUARD);
}

static void close_turn(struct pair_group *g, u32 now)
{
	struct pair_client *c = g->opener;

	if (!c || !may_close(g, now))
		return;
	if (g->open_new == 1)
		rtt_learn(g, g->open_took);
	g->opener = NULL;
	turn_over(g, c);
}

/*
 * IKE says that it makes an SA now. One that is only asked for keeps others
 * waiting no longer than an answer takes.
 */
void pair_turn_claim(struct pair_group *g, struct pair_client *c, bool made,
		     u32 now)
{
	u32 until = now + min_t(u32, g->cfg->open_ms, ANSWER);

	close_turn(g, now);
	if (g->opener && g->opener != c)
		return;
	if (made || !g->opener)
		open_for(g, c, now);
	if (!made && (g->open_at == now || before(g->open_until, until)))
		g->open_until = until;
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
		    age(now, pair_slot_last(&c->in[i])) < ACTIVE)
			return true;
	for (i = 0; i < PAIR_OUT_SLOTS; i++) {
		s = &c->out[i];
		if (s->state == PAIR_NEW && s->answer &&
		    age(now, s->answer->last) < ACTIVE)
			return true;
	}
	return false;
}

/* Sends on another SPI right now: not to be disturbed. */
static bool busy(const struct pair_client *c, u32 now)
{
	const struct pair_spi *s = c->out;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++, s++)
		if (s->state != PAIR_FREE && (s->state != PAIR_NEW || s->n) &&
		    age(now, pair_slot_last(s)) < BUSY)
			return true;
	return false;
}

/* ---- what waits ---- */

static void let_go(struct pair_group *g, struct pair_client *c, u32 now,
		   int bits, struct pair_act *act)
{
	int i;

	list_del_init(&c->wait);
	c->n_wait = 0;
	c->delayed = false;
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (c->out[i].held)
			pair_probe(g, c, &c->out[i], now, bits);
	act->release = c;
}

/*
 * A client's first packets may wait their turn, until one is answered. Later
 * only the first packet of a new SPI, and not in the middle of a transfer.
 */
static bool must_wait(const struct pair_group *g, const struct pair_client *c,
		      const struct pair_spi *s, u32 now)
{
	if (!g->cfg->hold || g->n_clients == 1 || g->opener == c)
		return false;
	if (!g->opener && list_empty(&g->waiting))
		return false;
	if (pair_claims(c, now))
		return pair_wants(s) || !s->n;
	if (s->n)
		return pair_wants(s) && !started(c, now);
	return !(started(c, now) && busy(c, now));
}

static u32 rnd(struct pair_group *g, u32 salt)
{
	g->seed = (g->seed ^ salt) * 0x9e3779b1u + 0x7f4a7c15u;
	return g->seed >> 12;
}

/*
 * Worth an experiment: something speaks for it, and it has been silent for a
 * moment, or is to be. One that does not pause by itself is made to, at times.
 */
static bool to_delay(const struct pair_client *c, const struct pair_spi *s,
		     u32 now)
{
	u32 pause = s->asked < PAUSES ? PAUSE : 10 * PAUSE;

	return (age(now, s->seen) >= PAIR_QUIET ||
		age(now, s->burst[0].from) >= pause) && pair_in_doubt(c, s);
}

/*
 * Held for a random time; the list is in order of when that ends. So many of
 * the times that it may be are near to any other one: that is the odds.
 */
static void delay(struct pair_group *g, struct pair_client *c,
		  const struct pair_spi *s, u32 now)
{
	u32 gap = age(now, s->seen), least = 4, most;
	struct list_head *p = g->delayed.prev;
	int n = 0;

	most = SCATTER * pair_rtt_slack(g);
	c->bits = BITS_HIT;
	if (gap < PAIR_QUIET) {
		least = PAIR_QUIET;
		most = min_t(u32, most, max_t(u32, WAIT_MAX * gap, 2 * least));
		for (; c->bits && (u32)SCATTER >> (BITS_HIT - c->bits) >
		     (most - least) / pair_rtt_slack(g); c->bits--)
			;
		most -= least;
	}
	c->delayed = true;
	c->due = now + least + rnd(g, now) % most;
	while (p != &g->delayed && n++ < 32 &&
	       before(c->due, list_entry(p, struct pair_client, wait)->due))
		p = p->prev;
	list_add_tail(&c->wait, p->next);
}

/* Whether a packet on an unsettled SPI goes out now, or is held. */
bool pair_may_go(struct pair_group *g, struct pair_client *c,
		 struct pair_spi *s, u32 now, struct pair_act *act)
{
	bool first = list_empty(&c->wait);

	if (must_wait(g, c, s, now)) {
		if (first)
			list_add_tail(&c->wait, s->n || started(c, now) ?
				      g->waiting.next : &g->waiting);
	} else if (first && g->cfg->hold && g->n_clients > 1 &&
		   to_delay(c, s, now) && !pair_calm(g, c, now)) {
		delay(g, c, s, now);
	} else if (first || !s->held) {
		return true;
	} else if (c->delayed && c->n_wait >= WAIT_MAX && !act->release) {
		let_go(g, c, now, BITS_SEEN, act);
		return true;
	}
	s->held = true;
	if (c->n_wait < WAIT_MAX)
		c->n_wait++;
	return false;
}

/* Closes a turn that is over, and lets go whose time has come. */
void pair_turns(struct pair_group *g, u32 now, struct pair_act *act)
{
	struct pair_client *c;

	close_turn(g, now);
	if (act->release)
		return;
	if (!list_empty(&g->delayed)) {
		c = list_first_entry(&g->delayed, struct pair_client, wait);
		if (!before(now, c->due)) {
			let_go(g, c, now, c->bits, act);
			return;
		}
	}
	if (g->opener || list_empty(&g->waiting))
		return;
	c = list_first_entry(&g->waiting, struct pair_client, wait);
	open_for(g, c, now);
	let_go(g, c, now, BITS_HIT, act);
}

/* Opens a turn for who need not wait for one. */
void pair_turn_ask(struct pair_group *g, struct pair_client *c,
		   const struct pair_spi *s, u32 now)
{
	if (g->cfg->hold && !g->opener && pair_wants(s) &&
	    (pair_claims(c, now) || !s->n || !started(c, now)))
		open_for(g, c, now);
}

static u32 until(u32 at, u32 now)
{
	return before(at, now) ? 0 : at - now;
}

u32 pair_next_tick(const struct pair_group *g, u32 now)
{
	const struct pair_client *c;
	u32 at, ms = PAIR_NEVER;

	if (!list_empty(&g->delayed)) {
		c = list_first_entry(&g->delayed, struct pair_client, wait);
		ms = until(c->due, now);
	}
	if (g->opener) {
		at = g->open_until;
		if (all_answered(g->opener) && !g->opener->ike)
			at = g->open_at + GUARD;
		ms = min(ms, until(at, now));
	} else if (!list_empty(&g->waiting)) {
		ms = 0;
	}
	return ms;
}

/**
 * pair_is_open() - had another client better wait with making SAs?
 * @g: the group
 * @c: the client that is about to, or NULL
 * @now: ms
 *
 * A turn is one client's, but a late answer makes an SA in the turn of another.
 *
 * Return: whether another's SA is expected to show up at this moment.
 */
bool pair_is_open(const struct pair_group *g, const struct pair_client *c,
		  u32 now)
{
	const struct pair_client *o;
	int seen = 0;

	if (g->opener && g->opener != c && before(now, g->open_until))
		return true;
	list_for_each_entry_reverse(o, &g->evid, evid) {
		if (!before(now, o->evid_at + g->cfg->open_ms) ||
		    ++seen > PAIR_CLAIMS)
			break;
		if (o != c && o->n_evid && pair_expects(o, now))
			return true;
	}
	return false;
}
