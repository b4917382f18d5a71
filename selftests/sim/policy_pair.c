// SPDX-License-Identifier: GPL-2.0
/* kmod/esp/pair/ as the module uses it. */
#include "esp/pair/window.h"

#include "sim.h"

#define PIN_HASH	4096

struct pin {
	struct pin *next;
	struct pair_spi *s;
	u32 last;
};

struct member {
	struct pair_client pc;
	bool known;
};

static struct member member[MAX_CLIENTS];
static struct pin *pins[PIN_HASH];
static struct pair_group g;
static struct pair_cfg cfg = PAIR_CFG_DEFAULT;

static struct pin **bucket(u32 spi, bool in, u32 c)
{
	return &pins[((spi + (in ? 0 : (c + 1) * 0x85ebca6bu)) * 0x9e3779b1u) >> 20];
}

static u32 num(const struct pair_client *c)
{
	return (u32)((const struct member *)c - member);
}

static struct pin *pin_find(u32 spi, bool in, u32 c)
{
	struct pin *p = *bucket(spi, in, c);

	while (p && (p->s->spi != spi || p->s->in != in || (!in && num(p->s->c) != c)))
		p = p->next;
	return p;
}

static void pin_add(struct pair_spi *s)
{
	struct pin *p, **b = bucket(s->spi, s->in, num(s->c));

	if (s->pin)
		abort();
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->s = s;
	p->last = ms_now();
	p->next = *b;
	*b = p;
	s->pin = p;
	s->last = &p->last;
}

static void pin_del(struct pair_spi *s)
{
	struct pin **b = bucket(s->spi, s->in, num(s->c)), *p = s->pin;

	if (!p)
		return;
	while (*b != p)
		b = &(*b)->next;
	*b = p->next;
	free(p);
	s->pin = NULL;
	s->last = NULL;
}

static void spi_free(struct pair_spi *s)
{
	pin_del(s);
	if (s->in)
		free(container_of(s, struct pair_in, s));
	else
		free(container_of(s, struct pair_out, s));
}

static void say(const char *what, const struct pair_spi *s)
{
	u32 f, gen;
	bool wrong = s->in && truth_get(s->spi, &f, &gen) &&
		w.flow[f].client != num(s->c);

	if (opt.trace)
		printf("          %s %s %08x c%u%s\n", what, s->in ? "in" : "out", s->spi,
		       num(s->c), wrong ? " WRONG" : "");
}

static void apply(struct pair_act *act)
{
	int i;

	for (i = 0; i < act->n_unpin; i++) {
		say("unpin", act->unpin[i]);
		pin_del(act->unpin[i]);
	}
	for (i = 0; i < act->n_freed; i++) {
		say("free", act->freed[i]);
		spi_free(act->freed[i]);
	}
	for (i = 0; i < act->n_pin; i++) {
		say("PIN", act->pin[i]);
		pin_add(act->pin[i]);
	}
}

static void member_reset(struct member *m)
{
	struct pair_spi *s, *next;

	if (!m->known)
		return;
	list_for_each_entry_safe(s, next, &m->pc.out, node)
		spi_free(s);
	list_for_each_entry_safe(s, next, &m->pc.in, node)
		spi_free(s);
	free(m->pc.spare);
}

static void reset(void)
{
	u32 i;

	for (i = 0; i < MAX_CLIENTS; i++)
		member_reset(&member[i]);
	memset(member, 0, sizeof(member));
	pair_group_init(&g, &cfg);
}

static struct pair_client *know(u32 i)
{
	struct member *m = &member[i];

	if (!m->known) {
		m->known = true;
		pair_client_add(&g, &m->pc, ms_now());
	}
	if (!m->pc.spare)
		m->pc.spare = calloc(1, sizeof(*m->pc.spare));
	return &m->pc;
}

static void ask(u32 c, bool again)
{
	if (opt.trace)
		printf("%10.3f IKE c%u asks%s\n", w.now / 1e3, c, again ? " again" : "");
	if (!again)
		pair_ike_asked(&g, know(c), ms_now());
}

static void made(u32 c)
{
	if (opt.trace)
		printf("%10.3f IKE c%u made\n", w.now / 1e3, c);
	pair_sa_made(&g, know(c), ms_now());
}

static void round_trip(u32 ms)
{
	pair_round_trip(&g, ms);
}

static void out(u32 i, u32 spi)
{
	struct pin *pin = pin_find(spi, false, i);
	struct pair_client *c = know(i);
	struct pair_act act = {};
	struct pair_out *o;

	if (pin) {
		pin->last = ms_now();
		return;
	}
	if (opt.trace)
		printf("%10.3f out %08x c%u\n", w.now / 1e3, spi, i);
	o = pair_out_find(c, spi);
	if (!o) {
		o = malloc(sizeof(*o));
		if (!o)
			abort();
		if (!pair_out_add(&g, c, o, spi, ms_now(), &act)) {
			free(o);
			return;
		}
	}
	pair_packet_out(&g, c, o, ms_now(), &act);
	apply(&act);
}

static void trace_in(u32 spi, const struct pair_act *act)
{
	u32 f, gen;
	int i;

	printf("%10.3f in  %08x of c%d to", w.now / 1e3, spi,
	       truth_get(spi, &f, &gen) ? (int)w.flow[f].client : -1);
	for (i = 0; i < act->n_to; i++)
		printf(" %u", num(act->to[i]));
	printf(" (");
	for (i = 0; i < 64; i++) {
		struct pair_trial *t = g.hash[i];

		for (; t; t = t->next)
			for (int k = 0; t->spi == spi && k < t->n_suspects; k++)
				printf(" c%u %.1f", num(t->suspect[k].c),
				       t->suspect[k].score / 8.0);
	}
	i = (int)pair_window_end(&g.window);
	printf(" ) window %d..%d\n", i - (int)pair_window_len(&g.window), i);
}

static int in(u32 spi, int *to)
{
	struct pin *p = pin_find(spi, true, 0);
	struct pair_act act = {};
	int i, n = 0;

	if (p) {
		p->last = ms_now();
		to[0] = (int)num(p->s->c);
		return 1;
	}
	pair_packet_in(&g, spi, ms_now(), &act);
	if (opt.trace)
		trace_in(spi, &act);
	for (i = 0; i < act.n_to; i++)
		to[n++] = (int)num(act.to[i]);
	apply(&act);
	return n;
}

static int owner(u32 spi)
{
	const struct pin *p = pin_find(spi, true, 0);

	return p ? (int)num(p->s->c) : -1;
}

const struct policy policy_pair = {
	.name = "pair",
	.reset = reset,
	.ask = ask,
	.made = made,
	.round_trip = round_trip,
	.out = out,
	.in = in,
	.owner = owner,
};
