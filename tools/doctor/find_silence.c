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

static struct silence listen_to(const struct evidence *ev, const struct vpn *vpn)
{
	struct silence s = {};
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (f->vpn != vpn || !flow_goes_out(f, &ev->net))
			continue;
		if (flow_answered(f)) {
			s.answered++;
			continue;
		}
		s.unanswered++;
		if (!s.first)
			s.first = f;
	}
	return s;
}

static const char *path_of(const struct vpn *vpn)
{
	return vpn->port ? "port" : "protocol";
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
			 address_text(&f->src, src), address_text(&f->dst, dst), f->vpn->title,
			 packets, more,
			 s->answered ? "; others are answered" : "");
}

static char *advice_text(const struct silence *s)
{
	char dst[INET6_ADDRSTRLEN];

	address_text(&s->first->dst, dst);
	if (s->answered)
		return xasprintf("It is this gateway or the way to it: see that %s is up, and ask "
				 "it with 'vpnpass doctor probe %s'.", dst, dst);
	return xasprintf("Ask the gateway from here with 'vpnpass doctor probe %s', and try from "
			 "another network: if it answers there, the provider or a network on the "
			 "way drops this %s. Use a VPN on another one (IKEv2 with NAT-T on UDP "
			 "4500, OpenVPN on TCP 443).", dst, path_of(s->first->vpn));
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
