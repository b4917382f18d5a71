// SPDX-License-Identifier: GPL-2.0
/*
 * Conversations as real peers have them, as far as what a router can see goes: the
 * right headers, lengths, numbers and order; what is enciphered is chance.
 */
#include <netinet/in.h>
#include <string.h>
#include "parity.h"
#include "talk.h"

static struct talk *now;

/* say_next - the next packet of the conversation, by who began it or by the other */
struct step *say_next(struct seq *s, bool initiator)
{
	static struct step lost;
	struct step *p = s->n < MAX_STEPS ? &s->step[s->n++] : &lost;

	memset(p, 0, sizeof(*p));
	p->from = initiator != now->outside_begins ? FROM_INSIDE : FROM_OUTSIDE;
	p->in = now->in;
	p->out = now->out;
	p->proto = now->proto;
	p->quote = NO_QUOTE;
	p->talk = now->name;
	p->sport = initiator ? now->port[0] : now->port[1];
	p->dport = initiator ? now->port[1] : now->port[0];
	return p;
}

/* --- octets ----------------------------------------------------------------- */

static void add(struct step *p, const void *data, size_t len)
{
	if (p->len + len > MAX_DATA)
		return;
	memcpy(p->data + p->len, data, len);
	p->len += len;
}

static void add8(struct step *p, uint8_t v)
{
	add(p, &v, 1);
}

static void add16(struct step *p, uint16_t v)
{
	add8(p, v >> 8);
	add8(p, v);
}

static void add32(struct step *p, uint32_t v)
{
	add16(p, v >> 16);
	add16(p, v);
}

static void add64(struct step *p, uint64_t v)
{
	add32(p, v >> 32);
	add32(p, v);
}

static void add_random(struct step *p, size_t len)
{
	while (len--)
		add8(p, rng_next());
}

static void set16(struct step *p, unsigned int at, uint16_t v)
{
	p->data[at] = v >> 8;
	p->data[at + 1] = v;
}

static uint32_t spi_new(void)
{
	return 256 + rng_below(0xfffffe00u);
}

/* --- IKE ------------------------------------------------------------------------ */

struct sa {
	uint64_t i, r;
	uint8_t version;		/* 0x10, 0x20 */
	bool began;			/* the first initiator sends */
};

/* ike - one message; @flags as in the header but for who began the SA */
static struct step *ike(struct seq *s, const struct sa *sa, bool from_initiator, uint8_t exchange,
			uint8_t flags, uint32_t id, unsigned int body)
{
	struct step *p = say_next(s, from_initiator);
	uint8_t next = sa->version == 0x20 ? (exchange == 34 ? 33 : 46) : (id ? 8 : 1);

	if (now->port[1] == 4500)
		add32(p, 0);
	add64(p, sa->i);
	add64(p, sa->r);
	add8(p, next);
	add8(p, sa->version);
	add8(p, exchange);
	add8(p, flags | (sa->version == 0x20 && from_initiator ? 8 : 0));
	add32(p, id);
	add32(p, 28 + 4 + body);
	/* a payload that fills the message */
	add8(p, 0);
	add8(p, 0);
	add16(p, 4 + body);
	add_random(p, body);
	return p;
}

static void ike_pair(struct seq *s, const struct sa *sa, bool by_initiator, uint8_t exchange,
		     uint32_t id, unsigned int body)
{
	ike(s, sa, by_initiator, exchange, 0, id, body);
	ike(s, sa, !by_initiator, exchange, 0x20, id, body + rng_below(80));
}

static void float_to_4500(void)
{
	now->port[0] = now->port[0] == 500 ? 4500 : now->port[0] + 1;
	now->port[1] = 4500;
}

static void esp_between(struct seq *s, bool in_udp, unsigned int n, uint32_t to_responder,
			uint32_t to_initiator, uint32_t first)
{
	uint8_t proto = now->proto;
	uint16_t port[2] = { now->port[0], now->port[1] };
	unsigned int i;

	if (!in_udp) {
		now->proto = IPPROTO_ESP;
		now->port[0] = now->port[1] = 0;
	}
	for (i = 0; i < n; i++) {
		bool forth = i ? chance(50) : !chance(15);
		struct step *p = say_next(s, forth);

		add32(p, forth ? to_responder : to_initiator);
		add32(p, first + i);
		add_random(p, 24 + rng_below(8) * 16);
	}
	now->proto = proto;
	now->port[0] = port[0];
	now->port[1] = port[1];
}

static void talk_ikev2(struct seq *s)
{
	struct sa sa = { .version = 0x20, .i = rng_next() };
	bool natt = chance(40);
	uint32_t id = 1, gid = 0;

	now->port[0] = chance(75) ? 500 : 1024 + rng_below(60000);
	now->port[1] = 500;
	if (chance(20))
		ike_pair(s, &sa, true, 34, 0, 240);	/* a cookie is asked for */
	ike(s, &sa, true, 34, 0, 0, 300);
	sa.r = rng_next();
	ike(s, &sa, false, 34, 0x20, 0, 300);
	if (natt)
		float_to_4500();
	ike_pair(s, &sa, true, 35, id++, 200 + rng_below(400));
	esp_between(s, natt, 2 + rng_below(6), spi_new(), spi_new(), 1);
	if (chance(50))
		ike_pair(s, &sa, true, 37, id++, 40);
	if (chance(50))
		ike_pair(s, &sa, false, 37, gid++, 40);
	if (chance(40)) {
		bool who = chance(50);

		ike_pair(s, &sa, who, 36, who ? id++ : gid++, 200);
		esp_between(s, natt, 3, spi_new(), spi_new(), 1);
	}
	if (chance(30))
		ike_pair(s, &sa, false, 37, gid++, 44);
	if (natt && chance(50))
		add8(say_next(s, true), 0xff);
}

static void talk_ikev1(struct seq *s)
{
	struct sa sa = { .version = 0x10, .i = rng_next() };
	bool natt = chance(40), aggressive = chance(30);
	uint32_t quick = rng_next();

	now->port[0] = chance(75) ? 500 : 1024 + rng_below(60000);
	now->port[1] = 500;
	ike(s, &sa, true, aggressive ? 4 : 2, 0, 0, 160);
	sa.r = rng_next();
	ike(s, &sa, false, aggressive ? 4 : 2, 0, 0, 100);
	if (!aggressive) {
		ike(s, &sa, true, 2, 0, 0, 240);
		ike(s, &sa, false, 2, 0, 0, 240);
	}
	if (natt)
		float_to_4500();
	ike(s, &sa, true, aggressive ? 4 : 2, 1, 0, 60);
	if (!aggressive)
		ike(s, &sa, false, 2, 1, 0, 60);
	ike(s, &sa, true, 32, 1, quick, 150);
	ike(s, &sa, false, 32, 1, quick, 150);
	ike(s, &sa, true, 32, 1, quick, 24);
	esp_between(s, natt, 2 + rng_below(6), spi_new(), spi_new(), 1);
	if (chance(60))
		ike(s, &sa, chance(50), 5, 1, rng_next(), 50);
	if (chance(40)) {
		bool who = chance(50);

		quick = rng_next();
		ike(s, &sa, who, 32, 1, quick, 150);
		ike(s, &sa, !who, 32, 1, quick, 150);
		ike(s, &sa, who, 32, 1, quick, 24);
		esp_between(s, natt, 3, spi_new(), spi_new(), 1);
	}
}

static void talk_esp(struct seq *s)
{
	unsigned int i, n = 1 + rng_below(3);

	now->proto = IPPROTO_ESP;
	for (i = 0; i < n; i++)
		esp_between(s, false, 2 + rng_below(6), spi_new(), spi_new(), chance(70) ? 1 :
			    rng_below(100000));
}

/* --- L2TP ------------------------------------------------------------------------- */

struct avps {
	struct step *p;
	unsigned int length_at, begin;
};

static struct avps l2tp_control_message(struct seq *s, bool initiator, uint16_t tid, uint16_t sid,
				uint16_t ns, uint16_t nr, uint16_t type)
{
	struct avps a = { .p = say_next(s, initiator) };

	a.length_at = 2;
	add16(a.p, 0xc802);
	add16(a.p, 0);
	add16(a.p, tid);
	add16(a.p, sid);
	add16(a.p, ns);
	add16(a.p, nr);
	if (type) {
		add16(a.p, 0x8008);
		add16(a.p, 0);
		add16(a.p, 0);
		add16(a.p, type);
	}
	set16(a.p, a.length_at, a.p->len - a.begin);
	return a;
}

static void avp16(struct avps a, uint16_t type, uint16_t v)
{
	add16(a.p, 0x8008);
	add16(a.p, 0);
	add16(a.p, type);
	add16(a.p, v);
	set16(a.p, a.length_at, a.p->len - a.begin);
}

static void avp32(struct avps a, uint16_t type, uint32_t v)
{
	add16(a.p, 0x800a);
	add16(a.p, 0);
	add16(a.p, type);
	add32(a.p, v);
	set16(a.p, a.length_at, a.p->len - a.begin);
}

static void l2tp_data(struct seq *s, bool initiator, uint16_t tid, uint16_t sid)
{
	struct step *p = say_next(s, initiator);
	bool length = chance(50);

	add16(p, length ? 0x4002 : 0x0002);
	if (length)
		add16(p, 0);
	add16(p, tid);
	add16(p, sid);
	add32(p, 0xff030021);
	add_random(p, 20 + rng_below(100));
	if (length)
		set16(p, 2, p->len);
}

static void talk_l2tp(struct seq *s)
{
	uint16_t ct = 1 + rng_below(65535), st = 1 + rng_below(65535);
	uint16_t cs = 1 + rng_below(65535), ss = 1 + rng_below(65535);
	unsigned int n;

	now->port[0] = chance(60) ? 1701 : 1024 + rng_below(60000);
	now->port[1] = 1701;
	avp16(l2tp_control_message(s, true, 0, 0, 0, 0, 1), 9, ct);
	avp16(l2tp_control_message(s, false, ct, 0, 0, 1, 2), 9, st);
	l2tp_control_message(s, true, st, 0, 1, 1, 3);
	l2tp_control_message(s, false, ct, 0, 1, 2, 0);
	avp16(l2tp_control_message(s, true, st, 0, 2, 1, 10), 14, cs);
	avp16(l2tp_control_message(s, false, ct, cs, 1, 3, 11), 14, ss);
	l2tp_control_message(s, true, st, ss, 3, 2, 12);
	l2tp_control_message(s, false, ct, 0, 2, 4, 0);
	for (n = rng_below(8); n; n--) {
		bool forth = chance(50);

		l2tp_data(s, forth, forth ? st : ct, forth ? ss : cs);
	}
	if (chance(50)) {
		l2tp_control_message(s, true, st, 0, 4, 2, 6);
		l2tp_control_message(s, false, ct, 0, 2, 5, 0);
	}
	if (chance(30))
		avp16(l2tp_control_message(s, chance(50), 0, 0, 5, 2, 4), 9, ct);
}

/* A control message of version 3; over IP a session ID of zero comes first. */
static struct avps l2tp3(struct seq *s, bool initiator, bool udp, uint32_t cid, uint16_t ns,
			 uint16_t nr, uint16_t type)
{
	struct avps a = { .p = say_next(s, initiator) };

	if (!udp)
		add32(a.p, 0);
	a.begin = a.p->len;
	a.length_at = a.begin + 2;
	add16(a.p, 0xc803);
	add16(a.p, 0);
	add32(a.p, cid);
	add16(a.p, ns);
	add16(a.p, nr);
	avp16(a, 0, type);
	return a;
}

static void talk_l2tp3(struct seq *s)
{
	uint32_t cc = spi_new(), sc = spi_new(), cs = spi_new(), ss = spi_new();
	bool udp = chance(30);
	unsigned int n;

	now->proto = udp ? IPPROTO_UDP : 115;
	now->port[0] = udp ? (chance(60) ? 1701 : 1024 + rng_below(60000)) : 0;
	now->port[1] = udp ? 1701 : 0;
	if (udp || chance(70)) {
		struct avps a;

		avp32(l2tp3(s, true, udp, 0, 0, 0, 1), 61, cc);
		avp32(l2tp3(s, false, udp, cc, 0, 1, 2), 61, sc);
		l2tp3(s, true, udp, sc, 1, 1, 3);
		a = l2tp3(s, true, udp, sc, 2, 1, 10);
		avp32(a, 63, cs);
		avp32(a, 64, 0);
		a = l2tp3(s, false, udp, cc, 1, 3, 11);
		avp32(a, 63, ss);
		avp32(a, 64, cs);
		a = l2tp3(s, true, udp, sc, 3, 2, 12);
		avp32(a, 63, cs);
		avp32(a, 64, ss);
	}
	for (n = 1 + rng_below(8); n; n--) {
		bool forth = chance(50);
		struct step *p = say_next(s, forth);

		if (udp)
			add32(p, 0x00030000);
		add32(p, forth ? ss : cs);
		add_random(p, 20 + rng_below(100));
	}
}

/* --- PPTP ------------------------------------------------------------------------- */

struct tcp {
	uint32_t seq[2];		/* the beginner's, the other end's */
};

static struct step *tcp_say(struct seq *s, struct tcp *t, bool initiator, uint8_t flags)
{
	struct step *p = say_next(s, initiator);

	p->flags = flags;
	p->seq = t->seq[!initiator];
	p->ack = flags & 0x10 ? t->seq[initiator] : 0;
	return p;
}

/* A message in one segment, or cut in up to three. */
static void tcp_send(struct seq *s, struct tcp *t, bool initiator, const struct step *m)
{
	unsigned int at = 0, parts = chance(80) ? 1 : 2 + rng_below(2);

	while (at < m->len) {
		unsigned int n = parts > 1 ? 1 + rng_below(m->len - at) : m->len - at;
		struct step *p = tcp_say(s, t, initiator, 0x18);

		add(p, m->data + at, n);
		t->seq[!initiator] += n;
		at += n;
		parts = parts > 1 ? parts - 1 : 1;
	}
}

static struct step *pptp(struct step *m, uint16_t len, uint16_t type)
{
	memset(m, 0, sizeof(*m));
	add16(m, len);
	add16(m, 1);
	add32(m, 0x1a2b3c4d);
	add16(m, type);
	add16(m, 0);
	return m;
}

static void pptp_fill(struct seq *s, struct tcp *t, bool initiator, struct step *m, uint16_t len)
{
	while (m->len < len)
		add8(m, 0);
	tcp_send(s, t, initiator, m);
}

static void pptp_gre(struct seq *s, bool initiator, uint16_t call, uint32_t n)
{
	uint16_t port[2] = { now->port[0], now->port[1] };
	struct step *p;

	now->proto = IPPROTO_GRE;
	now->port[0] = now->port[1] = 0;
	p = say_next(s, initiator);
	add16(p, n ? 0x3081 : 0x3001);
	add16(p, 0x880b);
	add16(p, 40);
	add16(p, call);
	add32(p, n);
	if (n)
		add32(p, n - 1);
	add32(p, 0xff03c021);
	add_random(p, 36);
	now->proto = IPPROTO_TCP;
	now->port[0] = port[0];
	now->port[1] = port[1];
}

static void pptp_call(struct seq *s, struct tcp *t, uint16_t pns, uint16_t pac)
{
	struct step m;
	unsigned int n, i;

	pptp(&m, 168, 7);
	add16(&m, pns);
	pptp_fill(s, t, true, &m, 168);
	pptp(&m, 32, 8);
	add16(&m, pac);
	add16(&m, pns);
	add16(&m, 0x0100);
	pptp_fill(s, t, false, &m, 32);
	pptp(&m, 24, 15);
	add16(&m, pac);
	add32(&m, 0);
	add32(&m, 0xffffffff);
	add32(&m, 0xffffffff);
	pptp_fill(s, t, true, &m, 24);
	n = 1 + rng_below(8);
	for (i = 0; i < n; i++) {
		bool forth = i ? chance(50) : chance(80);

		pptp_gre(s, forth, forth ? pac : pns, i);
	}
}

static void talk_pptp(struct seq *s)
{
	struct tcp t = { .seq = { rng_next(), rng_next() } };
	uint16_t pns = 1 + rng_below(65535), pac = chance(10) ? 0 : rng_next();
	struct step m;

	now->proto = IPPROTO_TCP;
	now->port[0] = 1024 + rng_below(60000);
	now->port[1] = 1723;
	tcp_say(s, &t, true, 2);
	t.seq[0]++;
	tcp_say(s, &t, false, 0x12);
	t.seq[1]++;
	tcp_say(s, &t, true, 0x10);
	pptp_fill(s, &t, true, pptp(&m, 156, 1), 156);
	pptp_fill(s, &t, false, pptp(&m, 156, 2), 156);
	pptp_call(s, &t, pns, pac);
	if (chance(20))
		pptp_call(s, &t, 1 + rng_below(65535), rng_next());
	if (chance(30)) {
		pptp_fill(s, &t, true, pptp(&m, 16, 5), 16);
		pptp_fill(s, &t, false, pptp(&m, 20, 6), 20);
	}
	if (chance(40)) {
		pptp(&m, 16, 12);
		add16(&m, pns);
		pptp_fill(s, &t, true, &m, 16);
		pptp(&m, 148, 13);
		add16(&m, pac);
		pptp_fill(s, &t, false, &m, 148);
	}
	if (chance(30)) {
		tcp_say(s, &t, true, 0x11);
		t.seq[0]++;
		tcp_say(s, &t, false, 0x11);
		t.seq[1]++;
		tcp_say(s, &t, true, 0x10);
	} else if (chance(20)) {
		tcp_say(s, &t, chance(50), 0x14);
	}
}

/* --- protocols that are not ours ---------------------------------------------------- */

static void wireguard(struct step *p, unsigned int i)
{
	static const uint16_t sizes[] = { 148, 92, 96, 112, 32, 128 };

	add8(p, i == 0 ? 1 : i == 1 ? 2 : 4);
	add8(p, 0);
	add16(p, 0);
	add_random(p, sizes[i % 6] - 4);
}

static const uint16_t our_ports[] = { 500, 4500, 1701, 1723 };

static void talk_wireguard(struct seq *s)
{
	unsigned int i, n = 2 + rng_below(5);

	now->name = "wireguard";
	now->port[1] = chance(70) ? our_ports[rng_below(3)] : 51820;
	now->port[0] = chance(40) ? now->port[1] : 1024 + rng_below(60000);
	for (i = 0; i < n; i++)
		wireguard(say_next(s, i == 0 || (i > 1 && chance(50))), i);
}

static void talk_udp(struct seq *s)
{
	unsigned int i, n = 1 + rng_below(5);

	now->port[1] = chance(50) ? our_ports[rng_below(3)] : rng_below(2) ? 53 : 1194;
	now->port[0] = chance(30) ? now->port[1] : chance(50) ? our_ports[rng_below(3)] :
		1024 + rng_below(60000);
	for (i = 0; i < n; i++)
		add_random(say_next(s, i == 0 || chance(50)), rng_below(200));
}

static void talk_http(struct seq *s)
{
	struct tcp t = { .seq = { rng_next(), rng_next() } };
	struct step m = { .len = 0 };
	static const char get[] = "GET / HTTP/1.1\r\nHost: example.net\r\n\r\n";

	now->proto = IPPROTO_TCP;
	now->port[0] = 1024 + rng_below(60000);
	now->port[1] = chance(70) ? 1723 : 80;
	tcp_say(s, &t, true, 2);
	t.seq[0]++;
	tcp_say(s, &t, false, 0x12);
	t.seq[1]++;
	tcp_say(s, &t, true, 0x10);
	add(&m, get, sizeof(get) - 1);
	tcp_send(s, &t, true, &m);
	m.len = 0;
	add(&m, "HTTP/1.1 200 OK\r\n\r\n", 19);
	add_random(&m, rng_below(300));
	tcp_send(s, &t, false, &m);
	tcp_say(s, &t, true, 0x10);
	tcp_say(s, &t, false, 0x11);
}

static void talk_gre(struct seq *s)
{
	unsigned int i, n = 1 + rng_below(5), kind = rng_below(3);
	uint32_t key = rng_next();

	now->proto = IPPROTO_GRE;
	for (i = 0; i < n; i++) {
		struct step *p = say_next(s, i ? chance(50) : !chance(20));

		switch (kind) {
		case 0:
			add32(p, 0x00000800);
			break;
		case 1:
			add32(p, 0x20000800);
			add32(p, key);
			break;
		case 2:		/* EoIP */
			add32(p, 0x20016400);
			add16(p, 60);
			add16(p, key);
			break;
		}
		add_random(p, 20 + rng_below(60));
	}
}

static void talk_other(struct seq *s)
{
	static const uint8_t protos[] = { 51, 4, 41, 132, 103, 108 };
	unsigned int i, n = 1 + rng_below(4);

	now->proto = protos[rng_below(6)];
	for (i = 0; i < n; i++) {
		struct step *p = say_next(s, i ? chance(50) : !chance(20));

		if (now->proto == 51) {
			add8(p, 50);
			add8(p, 4);
			add16(p, 0);
			add32(p, 0x12345678);
			add32(p, i + 1);
		}
		add_random(p, 24 + rng_below(60));
	}
}

void foreign_payload(struct step *s)
{
	s->len = 0;
	switch (rng_below(3)) {
	case 0:
		wireguard(s, rng_below(6));
		break;
	case 1:
		add(s, "GET / HTTP/1.1\r\n\r\n", 18);
		break;
	case 2:
		add_random(s, rng_below(120));
		break;
	}
}

static const struct {
	const char *name;
	void (*talk)(struct seq *s);
	uint8_t weight;
} talks[] = {
	{ "ikev2", talk_ikev2, 16 }, { "ikev1", talk_ikev1, 12 }, { "esp", talk_esp, 12 },
	{ "l2tp", talk_l2tp, 12 }, { "l2tpv3", talk_l2tp3, 10 }, { "pptp", talk_pptp, 14 },
	{ "wireguard", talk_wireguard, 4 }, { "udp", talk_udp, 5 }, { "http", talk_http, 3 },
	{ "gre", talk_gre, 7 }, { "other", talk_other, 5 },
};

/* talk_begin - conversation @t is appended to @s: one of those above or a capture */
void talk_begin(struct seq *s, struct talk *t)
{
	unsigned int i, n = rng_below(100);

	now = t;
	t->proto = IPPROTO_UDP;
	if (chance(30) && corpus_talk(s, &t->name))
		return;
	for (i = 0; n >= talks[i].weight; i++)
		n -= talks[i].weight;
	t->name = talks[i].name;
	talks[i].talk(s);
}

/* talk_ports - for packets that come with ports of their own */
void talk_ports(uint8_t proto, uint16_t initiator, uint16_t responder)
{
	now->proto = proto;
	now->port[0] = initiator;
	now->port[1] = responder;
}
