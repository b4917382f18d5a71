// SPDX-License-Identifier: GPL-2.0
/*
 * Findings about the VPNs themselves, by their connections: needs-no-help, for those
 * that any NAT passes, and l2tp-ipsec-clash, where the server cannot tell two
 * clients of one address apart (RFC 3193 and transport mode selectors).
 */
#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
#include "checks.h"

/* Fewer packets than this may be keepalives, which nobody answers. */
#define REQUESTS_MIN	3

/* Answers that come in and do not go on to the client are dropped by this router. */
static bool is_kept_here(const struct evidence *ev, const struct flow *f)
{
	return answers_heard(ev, f) &&
	       !heard_left(&ev->ear, f->vpn->l4proto, &f->dst, &f->src, 0);
}

/* It was answered once, but now the client sends and gets nothing. */
static bool fell_silent(const struct evidence *ev, const struct flow *f)
{
	unsigned int n = heard_from(&ev->ear, f->vpn->l4proto, &f->src, 0, &f->dst, f->vpn->port);

	return n >= REQUESTS_MIN && (!answers_heard(ev, f) || is_kept_here(ev, f));
}

static void find_helpless(const struct evidence *ev, struct report *r, const char *proto,
			  const char *title)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const struct flow *first = NULL;
	size_t i, n = 0;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		/* the router's own may be a probe's */
		if (strcmp(f->vpn->proto, proto) || !flow_answered(f) ||
		    !flow_goes_out(f, &ev->net) || network_is_local(&ev->net, &f->src) ||
		    fell_silent(ev, f))
			continue;
		if (!n++)
			first = f;
	}
	if (!n)
		return;
	found(r, "needs-no-help", SEVERITY_INFO, proto,
	      xasprintf("%s uses %s with %s, and has been answered%s", host_text(&first->src, src),
			title, host_text(&first->dst, dst),
			n > 1 ? "; there are more such connections" : ""),
	      SAY("Nothing here: it passes any NAT, passthrough plays no part. If it fails,",
		  "look at its ends."));
}

/* The server's first message, which comes back as the client's went out. */
static bool is_answered(const struct evidence *ev, const struct heard *h)
{
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *a = &ev->ear.list[i];

		if (a->look == h->look && a->answers && a->out && a->sport == h->dport &&
		    a->dport == h->sport && host_equal(&a->src, &h->dst) &&
		    host_equal(&a->dst, &h->src))
			return true;
	}
	return false;
}

/* A VPN on a port of its own choice, by what both sides say at first. */
static void find_by_looks(const struct evidence *ev, struct report *r)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *h = &ev->ear.list[i];

		if (!h->look || h->answers || h->out || network_is_local(&ev->net, &h->src) ||
		    !is_answered(ev, h))
			continue;
		found(r, "needs-no-help", SEVERITY_INFO, h->look->proto,
		      xasprintf("%s begins %s with %s on port %u, and is answered",
				host_text(&h->src, src), h->look->title,
				host_text(&h->dst, dst), h->dport),
		      SAY("Nothing here: it passes any NAT, passthrough plays no part."));
	}
}

/* The router's own, such as a probe, does not count as a client's. */
static bool is_ipsec(const struct evidence *ev, const struct flow *f)
{
	return !network_is_local(&ev->net, &f->src) && flow_goes_out(f, &ev->net) &&
	       vpn_is_ipsec(f->vpn);
}

static bool is_l2tp(const struct flow *f)
{
	return f->vpn->l4proto == IPPROTO_UDP && !strcmp(f->vpn->proto, "l2tp");
}

/* Another client that has IPsec with the same server. */
static const struct flow *other_client(const struct evidence *ev, const struct flow *f)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *other = &ev->flows.list[i];

		if (is_ipsec(ev, other) && host_equal(&other->dst, &f->dst) &&
		    host_equal(&other->reply_dst, &f->reply_dst) &&
		    !host_equal(&other->src, &f->src))
			return other;
	}
	return NULL;
}

static const struct flow *l2tp_with(const struct evidence *ev, const struct host *server)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (is_l2tp(&ev->flows.list[i]) &&
		    host_equal(&ev->flows.list[i].dst, server))
			return &ev->flows.list[i];
	return NULL;
}

static void find_clash(const struct evidence *ev, struct report *r)
{
	char one[INET6_ADDRSTRLEN], two[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i], *other;

		if (!is_ipsec(ev, f) || !l2tp_with(ev, &f->dst))
			continue;
		other = other_client(ev, f);
		if (!other)
			continue;
		found(r, "l2tp-ipsec-clash", SEVERITY_WARNING, "l2tp",
		      xasprintf("%s and %s have IPsec with %s, which is asked for L2TP too",
				host_text(&f->src, one),
				host_text(&other->src, two), host_text(&f->dst, server)),
		      SAY("Many servers confuse two L2TP/IPsec clients behind one address,",
			  "whatever the router does. Use IKEv2 without L2TP, or give each",
			  "client an address of its own."));
		return;
	}
}

void check_vpns(const struct evidence *ev, struct report *r)
{
	find_clash(ev, r);
	find_helpless(ev, r, "natt", "IPsec with NAT-T (UDP 4500)");
	find_helpless(ev, r, "openvpn", "OpenVPN (port 1194)");
	find_helpless(ev, r, "wireguard", "WireGuard (UDP 51820)");
	find_by_looks(ev, r);
}
