// SPDX-License-Identifier: GPL-2.0
/* Rule 5 of docs/pairing.md: who is ahead, and when that is enough for a pin. */
#include "lead.h"

#define NONE		(-0x4000)	/* the score of nobody */

void pair_act_pin(struct pair_act *act, struct pair_spi *s)
{
	if (!s->pin && act->n_pin < PAIR_ACTS)
		act->pin[act->n_pin++] = s;
}

/* Let go of an SPI. The act has room: see pair_spi_trim(). */
void pair_act_free(struct pair_group *g, struct pair_act *act, struct pair_spi *s)
{
	struct pair_client *c = s->c;

	pair_halves_split(g, s);
	list_del_init(&s->node);
	if (s->in) {
		list_del_init(&container_of(s, struct pair_in, s)->age);
		c->n_in--;
	} else {
		pair_room_del(g, &container_of(s, struct pair_out, s)->room);
		c->n_out--;
		c->n_unpaired--;
		pair_open_update(g, c, false);
	}
	act->freed[act->n_freed++] = s;
}

/* When a packet last came on it, fast path included. */
u32 pair_used_at(const struct pair_spi *s)
{
	if (s->last)
		return READ_ONCE(*s->last);
	return s->in ? container_of(s, struct pair_in, s)->since :
		       container_of(s, struct pair_out, s)->seen_at;
}

/**
 * pair_spi_trim() - make way for one more SPI of a client
 * @g: the group
 * @c: the client
 * @in: an inbound one
 * @now: ms
 * @act: the SPI that goes for it is put here
 *
 * Return: false when the client has as many as it may, all in use.
 */
bool pair_spi_trim(struct pair_group *g, struct pair_client *c, bool in, u32 now,
		   struct pair_act *act)
{
	bool full = (in ? c->n_in : c->n_out) >= g->cfg->spis;
	struct pair_spi *s, *old = NULL;

	list_for_each_entry(s, in ? &c->in : &c->out, node)
		if (!old || now - pair_used_at(s) > now - pair_used_at(old))
			old = s;
	if (!old || now - pair_used_at(old) <= (full ? PAIR_RECENT_MS : g->cfg->idle_ms))
		return !full;
	if (act->n_freed == PAIR_ACTS)
		return false;
	pair_act_free(g, act, old);
	return true;
}

/* Give a client an inbound SPI. NULL without memory; its next packet brings some. */
struct pair_in *pair_add_in(struct pair_group *g, struct pair_client *c, u32 spi, u32 now,
			    struct pair_act *act)
{
	struct pair_spi *s = pair_spi_of(&c->in, spi);
	struct pair_in *in = s ? container_of(s, struct pair_in, s) : NULL;

	if (!in) {
		if (!c->spare || !pair_spi_trim(g, c, true, now, act))
			return NULL;
		in = c->spare;
		c->spare = NULL;
		memset(in, 0, sizeof(*in));
		in->s.c = c;
		in->s.spi = spi;
		in->s.in = true;
		c->n_in++;
		list_add(&in->s.node, &c->in);
		in->since = now;
		list_add_tail(&in->age, &g->pins);
	}
	pair_act_pin(act, &in->s);
	return in;
}

static void decide(struct pair_group *g, struct pair_trial *t,
		   const struct pair_suspect *s, u32 now, struct pair_act *act)
{
	struct pair_out *o = pair_asked_on(s);
	struct pair_client *c = s->c;
	struct pair_in *in = pair_add_in(g, c, t->spi, now, act);

	if (!in)
		return;
	in->n_looks = t->n_looks;
	in->alone = g->n_clients == 1;
	if (o && !o->s.other)
		pair_halves_join(g, &in->s, &o->s);
	pair_set_lead(t, NULL);
	t->owner = c;
	if (c->n_due)
		c->n_due--;
	pair_open_update(g, c, false);
	if (in->alone)
		g->n_only++;
	else
		g->n_paired++;
}

/* No other SPI can be what answered it. */
static void close_question(const struct pair_trial *t, const struct pair_suspect *s)
{
	struct pair_out *o = pair_asked_on(s);
	int i;

	for (i = 0; o && i < o->n_asked; i++)
		if (o->asked_at[i] == s->asked_at)
			o->answered_by[i] = t->spi;
}

/* Is it answered, and has the client asked for so many, or does each speak for itself? */
static bool enough(const struct pair_group *g, const struct pair_trial *t,
		   const struct pair_suspect *s)
{
	const struct pair_client *c = s->c;

	if (g->n_clients == 1)
		return t->twice;
	if (s->n_answers < PAIR_PROOF)
		return false;
	return c->n_lead <= max_t(u16, c->n_due, c->n_unpaired) ||
	       s->score >= PAIR_SURE * PAIR_BIT;
}

/**
 * pair_lead_look() - see who is ahead, after scores have changed
 * @g: the group
 * @t: the SPI
 * @now: ms
 * @act: filled with pins
 */
void pair_lead_look(struct pair_group *g, struct pair_trial *t, u32 now,
		    struct pair_act *act)
{
	struct pair_suspect *best = NULL;
	s16 second = NONE, ahead;
	u8 i;

	for (i = 0; i < t->n_suspects; i++) {
		struct pair_suspect *s = &t->suspect[i];

		if (best && s->score <= best->score) {
			second = max_t(s16, second, s->score);
			continue;
		}
		second = best ? best->score : NONE;
		best = s;
	}
	ahead = best ? best->score - second : 0;
	if (ahead < PAIR_LEAD * PAIR_BIT) {
		pair_set_lead(t, NULL);
		return;
	}
	if (t->lead != best->c)
		pair_set_lead(t, best->c);
	close_question(t, best);
	if (ahead >= PAIR_SURE * PAIR_BIT && enough(g, t, best))
		decide(g, t, best, now, act);
}
