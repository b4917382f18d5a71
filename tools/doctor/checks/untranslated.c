// SPDX-License-Identifier: GPL-2.0
/*
 * untranslated: a client's VPN connection leaves with its private address although a
 * rule masquerades. NAT decides once, with the first packet: a connection that is
 * older than the rule stays as it is, for as long as its client goes on sending.
 * no-nat: it leaves so as no rule masquerades packets of its kind.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>

#include "../advice.h"
#include "../rules/firewall.h"
#include "checks.h"

static bool is_untranslated(const struct network *net, const struct flow *f)
{
	return f->src.family == AF_INET && host_is_private(&f->src) &&
	       !network_is_local(net, &f->src) && host_is_global(&f->dst) &&
	       !network_is_local(net, &f->dst) && host_equal(&f->src, &f->reply_dst) &&
	       !flow_answered(f) && !flow_diverted(f);
}

/**
 * struct masquerade - What rules translate.
 * @l4proto: Of packets of this IP protocol, 0 for that of any VPN,
 * @vpn: or of this kind.
 * @found: They do.
 * @out: Where packets of the kind leave untranslated for certain, NULL for nowhere.
 */
struct masquerade {
	uint8_t l4proto;
	const struct vpn *vpn;
	bool found;
	const struct link *out;
};

static bool is_asked_for(const struct masquerade *m, const struct crossing *c)
{
	return c->vpn && (!m->vpn || m->vpn == c->vpn) &&
	       (!m->l4proto || c->vpn->l4proto == m->l4proto) && c->packet->in &&
	       !c->packet->reply && c->packet->family == NFPROTO_IPV4;
}

static void take(const struct crossing *c, void *data)
{
	struct masquerade *m = data;

	if (!is_asked_for(m, c))
		return;
	m->found |= c->j->masqueraded == YES;
	if (m->vpn && c->packet->out && c->j->masqueraded == NO && !c->j->untracked.chain &&
	    !c->j->dropped.chain)
		m->out = c->packet->out;
}

/* Whether a rule translates what clients send of an IP protocol, 0 for that of any VPN. */
bool masquerades_clients(const struct evidence *ev, uint8_t l4proto)
{
	struct masquerade m = { .l4proto = l4proto };

	if (ev->rules_known)
		firewall_cross(ev, take, &m);
	return m.found;
}

static void report_kind(const struct evidence *ev, struct report *r, const struct flow *f,
			const struct link *out)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct finding *finding;

	host_text(&f->src, src);
	host_text(&f->dst, dst);
	finding = found(r, "no-nat", SEVERITY_ERROR, f->vpn->proto,
			xasprintf("%s sends %s to %s with its private address: %s %s", src,
				  f->vpn->title, dst, "no rule translates packets of that kind to",
				  out->name),
			SAY("Have all that leaves there get this router's address, whatever its",
			    "protocol (masquerade):"));
	add_masquerade(finding, &ev->rules, out->name);
	finding_command(finding, xasprintf("conntrack -D -s %s -d %s || true", src, dst));
}

/* Whether rules leave packets of its kind out; then that is told. */
static bool find_kind(const struct evidence *ev, struct report *r, const struct flow *f)
{
	struct masquerade m = { .vpn = f->vpn };

	if (ev->all_rules_known)
		firewall_cross(ev, take, &m);
	if (!m.out || m.found)
		return false;
	report_kind(ev, r, f, m.out);
	return true;
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
	if (!first || !masquerades_clients(ev, 0) || find_kind(ev, r, first))
		return;
	host_text(&first->src, src);
	host_text(&first->dst, dst);
	if (n > 1)
		snprintf(more, sizeof(more), "; so do %zu more", n - 1);
	f = found(r, "untranslated", SEVERITY_ERROR, first->vpn->proto,
		  xasprintf("%s sends %s to %s with its private address%s: %s", src,
			    first->vpn->title, dst, more,
			    "that began before there was the rule which translates (NAT)"),
		  SAY("End that connection, and it begins again with the right address. Load the",
		      "rules before the interfaces are up:"));
	finding_command(f, xasprintf("conntrack -D -s %s -d %s", src, dst));
}
