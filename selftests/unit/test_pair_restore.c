// SPDX-License-Identifier: GPL-2.0
/*
 * pair_restore(): what it asks for, what it refuses, and that clients whose
 * SPIs were restored go on as others do. TAP on stdout.
 */
#include <string.h>

#include "esp/pair.h"

#include "tap.h"

static struct pair_cfg cfg = PAIR_CFG_DEFAULT;
static struct pair_group g;
static struct pair_client c[3];
static struct pair_act act;
static u32 last[64], now = 5000;
static int n_last;

/* As the module does it: a pin has a clock of its own. */
static void carry_out(void)
{
	struct pair_spi *s;
	int i;

	for (i = 0; i < act.n_unpin; i++) {
		act.unpin[i].slot->priv = NULL;
		act.unpin[i].slot->last = NULL;
	}
	for (i = 0; i < act.n_pin; i++) {
		s = act.pin[i].slot;
		last[n_last] = now;
		s->priv = &last[n_last];
		s->last = &last[n_last++];
	}
}

static struct pair_spi *restore(int i, u32 spi, bool in, u32 idle)
{
	struct pair_spi *s = pair_restore(&g, &c[i], spi, in, now - idle, &act);

	carry_out();
	return s;
}

int main(void)
{
	struct pair_spi *s;
	bool good = true;
	int i;

	pair_group_init(&g, &cfg);
	for (i = 0; i < 3; i++)
		pair_client_add(&g, &c[i], now);

	s = pair_restore(&g, &c[0], 0x1001, true, now - 100, &act);
	ok(s && act.n_pin == 1 && act.pin[0].slot == s && act.pin[0].c == &c[0] &&
	   act.pin[0].in && !act.n_unpin && !act.release, "an inbound SPI asks for its pin");
	carry_out();
	ok(s->state == PAIR_SETTLED && c[0].n_in == 1, "and is settled");
	ok(!restore(0, 0x1001, true, 0), "a second time it is there already");
	ok(restore(0, 0x2001, false, 100) && restore(1, 0x1002, true, 100) &&
	   restore(1, 0x2002, false, 100), "outbound ones, another client");

	pair_out(&g, &c[0], 0x2001, 500, now, &act);
	ok(act.verdict == PAIR_PASS && !act.n_pin, "its outbound SPI is no question");

	for (i = 0; i < PAIR_IN_SLOTS - 1; i++)
		good = good && restore(1, 0x3000 + i, true, i);
	ok(good && !restore(1, 0x3fff, true, 0), "as many as there is room for");

	now += 10000;
	pair_in(&g, 0x5001, 1, now, &act);
	carry_out();
	ok(!restore(2, 0x5001, true, 0), "what packets have raised questions about is left alone");

	/* a client that was restored rekeys: asks anew, is answered */
	now += 10000;
	for (i = 0; i < 12; i++) {
		pair_out(&g, &c[0], 0x2101, i + 1, now, &act);
		carry_out();
		while (act.verdict == PAIR_HOLD && !act.release) {
			now++;
			pair_tick(&g, now, &act);
			carry_out();
			act.verdict = act.release ? PAIR_PASS : PAIR_HOLD;
		}
		now += 40;
		pair_in(&g, 0x1101, i + 1, now, &act);
		carry_out();
		now += 400;
	}
	for (s = NULL, i = 0; i < PAIR_IN_SLOTS; i++)
		if (c[0].in[i].state == PAIR_SETTLED && c[0].in[i].spi == 0x1101)
			s = &c[0].in[i];
	ok(s && s->priv, "a restored client rekeys");

	for (i = 0; i < 3; i++)
		pair_client_del(&g, &c[i], now, &act);
	ok(!g.n_clients && !g.n_trials && pair_next_tick(&g, now) == PAIR_NEVER,
	   "nothing is left of it");
	return tap_end();
}
