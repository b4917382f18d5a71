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
	uint64_t lost = dropped.value + early.value;
	bool full;

	(void)ev;
	if (!count.known || !max.known || !max.value)
		return;
	full = count.value * 100 >= max.value * FULL_PERCENT;
	if (!full && !dropped.value)
		return;
	found(r, "conntrack-full", full ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
	      xasprintf("%ju of at most %ju connections; %ju packets were dropped and connections "
			"pushed out for want of room (drop and early_drop of conntrack -S)",
			(uintmax_t)count.value, (uintmax_t)max.value, (uintmax_t)lost),
	      xasprintf("sysctl -w net.netfilter.nf_conntrack_max=%ju, and look for a host that "
			"opens too many connections (conntrack -L)",
			(uintmax_t)(max.value < 32768 ? 65536 : max.value * 2)));
}

static struct check conntrack_check = {
	.rank = 20,
	.run = run,
};

CHECK(conntrack_check)
