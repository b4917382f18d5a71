// SPDX-License-Identifier: GPL-2.0
/*
 * stale-address: a client's VPN goes on with an address that its packets would not get now,
 * after another uplink took over or the provider gave another one. NAT decides once, with
 * the first packet; what comes back goes where that address is, or nowhere.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "../rules/firewall.h"
#include "checks.h"

/* Fewer packets than this may be keepalives, which nobody answers. */
#define REQUESTS_MIN	3

/**
 * struct now - What packets like those of a connection would leave with now.
 * @flow: The connection.
 * @out: Where they leave.
 * @known: It is known what they would leave with,
 * @same: and that is what they do leave with.
 */
struct now {
	const struct flow *flow;
	const struct link *out;
	bool known, same;
};

static void take(const struct crossing *c, void *data)
{
	const struct judgement *j = c->j;
	struct now *now = data;
	const uint8_t *has = now->flow->reply_dst.bytes;

	if (c->vpn != now->flow->vpn || c->packet->reply || !c->packet->in ||
	    c->packet->out != now->out || c->packet->family != NFPROTO_IPV4 || now->same)
		return;
	now->known |= j->own_address == YES || j->snat_known;
	now->same |= j->own_address == NO && !j->snat_known;
	now->same |= j->snat_known && memcmp(has, j->snat[0], 4) >= 0 &&
		     memcmp(has, j->snat[1], 4) <= 0;
}

/* Its packets that left while the doctor looked, none of which was answered. */
static const struct heard *unanswered(const struct evidence *ev, const struct flow *f)
{
	const struct heard *left = heard_left(&ev->ear, f->vpn->l4proto, &f->reply_dst, &f->dst,
					      f->vpn->port);

	return left && left->n >= REQUESTS_MIN && !answers_heard(ev, f) ? left : NULL;
}

static const struct link *left_by(const struct evidence *ev, const struct flow *f)
{
	const struct heard *h = unanswered(ev, f);
	const struct link *out = h ? network_link(&ev->net, h->index) : NULL;
	struct now now = { .flow = f, .out = out };

	if (!out || network_has(&ev->net, out->index, &f->reply_dst))
		return NULL;
	if (ev->rules_known)
		firewall_cross(ev, take, &now);
	return now.known && !now.same ? out : NULL;
}

/**
 * flow_may_be_stale - Whether a client's connection has another address outside than that of
 * the way that it would take now.
 * @ev: The evidence.
 * @f: The connection.
 */
bool flow_may_be_stale(const struct evidence *ev, const struct flow *f)
{
	const struct question q = { .to = &f->dst };
	struct route way;

	if (f->src.family != AF_INET || host_equal(&f->src, &f->reply_dst) ||
	    network_is_local(&ev->net, &f->src) || network_is_local(&ev->net, &f->dst) ||
	    flow_diverted(f))
		return false;
	route_get(&way, &q);
	return !way.error && !way.local && !network_has(&ev->net, way.out, &f->reply_dst);
}

static void report_stale(struct report *r, const struct flow *f, const struct link *out)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], own[INET6_ADDRSTRLEN];
	struct finding *finding;

	host_text(&f->src, src);
	host_text(&f->dst, dst);
	finding = found(r, "stale-address", SEVERITY_ERROR, f->vpn->proto,
			xasprintf("%s sends %s to %s, which leaves by %s with %s, %s", src,
				  f->vpn->title, dst, out->name, host_text(&f->reply_dst, own),
				  "unanswered; what begins now gets another address there"),
			SAY("End that connection, and it begins again with the right address. Have",
			    "what switches uplinks do so for all (conntrack -F, or flush_conntrack",
			    "of mwan3):"));
	finding_command(finding, xasprintf("conntrack -D -s %s -d %s", src, dst));
}

/* One is enough: a client's other connections are ended with it. */
void check_stale(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];
		const struct link *out = left_by(ev, f);

		/* each of these asks the kernel for a route */
		if (!out || !flow_may_be_stale(ev, f))
			continue;
		report_stale(r, f, out);
		return;
	}
}
