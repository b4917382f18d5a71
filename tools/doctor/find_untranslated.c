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

#include "firewall.h"

struct untranslated {
	const struct flow *first;
	size_t n;
};

static bool is_untranslated(const struct network *net, const struct flow *f)
{
	return f->src.family == AF_INET && host_is_private(&f->src) &&
	       !network_is_local(net, &f->src) && host_is_global(&f->dst) &&
	       !network_is_local(net, &f->dst) && host_equal(&f->src, &f->reply_dst) &&
	       !flow_answered(f);
}

static void take(const struct crossing *c, void *data)
{
	bool *masqueraded = data;

	if (c->vpn && c->packet->in && !c->packet->reply &&
	    c->packet->family == NFPROTO_IPV4 && c->j->masqueraded == YES)
		*masqueraded = true;
}

static void run(const struct evidence *ev, struct report *r)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], more[64] = "";
	struct untranslated u = {};
	bool masqueraded = false;
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (is_untranslated(&ev->net, &ev->flows.list[i]) && !u.n++)
			u.first = &ev->flows.list[i];
	if (!u.first || !ev->rules_known)
		return;
	firewall_cross(ev, take, &masqueraded);
	if (!masqueraded)
		return;
	host_text(&u.first->src, src);
	host_text(&u.first->dst, dst);
	if (u.n > 1)
		snprintf(more, sizeof(more), "; so do %zu more", u.n - 1);
	found(r, "untranslated", SEVERITY_ERROR, u.first->vpn->proto,
	      xasprintf("%s sends %s to %s with its private address%s: %s", src,
			u.first->vpn->title, dst, more,
			"the connection is older than the rule that masquerades"),
	      xasprintf("conntrack -D -s %s -d %s, and load the rules before the interfaces are up",
			src, dst));
}

static struct check untranslated_check = {
	.rank = 14,
	.run = run,
};

CHECK(untranslated_check)
