// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/esp/pair/: each rule of docs/pairing.md by what clients and the gateway see
 * of it. The embedder carries out acts as the module does. TAP on stdout.
 */
#include <stdlib.h>

#include "esp/pair/pair.h"

#include "tap.h"

#define N	80
#define BIT(c)	(1ull << (c))

struct pin {
	struct pair_spi *s;
	u32 last;
};

static struct pair_cfg cfg;
static struct pair_group g;
static struct pair_client cl[N];
static struct pair_act act;
static u32 now;
static int to[1 + PAIR_COPIES_MAX], n_to;

static int num(const struct pair_client *c)
{
	return (int)(c - cl);
}

static void pin_del(struct pair_spi *s)
{
	free(s->pin);
	s->pin = NULL;
	s->last = NULL;
}

static void spi_free(struct pair_spi *s)
{
	pin_del(s);
	free(s->in ? (void *)container_of(s, struct pair_in, s) :
		     (void *)container_of(s, struct pair_out, s));
}

static bool pins_fail;

static void carry_out(void)
{
	struct pin *p;
	int i;

	for (i = 0; i < act.n_unpin; i++)
		pin_del(act.unpin[i]);
	for (i = 0; i < act.n_freed; i++)
		spi_free(act.freed[i]);
	for (i = 0; i < act.n_pin && !pins_fail; i++) {
		CHECK(!act.pin[i]->pin);
		p = malloc(sizeof(*p));
		p->s = act.pin[i];
		p->last = now;
		act.pin[i]->pin = p;
		act.pin[i]->last = &p->last;
	}
	memset(&act, 0, sizeof(act));
}

static struct pair_client *know(int c)
{
	if (!cl[c].node.next)
		pair_client_add(&g, &cl[c], now);
	if (!cl[c].spare)
		cl[c].spare = malloc(sizeof(*cl[c].spare));
	return &cl[c];
}

static void forget(int c)
{
	struct pair_spi *s, *next;

	if (!cl[c].node.next)
		return;
	pair_client_del(&g, &cl[c]);
	list_for_each_entry_safe(s, next, &cl[c].out, node)
		spi_free(s);
	list_for_each_entry_safe(s, next, &cl[c].in, node)
		spi_free(s);
	free(cl[c].spare);
	memset(&cl[c], 0, sizeof(cl[c]));
}

/* A world with round trips of 40 ms: an answer comes 30 to 98 ms after. */
static void begin(bool rtt)
{
	struct pair_cfg def = PAIR_CFG_DEFAULT;
	int i;

	for (i = 0; i < N; i++)
		forget(i);
	cfg = def;
	pair_group_init(&g, &cfg);
	now = 100000;
	for (i = 0; i < 4 && rtt; i++)
		pair_round_trip(&g, 40);
}

static struct pair_spi *half(int c, u32 spi, bool in)
{
	struct pair_spi *s;

	if (!cl[c].node.next)
		return NULL;
	list_for_each_entry(s, in ? &cl[c].in : &cl[c].out, node)
		if (s->spi == spi)
			return s;
	return NULL;
}

static bool out_pinned(int c, u32 spi)
{
	struct pair_spi *s = half(c, spi, false);

	return s && s->pin;
}

static int owner(u32 spi)
{
	int c;

	for (c = 0; c < N; c++) {
		struct pair_spi *s = half(c, spi, true);

		if (s && s->pin)
			return c;
	}
	return -1;
}

static bool out(int c, u32 spi)
{
	struct pair_client *pc = know(c);
	struct pair_out *o;

	if (out_pinned(c, spi)) {
		((struct pin *)half(c, spi, false)->pin)->last = now;
		return true;
	}
	o = pair_out_find(pc, spi);
	if (!o) {
		o = malloc(sizeof(*o));
		if (!pair_out_add(&g, pc, o, spi, now, &act)) {
			free(o);
			carry_out();
			return false;
		}
	}
	pair_packet_out(&g, pc, o, now, &act);
	carry_out();
	return true;
}

/* The receivers as a set; in order in to[]. */
static u64 in(u32 spi)
{
	int c = owner(spi), i;
	u64 set = 0;

	n_to = 0;
	if (c >= 0) {
		((struct pin *)half(c, spi, true)->pin)->last = now;
		return BIT(c);
	}
	pair_packet_in(&g, spi, now, &act);
	for (i = 0; i < act.n_to; i++) {
		to[n_to++] = num(act.to[i]);
		set |= BIT(num(act.to[i]));
	}
	carry_out();
	return set;
}

static void ask(int c)
{
	pair_ike_asked(&g, know(c), now);
}

static void made(int c)
{
	pair_sa_made(&g, know(c), now);
}

static const struct pair_trial *trial(u32 spi)
{
	int i;
	struct pair_trial *t;

	for (i = 0; i < 64; i++)
		for (t = g.hash[i]; t; t = t->next)
			if (t->spi == spi)
				return t;
	return NULL;
}

/* Score in eighths of a bit; -9999: not a suspect. */
static int score(u32 spi, int c)
{
	const struct pair_trial *t = trial(spi);
	int i;

	for (i = 0; t && i < t->n_suspects; i++)
		if (t->suspect[i].c == &cl[c])
			return t->suspect[i].score;
	return -9999;
}

static int leader(u32 spi)
{
	const struct pair_trial *t = trial(spi);

	return t && t->lead ? num(t->lead) : -1;
}

/* Question and answer 45 ms later, then a pause. */
static void talk(int c, u32 o, u32 i, u32 pause)
{
	out(c, o);
	now += 45;
	in(i);
	now += pause;
}

/* Irregular, as people are. */
static void talk_until_pinned(int c, u32 o, u32 i)
{
	int k;

	for (k = 0; k < 12 && owner(i) < 0; k++)
		talk(c, o, i, 700 + (k * 977) % 1300);
}

/* ---- rule 1: claims and questions ---- */

static void test_claims(void)
{
	int i;

	begin(true);
	ask(0);
	CHECK(g.n_open == 1 && cl[0].asking);
	pair_sa_not_made(&g, &cl[0]);
	SAME(g.n_open, 0);
	made(1);
	SAME(g.n_open, 1);
	for (i = 0; i < 9; i++)
		made(1);
	SAME(cl[1].n_due, PAIR_DUE);
	made(2);
	made(1);
	CHECK(g.open.next == &cl[1].open);
	done("claims: a client is open from request to refusal, and while an SA is due");
}

static void test_questions(void)
{
	struct pair_out *o;

	begin(true);
	made(0);
	out(0, 1000);
	o = container_of(half(0, 1000, false), struct pair_out, s);
	SAME(o->n_asked, 1);
	now += PAIR_QUIET_MS - 1;
	out(0, 1000);
	SAME(o->n_asked, 1);
	now += PAIR_QUIET_MS;
	out(0, 1000);
	SAME(o->n_asked, 2);
	SAME(o->vary_ms, 0);
	SAME(o->asked_at[0], now);
	SAME(o->asked_at[1], now - 2 * PAIR_QUIET_MS + 1);
	CHECK(cl[0].every_ms == 63 && g.asks.next == &cl[0].asks);
	now += 4063;
	out(0, 1000);
	SAME(cl[0].every_ms, (3 * 63 + 4000 + 2) / 4);
	SAME(o->vary_ms, 4000 - 63);
	done("questions: only after a silence; their interval and its change are known");
}

/* ---- rule 2: the answer window ---- */

static u64 answered_after(u32 ms)
{
	static u32 spi = 5000;
	int before;

	made(0);
	made(1);
	now += 20000;
	out(0, ++spi);
	now += ms;
	in(++spi);
	before = score(spi, 0) - score(spi, 1);
	now += 3000;
	return before > 8;
}

static void test_window(void)
{
	begin(true);
	CHECK(!answered_after(29));
	CHECK(answered_after(30));
	begin(true);
	CHECK(answered_after(98));
	CHECK(!answered_after(99));
	begin(true);
	pair_round_trip(&g, 200);
	SAME(g.window.hi, 200 * 16);
	SAME(g.window.lo, 40 * 16 + 160);
	pair_round_trip(&g, 40);
	SAME(g.window.hi, 200 * 16 - 160);
	begin(false);
	pair_round_trip(&g, 400);
	CHECK(answered_after(490 + 60));
	begin(true);
	pair_round_trip(&g, 200);
	CHECK(answered_after(330));
	begin(false);
	pair_round_trip(&g, 400);
	CHECK(!answered_after(400 - 120));
	done("window: from the least to the greatest round trip, wider when few are known");
}

/* The clock goes on until then; clients 0.. ask at even intervals, each with its own
 * phase, and what the gateway answers takes so long. Whatever comes reaches its owner.
 */
static void pings(u32 ms, u32 every, u32 n, const u32 *phase, const u32 *rtt)
{
	u32 end = now + ms, c;
	u64 set;

	for (; now < end; now++)
		for (c = 0; c < n; c++) {
			if (now % every == phase[c])
				out((int)c, 1000 + c);
			if ((now - rtt[c]) % every != phase[c])
				continue;
			set = in(3000 + c);
			CHECK(n_to == 0 || set & BIT(c));
		}
}

static bool learnt(u32 ms)
{
	return g.window.hi && g.window.lo / 16 <= ms && ms < g.window.hi / 16 &&
	       g.window.hi - g.window.lo <= 64 * 16;
}

static void test_window_without_ike(void)
{
	const u32 rtt[] = { 40, 40, 40 }, far[] = { 300, 300, 300 };
	const u32 apart[] = { 100, 400, 650 };

	begin(false);
	out(0, 1000);
	out(1, 2000);
	now += 990;
	CHECK(in(3000) == (BIT(0) | BIT(1)));
	CHECK(score(3000, 0) > -9999);
	begin(false);
	out(0, 1000);
	out(1, 1001);
	pings(7000, 1000, 2, apart, rtt);
	SAME(g.window.hi, 0);
	pings(3000, 1000, 2, apart, rtt);
	CHECK(learnt(40));
	pings(40000, 1000, 2, apart, far);	/* the gateway is far away by now */
	CHECK(learnt(300) || owner(3000) >= 0);
	begin(false);
	pings(40000, 1000, 3, apart, far);
	CHECK(learnt(300));
	pair_round_trip(&g, 20);
	SAME(g.window.hi, 20 * 16);
	SAME(g.window.lo, 20 * 16);
	pings(40000, 1000, 3, apart, far);
	SAME(g.window.hi, 20 * 16);
	done("window: without IKE from what arrivals in doubt have in common");
}

static void test_even(void)
{
	const u32 rtt[] = { 40, 40 }, uneven[] = { 20, 60 };
	const u32 apart[] = { 100, 400 }, alike[] = { 100, 100 }, half[] = { 100, 600 };
	const u32 shifted[] = { 100, 580 };

	begin(false);
	out(0, 1000);
	out(1, 1001);
	pings(40000, 1000, 2, apart, rtt);
	SAME(owner(3000), 0);
	SAME(owner(3001), 1);
	begin(false);
	out(0, 1000);
	out(1, 1001);
	pings(40000, 1000, 2, alike, rtt);
	CHECK(owner(3000) < 0 && owner(3001) < 0);
	begin(false);
	out(0, 1000);
	out(1, 1001);
	pings(40000, 1000, 2, half, rtt);
	SAME(g.window.hi, 0);
	CHECK(owner(3000) < 0 && owner(3001) < 0);
	begin(false);			/* 540 ms for both, or 20 and 60: that it may be, too */
	out(0, 1000);
	out(1, 1001);
	pings(40000, 1000, 2, shifted, uneven);
	SAME(g.window.hi, 0);
	CHECK(owner(3000) < 0 && owner(3001) < 0);
	done("window: clients that ping at even intervals are told apart, or stay in doubt");
}

/* A client that is paired needs no SPI: another that begins is not in doubt with it. */
static void test_in_turn(void)
{
	int c, k;

	begin(false);
	for (c = 0; c < 12; c++)
		for (k = 0; k < PAIR_PROOF; k++) {
			CHECK(!c || owner(3000 + c) < 0);
			out(c, 1000 + c);
			now += 40;
			CHECK(in(3000 + c) & BIT(c));
			now += 3000;
		}
	for (c = 0; c < 12; c++)
		SAME(owner(3000 + c), c);
	in(9000);			/* a new SPI that its client does not ask on */
	now += 3000;
	in(9000);
	now += 10;
	out(12, 2000);
	for (c = 0; c < 20; c++) {
		now += 40;
		in(9000);
		now += 10;
		out(12, 2000);
	}
	SAME(owner(9000), -1);		/* not of whoever begins later */
	done("suspects: clients that begin one after the other are paired by four answers");
}

/* ---- rule 3: suspects ---- */

static void test_suspects(void)
{
	begin(true);
	made(0);
	now += 1000;
	made(1);
	made(2);
	pair_ike_asked(&g, know(3), now);
	pair_sa_not_made(&g, &cl[3]);	/* IKE seen, nothing due */
	know(4);			/* IKE never seen */
	out(4, 4000);
	now += 10;
	in(9000);
	CHECK(score(9000, 1) > -9999 && score(9000, 0) > -9999);
	SAME(score(9000, 3), -9999);
	SAME(score(9000, 4), -PAIR_LEAD * 8);	/* asked too late for this to answer */
	CHECK(score(9000, 0) < score(9000, 1) - 24);
	now += 2000;
	made(5);			/* open only after it came */
	in(9000);
	SAME(score(9000, 5), -9999);
	done("suspects: who is open since before; a fresh claim before an old one");
}

static void test_claim_age(void)
{
	begin(true);
	made(0);
	now += 68;			/* a window: one bit */
	made(1);
	in(9000);
	SAME(score(9000, 1), 0);
	SAME(score(9000, 0), -8);
	begin(true);
	made(0);
	now += 3600000;
	made(1);
	in(9000);
	SAME(score(9000, 0), -PAIR_LEAD * 8);
	begin(true);			/* made a second after it was asked for */
	ask(0);
	know(1);
	now += 1000;
	made(0);
	in(9000);
	SAME(score(9000, 0), 0);
	begin(true);			/* a claim later than the SPI is not its */
	made(0);
	now += 1000;
	in(9000);
	now += 1000;
	made(0);
	SAME(score(9000, 0), 8 * -4);
	done("suspects: a claim's score is the age of the claim before the SPI, in windows");
}

static void test_unlisted(void)
{
	int i;

	begin(true);
	for (i = 0; i < 12; i++)
		made(i);
	out(3, 1000);
	now += 45;
	in(9000);
	SAME(trial(9000)->n_suspects, PAIR_SUSPECTS);
	CHECK(score(9000, 3) > 0);
	SAME(leader(9000), -1);		/* the unlisted may own it as well */
	begin(true);
	made(0);
	know(1);			/* IKE not seen, does not ask */
	for (i = 2; i < 12; i++)
		know(i);
	in(9000);
	SAME(leader(9000), 0);
	now += 500;
	in(9000);
	SAME(owner(9000), -1);
	done("suspects: whoever is not listed has the score of the next claim, or 8 bits less");
}

/* ---- rule 4: evidence ---- */

static void test_answer_gains(void)
{
	int a;

	begin(true);
	made(0);
	made(1);
	out(0, 1000);
	now += 4000;
	out(0, 1000);
	now += 45;
	in(9000);
	a = score(9000, 0) - score(9000, 1);
	SAME((unsigned int)a, 39);	/* log2(4000 / 136) = 4.9 bits */
	now += 40;
	in(9000);			/* the question is answered already */
	SAME(score(9000, 0), a + score(9000, 1));
	begin(true);			/* a client that asks always proves nothing */
	made(0);
	made(1);
	for (a = 0; a < 20; a++) {
		out(0, 1000);
		now += 100;
	}
	now += 45 - 100;
	in(9000);
	SAME(score(9000, 0), score(9000, 1));
	begin(true);			/* an SPI that comes always proves nothing */
	made(0);
	made(1);
	for (a = 0; a < 20; a++) {
		in(9000);
		now += 100;
	}
	out(0, 1000);
	now += 45;
	in(9000);
	CHECK(score(9000, 0) - score(9000, 1) <= 0);
	done("evidence: an answer is worth the silence about it, in windows");
}

static void test_same_clock(void)
{
	int i, first = 0;

	begin(true);
	made(0);
	made(1);
	for (i = 0; i < 20; i++) {
		talk(0, 1000, 9000, 955);
		if (i == 1)
			first = score(9000, 0);
	}
	CHECK(first > 0);
	SAME(score(9000, 0), first);
	SAME(owner(9000), -1);
	talk_until_pinned(0, 1000, 9000);
	CHECK(score(9000, 0) > first || owner(9000) == 0);
	done("evidence: two clocks in step count once, irregular questions each time");
}

static void test_silence(void)
{
	u32 at;
	int i;

	begin(true);
	made(0);
	made(1);
	for (i = 0; i < 5; i++) {
		in(9000);
		now += 20;
	}
	at = trial(9000)->alone_at;
	now += 40;
	in(9000);			/* 60 ms: not four times 20 */
	SAME(trial(9000)->alone_at, at);
	now += 200;
	in(9000);
	CHECK(trial(9000)->alone_at != at);
	done("evidence: a silence is longer than the packets' pace");
}

static void test_once(void)
{
	int s;

	begin(true);
	made(0);
	made(1);
	out(0, 1000);
	now += 1000;
	talk(0, 1000, 9000, 2955);
	talk(0, 1000, 9000, 955);
	out(0, 1000);
	now += 35;
	in(9000);
	s = score(9000, 0);
	now += 40;
	in(9000);
	SAME(score(9000, 0), s);
	done("evidence: each question counts once");
}

/* Two devices with 24 SAs each: somebody of either asks all the time. */
static void test_many_sas(void)
{
	static u32 ask_at[2][24], answer_at[2][24];
	u32 r = 7, start, k, c, right = 0;

	begin(true);
	memset(answer_at, 0, sizeof(answer_at));
	for (c = 0; c < 2; c++)
		for (k = 0; k < 24; k++) {
			made(c);
			ask_at[c][k] = now + 37 * k + 13 * c;
		}
	for (start = now; now - start < 60000; now++)
		for (k = 0; k < 48; k++) {
			c = k % 2;
			r = r * 1664525 + 1013904223;
			if (ask_at[c][k / 2] == now) {
				out(c, 1000 + 100 * c + k / 2);
				answer_at[c][k / 2] = now + 40 + (r >> 16) % 8;
				ask_at[c][k / 2] = now + 400 + (r >> 8) % 1200;
			}
			if (answer_at[c][k / 2] == now)
				CHECK(in(9000 + 100 * c + k / 2) & BIT(c));
		}
	for (k = 0; k < 48; k++) {
		c = k % 2;
		right += owner(9000 + 100 * c + k / 2) == (int)c;
	}
	SAME(right, 48);
	begin(true);			/* a rekey: nothing is asked on the old one any more */
	made(0);
	made(1);
	out(1, 2000);
	talk(0, 1000, 9000, 700);
	now += PAIR_RECENT_MS;
	out(0, 1001);
	now += 1300;
	k = score(9000, 0);
	talk(0, 1001, 9000, 700);
	talk(0, 1001, 9000, 1500);
	talk(0, 1001, 9000, 700);
	CHECK((int)score(9000, 0) > (int)k);
	done("evidence: of a client with many SAs each has its own rhythm");
}

static void test_losses(void)
{
	int i, s;

	begin(true);
	made(0);
	made(1);
	out(0, 1000);
	now += 2000;
	out(0, 1000);
	now += 200;			/* too late for an answer */
	in(9000);
	s = score(9000, 0);
	CHECK(s < score(9000, 1) && s > score(9000, 1) - 9);
	for (i = 0; i < 30; i++) {
		now += 1000;
		out(0, 1000);
		now += 500;
		in(9000);
	}
	CHECK(score(9000, 0) >= -(PAIR_LEAD + PAIR_SURE) * 8 - 8);
	CHECK(score(9000, 0) <= -PAIR_SURE * 8);
	SAME(score(9000, 1), -8 * 5);	/* did not ask, loses nothing */
	begin(true);
	made(0);
	made(1);
	out(0, 1000);
	now += 2000;
	out(0, 1000);
	now += 4001;			/* long ago */
	in(9000);
	SAME(score(9000, 0), score(9000, 1));
	done("evidence: what comes unasked speaks against who asks seldom, up to 8 bits");
}

static void test_cap(void)
{
	int i;

	begin(true);
	made(0);
	made(1);
	for (i = 0; i < 40; i++) {
		out(0, 1000);
		out(1, 2000);
		now += 45;
		in(9000);
		now += 900 + (i * 977) % 1500;
	}
	SAME(score(9000, 0), (PAIR_SURE + PAIR_LEAD) * 8);
	SAME(score(9000, 1), (PAIR_SURE + PAIR_LEAD) * 8);
	SAME(owner(9000), -1);
	CHECK(in(9000) == (BIT(0) | BIT(1)));
	done("evidence: of two that always ask in time neither gets ahead; both get copies");
}

static void test_leaves(void)
{
	begin(true);
	made(0);
	made(1);
	in(9000);
	CHECK(score(9000, 0) > -9999);
	talk_until_pinned(0, 1000, 8000);
	SAME(owner(8000), 0);
	now += 1000;
	in(9000);
	SAME(score(9000, 0), -9999);
	CHECK(score(9000, 1) > -9999);
	done("evidence: a client with nothing due and nothing unpaired is no suspect");
}

/* ---- rule 5: lead and pin ---- */

static void test_seldom_only(void)
{
	int i;

	begin(true);			/* others whose IKE was not seen: 8 bits are not 12 */
	made(0);
	for (i = 1; i < 12; i++)
		out(i, 2000);
	for (i = 0; i < 6; i++) {
		out(0, 1000);
		now += 200;
	}
	made(0);
	for (i = 0; i < 6; i++)
		talk(0, 1000, 9000, 155);
	SAME(owner(9000), -1);
	begin(true);			/* an asker with an old claim among fresh ones */
	made(0);
	now += 1000;
	out(0, 1000);
	for (i = 1; i < 12; i++)
		made(i);
	now += 45;
	in(9000);
	CHECK(score(9000, 0) > -9999);
	begin(true);			/* IKE not seen, paired: may own more */
	know(0);
	talk_until_pinned(0, 1000, 9000);
	now += PAIR_RECENT_MS;
	know(1);
	now += 500;
	out(0, 1000);
	now += 45;
	in(9500);
	CHECK(score(9500, 0) > -9999 && score(9500, 0) < -8 * (PAIR_LEAD + PAIR_SURE) + 48);
	done("suspects: who asks is listed, whoever it is; who has its SPI much lower");
}

static void test_pin(void)
{
	begin(true);
	made(0);
	made(1);
	talk_until_pinned(0, 1000, 9000);
	SAME(owner(9000), 0);
	SAME(cl[0].n_due, 0);
	SAME(cl[1].n_due, 1);
	SAME(g.n_paired, 1);
	CHECK(in(9000) == BIT(0));
	CHECK(!out_pinned(0, 1000));
	done("pin: answers that no other explains; it takes the due SA off");
}

/* An exchange seemed to have made an SA and has not; a refusal leaves those that are due. */
static void test_not_made(void)
{
	begin(true);
	ask(0);
	made(0);
	SAME(cl[0].n_due, 1);
	pair_sa_not_made(&g, &cl[0]);
	SAME(cl[0].n_due, 0);
	SAME(g.n_open, 0);
	pair_sa_not_made(&g, &cl[0]);
	SAME(cl[0].n_due, 0);
	made(0);
	ask(0);
	pair_sa_not_made(&g, &cl[0]);
	SAME(cl[0].n_due, 1);
	SAME(g.n_open, 1);
	done("claims: an SA that was not made is not due any more");
}

/* Others fall behind as they do not ask; three answers of one do not decide it. */
static void test_pin_by_fourth(void)
{
	int i;

	begin(true);
	made(0);
	made(1);
	for (i = 0; i < 3; i++)
		talk(0, 1000, 9000, 700 + 400 * i);
	for (i = 0; i < 6; i++) {
		now += 2000;
		out(1, 2000);
		now += 500;
		in(9000);
	}
	CHECK(score(9000, 0) - score(9000, 1) > PAIR_SURE * 8);
	SAME(owner(9000), -1);
	now += 500;
	talk(0, 1000, 9000, 100);
	SAME(owner(9000), 0);
	done("pin: by the fourth answer, however far the others are behind");
}

static void test_no_pin_on_word(void)
{
	int i;

	begin(true);
	made(1);
	pair_ike_asked(&g, know(0), now);
	pair_sa_not_made(&g, &cl[0]);
	for (i = 0; i < 50; i++) {
		now += 500;
		CHECK(in(9000) & BIT(1));
	}
	SAME(leader(9000), 1);
	SAME(owner(9000), -1);
	done("pin: not on IKE's word alone, whoever else there is");
}

static void test_closed_question(void)
{
	begin(true);
	made(0);
	made(0);
	made(1);
	know(2);
	out(0, 1000);
	now += 4000;
	talk(0, 1000, 9000, 1500);
	talk(0, 1000, 9000, 2300);
	SAME(leader(9000), 0);
	out(0, 1000);
	now += 45;
	in(9000);
	in(9001);			/* a question cannot have two answers */
	CHECK(score(9001, 0) <= score(9001, 1));
	now += 1500;
	out(0, 1000);			/* the next one is open again */
	now += 45;
	in(9001);
	CHECK(score(9001, 0) > score(9001, 1));
	done("lead: an answered question is closed to all other SPIs");
}

static void test_ledger(void)
{
	u32 k;

	begin(true);			/* one is unpaired, and has its SPI in doubt */
	made(0);
	know(1);
	talk(0, 1000, 9000, 900);
	talk(0, 1000, 9000, 1400);
	SAME(leader(9000), 0);
	for (k = 0; k < PAIR_PROOF; k++)
		talk(0, 1000, 9001, 700 + 300 * (k % 3));
	SAME(leader(9001), 0);
	CHECK(score(9001, 0) > 0 && score(9001, 0) < 8 * PAIR_SURE);
	SAME(owner(9001), -1);
	done("pin: for more SPIs than are due each has to speak for itself");
}

static void test_only_client(void)
{
	begin(true);
	out(0, 1000);
	now += 45;
	CHECK(in(9000) == BIT(0));
	SAME(owner(9000), -1);
	in(9000);
	SAME(owner(9000), 0);
	SAME(g.n_only, 1);
	in(9001);
	in(9001);
	SAME(owner(9001), -1);		/* nothing is left that it could answer */
	done("pin: an only client's at the second packet, but not more than it asks for");
}

static void test_pin_fails(void)
{
	begin(true);
	pins_fail = true;
	out(0, 1000);
	now += 45;
	in(9000);
	in(9000);
	SAME(owner(9000), -1);
	CHECK(in(9000) == BIT(0));
	pins_fail = false;
	CHECK(in(9000) == BIT(0));
	SAME(owner(9000), 0);
	done("pin: one that fails is asked for again, and its client gets the packet");
}

/* ---- rule 6: delivery ---- */

static void test_few_get_all(void)
{
	int i, k;

	begin(true);
	for (i = 0; i < PAIR_SUSPECTS; i++) {
		ask(i);
		if (i)
			pair_sa_not_made(&g, &cl[i]);
	}
	for (k = 0; k < 5; k++) {
		CHECK(in(9000) == BIT(PAIR_SUSPECTS) - 1);
		now += 5;
	}
	SAME(g.n_copies, 5 * (PAIR_SUSPECTS - 1));
	done("delivery: groups of up to 8 get every packet until the pin");
}

static void test_led(void)
{
	int i;

	begin(true);
	for (i = 0; i < 20; i++) {
		pair_ike_asked(&g, know(i), now);
		if (i > 8)
			pair_sa_not_made(&g, &cl[i]);
	}
	for (i = 0; i < 9; i++)
		made(i);
	now += 20000;
	out(0, 1000);
	now += 4000;
	talk(0, 1000, 9000, 3000);
	talk(0, 1000, 9000, 1777);
	SAME(leader(9000), 0);
	in(9000);
	CHECK(to[0] == 0 && n_to == PAIR_SUSPECTS);
	now += 5;
	CHECK(in(9000) == BIT(0));
	done("delivery: a leader first; after a silence to some others, too");
}

static void test_wide(void)
{
	u64 seen = 0;
	int i;

	begin(true);
	for (i = 0; i < 60; i++)
		made(i);
	cfg.rate = 160;			/* 20 copies a packet, 5 in a burst */
	g.tokens_at = now - 5000;
	seen = in(9000);
	SAME(n_to, 1 + 160 / PAIR_SHARE);
	now += 2;
	in(9000);
	SAME(n_to, 1 + 140 / PAIR_BURST);
	for (i = 0; i < 40; i++) {
		now += 200;
		seen |= in(9000);
	}
	CHECK(seen == BIT(60) - 1);
	cfg.copies = 3;
	now += 2000;
	out(40, 1000);
	now += 45;
	CHECK(in(9000) & BIT(40));	/* the likely one first */
	SAME(to[0], 40);
	SAME(n_to, 4);
	cfg.copies = 0;
	now += 2000;
	in(9000);
	SAME(n_to, 1);
	done("delivery: a share of the bucket, to the likely ones and the others in turn");
}

static void test_bucket(void)
{
	int i;

	begin(true);
	for (i = 0; i < 60; i++)
		made(i);
	cfg.rate = 100;
	g.tokens_at = now - 5000;
	for (i = 0; i < 300; i++) {
		in(9000 + i % 40);
		now += 10;
	}
	CHECK(g.n_copies <= 100 + 300);
	CHECK(g.n_copies > 200);
	CHECK(g.n_limit > 0);
	done("delivery: copies a second are bounded, and it is counted when that bites");
}

static void test_strict(void)
{
	begin(true);
	made(0);
	made(1);
	cfg.strict = true;
	SAME(in(9000), 0);
	SAME(g.n_strict, 1);
	out(0, 1000);
	now += 4000;
	out(0, 1000);
	now += 45;
	in(9000);
	talk(0, 1000, 9000, 2500);
	talk(0, 1000, 9000, 1500);
	talk(0, 1000, 9000, 2700);
	CHECK(in(9000) == BIT(0));
	done("delivery: strict sends to a leader or to nobody");
}

static void test_nobody(void)
{
	begin(true);
	SAME(in(9000), 0);
	SAME(g.n_no_room, 1);
	SAME(g.n_unknown, 1);
	done("delivery: without a client nothing is kept and nobody gets it");
}

/* ---- rule 7: pins are taken back ---- */

static void test_confirm(void)
{
	int i;

	begin(true);
	made(0);
	made(1);
	talk_until_pinned(0, 1000, 9000);
	now += 500;
	for (i = 0; i < 4; i++) {
		CHECK(!out_pinned(0, 1000));
		talk(0, 1000, 9000, 800);
	}
	out(0, 1000);
	CHECK(out_pinned(0, 1000));
	SAME(g.n_revoked, 0);
	done("review: the outbound half is pinned after four more answers");
}

/* Nobody else can be meant: whatever comes is the answer. */
static void test_only_client_out(void)
{
	begin(true);
	made(0);
	in(9000);
	in(9000);
	SAME(owner(9000), 0);
	now += 5000;
	out(0, 1000);
	CHECK(out_pinned(0, 1000));
	in(9001);			/* nothing is due, and nobody has asked */
	in(9001);
	SAME(owner(9001), 0);
	begin(true);
	out(0, 1000);			/* nothing has come so far */
	now += 1000;
	out(0, 1000);
	CHECK(!out_pinned(0, 1000));
	done("confirm: an only client's at once, and all that comes is its own");
}

/* A stream asks nothing after its first packet. */
static void test_stream(void)
{
	u32 i;

	begin(true);
	made(0);
	made(1);
	talk_until_pinned(0, 1000, 9000);
	SAME(owner(9000), 0);
	out(1, 2000);
	now += 100;
	for (i = 0; i < PAIR_RECENT_MS / 10; i++) {
		out(0, 1000);
		out(1, 2000);
		now += 10;
		CHECK(!out_pinned(0, 1000));
	}
	out(0, 1000);
	CHECK(out_pinned(0, 1000));
	out(1, 2000);
	CHECK(!out_pinned(1, 2000));	/* the stream has no other half */
	done("confirm: a stream that has gone on for 4 s");
}

static void test_in_vain(void)
{
	int i;

	begin(true);
	made(0);
	made(1);
	talk_until_pinned(0, 1000, 9000);
	now += 1000;
	for (i = 0; i < 4; i++) {
		out(0, 1000);
		now += 1000;
	}
	SAME(owner(9000), 0);
	made(1);
	out(0, 1000);
	SAME(owner(9000), -1);
	SAME(g.n_revoked, 1);
	SAME(leader(9000), 0);
	SAME(cl[0].n_unpaired, 1);
	now += 45;
	CHECK(in(9000) & BIT(0));
	SAME(leader(9000), 0);
	done("review: four questions in vain take back the pin of the SPI that answered");
}

static void test_starving(void)
{
	int i, was;

	begin(true);
	made(0);
	talk_until_pinned(0, 1000, 9000);
	now += PAIR_RECENT_MS;
	made(1);
	for (i = 0; i < 6; i++)
		talk(0, 1000, 9000, 2000);
	CHECK(out_pinned(0, 1000));
	now += 500;
	for (i = 0; i < 4; i++) {
		CHECK(owner(9000) == 0);
		out(1, 2000);
		now += 45;
		in(9000);
		now += 700;
	}
	out(1, 2000);
	SAME(owner(9000), -1);
	CHECK(!out_pinned(0, 1000));
	SAME(leader(9000), 0);
	now += 45;
	CHECK((in(9000) & 3) == 3);
	was = g.n_revoked;
	now += 1000;
	talk_until_pinned(0, 1000, 9000);
	if (owner(9000) == 0)
		for (i = 0; i < 6; i++) {
			out(1, 2000);
			now += 45;
			in(9000);
			now += 700;
		}
	CHECK(g.n_revoked == (u64)was);	/* not again so soon */
	done("review: a client that starves throws doubt on a pin that its questions explain");
}

/* A router that forgot all takes the first that sends for the only one. */
static void test_company(void)
{
	int c;

	begin(true);
	out(0, 1000);
	for (c = 0; c < 3; c++) {
		know(0);
		in(9000 + c);
		in(9000 + c);
		SAME(owner(9000 + c), 0);
	}
	now += 1000;
	out(1, 2000);
	for (c = 0; c < 3; c++) {
		SAME(owner(9000 + c), -1);
		SAME(leader(9000 + c), 0);
		CHECK(in(9000 + c) == 3);
	}
	begin(true);
	know(0);
	CHECK(pair_restore_in(&g, &cl[0], 9000, now, &act));
	carry_out();
	out(1, 2000);
	SAME(owner(9000), 0);		/* restored, not guessed */
	begin(true);
	out(0, 1000);
	in(9000);
	in(9000);
	now += PAIR_RECENT_MS;
	out(1, 2000);
	SAME(owner(9000), 0);		/* it was the only one for long */
	done("review: who was an only client for a moment alone has nothing for sure");
}

static void test_not_starving(void)
{
	int i;

	begin(true);
	made(0);
	talk_until_pinned(0, 1000, 9000);
	now += PAIR_RECENT_MS;
	made(1);
	talk_until_pinned(1, 2000, 9100);
	SAME(owner(9100), 1);
	for (i = 0; i < 12; i++) {	/* a rekey: answers come on the old one */
		out(1, 2001);
		now += 45;
		in(9000);
		in(9100);
		now += 900;
	}
	SAME(owner(9000), 0);
	SAME(g.n_revoked, 0);
	for (i = 0; i < 12; i++) {	/* in vain, but what comes does not fit */
		out(2, 3000);
		now += 500;
		in(9000);
		in(9100);
		now += 400;
	}
	SAME(g.n_revoked, 0);
	done("review: who gets answers on another SPI of its own does not starve");
}

/* ---- rule 8: room ---- */

static void test_room(void)
{
	int i;

	begin(true);
	for (i = 0; i < 4; i++)
		made(i);		/* room for four */
	in(9000);
	now += 10;
	in(9000);
	now += 10;
	for (i = 1; i < 6; i++) {
		in(9000 + i);
		now += 10;
	}
	CHECK(trial(9000) && trial(9005) && trial(9004) && trial(9003));
	CHECK(!trial(9001) && !trial(9002));
	out(0, 1000);			/* brings more */
	in(9006);
	CHECK(trial(9003));
	forget(3);
	SAME(g.n_clients, 3);
	in(9007);
	in(9008);
	CHECK(trial(9000) != NULL);	/* twice seen: the last to go */
	done("room: it comes with clients and their SPIs; seen once goes first");
}

static void test_room_decided(void)
{
	begin(true);
	made(0);
	in(9000);
	now += 10;
	talk_until_pinned(0, 1000, 9001);	/* two places */
	SAME(owner(9001), 0);
	in(9002);
	CHECK(trial(9000) && trial(9002) && !trial(9001));
	CHECK(!trial(9002)->owner);
	SAME(owner(9001), 0);
	done("room: what is decided gives way before what is not, and keeps its pin");
}

static void test_many_spis(void)
{
	int i;

	begin(true);
	cfg.spis = 24;
	made(1);
	for (i = 0; i < 24; i++) {
		CHECK(out(0, 1000 + i));
		now += 40;
	}
	CHECK(!out(0, 2000));
	now += PAIR_RECENT_MS + 40 * 24;
	CHECK(out(0, 2000));
	CHECK(!half(0, 1000, false) && half(0, 1001, false));
	SAME(cl[0].n_out, 24);
	begin(true);
	cfg.idle_ms = 60000;
	out(0, 1000);
	now += 30000;
	out(0, 1001);
	SAME(cl[0].n_out, 2);
	now += 60001;
	out(0, 1002);
	SAME(cl[0].n_out, 2);
	begin(true);
	out(0, 1000);
	for (i = 0; i < 30; i++) {
		made(0);
		in(9000 + i);
		in(9000 + i);
		SAME(owner(9000 + i), 0);
		know(0);
		now += 100;
	}
	SAME(cl[0].n_in, 30);
	done("room: as many SPIs as the setting allows; the least used goes, if unused");
}

static void test_restore(void)
{
	struct pair_out *o;
	int i;

	begin(true);
	know(0);
	know(1);
	CHECK(pair_restore_in(&g, &cl[0], 9000, now, &act));
	pair_spi_restored(&g, list_first_entry(&cl[0].in, struct pair_spi, node), &act);
	carry_out();
	SAME(owner(9000), 0);
	o = malloc(sizeof(*o));
	CHECK(pair_out_add(&g, &cl[0], o, 1000, now, &act));
	pair_spi_restored(&g, &o->s, &act);
	carry_out();
	CHECK(out_pinned(0, 1000));
	CHECK(o->s.other && o->s.other->spi == 9000);
	know(0);
	in(9001);			/* in doubt */
	CHECK(pair_restore_in(&g, &cl[0], 9001, now, &act));
	carry_out();
	SAME(owner(9001), 0);
	CHECK(!trial(9001));
	know(0);
	made(1);
	made(0);
	pair_sa_not_made(&g, &cl[0]);
	in(9002);			/* likely another's */
	SAME(leader(9002), 1);
	CHECK(!pair_restore_in(&g, &cl[0], 9002, now, &act));
	for (i = 0; i < 2; i++)
		forget(i);
	SAME(g.n_clients, 0);
	CHECK(list_empty(&g.free) && list_empty(&g.once) && list_empty(&g.live) &&
	      list_empty(&g.done) && list_empty(&g.pins));
	done("restore: pins at once, in doubt or not, but not what leads to another");
}

/* Whatever comes, books and lists agree. */
static void test_anything(void)
{
	u32 r = 1, i, k, n;

	begin(true);
	for (i = 0; i < 300000; i++) {
		r ^= r << 13;
		r ^= r >> 17;
		r ^= r << 5;
		k = (r >> 8) % 12;
		now += r % 7 ? r % 40 : r % 4000;
		cfg.spis = 4 + (r >> 20) % 8;
		switch ((r >> 4) % 16) {
		case 0:
			ask(k);
			break;
		case 1:
			made(k);
			break;
		case 2:
			if (r >> 26 == 0)
				forget(k);
			break;
		case 3 ... 8:
			out(k, 1000 + k * 16 + (r >> 16) % 16);
			break;
		default:
			in(9000 + (r >> 12) % 60);
		}
		for (k = 0, n = 0; k < 12; k++)
			n += cl[k].node.next && (cl[k].n_due || cl[k].asking ||
						 cl[k].n_unpaired);
		CHECK(n == g.n_open);
	}
	for (k = 0; k < 12; k++)
		forget(k);
	CHECK(!g.n_open && !g.n_clients && list_empty(&g.pins) &&
	      list_empty(&g.live) && list_empty(&g.once) && list_empty(&g.done));
	done("whatever comes: counts agree, and nothing is left when all are gone");
}

int main(void)
{
	test_claims();
	test_questions();
	test_window();
	test_window_without_ike();
	test_even();
	test_in_turn();
	test_suspects();
	test_claim_age();
	test_unlisted();
	test_answer_gains();
	test_same_clock();
	test_many_sas();
	test_losses();
	test_silence();
	test_once();
	test_seldom_only();
	test_cap();
	test_leaves();
	test_pin();
	test_not_made();
	test_pin_by_fourth();
	test_no_pin_on_word();
	test_closed_question();
	test_ledger();
	test_only_client();
	test_pin_fails();
	test_few_get_all();
	test_led();
	test_wide();
	test_bucket();
	test_strict();
	test_nobody();
	test_confirm();
	test_only_client_out();
	test_stream();
	test_in_vain();
	test_starving();
	test_company();
	test_not_starving();
	test_room();
	test_room_decided();
	test_many_spis();
	test_restore();
	test_anything();
	begin(true);
	return tap_end();
}
