// SPDX-License-Identifier: GPL-2.0
/*
 * nft-drop: a firewall rule, or the policy of a chain, drops what a VPN sends
 * or what comes back. A LAN that may not even surf is meant to be shut off and
 * is passed over, unless all are.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "../advice.h"
#include "../contacts.h"
#include "../place.h"
#include "../rules/firewall.h"
#include "checks.h"

/**
 * struct drop - Packets of one kind meet their end at one place.
 * @place: The place.
 * @vpn: Their kind; NULL for all packets.
 * @all: All VPNs of ours meet it there.
 * @done: Reported.
 * @suspected: It is certain for some of them only, but has happened.
 * @doubted: A rule before may accept some.
 * @reply: They are answers.
 * @both: Their answers meet it there as well.
 * @own: They are of the router itself, which is no passthrough.
 * @shut: Nor may this LAN surf, so that it matters only if no LAN may.
 * @in: Where they come in, as a name.
 * @out: Where they would leave.
 * @lan: All LANs that they are of.
 * @wan: All ways out that they would take.
 * @contact: They are one client's for one gateway, NULL for those of all.
 */
struct drop {
	struct place place;
	const struct vpn *vpn;
	bool all, done, suspected, doubted, reply, both, own, shut;
	const char *in, *out;
	struct names lan, wan;
	const struct contact *contact;
};

struct drops {
	struct drop *list;
	size_t n;
	/* by direction: what surfs, and VPNs that we help */
	bool crossed, passed[2], vpn_passed[2];
	struct drop control[2];
};

static bool same_place(const struct place *a, const struct place *b)
{
	return a->chain == b->chain && a->rule == b->rule;
}

static struct drop *same_place_and_vpn(const struct drops *d, const struct drop *drop)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (same_place(&d->list[i].place, &drop->place) && d->list[i].vpn == drop->vpn)
			return &d->list[i];
	return NULL;
}

static const char *name_of(const struct link *link)
{
	return link ? link->name : "the router";
}

static void add_links(struct drop *drop, const struct packet *p)
{
	const struct link *lan = p->reply ? p->out : p->in, *wan = p->reply ? p->in : p->out;
	const struct link *port = p->reply ? p->out_port : p->in_port;

	if (lan && drop->place.base->family == NFPROTO_BRIDGE && port)
		names_add(&drop->lan, port->name);
	else if (lan)
		names_add(&drop->lan, lan->name);
	if (wan)
		names_add(&drop->wan, wan->name);
}

static void take_place(struct drops *d, const struct crossing *c, struct drop drop)
{
	struct drop *same = same_place_and_vpn(d, &drop);

	if (!same) {
		d->list = xgrow(d->list, d->n, sizeof(*d->list));
		same = &d->list[d->n++];
		*same = drop;
	} else if ((same->suspected || same->doubted) && !drop.suspected && !drop.doubted) {
		*same = drop;
	}
	same->shut &= drop.shut;
	same->both |= same->reply != drop.reply;
	add_links(same, c->packet);
}

static struct drop drop_of(const struct crossing *c)
{
	const struct judgement *j = c->j;

	return (struct drop){
		.place = j->dropped.chain ? j->dropped :
			 j->suspect.chain ? j->suspect : j->doubted,
		.vpn = c->vpn,
		.suspected = !j->dropped.chain && j->suspect.chain,
		.doubted = !j->dropped.chain && !j->suspect.chain,
		.reply = c->packet->reply,
		.in = name_of(c->packet->in),
		.out = name_of(c->packet->out),
		.own = !c->packet->in || !c->packet->out,
		.contact = c->contact,
		.shut = c->control->dropped.chain,
	};
}

static void take_control(struct drops *d, const struct crossing *c, const struct drop *drop)
{
	bool dropped = c->j->dropped.chain;
	struct drop *control = &d->control[drop->reply];

	d->passed[drop->reply] |= !dropped;
	if (!dropped)
		return;
	if (!control->place.chain)
		*control = *drop;
	if (same_place(&control->place, &drop->place))
		add_links(control, c->packet);
}

static void take(const struct crossing *c, void *data)
{
	struct drop drop = drop_of(c);
	struct drops *d = data;
	size_t i;

	/* how far the router itself may go is its admin's affair, but for a rule */
	if (drop.own && (!c->vpn || !drop.place.rule || drop.doubted))
		return;
	d->crossed |= !drop.own;
	if (!c->vpn) {
		take_control(d, c, &drop);
		return;
	}
	d->vpn_passed[drop.reply] |= !drop.own && c->vpn->helped && !drop.place.chain;
	if (!drop.place.chain || (drop.shut && !c->vpn->helped) ||
	    (drop.doubted && c->control->doubted.chain))
		return;
	take_place(d, c, drop);
	for (i = 0; !drop.own && c->j->dropped.chain && i < c->j->n_also; i++) {
		drop.place = c->j->also[i];
		take_place(d, c, drop);
	}
}

static char *counted_text(const struct drop *drop)
{
	if (!drop->place.counted)
		return xstrdup("");
	return xasprintf("; its counter says %ju packets", (uintmax_t)drop->place.packets);
}

static char *contact_text(const struct contact *c)
{
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];

	return !c ? xstrdup("") : xasprintf(", of %s with %s", host_text(&c->client, client),
					    host_text(&c->server, server));
}

static char *seen_text(const struct drop *drop)
{
	char *place = place_text(&drop->place), *counted = counted_text(drop), *text;
	const char *what = drop->all ? "all VPNs" : drop->vpn ? drop->vpn->title : "everything";
	char *whose = contact_text(drop->contact);

	if (drop->suspected)
		text = xasprintf("%s is about %s from %s to %s and has dropped %ju packets",
				 place, what, drop->in, drop->out,
				 (uintmax_t)drop->place.packets);
	else
		text = xasprintf("%s drops %s%s from %s to %s%s%s%s", place,
				 drop->reply ? "the answers of " : "", what, drop->in,
				 drop->out, whose, drop->doubted ?
				 ", except what a rule before it accepts" : "", counted);
	free(whose);
	free(place);
	free(counted);
	return text;
}

/* The host that is asked about, or that such packets go to now. */
static const struct host *peer_of(const struct evidence *ev, const struct drop *drop)
{
	size_t i;

	if (ev->to)
		return ev->to;
	if (drop->contact)
		return &drop->contact->server;
	for (i = 0; i < ev->flows.n; i++)
		if (ev->flows.list[i].vpn == drop->vpn &&
		    flow_goes_out(&ev->flows.list[i], &ev->net))
			return &ev->flows.list[i].dst;
	return NULL;
}

static void report_drop(const struct evidence *ev, struct report *r, const struct drop *drop)
{
	bool helped = drop->all || !drop->vpn || drop->vpn->helped;
	bool mild = drop->suspected || drop->doubted || drop->own || !helped;
	/* packets that a policy drops come to nothing there and back */
	bool both = drop->both || !drop->place.rule || !drop->vpn;
	struct wish wish = {
		.place = &drop->place, .vpn = drop->vpn, .all = drop->all,
		.there = !drop->reply || both, .back = drop->reply || both,
		.lan = drop->lan, .wan = drop->wan, .peer = peer_of(ev, drop),
		.peer_alone = drop->contact,
	};
	struct finding *f;

	f = found(r, "nft-drop", mild ? SEVERITY_WARNING : SEVERITY_ERROR,
		  drop->all || !drop->vpn ? NULL : drop->vpn->proto, seen_text(drop),
		  xstrdup(advice_words(&ev->rules, &wish)));
	add_cures(f, &ev->rules, &wish);
}

/* Whether every kind of packet that we help with, or that a contact has, ends at this place. */
static bool ends_all(const struct drops *d, const struct place *place,
		     const struct contact *contact)
{
	size_t i, k;

	for (i = 0; i < n_vpns; i++) {
		for (k = 0; k < d->n; k++) {
			const struct drop *drop = &d->list[k];

			if (drop->vpn == &vpns[i] && !drop->suspected && !drop->doubted &&
			    !drop->own && same_place(&drop->place, place))
				break;
		}
		if ((contact ? contact->kinds & 1U << i : vpns[i].helped) && k == d->n)
			return false;
	}
	return true;
}

static void merge(struct drops *d, size_t first)
{
	const struct contact *contact = d->list[first].contact;
	size_t i;

	/* a VPN of one kind of packet is called by its name */
	if ((contact && !(contact->kinds & (contact->kinds - 1))) ||
	    !ends_all(d, &d->list[first].place, contact))
		return;
	d->list[first].all = true;
	for (i = first + 1; i < d->n; i++)
		if (same_place(&d->list[i].place, &d->list[first].place))
			d->list[i].done = true;
}

/*
 * Where nothing surfs but some VPN passes, the others are named one by one; where
 * not even that, it is said once.
 */
static void shut_lans(const struct evidence *ev, struct drops *d, struct report *r)
{
	bool told = false;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (told || !d->crossed || d->passed[i] || d->vpn_passed[i])
			continue;
		report_drop(ev, r, &d->control[i]);
		told = true;
	}
	for (i = 0; i < d->n; i++) {
		bool reply = d->list[i].reply;

		d->list[i].done = d->list[i].shut && (d->passed[reply] || !d->vpn_passed[reply]);
	}
}

/**
 * struct gaps - Rules that drop something if what could not be found out is so.
 * @r: Where that is noted.
 * @told: Those that were.
 * @n: How many.
 */
struct gaps {
	struct report *r;
	const struct nft_rule *told[16];
	size_t n;
};

static void take_gap(const struct crossing *c, void *data)
{
	const struct place *unsure = &c->j->unsure;
	struct gaps *gaps = data;
	char *place;
	size_t i;

	if (!c->vpn || !c->packet->in || !c->packet->out || !unsure->chain || c->j->dropped.chain ||
	    gaps->n == ARRAY_SIZE(gaps->told))
		return;
	for (i = 0; i < gaps->n; i++)
		if (gaps->told[i] == unsure->rule)
			return;
	gaps->told[gaps->n++] = unsure->rule;
	place = place_text(unsure);
	not_examined(gaps->r, "whether %s drops %s: it depends on %s", place, c->vpn->title,
		     unsure->object);
	free(place);
}

/* A host without a LAN forwards for its containers only, if at all. */
static bool is_meant_to_forward(const struct network *net)
{
	size_t i;

	for (i = 0; i < net->n_links; i++)
		if (link_is_container(&net->links[i]))
			return false;
	return proc_number("net/ipv4/ip_forward").value;
}

void check_rules(const struct evidence *ev, struct report *r)
{
	struct drops d = {};
	size_t i;

	if (!ev->rules_known)
		return;
	firewall_cross(ev, take, &d);
	if (!d.crossed && !ev->route.error && is_meant_to_forward(&ev->net))
		not_examined(r, "what the firewall does to VPNs: no LAN or no way out was found");
	shut_lans(ev, &d, r);
	for (i = 0; i < d.n; i++) {
		if (d.list[i].done)
			continue;
		merge(&d, i);
		report_drop(ev, r, &d.list[i]);
	}
	free(d.list);
	firewall_cross(ev, take_gap, &(struct gaps){ .r = r });
}
