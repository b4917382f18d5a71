// SPDX-License-Identifier: GPL-2.0
/* The time of an event, for those commands that print them as they come. */
#include <stdio.h>
#include <time.h>

#include "cli.h"

/**
 * stamp_now - The time, in ns since 1970.
 */
struct maybe stamp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return MAYBE(ts.tv_sec * 1000000000ull + ts.tv_nsec);
}

/**
 * stamp_text - In local time, for people.
 * @to: Filled in.
 * @stamp: How.
 * @ns: The time.
 */
void stamp_text(char to[STAMP_SIZE], enum stamp stamp, struct maybe ns)
{
	time_t seconds = ns.value / 1000000000;
	char date[32], zone[8];
	struct tm tm;

	if (!ns.known || !localtime_r(&seconds, &tm)) {
		snprintf(to, STAMP_SIZE, "%-12s", "-");
		return;
	}
	strftime(date, sizeof(date), stamp == STAMP_CLOCK ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S",
		 &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	if (stamp == STAMP_CLOCK)
		snprintf(to, STAMP_SIZE, "%s.%03d", date, (int)(ns.value / 1000000 % 1000));
	else if (stamp == STAMP_SHORT)
		snprintf(to, STAMP_SIZE, "[%s.%06d]", date, (int)(ns.value / 1000 % 1000000));
	else
		snprintf(to, STAMP_SIZE, "%s.%06d%.3s:%s", date,
			 (int)(ns.value / 1000 % 1000000), zone, zone + 3);
}

/**
 * stamp_json - In JSON; as text too, where that is asked for, as iproute2 has it.
 * @ctx: Context.
 * @ns: The time.
 */
void stamp_json(struct context *ctx, struct maybe ns)
{
	char stamp[STAMP_SIZE];

	out_nsec(&ctx->out, "time", ns);
	if (ctx->stamp == STAMP_CLOCK || !ns.known)
		return;
	stamp_text(stamp, ctx->stamp, ns);
	out_string(&ctx->out, "timestamp", NULL, stamp);
}
