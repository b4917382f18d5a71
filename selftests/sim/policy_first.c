// SPDX-License-Identifier: GPL-2.0
/* The first policy with its gate for IKE, kmod/esp/pair*.c, for comparison. */
#include "esp/pair.h"

#include "sim.h"

#define PIN_HASH	4096
#define HELD_MAX	8
#define GATE_POLL	(10 * MS)
#define GATE_MAX	(60 * SEC)	/* the longest it waits */
#define GATE_OPEN	(SEC / 2)	/* so long for one, then the next */
#define N_WAIT		16384

struct pin {
	struct pin *next;
	struct pair_client *c;
	struct pair_spi *slot;
	u32 spi, last;
};

struct member {
	struct pair_client pc;
	struct out q[HELD_MAX];
	u8 nq;
	bool known;
};

static struct member member[MAX_CLIENTS];
static struct pin *pins[PIN_HASH];
static struct pair_group g;
static struct pair_cfg cfg = PAIR_CFG_DEFAULT;
static us_t tick_at;
static struct { us_t at; u32 c, x; } waits[N_WAIT];
static u32 n_waits, ike_x;
static us_t ike_until;

static u32 num(const struct pair_client *c)
{
	return (u32)((const struct member *)c - member);
}

static struct pin **bucket(const struct pair_client *c, u32 spi)
{
	return &pins[((spi + (c ? (num(c) + 1) * 0x85ebca6bu : 0)) * 0x9e3779b1u) >> 20];
}

static bool is_out(const struct pin *p)
{
	return p->slot >= p->c->out && p->slot < p->c->out + PAIR_OUT_SLOTS;
}

static struct pin *pin_find(const struct pair_client *c, u32 spi)
{
	struct pin *p = *bucket(c, spi);

	while (p && (p->spi != spi || is_out(p) != !!c || (c && p->c != c)))
		p = p->next;
	return p;
}

static void pin_add(struct pair_act_slot *s)
{
	struct pin *p = calloc(1, sizeof(*p)), **b;

	if (!p || s->slot->priv)
		abort();
	p->c = s->c;
	p->slot = s->slot;
	p->spi = s->slot->spi;
	p->last = ms_now();
	b = bucket(s->in ? NULL : s->c, p->spi);
	p->next = *b;
	*b = p;
	s->slot->priv = p;
	s->slot->last = &p->last;
}

static void pin_del(struct pair_act_slot *s)
{
	struct pin *p = s->slot->priv, **b = bucket(s->in ? NULL : s->c, p->spi);

	while (*b != p)
		b = &(*b)->next;
	*b = p->next;
	free(p);
	s->slot->priv = NULL;
}

static void release(struct member *m)
{
	struct out q[HELD_MAX];
	int i, n = m->nq;

	memcpy(q, m->q, sizeof(q));
	m->nq = 0;
	for (i = 0; i < n; i++)
		if (ms_now() - q[i].ms <= PAIR_HELD_MS && q[i].a)
			forward(&q[i]);
}

static void apply(struct pair_act *act)
{
	u32 ms;
	us_t at;
	int i;

	for (i = 0; i < act->n_unpin; i++)
		pin_del(&act->unpin[i]);
	for (i = 0; i < act->n_pin; i++)
		pin_add(&act->pin[i]);
	if (act->release)
		release((struct member *)act->release);
	ms = pair_next_tick(&g, ms_now());
	at = w.now + (us_t)(ms ? ms : 1) * MS;
	if (ms != PAIR_NEVER && (at < tick_at || tick_at <= w.now)) {
		tick_at = at;
		push(at, EV_TICK, 0, 0, 0, 0, 0);
	}
}

static void reset(u32 n)
{
	struct pin *p;
	u32 i;

	for (i = 0; i < PIN_HASH; i++)
		while ((p = pins[i])) {
			pins[i] = p->next;
			free(p);
		}
	memset(member, 0, sizeof(member));
	pair_group_init(&g, &cfg);
	tick_at = 0;
	for (i = 0; i < n_waits; i++)
		push(w.now, EV_GATE, 0, 0, 0, 0, 0);
	if (!w.now)
		n_waits = 0;
	ike_until = 0;
	(void)n;
}

static struct pair_client *know(u32 i)
{
	if (!member[i].known) {
		member[i].known = true;
		pair_client_add(&g, &member[i].pc, ms_now());
	}
	return &member[i].pc;
}

static void begun(u32 c, bool again)
{
	struct pair_act act;

	pair_exchange(&g, know(c), ms_now(), again, &act);
	apply(&act);
}

static bool busy(u32 c, u32 x, us_t since)
{
	if (w.now - since >= GATE_MAX)
		return false;
	if (ike_until > w.now && ike_x != x)
		return true;
	return pair_is_open(&g, &member[c].pc, ms_now());
}

static void gate(void)
{
	u32 c, x;

	while (n_waits && !busy(waits[0].c, waits[0].x, waits[0].at)) {
		c = waits[0].c;
		x = waits[0].x;
		memmove(&waits[0], &waits[1], --n_waits * sizeof(waits[0]));
		ike_x = x;
		ike_until = w.now + GATE_OPEN;
		begun(c, false);
		ike_pass(x);
	}
	if (n_waits)
		push(w.now + GATE_POLL, EV_GATE, 0, 0, 0, 0, 0);
}

static bool ask(u32 c, bool again, u32 exchange)
{
	if (again) {
		begun(c, true);
		return true;
	}
	if (n_waits == N_WAIT)
		return false;
	waits[n_waits].at = w.now;
	waits[n_waits].c = c;
	waits[n_waits++].x = exchange;
	if (n_waits == 1)
		push(w.now, EV_GATE, 0, 0, 0, 0, 0);
	return false;
}

static void made(u32 c, u32 exchange)
{
	struct pair_act act;

	if (ike_x == exchange)
		ike_until = 0;
	pair_evidence(&g, know(c), ms_now(), &act);
	apply(&act);
}

static void round_trip(u32 ms)
{
	(void)ms;
}

static void keep(struct member *m, const struct out *p)
{
	while (m->nq && ms_now() - m->q[0].ms > PAIR_HELD_MS)
		memmove(m->q, m->q + 1, --m->nq * sizeof(m->q[0]));
	if (m->nq < HELD_MAX)
		m->q[m->nq++] = *p;
}

static bool out(u32 i, const struct out *p)
{
	struct pair_client *c = know(i);
	struct pin *pin = pin_find(c, p->spi);
	struct pair_act act;

	if (pin) {
		pin->last = ms_now();
		return true;
	}
	pair_out(&g, c, p->spi, p->seq, ms_now(), &act);
	if (act.verdict == PAIR_HOLD)
		keep(&member[i], p);
	apply(&act);
	return act.verdict == PAIR_PASS;
}

static int in(u32 spi, u32 seq, int *to)
{
	struct pin *p = pin_find(NULL, spi);
	struct pair_act act;
	int i, n = 0;

	if (p) {
		p->last = ms_now();
		to[0] = (int)num(p->c);
		return 1;
	}
	pair_in(&g, spi, seq, ms_now(), &act);
	if (act.verdict == PAIR_DELIVER) {
		to[n++] = (int)num(act.to);
		for (i = 0; i < act.n_copy; i++)
			to[n++] = (int)num(act.copy[i]);
	}
	apply(&act);
	return n;
}

static void tick(void)
{
	struct pair_act act;

	if (w.now < tick_at)
		return;
	tick_at = 0;
	pair_tick(&g, ms_now(), &act);
	apply(&act);
}

const struct policy policy_first = {
	.name = "first",
	.reset = reset,
	.ask = ask,
	.made = made,
	.round_trip = round_trip,
	.out = out,
	.in = in,
	.tick = tick,
	.gate = gate,
};
