/* SPDX-License-Identifier: GPL-2.0 */
/* Output of the unit tests in C: TAP on stdout. */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdbool.h>
#include <stdio.h>

static unsigned int tap_n, tap_n_failed;
static bool tap_bad;

/* The point that is under way fails unless @cond; done() ends it. */
#define CHECK(cond) tap_check(cond, __LINE__, #cond)

static inline void tap_check(bool good, int line, const char *what)
{
	if (good)
		return;
	tap_bad = true;
	printf("# line %d: %s\n", line, what);
}

#define SAME(got, want) tap_same(got, want, __LINE__, #got)

static inline void tap_same(unsigned long long got, unsigned long long want,
			    int line, const char *what)
{
	if (got == want)
		return;
	tap_bad = true;
	printf("# line %d: %s is %#llx, should be %#llx\n", line, what, got, want);
}

static inline void done(const char *name)
{
	tap_n++;
	tap_n_failed += tap_bad;
	printf("%sok %u - %s\n", tap_bad ? "not " : "", tap_n, name);
	tap_bad = false;
}

/* A point that is one condition. */
static inline void ok(bool good, const char *name)
{
	tap_bad |= !good;
	done(name);
}

/* The plan; what main() returns. */
static inline int tap_end(void)
{
	printf("1..%u\n", tap_n);
	return tap_n_failed ? 1 : 0;
}

#endif /* UNIT_TAP_H */
