// SPDX-License-Identifier: GPL-2.0
/*
 * L2TPv3 over IP without a control connection, and no addresses to go by
 * (ether.c). Clients of one server that are not yet answered take turns: for
 * one window one of them sends, in that and the next its answers are waited
 * for, in a third nobody sends. An ID that comes in four turns of a client, at no
 * other time, and more often than any other does is that client's. On one that
 * comes at other times, too, the server sends unasked: it is nobody's as long as
 * it could be another's.
 */
#include "turn.h"

#define PROOFS		4	/* turns in which an ID must be heard */
#define YIELD_MAX	6	/* 2 << 6 windows for others after turns in vain */
#define HITS_MAX	1000
#define PENDING_MAX	16	/* clients, to look for one among them */

enum phase { FREE, SEND, HEAR, QUIET };

void l2tp_turns_init(struct l2tp_turns *t)
{
	memset(t, 0, sizeof(*t));
	INIT_LIST_HEAD(&t->clients);
}

void l2tp_turns_add(struct l2tp_turns *t, struct l2tp_client *c)
{
	list_add_tail(&c->node, &t->clients);
	t->n++;
}

/* A client that was not added may be given, too. */
void l2tp_turns_del(struct l2tp_turns *t, struct l2tp_client *c)
{
	int i;

	if (list_empty(&c->node))
		return;
	list_del_init(&c->node);
	t->n--;
	if (t->turn == c)
		t->turn = NULL;
	for (i = 0; i < L2TP_TRIALS; i++)
		if (t->trials[i].c == c)
			t->trials[i] = (struct l2tp_trial) {};
}

static enum phase phase(const struct l2tp_turns *t, u32 now)
{
	u32 windows;

	if (!t->turn)
		return FREE;
	windows = (now - t->turn_at) / t->window;
	return windows < 3 ? SEND + windows : FREE;
}

static bool yields(struct l2tp_client *c, u32 now)
{
	if (c->yields && (s32)(now - c->yield_until) >= 0)
		c->yields = false;
	return c->yields;
}

/* The client that alone is not answered, of not too many, or NULL. */
static struct l2tp_client *only_pending(const struct l2tp_turns *t)
{
	struct l2tp_client *c, *found = NULL;

	if (t->n > PENDING_MAX)
		return NULL;
	list_for_each_entry(c, &t->clients, node) {
		if (!c->ask || c->answer)
			continue;
		if (found)
			return NULL;
		found = c;
	}
	return found;
}

/* A turn has passed. In vain: this may be a one-way flow, others go first. */
static void turn_ends(struct l2tp_turns *t, u32 now)
{
	struct l2tp_client *c = t->turn;

	t->turn = NULL;
	if (!c || t->heard)
		return;
	if (c->vain < YIELD_MAX)
		c->vain++;
	c->yields = true;
	c->yield_until = now + (t->window << (1 + c->vain));
}

/**
 * l2tp_turn_out() - may a client send on an ID that is not yet settled?
 * @t: the clients of its server
 * @c: the client
 * @id: the server's session ID
 * @window: how long its turn is to be
 * @now: the time
 *
 * An only client may: there is nobody whom an answer could be for instead. So
 * may one that could not be told from the server's own accord, when all others
 * have been. Once @c->answer is not 0, @id needs no further questions.
 */
bool l2tp_turn_out(struct l2tp_turns *t, struct l2tp_client *c, u32 id,
		   u32 window, u32 now)
{
	enum phase ph = phase(t, now);

	if (c->ask != id) {
		c->ask = id;
		c->answer = 0;
	}
	if (c->answer || t->n == 1 || (ph == SEND && t->turn == c) ||
	    (c->unasked && only_pending(t) == c))
		return true;
	if (ph != FREE)
		return false;
	turn_ends(t, now);
	if (yields(c, now))
		return true;
	t->turn = c;
	t->turn_at = now;
	t->window = window;
	t->heard = false;
	t->turns++;
	return true;
}

static struct l2tp_trial *trial_find(struct l2tp_turns *t, u32 id)
{
	int i;

	for (i = 0; i < L2TP_TRIALS; i++)
		if (t->trials[i].id == id)
			return &t->trials[i];
	return NULL;
}

/* Does nothing else come in a client's turns alone, nearly as often? */
static bool is_best(const struct l2tp_turns *t, const struct l2tp_trial *tr)
{
	int i;

	for (i = 0; i < L2TP_TRIALS; i++)
		if (&t->trials[i] != tr && t->trials[i].c == tr->c &&
		    t->trials[i].n > 1 && 2 * t->trials[i].hits > tr->hits)
			return false;
	return true;
}

/* An ID is heard in a client's turn. Return: often enough. */
static bool hear(struct l2tp_turns *t, u32 id)
{
	struct l2tp_trial *tr = trial_find(t, id);
	struct l2tp_client *c = t->turn;

	t->heard = true;
	c->vain = 0;
	if (!tr)
		tr = &t->trials[t->next++ % L2TP_TRIALS];
	if (tr->id != id || tr->c != c)
		*tr = (struct l2tp_trial) { .id = id, .c = c };
	if (tr->hits < HITS_MAX)
		tr->hits++;
	if (tr->turn == t->turns)
		return false;
	tr->turn = t->turns;
	if (tr->n < PROOFS)
		tr->n++;
	if (tr->n < PROOFS || !is_best(t, tr))
		return false;
	*tr = (struct l2tp_trial) {};
	t->turn = NULL;
	return true;
}

/* An ID comes when nobody was to be answered: that proves nothing, and takes
 * from what was proven. When it can be only one client's, it gets it for now.
 */
static struct l2tp_client *overhear(struct l2tp_turns *t, u32 id)
{
	struct l2tp_trial *tr = trial_find(t, id);

	if (!tr)
		return NULL;
	tr->n = 0;
	tr->hits = 0;
	if (!tr->c || only_pending(t) != tr->c)
		return NULL;
	tr->c->unasked = true;
	return tr->c;
}

/**
 * l2tp_turn_in() - something comes in on an ID that is nobody's
 * @t: the clients of the server
 * @id: the ID, not 0
 * @now: the time
 * @proven: set to whether it is the client's for good. The caller then sets its
 *	answer.
 *
 * Return: the client it is for as far as is known, or NULL.
 */
struct l2tp_client *l2tp_turn_in(struct l2tp_turns *t, u32 id, u32 now,
				 bool *proven)
{
	enum phase ph = phase(t, now);
	struct l2tp_client *c = t->turn;

	*proven = false;
	if (t->n == 1)
		return list_first_entry(&t->clients, struct l2tp_client, node);
	if (ph != SEND && ph != HEAR)
		return overhear(t, id);
	*proven = hear(t, id);
	return c;
}
