// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: which client an inbound SPI belongs to. Called by
 * the helper's kernel face, see pair.h for what it may rely on. This file has
 * the events and the slots.
 *
 * Every inbound SPI is a trial first. While its owner is in doubt its packets
 * go to whoever is most likely, and copies in turn to all others who still
 * wait for something (pair_copy.c). That may last: doubt costs copies, a wrong
 * pin costs a client its tunnel. An SPI is settled, and gets its pin, when
 * experiments have shown whose packets it answers (pair_score.c), which are
 * possible because the policy chooses when those go out (pair_turn.c).
 */
#include "pair_int.h"

/*
 * A new SA counts from 1 (RFC 4303 2.2). Its first packets may be lost on
 * the way here, hardly more of them than this.
 */
#define SEQ_FRESH	64
#define SLACK		12	/* *last may lag by a tick, paths reorder a little */
#define LEFT_N		4	/* arrivals before the last one left is the owner, */
#define LEFT_MS		500	/* and time */
#define MANY		64	/* arrivals; chance helps someone, the longer the more */
#define ONEWAY_PIN	32	/* packets in vain before it gets its pin, */
#define ONEWAY_MS	20000	/* and time, among many */

u32 pair_slot_last(const struct pair_spi *s)
{
	u32 t;

	if (!s->last)
		return s->seen;
	t = READ_ONCE(*s->last);
	return before(t, s->seen) ? s->seen : t;
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

void pair_act_pin(struct pair_act *act, struct pair_client *c,
		  struct pair_spi *s, bool in)
{
	if (!s->priv)
		act_add(act->pin, &act->n_pin, c, s, in);
}

/* ---- slots ---- */

/* Has the client among those who ask, if it does. */
void pair_relist(struct pair_group *g, struct pair_client *c)
{
	bool asks = false;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		asks |= pair_asks(&c->out[i]);
	if (asks == !list_empty(&c->asks))
		return;
	if (asks)
		list_add_tail(&c->asks, &g->asking);
	else
		pair_turns_leave(g, &c->asks);
}

/* Gives the slot up: from here on it belongs to whoever takes it next. */
static void slot_free(struct pair_group *g, struct pair_act *act,
		      struct pair_client *c, struct pair_spi *s, bool in)
{
	struct pair_trial *t = in ? pair_trial_find(g, s->spi) : NULL;

	if (s->priv)
		act_add(act->unpin, &act->n_unpin, c, s, in);
	if (t && t->slot == s) {
		t->slot = NULL;
		pair_trial_end(g, t);
	}
	if (in) {
		c->n_in--;
	} else {
		pair_forget(g, c, s);
		pair_probe_void(g, c, s);
	}
	s->state = PAIR_FREE;
	s->last = NULL;
	pair_relist(g, c);
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
		if (age(now, pair_slot_last(&s[i])) >
		    age(now, pair_slot_last(old)))
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

/* Nothing speaks for it any more, at all or where the SPI is @fresh. */
static void cands_del(struct pair_group *g, struct pair_client *c, bool fresh)
{
	struct pair_trial *t;
	int i, k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		t = c->trial[k];
		if (!t || (fresh && !t->fresh))
			continue;
		for (i = t->nc - 1; i >= 0; i--)
			if (t->cand[i].c == c)
				pair_cand_del(g, t, &t->cand[i]);
	}
}

/* All that IKE saw it make has come: nothing else new is its. */
static void evidence_used(struct pair_group *g, struct pair_client *c)
{
	pair_turns_leave(g, &c->evid);
	cands_del(g, c, true);
}

static void evidence_use(struct pair_group *g, struct pair_client *c, u32 now)
{
	if (c->n_evid)
		c->n_evid--;
	else if (pair_claims(c, now))
		c->n_early++;
	else
		return;
	if (!pair_claims(c, now))
		evidence_used(g, c);
}

static void settle(struct pair_group *g, struct pair_trial *t,
		   struct pair_client *c, struct pair_spi *ask, u32 now,
		   struct pair_act *act)
{
	struct pair_spi *s;

	while (t->nc)
		pair_cand_del(g, t, &t->cand[t->nc - 1]);
	if (t->fresh)
		evidence_use(g, c, now);
	if (ask) {
		ask->answer = NULL;
		ask->state = PAIR_SETTLED;
		pair_forget(g, c, ask);
		pair_relist(g, c);
		pair_act_pin(act, c, ask, false);
	}
	if (!ask && c->ike && t->fresh && c->n_unasked < 255)
		c->n_unasked++;
	s = slot_take(g, c, true, t->spi, now, act);
	s->fresh = t->fresh;
	s->state = PAIR_SETTLED;
	c->n_in++;
	t->owner = c;
	t->slot = s;
	pair_act_pin(act, c, s, true);
	pair_trial_move(t, &g->done);
}

/* Its other SPIs were seen in use since, and it asks nothing. */
static bool goes_on(const struct pair_client *c, const struct pair_trial *t)
{
	bool on = false;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (pair_asks(&c->out[i]))
			return false;
	for (i = 0; i < PAIR_IN_SLOTS; i++)
		on |= c->in[i].state == PAIR_SETTLED &&
			before(t->first + SLACK, pair_slot_last(&c->in[i]));
	return on;
}

/* A group so small that all can be looked at: who is left when others go on. */
static struct pair_client *only_left(const struct pair_group *g,
				     const struct pair_trial *t, u32 now)
{
	struct pair_client *c, *left = NULL;

	if (!pair_is_small(g) || t->n < LEFT_N || age(now, t->first) < LEFT_MS)
		return NULL;
	list_for_each_entry(c, &g->clients, node) {
		if (goes_on(c, t))
			continue;
		if (left)
			return NULL;
		left = c;
	}
	return left;
}

/* All clients' IKE was seen, and only one had made an SA that has not come. */
static struct pair_client *only_claim(struct pair_group *g,
				      const struct pair_trial *t)
{
	struct pair_client *c, *only = NULL, *old = NULL;
	bool many = false;
	int n = 0;

	if (!t->fresh || g->n_ike < g->n_clients)
		return NULL;
	list_for_each_entry(c, &g->evid, evid) {
		if (!pair_claims(c, t->last)) {
			old = c;
		} else if (pair_may_own(c, t)) {
			many = !!only;
			only = c;
		}
		many |= ++n > PAIR_CLAIMS;
		if (many)
			break;
	}
	if (old)	/* one each time: it costs a walk over all trials */
		pair_turns_leave(g, &old->evid);
	return many ? NULL : only;
}

/* The question it is likely the answer to: the first that is open. */
static struct pair_spi *ask_of(struct pair_client *c)
{
	struct pair_spi *ask = NULL;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (pair_asks(&c->out[i]) && c->out[i].n &&
		    (!ask || before(c->out[i].first, ask->first)))
			ask = &c->out[i];
	return ask;
}

/* The only client: what comes is its. Which question it answers matters not. */
static void settle_only(struct pair_group *g, struct pair_trial *t, u32 now,
			struct pair_act *act)
{
	struct pair_client *c = list_first_entry(&g->clients,
						 struct pair_client, node);

	act->to = c;
	act->verdict = PAIR_DELIVER;
	if (t->n < 2 && !(pair_claims(c, now) && t->fresh))
		return;
	g->paired_only_client++;
	settle(g, t, c, ask_of(c), now, act);
}

static bool settle_sure(struct pair_group *g, struct pair_trial *t, u32 now,
			struct pair_act *act)
{
	struct pair_client *c = only_claim(g, t);

	if (c)
		g->paired_evidence++;
	else
		c = only_left(g, t, now);
	if (!c)
		return false;
	settle(g, t, c, ask_of(c), now, act);
	return true;
}

/*
 * For a pin: more where there have been more chances to come by it, and where
 * something speaks for another SPI as the answer to the same question.
 */
static int bits_enough(const struct pair_trial *t, const struct pair_cand *b)
{
	struct pair_trial *other = b->ask ? b->ask->answer : NULL;
	const struct pair_cand *cd = NULL;
	int bits = BITS_SURE;
	u32 n;

	for (n = t->n; n >= MANY; n /= 2)
		bits++;
	if (other && other != t)
		cd = pair_cand_of(other, b->c, b->ask);
	if (cd)
		bits += max_t(int, cd->score, 0);
	return min(bits, BITS_MAX);
}

static void settle_best(struct pair_group *g, struct pair_trial *t, u32 now,
			struct pair_act *act)
{
	struct pair_cand *b = pair_best(t);

	if (!b || b->score < bits_enough(t, b) || pair_lead(t, b) < BITS_AHEAD)
		return;
	if (pair_claims(b->c, now) && t->fresh)
		g->paired_evidence++;
	else if (b->ask && b->ask->answer == t)
		g->paired_pending++;
	else
		g->guessed++;
	settle(g, t, b->c, b->ask, now, act);
}

/* ---- events ---- */

void pair_in(struct pair_group *g, u32 spi, u32 seq, u32 now,
	     struct pair_act *act)
{
	struct pair_trial *t;

	act_clear(act);
	act->copy = g->copy;
	if (!g->n_clients)
		return;
	t = pair_trial_find(g, spi);
	if (!t) {
		t = pair_trial_new(g, spi, seq <= SEQ_FRESH, now);
		if (!t) {
			g->dropped_limit++;
			act->verdict = PAIR_DROP;
			return;
		}
		pair_turn_new(g, t, now);
	}
	if (t->slot) {
		act->verdict = PAIR_DELIVER;
		act->to = t->owner;
		t->slot->seen = now;
		pair_act_pin(act, t->owner, t->slot, true);
	} else {
		pair_arrive(g, t, now);
		if (g->n_clients == 1) {
			settle_only(g, t, now, act);
		} else if (settle_sure(g, t, now, act)) {
			act->verdict = PAIR_DELIVER;
			act->to = t->owner;
		} else {
			pair_deliver(g, t, now, act);
			settle_best(g, t, now, act);
		}
	}
	pair_turns(g, now, act);
}

/* Packets in vain; among many, where answers may be another's, for long, too. */
static bool oneway_sure(const struct pair_group *g, const struct pair_spi *s,
			u32 now)
{
	return s->state == PAIR_ONEWAY && s->n >= ONEWAY_PIN &&
		(pair_is_small(g) || age(now, s->first) >= ONEWAY_MS);
}

void pair_out(struct pair_group *g, struct pair_client *c, u32 spi, u32 seq,
	      u32 now, struct pair_act *act)
{
	struct pair_spi *s = slot_of(c->out, PAIR_OUT_SLOTS, spi);

	act_clear(act);
	if (!s) {
		s = slot_take(g, c, false, spi, now, act);
		s->fresh = seq <= SEQ_FRESH;
		s->state = PAIR_NEW;
		s->sent = now - RECENT;
		if (c->ike && s->fresh && c->n_unasked) {
			c->n_unasked--;
			s->state = PAIR_SETTLED;
		}
		pair_relist(g, c);
		if (s->state == PAIR_NEW)
			pair_follow(g, c, s, now);
	}
	if (s->state != PAIR_SETTLED)
		pair_react(g, c, s, now);
	if (s->state == PAIR_SETTLED) {
		s->seen = now;
		pair_act_pin(act, c, s, false);
	} else if (!pair_may_go(g, c, s, now, act)) {
		g->held++;
		act->verdict = PAIR_HOLD;
	} else {
		pair_turn_ask(g, c, s, now);
		pair_probe(g, c, s, now, BITS_SEEN);
		if (oneway_sure(g, s, now))
			pair_act_pin(act, c, s, false);
	}
	pair_turns(g, now, act);
}

/* IKE explains what comes for it from now on, and gives it its turn. */
static void claim(struct pair_group *g, struct pair_client *c, bool made,
		  u32 now, struct pair_act *act)
{
	act_clear(act);
	g->n_ike += !c->ike;
	c->ike = true;
	if (!c->n_evid && !c->n_begun)
		c->claim_at = now;
	c->evid_at = now;
	pair_turns_leave(g, &c->evid);
	list_add_tail(&c->evid, &g->evid);
	pair_turn_claim(g, c, made, now);
}

/**
 * pair_exchange() - a request that asks for an SA is on its way to the gateway
 * @g: the group
 * @c: whose
 * @now: ms
 * @again: it had no answer to an earlier one
 * @act: what to do
 *
 * The gateway may use the SA before its answer comes here, or when that is lost.
 */
void pair_exchange(struct pair_group *g, struct pair_client *c, u32 now,
		   bool again, struct pair_act *act)
{
	if (!pair_claims(c, now))
		c->n_begun = 0;
	claim(g, c, false, now, act);
	if (!c->n_begun)
		c->n_early = 0;
	if (!c->n_begun || (!again && c->n_begun < 255))
		c->n_begun++;
	pair_turns(g, now, act);
}

/**
 * pair_evidence() - a client and its gateway have made an SA
 * @g: the group
 * @c: the client
 * @now: ms
 * @act: what to do
 */
void pair_evidence(struct pair_group *g, struct pair_client *c, u32 now,
		   struct pair_act *act)
{
	claim(g, c, true, now, act);
	if (c->n_early)
		c->n_early--;
	else if (c->n_evid < 4)
		c->n_evid++;
	if (c->n_begun)
		c->n_begun--;
	if (!pair_claims(c, now))
		evidence_used(g, c);
	pair_turns(g, now, act);
}

void pair_tick(struct pair_group *g, u32 now, struct pair_act *act)
{
	act_clear(act);
	pair_turns(g, now, act);
}

void pair_group_init(struct pair_group *g, const struct pair_cfg *cfg)
{
	memset(g, 0, sizeof(*g));
	g->cfg = cfg;
	INIT_LIST_HEAD(&g->clients);
	INIT_LIST_HEAD(&g->waiting);
	INIT_LIST_HEAD(&g->delayed);
	INIT_LIST_HEAD(&g->asking);
	INIT_LIST_HEAD(&g->evid);
	INIT_LIST_HEAD(&g->room);
	INIT_LIST_HEAD(&g->done);
	INIT_LIST_HEAD(&g->once);
	INIT_LIST_HEAD(&g->live);
}

void pair_client_add(struct pair_group *g, struct pair_client *c, u32 now)
{
	int i;

	INIT_LIST_HEAD(&c->wait);
	INIT_LIST_HEAD(&c->asks);
	INIT_LIST_HEAD(&c->evid);
	for (i = 0; i < PAIR_ROOM; i++)
		list_add_tail(&c->room[i].node, &g->room);
	list_add_tail(&c->node, &g->clients);
	if (!g->n_clients++)
		pair_copies_init(g, now);
	g->seed ^= now;
}

void pair_client_del(struct pair_group *g, struct pair_client *c, u32 now,
		     struct pair_act *act)
{
	struct pair_trial *t;
	int i;

	act_clear(act);
	cands_del(g, c, false);
	pair_probe_void(g, c, NULL);
	for (i = 0; i < PAIR_IN_SLOTS; i++) {
		t = pair_trial_find(g, c->in[i].spi);
		if (t && t->slot == &c->in[i]) {
			t->slot = NULL;
			pair_trial_end(g, t);
		}
	}
	for (i = 0; i < PAIR_ROOM; i++) {
		t = &c->room[i];
		if (t->used)
			pair_trial_end(g, t);
		list_del_init(&t->node);
	}
	list_del_init(&c->node);
	list_del_init(&c->wait);
	pair_turns_leave(g, &c->asks);
	pair_turns_leave(g, &c->evid);
	g->n_clients--;
	g->n_ike -= c->ike;
	if (g->opener == c)
		g->opener = NULL;
	pair_turns(g, now, act);
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
	if (used == n || slot_of(s, n, spi) || (in && pair_trial_find(g, spi)))
		return NULL;
	s = slot_take(g, c, in, spi, seen, act);
	s->state = PAIR_SETTLED;
	c->n_in += in;
	pair_act_pin(act, c, s, in);
	return s;
}
