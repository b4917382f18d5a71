// SPDX-License-Identifier: GPL-2.0
/*
 * untranslated: a client's VPN connection leaves with its private address although a
 * rule masquerades. NAT decides once, with the first packet: a connection that is
 * older than the rule stays as it is, for as long as its client goes on sending.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>

#include "../rules/firewall.h"
#include "checks.h"

static bool is_untranslated(const struct network *net, const struct flow *f)
{
	return f->src.family == AF_INET && host_is_private(&f->src) &&
	       !network_is_local(net, &f->src) && host_is_global(&f->dst) &&
	       !network_is_local(net, &f->dst) && host_equal(&f->src, &f->reply_dst) &&
	       !flow_answered(f);
}

struct masquerade {
	uint8_t l4proto;
	bool found;
};

static void take(const struct crossing *c, void *data)
{
	struct masquerade *m = data;

	if (c->vpn && (!m->l4proto || c->vpn->l4proto == m->l4proto) && c->packet->in &&
	    !c->packet->reply && c->packet->family == NFPROTO_IPV4 && c->j->masqueraded == YES)
		m->found = true;
}

/* Whether a rule translates what clients send of an IP protocol, 0 for that of any VPN. */
bool masquerades_clients(const struct evidence *ev, uint8_t l4proto)
{
	struct masquerade m = { .l4proto = l4proto };

	if (ev->rules_known)
		firewall_cross(ev, take, &m);
	return m.found;
}

void check_untranslated(const struct evidence *ev, struct report *r)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], more[64] = "";
	const struct flow *first = NULL;
	struct finding *f;
	size_t i, n = 0;

	for (i = 0; i < ev->flows.n; i++)
		if (is_untranslated(&ev->net, &ev->flows.list[i]) && !n++)
			first = &ev->flows.list[i];
	if (!first || !masquerades_clients(ev, 0))
		return;
	host_text(&first->src, src);
	host_text(&first->dst, dst);
	if (n > 1)
		snprintf(more, sizeof(more), "; so do %zu more", n - 1);
	f = found(r, "untranslated", SEVERITY_ERROR, first->vpn->proto,
		  xasprintf("%s sends %s to %s with its private address%s: %s", src,
			    first->vpn->title, dst, more,
			    "the connection is older than the rule that masquerades"),
		  xasprintf("conntrack -D -s %s -d %s, and %s", src, dst,
			    "load the rules before the interfaces are up"));
	finding_command(f, xasprintf("conntrack -D -s %s -d %s", src, dst));
}
