// SPDX-License-Identifier: GPL-2.0
/* Rule 1 of docs/pairing.md: IKE, the outbound SPIs, and their questions. */
#include "claims.h"

bool pair_is_open(const struct pair_client *c)
{
	return c->n_due || c->asking || c->n_unpaired;
}

/* After each change of what makes a client open. A claim puts it first. */
void pair_open_update(struct pair_group *g, struct pair_client *c, bool claim)
{
	bool was = !list_empty(&c->open), is = pair_is_open(c);

	if (was && (claim || !is))
		list_del_init(&c->open);
	if (is && (claim || !was))
		list_add(&c->open, &g->open);
	g->n_open += is - was;
}

/* A new SA is to be expected of a client. */
void pair_claim_new(struct pair_client *c, u32 now)
{
	memmove(&c->claim_at[1], &c->claim_at[0], sizeof(c->claim_at) - sizeof(u32));
	c->claim_at[0] = now;
	if (!pair_is_open(c))
		c->open_at = now;
}

/* A request that makes an SA passed, for the first time. */
void pair_ike_asked(struct pair_group *g, struct pair_client *c, u32 now)
{
	c->ike = true;
	if (!c->asking)
		pair_claim_new(c, now);
	c->asking = true;
	pair_open_update(g, c, true);
}

/* The response to such a request passed: an inbound SPI is due. */
void pair_sa_made(struct pair_group *g, struct pair_client *c, u32 now)
{
	c->ike = true;
	if (!c->asking)
		pair_claim_new(c, now);
	c->asking = false;
	c->claim_at[0] = now;
	c->n_due = min_t(u8, c->n_due + 1, PAIR_DUE);
	pair_open_update(g, c, true);
}

/* The request was refused; or, while none is under way, what seemed to have made an SA
 * has not.
 */
void pair_sa_not_made(struct pair_group *g, struct pair_client *c)
{
	if (!c->asking && c->n_due)
		c->n_due--;
	c->asking = false;
	pair_open_update(g, c, false);
}

void pair_round_trip(struct pair_group *g, u32 ms)
{
	pair_window_sample(&g->window, ms);
}

/* A claim may be some delay younger than an SPI that it is for, as what the gateway
 * sends overtakes its own response.
 */
static bool was_open(const struct pair_group *g, const struct pair_client *c, u32 at)
{
	return pair_is_open(c) && (s32)(c->open_at - at) <= (s32)pair_window_len(&g->window);
}

/* Whether a client may own an SPI that first came then. */
bool pair_may_own(const struct pair_group *g, const struct pair_client *c, u32 first_at)
{
	return !c->ike || was_open(g, c, first_at);
}

/* An SA is mostly used soon after it was made. */
s16 pair_claim_score(const struct pair_group *g, const struct pair_client *c, u32 at)
{
	u32 len = pair_window_len(&g->window);
	s32 age = 0;
	int i;

	if (!c->ike)
		return -PAIR_BIT * (PAIR_LEAD + (was_open(g, c, at) ? 0 : PAIR_SURE));
	for (i = 0; i < PAIR_DUE; i++) {
		age = (s32)(at - c->claim_at[i]);
		if (age >= -(s32)len)
			break;
	}
	return max_t(s16, pair_log2(len) - pair_log2(len + (u32)max_t(s32, age, 0)),
		     -PAIR_LEAD * PAIR_BIT);
}

/* The one with that number, of a client's inbound or outbound SPIs; or NULL. */
struct pair_spi *pair_spi_of(const struct list_head *spis, u32 spi)
{
	struct pair_spi *s;

	list_for_each_entry(s, spis, node)
		if (s->spi == spi)
			return s;
	return NULL;
}

void pair_halves_split(struct pair_group *g, struct pair_spi *s)
{
	if (!s->other)
		return;
	s->c->n_unpaired++;
	s->other->other = NULL;
	s->other = NULL;
	pair_open_update(g, s->c, false);
}

void pair_halves_join(struct pair_group *g, struct pair_spi *in, struct pair_spi *out)
{
	struct pair_out *o = container_of(out, struct pair_out, s);

	pair_halves_split(g, in);
	pair_halves_split(g, out);
	in->other = out;
	out->other = in;
	o->n_good = 0;
	o->n_vain = 0;
	in->c->n_unpaired--;
	pair_open_update(g, in->c, false);
}

/**
 * pair_question_note() - a packet went out on an unpinned SPI after a silence
 * @g: the group
 * @c: the client
 * @o: the SPI
 * @now: ms
 */
void pair_question_note(struct pair_group *g, struct pair_client *c, struct pair_out *o,
			u32 now)
{
	u32 gap = min_t(u32, now - o->asked_at[0], PAIR_RECENT_MS);

	o->vary_ms = o->n_asked < 2 ? 0 :
		gap > o->gap_ms ? gap - o->gap_ms : o->gap_ms - gap;
	o->gap_ms = gap;
	if (o->n_asked)
		o->every_ms = pair_mean(o->every_ms, gap);
	if (!list_empty(&c->asks))
		c->every_ms = pair_mean(c->every_ms, now - c->asked_at);
	o->asked_at[1] = o->asked_at[0];
	o->answered_by[1] = o->answered_by[0];
	o->asked_at[0] = now;
	o->answered_by[0] = 0;
	o->n_asked = min_t(u8, o->n_asked + 1, 2);
	c->asked_at = now;
	list_move(&c->asks, &g->asks);
}
