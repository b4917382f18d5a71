// SPDX-License-Identifier: GPL-2.0
/* Rule 8 of docs/pairing.md. */
#include "room.h"

static struct pair_trial **bucket(const struct pair_group *g, u32 spi)
{
	u32 h = (spi * 0x9e3779b1u) >> 26;

	return (struct pair_trial **)&g->hash[h];
}

void pair_room_add(struct pair_group *g, struct pair_trial *t)
{
	memset(t, 0, sizeof(*t));
	list_add_tail(&t->node, &g->free);
}

void pair_set_lead(struct pair_trial *t, struct pair_client *c)
{
	if (t->lead)
		t->lead->n_lead--;
	t->lead = c;
	if (c) {
		c->n_lead++;
		c->n_vain = 0;
	}
}

/* Forget what it holds. */
void pair_room_free(struct pair_group *g, struct pair_trial *t)
{
	struct pair_trial **p = bucket(g, t->spi);

	if (!t->spi)
		return;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	pair_set_lead(t, NULL);
	list_del_init(&t->node);
	pair_room_add(g, t);
}

/* The memory goes with the client that brought it. */
void pair_room_del(struct pair_group *g, struct pair_trial *t)
{
	pair_room_free(g, t);
	list_del_init(&t->node);
}

struct pair_trial *pair_room_find(const struct pair_group *g, u32 spi)
{
	struct pair_trial *t = *bucket(g, spi);

	while (t && t->spi != spi)
		t = t->next;
	return t;
}

static struct pair_trial *oldest(const struct pair_group *g)
{
	const struct list_head *order[] = { &g->free, &g->done, &g->once, &g->live };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (!list_empty(order[i]))
			return list_first_entry(order[i], struct pair_trial, node);
	return NULL;
}

/* Room for an SPI that nothing is known of, taken from another if need be. */
struct pair_trial *pair_room_new(struct pair_group *g, u32 spi, u32 now)
{
	struct pair_trial *t = oldest(g);

	if (!t) {
		g->n_no_room++;
		return NULL;
	}
	pair_room_free(g, t);
	t->spi = spi;
	t->first_at = now;
	t->seen_at = now;
	t->next = *bucket(g, spi);
	*bucket(g, spi) = t;
	list_move_tail(&t->node, &g->once);
	return t;
}

/* The latest seen is the last to be reused; what is decided is the first. */
void pair_room_seen(struct pair_group *g, struct pair_trial *t, u32 now)
{
	t->seen_at = now;
	list_move_tail(&t->node, t->owner ? &g->done : t->twice ? &g->live : &g->once);
}

static void forget(struct pair_trial *t,
		   const struct pair_client *c)
{
	u8 i;

	if (t->turn == c)
		t->turn = NULL;
	if (t->lead == c)
		pair_set_lead(t, NULL);
	if (t->owner == c)
		t->owner = NULL;
	for (i = 0; i < t->n_suspects; i++)
		if (t->suspect[i].c == c)
			t->suspect[i--] = t->suspect[--t->n_suspects];
}

/* A client goes. */
void pair_room_forget(struct pair_group *g, const struct pair_client *c)
{
	struct list_head *const all[] = { &g->done, &g->once, &g->live };
	struct pair_trial *t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		list_for_each_entry(t, all[i], node)
			forget(t, c);
}
