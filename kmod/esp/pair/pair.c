// SPDX-License-Identifier: GPL-2.0
/* The pairing policy's face to its embedder; docs/pairing.md explains the rules. */
#include "review.h"

void pair_group_init(struct pair_group *g, const struct pair_cfg *cfg)
{
	memset(g, 0, sizeof(*g));
	g->cfg = cfg;
	INIT_LIST_HEAD(&g->clients);
	INIT_LIST_HEAD(&g->open);
	INIT_LIST_HEAD(&g->asks);
	INIT_LIST_HEAD(&g->pins);
	INIT_LIST_HEAD(&g->free);
	INIT_LIST_HEAD(&g->done);
	INIT_LIST_HEAD(&g->once);
	INIT_LIST_HEAD(&g->live);
}

void pair_client_add(struct pair_group *g, struct pair_client *c, u32 now)
{
	INIT_LIST_HEAD(&c->out);
	INIT_LIST_HEAD(&c->in);
	INIT_LIST_HEAD(&c->open);
	INIT_LIST_HEAD(&c->asks);
	list_add_tail(&c->node, &g->clients);
	pair_room_add(g, &c->room);
	pair_claim_new(c, now);
	c->mark = g->mark;
	if (++g->n_clients == 2)
		g->joined_at = now;
}

/**
 * pair_client_del() - a client goes
 * @g: the group
 * @c: the client; its SPIs stay in its lists, for the embedder to free
 */
void pair_client_del(struct pair_group *g, struct pair_client *c)
{
	struct pair_spi *s;

	pair_room_forget(g, c);
	pair_room_del(g, &c->room);
	list_for_each_entry(s, &c->out, node)
		pair_room_del(g, &container_of(s, struct pair_out, s)->room);
	list_for_each_entry(s, &c->in, node)
		list_del_init(&container_of(s, struct pair_in, s)->age);
	g->n_open -= !list_empty(&c->open);
	g->n_clients--;
	list_del_init(&c->open);
	list_del_init(&c->asks);
	list_del_init(&c->node);
}

/* The client's outbound SPI, put first as the next packet is mostly of the same. */
struct pair_out *pair_out_find(struct pair_client *c, u32 spi)
{
	struct pair_spi *s = pair_spi_of(&c->out, spi);

	if (!s)
		return NULL;
	list_move(&s->node, &c->out);
	return container_of(s, struct pair_out, s);
}

/**
 * pair_out_add() - a client uses an outbound SPI that pair_out_find() has not
 * @g: the group
 * @c: the client
 * @o: memory for it
 * @spi: the SPI
 * @now: ms
 * @act: filled with an SPI that goes for it
 *
 * Return: false when the client may have no more; the memory is not used then.
 */
bool pair_out_add(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		  u32 spi, u32 now, struct pair_act *act)
{
	if (!pair_spi_trim(g, c, false, now, act))
		return false;
	memset(o, 0, sizeof(*o));
	o->s.c = c;
	o->s.spi = spi;
	o->seen_at = now - PAIR_QUIET_MS;
	if (!c->ike)
		pair_claim_new(c, now);
	else if (!pair_is_open(c))
		c->open_at = now;
	list_add(&o->s.node, &c->out);
	pair_room_add(g, &o->room);
	c->n_out++;
	c->n_unpaired++;
	pair_open_update(g, c, true);
	return true;
}

/**
 * pair_packet_out() - a packet goes out on an SPI that has no pin
 * @g: the group
 * @c: the client
 * @o: its SPI
 * @now: ms
 * @act: filled with pins, and with what is taken back
 */
void pair_packet_out(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		     u32 now, struct pair_act *act)
{
	bool question = now - o->seen_at >= PAIR_QUIET_MS;

	o->seen_at = now;
	pair_out_confirm(g, o, question, now, act);
	if (!question)
		return;
	pair_question_note(g, c, o, now);
	pair_pins_review(g, c, o, now, act);
}

/* Whether a silence came before the packet that is arriving now. */
static bool is_alone(const struct pair_trial *t, u32 now)
{
	u32 gap = now - t->seen_at;

	return gap >= PAIR_QUIET_MS && gap >= 4u * t->spacing_ms;
}

/**
 * pair_packet_in() - a packet arrives on an SPI that has no pin
 * @g: the group
 * @spi: the SPI
 * @now: ms
 * @act: filled with the receivers and pins
 */
void pair_packet_in(struct pair_group *g, u32 spi, u32 now, struct pair_act *act)
{
	struct pair_trial *t = pair_room_find(g, spi);
	bool alone = !t || is_alone(t, now);

	if (!t)
		t = pair_room_new(g, spi, now);
	else
		t->twice = true;
	if (!t) {
		g->n_unknown++;
		return;
	}
	if (t->owner) {
		pair_add_in(g, t->owner, spi, now, act);
	} else if (alone || g->n_clients == 1) {
		if (alone)
			pair_arrival_score(g, t, now);
		pair_lead_look(g, t, now, act);
	}
	if (!alone && now != t->seen_at)
		t->spacing_ms = pair_mean(t->spacing_ms, now - t->seen_at);
	pair_room_seen(g, t, now);
	pair_receivers_fill(g, t, alone, now, act);
}

/**
 * pair_restore_in() - an inbound SPI that was saved before a reload
 * @g: the group
 * @c: the client, its spare at hand
 * @spi: the SPI
 * @now: ms
 * @act: filled with its pin
 *
 * Return: false when it leads to another by now.
 */
bool pair_restore_in(struct pair_group *g, struct pair_client *c, u32 spi, u32 now,
		     struct pair_act *act)
{
	struct pair_trial *t = pair_room_find(g, spi);

	if (t && (t->owner || (t->lead && t->lead != c)))
		return false;
	if (t)
		pair_room_free(g, t);
	return pair_add_in(g, c, spi, now, act);
}

/* An SPI was saved and is there again: it gets its pin and any other half. */
void pair_spi_restored(struct pair_group *g, struct pair_spi *s, struct pair_act *act)
{
	struct pair_spi *half;

	if (!s->in)
		pair_act_pin(act, s);
	list_for_each_entry(half, s->in ? &s->c->out : &s->c->in, node) {
		if (s->other || half->other)
			continue;
		pair_halves_join(g, s->in ? s : half, s->in ? half : s);
	}
}
