// SPDX-License-Identifier: GPL-2.0
/* The table of checks. */
#include "checks.h"

/* In the order of findings that are equally bad. */
static void (*const checks[])(const struct evidence *ev, struct report *r) = {
	check_link,
	check_rules,
	check_host,
	check_untranslated,
	check_stale,
	check_unfit,
	check_silence,
	check_policies,
	check_refusals,
	check_routes,
	check_conntrack,
	check_bypass,
	check_switches,
	check_wan,
	check_fragments,
	check_wifi_calling,
	check_vpns,
};

/**
 * checks_run_all - Have every check look at the evidence.
 * @ev: The evidence.
 * @r: Where they report.
 */
void checks_run_all(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](ev, r);
}
