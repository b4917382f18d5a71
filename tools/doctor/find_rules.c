// SPDX-License-Identifier: GPL-2.0
/*
 * nft-drop: a firewall rule, or the policy of a chain, drops what a VPN sends
 * or what comes back. A LAN that may not even surf is meant to be shut off and
 * is passed over, unless all are.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "firewall.h"

/**
 * struct drop - Packets of one kind meet their end at one place.
 * @place: The place.
 * @vpn: Their kind; NULL for all packets.
 * @all: All VPNs of ours meet it there.
 * @done: Reported.
 * @suspected: It is certain for some of them only, but has happened.
 * @doubted: A rule before may accept some.
 * @reply: They are answers.
 * @own: They are of the router itself, which is no passthrough.
 * @shut: Nor may this LAN surf, so that it matters only if no LAN may.
 * @in: Where they come in, as a name.
 * @out: Where they would leave.
 */
struct drop {
	struct place place;
	const struct vpn *vpn;
	bool all, done, suspected, doubted, reply, own, shut;
	const char *in, *out;
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

static void take(const struct crossing *c, void *data)
{
	const struct judgement *j = c->j;
	struct drops *d = data;
	struct drop drop = {
		.place = j->dropped.chain ? j->dropped :
			 j->suspect.chain ? j->suspect : j->doubted,
		.vpn = c->vpn,
		.suspected = !j->dropped.chain && j->suspect.chain,
		.doubted = !j->dropped.chain && !j->suspect.chain,
		.reply = c->packet->reply,
		.in = name_of(c->packet->in),
		.out = name_of(c->packet->out),
		.own = !c->packet->in || !c->packet->out,
		.shut = c->control->dropped.chain,
	}, *same;

	/* how far the router itself may go is its admin's affair, but for a rule */
	if (drop.own && (!c->vpn || !drop.place.rule || drop.doubted))
		return;
	d->crossed |= !drop.own;
	if (!c->vpn) {
		d->passed[drop.reply] |= !j->dropped.chain;
		if (j->dropped.chain && !d->control[drop.reply].place.chain)
			d->control[drop.reply] = drop;
		return;
	}
	d->vpn_passed[drop.reply] |= !drop.own && c->vpn->helped && !drop.place.chain;
	if (!drop.place.chain || (drop.shut && !c->vpn->helped) ||
	    (drop.doubted && c->control->doubted.chain))
		return;
	same = same_place_and_vpn(d, &drop);
	if (same) {
		same->shut &= drop.shut;
		return;
	}
	d->list = xgrow(d->list, d->n, sizeof(*d->list));
	d->list[d->n++] = drop;
}

static bool is_iptables(const struct nft_chain *chain)
{
	const char *p;

	for (p = chain->name; *p && !islower((unsigned char)*p); p++)
		;
	return chain->type && !*p;
}

/* "table inet filter, chain forward, handle 7" */
static char *place_text(const struct place *place)
{
	const char *family = nft_family_name(place->chain->family);

	if (place->rule)
		return xasprintf("the rule in table %s %s, chain %s, handle %ju%s", family,
				 place->chain->table, place->chain->name,
				 (uintmax_t)place->rule->handle,
				 is_iptables(place->chain) ? " (made by iptables)" : "");
	return xasprintf("the policy of table %s %s, chain %s", family, place->chain->table,
			 place->chain->name);
}

/* The rules that accept these packets, as nft's add and insert take them. */
static char *accept_text(const struct drop *drop, const char *where)
{
	const struct vpn *vpn = drop->vpn;

	if (drop->reply)
		return xasprintf("%s ct state established,related accept", where);
	if (!vpn)
		return xasprintf("%s iifname %s oifname %s accept", where, drop->in, drop->out);
	if (drop->all)
		return xasprintf("%s meta l4proto { 47, 50, 115 } accept; "
				 "%s udp dport { 500, 1701, 4500 } accept; "
				 "%s tcp dport 1723 accept", where, where, where);
	if (vpn->port)
		return xasprintf("%s %s dport %u accept", where,
				 vpn->l4proto == IPPROTO_TCP ? "tcp" : "udp", vpn->port);
	return xasprintf("%s meta l4proto %u accept", where, vpn->l4proto);
}

static char *advice_text(const struct drop *drop)
{
	const struct place *p = &drop->place;
	const char *family = nft_family_name(p->chain->family);
	char *chain = xasprintf("%s %s %s", family, p->chain->table, p->chain->name);
	char *where, *rules, *text;

	if (p->rule)
		where = xasprintf("insert rule %s handle %ju", chain, (uintmax_t)p->rule->handle);
	else
		where = xasprintf("add rule %s", chain);
	rules = accept_text(drop, where);
	if (p->rule)
		text = xasprintf("nft delete rule %s handle %ju, or accept before it: nft '%s'",
				 chain, (uintmax_t)p->rule->handle, rules);
	else
		text = xasprintf("Accept the packets: nft '%s'", rules);
	free(chain);
	free(where);
	free(rules);
	return text;
}

static char *counted_text(const struct drop *drop)
{
	if (!drop->place.counted)
		return xstrdup("");
	return xasprintf("; its counter says %ju packets", (uintmax_t)drop->place.packets);
}

static char *seen_text(const struct drop *drop)
{
	char *place = place_text(&drop->place), *counted = counted_text(drop), *text;
	const char *what = drop->all ? "all VPNs" : drop->vpn ? drop->vpn->title : "everything";

	if (drop->suspected)
		text = xasprintf("%s is about %s from %s to %s and has dropped %ju packets",
				 place, what, drop->in, drop->out,
				 (uintmax_t)drop->place.packets);
	else
		text = xasprintf("%s drops %s%s from %s to %s%s%s", place,
				 drop->reply ? "the answers of " : "", what, drop->in,
				 drop->out, drop->doubted ?
				 ", except what a rule before it accepts" : "", counted);
	free(place);
	free(counted);
	return text;
}

static void report_drop(struct report *r, const struct drop *drop)
{
	bool helped = drop->all || !drop->vpn || drop->vpn->helped;
	bool mild = drop->suspected || drop->doubted || drop->own || !helped;

	found(r, "nft-drop", mild ? SEVERITY_WARNING : SEVERITY_ERROR,
	      drop->all || !drop->vpn ? NULL : drop->vpn->proto, seen_text(drop),
	      advice_text(drop));
}

/* Whether every kind of packet that we help with ends at this place. */
static bool ends_all(const struct drops *d, const struct place *place)
{
	size_t i, k;

	for (i = 0; i < n_vpns; i++) {
		for (k = 0; k < d->n; k++) {
			const struct drop *drop = &d->list[k];

			if (drop->vpn == &vpns[i] && !drop->suspected && !drop->doubted &&
			    !drop->own && same_place(&drop->place, place))
				break;
		}
		if (vpns[i].helped && k == d->n)
			return false;
	}
	return true;
}

static void merge(struct drops *d, size_t first)
{
	size_t i;

	if (!ends_all(d, &d->list[first].place))
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
static void shut_lans(struct drops *d, struct report *r)
{
	bool told = false;
	size_t i;

	for (i = 0; i < 2; i++) {
		if (told || !d->crossed || d->passed[i] || d->vpn_passed[i])
			continue;
		report_drop(r, &d->control[i]);
		told = true;
	}
	for (i = 0; i < d->n; i++) {
		bool reply = d->list[i].reply;

		d->list[i].done = d->list[i].shut && (d->passed[reply] || !d->vpn_passed[reply]);
	}
}

static void run(const struct evidence *ev, struct report *r)
{
	struct drops d = {};
	size_t i;

	if (!ev->rules_known)
		return;
	firewall_cross(ev, take, &d);
	if (!d.crossed)
		not_examined(r, "what the firewall does to VPNs: no LAN or no way out was found");
	shut_lans(&d, r);
	for (i = 0; i < d.n; i++) {
		if (d.list[i].done)
			continue;
		merge(&d, i);
		report_drop(r, &d.list[i]);
	}
	free(d.list);
}

static struct check rules_check = {
	.rank = 10,
	.run = run,
};

CHECK(rules_check)
