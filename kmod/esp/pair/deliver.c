// SPDX-License-Identifier: GPL-2.0
/* Rule 6 of docs/pairing.md: who gets a packet in doubt. */
#include "deliver.h"

/* The bucket holds the copies of one second. */
static void refill(struct pair_group *g, u32 now)
{
	u32 most = g->cfg->rate * 1000u, ms = min_t(u32, now - g->tokens_at, 1000);

	g->tokens = min_t(u32, g->tokens + ms * g->cfg->rate, most);
	g->tokens_at = now;
}

static void give(struct pair_group *g, struct pair_act *act, struct pair_client *c,
		 u32 most)
{
	if (!c || c->mark == g->mark || act->n_to >= most)
		return;
	c->mark = g->mark;
	g->to[act->n_to++] = c;
}

/* The suspects, the most likely first. */
static void give_suspects(struct pair_group *g, struct pair_act *act,
			  const struct pair_trial *t, u32 most)
{
	const struct pair_suspect *best;
	u8 i, n;

	for (n = 0; n < t->n_suspects && act->n_to < most; n++) {
		best = NULL;
		for (i = 0; i < t->n_suspects; i++) {
			const struct pair_suspect *s = &t->suspect[i];

			if (s->c->mark != g->mark && (!best || s->score > best->score))
				best = s;
		}
		give(g, act, best ? best->c : NULL, most);
	}
}

/* The next of all that are open, or of all, and so on with each silence. */
static struct pair_client *next_turn(struct pair_group *g, const struct pair_trial *t)
{
	struct list_head *p;

	if (g->n_open) {
		p = t->turn && !list_empty(&t->turn->open) ? t->turn->open.next :
							     g->open.next;
		if (p == &g->open)
			p = p->next;
		return list_entry(p, struct pair_client, open);
	}
	p = t->turn ? t->turn->node.next : g->clients.next;
	if (p == &g->clients)
		p = p->next;
	return list_entry(p, struct pair_client, node);
}

/* All that are open, or all there are, from another one on with each silence. */
static void give_all(struct pair_group *g, struct pair_act *act, struct pair_trial *t,
		     bool alone, u32 most)
{
	struct pair_client *first, *c;
	u32 n = g->n_open ? g->n_open : g->n_clients;

	if (alone || !t->turn)
		t->turn = next_turn(g, t);
	first = t->turn;
	for (c = first; n-- && act->n_to < most; c = t->turn) {
		give(g, act, c, most);
		t->turn = next_turn(g, t);
	}
	t->turn = alone ? c : first;
}

/* Whether a client leads that was answered. */
static bool is_led(struct pair_trial *t)
{
	const struct pair_suspect *s = t->lead ? pair_suspect_of(t, t->lead) : NULL;

	return s && s->n_answers;
}

static void give_everybody(struct pair_group *g, struct pair_act *act, u32 most)
{
	struct pair_client *c;

	list_for_each_entry(c, &g->clients, node)
		give(g, act, c, most);
}

static void fill(struct pair_group *g, struct pair_trial *t, bool alone,
		 struct pair_act *act)
{
	bool few = g->n_clients <= PAIR_SUSPECTS, led = is_led(t);
	u32 most;

	most = g->tokens / 1000 / (alone ? PAIR_SHARE : PAIR_BURST);
	most = min_t(u32, 1 + min_t(u32, most, g->cfg->copies), 1 + PAIR_COPIES_MAX);
	if (led && !few)
		most = alone ? min_t(u32, most, PAIR_SUSPECTS) : 1;
	g->n_limit += most < min_t(u32, g->n_clients, PAIR_SUSPECTS) && !led;
	give_suspects(g, act, t, most);
	if (few)
		give_everybody(g, act, most);
	else if (!led || alone)
		give_all(g, act, t, alone, most);
	if (act->n_to > 1)
		g->tokens -= (act->n_to - 1) * 1000;
}

/**
 * pair_receivers_fill() - who gets the packet that is arriving
 * @g: the group
 * @t: its SPI
 * @alone: it comes after a silence
 * @now: ms
 * @act: filled with the receivers
 */
void pair_receivers_fill(struct pair_group *g, struct pair_trial *t, bool alone, u32 now,
			 struct pair_act *act)
{
	g->mark++;
	act->to = g->to;
	act->sure = t->owner || g->n_clients == 1 || is_led(t);
	refill(g, now);
	if (t->owner || g->cfg->strict)
		give(g, act, t->owner ? t->owner : t->lead, 1);
	else
		fill(g, t, alone, act);
	if (!act->n_to) {
		g->n_strict += g->cfg->strict;
		g->n_unknown++;
		return;
	}
	g->n_copies += act->n_to - 1;
}
