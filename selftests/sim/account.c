// SPDX-License-Identifier: GPL-2.0
/* Packets that clients got, compared with those that were theirs. */
#include "sim.h"

/* Wrong is an SPI whose packets go to others, three and more, for LASTING; wrong at
 * the end, when its last one did, too.
 */
static void judge(struct gen *g)
{
	if (g->bad_n >= 3 && g->bad_last - g->bad_since >= LASTING && g->bad_other)
		g->bad_ever = true;
}

void count_delivery(u32 spi, const int *to, int n)
{
	u32 fi, gi, owner;
	struct flow *f;
	struct gen *g;
	bool got = false;
	int i;

	w.res->copies += n > 1 ? n - 1 : 0;
	if (!truth_get(spi, &fi, &gi))
		return;
	f = &w.flow[fi];
	owner = f->client;
	g = &f->g[gi];
	/* Nobody is there for it, or a client that the router cannot know of. */
	if ((f->gone_at && w.now > f->gone_at) || !w.client[owner].seen)
		return;
	w.res->in++;
	for (i = 0; i < n; i++)
		got |= to[i] == (int)owner;
	if (got) {
		g->bad_n = 0;
		g->bad_other = 0;
		return;
	}
	w.res->lost++;
	w.res->silent += !g->seq_out;
	if (!g->bad_n++)
		g->bad_since = w.now;
	g->bad_last = w.now;
	g->bad_other += n > 0;
	judge(g);
	if (opt.trace && g->bad_n >= 3 && w.now - g->bad_since > LASTING)
		printf("WRONG c%u %08x n %u since %.1f\n", owner, spi, g->bad_n,
		       g->bad_since / 1e3);
}

static void tally_flow(struct result *r, struct client *c, struct flow *f)
{
	u32 k;

	for (k = 0; k < f->gens; k++) {
		struct gen *g = &f->g[k];

		c->wrong |= g->bad_ever;
		if (g->bad_n >= 3 && g->bad_other && g->bad_ever)
			c->wrong_end = true;
	}
	if (f->g[f->ggen].seq_in && !f->gone_at) {
		r->spis++;
		r->paired += policy_pair.owner(f->g[f->ggen].in) == (int)f->client;
	}
	if (f->kind == ONEWAY || !f->first_at || w.end - f->first_at < 5 * SEC ||
	    (f->kind == PUSH && !f->started) || f->gone_at)
		return;
	r->expect++;
	r->up += f->up;
	if (f->up)
		r->ttp[r->n_ttp++] = (u32)(f->ttp / MS);
	if (opt.trace && (!f->up || f->ttp > 5 * SEC))
		printf("SLOW c%u kind %u in %08x out %08x up %d %.1f s\n", f->client, f->kind,
		       f->g[0].in, f->g[0].out, f->up, f->ttp / 1e6);
}

void tally_run(struct result *r)
{
	u32 i, k;

	for (i = 0; i < w.nclient; i++) {
		struct client *c = &w.client[i];

		for (k = 0; k < c->nflow; k++)
			tally_flow(r, c, &w.flow[c->flow[k]]);
		r->clients++;
		r->wrong += c->wrong;
		r->wrong_end += c->wrong_end;
	}
}
