// SPDX-License-Identifier: GPL-2.0
/* The shortest sequence that still shows a difference: steps go while it stays. */
#include <string.h>
#include "parity.h"

static bool same_kind(const struct seq *s, const char *sign)
{
	static struct outcome result[N_ROUTERS][MAX_STEPS];
	char now[128];

	routers_flush();
	run_sequence(s, result);
	return judge_sequence(s, result, now, sizeof(now)) && !strcmp(now, sign);
}

static bool shows(const struct seq *s, const char *sign)
{
	return same_kind(s, sign) && same_kind(s, sign);
}

static void without(struct seq *to, const struct seq *s, unsigned int at, unsigned int n)
{
	unsigned int i;

	to->n = 0;
	for (i = 0; i < s->n; i++)
		if (i < at || i >= at + n)
			to->step[to->n++] = s->step[i];
}

static void simplify(struct seq *s, const char *sign)
{
	static struct seq trial;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		if (!s->step[i].gap_ms && !s->step[i].frag)
			continue;
		trial = *s;
		trial.step[i].gap_ms = 0;
		trial.step[i].frag = false;
		if (shows(&trial, sign))
			*s = trial;
	}
}

/* shrink_sequence - false: it does not show again, and was of the moment */
bool shrink_sequence(struct seq *s, char *sign, size_t size)
{
	static struct seq trial;
	unsigned int n, i;
	bool again;

	(void)size;
	if (!same_kind(s, sign) && !same_kind(s, sign))
		return false;
	for (n = s->n / 2; n; n /= 2)
		do {
			again = false;
			for (i = s->n; i-- > 0;) {
				if (i + n > s->n)
					continue;
				without(&trial, s, i, n);
				if (!shows(&trial, sign))
					continue;
				*s = trial;
				again = true;
			}
		} while (again && n == 1);
	simplify(s, sign);
	return true;
}
