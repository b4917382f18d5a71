// SPDX-License-Identifier: GPL-2.0
/*
 * path-silent: a VPN's packets went out and none came back. The connection's
 * entry exists, so the router's own rules let them go. path-refused: but an ICMP error
 * came, which says that somebody refuses them. answers-unclaimed: some do
 * come back, but connection tracking does not know whose they are. dropped-here: they were heard
 * coming in and did not go on, though no rule of the firewall's drops them.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "../rules/firewall.h"
#include "checks.h"

struct silence {
	const struct flow *first;
	const struct refusal *refusal;
	size_t unanswered, answered;
};

/* Services that "doctor probe" asks have the port of their own that daemons use. */
static bool is_probe(const struct evidence *ev, const struct flow *f)
{
	return f->vpn->source && f->sport != f->vpn->source && network_is_local(&ev->net, &f->src);
}

/* A single packet to a port is no VPN yet. */
static bool is_stray(const struct flow *f)
{
	return f->packets_out.known && f->packets_out.value < 2;
}

/* Has the gateway or server another client? */
static bool is_shared(const struct ours *ours, const struct session *of)
{
	size_t i;

	for (i = 0; i < ours->n_sessions; i++) {
		const struct session *s = &ours->sessions[i];

		if (s != of && !strcmp(s->proto, of->proto) && !strcmp(s->peer, of->peer))
			return true;
	}
	return false;
}

/*
 * An answer from another port, as L2TP's may be, has a connection of its own; our
 * session knows whose it is. While it is in doubt whose an inbound SPI is, each client
 * gets a copy, and no connection has it as an answer.
 */
static bool answered_by_ours(const struct ours *ours, const struct flow *f)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	size_t i;

	host_text(&f->src, src);
	host_text(&f->dst, dst);
	for (i = 0; i < ours->n_sessions; i++) {
		const struct session *s = &ours->sessions[i];

		if (strcmp(s->proto, f->vpn->proto) || strcmp(s->client, src) ||
		    strcmp(s->peer, dst))
			continue;
		if (s->packets_in.value ||
		    (s->state && !strcmp(s->state, "pairing") && is_shared(ours, s)))
			return true;
	}
	return false;
}

/**
 * answers_heard - How many packets of the other end came in from outside while the doctor
 * looked.
 * @ev: The evidence.
 * @f: The connection.
 */
unsigned int answers_heard(const struct evidence *ev, const struct flow *f)
{
	return heard_from(&ev->ear, f->vpn->l4proto, &f->dst, f->vpn->port, &f->reply_dst, 0);
}

/* Whether somebody said no to its packets while the doctor looked, the first one. */
static const struct refusal *refusal_of(const struct evidence *ev, const struct flow *f)
{
	size_t i;

	for (i = 0; i < ev->ear.n_refusals; i++) {
		const struct refusal *refusal = &ev->ear.refusals[i];

		if (refusal->l4proto == f->vpn->l4proto && refusal->dport == f->vpn->port &&
		    host_equal(&refusal->src, &f->reply_dst) &&
		    host_equal(&refusal->dst, &f->dst) && !network_is_local(&ev->net, &refusal->by))
			return refusal;
	}
	return NULL;
}

/* A connection that the other end seems to have begun, as nobody claimed its packets. */
static bool has_mirror(const struct evidence *ev, const struct flow *f)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *other = &ev->flows.list[i];

		if (other->vpn == f->vpn && host_equal(&other->src, &f->dst) &&
		    host_equal(&other->dst, &f->reply_dst))
			return true;
	}
	return false;
}

static bool is_silent(const struct evidence *ev, const struct flow *f)
{
	return flow_goes_out(f, &ev->net) && !flow_answered(f) && !is_probe(ev, f) &&
	       !is_stray(f) && !f->fresh && !flow_diverted(f) && !answered_by_ours(&ev->ours, f);
}

/* Fewer packets than this may have gone another way just then. */
#define DROPS_MIN	3

/**
 * struct next - The next router on a connection's way, or its other end where that is on a cable.
 * @host: Its address.
 * @out: The interface.
 * @neighbour: What is known of it, NULL for nothing.
 */
struct next {
	struct host host;
	const struct link *out;
	const struct neighbour *neighbour;
};

static bool find_next(const struct evidence *ev, const struct flow *f, struct next *next)
{
	const struct link *lan = network_lan_of(&ev->net, &f->src);
	struct question q = {
		.to = &f->dst, .from = lan ? &f->src : NULL, .in = lan ? lan->index : 0,
	};
	struct route way;

	route_get(&way, &q);
	next->out = way.error || way.local ? NULL : network_link(&ev->net, way.out);
	if (!next->out)
		return false;
	next->host = way.via.family ? way.via : f->dst;
	next->neighbour = network_neighbour(&ev->net, way.out, &next->host);
	return true;
}

/* A packet for a next router that does not answer waits for it and is dropped. */
static bool is_next_there(const struct evidence *ev, const struct flow *f)
{
	struct next next;

	return find_next(ev, f, &next) &&
	       (next.out->type != ARPHRD_ETHER || (next.neighbour && next.neighbour->known));
}

/* Where an IPsec of the router's own may have taken them, or too much was heard, nobody knows. */
static unsigned int kept_requests(const struct evidence *ev, const struct flow *f)
{
	unsigned int n = heard_from(&ev->ear, f->vpn->l4proto, &f->src, f->sport, &f->dst,
				    f->vpn->port);

	return n >= DROPS_MIN && !heard_left(&ev->ear, f->vpn->l4proto, NULL, &f->dst, 0) &&
	       !ev->rules.encrypts && ev->all_rules_known &&
	       ev->ear.n < HEARD_MAX && !network_is_local(&ev->net, &f->src) &&
	       is_next_there(ev, f) ? n : 0;
}

/* Where there are ports, connection tracking knows the answers of all that it has. */
static unsigned int kept_answers(const struct evidence *ev, const struct flow *f)
{
	unsigned int n = !f->vpn->port ? 0 :
		heard_from(&ev->ear, f->vpn->l4proto, &f->dst, f->vpn->port, &f->reply_dst,
			   f->reply_dport);

	return n >= DROPS_MIN && ev->all_rules_known ? n : 0;
}

/**
 * struct fate - What rules do to a kind of packets.
 * @answers_dropped: They drop the answers.
 * @may_drop: They may drop some, there or back.
 */
struct fate {
	bool answers_dropped, may_drop;
};

static bool is_kept(const struct evidence *ev, const struct flow *f, const struct fate *fate)
{
	return !fate->may_drop && is_silent(ev, f) && (kept_requests(ev, f) || kept_answers(ev, f));
}

static void report_kept(const struct evidence *ev, struct report *r, const struct flow *f)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	unsigned int requests = kept_requests(ev, f);
	const char *what = requests ? "packets came in and none left" :
				      "answers came in and none was taken in";

	found(r, "dropped-here", SEVERITY_ERROR, f->vpn->proto,
	      xasprintf("%s sends %s to %s: within %.1f s %u %s, and no firewall rule drops them",
			host_text(&f->src, src), f->vpn->title, host_text(&f->dst, dst),
			ev->seconds, requests ? requests : kept_answers(ev, f), what),
	      SAY("Look for what else drops here and remove it: traffic control (tc qdisc show;",
		  "tc filter show dev INTERFACE ingress, and egress) or an XDP program (ip",
		  "link)."));
}

/* The next router to a gateway, other than those of default routes; it is told of once. */
static bool find_silent_next(const struct evidence *ev, struct report *r, const struct flow *f,
			     bool *told)
{
	char host[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	struct next next;

	if (!find_next(ev, f, &next) || !next.neighbour || !next.neighbour->silent)
		return false;
	if (*told)
		return true;
	*told = true;
	host_text(&f->dst, dst);
	found(r, "next-hop-silent", SEVERITY_ERROR, NULL,
	      xasprintf("%s, the next router to %s by %s, does not answer (FAILED in ip neigh)",
			host_text(&next.host, host), dst, next.out->name),
	      xasprintf("See that it is on, or remove the route by it: ip route get %s", dst));
	return true;
}

static struct silence listen_to(const struct evidence *ev, const struct vpn *vpn,
				const struct fate *fate)
{
	struct silence s = {};
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (f->vpn != vpn || !flow_goes_out(f, &ev->net) || is_probe(ev, f))
			continue;
		if (flow_answered(f) || answered_by_ours(&ev->ours, f)) {
			s.answered++;
			continue;
		}
		if (!is_silent(ev, f) || answers_heard(ev, f) || has_mirror(ev, f) ||
		    is_kept(ev, f, fate))
			continue;
		s.unanswered++;
		if (!s.first)
			s.first = f;
	}
	s.refusal = s.first ? refusal_of(ev, s.first) : NULL;
	return s;
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
			 host_text(&f->src, src), host_text(&f->dst, dst), f->vpn->title,
			 packets, more,
			 s->answered ? "; others are answered" : "");
}

static char *advice_text(const struct silence *s)
{
	if (s->answered)
		return xstrdup("See that this server is up:");
	return SAY("Ask the server, from here and from another network, such as a phone's: if it",
		   "answers there alone, the provider or a network on the way drops this",
		   s->first->vpn->port ? "port." : "protocol.",
		   "IKEv2 with NAT-T on UDP 4500 or OpenVPN on TCP 443 may pass.");
}

static char *refused_text(const struct silence *s)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], by[INET6_ADDRSTRLEN];
	const struct flow *f = s->first;
	bool itself = host_equal(&s->refusal->by, &f->dst);

	return xasprintf("%s asks %s by %s, and %s%s refuses: %s (ICMP)", host_text(&f->src, src),
			 host_text(&f->dst, dst), f->vpn->title,
			 itself ? "that one" : host_text(&s->refusal->by, by),
			 itself ? "" : ", which is before it,", refusal_text(s->refusal));
}

static char *refused_advice(const struct silence *s)
{
	return host_equal(&s->refusal->by, &s->first->dst) ?
		SAY("See that the service runs there and that its firewall lets it be asked. A",
		    "provider may also say so in its name:") :
		SAY("Ask whoever runs the one that refuses, such as the provider.");
}

static void report_refusal(struct report *r, const struct vpn *vpn, const struct silence *s)
{
	struct finding *f = found(r, "path-refused",
				  s->answered ? SEVERITY_WARNING : SEVERITY_ERROR, vpn->proto,
				  refused_text(s), refused_advice(s));
	char dst[INET6_ADDRSTRLEN];

	finding_command(f, xasprintf("vpnpass doctor %s", host_text(&s->first->dst, dst)));
}

static void report_silence(struct report *r, const struct vpn *vpn, const struct silence *s)
{
	enum severity severity = s->answered ? SEVERITY_WARNING : SEVERITY_ERROR;
	struct finding *f = found(r, "path-silent", severity, vpn->proto, seen_text(s),
				  advice_text(s));
	char dst[INET6_ADDRSTRLEN];

	finding_command(f, xasprintf("vpnpass doctor %s", host_text(&s->first->dst, dst)));
}

/* Answers may be dropped before they are tracked. */
static void take(const struct crossing *c, void *data)
{
	const struct judgement *j = c->j;
	struct fate *fates = data;

	if (!c->vpn)
		return;
	fates[c->vpn - vpns].answers_dropped |= c->packet->reply && j->dropped.chain;
	fates[c->vpn - vpns].may_drop |= j->dropped.chain || j->may_drop || j->unsure.chain;
}

static char *unclaimed_text(const struct evidence *ev, const struct flow *f, unsigned int n)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], packets[64] = "";

	if (n)
		snprintf(packets, sizeof(packets), ", %u packets within %.1f s,", n, ev->seconds);
	return xasprintf("%s sends %s to %s; answers%s come in, and it is not known for whom",
			 host_text(&f->src, src), f->vpn->title, host_text(&f->dst, dst), packets);
}

static void report_unclaimed(const struct evidence *ev, struct report *r, const struct flow *f)
{
	const char *proto = f->vpn->proto;
	bool helped = ours_helps(&ev->ours, proto) || !f->vpn->helped;
	struct finding *finding;

	finding = found(r, "answers-unclaimed", SEVERITY_ERROR, proto,
			unclaimed_text(ev, f, answers_heard(ev, f)),
			helped ? SAY("See with tcpdump on the way out what comes back, and with",
				     "conntrack -L whom it is for.") :
				 SAY("Have vpnpass tell whose they are, which plain NAT cannot:"));
	if (!helped && !ours_proto(&ev->ours, proto))
		finding_command(finding, xasprintf("modprobe %s", module_of(proto)));
	else if (!helped)
		finding_command(finding, xasprintf("vpnpass set %s on", proto));
}

/* One is told of each kind. */
static void find_unclaimed(const struct evidence *ev, struct report *r, const struct vpn *vpn,
			   const struct fate *fate)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (f->vpn != vpn || !is_silent(ev, f))
			continue;
		if (is_kept(ev, f, fate))
			report_kept(ev, r, f);
		else if (answers_heard(ev, f) || has_mirror(ev, f))
			report_unclaimed(ev, r, f);
		else
			continue;
		return;
	}
}

void check_silence(const struct evidence *ev, struct report *r)
{
	struct fate *fates = xrealloc(NULL, n_vpns * sizeof(*fates));
	bool cut_off = is_cut_off(ev), told = false;
	size_t i;

	memset(fates, 0, n_vpns * sizeof(*fates));
	if (ev->rules_known)
		firewall_cross(ev, take, fates);
	for (i = 0; i < n_vpns; i++) {
		struct silence s = listen_to(ev, &vpns[i], &fates[i]);

		if (fates[i].answers_dropped || cut_off)
			continue;
		find_unclaimed(ev, r, &vpns[i], &fates[i]);
		if (s.refusal)
			report_refusal(r, &vpns[i], &s);
		else if (s.first && !find_silent_next(ev, r, s.first, &told))
			report_silence(r, &vpns[i], &s);
	}
	free(fates);
}
