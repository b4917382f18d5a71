// SPDX-License-Identifier: GPL-2.0
/* Rule 2 of docs/pairing.md: the round trip, from arrivals in doubt alone. */
#include "lags.h"

#define STEP_MS		16	/* more than a tick at HZ=100; 64 make PAIR_UNKNOWN_MS */

/* How long ago the latest questions were: a bit for each step that has one. */
static u64 ages(const struct pair_group *g, u32 now)
{
	struct pair_client *c;
	struct pair_spi *s;
	int steps = 0;
	u64 mask = 0;
	u32 step;

	list_for_each_entry(c, &g->asks, asks)
		list_for_each_entry(s, &c->out, node) {
			if (++steps > PAIR_WALK)
				return mask;
			step = (now - container_of(s, struct pair_out, s)->asked_at[0]) /
				STEP_MS;
			if (!s->pin && step < PAIR_STEPS)
				mask |= 1ull << step;
		}
	return mask;
}

static void fade(struct pair_lags *l)
{
	int k, i;

	l->n /= 2;
	for (k = 0; k < PAIR_SPANS; k++)
		for (i = 0; i < PAIR_STEPS; i++)
			l->hits[k][i] /= 2;
}

/* The first step of a span that explains nearly all arrivals, and many more than any
 * other one; -1: none does. Where all get copies it takes no risk: the other one may
 * be twice as long.
 */
static int best(const struct pair_lags *l, int k, bool few)
{
	int wide = min_t(int, k + few, PAIR_SPANS - 1), at = 0, second = 0, i;

	for (i = 1; i < PAIR_STEPS; i++)
		if (l->hits[k][i] > l->hits[k][at])
			at = i;
	for (i = 0; i < PAIR_STEPS; i++)
		if ((i >= at + (2 << k) || i + (2 << wide) <= at) &&
		    l->hits[wide][i] > second)
			second = l->hits[wide][i];
	return l->hits[k][at] >= l->n - l->n / 8 &&
	       l->hits[k][at] - second >= l->n / 4 ? at : -1;
}

/**
 * pair_lag_count() - an SPI in doubt comes after a silence
 * @g: the group
 * @now: ms
 */
void pair_lag_count(struct pair_group *g, u32 now)
{
	struct pair_lags *l = &g->lags;
	u64 mask = g->window.n ? 0 : ages(g, now);
	int k, i, at = -1;

	if (!mask)
		return;
	l->n++;
	for (k = 0; k < PAIR_SPANS; k++) {
		mask |= mask >> (1 << k);
		for (i = 0; i < PAIR_STEPS; i++)
			l->hits[k][i] += mask >> i & 1;
	}
	for (k = 0; k < PAIR_SPANS && at < 0 && l->n >= PAIR_LAGS / 4; k++)
		at = best(l, k, g->n_clients <= PAIR_SUSPECTS);
	if (at >= 0)
		pair_window_lags(&g->window, at * STEP_MS, (at + (1 << k)) * STEP_MS);
	if (l->n == PAIR_LAGS)
		fade(l);
}
