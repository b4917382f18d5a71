// SPDX-License-Identifier: GPL-2.0
/*
 * What is wrong with the router as such: double-nat, cgnat, no-nat,
 * forwarding-off, reverse-path. A public address beside a private one on the
 * same way out is not told apart from it, and therefore silences the check.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"

/* What is common to the addresses of a way out; the first of the worst kind. */
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

static void find_double_nat(const struct evidence *ev, struct report *r)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < ev->net.n_links; i++) {
		const struct link *link = &ev->net.links[i];
		const struct host *a = link->wan ? outer_address(&ev->net, link) : NULL;

		if (a && host_is_cgnat(a))
			found(r, "cgnat", SEVERITY_WARNING, NULL,
			      xasprintf("%s has the address %s, of a carrier's NAT (RFC 6598)",
					link->name, host_text(a, text)),
			      SAY("Use VPNs with NAT-T, OpenVPN or WireGuard, or ask the",
				  "provider for a public address: the carrier's NAT has to pass",
				  "ESP and GRE too, and no setting here can make it."));
		else if (a)
			found(r, "double-nat", SEVERITY_WARNING, NULL,
			      xasprintf("%s has the private address %s: another NAT is before it",
					link->name, host_text(a, text)),
			      SAY("Switch the device before this one to bridge mode, or let",
				  "it pass VPNs as well: what this router lets through has",
				  "to get through that NAT too."));
	}
}

struct crossings {
	enum truth masqueraded;
	const struct link *in, *out;
};

static void take(const struct crossing *c, void *data)
{
	struct crossings *all = data;

	if (c->vpn || c->packet->reply || !c->packet->in || c->packet->family != NFPROTO_IPV4)
		return;
	/* what is dropped before does not come so far */
	if (c->j->dropped.chain)
		all->masqueraded = MAYBE_SO;
	else if (c->j->masqueraded > all->masqueraded)
		all->masqueraded = c->j->masqueraded;
	if (all->in)
		return;
	all->in = c->packet->in;
	all->out = c->packet->out;
}

/* A network that is routed without NAT on purpose has public addresses. */
static void find_no_nat(const struct evidence *ev, struct report *r)
{
	struct crossings all = {};
	const struct link_address *lan, *wan;
	char text[INET6_ADDRSTRLEN], line[64], *rule;

	if (!ev->rules_known)
		return;
	firewall_cross(ev, take, &all);
	if (!all.in || all.masqueraded != NO)
		return;
	lan = network_next(&ev->net, all.in->index, AF_INET, NULL);
	wan = network_next(&ev->net, all.out->index, AF_INET, NULL);
	if (!lan || !wan || !host_is_private(&lan->address) ||
	    !host_is_global(&wan->address) ||
	    proc_first_line("/proc/net/ip_tables_names", line, sizeof(line)))
		return;
	rule = xasprintf("add rule ip nat post oifname %s masquerade'", all.out->name);
	found(r, "no-nat", SEVERITY_ERROR, NULL,
	      xasprintf("no nft rule translates the source of packets from %s (%s) to %s",
			all.in->name, host_text(&lan->address, text), all.out->name),
	      SAY("Masquerade what leaves: nft 'add table ip nat;",
		  "add chain ip nat post { type nat hook postrouting priority srcnat; };", rule));
	free(rule);
}

static bool has_lan_and_wan(const struct network *net)
{
	bool lan = false, wan = false;
	size_t i;

	for (i = 0; i < net->n_links; i++) {
		lan |= network_is_lan(net, &net->links[i]);
		wan |= net->links[i].wan;
	}
	return lan && wan;
}

static void find_forwarding_off(const struct evidence *ev, struct report *r)
{
	struct maybe forward = proc_number("net/ipv4/ip_forward");

	if (!forward.known || forward.value || !has_lan_and_wan(&ev->net))
		return;
	found(r, "forwarding-off", SEVERITY_ERROR, NULL,
	      xstrdup("net.ipv4.ip_forward is 0: nothing at all is forwarded"),
	      xstrdup("sysctl -w net.ipv4.ip_forward=1, and /etc/sysctl.conf for the next boot"));
}

/* Strict filtering alone is common and right; packets lost to it are evidence. */
static void find_reverse_path(const struct evidence *ev, struct report *r)
{
	struct maybe all = proc_number("net/ipv4/conf/all/rp_filter");
	struct maybe lost = proc_snmp("/proc/net/netstat", "TcpExt:", "IPReversePathFilter");
	size_t i;

	for (i = 0; lost.value && i < ev->net.n_links; i++) {
		const struct link *link = &ev->net.links[i];
		char *path = xasprintf("net/ipv4/conf/%s/rp_filter", link->name);
		struct maybe own = proc_number(path);

		free(path);
		if (!link->wan || (own.value > all.value ? own.value : all.value) != 1)
			continue;
		found(r, "reverse-path", SEVERITY_WARNING, NULL,
		      xasprintf("rp_filter is strict on %s, and has dropped %ju packets (%s)",
				link->name, (uintmax_t)lost.value,
				"IPReversePathFilter of /proc/net/netstat"),
		      xasprintf("With several uplinks: sysctl -w %s net.ipv4.conf.%s.rp_filter=2",
				"net.ipv4.conf.all.rp_filter=0", link->name));
	}
}

static void run(const struct evidence *ev, struct report *r)
{
	find_forwarding_off(ev, r);
	find_no_nat(ev, r);
	find_double_nat(ev, r);
	find_reverse_path(ev, r);
}

static struct check wan_check = {
	.rank = 40,
	.run = run,
};

CHECK(wan_check)
