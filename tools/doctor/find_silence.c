// SPDX-License-Identifier: GPL-2.0
/*
 * path-silent: a VPN's packets went out and none came back. The connection's
 * entry exists, so the router's own rules let them go; and an answer would be
 * seen before any rule of the forward chain could drop it.
 */
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

struct silence {
	const struct flow *first;
	size_t unanswered, answered;
};

/*
 * An answer from another port, as L2TP's may be, has a connection of its own; our
 * session knows whose it is.
 */
static bool answered_by_ours(const struct ours *ours, const struct flow *f)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	host_text(&f->src, src);
	host_text(&f->dst, dst);
	for (i = 0; i < ours->n_sessions; i++) {
		const struct session *s = &ours->sessions[i];

		if (s->packets_in.value && !strcmp(s->proto, f->vpn->proto) &&
		    !strcmp(s->client, src) && !strcmp(s->peer, dst))
			return true;
	}
	return false;
}

static struct silence listen_to(const struct evidence *ev, const struct vpn *vpn)
{
	struct silence s = {};
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (f->vpn != vpn || !flow_goes_out(f, &ev->net))
			continue;
		if (flow_answered(f) || answered_by_ours(&ev->ours, f)) {
			s.answered++;
			continue;
		}
		s.unanswered++;
		if (!s.first)
			s.first = f;
	}
	return s;
}

static char *seen_text(const struct silence *s)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], more[64] = "", packets[64] = "";
	const struct flow *f = s->first;

	if (f->packets_out.known)
		snprintf(packets, sizeof(packets), ", %ju packets out and none back",
			 (uintmax_t)f->packets_out.value);
	if (s->unanswered > 1)
		snprintf(more, sizeof(more), "; so have %zu more", s->unanswered - 1);
	return xasprintf("%s asks %s by %s and has no answer%s (UNREPLIED in conntrack -L)%s%s",
			 host_text(&f->src, src), host_text(&f->dst, dst), f->vpn->title,
			 packets, more,
			 s->answered ? "; others are answered" : "");
}

static char *advice_text(const struct silence *s)
{
	char dst[INET6_ADDRSTRLEN], *ask, *text;

	host_text(&s->first->dst, dst);
	if (s->answered)
		return xasprintf("See that the gateway is up: vpnpass doctor probe %s", dst);
	ask = xasprintf("vpnpass doctor probe %s, from here and from another network:", dst);
	text = SAY(ask, "if it answers there alone, the provider or a network on the way drops",
		   "this",
		   s->first->vpn->port ? "port." : "protocol.",
		   "IKEv2 with NAT-T on UDP 4500 or OpenVPN on TCP 443 may pass.");
	free(ask);
	return text;
}

static void run(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < n_vpns; i++) {
		struct silence s = listen_to(ev, &vpns[i]);

		if (s.first)
			found(r, "path-silent", s.answered ? SEVERITY_WARNING : SEVERITY_ERROR,
			      vpns[i].proto, seen_text(&s), advice_text(&s));
	}
}

static struct check silence_check = {
	.rank = 15,
	.run = run,
};

CHECK(silence_check)
