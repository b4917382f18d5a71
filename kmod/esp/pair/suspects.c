// SPDX-License-Identifier: GPL-2.0
/* Rules 3 and 4 of docs/pairing.md. Scores are in eighths of a bit. */
#include "lags.h"
#include "suspects.h"

/* A client that has always asked in time is not outdone; it falls behind by misses. */
#define SCORE_MAX	((PAIR_SURE + PAIR_LEAD) * PAIR_BIT)

struct pair_suspect *pair_suspect_of(struct pair_trial *t, const struct pair_client *c)
{
	u8 i;

	for (i = 0; i < t->n_suspects; i++)
		if (t->suspect[i].c == c)
			return &t->suspect[i];
	return NULL;
}

static void suspect_drop(struct pair_trial *t, struct pair_suspect *s)
{
	if (t->lead == s->c)
		pair_set_lead(t, NULL);
	*s = t->suspect[--t->n_suspects];
}

static struct pair_suspect *worst(struct pair_trial *t)
{
	struct pair_suspect *s = &t->suspect[0];
	u8 i;

	for (i = 1; i < t->n_suspects; i++)
		if (t->suspect[i].score < s->score)
			s = &t->suspect[i];
	return s;
}

/* List a client, in place of the least likely if need be. NULL: it is less. */
struct pair_suspect *pair_suspect_add(const struct pair_group *g, struct pair_trial *t,
				      struct pair_client *c)
{
	struct pair_suspect *s = pair_suspect_of(t, c);
	s16 score = pair_claim_score(g, c, t->first_at);

	if (s)
		return s;
	if (t->n_suspects == PAIR_SUSPECTS) {
		s = worst(t);
		if (s->score > score)
			return NULL;
		suspect_drop(t, s);
	}
	s = &t->suspect[t->n_suspects++];
	*s = (struct pair_suspect) { .c = c, .score = score };
	return s;
}

/* A question on the SPI that an arrival of this inbound one may answer. */
static bool has_question(const struct pair_group *g, const struct pair_out *o, u32 spi,
			 u32 now, u32 *asked_at)
{
	int i;

	for (i = 0; i < o->n_asked && !o->s.pin; i++) {
		*asked_at = o->asked_at[i];
		if ((!o->answered_by[i] || o->answered_by[i] == spi) &&
		    pair_in_window(&g->window, *asked_at, now))
			return true;
	}
	return false;
}

/* The client's SPI with such a question, the one that was answered before if it has one. */
static struct pair_out *question_of(const struct pair_group *g, struct pair_client *c,
				    const struct pair_out *before, u32 spi, u32 now,
				    u32 *asked_at)
{
	struct pair_spi *s;
	int steps = 0;

	if (before && has_question(g, before, spi, now, asked_at))
		return (struct pair_out *)before;
	list_for_each_entry(s, &c->out, node) {
		struct pair_out *o = container_of(s, struct pair_out, s);

		if (++steps > PAIR_WALK)
			break;
		if (has_question(g, o, spi, now, asked_at))
			return o;
	}
	return NULL;
}

/* The client's SPI with the question that was answered, if it has that still. */
struct pair_out *pair_asked_on(const struct pair_suspect *s)
{
	struct pair_spi *spi = pair_spi_of(&s->c->out, s->out);

	return spi ? container_of(spi, struct pair_out, s) : NULL;
}

/* The SPI that was answered before, if it has no pin. */
static struct pair_out *asked_before(const struct pair_suspect *s)
{
	struct pair_out *o = pair_asked_on(s);

	return o && !o->s.pin ? o : NULL;
}

/* A coincidence is to be expected once in so many ms. The client's questions on the SPI that
 * was answered before count, and where there is none all its questions.
 */
static u32 interval(const struct pair_trial *t, const struct pair_client *c,
		    const struct pair_out *before)
{
	u32 every_ms = before && before->every_ms ? before->every_ms : c->every_ms;
	u32 ms = PAIR_RECENT_MS;

	if (every_ms)
		ms = min_t(u32, ms, every_ms);
	if (t->every_ms)
		ms = min_t(u32, ms, t->every_ms);
	return ms;
}

/* Nothing comes unasked more often than not, and what does says no more than
 * that, however often.
 */
static void lose(const struct pair_group *g, const struct pair_trial *t,
		 struct pair_suspect *s, s16 bits)
{
	s16 floor = pair_claim_score(g, s->c, t->first_at) - PAIR_SURE * PAIR_BIT;

	s->score = max_t(s16, s->score - bits, min_t(s16, s->score, floor));
}

/* A coincidence was to be expected once in ms; len is the window. */
static void answered(struct pair_suspect *s, const struct pair_out *o, u32 ms, u32 len)
{
	if (ms <= 2 * len)
		return;
	s->n_answers = min_t(u8, s->n_answers + 1, PAIR_PROOF);
	/* Two clocks that agree once will agree again. */
	if (s->out)
		ms = min_t(u32, ms, PAIR_VARY * o->vary_ms);
	if (ms > 2 * len)
		s->score = min_t(s16, s->score + pair_log2(ms) - pair_log2(2 * len),
				 SCORE_MAX);
}

static void score_arrival(struct pair_group *g, struct pair_trial *t,
			  struct pair_suspect *s, u32 now)
{
	u32 at, ms, len = pair_window_len(&g->window);
	struct pair_out *before = asked_before(s);
	struct pair_client *c = s->c;
	struct pair_out *o = question_of(g, c, before, t->spi, now, &at);

	if (o && s->asked_at == at)
		return;
	ms = interval(t, c, before);
	if (o && (!before || o == before))
		answered(s, o, ms, len);
	else if (ms > 2 * len && now - c->asked_at < PAIR_RECENT_MS &&
		 pair_is_answer(&g->window, c->asked_at, now))
		lose(g, t, s, PAIR_BIT + pair_log2(ms - len) - pair_log2(ms));
	if (o) {
		s->out = o->s.spi;
		s->asked_at = at;
	}
}

static void leave(const struct pair_group *g, struct pair_trial *t)
{
	u8 i;

	for (i = 0; i < t->n_suspects; i++)
		if (!pair_may_own(g, t->suspect[i].c, t->first_at))
			suspect_drop(t, &t->suspect[i--]);
}

static void enter(struct pair_group *g, struct pair_trial *t, u32 now)
{
	struct pair_client *c;
	int steps = 0;
	u32 at;

	if (g->n_clients == 1)
		pair_suspect_add(g, t, list_first_entry(&g->clients, struct pair_client, node));
	list_for_each_entry(c, &g->asks, asks) {
		if (++steps > PAIR_WALK || now - c->asked_at > 2 * pair_window_end(&g->window))
			break;
		if (pair_may_own(g, c, t->first_at) &&
		    question_of(g, c, NULL, t->spi, now, &at))
			pair_suspect_add(g, t, c);
	}
	steps = 0;
	list_for_each_entry(c, &g->open, open) {
		if (++steps > PAIR_WALK || t->n_suspects == PAIR_SUSPECTS)
			break;
		if (pair_may_own(g, c, t->first_at))
			pair_suspect_add(g, t, c);
	}
}

/* An arrival of an SPI in doubt after a silence, the first one included. */
void pair_arrival_score(struct pair_group *g, struct pair_trial *t, u32 now)
{
	u8 i;

	if (t->alone_at)
		t->every_ms = pair_mean(t->every_ms, now - t->alone_at);
	t->alone_at = now | 1;
	pair_lag_count(g, now);
	leave(g, t);
	enter(g, t, now);
	for (i = 0; i < t->n_suspects; i++)
		score_arrival(g, t, &t->suspect[i], now);
}
