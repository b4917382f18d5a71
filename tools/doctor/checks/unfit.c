// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of clients that NAT spoils or that another takes: ah, natt-unused, eoip, gre-plain,
 * l2tp-clear, diverted, udp-timeout.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "../advice.h"
#include "../place.h"
#include "../rules/firewall.h"
#include "checks.h"

/* Clients that keep NAT open by a packet each 20 s (RFC 3948 4) may be late by half of that. */
#define KEEPALIVE_SECONDS	30

static bool is_clients(const struct evidence *ev, const struct flow *f)
{
	return !network_is_local(&ev->net, &f->src) && !network_is_local(&ev->net, &f->dst);
}

static bool is_translated(const struct evidence *ev, const struct flow *f)
{
	return is_clients(ev, f) && !host_equal(&f->src, &f->reply_dst);
}

static bool is_ah(const struct evidence *ev, const struct flow *f)
{
	return f->vpn->l4proto == IPPROTO_AH && is_translated(ev, f);
}

static bool is_plain_gre(const struct evidence *ev, const struct flow *f)
{
	return !strcmp(f->vpn->proto, "gre") && is_translated(ev, f);
}

static bool is_clear_l2tp(const struct evidence *ev, const struct flow *f)
{
	return f->vpn->l4proto == IPPROTO_UDP && !strcmp(f->vpn->proto, "l2tp") &&
	       is_clients(ev, f) && flow_answered(f);
}

static bool is_diverted(const struct evidence *ev, const struct flow *f)
{
	return is_clients(ev, f) && flow_diverted(f);
}

static bool is_kept_open(const struct evidence *ev, const struct flow *f)
{
	return !strcmp(f->vpn->proto, "natt") && is_translated(ev, f);
}

typedef bool (*predicate)(const struct evidence *ev, const struct flow *f);

/* "A sends TITLE to B" */
static char *flow_text(const struct flow *f)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	return xasprintf("%s sends %s to %s", host_text(&f->src, src), f->vpn->title,
			 host_text(&f->dst, dst));
}

/* That of the first such connection; NULL when there is none. */
static char *first_text(const struct evidence *ev, predicate is, const struct flow **flow)
{
	const struct flow *f;
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		f = &ev->flows.list[i];
		if (!is(ev, f))
			continue;
		*flow = f;
		return flow_text(f);
	}
	return NULL;
}

static void find_ah(const struct evidence *ev, struct report *r)
{
	const struct flow *f;
	char *who = first_text(ev, is_ah, &f);

	if (!who)
		return;
	found(r, "ah", SEVERITY_ERROR, "ah",
	      xasprintf("%s through NAT, which changes what AH protects (the addresses)", who),
	      SAY("Set the VPN to ESP instead of AH, at both ends: no NAT can pass AH."));
	free(who);
}

static bool has_natt(const struct evidence *ev, const struct flow *f)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *other = &ev->flows.list[i];

		if (!strcmp(other->vpn->proto, "natt") && host_equal(&other->src, &f->src) &&
		    host_equal(&other->dst, &f->dst))
			return true;
	}
	return false;
}

/* IKE that is answered on 500, beside ESP that is not in UDP, of the same two */
static const struct flow *esp_beside(const struct evidence *ev, const struct flow *f)
{
	size_t i;

	if (strcmp(f->vpn->proto, "ike") || !is_translated(ev, f) || !flow_answered(f) ||
	    has_natt(ev, f))
		return NULL;
	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *esp = &ev->flows.list[i];

		if (!strcmp(esp->vpn->proto, "esp") && is_translated(ev, esp) &&
		    host_equal(&esp->src, &f->src) && host_equal(&esp->dst, &f->dst))
			return esp;
	}
	return NULL;
}

static void find_natt_unused(const struct evidence *ev, struct report *r)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->flows.n && !ours_helps(&ev->ours, "esp"); i++) {
		const struct flow *f = &ev->flows.list[i], *esp = esp_beside(ev, f);

		if (!esp)
			continue;
		found(r, "natt-unused", SEVERITY_INFO, "ike",
		      xasprintf("%s has IKE on UDP 500 and %s with %s through NAT, %s",
				host_text(&f->src, src), esp->vpn->title, host_text(&f->dst, dst),
				"and nothing by UDP 4500"),
		      SAY("Switch NAT-T (\"NAT traversal\", \"UDP encapsulation\") on at both",
			  "ends: it passes any NAT. Where that cannot be, passthrough helps."));
		return;
	}
}

static void find_plain_gre(const struct evidence *ev, struct report *r)
{
	const struct flow *f;
	char *who = first_text(ev, is_plain_gre, &f);

	if (!who)
		return;
	found(r, "gre-plain", SEVERITY_INFO, "gre",
	      xasprintf("%s through NAT, which has room for one such client of a server", who),
	      SAY("Nothing, if it works. A second tunnel to that server needs an address of its",
		  "own, or IPsec with NAT-T around it."));
	free(who);
}

/* A private address that has to be translated on the way to this one. */
static bool is_clients_eoip(const struct evidence *ev, const struct heard *h)
{
	return h->look == &vpn_eoip && !h->out && host_is_private(&h->src) &&
	       !network_is_local(&ev->net, &h->src) && host_is_global(&h->dst) &&
	       !network_is_local(&ev->net, &h->dst);
}

/* How it goes on from here: NULL if it is translated. */
static const char *eoip_fate(const struct evidence *ev, const struct heard *h)
{
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *left = &ev->ear.list[i];

		if (left->look == &vpn_eoip && left->out && host_equal(&left->dst, &h->dst))
			return host_equal(&left->src, &h->src) ?
			       "it leaves with that private address" : NULL;
	}
	return "none of it leaves";
}

/*
 * The kernel reads a call ID in GRE of version 1, and what has none is invalid to it: such
 * packets have no connection, and NAT does not see them.
 */
static void find_eoip(const struct evidence *ev, struct report *r)
{
	uint64_t invalid = grew_by(ev, COUNTER_INVALID);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const char *fate;
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *h = &ev->ear.list[i];

		if (!is_clients_eoip(ev, h) || invalid < h->n)
			continue;
		fate = eoip_fate(ev, h);
		if (!fate || !masquerades_clients(ev, IPPROTO_GRE))
			continue;
		found(r, "eoip", SEVERITY_ERROR, "eoip",
		      xasprintf("%s sends %s to %s: %u packets, %s (invalid in conntrack -S), %s",
				host_text(&h->src, src), h->look->title, host_text(&h->dst, dst),
				h->n, "which NAT does not take", fate),
		      SAY("Nothing here can make it pass. Put IPsec with NAT-T, WireGuard or L2TP",
			  "around it at both ends, or use VXLAN, which has ports."));
		return;
	}
}

static void find_clear_l2tp(const struct evidence *ev, struct report *r)
{
	const struct flow *f;
	char *who = first_text(ev, is_clear_l2tp, &f);

	if (!who)
		return;
	found(r, "l2tp-clear", SEVERITY_INFO, "l2tp",
	      xasprintf("%s without IPsec around it, and is answered", who),
	      SAY("If that is not meant to be so, set the client to L2TP/IPsec, or to IKEv2."));
	free(who);
}

/**
 * struct taking - The rule that takes a client's VPN.
 * @net: The network.
 * @flow: The connection.
 * @place: The rule, without a chain when it is not known.
 * @lan: Where the client is.
 * @wan: Where it would have gone.
 */
struct taking {
	const struct network *net;
	const struct flow *flow;
	struct place place;
	struct names lan, wan;
};

static void take_diversion(const struct crossing *c, void *data)
{
	const struct place *diverted = &c->j->diverted;
	const struct packet *p = c->packet;
	struct taking *t = data;
	uint8_t family = t->flow->src.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;

	if (c->vpn != t->flow->vpn || p->family != family || p->reply || !p->in || !p->out ||
	    !diverted->chain || !network_reaches(t->net, p->in, &t->flow->src))
		return;
	t->place = *diverted;
	names_add(&t->lan, p->in->name);
	names_add(&t->wan, p->out->name);
}

static void report_diversion(const struct evidence *ev, struct report *r, const struct taking *t,
			     const char *who, const char *taker)
{
	struct wish wish = {
		.place = &t->place, .vpn = t->flow->vpn, .there = true, .lan = t->lan,
		.wan = t->wan,
	};
	char *place = place_text(&t->place);
	struct finding *f;

	f = found(r, "diverted", SEVERITY_WARNING, t->flow->vpn->proto,
		  xasprintf("%s, and %s hands it to %s instead", who, place, taker), NULL);
	f->advice = xstrdup(add_exception(f, &ev->rules, &wish) ?
			    "If that is not meant to be so, leave this VPN out of it:" :
			    "If that is not meant to be so, take it out of that rule.");
	free(place);
}

/* Each kind of packets is told of once. */
static bool is_first_diverted(const struct evidence *ev, const struct flow *f)
{
	const struct flow *before;

	if (!is_diverted(ev, f))
		return false;
	for (before = ev->flows.list; before < f; before++)
		if (before->vpn == f->vpn && is_diverted(ev, before))
			return false;
	return true;
}

static void report_diverted(const struct evidence *ev, struct report *r, const struct flow *f)
{
	struct taking t = { .net = &ev->net, .flow = f };
	char taker[INET6_ADDRSTRLEN], *who = flow_text(f);

	host_text(&f->reply_src, taker);
	if (ev->rules_known)
		firewall_cross(ev, take_diversion, &t);
	if (t.place.chain)
		report_diversion(ev, r, &t, who, taker);
	else
		found(r, "diverted", SEVERITY_WARNING, t.flow->vpn->proto,
		      xasprintf("%s, and a rule of this router hands it to %s instead", who,
				taker),
		      SAY("Look for a rule with dnat or redirect, as transparent proxies have, and",
			  "leave this VPN out of it: nft list ruleset; iptables-save;",
			  "iptables-legacy-save."));
	free(who);
}

static void find_diverted(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (is_first_diverted(ev, &ev->flows.list[i]))
			report_diverted(ev, r, &ev->flows.list[i]);
}

static void find_short_timeout(const struct evidence *ev, struct report *r)
{
	struct maybe kept = proc_number("net/netfilter/nf_conntrack_udp_timeout_stream");
	const char *name = "nf_conntrack_udp_timeout_stream";
	struct finding *finding;
	const struct flow *f;
	char *who;

	if (!kept.known || kept.value >= KEEPALIVE_SECONDS)
		return;
	who = first_text(ev, is_kept_open, &f);
	if (!who && asks_epdg(ev))
		who = xasprintf("phones send NAT-T (UDP 4500) to %s", ev->name);
	if (!who)
		return;
	finding = found(r, "udp-timeout", SEVERITY_WARNING, "natt",
			xasprintf("%s, which is forgotten here after %ju s without a packet (%s)",
				  who, (uintmax_t)kept.value, name),
			SAY("Remember it for longer, also in /etc/sysctl.conf, as devices send one",
			    "each 20 s at best, phones with Wi-Fi calling each 120 s with some",
			    "operators:"));
	finding_command(finding, xasprintf("sysctl -w net.netfilter.%s=180", name));
	free(who);
}

void check_unfit(const struct evidence *ev, struct report *r)
{
	find_ah(ev, r);
	find_diverted(ev, r);
	find_short_timeout(ev, r);
	find_natt_unused(ev, r);
	find_eoip(ev, r);
	find_plain_gre(ev, r);
	find_clear_l2tp(ev, r);
}
