// SPDX-License-Identifier: GPL-2.0
/* Rule 7 of docs/pairing.md: a pin is taken back when the traffic speaks against it. */
#include "review.h"

/* In doubt again, its owner a little ahead. */
static void revoke(struct pair_group *g, struct pair_in *in, struct pair_client *rival,
		   u32 now, struct pair_act *act)
{
	struct pair_client *c = in->s.c;
	struct pair_spi *out = in->s.other;
	struct pair_trial *t = pair_room_find(g, in->s.spi);
	struct pair_suspect *s;

	if (act->n_freed == PAIR_ACTS || act->n_unpin == PAIR_ACTS)
		return;
	if (t)
		pair_room_free(g, t);
	t = pair_room_new(g, in->s.spi, now);
	if (!t)
		return;
	t->n_looks = min_t(u8, in->n_looks + 1, 16);
	t->twice = true;
	pair_room_seen(g, t, now - PAIR_RECENT_MS);
	if (out && out->pin)
		act->unpin[act->n_unpin++] = out;
	if (!out)
		c->n_due++;
	pair_act_free(g, act, &in->s);
	pair_open_update(g, c, false);
	if (rival) {
		s = pair_suspect_add(g, t, rival);
		s->score = 0;
	}
	s = pair_suspect_add(g, t, c);
	s->score = PAIR_LEAD * PAIR_BIT;
	s->n_answers = 1;
	s->out = out ? out->spi : t->spi;
	pair_set_lead(t, c);
	g->n_revoked++;
}

/* Whether something came for the client after its question before this one. */
static bool was_answered(const struct pair_group *g, const struct pair_client *c,
			 u32 asked_at)
{
	struct pair_spi *s;
	int steps = 0;

	list_for_each_entry(s, &c->in, node) {
		if (s->last && pair_is_answer(&g->window, asked_at, READ_ONCE(*s->last)))
			return true;
		if (++steps == PAIR_SUSPECTS)
			break;
	}
	return false;
}

/* A pair that has to prove itself: four answers, or as many in vain. */
static void probation(struct pair_group *g, struct pair_out *o, u32 now,
		      struct pair_act *act)
{
	struct pair_in *in = container_of(o->s.other, struct pair_in, s);

	if (was_answered(g, o->s.c, o->asked_at[1])) {
		o->n_vain = 0;
		if (++o->n_good >= PAIR_PROOF)
			pair_act_pin(act, &o->s);
	} else if (++o->n_vain >= PAIR_PROOF) {
		o->n_vain = 0;
		revoke(g, in, NULL, now, act);
	}
}

/* A pin that another client's question before this one would explain. */
static struct pair_in *doubtful(const struct pair_group *g, const struct pair_client *c,
				u32 asked_at, u32 now)
{
	struct pair_in *in;
	int steps = 0;

	list_for_each_entry_reverse(in, &g->pins, age) {
		if (++steps > PAIR_WALK)
			break;
		if (in->s.c == c || !in->s.last ||
		    now - in->since < (u32)PAIR_RECENT_MS << in->n_looks)
			continue;
		if (pair_in_window(&g->window, asked_at, READ_ONCE(*in->s.last)))
			return in;
	}
	return NULL;
}

static void starve(struct pair_group *g, struct pair_client *c, u32 asked_at, u32 now,
		   struct pair_act *act)
{
	struct pair_in *in;

	if (c->n_lead || was_answered(g, c, asked_at)) {
		c->n_vain = 0;
		return;
	}
	if (c->n_vain < PAIR_PROOF)
		c->n_vain++;
	if (c->n_vain < PAIR_PROOF)
		return;
	in = doubtful(g, c, asked_at, now);
	if (in)
		revoke(g, in, c, now, act);
}

/* To an only client, all that comes is an answer. */
static void only_client(struct pair_group *g, struct pair_out *o)
{
	struct pair_spi *s;

	list_for_each_entry(s, &o->s.c->in, node) {
		if (s->other)
			continue;
		pair_halves_join(g, s, &o->s);
		return;
	}
}

/**
 * pair_out_confirm() - a packet goes out: has its SPI proved itself without questions?
 * @g: the group
 * @o: its SPI
 * @question: a silence came before the packet
 * @now: ms
 * @act: filled with its pin
 */
void pair_out_confirm(struct pair_group *g, struct pair_out *o, bool question, u32 now,
		      struct pair_act *act)
{
	bool only = g->n_clients == 1;

	if (only && !o->s.other)
		only_client(g, o);
	if (o->s.other &&
	    (only || (!question && now - o->asked_at[0] >= PAIR_RECENT_MS)))
		pair_act_pin(act, &o->s);
}

/* A router that has just started may have taken one of several clients for the only one. */
static void company(struct pair_group *g, u32 now, struct pair_act *act)
{
	struct pair_in *in, *before;
	int steps = 0;

	if (now - g->joined_at >= PAIR_RECENT_MS)
		return;
	list_for_each_entry_safe_reverse(in, before, &g->pins, age) {
		if (++steps > PAIR_WALK)
			break;
		if (in->alone && g->joined_at - in->since < PAIR_RECENT_MS)
			revoke(g, in, NULL, now, act);
	}
}

/**
 * pair_pins_review() - a client asks: is there a pin to be doubted?
 * @g: the group
 * @c: the client
 * @o: its SPI, the question noted
 * @now: ms
 * @act: filled with what is taken back
 */
void pair_pins_review(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		      u32 now, struct pair_act *act)
{
	if (g->n_clients > 1)
		company(g, now, act);
	if (o->n_asked < 2)
		return;
	if (o->s.other)
		probation(g, o, now, act);
	else
		starve(g, c, o->asked_at[1], now, act);
}
