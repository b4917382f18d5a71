// SPDX-License-Identifier: GPL-2.0
/*
 * Simulator of ESP pairing: many clients of one gateway behind one router,
 * the same traffic under several pairing policies. Ours is kmod/esp/pair.c as
 * the module uses it, driven by nothing but the packets that pass; who really
 * owns an SPI is known only to the accounting.
 *
 *	client --lan--> router (policy) --wan--> gateway --> server
 *
 * Deterministic: run r of seed s is the same on every machine.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "esp/pair.h"

#define MS		1000u		/* simulator time is in us */
#define SEC		1000000u
#define MAX_CLIENTS	1024
#define MAX_FLOWS	(2 * MAX_CLIENTS)
#define MAX_GEN		24
#define SPI_HASH	65536
#define PIN_HASH	4096
#define HELD_MAX	8
#define LASTING		(10 * SEC)	/* wrong for so long is for good */

typedef u64 us_t;

/* ---- options ---- */

static struct {
	u32 runs, clients, secs, seed, from, spoof, pinfail, tick, rekey;
	u32 held_ms;
	double loss;
	bool json, verbose, norekey, trace, nopush, exact;
	int only, kind;
} opt = {
	.runs = 100, .clients = 200, .secs = 60, .seed = 1, .tick = 4,
	.rekey = 300, .held_ms = PAIR_HELD_MS, .loss = 0.01, .only = -1, .kind = -1,
};

static const char usage[] =
	"pair_sim: ESP pairing policies on the same traffic\n"
	"  --runs N       different runs (100)\n"
	"  --clients N    of the one gateway, all starting within a second (200)\n"
	"  --secs N       length of a run (60)\n"
	"  --rekey N      mean seconds between a client's rekeys (300)\n"
	"  --no-rekey     none\n"
	"  --no-push      no clients that only receive\n"
	"  --loss X       part of the packets lost on the WAN (0.01)\n"
	"  --spoof N      spoofed inbound packets a second (0)\n"
	"  --pinfail N    percent of pins that fail (0)\n"
	"  --tick N       ms of the router's clock (4)\n"
	"  --exact        the policy's own clock shows every ms\n"
	"  --held-ms N    how long the router keeps a held packet (the module's)\n"
	"  --seed N       another world\n"
	"  --from N       number of the first run, to repeat one\n"
	"  --only P       one policy, by number\n"
	"  --kind K       one kind of client, by number\n"
	"  --json         the figures as JSON instead of Markdown\n"
	"  --trace        what the policy saw and did, packet by packet\n"
	"Exit code 0 when the goal is met: no lasting mis-delivery by ours, and\n"
	"better than each older policy; 1 when not.\n";

/* ---- random numbers: one stream for the plan, one per flow ---- */

struct rng {
	u64 s;
};

static u32 rnd(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return (u32)((r->s * 0x2545f4914f6cdd1dull) >> 32);
}

static void rng_seed(struct rng *r, u64 a, u64 b)
{
	r->s = (a * 0x9e3779b97f4a7c15ull) ^ (b + 0x1234567) *
		0xbf58476d1ce4e5b9ull;
	if (!r->s)
		r->s = 1;
	for (int i = 0; i < 8; i++)
		rnd(r);
}

static u32 between(struct rng *r, u32 lo, u32 hi)
{
	return lo + (u32)(((u64)rnd(r) * (hi - lo + 1)) >> 32);
}

static bool chance(struct rng *r, double p)
{
	return rnd(r) < p * 4294967295.0;
}

/* About exponential: minus the logarithm, by summing halvings. */
static u32 exp_ish(struct rng *r, u32 mean)
{
	double x = 0, u = (rnd(r) + 1.0) / 4294967297.0;

	while (u < 0.5) {
		u *= 2;
		x += 0.693147;
	}
	x += (1 - u) * (1 + (1 - u) / 2 + (1 - u) * (1 - u) / 3);
	return (u32)(x * mean);
}

/* ---- the world ---- */

enum kind { PING, RR, LAZY, DOWN, UP, VOICE, PUSH, ONEWAY, N_KIND };

static const char * const kind_name[N_KIND] = {
	"ping", "rr", "lazy", "down", "up", "voice", "push", "oneway",
};

static const u8 kind_share[N_KIND] = { 34, 30, 10, 8, 4, 4, 5, 5 };

struct gen {
	u32 in, out;			/* SPIs as the router sees them */
	u32 seq_in, seq_out;
	us_t bad_since;			/* inbound: owner not reached since */
	us_t bad_last;
	u32 bad_n, bad_other;
	bool lasting;
};

struct flow {
	struct rng rng;
	struct gen g[MAX_GEN];
	us_t start, ttp, sent_first;
	u32 client;
	u32 extra;			/* server's time, us */
	u32 interval;
	u8 kind;
	u8 cgen, ggen, gens;		/* in use by client, gateway; made */
	bool up, started, begun, dead;		/* dead: gateway has no SA for it */
	/* transport */
	u32 id, acked, rto, left, wnd, inflight, got, timer;
	us_t quiet_until;
};

struct held {
	u32 spi, seq, a, b, ms;
};

struct client {
	struct pair_client pc;
	struct held q[HELD_MAX];
	us_t pend_at;			/* for the older policies */
	u32 pend_spi;
	u32 lan;			/* one way, us */
	u8 nq, nflow;
	u32 flow[2];
	bool known, lasting, starved;
	struct { u32 spi; us_t last; } o[16];
	u8 no;
};

/* An IKE exchange that makes an SA, or only looks as if. */
struct exchange {
	us_t asked;
	u32 flow;
	u32 gen;			/* the SA's number, once it is made */
	bool sa, from_gw, first, made, again;
};

struct pin {
	struct pin *next;
	struct pair_client *c;
	struct pair_spi *slot;
	u32 spi, last;
};

enum evt {
	EV_TIMER, EV_R_OUT, EV_GW, EV_GW_SEND, EV_R_IN, EV_CLIENT, EV_TICK,
	EV_REKEY_C, EV_REKEY_G, EV_REKEY, EV_IKE_REKEY, EV_EVID, EV_GATE,
	EV_REBOOT, EV_RESTART, EV_SPOOF, EV_GW_FIRST,
};

struct ev {
	us_t at;
	u32 no;				/* ties: first made, first served */
	u16 type;
	u16 f;				/* flow, or client */
	u32 spi, seq, a, b;
};

enum policy {
	P_OURS, P_IKE, P_STRICT, P_SERIAL, P_OLDEST, P_LAST, P_NOHOLD, N_POLICY,
};

static const char * const policy_name[N_POLICY] = {
	"ours", "ours + IKE evidence", "ours, strict", "serialise all",
	"oldest pending first", "last wins", "ours, no hold",
};

struct result {
	u64 runs, clients, expect, up, starved, lasting, lasting_runs;
	u64 in, missed, silent, wrong, drop, copies, copied, held, heldlost;
	u64 events;
	u64 only, evid, pend, guess, corr, unknown, limit, oneway;
	u64 lk[N_KIND], sk[N_KIND], nk[N_KIND], uk[N_KIND], mk[N_KIND];
	double cpu;
	u32 n_ttp;
	u32 *ttp;			/* ms */
};

static struct {
	enum policy policy;
	struct rng rng, spoof_rng;
	struct flow flow[MAX_FLOWS];
	struct client client[MAX_CLIENTS];
	u32 nflow, nclient;
	u32 wan, jitter;		/* one way, us */
	us_t now, end, down_until, tick_at;
	u32 base;			/* router's clock at 0, ms */
	struct ev *heap;
	u32 nev, cap, evno;
	struct pair_group g;
	struct pair_cfg cfg;
	struct pin *pin[PIN_HASH];
	struct { u32 spi; u16 flow; u8 gen; } truth[SPI_HASH];
	struct { u32 spi; u16 client; } learnt[SPI_HASH];	/* older ones */
	u32 serial_c;			/* serialise all: who is pending */
	us_t serial_until;
	u32 fifo[MAX_CLIENTS], nfifo;
	struct exchange gate[MAX_FLOWS];	/* IKE messages that wait */
	struct exchange later[MAX_FLOWS];	/* ... that were lost */
	u32 ngate, nlater;
	u32 ike_flow;				/* whose exchange is under way */
	us_t ike_until;
	u32 last_c;
	struct result *res, *first;
} w;

/* The router's clock advances by ticks, like jiffies. */
static u32 ms_tick(void)
{
	u32 ms = (u32)(w.now / MS);

	return w.base + ms - ms % opt.tick;
}

static u32 ms_now(void)
{
	return opt.exact ? w.base + (u32)(w.now / MS) : ms_tick();
}

static bool ours(void)
{
	return w.policy <= P_STRICT || w.policy == P_NOHOLD;
}

/* ---- event queue: a binary heap ---- */

static bool ev_less(const struct ev *a, const struct ev *b)
{
	return a->at != b->at ? a->at < b->at : a->no < b->no;
}

static void push(us_t at, int type, u32 f, u32 spi, u32 seq, u32 a, u32 b)
{
	u32 i, p;
	struct ev e = {
		.at = at, .no = w.evno++, .type = (u16)type, .f = (u16)f,
		.spi = spi, .seq = seq, .a = a, .b = b,
	};

	if (at > w.end)
		return;
	if (w.nev == w.cap) {
		w.cap = w.cap ? 2 * w.cap : 4096;
		w.heap = realloc(w.heap, w.cap * sizeof(*w.heap));
		if (!w.heap)
			abort();
	}
	for (i = w.nev++; i; i = p) {
		p = (i - 1) / 2;
		if (!ev_less(&e, &w.heap[p]))
			break;
		w.heap[i] = w.heap[p];
	}
	w.heap[i] = e;
}

static bool pop(struct ev *out)
{
	struct ev e;
	u32 i = 0, k;

	if (!w.nev)
		return false;
	*out = w.heap[0];
	e = w.heap[--w.nev];
	while ((k = 2 * i + 1) < w.nev) {
		if (k + 1 < w.nev && ev_less(&w.heap[k + 1], &w.heap[k]))
			k++;
		if (!ev_less(&w.heap[k], &e))
			break;
		w.heap[i] = w.heap[k];
		i = k;
	}
	w.heap[i] = e;
	return true;
}

/* ---- truth ---- */

static u32 spi_hash(u32 spi)
{
	return (spi * 0x9e3779b1u) >> 16;
}

static void truth_add(u32 spi, u32 flow, u32 gen)
{
	u32 h = spi_hash(spi);

	while (w.truth[h].spi)
		h = (h + 1) % SPI_HASH;
	w.truth[h].spi = spi;
	w.truth[h].flow = (u16)flow;
	w.truth[h].gen = (u8)gen;
}

static bool truth_get(u32 spi, u32 *flow, u32 *gen)
{
	u32 h = spi_hash(spi);

	for (; w.truth[h].spi; h = (h + 1) % SPI_HASH)
		if (w.truth[h].spi == spi) {
			*flow = w.truth[h].flow;
			*gen = w.truth[h].gen;
			return true;
		}
	return false;
}

static u32 new_spi(struct rng *r)
{
	u32 spi, f, g;

	do {
		spi = rnd(r);
	} while (spi < 256 || truth_get(spi, &f, &g));
	return spi;
}

static u32 gen_new(struct flow *f)
{
	u32 n = f->gens;

	if (n == MAX_GEN)
		return n - 1;
	f->g[n].in = new_spi(&f->rng);
	f->g[n].out = new_spi(&f->rng);
	truth_add(f->g[n].in, (u32)(f - w.flow), n);
	f->gens++;
	return n;
}

/* ---- accounting of one inbound packet ---- */

static void account(u32 spi, const int *to, int n)
{
	u32 fi, gi, owner;
	struct gen *g;
	bool got = false;
	int i;

	w.res->copies += n > 1 ? n - 1 : 0;
	if (!truth_get(spi, &fi, &gi))
		return;			/* spoofed */
	owner = w.flow[fi].client;
	g = &w.flow[fi].g[gi];
	w.res->in++;
	for (i = 0; i < n; i++)
		got |= to[i] == (int)owner;
	for (i = 0; i < n; i++)
		w.res->copied += to[i] != (int)owner && got;
	if (got) {
		g->bad_n = 0;
		g->bad_other = 0;
		return;
	}
	w.res->missed++;
	w.res->mk[w.flow[fi].kind]++;
	if (!g->seq_out) {
		/* Its client is silent: nothing has shown whose it could be. */
		w.res->silent++;
		return;
	}
	w.res->wrong += n > 0;
	w.res->drop += !n;
	if (!g->bad_n++)
		g->bad_since = w.now;
	g->bad_last = w.now;
	g->bad_other += n > 0;
}

static void judge_gen(struct client *c, struct gen *g)
{
	us_t span = g->bad_last - g->bad_since;

	if (g->bad_n < 3 || span < LASTING)
		return;
	if (opt.trace && !c->lasting && !c->starved)
		printf("%s c%d %s %08x n %u since %.1f\n",
		       2 * g->bad_other >= g->bad_n ? "LASTING" : "STARVED",
		       (int)(c - w.client), kind_name[w.flow[c->flow[0]].kind],
		       g->in, g->bad_n, g->bad_since / 1e3);
	if (2 * g->bad_other >= g->bad_n)
		c->lasting = true;
	else
		c->starved = true;
}

/* ---- the router: ours ---- */

static void r_forward(const struct held *h);

static struct pin **pin_bucket(const struct pair_client *c, u32 spi)
{
	u32 k = spi * 0x9e3779b1u;

	if (c)
		k += (u32)(((const struct client *)c - w.client) * 0x85ebca6bu);
	return &w.pin[k >> 20];
}

static struct pin *pin_find(const struct pair_client *c, u32 spi)
{
	struct pin *p = *pin_bucket(c, spi);

	for (; p; p = p->next)
		if (p->spi == spi && (c ? p->c == c && p->slot >= c->out &&
				      p->slot < c->out + PAIR_OUT_SLOTS :
				      p->slot >= p->c->in &&
				      p->slot < p->c->in + PAIR_IN_SLOTS))
			return p;
	return NULL;
}

static void pin_add(struct pair_act_slot *s)
{
	struct pin **b, *p;

	if (s->slot->priv) {
		fprintf(stderr, "pair_sim: pin on a pinned slot\n");
		abort();
	}
	if (opt.pinfail && chance(&w.spoof_rng, opt.pinfail / 100.0))
		return;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->c = s->c;
	p->slot = s->slot;
	p->spi = s->slot->spi;
	p->last = ms_tick();
	b = pin_bucket(s->in ? NULL : s->c, p->spi);
	p->next = *b;
	*b = p;
	s->slot->priv = p;
	s->slot->last = &p->last;
}

static void pin_del(struct pair_act_slot *s)
{
	struct pin *p = s->slot->priv;
	struct pin **b = pin_bucket(s->in ? NULL : s->c, p->spi);

	while (*b != p)
		b = &(*b)->next;
	*b = p->next;
	free(p);
	s->slot->priv = NULL;
}

static void apply(struct pair_act *act)
{
	u32 ms;
	int i;

	for (i = 0; i < act->n_unpin; i++)
		pin_del(&act->unpin[i]);
	for (i = 0; i < act->n_pin; i++)
		pin_add(&act->pin[i]);
	if (act->release) {
		struct client *c = (struct client *)act->release;
		struct held q[HELD_MAX];
		int n = c->nq;

		memcpy(q, c->q, sizeof(q));
		c->nq = 0;
		for (i = 0; i < n; i++)
			if (ms_now() - q[i].ms <= opt.held_ms)
				r_forward(&q[i]);
			else
				w.res->heldlost++;
	}
	ms = pair_next_tick(&w.g, ms_now());
	if (ms != PAIR_NEVER) {
		us_t at = w.now + (us_t)(ms ? ms : 1) * MS;

		if (at < w.tick_at || w.tick_at <= w.now) {
			w.tick_at = at;
			push(at, EV_TICK, 0, 0, 0, 0, 0);
		}
	}
}

static int num(const struct pair_client *c)
{
	return c ? (int)((const struct client *)c - w.client) : -1;
}

static void trace_cands(u32 spi)
{
	int i;

	for (i = 0; i < PAIR_HASH; i++) {
		struct pair_trial *t = w.g.hash[i];

		for (; t; t = t->next) {
			if (t->spi != spi)
				continue;
			for (int k = 0; k < t->nc; k++)
				printf(" {c%d %d a%d t%u%s}",
				       num(t->cand[k].c), t->cand[k].score,
				       t->cand[k].ask ?
				       (int)(t->cand[k].ask - t->cand[k].c->out) : -1,
				       t->cand[k].took[0],
				       t->cand[k].hit ? " hit" : "");
		}
	}
	printf(" rtt %u..%u\n", w.g.rtt_lo, w.g.rtt_hi);
}

static void trace_in(u32 spi, u32 seq, const struct pair_act *act)
{
	u32 fi, gi;
	bool real = truth_get(spi, &fi, &gi);
	int i;

	printf("%9.3f in  %08x seq %u of c%d %s gen %d: %s to %d", w.now / 1e3,
	       spi, seq, real ? (int)w.flow[fi].client : -1,
	       real ? kind_name[w.flow[fi].kind] : "-", real ? (int)gi : -1,
	       act->verdict == PAIR_DELIVER ? "deliver" : "DROP",
	       num(act->to));
	for (i = 0; i < act->n_copy; i++)
		printf(" +%d", num(act->copy[i]));
	for (i = 0; i < act->n_pin; i++)
		printf(" %s c%d%s", act->pin[i].in ? "SETTLE" : "pinout",
		       num(act->pin[i].c), act->pin[i].in && real &&
		       num(act->pin[i].c) != (int)w.flow[fi].client ?
		       " WRONG" : "");
	printf(" rel %d", num(act->release));
	trace_cands(spi);
}

static bool ours_out(struct client *c, const struct held *h)
{
	struct pin *p = pin_find(&c->pc, h->spi);
	struct pair_act act;

	if (!c->known) {
		c->known = true;
		pair_client_add(&w.g, &c->pc, ms_now());
	}
	if (p) {
		p->last = ms_tick();
		return true;
	}
	pair_out(&w.g, &c->pc, h->spi, h->seq, ms_now(), &act);
	if (opt.trace)
		printf("%9.3f out c%d %08x seq %u %s%s rel %d\n", w.now / 1e3,
		       (int)(c - w.client), h->spi, h->seq,
		       act.verdict == PAIR_HOLD ? "HOLD" : "pass",
		       act.n_pin ? " pin" : "", act.release ?
		       (int)((struct client *)act.release - w.client) : -1);
	if (act.verdict == PAIR_HOLD) {
		w.res->held++;
		while (c->nq && ms_now() - c->q[0].ms > opt.held_ms) {
			memmove(c->q, c->q + 1, --c->nq * sizeof(c->q[0]));
			w.res->heldlost++;
		}
		if (c->nq < HELD_MAX)
			c->q[c->nq++] = *h;
		else
			w.res->heldlost++;
	}
	apply(&act);
	return act.verdict == PAIR_PASS;
}

static int ours_in(u32 spi, u32 seq, int *to)
{
	struct pin *p = pin_find(NULL, spi);
	struct pair_act act;
	int i, n = 0;

	if (p) {
		p->last = ms_tick();
		to[0] = (int)((struct client *)p->c - w.client);
		return 1;
	}
	pair_in(&w.g, spi, seq, ms_now(), &act);
	if (opt.trace)
		trace_in(spi, seq, &act);
	if (act.verdict == PAIR_DELIVER) {
		to[n++] = (int)((struct client *)act.to - w.client);
		for (i = 0; i < act.n_copy; i++)
			to[n++] = (int)((struct client *)act.copy[i] -
					w.client);
	}
	apply(&act);
	return n;
}

/* ---- the router: older ways ---- */

#define OLD_PENDING	(5 * SEC)	/* unanswered for so long: forgotten */

static bool old_known_out(struct client *c, u32 spi)
{
	int i, lru = 0;

	for (i = 0; i < c->no; i++)
		if (c->o[i].spi == spi) {
			c->o[i].last = w.now;
			return true;
		}
	if (c->no < 16) {
		lru = c->no++;
	} else {
		for (i = 1; i < 16; i++)
			if (c->o[i].last < c->o[lru].last)
				lru = i;
	}
	c->o[lru].spi = spi;
	c->o[lru].last = w.now;
	return false;
}

static int old_learn(u32 spi, u32 c)
{
	u32 h = spi_hash(spi);

	while (w.learnt[h].spi)
		h = (h + 1) % SPI_HASH;
	w.learnt[h].spi = spi;
	w.learnt[h].client = (u16)c;
	return (int)c;
}

static int old_learnt(u32 spi)
{
	u32 h = spi_hash(spi);

	for (; w.learnt[h].spi; h = (h + 1) % SPI_HASH)
		if (w.learnt[h].spi == spi)
			return w.learnt[h].client;
	return -1;
}

static void fifo_del(u32 i)
{
	memmove(&w.fifo[i], &w.fifo[i + 1],
		(--w.nfifo - i) * sizeof(w.fifo[0]));
}

static void fifo_add(u32 c)
{
	u32 i;

	for (i = 0; i < w.nfifo; i++)
		if (w.fifo[i] == c)
			return;
	w.fifo[w.nfifo++] = c;
}

/* Whose unanswered SPI lets it wait for one: true when the packet may go. */
static bool old_out(struct client *c, const struct held *h)
{
	u32 i, ci = (u32)(c - w.client);
	bool known;

	if (w.policy == P_SERIAL && w.serial_until > w.now &&
	    w.serial_c != ci) {
		for (i = 0; i < c->no; i++)
			if (c->o[i].spi == h->spi)
				return true;
		return false;
	}
	known = old_known_out(c, h->spi);
	if (known)
		return true;
	c->pend_at = w.now;
	w.last_c = ci;
	if (w.policy == P_SERIAL) {
		w.serial_c = ci;
		w.serial_until = w.now + OLD_PENDING;
	} else {
		fifo_add(ci);
	}
	return true;
}

static int old_in(u32 spi, int *to)
{
	int c = old_learnt(spi);

	if (c < 0 && w.policy == P_SERIAL && w.serial_until > w.now) {
		w.serial_until = 0;
		c = old_learn(spi, w.serial_c);
	} else if (c < 0 && w.policy == P_OLDEST) {
		while (w.nfifo &&
		       w.client[w.fifo[0]].pend_at + OLD_PENDING < w.now)
			fifo_del(0);
		if (w.nfifo) {
			c = old_learn(spi, w.fifo[0]);
			fifo_del(0);
		}
	} else if (c < 0 && w.policy == P_LAST && w.last_c < w.nclient) {
		c = old_learn(spi, w.last_c);
	}
	if (c < 0)
		return 0;
	to[0] = c;
	return 1;
}

/* ---- the network ---- */

static u32 wan_delay(struct rng *r)
{
	return w.wan + between(r, 0, w.jitter);
}

static void r_forward(const struct held *h)
{
	struct flow *f = &w.flow[h->a >> 16];

	if (chance(&f->rng, opt.loss))
		return;
	push(w.now + wan_delay(&f->rng), EV_GW, h->a >> 16, h->spi, h->seq,
	     h->a & 0xffff, h->b);
}

static void r_out(struct ev *e)
{
	struct held h = { e->spi, e->seq, (u32)e->f << 16 | e->a, e->b,
			  ms_now() };
	struct client *c = &w.client[w.flow[e->f].client];

	if (ours() ? ours_out(c, &h) : old_out(c, &h))
		r_forward(&h);
}

static void r_in(struct ev *e)
{
	int to[(1 + PAIR_COPY_MAX)], n, i;
	u32 fi, gi;

	n = ours() ? ours_in(e->spi, e->seq, to) : old_in(e->spi, to);
	account(e->spi, to, n);
	if (!truth_get(e->spi, &fi, &gi))
		return;
	judge_gen(&w.client[w.flow[fi].client], &w.flow[fi].g[gi]);
	for (i = 0; i < n; i++)
		if (to[i] == (int)w.flow[fi].client)
			push(w.now + w.client[to[i]].lan, EV_CLIENT, fi,
			     e->spi, e->seq, e->a, e->b);
}

/* Packet kinds on a flow. */
enum { K_REQ = 1, K_RESP, K_DATA, K_ACK, K_PLAIN };

static void c_send(struct flow *f, u32 kind, u32 id)
{
	struct gen *g = &f->g[f->cgen];
	u32 fi = (u32)(f - w.flow);

	if (!f->sent_first)
		f->sent_first = w.now;
	push(w.now + w.client[f->client].lan, EV_R_OUT, fi, g->out,
	     ++g->seq_out, kind, id);
}

static void g_send(struct flow *f, u32 kind, u32 id)
{
	struct gen *g = &f->g[f->ggen];
	u32 seq = ++g->seq_in;

	if (f->dead || chance(&f->rng, opt.loss))
		return;
	push(w.now + wan_delay(&f->rng), EV_R_IN, (u32)(f - w.flow), g->in,
	     seq, kind, id);
}

/* ---- traffic ---- */

static void timer(struct flow *f, u32 us)
{
	push(w.now + us, EV_TIMER, (u32)(f - w.flow), 0, 0, ++f->timer, 0);
}

static void rr_request(struct flow *f)
{
	c_send(f, K_REQ, f->id);
	timer(f, f->rto);
}

static u32 rto_base(struct flow *f)
{
	return f->up ? max(300u * MS, 3 * (2 * w.wan + f->extra)) : SEC;
}

/* Sender of a bulk transfer: client (UP) or gateway (DOWN). */
static void bulk_send(struct flow *f)
{
	while (f->left && f->inflight < f->wnd) {
		f->left--;
		f->inflight++;
		if (f->kind == UP)
			c_send(f, K_DATA, ++f->id);
		else
			g_send(f, K_DATA, ++f->id);
	}
}

static void on_timer(struct flow *f, u32 no)
{
	if (no != f->timer)
		return;
	switch (f->kind) {
	case PING:
		c_send(f, K_REQ, ++f->id);
		timer(f, f->interval + between(&f->rng, 0, 2 * MS));
		break;
	case RR:
	case LAZY:
		if (f->acked == f->id) {
			f->id++;
			f->rto = rto_base(f);
		} else {
			f->rto = min(2 * f->rto, 16 * SEC);
		}
		rr_request(f);
		break;
	case DOWN:
		/* The client asks until data flows, then the server's RTO. */
		if (!f->started || !f->left) {
			c_send(f, K_REQ, 0);
			f->rto = f->started ? SEC : min(2 * f->rto, 16 * SEC);
			timer(f, f->rto);
		} else {
			f->left += f->inflight;
			f->inflight = 0;
			f->wnd = 1;
			f->rto = min(2 * f->rto, 8 * SEC);
			bulk_send(f);
			timer(f, f->rto);
		}
		break;
	case UP:
		f->left = f->left + f->inflight ? f->left + f->inflight :
			between(&f->rng, 200, 1200);
		f->inflight = 0;
		f->wnd = 1;
		f->rto = min(2 * f->rto, 8 * SEC);
		bulk_send(f);
		timer(f, f->rto);
		break;
	case VOICE:
		/* Calls of some seconds, 50 packets a second both ways. */
		c_send(f, K_PLAIN, 0);
		if (f->left) {
			f->left--;
			timer(f, 20 * MS);
		} else {
			f->left = between(&f->rng, 100, 300);
			timer(f, between(&f->rng, 2, 12) * SEC);
		}
		break;
	case PUSH:
		if (f->id++ < 3 && !f->up) {
			c_send(f, K_REQ, 0);
			timer(f, SEC);
		}
		break;
	case ONEWAY:
		c_send(f, K_PLAIN, 0);
		timer(f, exp_ish(&f->rng, 700 * MS) + 10 * MS);
		break;
	}
}

static void gw_push(struct flow *f)
{
	push(w.now + f->extra + 100, EV_GW_SEND, (u32)(f - w.flow), 0, 0,
	     K_RESP, 0);
}

/* The gateway got a packet of the flow: let the server act. */
static void on_gw(struct flow *f, struct ev *e)
{
	u32 i, n;

	if (f->dead)
		return;
	switch (f->kind) {
	case PING:
	case RR:
	case LAZY:
		n = f->kind == PING ? 1 : 1 + (e->b % 4 == 0) * 2;
		for (i = 0; i < n && e->a == K_REQ; i++)
			push(w.now + f->extra + i * 150, EV_GW_SEND, e->f,
			     0, 0, i + 1 == n ? K_RESP : K_DATA, e->b);
		break;
	case DOWN:
		if (e->a == K_REQ && !f->started) {
			f->started = true;
			f->left = between(&f->rng, 200, 1200);
			f->wnd = 4;
			f->inflight = 0;
			push(w.now + f->extra, EV_GW_SEND, e->f, 0, 0, 0, 0);
		} else if (e->a == K_REQ && !f->left && !f->inflight) {
			f->left = between(&f->rng, 200, 1200);
			bulk_send(f);
		} else if (e->a == K_ACK) {
			f->inflight = f->inflight > 2 ? f->inflight - 2 : 0;
			f->wnd = min(f->wnd + 1, 12);
			f->rto = rto_base(f);
			bulk_send(f);
			if (f->left + f->inflight)
				timer(f, f->rto);
			else
				timer(f, between(&f->rng, 1, 8) * SEC);
		}
		break;
	case UP:
		if (e->a == K_DATA && (++f->got <= 2 || f->got % 2 == 0))
			g_send(f, K_ACK, 0);
		break;
	case VOICE:
		if (w.now > f->quiet_until)
			gw_push(f);
		f->quiet_until = w.now + 200 * MS;
		break;
	case PUSH:
		if (!f->started) {
			f->started = true;
			gw_push(f);
		}
		break;
	}
}

static void on_gw_send(struct flow *f, struct ev *e)
{
	switch (f->kind) {
	case DOWN:
		f->rto = rto_base(f);
		bulk_send(f);
		timer(f, f->rto);
		break;
	case VOICE:
	case PUSH:
		if (f->kind == VOICE && w.now > f->quiet_until)
			break;
		g_send(f, K_PLAIN, 0);
		push(w.now + (f->kind == VOICE ? 20 * MS : f->interval),
		     EV_GW_SEND, e->f, 0, 0, K_RESP, 0);
		break;
	default:
		g_send(f, e->a, e->b);
	}
}

static void is_up(struct flow *f)
{
	if (f->up)
		return;
	f->up = true;
	f->ttp = w.now - f->start;
}

static void on_client(struct flow *f, struct ev *e)
{
	is_up(f);
	switch (f->kind) {
	case RR:
	case LAZY:
		if (e->a == K_DATA || e->a == K_RESP)
			c_send(f, K_ACK, e->b);
		if (e->a == K_RESP && e->b == f->id && f->acked != f->id) {
			f->acked = f->id;
			timer(f, exp_ish(&f->rng, f->interval) + MS);
		}
		break;
	case DOWN:
		if (++f->got % 2 == 0 || f->wnd < 3)
			c_send(f, K_ACK, e->b);
		break;
	case UP:
		f->inflight = f->inflight > 2 ? f->inflight - 2 : 0;
		f->wnd = min(f->wnd + 1, 12);
		f->rto = rto_base(f);
		bulk_send(f);
		timer(f, f->left + f->inflight ? f->rto :
		      between(&f->rng, 1, 8) * SEC);
		break;
	}
}

/*
 * ---- IKE in sight ----
 *
 * A message that makes an SA waits in the router while it is open what belongs
 * to another client. A lost one is sent again, and another exchange now and
 * then makes no SA (it rekeys the IKE SA), which nobody outside can tell.
 */

/* ---- what IKE shows of it ---- */

static void know(struct client *c)
{
	if (c->known)
		return;
	c->known = true;
	pair_client_add(&w.g, &c->pc, ms_now());
}

static void on_exchange(struct client *c, bool again)
{
	struct pair_act act;

	know(c);
	pair_exchange(&w.g, &c->pc, ms_now(), again, &act);
	if (opt.trace)
		printf("%9.3f IKE c%d asks rel %d\n", w.now / 1e3,
		       num(&c->pc), num(act.release));
	apply(&act);
}

static void on_evid(struct client *c)
{
	struct pair_act act;

	know(c);
	pair_evidence(&w.g, &c->pc, ms_now(), &act);
	if (opt.trace)
		printf("%9.3f IKE c%d made rel %d\n", w.now / 1e3,
		       num(&c->pc), num(act.release));
	apply(&act);
}

#define GATE_POLL	(10 * MS)
#define GATE_MAX	(60 * SEC)	/* the longest it waits */
#define IKE_RETRANS	(2 * SEC)
#define GATE_OPEN	(SEC / 2)	/* so long for one, then the next */

static bool gate_busy(const struct exchange *x)
{
	if (w.now - x->asked >= GATE_MAX)
		return false;
	if (w.ike_until > w.now && w.ike_flow != x->flow)
		return true;
	return pair_is_open(&w.g, &w.client[w.flow[x->flow].client].pc,
			    ms_now());
}

static us_t from_now(us_t us)
{
	return w.now + us;
}

/* Whoever is behind the gateway may have something to say at once; it comes
 * after the message that made the SA, which was sent just before.
 */
static void gw_speaks(struct flow *f, us_t at, u32 gen)
{
	if (f->kind != ONEWAY && chance(&f->rng, 0.5))
		push(at + w.jitter + 50, EV_GW_FIRST, (u32)(f - w.flow), 0, 0, gen, 0);
}

static void gate_queue(const struct exchange *x);

/* The SA exists, on one side at least. False when there is to be none. */
static bool make_sa(struct exchange *x, struct flow *f)
{
	if (!x->sa || (!x->made && (f->gens == MAX_GEN || (f->dead && !x->first))))
		return false;
	if (!x->made)
		x->gen = gen_new(f);
	x->made = true;
	return true;
}

static void gw_uses(const struct exchange *x, struct flow *f, us_t at)
{
	if (!x->first)
		push(at + between(&f->rng, 0, 2 * w.wan), EV_REKEY_G, x->flow,
		     0, 0, x->gen, 0);
	gw_speaks(f, at, x->gen);
}

static void client_uses(const struct exchange *x, struct flow *f, us_t at)
{
	if (x->first)
		push(at, EV_RESTART, x->flow, 0, 0, 1, x->gen);
	else
		push(at + between(&f->rng, 0, 2 * w.wan), EV_REKEY_C, x->flow,
		     0, 0, x->gen, 0);
}

/* The client's request passes; it, or the answer, may be lost on the way. */
static void client_asks(struct exchange *x, struct flow *f)
{
	bool lost = chance(&f->rng, opt.loss), deaf = chance(&f->rng, opt.loss);
	us_t tg = w.now + wan_delay(&f->rng), seen = tg + wan_delay(&f->rng);
	bool was_made = x->made;

	on_exchange(&w.client[f->client], x->again);
	x->again = true;
	if (!lost && make_sa(x, f) && !was_made)
		gw_uses(x, f, tg);
	if (lost || deaf) {
		x->asked = w.now + IKE_RETRANS;
		gate_queue(x);
		return;
	}
	push(seen, EV_EVID, f->client, x->flow, 0, 0, 0);
	if (x->made)
		client_uses(x, f, seen + w.client[f->client].lan);
}

/* The gateway's passes, and soon the client's answer, which may be lost. */
static void gw_asks(struct exchange *x, struct flow *f)
{
	u32 lan = w.client[f->client].lan;
	us_t tc = w.now + lan, seen = tc + lan, tg = seen + wan_delay(&f->rng);

	push(seen, EV_EVID, f->client, x->flow, 0, 0, 0);
	if (chance(&f->rng, opt.loss))
		tg += IKE_RETRANS;
	if (!make_sa(x, f))
		return;
	client_uses(x, f, tc);
	gw_uses(x, f, tg);
}

/* A request passes the router. Each side uses the SA once it has it. */
static void gate_pass(struct exchange *x)
{
	struct flow *f = &w.flow[x->flow];

	w.ike_flow = x->flow;
	w.ike_until = from_now(GATE_OPEN);
	if (x->from_gw)
		gw_asks(x, f);
	else
		client_asks(x, f);
}

static void gate_poll(void)
{
	struct exchange x;
	u32 i;

	for (i = 0; i < w.nlater; i++) {
		if (w.later[i].asked > w.now)
			continue;
		memmove(&w.gate[1], &w.gate[0], w.ngate++ * sizeof(x));
		w.gate[0] = w.later[i];
		w.later[i--] = w.later[--w.nlater];
	}
	while (w.ngate && !gate_busy(&w.gate[0])) {
		x = w.gate[0];
		memmove(&w.gate[0], &w.gate[1], --w.ngate * sizeof(x));
		gate_pass(&x);
	}
	if (w.ngate)
		push(from_now(GATE_POLL), EV_GATE, 0, 0, 0, 0, 0);
}

/* Waits its turn; what is repeated has been through and is the next. */
static void gate_queue(const struct exchange *x)
{
	if (x->asked > w.now) {
		w.later[w.nlater++] = *x;
		push(x->asked, EV_GATE, 0, 0, 0, 0, 0);
		return;
	}
	w.gate[w.ngate++] = *x;
}

static bool gate_has(u32 flow)
{
	u32 i;

	for (i = 0; i < w.ngate; i++)
		if (w.gate[i].flow == flow)
			return true;
	for (i = 0; i < w.nlater; i++)
		if (w.later[i].flow == flow)
			return true;
	return false;
}

static void gate_ask(struct flow *f, bool sa, bool from_gw, bool first)
{
	struct exchange x = {
		.flow = (u32)(f - w.flow), .asked = w.now, .sa = sa,
		.from_gw = from_gw, .first = first,
	};

	if (gate_has(x.flow))
		return;
	gate_queue(&x);
	if (w.ngate == 1)
		gate_poll();
}

static void on_ike_rekey(struct flow *f)
{
	gate_ask(f, false, chance(&f->rng, 0.5), false);
	push(from_now(exp_ish(&f->rng, 2 * opt.rekey * SEC)), EV_IKE_REKEY,
	     (u32)(f - w.flow), 0, 0, 0, 0);
}

/* ---- rekeys ---- */

static void rekey_plan(struct flow *f)
{
	us_t at = w.now + 2 * SEC + exp_ish(&f->rng, opt.rekey * SEC);

	if (!opt.norekey)
		push(at, EV_REKEY, (u32)(f - w.flow), 0, 0, 0, 0);
}

/* Both sides change to a new pair, one some way before the other. */
static void on_rekey(struct flow *f)
{
	u32 n, rtt = 2 * (w.wan + w.client[f->client].lan);
	u32 gap = between(&f->rng, 0, rtt), how = between(&f->rng, 0, 99);
	us_t tc = w.now, tg = w.now;

	rekey_plan(f);
	if (f->dead || f->cgen != f->ggen || f->gens == MAX_GEN)
		return;
	if (w.policy == P_IKE) {
		gate_ask(f, true, how < 45, false);
		return;
	}
	n = gen_new(f);
	if (how < 45)
		tg += gap;
	else if (how < 90)
		tc += gap;
	push(tc, EV_REKEY_C, (u32)(f - w.flow), 0, 0, n, 0);
	push(tg, EV_REKEY_G, (u32)(f - w.flow), 0, 0, n, 0);
}

/* The first SA is there: traffic begins. */
static void flow_begin(struct flow *f)
{
	u32 fi = (u32)(f - w.flow);

	f->begun = true;
	push(from_now(200), EV_TIMER, fi, 0, 0, 0, 0);
	if (f->kind == PUSH && chance(&f->rng, 0.5)) {
		f->started = true;
		push(from_now(between(&f->rng, 0, 300) * MS), EV_GW_SEND, fi,
		     0, 0, K_RESP, 0);
	}
	if (f->kind == ONEWAY || opt.norekey)
		return;
	push(from_now(SEC + exp_ish(&f->rng, opt.rekey * SEC)), EV_REKEY, fi,
	     0, 0, 0, 0);
	if (w.policy == P_IKE)
		push(from_now(exp_ish(&f->rng, 2 * opt.rekey * SEC)),
		     EV_IKE_REKEY, fi, 0, 0, 0, 0);
}

/* The gateway forgot everything; clients notice and start anew. */
static void on_reboot(void)
{
	u32 i, fi;

	w.down_until = w.now + 2 * SEC;
	for (i = 0; i < w.nclient; i++) {
		for (fi = 0; fi < w.client[i].nflow; fi++) {
			w.flow[w.client[i].flow[fi]].dead = true;
			push(w.down_until + between(&w.rng, 0, 3000) * MS,
			     EV_RESTART, w.client[i].flow[fi], 0, 0, 0, 0);
		}
	}
}

/* With the SA that was @agreed on, number @n; else it is made now. */
static void on_restart(struct flow *f, bool agreed, u32 n)
{
	if (w.policy == P_IKE && !agreed) {
		gate_ask(f, true, false, true);
		return;
	}
	if (!agreed)
		n = gen_new(f);
	f->dead = false;
	f->cgen = (u8)n;
	f->ggen = (u8)n;
	if (!f->begun)
		flow_begin(f);
	if (f->kind == PUSH && !f->up) {
		f->id = 0;
		timer(f, MS);
	}
}

/* ---- one run ---- */

static void plan_flow(u32 fi, u32 ci, us_t start, u64 run)
{
	struct flow *f = &w.flow[fi];
	u32 x = between(&w.rng, 0, 99), k;

	memset(f, 0, sizeof(*f));
	rng_seed(&f->rng, opt.seed * 1000003ull + run, 7919ull * (fi + 1));
	for (k = 0; k < N_KIND - 1 && x >= kind_share[k]; k++)
		x -= kind_share[k];
	if (opt.kind >= 0)
		k = (u32)opt.kind;
	if (opt.nopush && k == PUSH)
		k = PING;
	f->kind = (u8)k;
	f->client = ci;
	f->extra = chance(&w.rng, 0.3) ? between(&w.rng, 0, 40 * MS) :
		between(&w.rng, 0, 2 * MS);
	f->interval = k == PING ? (chance(&w.rng, 0.8) ? SEC : SEC / 5) :
		k == RR ? 400 * MS : k == LAZY ? 5 * SEC :
		between(&w.rng, 50, 400) * MS;
	f->start = start;
	f->rto = SEC / 2;
	f->left = k == VOICE ? 200 : 0;
	f->dead = true;
	w.client[ci].flow[w.client[ci].nflow++] = fi;
	push(start, EV_RESTART, fi, 0, 0, 0, 0);
}

static void plan(u64 run)
{
	u32 i;

	rng_seed(&w.rng, opt.seed, run);
	rng_seed(&w.spoof_rng, opt.seed + 77, run);
	w.wan = (chance(&w.rng, 0.7) ? between(&w.rng, 5 * MS, 80 * MS) :
				       between(&w.rng, MS / 2, 5 * MS)) / 2;
	w.jitter = w.wan / 20 + min(w.wan / 5, 200u);
	w.base = chance(&w.rng, 0.2) ? 0u - 15000u : rnd(&w.rng);
	w.nclient = opt.clients;
	w.nflow = 0;
	for (i = 0; i < w.nclient; i++) {
		us_t start = between(&w.rng, 1, SEC);

		memset(&w.client[i], 0, sizeof(w.client[i]));
		w.client[i].lan = between(&w.rng, 200, 5 * MS);
		plan_flow(w.nflow++, i, start, run);
		if (chance(&w.rng, 0.08))
			plan_flow(w.nflow++, i, start +
				  between(&w.rng, 0, 10) * SEC, run);
	}
	if (chance(&w.rng, 0.1))
		push(between(&w.rng, 10, 20) * SEC, EV_REBOOT, 0, 0, 0, 0, 0);
	if (opt.spoof)
		push(SEC / 10, EV_SPOOF, 0, 0, 0, 0, 0);
}

static void on_spoof(void)
{
	int to[(1 + PAIR_COPY_MAX)];
	u32 spi = rnd(&w.spoof_rng) | 256;

	if (ours())
		ours_in(spi, between(&w.spoof_rng, 1, 50), to);
	else
		old_in(spi, to);
	push(w.now + SEC / opt.spoof, EV_SPOOF, 0, 0, 0, 0, 0);
}

static void dispatch(struct ev *e)
{
	struct flow *f = &w.flow[e->f];
	struct pair_act act;

	switch (e->type) {
	case EV_TIMER:
		on_timer(f, e->a);
		break;
	case EV_R_OUT:
		r_out(e);
		break;
	case EV_GW:
		on_gw(f, e);
		break;
	case EV_GW_SEND:
		on_gw_send(f, e);
		break;
	case EV_R_IN:
		r_in(e);
		break;
	case EV_CLIENT:
		on_client(f, e);
		break;
	case EV_TICK:
		if (e->at != w.tick_at)
			break;
		w.tick_at = 0;
		pair_tick(&w.g, ms_now(), &act);
		apply(&act);
		break;
	case EV_REKEY:
		on_rekey(f);
		break;
	case EV_REKEY_C:
		f->cgen = max(f->cgen, (u8)e->a);
		break;
	case EV_REKEY_G:
		f->ggen = max(f->ggen, (u8)e->a);
		break;
	case EV_IKE_REKEY:
		on_ike_rekey(f);
		break;
	case EV_GATE:
		gate_poll();
		break;
	case EV_EVID:
		if (w.ike_flow == e->spi)
			w.ike_until = 0;
		on_evid(&w.client[e->f]);
		break;
	case EV_REBOOT:
		on_reboot();
		break;
	case EV_RESTART:
		on_restart(f, e->a, e->b);
		break;
	case EV_SPOOF:
		on_spoof();
		break;
	case EV_GW_FIRST:
		f->dead = false;
		f->ggen = max(f->ggen, (u8)e->a);
		g_send(f, K_PLAIN, 0);
		break;
	}
}

static void trace_end(void)
{
	struct pair_client *c;
	struct list_head *p;
	u32 fi, gi;

	for (p = w.g.live.next; p != &w.g.live; p = p->next) {
		struct pair_trial *t = list_entry(p, struct pair_trial, node);
		bool real = truth_get(t->spi, &fi, &gi);

		printf("END trial %08x n %u last %.1f of c%d %s", t->spi, t->n,
		       (t->last - w.base) / 1e3,
		       real ? (int)w.flow[fi].client : -1,
		       real ? kind_name[w.flow[fi].kind] : "-");
		trace_cands(t->spi);
	}
	list_for_each_entry(c, &w.g.asking, asks)
		printf("END asking c%d\n", num(c));
	list_for_each_entry(c, &w.g.waiting, wait)
		printf("END waiting c%d\n", num(c));
}

static void tally(struct result *r)
{
	bool bad = false;
	u32 i, k;

	for (i = 0; i < w.nclient; i++) {
		struct client *c = &w.client[i];
		struct flow *f = &w.flow[c->flow[0]];

		r->clients++;
		r->lasting += c->lasting;
		r->starved += c->starved;
		r->nk[f->kind]++;
		r->lk[f->kind] += c->lasting;
		r->sk[f->kind] += c->starved;
		bad |= c->lasting;
		if (f->kind == ONEWAY)
			continue;
		r->expect++;
		r->uk[f->kind] += f->up;
		if (opt.trace && (!f->up || f->ttp > 10 * SEC))
			printf("SLOW c%u %s %08x->%08x up %d %.1f s\n", i,
			       kind_name[f->kind], f->g[0].out, f->g[0].in,
			       f->up, f->ttp / 1e6);
		r->up += f->up;
		if (f->up)
			r->ttp[r->n_ttp++] = (u32)(f->ttp / MS);
	}
	r->lasting_runs += bad;
	if (!ours())
		return;
	for (i = 0; i < w.nclient; i++)
		for (k = 0; k < PAIR_OUT_SLOTS; k++)
			free(w.client[i].pc.out[k].priv);
	for (i = 0; i < w.nclient; i++)
		for (k = 0; k < PAIR_IN_SLOTS; k++)
			free(w.client[i].pc.in[k].priv);
	r->only += w.g.paired_only_client;
	r->evid += w.g.paired_evidence;
	r->pend += w.g.paired_pending;
	r->guess += w.g.guessed;
	r->corr += w.g.corrected;

	r->unknown += w.g.unknown;
	r->limit += w.g.dropped_limit;
	r->oneway += w.g.oneway;
}

static void run_one(enum policy p, u64 run, struct result *r)
{
	struct pair_cfg cfg = PAIR_CFG_DEFAULT;
	struct ev e;
	clock_t t0 = clock();

	w.policy = p;
	w.res = r;
	w.now = 0;
	w.nev = 0;
	w.evno = 0;
	w.end = (us_t)opt.secs * SEC;
	w.down_until = 0;
	w.tick_at = 0;
	w.serial_until = 0;
	w.nfifo = 0;
	w.ngate = 0;
	w.nlater = 0;
	w.ike_until = 0;
	w.last_c = ~0u;
	memset(w.pin, 0, sizeof(w.pin));
	memset(w.truth, 0, sizeof(w.truth));
	memset(w.learnt, 0, sizeof(w.learnt));
	w.cfg = cfg;
	w.cfg.strict = p == P_STRICT;
	w.cfg.hold = p != P_NOHOLD;
	pair_group_init(&w.g, &w.cfg);
	plan(run);
	while (pop(&e)) {
		w.now = e.at;
		dispatch(&e);
		r->events++;
	}
	r->runs++;
	if (opt.trace)
		trace_end();
	tally(r);
	r->cpu += (double)(clock() - t0) / CLOCKS_PER_SEC;
}

/* ---- report ---- */

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static u32 pct(const struct result *r, double p)
{
	return r->n_ttp ? r->ttp[(u32)(p * (r->n_ttp - 1))] : 0;
}

static u64 per_mille(u64 part, u64 of)
{
	return of ? part * 1000000 / of : 0;
}

static void markdown(struct result *res)
{
	struct result *r;

	static const char * const head[] = {
		"policy", "clients up %", "first answer, ms: median, p99, max",
		"inbound lost %", "mis-delivered packets",
		"clients mis-delivered for good", "clients cut off",
		"copies per 1000", "held per client",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(head); i++)
		printf("| %s ", head[i]);
	printf("|\n");
	for (i = 0; i < ARRAY_SIZE(head); i++)
		printf("|---");
	printf("|\n");
	for (r = res; r < res + N_POLICY; r++) {
		if (!r->runs)
			continue;
		printf("| %s | %.3f | %u, %u, %u | %.3f | %llu | %llu | %llu | %.1f | %.1f |\n",
		       policy_name[r - res], 100.0 * r->up / r->expect,
		       pct(r, 0.5), pct(r, 0.99), pct(r, 1),
		       100.0 * r->missed / r->in, (unsigned long long)r->wrong,
		       (unsigned long long)r->lasting,
		       (unsigned long long)r->starved,
		       1000.0 * r->copies / r->in,
		       (double)r->held / r->clients);
	}
}

static void details(const struct result *r)
{
	int k;

	printf("# %s: %llu runs, %llu with a lasting mis-delivery; %.3f s each\n",
	       policy_name[r - w.first],
	       (unsigned long long)r->runs,
	       (unsigned long long)r->lasting_runs, r->cpu / r->runs);
	printf("#   inbound %llu, missed %llu (%llu before any sent), dropped %llu\n",
	       (unsigned long long)r->in, (unsigned long long)r->missed,
	       (unsigned long long)r->silent, (unsigned long long)r->drop);
	printf("#   settled: only client %llu, IKE %llu, asked %llu, seen %llu\n",
	       (unsigned long long)r->only, (unsigned long long)r->evid,
	       (unsigned long long)r->pend, (unsigned long long)r->guess);
	printf("#   unknown %llu, no tokens %llu, one-way %llu, held, lost %llu\n",
	       (unsigned long long)r->unknown, (unsigned long long)r->limit,
	       (unsigned long long)r->oneway,
	       (unsigned long long)r->heldlost);
	for (k = 0; k < N_KIND; k++)
		printf("#   %-6s %6llu clients, up %llu, for good %llu, cut off %llu, lost %llu\n",
		       kind_name[k], (unsigned long long)r->nk[k],
		       (unsigned long long)r->uk[k],
		       (unsigned long long)r->lk[k],
		       (unsigned long long)r->sk[k],
		       (unsigned long long)r->mk[k]);
}

static void json_one(const struct result *r)
{
	const struct {
		const char *name;
		u64 value;
	} field[] = {
		{ "runs", r->runs }, { "clients", r->clients },
		{ "expect", r->expect }, { "up", r->up },
		{ "first_ms_median", pct(r, 0.5) },
		{ "first_ms_p99", pct(r, 0.99) },
		{ "first_ms_max", pct(r, 1) }, { "inbound", r->in },
		{ "lost", r->missed }, { "silent", r->silent },
		{ "wrong", r->wrong }, { "lasting", r->lasting },
		{ "lasting_runs", r->lasting_runs },
		{ "lasting_receive_only", r->lk[PUSH] },
		{ "cut_off", r->starved }, { "copies", r->copies },
		{ "held", r->held },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(field); i++)
		printf(",\"%s\":%llu", field[i].name,
		       (unsigned long long)field[i].value);
}

static void json(const struct result *res)
{
	const char *sep = "";
	int p;

	printf("[");
	for (p = 0; p < N_POLICY; p++) {
		if (!res[p].runs)
			continue;
		printf("%s{\"policy\":\"%s\"", sep, policy_name[p]);
		json_one(&res[p]);
		printf("}");
		sep = ",\n ";
	}
	printf("]\n");
}

/* Better in all that a user would notice: up, kept, and not mixed up. */
static bool better(const struct result *a, const struct result *b)
{
	return per_mille(a->up, a->expect) > per_mille(b->up, b->expect) &&
		per_mille(a->missed, a->in) < per_mille(b->missed, b->in) &&
		a->lasting < b->lasting;
}

static bool goal_met(const struct result *res)
{
	bool met = true;
	int p;

	if (res[P_OURS].lasting) {
		fprintf(stderr, "pair_sim: goal missed: %llu of %llu mis-delivered for good\n",
			(unsigned long long)res[P_OURS].lasting,
			(unsigned long long)res[P_OURS].clients);
		met = false;
	}
	for (p = P_SERIAL; p <= P_LAST; p++) {
		if (!res[p].runs || better(&res[P_OURS], &res[p]))
			continue;
		fprintf(stderr, "pair_sim: goal missed: not better than %s\n",
			policy_name[p]);
		met = false;
	}
	return met;
}

static void options(int argc, char **argv)
{
	static const struct option lo[] = {
		{ "runs", 1, NULL, 'r' }, { "clients", 1, NULL, 'c' },
		{ "secs", 1, NULL, 't' }, { "seed", 1, NULL, 's' },
		{ "spoof", 1, NULL, 'S' }, { "pinfail", 1, NULL, 'F' },
		{ "rekey", 1, NULL, 'k' }, { "loss", 1, NULL, 'l' },
		{ "only", 1, NULL, 'o' }, { "no-rekey", 0, NULL, 'K' },
		{ "trace", 0, NULL, 'T' }, { "no-push", 0, NULL, 'P' },
		{ "kind", 1, NULL, 'd' }, { "from", 1, NULL, 'f' },
		{ "tick", 1, NULL, 'i' }, { "exact", 0, NULL, 'x' },
		{ "held-ms", 1, NULL, 'h' }, { "verbose", 0, NULL, 'v' },
		{ "json", 0, NULL, 'J' }, { NULL, 0, NULL, 0 },
	};
	static const struct {
		int c;
		u32 *to;
	} numbers[] = {
		{ 'r', &opt.runs }, { 'c', &opt.clients }, { 't', &opt.secs },
		{ 's', &opt.seed }, { 'S', &opt.spoof }, { 'F', &opt.pinfail },
		{ 'k', &opt.rekey }, { 'f', &opt.from }, { 'i', &opt.tick },
		{ 'h', &opt.held_ms },
		{ 'o', (u32 *)&opt.only }, { 'd', (u32 *)&opt.kind },
	};
	static const struct {
		int c;
		bool *to;
	} flags[] = {
		{ 'K', &opt.norekey }, { 'P', &opt.nopush }, { 'T', &opt.trace },
		{ 'v', &opt.verbose }, { 'J', &opt.json }, { 'x', &opt.exact },
	};
	size_t i;
	int c;

	while ((c = getopt_long(argc, argv, "v", lo, NULL)) != -1) {
		for (i = 0; i < ARRAY_SIZE(numbers); i++)
			if (numbers[i].c == c)
				*numbers[i].to = (u32)atoi(optarg);
		for (i = 0; i < ARRAY_SIZE(flags); i++)
			if (flags[i].c == c)
				*flags[i].to = true;
		if (c == 'l')
			opt.loss = atof(optarg);
		if (c == '?') {
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!opt.runs || !opt.clients || opt.clients > MAX_CLIENTS ||
	    !opt.tick || !opt.secs || opt.only >= N_POLICY ||
	    opt.kind >= N_KIND) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	static struct result res[N_POLICY];
	u32 i;
	int p;

	options(argc, argv);
	w.first = res;
	for (p = 0; p < N_POLICY; p++) {
		res[p].ttp = malloc((size_t)opt.runs * opt.clients * 4);
		if (!res[p].ttp)
			abort();
	}
	for (i = 0; i < opt.runs; i++) {
		for (p = 0; p < N_POLICY; p++)
			if (opt.only < 0 || opt.only == p)
				run_one(p, i + opt.from, &res[p]);
		if (isatty(2))
			fprintf(stderr, "\r%u of %u runs", i + 1, opt.runs);
	}
	if (isatty(2))
		fprintf(stderr, "\r\033[K");
	for (p = 0; p < N_POLICY; p++)
		qsort(res[p].ttp, res[p].n_ttp, sizeof(u32), cmp_u32);
	if (opt.json)
		json(res);
	else
		markdown(res);
	for (p = 0; opt.verbose && p < N_POLICY; p++)
		if (res[p].runs)
			details(&res[p]);
	for (p = 0; p < N_POLICY; p++)
		free(res[p].ttp);
	free(w.heap);
	return opt.only >= 0 || goal_met(res) ? 0 : 1;
}
