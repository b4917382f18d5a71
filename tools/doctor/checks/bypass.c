// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that take a VPN out of our hands without dropping it: flowtable,
 * nft-notrack and in-tree-helper. And rules that our fast way goes past: fast-rules.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../place.h"
#include "../rules/firewall.h"
#include "checks.h"

/* Places that packets go past us by, by kind of packet: the kinds are those of vpns[]. */
struct bypasses {
	struct place offloaded[16], untracked[16], counts[16], helper;
	bool dropped[16];
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
	b->dropped[i] |= c->j->dropped.chain || c->j->may_drop;
	/* of a connection that is up, as nothing else goes fast */
	if (c->packet->reply && c->j->counts.chain)
		b->counts[i] = c->j->counts;
	if (c->j->helper.chain && c->j->helper.object && !strcmp(c->vpn->proto, "pptp") &&
	    !strcmp(c->j->helper.object, "pptp"))
		b->helper = c->j->helper;
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
	char *rule = place_name(p);

	found(r, "flowtable", now ? SEVERITY_ERROR : SEVERITY_WARNING, vpn->proto,
	      xasprintf("%s hands %s to the flowtable %s, past vpnpass, %s%s", rule,
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

static bool is_first_of_rule(const struct bypasses *b, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (b->untracked[k].rule == b->untracked[i].rule)
			return false;
	return true;
}

/*
 * Its removal is no command to paste where a rule drops such packets, perhaps for not being
 * tracked, which then would open something; nor by iptables-legacy's number, by which whoever
 * pastes it twice would remove another rule. nft's handles are never given again.
 */
static void report_notrack(struct report *r, const struct vpn *vpn, const struct place *p,
			   bool first)
{
	char *rule = place_name(p), *removal = place_removal(p);
	bool safe = first && !p->chain->legacy;
	struct finding *f;

	f = found(r, "nft-notrack", vpn->helped ? SEVERITY_ERROR : SEVERITY_WARNING, vpn->proto,
		  xasprintf("%s keeps %s from being translated (notrack: no NAT)", rule,
			    vpn->title),
		  safe ? SAY("Leave these packets out of that rule, or remove it:") :
			 xasprintf("%s, or leave these packets out of it", removal));
	if (safe)
		finding_command(f, xstrdup(removal));
	free(removal);
	free(rule);
}

static void find_notrack(struct report *r, const struct bypasses *b)
{
	size_t i;

	for (i = 0; i < n_vpns; i++)
		if (b->untracked[i].chain)
			report_notrack(r, &vpns[i], &b->untracked[i],
				       !b->dropped[i] && is_first_of_rule(b, i));
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

/* A rule of nft's comes after conntrack, and so after us; one of iptables' before both. */
static void report_helper_rule(struct report *r, const struct place *p)
{
	bool before = p->base->priority < NF_IP_PRI_CONNTRACK;
	char *rule = place_name(p), *removal = place_removal(p);

	found(r, "in-tree-helper", SEVERITY_WARNING, "pptp",
	      xasprintf("%s attaches the kernel's own helper pptp, %s", rule,
			before ? "before vpnpass, which leaves such connections to it" :
				 "to connections that vpnpass has already"),
	      before ? xstrdup(removal) :
		       xasprintf("%s: it has no effect while pptp is on", removal));
	free(removal);
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
	char *rule = place_name(p);
	struct finding *f;

	f = found(r, "fast-rules", SEVERITY_INFO, vpn->proto,
		  xasprintf("%s has '%s', and meets one packet of %s in %ju ms, as %s",
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
