// SPDX-License-Identifier: GPL-2.0
/*
 * Clients and the gateways that they had to do with lately, by their connections, by our
 * sessions and by what was heard; see contacts.h.
 */
#include <stdlib.h>
#include <string.h>

#include "contacts.h"

/* A host that asks more gateways than this is no ordinary client. */
#define CONTACTS_MAX	16

static struct contact *contact_of(struct evidence *ev, const struct host *client,
				  const struct host *server)
{
	size_t i;

	for (i = 0; i < ev->n_contacts; i++)
		if (host_equal(&ev->contacts[i].client, client) &&
		    host_equal(&ev->contacts[i].server, server))
			return &ev->contacts[i];
	if (ev->n_contacts == CONTACTS_MAX)
		return NULL;
	ev->contacts = xgrow(ev->contacts, ev->n_contacts, sizeof(*ev->contacts));
	ev->contacts[ev->n_contacts] = (struct contact){ *client, *server, 0 };
	return &ev->contacts[ev->n_contacts++];
}

/* Whether one VPN has both kinds of packets: IPsec has three, PPTP two. */
static bool go_together(const struct vpn *a, const struct vpn *b)
{
	return a == b || (vpn_is_ipsec(a) && vpn_is_ipsec(b)) ||
	       (!strcmp(a->proto, "pptp") && !strcmp(b->proto, "pptp"));
}

static uint32_t kinds_with(const struct vpn *vpn)
{
	uint32_t kinds = 0;
	size_t i;

	for (i = 0; i < n_vpns; i++)
		if (go_together(&vpns[i], vpn))
			kinds |= 1U << i;
	return kinds;
}

/* The router's own, such as a probe, and what comes from outside are no client's. */
static void add(struct evidence *ev, const struct vpn *vpn, const struct host *client,
		const struct host *server)
{
	struct contact *c;

	if (!vpn || network_is_local(&ev->net, client) || network_is_local(&ev->net, server) ||
	    !network_lan_of(&ev->net, client) || network_lan_of(&ev->net, server) ||
	    !(host_is_global(server) || host_is_private(server)))
		return;
	c = contact_of(ev, client, server);
	if (c)
		c->kinds |= kinds_with(vpn);
}

static void add_session(struct evidence *ev, const struct session *s)
{
	struct host client, server;
	size_t i;

	if (!host_parse(&client, s->client) || !host_parse(&server, s->peer))
		return;
	for (i = 0; i < n_vpns; i++)
		if (!strcmp(vpns[i].proto, s->proto))
			add(ev, &vpns[i], &client, &server);
}

/**
 * contacts_find - Learn who had to do with whom lately.
 * @ev: The evidence, which keeps it.
 */
void contacts_find(struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->ear.n; i++) {
		const struct heard *h = &ev->ear.list[i];

		if (!h->out && !h->look)
			add(ev, vpn_of(h->l4proto, h->dport), &h->src, &h->dst);
	}
	for (i = 0; i < ev->flows.n; i++)
		add(ev, ev->flows.list[i].vpn, &ev->flows.list[i].src, &ev->flows.list[i].dst);
	for (i = 0; i < ev->ours.n_sessions; i++)
		add_session(ev, &ev->ours.sessions[i]);
}
