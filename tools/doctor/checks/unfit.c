// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of clients that NAT spoils or that another takes: ah, gre-plain, l2tp-clear,
 * diverted, udp-timeout.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
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

/* "A sends TITLE to B", of the first such connection; NULL when there is none. */
static char *first_text(const struct evidence *ev, predicate is, const struct flow **flow)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const struct flow *f;
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		f = &ev->flows.list[i];
		if (!is(ev, f))
			continue;
		*flow = f;
		return xasprintf("%s sends %s to %s", host_text(&f->src, src), f->vpn->title,
				 host_text(&f->dst, dst));
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
	      xasprintf("%s through NAT, and AH protects the addresses that NAT changes", who),
	      SAY("Set the VPN to ESP instead of AH, at both ends: no NAT can pass AH."));
	free(who);
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

static void find_diverted(const struct evidence *ev, struct report *r)
{
	char taker[INET6_ADDRSTRLEN];
	const struct flow *f;
	char *who = first_text(ev, is_diverted, &f);

	if (!who)
		return;
	host_text(&f->reply_src, taker);
	found(r, "diverted", SEVERITY_WARNING, f->vpn->proto,
	      xasprintf("%s, and a rule of this router hands it to %s instead", who, taker),
	      SAY("Look for a rule with dnat or redirect, as transparent proxies have, and",
		  "leave this VPN out of it: nft list ruleset; iptables-save."));
	free(who);
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
	if (!who)
		return;
	finding = found(r, "udp-timeout", SEVERITY_WARNING, "natt",
			xasprintf("%s, and is forgotten here after %ju s without a packet (%s)",
				  who, (uintmax_t)kept.value, name),
			SAY("Clients send one each 20 s at best, phones with Wi-Fi calling more",
			    "seldom. Remember them for longer, also in /etc/sysctl.conf:"));
	finding_command(finding, xasprintf("sysctl -w net.netfilter.%s=120", name));
	free(who);
}

void check_unfit(const struct evidence *ev, struct report *r)
{
	find_ah(ev, r);
	find_diverted(ev, r);
	find_short_timeout(ev, r);
	find_plain_gre(ev, r);
	find_clear_l2tp(ev, r);
}
