// SPDX-License-Identifier: GPL-2.0
/* Time, chance, and who owns which SPI. */
#include "sim.h"

#define SPI_HASH	262144

u32 rnd(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return (u32)((r->s * 0x2545f4914f6cdd1dull) >> 32);
}

void rng_seed(struct rng *r, u64 a, u64 b)
{
	r->s = (a * 0x9e3779b97f4a7c15ull) ^ (b + 0x1234567) * 0xbf58476d1ce4e5b9ull;
	if (!r->s)
		r->s = 1;
	for (int i = 0; i < 8; i++)
		rnd(r);
}

u32 between(struct rng *r, u32 lo, u32 hi)
{
	return lo + (u32)(((u64)rnd(r) * (hi - lo + 1)) >> 32);
}

bool chance(struct rng *r, double p)
{
	return rnd(r) < p * 4294967295.0;
}

/* About exponential: minus the logarithm, by summing halvings. */
u32 exp_ish(struct rng *r, u32 mean)
{
	double x = 0, u = (rnd(r) + 1.0) / 4294967297.0;

	while (u < 0.5) {
		u *= 2;
		x += 0.693147;
	}
	x += (1 - u) * (1 + (1 - u) / 2 + (1 - u) * (1 - u) / 3);
	return (u32)(x * mean);
}

/* ---- events: a binary heap ---- */

static struct ev *heap;
static u32 n_ev, cap, ev_no;

static bool ev_less(const struct ev *a, const struct ev *b)
{
	return a->at != b->at ? a->at < b->at : a->no < b->no;
}

void queue_reset(void)
{
	n_ev = 0;
	ev_no = 0;
}

void event_push(us_t at, int type, u32 f, u32 spi, u32 seq, u32 a, u32 b)
{
	u32 i, p;
	struct ev e = {
		.at = at, .no = ev_no++, .type = (u16)type, .f = (u16)f,
		.spi = spi, .seq = seq, .a = a, .b = b,
	};

	if (at > w.end)
		return;
	if (n_ev == cap) {
		cap = cap ? 2 * cap : 4096;
		heap = realloc(heap, cap * sizeof(*heap));
		if (!heap)
			abort();
	}
	for (i = n_ev++; i; i = p) {
		p = (i - 1) / 2;
		if (!ev_less(&e, &heap[p]))
			break;
		heap[i] = heap[p];
	}
	heap[i] = e;
}

bool event_pop(struct ev *out)
{
	struct ev e;
	u32 i = 0, k;

	if (!n_ev)
		return false;
	*out = heap[0];
	e = heap[--n_ev];
	while ((k = 2 * i + 1) < n_ev) {
		if (k + 1 < n_ev && ev_less(&heap[k + 1], &heap[k]))
			k++;
		if (!ev_less(&heap[k], &e))
			break;
		heap[i] = heap[k];
		i = k;
	}
	heap[i] = e;
	return true;
}

/* The router's clock advances by ticks, like jiffies. */
u32 ms_now(void)
{
	u32 ms = (u32)(w.now / MS);

	return w.base + ms - ms % opt.tick;
}

/* ---- truth ---- */

static struct { u32 spi; u16 flow; u8 gen; } truth[SPI_HASH];

void truth_reset(void)
{
	memset(truth, 0, sizeof(truth));
}

static u32 truth_at(u32 spi)
{
	u32 h = (spi * 0x9e3779b1u) >> 14;

	while (truth[h].spi && truth[h].spi != spi)
		h = (h + 1) % SPI_HASH;
	return h;
}

bool truth_get(u32 spi, u32 *flow, u32 *gen)
{
	u32 h = truth_at(spi);

	*flow = truth[h].flow;
	*gen = truth[h].gen;
	return truth[h].spi;
}

static u32 new_spi(struct rng *r)
{
	u32 spi, f, g;

	do {
		spi = rnd(r);
	} while (spi < 256 || truth_get(spi, &f, &g));
	return spi;
}

u32 gen_new(struct flow *f)
{
	u32 n = f->gens, h;

	if (n == MAX_GEN)
		return n - 1;
	f->g[n].in = new_spi(&f->rng);
	f->g[n].out = new_spi(&f->rng);
	h = truth_at(f->g[n].in);
	truth[h].spi = f->g[n].in;
	truth[h].flow = (u16)(f - w.flow);
	truth[h].gen = (u8)n;
	f->gens++;
	return n;
}
