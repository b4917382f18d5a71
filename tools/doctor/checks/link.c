// SPDX-License-Identifier: GPL-2.0
/*
 * Faults by which a home's Internet fails before any VPN does: link-down, no-address,
 * no-default-route, same-subnet. Without a default route the way out is the interface
 * that rules translate addresses for, and no other.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <stdlib.h>

#include "../rules/firewall.h"
#include "checks.h"

/* A default route of a family, by one interface or by any (NULL). */
static bool has_way_by(const struct network *net, int family, const struct link *link)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == family && (!link || net->ways[i].index == link->index))
			return true;
	return false;
}

static bool has_way(const struct network *net, int family)
{
	return has_way_by(net, family, NULL);
}

static void report_down(struct report *r, const struct link *link)
{
	struct finding *f;

	f = found(r, "link-down", SEVERITY_ERROR, NULL,
		  xasprintf("%s, which leads out, %s", link->name,
			    link->up ? "has nobody at its other end (NO-CARRIER in ip link)" :
				       "is switched off (no UP in ip link)"),
		  xstrdup(link->up ? "See that its cable is in and the device at its end on." :
				     "Switch it on:"));
	if (!link->up)
		finding_command(f, xasprintf("ip link set %s up", link->name));
}

/* Nothing but an address that it gave to itself counts as none. */
static bool has_address(const struct network *net, const struct link *link)
{
	const struct link_address *a = NULL;

	while ((a = network_next(net, link->index, AF_INET, a)))
		if (!host_is_link_local(&a->address))
			return true;
	return false;
}

static void report_no_address(struct report *r, const struct network *net,
			      const struct link *link)
{
	const struct link_address *own = network_next(net, link->index, AF_INET, NULL);
	char text[INET6_ADDRSTRLEN];

	found(r, "no-address", has_way(net, AF_INET6) ? SEVERITY_WARNING : SEVERITY_ERROR, NULL,
	      own ? xasprintf("%s, which leads out, has only %s, which it gave to itself",
			      link->name, host_text(&own->address, text)) :
		    xasprintf("%s, which leads out, has no IPv4 address", link->name),
	      SAY("See that the modem is on, and that the user name and password of the provider,",
		  "if there are such, are right; the log of the DHCP client or PPP daemon says",
		  "why it got none."));
}

static void report_no_route(const struct evidence *ev, struct report *r, const struct link *link)
{
	uint64_t lost = ev->after.value[COUNTER_NO_ROUTE_IN].value;

	found(r, "no-default-route", SEVERITY_ERROR, NULL,
	      xasprintf("%s has an address, there is no default route, and %ju packets %s",
			link->name, (uintmax_t)lost,
			"had no route (InNoRoutes of /proc/net/netstat)"),
	      xasprintf("Have the DHCP client or PPP daemon (defaultroute) set it, or, %s %s %s",
			"with the address of the provider's or modem's router for GATEWAY:",
			"ip route add default via GATEWAY dev", link->name));
}

/* The way out of IPv4 by an interface, whose next router does not answer; NULL for none. */
static const struct way_out *silent_way(const struct network *net, const struct link *link)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == AF_INET && net->ways[i].silent &&
		    net->ways[i].index == link->index &&
		    !network_is_local(net, &net->ways[i].next))
			return &net->ways[i];
	return NULL;
}

static void report_silent(struct report *r, const struct link *link, const struct way_out *way)
{
	char text[INET6_ADDRSTRLEN];

	found(r, "next-hop-silent", SEVERITY_ERROR, NULL,
	      xasprintf("%s, the next router by %s, does not answer (FAILED in ip neigh)",
			host_text(&way->next, text), link->name),
	      SAY("See that the modem or router there is on and has this address, and that the",
		  "cable leads to it; then have the address given anew (DHCP)."));
}

/**
 * is_cut_off - Whether the next router of each way out does not answer.
 * @ev: The evidence.
 */
bool is_cut_off(const struct evidence *ev)
{
	bool silent = false;
	size_t i;

	for (i = 0; i < ev->net.n_links; i++) {
		if (!ev->net.links[i].wan || !has_way_by(&ev->net, AF_INET, &ev->net.links[i]))
			continue;
		if (!silent_way(&ev->net, &ev->net.links[i]))
			return false;
		silent = true;
	}
	return silent;
}

static void find_at(const struct evidence *ev, struct report *r, const struct link *link)
{
	const struct way_out *silent = silent_way(&ev->net, link);

	if (!link->up || !link->carrier)
		report_down(r, link);
	else if (!has_address(&ev->net, link))
		report_no_address(r, &ev->net, link);
	else if (silent)
		report_silent(r, link, silent);
	else if (!has_way(&ev->net, AF_INET) && ev->after.value[COUNTER_NO_ROUTE_IN].value)
		report_no_route(ev, r, link);
}

/* Which interface rules translate addresses for; NULL for none or several. */
static const struct link *translator(const struct evidence *ev)
{
	const struct link *only = NULL;
	size_t i;

	for (i = 0; i < ev->net.n_links; i++) {
		const struct link *link = &ev->net.links[i];

		if (link->loopback || !firewall_masquerades(&ev->net, &ev->rules, link))
			continue;
		if (only)
			return NULL;
		only = link;
	}
	return only;
}

static void find_way_out(const struct evidence *ev, struct report *r)
{
	const struct link *link;
	size_t i;

	if (has_way(&ev->net, AF_INET)) {
		for (i = 0; i < ev->net.n_links; i++)
			if (ev->net.links[i].wan && !link_is_tunnel(&ev->net.links[i]) &&
			    has_way_by(&ev->net, AF_INET, &ev->net.links[i]))
				find_at(ev, r, &ev->net.links[i]);
		return;
	}
	link = ev->rules_known ? translator(ev) : NULL;
	if (link)
		find_at(ev, r, link);
}

static bool overlap(const struct link_address *a, const struct link_address *b)
{
	return host_in(&a->address, &b->address, a->prefix < b->prefix ? a->prefix : b->prefix);
}

/* Several interfaces may have public addresses of one network, also for proxy ARP. */
static void find_same_subnet(const struct network *net, struct report *r,
			     const struct link_address *wan, const struct link *out)
{
	const struct link_address *a = NULL;
	char one[INET6_ADDRSTRLEN], two[INET6_ADDRSTRLEN];

	while ((a = network_next(net, 0, AF_INET, a))) {
		const struct link *lan = network_link(net, a->index);

		if (!lan || !network_is_lan(net, lan) || a->prefix > 30 || !overlap(a, wan) ||
		    host_is_global(&a->address))
			continue;
		found(r, "same-subnet", SEVERITY_ERROR, NULL,
		      xasprintf("%s has %s/%d and %s, which leads out, %s/%d: the same network",
				lan->name, host_text(&a->address, one), a->prefix, out->name,
				host_text(&wan->address, two), wan->prefix),
		      xasprintf("Give %s and its clients another network, such as 192.168.77.0/24.",
				lan->name));
		return;
	}
}

void check_link(const struct evidence *ev, struct report *r)
{
	const struct link_address *a = NULL;

	find_way_out(ev, r);
	while ((a = network_next(&ev->net, 0, AF_INET, a))) {
		const struct link *link = network_link(&ev->net, a->index);

		if (link && link->wan && a->prefix <= 30)
			find_same_subnet(&ev->net, r, a, link);
	}
}
