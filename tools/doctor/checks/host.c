// SPDX-License-Identifier: GPL-2.0
/*
 * Findings about the host that the doctor was asked about: the way there
 * (route-blocked, no-route, small-mtu), what it answers (host-answers, host-refuses,
 * host-silent, ike-tcp, server-nat), answers that this router's own rules drop
 * (answers-dropped), and that it sees another address than they left with (nat-outside).
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "../advice.h"
#include "../contacts.h"
#include "../place.h"
#include "../rules/firewall.h"
#include "../doctor.h"
#include "checks.h"

/* Every link of IPv6 carries as much (RFC 8200 5); below, tunnels fragment. */
#define MTU_MIN	1280

/* --- the way --- */

static const char *why_not(int error)
{
	switch (error) {
	case -EINVAL:
		return "a route of this router (blackhole) drops what goes to";
	case -EACCES:
		return "a route of this router (prohibit) refuses what goes to";
	case -EHOSTUNREACH:
		return "a route of this router (unreachable) refuses what goes to";
	case -EXDEV:
		return "its packets are not expected where they come in, on the way to";
	}
	return NULL;
}

static void report_no_way_to(struct report *r, const char *to, const char *whose, int error)
{
	const char *why = why_not(error);

	if (why)
		found(r, "route-blocked", SEVERITY_ERROR, NULL,
		      xasprintf("%s %s%s", why, to, whose),
		      xasprintf("If a VPN runs on this router, see that it is up: %s %s %s, %s",
				"some refuse all else while they are down. Else find what refuses",
				"with ip route get", to,
				"ip rule and ip route show table all, and remove it."));
	else
		found(r, "no-route", SEVERITY_ERROR, NULL,
		      xasprintf("there is no route to %s%s", to, whose),
		      SAY("See that this router has Internet; then set a default route, or one to",
			  "this server (ip route, ip rule)."));
}

static void report_no_way(const struct evidence *ev, struct report *r, const char *whose, int error)
{
	char to[INET6_ADDRSTRLEN];

	report_no_way_to(r, host_text(ev->to, to), whose, error);
}

/* A client's packets may be looked up in another table than the router's own. */
static bool find_client_way(const struct evidence *ev, struct report *r)
{
	struct question q = { .to = ev->to, .from = ev->from };
	char from[INET6_ADDRSTRLEN], *whose;
	const struct link *lan;
	struct route way;

	route_get(&way, &(struct question){ .to = ev->from });
	lan = way.error ? NULL : network_link(&ev->net, way.out);
	if (!lan || way.local || !proc_forwards(lan->name))
		return false;
	q.in = way.out;
	route_get(&way, &q);
	if (!way.error)
		return false;
	whose = xasprintf(" for %s", host_text(ev->from, from));
	report_no_way(ev, r, whose, way.error);
	free(whose);
	return true;
}

/* A host that a client of this LAN might be. */
static bool neighbour_of(const struct network *net, const struct link *lan, int family,
			 struct host *client)
{
	const struct link_address *own = NULL;

	do {
		own = network_next(net, lan->index, family, own);
	} while (own && !host_is_global(&own->address) && !host_is_private(&own->address));
	if (!own || own->prefix > 8 * (int)host_length(&own->address) - 2)
		return false;
	*client = own->address;
	host_neighbour(client);
	return true;
}

/* Rules of policy routing may look at where packets come in. */
static bool find_lan_ways(const struct evidence *ev, struct report *r)
{
	bool told = false;
	struct host client;
	struct route way;
	char *whose;
	size_t i;

	for (i = 0; i < ev->net.n_links; i++) {
		const struct link *lan = &ev->net.links[i];
		struct question q = { .to = ev->to, .from = &client, .in = lan->index };

		if (!network_is_lan(&ev->net, lan) || route_leaves_by(&ev->route, lan->index) ||
		    !proc_forwards(lan->name) ||
		    !neighbour_of(&ev->net, lan, ev->to->family, &client))
			continue;
		route_get(&way, &q);
		if (!way.error || way.error == -EINVAL || way.error == -EXDEV)
			continue;
		whose = xasprintf(" from %s", lan->name);
		report_no_way(ev, r, whose, way.error);
		free(whose);
		told = true;
	}
	return told;
}

/* Rules may look at ports: the same host by two ways. */
static void find_vpn_way(const struct evidence *ev, struct report *r, const struct vpn *vpn)
{
	struct question q = { .to = ev->to, .l4proto = vpn->l4proto, .dport = vpn->port };
	struct route way;
	char *whose;

	if (!vpn->port)
		return;
	route_get(&way, &q);
	if (!way.error)
		return;
	whose = xasprintf(" by %s", vpn->title);
	report_no_way(ev, r, whose, way.error);
	free(whose);
}

struct marked {
	const struct evidence *ev;
	struct report *r;
	bool told[16];
};

/* Rules may mark packets of a client's, and policy routing may go by the mark. */
static void find_marked_way(const struct crossing *c, void *data)
{
	struct marked *m = data;
	struct question q = { .to = m->ev->to, .mark = c->j->mark };
	struct route way;
	char *whose;

	if (!c->vpn || m->told[c->vpn - vpns] || c->packet->reply || !c->packet->in || !q.mark)
		return;
	route_get(&way, &q);
	if (!way.error)
		return;
	whose = xasprintf(" by %s, which a rule marks with %#x", c->vpn->title, q.mark);
	report_no_way(m->ev, m->r, whose, way.error);
	free(whose);
	m->told[c->vpn - vpns] = true;
}

static void find_marked_ways(const struct evidence *ev, struct report *r)
{
	struct marked m = { .ev = ev, .r = r };

	if (ev->rules_known)
		firewall_cross(ev, find_marked_way, &m);
}

/**
 * struct ends - Who sends a packet to whom, where it is routed.
 * @client: The client, or one that might be.
 * @server: The gateway.
 * @client_known: It is somebody who was seen or named.
 */
struct ends {
	struct host client, server;
	bool client_known;
};

/* Where nobody was seen, any client of the LAN's stands for all. */
static bool find_ends(const struct marked *m, const struct crossing *c, struct ends *ends)
{
	const struct link *lan = c->packet->reply ? c->packet->out : c->packet->in;
	const struct host *to = m->ev->to, *from = m->ev->from;

	ends->client_known = c->contact || from;
	if (c->contact)
		*ends = (struct ends){ c->contact->client, c->contact->server, true };
	else if (to)
		ends->server = *to;
	else
		return false;
	if (!c->contact && from)
		ends->client = *from;
	return ends->client_known ||
	       neighbour_of(&m->ev->net, lan, ends->server.family, &ends->client);
}

static struct question question_of(const struct crossing *c, const struct ends *ends)
{
	struct question q = {
		.to = &ends->server, .from = &ends->client, .in = c->packet->in->index,
		.l4proto = c->vpn->l4proto, .dport = c->vpn->port, .mark = c->j->mark,
	};

	if (c->packet->reply) {
		q.to = &ends->client;
		q.from = &ends->server;
		q.sport = c->vpn->port;
		q.dport = c->vpn->source;
	}
	return q;
}

static void report_crossing(struct report *r, const struct crossing *c, const struct ends *ends,
			    int error)
{
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN], *whose;
	bool reply = c->packet->reply;

	host_text(&ends->client, client);
	host_text(&ends->server, server);
	if (!ends->client_known)
		snprintf(client, sizeof(client), "%s", (reply ? c->packet->out :
							 c->packet->in)->name);
	whose = reply ? xasprintf(", the answers of %s by %s", server, c->vpn->title) :
			xasprintf(" %s %s, by %s", ends->client_known ? "for" : "from", client,
				  c->vpn->title);
	report_no_way_to(r, reply ? client : server, whose, error);
	free(whose);
}

/*
 * The way of each client to each gateway that it had to do with or that was named, and back;
 * one that is shut is enough.
 */
static void find_crossing_way(const struct crossing *c, void *data)
{
	struct marked *m = data;
	struct ends ends = {};
	struct question q;
	struct route way;

	if (!c->vpn || !c->packet->in || !c->packet->out || m->told[c->vpn - vpns] ||
	    (!c->packet->reply && !c->j->mark_known) || !proc_forwards(c->packet->in->name) ||
	    !find_ends(m, c, &ends))
		return;
	q = question_of(c, &ends);
	route_get(&way, &q);
	/* an answer that comes in by an unexpected interface is no matter of rules */
	if (!way.error || (c->packet->reply && (way.error == -EINVAL || way.error == -EXDEV)))
		return;
	report_crossing(m->r, c, &ends, way.error);
	m->told[c->vpn - vpns] = true;
}

static void find_crossing_ways(const struct evidence *ev, struct report *r)
{
	struct marked m = { .ev = ev, .r = r };

	if (ev->rules_known && ev->net.default_route)
		firewall_cross(ev, find_crossing_way, &m);
}

static void report_mtu(const struct evidence *ev, struct report *r, const struct link *out)
{
	uint32_t mtu = ev->to && ev->route.mtu ? ev->route.mtu : out->mtu;
	char to[INET6_ADDRSTRLEN], *whose;

	if (!mtu || mtu >= MTU_MIN)
		return;
	whose = ev->to ? xasprintf(" to %s", host_text(ev->to, to)) : xstrdup(" out");
	found(r, "small-mtu", SEVERITY_WARNING, NULL,
	      xasprintf("the way%s by %s takes packets of at most %u bytes (MTU)", whose,
			out->name, mtu),
	      SAY("Set the VPN's MTU, in its client, to 80 less than this, and see that no",
		  "firewall drops ICMP, by which senders are told what is too large."));
	free(whose);
}

/* Of each next hop; without a host, of each default route. */
static void find_mtu(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < ev->net.n_links; i++) {
		const struct link *link = &ev->net.links[i];

		if (ev->to ? route_leaves_by(&ev->route, link->index) :
			     link->wan && link->up && network_is_router(&ev->net))
			report_mtu(ev, r, link);
	}
}

/* --- the answers of the host --- */

static const char *proto_of(const struct asked *a)
{
	const struct vpn *vpn = vpn_of(a->service->l4proto, a->service->port);

	return vpn ? vpn->proto : a->service->name;
}

static char *service_text(const struct asked *a)
{
	const struct vpn *vpn = vpn_of(a->service->l4proto, a->service->port);

	return xstrdup(vpn ? vpn->title : a->service->name);
}

static const struct traced *dropped(const struct evidence *ev, const struct asked *a, bool answer)
{
	size_t i;

	for (i = 0; i < ev->tracer.n; i++) {
		const struct traced *t = &ev->tracer.list[i];

		if (t->dropped && t->answer == answer && t->l4proto == a->service->l4proto &&
		    t->port == a->service->port)
			return t;
	}
	return NULL;
}

static bool came_in(const struct evidence *ev, const struct asked *a)
{
	size_t i;

	for (i = 0; i < ev->tracer.n; i++) {
		const struct traced *t = &ev->tracer.list[i];

		if (t->answer && t->l4proto == a->service->l4proto &&
		    t->port == a->service->port)
			return true;
	}
	return false;
}

static char *traced_place(const struct traced *t)
{
	const char *family = nft_family_name(t->family);

	if (t->handle)
		return xasprintf("the firewall rule in table %s %s, chain %s, handle %ju", family,
				 t->table, t->chain, (uintmax_t)t->handle);
	return xasprintf("the firewall's default (the policy of table %s %s, chain %s)", family,
			 t->table, t->chain);
}

/* Where the kernel says that it was dropped, if the ruleset that was read has it. */
static void find_place(const struct ruleset *rs, const struct traced *t, struct place *place)
{
	size_t i, k;

	for (i = 0; i < rs->n_chains; i++) {
		const struct nft_chain *c = &rs->chains[i];

		if (c->legacy || c->family != t->family || strcmp(c->table, t->table) ||
		    strcmp(c->name, t->chain))
			continue;
		*place = (struct place){ .chain = c, .base = c };
		for (k = 0; k < c->n_rules; k++)
			if (c->rules[k].handle == t->handle)
				place->rule = &c->rules[k];
		if (!c->type || (t->handle && !place->rule))
			place->chain = NULL;
		return;
	}
}

static void add_cure(const struct evidence *ev, struct finding *f, const struct asked *a,
		     const struct place *place, bool answer)
{
	struct wish wish = {
		.place = place, .vpn = vpn_of(a->service->l4proto, a->service->port),
		.there = !answer, .back = answer, .peer = ev->to,
	};
	size_t i;

	if (!place->chain)
		return;
	for (i = 0; i < ev->net.n_links; i++)
		if (route_leaves_by(&ev->route, ev->net.links[i].index))
			names_add(&wish.wan, ev->net.links[i].name);
	add_cures(f, &ev->rules, &wish);
}

/**
 * struct end - Where a question or its answer is dropped by this router.
 * @a: Which question.
 * @answer: The answer is.
 * @where: It in words, NULL when it is nowhere; owned.
 * @place: It in the ruleset, without a chain when it is not found there.
 */
struct end {
	const struct asked *a;
	bool answer;
	char *where;
	struct place place;
};

static void report_dropped(const struct evidence *ev, struct report *r, const struct end *end)
{
	char *service = service_text(end->a), to[INET6_ADDRSTRLEN];
	struct finding *f;

	host_text(ev->to, to);
	if (end->answer)
		f = found(r, "answers-dropped", SEVERITY_ERROR, proto_of(end->a),
			  came_in(ev, end->a) ?
				  xasprintf("%s answers %s, and %s drops that", to, service,
					    end->where) :
				  xasprintf("%s was asked for %s, and %s drops an answer", to,
					    service, end->where),
			  SAY("Let answers come in:"));
	else
		f = found(r, "nft-drop", SEVERITY_ERROR, proto_of(end->a),
			  xasprintf("%s drops %s from the router to %s", end->where, service, to),
			  SAY("Let it go out:"));
	add_cure(ev, f, end->a, &end->place, end->answer);
	free(service);
}

/* The kernel reports nothing of what iptables-legacy does: there the rules themselves count. */
static void take_judged(const struct crossing *c, void *data)
{
	const struct place *dropped = &c->j->dropped;
	struct end *end = data;

	if (end->where || !c->vpn || c->vpn->l4proto != end->a->service->l4proto ||
	    c->vpn->port != end->a->service->port || c->packet->reply != end->answer ||
	    (end->answer ? c->packet->out : c->packet->in) || !dropped->chain ||
	    !dropped->chain->legacy)
		return;
	end->place = *dropped;
	end->where = place_text(dropped);
}

/* Whether this router drops the question, or what came of it. */
static bool find_end(const struct evidence *ev, struct end *end)
{
	const struct traced *t = dropped(ev, end->a, end->answer);
	char *place;

	if (t) {
		place = traced_place(t);
		end->where = xasprintf("%s (nftrace)", place);
		free(place);
		find_place(&ev->rules, t, &end->place);
	} else if (ev->rules_known &&
		   (!end->answer || !ev->tracer.worked || came_in(ev, end->a))) {
		firewall_cross(ev, take_judged, end);
	}
	return end->where;
}

static bool report_end(const struct evidence *ev, struct report *r, const struct asked *a,
		       bool answer)
{
	struct end end = { .a = a, .answer = answer };

	if (!find_end(ev, &end))
		return false;
	report_dropped(ev, r, &end);
	free(end.where);
	return true;
}

static void report_answer(const struct evidence *ev, struct report *r, const struct asked *a)
{
	char to[INET6_ADDRSTRLEN], *service = service_text(a);

	found(r, "host-answers", SEVERITY_INFO, proto_of(a),
	      xasprintf("%s answers %s: %s", host_text(ev->to, to), service, a->text),
	      SAY("Nothing here."));
	free(service);
}

static bool is_own(const struct network *net, const char *address)
{
	struct host host;

	return host_parse(&host, address) && network_is_local(net, &host);
}

static void report_refusal(const struct evidence *ev, struct report *r, const struct asked *a,
			   enum severity severity)
{
	char to[INET6_ADDRSTRLEN], *service = service_text(a);
	bool other = *a->refuser && strcmp(a->refuser, host_text(ev->to, to));

	host_text(ev->to, to);
	found(r, "host-refuses", other ? SEVERITY_WARNING : severity, proto_of(a),
	      is_own(&ev->net, a->refuser) ?
		      xasprintf("this router itself refuses %s to %s: %s", service, to, a->text) :
	      other ? xasprintf("%s, which is not %s but before it, refuses %s: %s", a->refuser, to,
				service, a->text) :
		      xasprintf("%s itself refuses %s: %s", to, service, a->text),
	      other ? SAY("Ask who runs that device to let it through.") :
		      SAY("Nothing, if you use another VPN of it. Else see that the address is",
			  "right and that the service runs there."));
	free(service);
}

static void report_silence(const struct evidence *ev, struct report *r, const struct asked *a,
			   enum severity severity)
{
	char to[INET6_ADDRSTRLEN], *service = service_text(a);
	const char *came = came_in(ev, a) ? "; something came back that is no answer" : "";

	found(r, "host-silent", severity, proto_of(a),
	      xasprintf("%s was asked for %s %d times, %sand there is no answer%s",
			host_text(ev->to, to), service, a->tries,
			ev->tracer.worked ? "no nft rule here drops that (nftrace), " : "", came),
	      SAY("Nothing, if you use another VPN of it. Else it is off, or a network on the way",
		  "drops it: ask it from another network, such as a phone's, to know which. A",
		  "server of OpenVPN with tls-auth answers no stranger."));
	free(service);
}

/* The address that the other end sees proves more than the looks of ours. */
const struct asked *nat_proof(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->n_asked; i++)
		if (ev->asked[i].nat > NAT_UNDECIDED)
			return &ev->asked[i];
	return NULL;
}

char *nat_text(const struct evidence *ev, const struct asked *a)
{
	char to[INET6_ADDRSTRLEN], sent[INET6_ADDRSTRLEN];

	host_text(ev->to, to);
	host_text(&a->sent.host, sent);
	if (a->nat == NAT_PORT)
		return xasprintf("IKE left with port %u of %s, and %s saw port %u (%s)",
				 a->sent.port, sent, to, a->seen_port, a->by);
	return xasprintf("IKE left with the address %s, and %s saw another (%s)", sent, to, a->by);
}

static void report_asked(const struct evidence *ev, struct report *r, const struct asked *a,
			 enum severity severity)
{
	if (a->result == ANSWERED)
		report_answer(ev, r, a);
	else if (report_end(ev, r, a, false) || report_end(ev, r, a, true))
		return;
	else if (a->result == REFUSED)
		report_refusal(ev, r, a, severity);
	else
		report_silence(ev, r, a, severity);
}

static bool answers(const struct evidence *ev, const struct service *service)
{
	size_t i;

	for (i = 0; i < ev->n_asked; i++)
		if (ev->asked[i].service == service && ev->asked[i].result == ANSWERED)
			return true;
	return false;
}

/* An ePDG has IKE and nothing else. */
static bool is_expected(const struct evidence *ev, const struct service *service)
{
	return !service->optional &&
	       (service == &service_ike || service == &service_natt || !asks_epdg(ev));
}

/* Clients may use TCP where UDP does not pass. */
static void find_tcp(const struct evidence *ev, struct report *r)
{
	char to[INET6_ADDRSTRLEN];

	if (!answers(ev, &service_ike_tcp) || answers(ev, &service_natt))
		return;
	found(r, "ike-tcp", SEVERITY_INFO, "ike",
	      xasprintf("%s answers IKE by TCP 4500 (RFC 9329), but not NAT-T by UDP 4500",
			host_text(ev->to, to)),
	      SAY("Where nothing else helps, let the client use TCP: enable-tcp=fallback of",
		  "Libreswan, \"TCP encapsulation\" elsewhere. It is slower."));
}

/* Where the address says so itself, check_wan() has the proof. */
static void find_nat(const struct evidence *ev, struct report *r)
{
	const struct asked *a = nat_proof(ev);
	char *seen;

	if (!a || a->nat == NAT_NONE || !network_is_router(&ev->net) ||
	    (a->sent.host.family == AF_INET && !host_is_global(&a->sent.host)))
		return;
	seen = nat_text(ev, a);
	found(r, "nat-outside", SEVERITY_WARNING, NULL,
	      xasprintf("%s: something on the way translates", seen),
	      SAY("Use OpenVPN, WireGuard or IPsec with NAT-T, or ask the provider for an address",
		  "of your own: PPTP (GRE) and IPsec without NAT-T (ESP) pass there only if what",
		  "translates lets them, and no setting here can make it."));
	free(seen);
}

/* It was answered when it was small. */
static void find_large(const struct evidence *ev, struct report *r)
{
	char to[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->n_asked; i++) {
		const struct asked *a = &ev->asked[i];

		if (a->large != SILENT && a->fragments != SILENT)
			continue;
		found(r, "large-lost", SEVERITY_WARNING, proto_of(a),
		      xasprintf("%s answers %s, but not with %d bytes in %s", host_text(ev->to, to),
				a->service->name, a->large == SILENT ? LARGE_SIZE : FRAGMENTS_SIZE,
				a->large == SILENT ? "one packet" :
				"two fragments, while one packet of 1,400 is answered"),
		      SAY("Something on the way loses these, or the gateway takes none of",
			  "strangers. IKE with certificates is as large: switch on IKEv2",
			  "fragmentation (RFC 7383) at both ends, and see that ICMP passes."));
		return;
	}
}

/* Windows refuses such servers of L2TP/IPsec, as long as it is not told otherwise. */
static void find_hidden(const struct evidence *ev, struct report *r)
{
	char to[INET6_ADDRSTRLEN];
	const struct asked *a = NULL;
	size_t i;

	for (i = 0; i < ev->n_asked; i++)
		if (ev->asked[i].hidden)
			a = &ev->asked[i];
	if (!a)
		return;
	found(r, "server-nat", SEVERITY_INFO, "ike",
	      xasprintf("%s says that it has another address (%s): %s", host_text(ev->to, to),
			a->by, "it is behind a NAT itself, or wants NAT-T used"),
	      SAY("Nothing here. Where Windows fails with error 809 by L2TP/IPsec: on that",
		  "computer, set AssumeUDPEncapsulationContextOnSendRule to 2 in",
		  "HKLM\\SYSTEM\\CurrentControlSet\\Services\\PolicyAgent and start it again."));
}

void check_host(const struct evidence *ev, struct report *r)
{
	enum severity severity = SEVERITY_WARNING;
	size_t i, before = r->n_findings;

	if (!ev->to) {
		find_crossing_ways(ev, r);
		find_mtu(ev, r);
		return;
	}
	if (ev->route.error)
		report_no_way(ev, r, "", ev->route.error);
	else if (ev->from ? !find_client_way(ev, r) : !find_lan_ways(ev, r))
		for (i = 0; i < n_vpns; i++)
			find_vpn_way(ev, r, &vpns[i]);
	if (!ev->route.error)
		find_marked_ways(ev, r);
	if (r->n_findings == before)
		find_crossing_ways(ev, r);
	if (!ev->route.error)
		find_mtu(ev, r);
	/* most servers have one kind of VPN, and need no other */
	for (i = 0; i < ev->n_asked; i++)
		if (ev->asked[i].result == ANSWERED)
			severity = SEVERITY_INFO;
	for (i = 0; i < ev->n_asked; i++)
		if (is_expected(ev, ev->asked[i].service))
			report_asked(ev, r, &ev->asked[i], severity);
	find_tcp(ev, r);
	find_nat(ev, r);
	find_hidden(ev, r);
	find_large(ev, r);
}
