// SPDX-License-Identifier: GPL-2.0
/*
 * conntrack-full: the table of connections has no room, and what is new is
 * dropped.
 */
#include <stdlib.h>

#include "doctor.h"

/* From this part of the maximum on it is as good as full. */
#define FULL_PERCENT	95

static void run(const struct evidence *ev, struct report *r)
{
	struct maybe count = proc_number("net/netfilter/nf_conntrack_count");
	struct maybe max = proc_number("net/netfilter/nf_conntrack_max");
	struct maybe dropped = proc_conntrack_stat("drop");
	struct maybe early = proc_conntrack_stat("early_drop");
	char *seen, *advice;
	bool full;

	(void)ev;
	if (!count.known || !max.known || !max.value)
		return;
	full = count.value * 100 >= max.value * FULL_PERCENT;
	if (!full && !dropped.value)
		return;
	seen = xasprintf("%ju of at most %ju connections; conntrack -S: drop=%ju early_drop=%ju",
			 (uintmax_t)count.value, (uintmax_t)max.value,
			 (uintmax_t)dropped.value, (uintmax_t)early.value);
	advice = xasprintf("%s with conntrack -L, or sysctl -w net.netfilter.nf_conntrack_max=%ju",
			   "Look for who opens so many",
			   (uintmax_t)(max.value < 32768 ? 65536 : max.value * 2));
	found(r, "conntrack-full", full ? SEVERITY_ERROR : SEVERITY_WARNING, NULL, seen, advice);
}

static struct check conntrack_check = {
	.rank = 20,
	.run = run,
};

CHECK(conntrack_check)
