// SPDX-License-Identifier: GPL-2.0
/*
 * conntrack-full: the table of connections has no room, and what is new is
 * dropped. nat-clash: there is room, but a client's connection cannot be told from
 * another's, for want of ports. one-client: the same would happen to the next client.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
#include "checks.h"

/* From this part of the maximum on it is as good as full. */
#define FULL_PERCENT	95

static char *full_text(const struct evidence *ev, struct maybe count, struct maybe max,
		       uint64_t refused)
{
	if (!refused)
		return xasprintf("%ju connections of at most %ju (conntrack)",
				 (uintmax_t)count.value, (uintmax_t)max.value);
	return xasprintf("%ju connections of at most %ju (conntrack), and %ju more %s %.1f s",
			 (uintmax_t)count.value, (uintmax_t)max.value, (uintmax_t)refused,
			 "were dropped in", ev->seconds);
}

/*
 * The kernel counts what it drops for a clash as not inserted as well; the rest is what
 * it had no room for, or a tracker of a protocol refused. The two counters are not read
 * at one moment.
 */
static uint64_t refused_for_room(const struct evidence *ev)
{
	uint64_t drop = grew_by(ev, COUNTER_DROP), clash = grew_by(ev, COUNTER_INSERT_FAILED);

	return drop > clash ? drop - clash : 0;
}

static void find_full(const struct evidence *ev, struct report *r)
{
	struct maybe count = proc_number("net/netfilter/nf_conntrack_count");
	struct maybe max = proc_number("net/netfilter/nf_conntrack_max");
	uint64_t refused = refused_for_room(ev);
	struct finding *f;
	bool full;

	if (!count.known || !max.known || !max.value)
		return;
	full = count.value * 100 >= max.value * FULL_PERCENT;
	/* A table that is half empty was not full within a second. */
	if (!full && (!refused || count.value < max.value / 2))
		return;
	f = found(r, "conntrack-full", full ? SEVERITY_ERROR : SEVERITY_WARNING, NULL,
		  full_text(ev, count, max, refused),
		  SAY("See with conntrack -L which device opens so many, or make room:"));
	finding_command(f, xasprintf("sysctl -w net.netfilter.nf_conntrack_max=%ju",
				     (uintmax_t)(max.value < 32768 ? 65536 : max.value * 2)));
}

/* Protocols whose packets have no ports that NAT could change. */
static bool is_portless(const struct vpn *vpn)
{
	return vpn && !vpn->port && vpn->helped;
}

static bool has_flow(const struct evidence *ev, const struct heard *h)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (ev->flows.list[i].vpn->l4proto == h->l4proto &&
		    host_equal(&ev->flows.list[i].src, &h->src) &&
		    host_equal(&ev->flows.list[i].dst, &h->dst))
			return true;
	return false;
}

/* Another client's connection with the same server, under the same outer address. */
static const struct flow *holder(const struct evidence *ev, const struct heard *h)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if (f->vpn->l4proto == h->l4proto && host_equal(&f->dst, &h->dst) &&
		    !host_equal(&f->src, &h->src) && !host_equal(&f->src, &f->reply_dst) &&
		    network_is_local(&ev->net, &f->reply_dst))
			return f;
	}
	return NULL;
}

static bool is_shut_out(const struct evidence *ev, const struct heard *h)
{
	return !h->out && is_portless(vpn_of(h->l4proto, h->dport)) &&
	       !network_is_local(&ev->net, &h->src) && !network_is_local(&ev->net, &h->dst) &&
	       !has_flow(ev, h);
}

static void add_help(struct finding *f, const struct evidence *ev, const char *proto)
{
	if (!ours_proto(&ev->ours, proto))
		finding_command(f, xasprintf("modprobe %s", module_of(proto)));
	else
		finding_command(f, xasprintf("vpnpass set %s on", proto));
}

static void report_clash(const struct evidence *ev, struct report *r, const struct heard *h,
			 const struct flow *other)
{
	const struct vpn *vpn = vpn_of(h->l4proto, h->dport);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], one[INET6_ADDRSTRLEN];
	bool helped = ours_helps(&ev->ours, vpn->proto);
	struct finding *f;

	f = found(r, "nat-clash", SEVERITY_ERROR, vpn->proto,
		  xasprintf("%s sends %s to %s, %u packets in %.1f s, none arrives: %s %s, %ju %s",
			    host_text(&h->src, src), vpn->title, host_text(&h->dst, dst), h->n,
			    ev->seconds, host_text(&other->src, one),
			    "has that connection, there are no ports to tell the two apart",
			    (uintmax_t)grew_by(ev, COUNTER_INSERT_FAILED),
			    "were dropped for it (insert_failed in conntrack -S)"),
		  helped ? SAY("vpnpass helps here, but did not help this client: see its limits",
			       "with vpnpass stats.") :
			   SAY("Have vpnpass tell the two apart, or let the VPN use NAT-T:"));
	if (!helped)
		add_help(f, ev, vpn->proto);
}

/* A client heard while the doctor looked, that has no connection as another has it. */
static bool find_live_clash(const struct evidence *ev, struct report *r)
{
	const struct flow *other;
	bool told = false;
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *h = &ev->ear.list[i];

		if (!is_shut_out(ev, h))
			continue;
		other = holder(ev, h);
		if (!other)
			continue;
		report_clash(ev, r, h, other);
		told = true;
	}
	return told;
}

/* Native ESP of a client through plain NAT, that works. */
static bool is_unhelped(const struct evidence *ev, const struct flow *f)
{
	return f->vpn->helped && is_portless(f->vpn) && strcmp(f->vpn->proto, "pptp") &&
	       !ours_helps(&ev->ours, f->vpn->proto) && flow_answered(f) &&
	       flow_goes_out(f, &ev->net) && !network_is_local(&ev->net, &f->src) &&
	       !host_equal(&f->src, &f->reply_dst);
}

static void report_one_client(const struct evidence *ev, struct report *r, const struct flow *flow)
{
	uint64_t failed = ev->after.value[COUNTER_INSERT_FAILED].value;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], more[200] = "";
	struct finding *f;

	if (failed)
		snprintf(more, sizeof(more), "; since the start %ju packets %s (insert_failed)",
			 (uintmax_t)failed, "were dropped, as their connection was like another's");
	f = found(r, "one-client", SEVERITY_INFO, flow->vpn->proto,
		  xasprintf("%s uses %s with %s through plain NAT, %s%s",
			    host_text(&flow->src, src), flow->vpn->title,
			    host_text(&flow->dst, dst),
			    "which has room for one such client of a server", more),
		  SAY("If a second device is to use this server, have vpnpass tell them apart:"));
	add_help(f, ev, flow->vpn->proto);
}

static void find_one_client(const struct evidence *ev, struct report *r)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		if (!is_unhelped(ev, &ev->flows.list[i]))
			continue;
		report_one_client(ev, r, &ev->flows.list[i]);
		return;
	}
}

void check_conntrack(const struct evidence *ev, struct report *r)
{
	find_full(ev, r);
	if (!find_live_clash(ev, r))
		find_one_client(ev, r);
}
