// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that take a VPN out of our hands without dropping it: flowtable,
 * nft-notrack and in-tree-helper. And rules that our fast way goes past: fast-rules.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter/nf_conntrack_common.h>

#include "../rules/firewall.h"
#include "checks.h"

/* Places that packets go past us by, by kind of packet: the kinds are those of vpns[]. */
struct bypasses {
	struct place offloaded[16], untracked[16], counts[16], helper;
};

static void take(const struct crossing *c, void *data)
{
	struct bypasses *b = data;
	size_t i;

	if (!c->vpn)
		return;
	i = c->vpn - vpns;
	if (c->j->offloaded.chain)
		b->offloaded[i] = c->j->offloaded;
	if (c->j->untracked.chain)
		b->untracked[i] = c->j->untracked;
	/* of a connection that is up, as nothing else goes fast */
	if (c->packet->reply && c->j->counts.chain)
		b->counts[i] = c->j->counts;
	if (c->j->helper.chain && c->j->helper.object && !strcmp(c->vpn->proto, "pptp") &&
	    !strcmp(c->j->helper.object, "pptp"))
		b->helper = c->j->helper;
}

static char *rule_text(const struct place *p)
{
	return xasprintf("%s %s %s handle %ju", nft_family_name(p->chain->family),
			 p->chain->table, p->chain->name, (uintmax_t)p->rule->handle);
}

/* Packets that our modules read and rewrite have to come by them, packet by packet. */
static bool suffers_offload(const struct vpn *vpn)
{
	return vpn->port && vpn->helped && strcmp(vpn->proto, "natt");
}

static bool is_offloaded(const struct evidence *ev, const struct vpn *vpn)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (ev->flows.list[i].vpn == vpn &&
		    ev->flows.list[i].status & (IPS_OFFLOAD | 1 << 15))
			return true;
	return false;
}

static void report_offload(const struct evidence *ev, struct report *r, const struct vpn *vpn,
			   const struct place *p)
{
	const char *but = "but for connections that it helps";
	bool now = is_offloaded(ev, vpn);
	char *rule = rule_text(p);

	found(r, "flowtable", now ? SEVERITY_ERROR : SEVERITY_WARNING, vpn->proto,
	      xasprintf("the rule %s hands %s to the flowtable %s, past vpnpass, %s%s", rule,
			vpn->title, p->object, but,
			now ? "; one that it does not is offloaded now" : ""),
	      xasprintf("Leave it out of what that rule matches: %s dport != %u",
			vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp", vpn->port));
	free(rule);
}

static void find_offload(const struct evidence *ev, struct report *r, const struct bypasses *b)
{
	size_t i;

	for (i = 0; i < n_vpns; i++)
		if (b->offloaded[i].chain && suffers_offload(&vpns[i]) &&
		    ours_helps(&ev->ours, vpns[i].proto))
			report_offload(ev, r, &vpns[i], &b->offloaded[i]);
}

static void find_notrack(struct report *r, const struct bypasses *b)
{
	size_t i;

	for (i = 0; i < n_vpns; i++) {
		const struct place *p = &b->untracked[i];
		char *rule;

		if (!p->chain)
			continue;
		rule = rule_text(p);
		found(r, "nft-notrack", vpns[i].helped ? SEVERITY_ERROR : SEVERITY_WARNING,
		      vpns[i].proto,
		      xasprintf("the rule %s exempts %s from connection tracking and NAT",
				rule, vpns[i].title),
		      xasprintf("nft delete rule %s, or leave these packets out of it", rule));
		free(rule);
	}
}

static const struct flow *helped_flow(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (!strcmp(ev->flows.list[i].helper, "pptp"))
			return &ev->flows.list[i];
	return NULL;
}

/* Where the kernel's helper is at work, ours stands back. */
static char *helper_seen(const struct evidence *ev)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const struct flow *flow = helped_flow(ev);

	if (flow)
		return xasprintf("the kernel's own helper pptp has the connection of %s with %s",
				 host_text(&flow->src, src), host_text(&flow->dst, dst));
	if (!access("/sys/module/nf_conntrack_pptp", F_OK) &&
	    proc_number("net/netfilter/nf_conntrack_helper").value)
		return SAY("nf_conntrack_pptp is loaded, and net.netfilter.nf_conntrack_helper",
			   "attaches it to every PPTP connection");
	return NULL;
}

/* A rule of nftables' comes after conntrack, and so after us. */
static void report_helper_rule(struct report *r, const struct place *p)
{
	const char *too_late = "to connections that vpnpass has already";
	char *rule = rule_text(p);

	found(r, "in-tree-helper", SEVERITY_WARNING, "pptp",
	      xasprintf("the rule %s attaches the kernel's own helper pptp, %s", rule, too_late),
	      xasprintf("nft delete rule %s: it has no effect while pptp is on", rule));
	free(rule);
}

static void find_helper(const struct evidence *ev, struct report *r, const struct bypasses *b)
{
	char *seen;

	if (!ours_helps(&ev->ours, "pptp"))
		return;
	seen = helper_seen(ev);
	if (seen)
		found(r, "in-tree-helper", SEVERITY_WARNING, "pptp", seen,
		      SAY("Remove the rule that attaches it (iptables: -j CT --helper pptp) or",
			  "set net.netfilter.nf_conntrack_helper to 0, then end the connections",
			  "that have it: conntrack -D -p tcp --dport 1723. vpnpass leaves them to",
			  "that helper until then."));
	else if (b->helper.chain)
		report_helper_rule(r, &b->helper);
}

/* How long packets of that kind go past the rules, ms; 0: they do not. */
static uintmax_t fast_of(const struct evidence *ev, const struct vpn *vpn)
{
	const struct proto *p = vpn->port ? NULL : ours_proto(&ev->ours, vpn->proto);
	const struct setting *s = p ? proto_setting(p, "fast") : NULL;

	return s ? s->value.value : 0;
}

static void report_fast(struct report *r, const struct vpn *vpn, const struct place *p,
			uintmax_t ms)
{
	char *rule = rule_text(p);
	struct finding *f;

	f = found(r, "fast-rules", SEVERITY_INFO, vpn->proto,
		  xasprintf("the rule %s has '%s', and meets one packet of %s in %ju ms, as %s",
			    rule, p->object, vpn->title, ms, "the others go the fast way"),
		  xasprintf("vpnpass set %s fast 0, if it is to meet each", vpn->proto));
	finding_command(f, xasprintf("vpnpass set %s fast 0", vpn->proto));
	free(rule);
}

static void find_fast(const struct evidence *ev, struct report *r, const struct bypasses *b)
{
	uintmax_t ms;
	size_t i;

	for (i = 0; i < n_vpns; i++) {
		ms = fast_of(ev, &vpns[i]);
		if (ms && b->counts[i].chain)
			report_fast(r, &vpns[i], &b->counts[i], ms);
	}
}

void check_bypass(const struct evidence *ev, struct report *r)
{
	struct bypasses b = {};

	if (ev->rules_known)
		firewall_cross(ev, take, &b);
	find_notrack(r, &b);
	find_offload(ev, r, &b);
	find_helper(ev, r, &b);
	find_fast(ev, r, &b);
}
