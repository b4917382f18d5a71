// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of the router's addresses and forwarding as such: double-nat,
 * cgnat, shared-address, tunnel-uplink, no-nat, forwarding-off, reverse-path. A public
 * address beside a private one on the same way out is not told apart from it, and
 * therefore silences the check.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "../advice.h"
#include "../rules/firewall.h"
#include "checks.h"

/* The kind of the addresses of a way out; the first of the worst kind. */
static const struct host *outer_address(const struct network *net, const struct link *link)
{
	const struct link_address *a = NULL, *first = NULL;

	while ((a = network_next(net, link->index, AF_INET, a))) {
		if (host_is_global(&a->address))
			return NULL;
		if (!first && (host_is_private(&a->address) || host_is_cgnat(&a->address)))
			first = a;
	}
	return first ? &first->address : NULL;
}

static bool leads_out(const struct evidence *ev, const struct link *link, int family)
{
	size_t i;

	for (i = 0; link->wan && i < ev->net.n_ways; i++)
		if (ev->net.ways[i].index == link->index && ev->net.ways[i].family == family)
			return true;
	return link->wan && !ev->net.default_route;
}

/* The host that was asked can tell of this interface if the way there leads out by it. */
static const struct asked *proof_of(const struct evidence *ev, const struct link *link)
{
	const struct asked *a = ev->to && route_leaves_by(&ev->route, link->index) ?
				nat_proof(ev) : NULL;

	/* where there are several ways, the question took one of them */
	return a && (ev->route.n_hops < 2 || network_has(&ev->net, link->index, &a->sent.host)) ?
	       a : NULL;
}

static char *proven(const struct evidence *ev, const struct link *link, char *seen)
{
	const struct asked *a = proof_of(ev, link);
	char *proof, *text;

	if (!a)
		return seen;
	proof = nat_text(ev, a);
	text = xasprintf("%s; %s", seen, proof);
	free(proof);
	free(seen);
	return text;
}

static void report_cgnat(const struct evidence *ev, struct report *r, const struct link *link,
			 const struct host *a)
{
	char text[INET6_ADDRSTRLEN];
	char *seen = xasprintf("%s has the address %s, which the provider translates (%s)",
			       link->name, host_text(a, text), "carrier's NAT, RFC 6598");

	found(r, "cgnat", SEVERITY_WARNING, NULL, proven(ev, link, seen),
	      SAY("Use OpenVPN, WireGuard or IPsec with NAT-T, or ask the provider for a public",
		  "address: PPTP (GRE) and IPsec without NAT-T (ESP) pass there only if the",
		  "provider lets them, and no setting here can make it."));
}

static void report_double_nat(const struct evidence *ev, struct report *r,
			      const struct link *link, const struct host *a)
{
	char text[INET6_ADDRSTRLEN];
	char *seen = xasprintf("%s has the private address %s: another router is before it (NAT)",
			       link->name, host_text(a, text));

	found(r, "double-nat", SEVERITY_WARNING, NULL, proven(ev, link, seen),
	      SAY("Nothing, if the VPN is OpenVPN, WireGuard or IPsec with NAT-T. Else switch the",
		  "device before this one to bridge mode, or VPN passthrough on in it too."));
}

/* DS-Lite, 464XLAT: IPv4 goes to the provider's translator, by a tunnel or by IPv6. */
static const struct host *shared_address(const struct network *net, const struct link *link)
{
	const struct link_address *a = NULL;

	while ((a = network_next(net, link->index, AF_INET, a)))
		if (host_is_shared(&a->address))
			return &a->address;
	return NULL;
}

static void report_shared(struct report *r, const struct link *link, const struct host *a)
{
	char text[INET6_ADDRSTRLEN];
	char *with = a ? xasprintf(" with the address %s", host_text(a, text)) : xstrdup("");

	found(r, "shared-address", SEVERITY_INFO, NULL,
	      xasprintf("IPv4 leaves by %s%s, %s", link->name, with,
			link->type == ARPHRD_TUNNEL6 ?
			"a tunnel in IPv6 to the provider's NAT, as DS-Lite and MAP-E have it" :
			"towards the provider's NAT, as DS-Lite and 464XLAT have it"),
	      SAY("Use VPNs by IPv6, or those with NAT-T, OpenVPN or WireGuard."));
	free(with);
}

static void report_tunnel(struct report *r, const struct link *link)
{
	found(r, "tunnel-uplink", SEVERITY_INFO, NULL,
	      xasprintf("the default route leads into the tunnel %s%s%s%s", link->name,
			*link->kind ? " (" : "", link->kind, *link->kind ? ")" : ""),
	      SAY("Nothing here, if that is meant to be so. If a VPN of a client fails, send it",
		  "past this tunnel (ip rule)."));
}

/* PPP by PPPoE is a line of the provider's, all other is a tunnel. */
static bool is_tunnel(const struct link *link)
{
	char line[128];
	FILE *file;
	bool pppoe;

	if (link->type != ARPHRD_PPP)
		return link_is_tunnel(link);
	file = fopen("/proc/net/pppoe", "re");
	pppoe = !file || (fgets(line, sizeof(line), file) && fgets(line, sizeof(line), file));
	if (file)
		fclose(file);
	return !pppoe;
}

/**
 * struct translation - What becomes of the addresses of what leaves by an interface.
 * @out: The interface.
 * @truth: Whether they are translated.
 * @to_private: To ones that are not public for certain.
 */
struct translation {
	const struct link *out;
	enum truth truth;
	bool to_private;
};

static bool is_to_public(const struct judgement *j)
{
	struct host first, last;

	host_set(&first, AF_INET, j->snat[0]);
	host_set(&last, AF_INET, j->snat[1]);
	return j->snat_known && host_is_global(&first) && host_is_global(&last);
}

static void take_translation(const struct crossing *c, void *data)
{
	struct translation *t = data;

	if (!c->vpn && !c->packet->reply && c->packet->in && c->packet->out == t->out &&
	    c->packet->family == NFPROTO_IPV4) {
		t->to_private |= !is_to_public(c->j);
		if (c->j->masqueraded > t->truth)
			t->truth = c->j->masqueraded;
	}
}

/*
 * A router that only routes adds no NAT to the one before it. Whose own public address is routed
 * to it by a private network or a carrier's has none before it.
 */
static bool is_translated_again(const struct evidence *ev, const struct link *out)
{
	struct translation t = { .out = out };

	if (!ev->rules_known)
		return true;
	firewall_cross(ev, take_translation, &t);
	return t.truth == NO || t.to_private;
}

static bool translates(const struct evidence *ev, const struct link *out)
{
	struct translation t = { .out = out };

	if (!ev->rules_known)
		return true;
	firewall_cross(ev, take_translation, &t);
	return t.truth != NO;
}

static void find_outer(const struct evidence *ev, struct report *r, const struct link *link)
{
	const struct host *shared = shared_address(&ev->net, link);
	const struct host *a = outer_address(&ev->net, link);
	const struct asked *proof = proof_of(ev, link);

	if (shared || link->type == ARPHRD_TUNNEL6)
		report_shared(r, link, shared);
	else if (is_tunnel(link))
		report_tunnel(r, link);
	else if (proof && proof->nat == NAT_NONE)
		return;	/* the gateway saw this very address: there is no NAT outside */
	else if (!proof && !is_translated_again(ev, link))
		return;
	else if (a && host_is_cgnat(a))
		report_cgnat(ev, r, link, a);
	else if (a && translates(ev, link))
		report_double_nat(ev, r, link, a);
}

static void find_outers(const struct evidence *ev, struct report *r)
{
	size_t i;

	if (!network_is_router(&ev->net))
		return;
	for (i = 0; i < ev->net.n_links; i++)
		if (leads_out(ev, &ev->net.links[i], AF_INET))
			find_outer(ev, r, &ev->net.links[i]);
}

/* From where to where packets are not translated, and whether others are. */
struct crossings {
	bool translated;
	struct names in;
	const struct link *first, *out;
};

/* Packets that are dropped before do not come so far. */
static void take(const struct crossing *c, void *data)
{
	struct crossings *all = data;

	if (c->vpn || c->packet->reply || !c->packet->in || c->packet->family != NFPROTO_IPV4)
		return;
	all->translated |= c->j->dropped.chain || c->j->masqueraded != NO;
	if (c->j->dropped.chain || c->j->masqueraded != NO ||
	    (all->first && all->out != c->packet->out))
		return;
	names_add(&all->in, c->packet->in->name);
	if (!all->first)
		all->first = c->packet->in;
	all->out = c->packet->out;
}

static char *names_text(const struct names *names)
{
	char *text = xstrdup(""), *longer;
	size_t i;

	for (i = 0; i < names->n; i++) {
		longer = xasprintf("%s%s%s", text, i ? ", " : "", names->list[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* Where others are translated, it may be meant so that these do not get out. */
static void report_no_nat(const struct evidence *ev, struct report *r,
			  const struct crossings *all, const struct link_address *lan)
{
	char text[INET6_ADDRSTRLEN], *names = names_text(&all->in);
	struct finding *f;

	f = found(r, "no-nat", all->translated ? SEVERITY_WARNING : SEVERITY_ERROR, NULL,
		  xasprintf("no rule translates the addresses of %s (%s) on the way to %s%s",
			    names, host_text(&lan->address, text), all->out->name,
			    all->translated ? ", as is done for others" : ""),
		  SAY("Have what leaves get this router's address (masquerade):"));
	add_masquerade(f, &ev->rules, all->out->name);
	free(names);
}

/* A network that is routed without NAT on purpose has public addresses. */
static void find_no_nat(const struct evidence *ev, struct report *r)
{
	const struct link_address *lan, *wan;
	struct crossings all = {};

	if (!ev->all_rules_known || !proc_number("net/ipv4/ip_forward").value)
		return;
	firewall_cross(ev, take, &all);
	if (!all.first)
		return;
	lan = network_next(&ev->net, all.first->index, AF_INET, NULL);
	wan = network_next(&ev->net, all.out->index, AF_INET, NULL);
	if (lan && wan && host_is_private(&lan->address) && host_is_global(&wan->address) &&
	    !is_tunnel(all.out))
		report_no_nat(ev, r, &all, lan);
}

static bool any_translates(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->net.n_links; i++)
		if (ev->net.links[i].wan && translates(ev, &ev->net.links[i]))
			return true;
	return false;
}

/* A host that forwards nothing and translates nothing is no router, and need not be. */
static void find_forwarding_off(const struct evidence *ev, struct report *r)
{
	struct maybe forward = proc_number("net/ipv4/ip_forward");
	struct finding *f;

	if (!forward.known || forward.value || !network_is_router(&ev->net) ||
	    !any_translates(ev))
		return;
	f = found(r, "forwarding-off", SEVERITY_ERROR, NULL,
		  xstrdup("net.ipv4.ip_forward is 0: this router passes nothing on"),
		  xstrdup("Switch it on, and in /etc/sysctl.conf for the next boot:"));
	finding_command(f, xstrdup("sysctl -w net.ipv4.ip_forward=1"));
}

/* Forwarding is on, but not for what comes in by this interface. */
static void find_forwarding_off_at(const struct evidence *ev, struct report *r,
				   const struct link *link)
{
	struct finding *f;

	if (proc_forwards(link->name) || !network_next(&ev->net, link->index, AF_INET, NULL))
		return;
	f = found(r, "forwarding-off", link->wan ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
		  xasprintf("net.ipv4.conf.%s.forwarding is 0: what comes by %s is not passed on",
			    link->name, link->name),
		  xstrdup("Switch it on, if that is not meant to be so:"));
	finding_command(f, xasprintf("sysctl -w net.ipv4.conf.%s.forwarding=1", link->name));
}

static bool leads_out_by_six(const struct network *net)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == AF_INET6)
			return true;
	return false;
}

/* Clients have addresses of IPv6 that get out, and nothing forwards what they send. */
static void find_forwarding_six(const struct evidence *ev, struct report *r)
{
	struct maybe forward = proc_number("net/ipv6/conf/all/forwarding");
	const struct link_address *a = NULL;
	const struct link *lan = NULL;
	struct finding *f;

	while ((a = network_next(&ev->net, 0, AF_INET6, a)) && !lan) {
		lan = network_link(&ev->net, a->index);
		if (!lan || !host_is_global(&a->address) || !network_is_lan(&ev->net, lan))
			lan = NULL;
	}
	if (!lan || !forward.known || forward.value || !leads_out_by_six(&ev->net) ||
	    !proc_number("net/ipv4/ip_forward").value)
		return;
	f = found(r, "forwarding-off", SEVERITY_WARNING, NULL,
		  xasprintf("net.ipv6.conf.all.forwarding is 0, and %s %s: %s", lan->name,
			    "has an address of IPv6 for clients", "nothing of IPv6 is passed on"),
		  xstrdup("Switch it on, and in /etc/sysctl.conf for the next boot:"));
	finding_command(f, xstrdup("sysctl -w net.ipv6.conf.all.forwarding=1"));
}

static void find_forwarding(const struct evidence *ev, struct report *r)
{
	size_t i;

	find_forwarding_six(ev, r);
	find_forwarding_off(ev, r);
	if (!proc_number("net/ipv4/ip_forward").value || !network_is_router(&ev->net))
		return;
	for (i = 0; i < ev->net.n_links; i++)
		if (ev->net.links[i].wan || network_is_lan(&ev->net, &ev->net.links[i]))
			find_forwarding_off_at(ev, r, &ev->net.links[i]);
}

static bool is_strict(const struct link *link)
{
	char *path = xasprintf("net/ipv4/conf/%s/rp_filter", link->name);
	struct maybe own = proc_number(path), all = proc_number("net/ipv4/conf/all/rp_filter");

	free(path);
	return !link->loopback && (own.value > all.value ? own.value : all.value) == 1;
}

/* Packets of a VPN's were heard to come in by it that would be answered by another. */
static bool is_unexpected_at(const struct evidence *ev, const struct link *link)
{
	struct route way;
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *h = &ev->ear.list[i];

		if (h->out || h->index != link->index || h->src.family != AF_INET ||
		    !network_is_local(&ev->net, &h->dst))
			continue;
		route_get(&way, &(struct question){ .to = &h->src });
		if (!way.error && way.out != link->index)
			return true;
	}
	return false;
}

static bool may_filter(const struct link *link)
{
	return (link->wan || link->spare) && is_strict(link);
}

/*
 * Strict filtering alone is common and right; packets lost to it while the doctor looks
 * are evidence, of the interface by which such were heard, or else of each that it can have been.
 */
static void find_reverse_path(const struct evidence *ev, struct report *r)
{
	uint64_t lost = grew_by(ev, COUNTER_REVERSE_PATH);
	struct finding *f;
	bool heard = false;
	size_t i;

	for (i = 0; lost && i < ev->net.n_links; i++)
		heard |= may_filter(&ev->net.links[i]) && is_unexpected_at(ev, &ev->net.links[i]);
	for (i = 0; lost && i < ev->net.n_links; i++) {
		const struct link *link = &ev->net.links[i];

		if (!may_filter(link) || (heard && !is_unexpected_at(ev, link)))
			continue;
		f = found(r, "reverse-path", SEVERITY_WARNING, NULL,
			  xasprintf("%ju packets, which %s, were dropped in %.1f s: %s %s (%s)",
				    (uintmax_t)lost, "are answered by another line", ev->seconds,
				    "rp_filter is strict on", link->name,
				    "IPReversePathFilter of /proc/net/netstat"),
			  SAY("If there are several lines to the Internet, let answers come by",
			      "any:"));
		/* of this value and that of "all" the higher one counts */
		finding_command(f, xasprintf("sysctl -w net.ipv4.conf.%s.rp_filter=2",
					     link->name));
	}
}

void check_wan(const struct evidence *ev, struct report *r)
{
	find_forwarding(ev, r);
	find_no_nat(ev, r);
	find_outers(ev, r);
	find_reverse_path(ev, r);
}
