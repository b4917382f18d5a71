// SPDX-License-Identifier: GPL-2.0
/* Sequences: conversations beside each other, and what may become of them. */
#include <netinet/in.h>
#include <string.h>
#include "talk.h"

static struct step *pick(struct seq *s)
{
	return &s->step[rng_below(s->n)];
}

static void flip(struct seq *s)
{
	struct step *p = pick(s);
	unsigned int span = p->len;

	if (!p->len)
		return;
	if (span > 32 && chance(70))
		span = 32;
	p->data[rng_below(span)] ^= 1 << rng_below(8);
}

static void cut(struct seq *s)
{
	struct step *p = pick(s);

	p->len = rng_below(p->len + 1);
}

static void append(struct seq *s)
{
	struct step *p = pick(s);
	unsigned int n = 1 + rng_below(16);

	while (n-- && p->len < MAX_DATA)
		p->data[p->len++] = rng_next();
}

static void insert(struct seq *s, unsigned int at, struct step step)
{
	if (s->n == MAX_STEPS)
		return;
	memmove(&s->step[at + 1], &s->step[at], (s->n - at) * sizeof(step));
	s->step[at] = step;
	s->n++;
}

static void again(struct seq *s)
{
	unsigned int i = rng_below(s->n), later = i + 1 + rng_below(6);

	insert(s, later < s->n ? later : s->n, s->step[i]);
}

static void reorder(struct seq *s)
{
	unsigned int i = rng_below(s->n);
	struct step step = s->step[i];

	if (i + 1 == s->n)
		return;
	s->step[i] = s->step[i + 1];
	s->step[i + 1] = step;
}

static void drop(struct seq *s)
{
	unsigned int i = rng_below(s->n);

	if (s->n < 2)
		return;
	memmove(&s->step[i], &s->step[i + 1], (s->n - i - 1) * sizeof(s->step[0]));
	s->n--;
}

static uint16_t some_port(void)
{
	static const uint16_t ports[] = { 500, 4500, 1701, 1723, 1194, 51820, 443, 53, 1024 };
	unsigned int i = rng_below(12);

	return i < 9 ? ports[i] : rng_next();
}

static void port(struct seq *s)
{
	struct step *p = pick(s);

	if (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP)
		return;
	if (chance(50))
		p->sport = some_port();
	else
		p->dport = some_port();
}

/* Another SPI, key or ID: none, by chance, or that of another packet. */
static void number(struct seq *s)
{
	struct step *p = pick(s), *from = pick(s);
	unsigned int n = chance(50) ? 4 : 8, i, at = chance(70) ? 0 : 4;

	if (p->len < at + n || from->len < at + n)
		return;
	switch (rng_below(3)) {
	case 0:
		memset(p->data + at, 0, n);
		break;
	case 1:
		for (i = 0; i < n; i++)
			p->data[at + i] = rng_next();
		break;
	case 2:
		/* the 64 bits of another host's SPI of IKE nobody guesses */
		if (p->proto != IPPROTO_UDP || p->in == from->in)
			memcpy(p->data + at, from->data + at, n);
		break;
	}
}

static void foreign(struct seq *s)
{
	foreign_payload(pick(s));
}

static void mirror(struct seq *s)
{
	struct step *p = pick(s);
	uint16_t sport = p->sport;

	p->from = p->from == FROM_INSIDE ? FROM_OUTSIDE : FROM_INSIDE;
	p->sport = p->dport;
	p->dport = sport;
}

static void proto(struct seq *s)
{
	static const uint8_t protos[] = { 50, 47, 115, 51, 4 };
	struct step *p = pick(s);

	if (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP)
		p->proto = protos[rng_below(5)];
}

static void gap(struct seq *s)
{
	pick(s)->gap_ms = chance(90) ? 5 + rng_below(30) : 1100;
}

/* A router that reads TCP may cut it elsewhere. */
static void fragments(struct seq *s)
{
	struct step *p = pick(s);

	p->frag = p->proto != IPPROTO_TCP;
}

static void (* const mutators[])(struct seq *s) = {
	flip, flip, cut, append, again, again, reorder, reorder, drop, port, number, foreign,
	mirror, proto, gap, fragments,
};

static void mutate(struct seq *s)
{
	unsigned int n = chance(20) ? 0 : rng_below(7);

	while (n--)
		mutators[rng_below(sizeof(mutators) / sizeof(mutators[0]))](s);
}

/* The two ends of a talk; no host has two with one gateway but where sequence_make() says so. */
static struct talk hosts(unsigned int i)
{
	struct talk t = { .in = i, .out = i };

	if (i == 0 && opt.server && chance(60))
		t.in = t.out = HOST_SERVER;
	else if (i == 0 && opt.router && chance(50))
		t.in = t.out = HOST_ROUTER;
	t.outside_begins = chance(t.in == HOST_SERVER ? 75 : 10);
	return t;
}

/* No two exchanges have the same SPIs of IKE, though both may be the same recording. */
static void other_spis(struct step *p)
{
	uint8_t *spis = p->data + (p->len > 4 && !memcmp(p->data, "\0\0\0", 4) ? 4 : 0);

	if (p->proto != IPPROTO_UDP || p->len < 20)
		return;
	spis[7] ^= 0xff;
	if (memcmp(spis + 8, "\0\0\0\0\0\0\0", 8))	/* the responder has chosen one */
		spis[15] ^= 0xff;
}

/*
 * A client sends to the gateway of the server or of the router itself, who was there
 * first. It has no answer coming: stock would hand that to the other.
 */
static void intrude(struct seq *s, const struct talk *first)
{
	struct talk t = { .in = 1, .out = first->out };
	unsigned int i, from = s->n, to;

	talk_begin(s, &t);
	for (i = to = from; i < s->n; i++) {
		if (s->step[i].from != FROM_INSIDE)
			continue;
		s->step[to] = s->step[i];
		other_spis(&s->step[to++]);
	}
	s->n = to;
	if (to == from)
		return;
	/* the first goes on */
	for (i = 0; i < from && s->n < MAX_STEPS; i++)
		if (s->step[i].proto != IPPROTO_TCP)
			s->step[s->n++] = s->step[i];
}

static void merge(struct seq *s, const struct seq *a, const struct seq *b)
{
	unsigned int i = 0, j = 0;

	s->n = 0;
	while (s->n < MAX_STEPS && (i < a->n || j < b->n)) {
		bool first = j == b->n || (i < a->n && chance(100 * (a->n - i) /
							     (a->n - i + b->n - j)));

		s->step[s->n++] = first ? a->step[i++] : b->step[j++];
	}
}

static void events(struct seq *s)
{
	struct step e = { .from = FROM_EVENT, .event = EVENT_FAILOVER, .quote = NO_QUOTE,
			  .talk = "event" };
	unsigned int at;

	if (!opt.failover || chance(25))
		return;
	at = rng_below(s->n + 1);
	insert(s, at, e);
	if (chance(50)) {
		e.event = EVENT_BACK;
		insert(s, at + 1 + rng_below(s->n - at), e);
	}
}

static void quotes(struct seq *s)
{
	unsigned int n = chance(30) ? 1 + rng_below(2) : 0, about;
	struct step e;

	while (n-- && s->n < MAX_STEPS) {
		about = rng_below(s->n);
		if (s->step[about].from == FROM_EVENT || s->step[about].quote != NO_QUOTE)
			continue;
		e = s->step[about];
		e.from = e.from == FROM_INSIDE ? FROM_OUTSIDE : FROM_INSIDE;
		e.proto = opt.six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
		e.quote = e.id;
		e.id = s->n;
		e.len = e.gap_ms = 0;
		e.frag = false;
		insert(s, about + 1 + rng_below(s->n - about), e);
	}
}

/* sequence_make - the sequence of that number */
void sequence_make(struct seq *s, unsigned long index)
{
	static struct seq part[2], both;
	struct talk t, first;
	unsigned int i, n;

	rng_seed(opt.seed, index);
	s->n = 0;
	first = hosts(0);
	talk_begin(s, &first);
	if (first.in != 0 && chance(50)) {
		intrude(s, &first);
	} else {
		for (i = 1, n = rng_below(N_CLIENTS); i <= n; i++) {
			part[0] = *s;
			part[1].n = 0;
			/* a client sometimes has two talks with its gateway */
			t = hosts(chance(25) && first.in == 0 ? 0 : i);
			if (t.in == first.in)
				t = first;
			talk_begin(&part[1], &t);
			merge(&both, &part[0], &part[1]);
			*s = both;
		}
	}
	mutate(s);
	events(s);
	for (i = 0; i < s->n; i++)
		s->step[i].id = i;
	quotes(s);
}
