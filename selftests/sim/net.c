// SPDX-License-Identifier: GPL-2.0
/* The way of a packet. */
#include "sim.h"

/* A spike stands for a radio link that stalls: all that is sent meanwhile
 * arrives when it is over.
 */
static us_t spike(struct rng *r)
{
	if (!opt.net->spike)
		return 0;
	while (w.now >= w.spike_end) {
		w.spike_at = max(w.spike_end, w.now > 8 * SEC ? w.now - 8 * SEC : 0) +
			exp_ish(&w.rng, 3 * SEC);
		w.spike_end = w.spike_at + between(&w.rng, 0, 2 * opt.net->spike) * MS;
	}
	(void)r;
	return w.now >= w.spike_at ? w.spike_end - w.now : 0;
}

us_t wan_delay(struct rng *r)
{
	return w.wan + between(r, 0, w.jitter) + spike(r);
}

void r_out(const struct ev *e)
{
	struct flow *f = &w.flow[e->f];

	w.client[f->client].seen = true;
	policy_pair.out(f->client, e->spi);
	if (!e->a || chance(&f->rng, opt.loss))
		return;
	event_push(w.now + wan_delay(&f->rng), EV_GW, e->f, e->spi, e->seq, e->a, e->b);
}

void r_in(const struct ev *e)
{
	int to[MAX_TO], n, i;
	u32 fi, gi;
	bool real = truth_get(e->spi, &fi, &gi);

	n = policy_pair.in(e->spi, to);
	count_delivery(e->spi, to, n);
	for (i = 0; i < n; i++) {
		if (opt.hostile == H_ANSWERS && to[i] == 0)
			evil_got(e->spi);
		if (real && to[i] == (int)w.flow[fi].client)
			event_push(w.now + w.client[to[i]].lan, EV_CLIENT, fi, e->spi,
				   e->seq, e->a, e->b);
	}
}

static void first_packet(struct flow *f)
{
	if (!f->first_at)
		f->first_at = w.now;
}

void c_send(struct flow *f, u32 kind, u32 id)
{
	struct gen *g = &f->g[f->cgen];

	if (f->gone_at && w.now > f->gone_at)
		return;
	first_packet(f);
	event_push(w.now + w.client[f->client].lan, EV_R_OUT, (u32)(f - w.flow), g->out,
		   ++g->seq_out, kind, id);
}

void g_send(struct flow *f, u32 kind, u32 id)
{
	struct gen *g = &f->g[f->ggen];
	u32 seq = ++g->seq_in;

	if (f->dead || chance(&f->rng, opt.loss))
		return;
	first_packet(f);
	event_push(w.now + wan_delay(&f->rng), EV_R_IN, (u32)(f - w.flow), g->in, seq,
		   kind, id);
}
