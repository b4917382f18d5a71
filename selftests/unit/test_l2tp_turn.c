// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/l2tp/turn.c: clients of one server, whose session IDs are
 * found out by who has just sent. Each run is a simulation, a millisecond a
 * step; the server answers after a round trip and may send of its own accord.
 */
#include <stdio.h>
#include <stdlib.h>

#include "l2tp/turn.h"

#include "tap.h"

#define CLIENTS		24
#define WINDOW		100u
#define FLIGHT		4096	/* packets under way */

static u32 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/**
 * struct sim - a run
 * @every: how often a client sends, ms; 0 when it is not there
 * @rtt: of its packets, 0 when they are not answered
 * @unasked: how often the server sends to it of its own accord, 0 never
 * @foreign: packets of others that a client was given
 * @got: its own that it was given, since last asked
 * @sent: tries of its to send, since then
 */
struct sim {
	struct l2tp_turns t;
	struct {
		struct l2tp_client c;
		u32 every, rtt, unasked, foreign, got, sent;
	} of[CLIENTS];
	struct {
		u32 at, to;
	} flight[FLIGHT];
	u32 in_flight, now, wrong;
};

static struct sim s;

static void begin(u32 start)
{
	memset(&s, 0, sizeof(s));
	l2tp_turns_init(&s.t);
	s.now = start;
}

static void client(u32 i, u32 every, u32 rtt, u32 unasked)
{
	s.of[i].every = every;
	s.of[i].rtt = rtt;
	s.of[i].unasked = unasked;
	INIT_LIST_HEAD(&s.of[i].c.node);
	l2tp_turns_add(&s.t, &s.of[i].c);
}

static void arrive(u32 i)
{
	struct l2tp_client *c;
	bool proven;

	if (s.of[i].c.answer) {
		s.of[i].got++;
		return;
	}
	c = l2tp_turn_in(&s.t, 1000 + i, s.now, &proven);
	if (c == &s.of[i].c)
		s.of[i].got++;
	else if (c)
		s.of[c->ask - 1].foreign++;
	if (proven) {
		s.wrong += c != &s.of[i].c;
		c->answer = 1000 + i;
	}
}

static void leave(u32 i)
{
	struct l2tp_client *c = &s.of[i].c;

	s.of[i].sent++;
	if (!c->answer && !l2tp_turn_out(&s.t, c, i + 1, WINDOW, s.now))
		return;
	if (!s.of[i].rtt || s.in_flight == FLIGHT)
		return;
	s.flight[s.in_flight].at = s.now + s.of[i].rtt;
	s.flight[s.in_flight++].to = i;
}

static void step(void)
{
	u32 i, n = 0;

	s.now++;
	for (i = 0; i < s.in_flight; i++) {
		if (s.flight[i].at == s.now)
			arrive(s.flight[i].to);
		else
			s.flight[n++] = s.flight[i];
	}
	s.in_flight = n;
	for (i = 0; i < CLIENTS; i++) {
		if (s.of[i].unasked && !rnd(s.of[i].unasked))
			arrive(i);
		if (s.of[i].every && !rnd(s.of[i].every))
			leave(i);
	}
}

static u32 unanswered(u32 n)
{
	u32 i, count = 0;

	for (i = 0; i < n; i++)
		count += s.of[i].rtt && !s.of[i].unasked && !s.of[i].c.answer;
	return count;
}

/* Until all are answered that can be. Return: ms. */
static u32 run(u32 n, u32 limit)
{
	u32 began = s.now;

	while (unanswered(n) && s.now - began < limit)
		step();
	return s.now - began;
}

static void count_anew(void)
{
	u32 i;

	for (i = 0; i < CLIENTS; i++)
		s.of[i].got = s.of[i].sent = 0;
}

static void test_only(void)
{
	u32 i;

	begin(0);
	client(0, 5, 20, 50);
	for (i = 0; i < 5000; i++)
		step();
	CHECK(!s.of[0].c.answer);
	CHECK(s.of[0].got > s.of[0].sent - 20);
	done("an only client neither waits nor proves anything");
}

static void test_many(void)
{
	u32 n, i, r, ms, worst = 0;

	for (r = 0; r < 300; r++) {
		n = 2 + rnd(11);
		begin(r & 1 ? (u32)-2000 : rnd(100000));
		for (i = 0; i < n; i++)
			client(i, 1 + rnd(40), 1 + rnd(WINDOW), 0);
		ms = run(n, 400 * WINDOW * n);
		CHECK(!unanswered(n));
		CHECK(!s.wrong);
		for (i = 0; i < n; i++)
			CHECK(!s.of[i].foreign);
		worst = max(worst, ms / (3 * WINDOW * n));
	}
	printf("# at worst %u rounds of turns\n", worst);
	CHECK(worst <= 40);
	done("300 times 2 to 12 clients at once: each finds its own, sees no other's");
}

static void test_unasked(void)
{
	u32 n, i, r, all = 0, wrong = 0;

	for (r = 0; r < 300; r++) {
		n = 3 + rnd(6);
		begin(rnd(100000));
		for (i = 0; i < n; i++)
			client(i, 1 + rnd(40), 1 + rnd(WINDOW),
			       i ? 0 : 1 + rnd(5 * WINDOW));
		run(n, 400 * WINDOW * n);
		CHECK(!unanswered(n));
		wrong += s.wrong;
		all += n;
	}
	printf("# %u of %u given another's ID\n", wrong, all);
	CHECK(!wrong);
	done("300 times one of them is also sent to unasked: not taken for an answer");
	for (i = 0; i < 20 * WINDOW; i++)
		step();
	count_anew();
	for (i = 0; i < 50 * WINDOW; i++)
		step();
	CHECK(s.of[0].c.answer || s.of[0].got > s.of[0].sent - 20);
	done("who was sent to unasked gets on when all others are answered");
}

static void test_one_way(void)
{
	u32 i, r;

	for (r = 0; r < 100; r++) {
		begin(rnd(100000));
		for (i = 0; i < 4; i++)
			client(i, 1 + rnd(20), i < 2 ? 0 : 1 + rnd(WINDOW), 0);
		run(4, 2000 * WINDOW);
		CHECK(!unanswered(4));
		CHECK(!s.wrong);
	}
	done("100 times two of four are never answered: the others are");
	count_anew();
	for (i = 0; i < 100 * WINDOW; i++)
		step();
	CHECK(s.of[2].got + 20 > s.of[2].sent && s.of[3].got + 20 > s.of[3].sent);
	done("after which they lose nothing");
}

static void test_forged(void)
{
	u32 n = 4, i, r;
	bool proven;

	for (r = 0; r < 50; r++) {
		begin(rnd(100000));
		for (i = 0; i < n; i++)
			client(i, 1 + rnd(20), 1 + rnd(WINDOW), 0);
		for (i = 0; i < 60 * WINDOW; i++) {
			step();
			l2tp_turn_in(&s.t, 0x10000 + rnd(0x7fffffff), s.now, &proven);
			CHECK(!proven);
		}
		CHECK(!s.wrong);
	}
	done("1,000 forged IDs a second: no ID goes to the wrong client");
	run(n, 400 * WINDOW * n);
	CHECK(!unanswered(n));
	done("and the right ones are found once they stop");
}

static void test_leave(void)
{
	u32 i, r, k;

	for (r = 0; r < 100; r++) {
		begin(rnd(100000));
		for (i = 0; i < 6; i++)
			client(i, 1 + rnd(20), 1 + rnd(WINDOW), 0);
		for (i = 0; i < 5; i++) {
			for (k = rnd(4 * WINDOW); k; k--)
				step();
			s.of[i].every = 0;
			s.of[i].rtt = 0;
			s.in_flight = 0;
			l2tp_turns_del(&s.t, &s.of[i].c);
			l2tp_turns_del(&s.t, &s.of[i].c);
			memset(&s.of[i].c, 0xa5, sizeof(s.of[i].c));
			INIT_LIST_HEAD(&s.of[i].c.node);
		}
		CHECK(s.t.n == 1);
		step();
	}
	done("clients go in the middle of it");
}

int main(void)
{
	test_only();
	test_many();
	test_unasked();
	test_one_way();
	test_forged();
	test_leave();
	return tap_end();
}
