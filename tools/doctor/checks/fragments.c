// SPDX-License-Identifier: GPL-2.0
/*
 * ike-fragments: IKE's large messages come in fragments, and some do not come.
 * Seen as datagrams that were never complete while an IKE exchange is stuck
 * after its first, small messages were answered.
 */
#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
#include "checks.h"

/* An exchange that is not over by then is stuck. */
#define STUCK_MSEC	5000

static bool is_stuck(const struct session *s)
{
	return (!strcmp(s->proto, "ike") || !strcmp(s->proto, "natt")) && s->state &&
	       !strcmp(s->state, "half-open") && s->packets_in.value && s->age.value >= STUCK_MSEC;
}

static const struct session *stuck_session(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->ours.n_sessions; i++)
		if (is_stuck(&ev->ours.sessions[i]))
			return &ev->ours.sessions[i];
	return NULL;
}

void check_fragments(const struct evidence *ev, struct report *r)
{
	struct maybe failed = proc_snmp("/proc/net/snmp", "Ip:", "ReasmFails");
	const struct session *s = stuck_session(ev);
	char *seen;

	if (!failed.value || !s)
		return;
	seen = xasprintf("%s had %ju answers of %s and is stuck; parts of packets lacked: %ju (%s)",
			 s->client, (uintmax_t)s->packets_in.value, s->peer,
			 (uintmax_t)failed.value, "ReasmFails of /proc/net/snmp");
	found(r, "ike-fragments", SEVERITY_WARNING, "ike", seen,
	      SAY("If those were its own fragments, a network on the way loses them: have IKE",
		  "fragment by itself (IKEv2 fragmentation, RFC 7383, on both ends), or use",
		  "smaller certificates."));
}
