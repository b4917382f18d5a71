// SPDX-License-Identifier: GPL-2.0
/*
 * Packets sent in thought through the ruleset; see firewall.h.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/progress.h"
#include "../contacts.h"
#include "firewall.h"

#define CONTROL_PORT	443

static const struct vpn control_vpn = {
	.l4proto = IPPROTO_TCP, .port = CONTROL_PORT,
}, control_udp = {
	.l4proto = IPPROTO_UDP, .port = CONTROL_PORT,
};

static void know_prefix(uint8_t *bytes, uint8_t *known, const struct link_address *a)
{
	size_t i;

	for (i = 0; i < host_length(&a->address); i++) {
		known[i] = prefix_mask(a->prefix, i);
		bytes[i] = a->address.bytes[i] & known[i];
	}
}

static void know(uint8_t *bytes, uint8_t *known, const struct host *host)
{
	memcpy(bytes, host->bytes, host_length(host));
	memset(known, 0xff, host_length(host));
}

/**
 * prefix_has - Whether an address is in a network, as far as it is known.
 * @net: Address of the network.
 * @prefix: Length of its prefix in bits; of 0 it has all.
 * @address: The address.
 * @known: The bits of it that are.
 */
enum truth prefix_has(const void *net, int prefix, const uint8_t *address, const uint8_t *known)
{
	const uint8_t *bytes = net;
	enum truth truth = YES;
	size_t i;

	for (i = 0; prefix > 8 * (int)i; i++) {
		uint8_t mask = prefix_mask(prefix, i);

		if ((address[i] ^ bytes[i]) & mask & known[i])
			return NO;
		if (mask & ~known[i])
			truth = MAYBE_SO;
	}
	return truth;
}

/**
 * answer_to_client - Undo the NAT of an answer.
 * @ev: The evidence.
 * @c: The crossing that it is of.
 * @p: The packet; gets the client's address, or the prefix of its LAN.
 */
void answer_to_client(const struct evidence *ev, const struct crossing *c, struct packet *p)
{
	int family = p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	const struct link_address *lan = network_next(&ev->net, p->out->index, family, NULL);
	const struct host *client = c->contact ? &c->contact->client : ev->from;

	if (client)
		know(p->dst, p->dst_known, client);
	else if (lan)
		know_prefix(p->dst, p->dst_known, lan);
}

/* Answers to the LAN are not translated back yet. */
static void know_hosts(struct packet *p, const struct host *to, const struct host *from)
{
	if (to && !p->reply)
		know(p->dst, p->dst_known, to);
	else if (to)
		know(p->src, p->src_known, to);
	if (from && !p->reply && p->in)
		know(p->src, p->src_known, from);
}

/* Where a client is behind another router of the LAN's, its packets have that one's. */
static void know_mac(struct packet *p, const struct network *net, const struct host *client)
{
	const uint8_t *mac;

	p->one_client = client;
	mac = client && !p->reply && p->in ? network_mac(net, p->in->index, client) : NULL;
	p->mac_known = mac;
	if (mac)
		memcpy(p->mac, mac, sizeof(p->mac));
}

/* The peer is mostly not known; the client, up to what the LAN has in common. */
static struct packet make_packet(const struct vpn *vpn, const struct link_address *lan,
				 const struct link *in, const struct link *out, bool reply)
{
	struct packet p = {
		.family = lan->address.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
		.l4proto = vpn->l4proto,
		.reply = reply,
		.in = reply ? out : in,
		.out = reply ? in : out,
		.sport = reply ? vpn->port : vpn->source,
		.dport = reply ? vpn->source : vpn->port,
	};

	/* where NAT is not undone yet, an answer goes to the router's address */
	if (!reply)
		know_prefix(p.src, p.src_known, lan);
	return p;
}

/**
 * struct crossed - One packet that was judged, kept for the other checks.
 * @vpn: Its kind, NULL for the control packet.
 * @packet: The packet.
 * @j: The judgement.
 * @control: Index of the control packet's.
 * @contact: Whose it is, or NULL.
 */
struct crossed {
	const struct vpn *vpn;
	struct packet packet;
	struct judgement j;
	size_t control;
	const struct contact *contact;
};

/**
 * struct crossroad - Where packets come in and go out.
 * @lan: The address on the inner side.
 * @in: The interface there, NULL for the router itself.
 * @out: The way out.
 * @port: The port of @in, where that is a bridge and it matters.
 * @contact: The client and the gateway whose packets they are, NULL for those of all.
 */
struct crossroad {
	const struct link_address *lan;
	const struct link *in, *out, *port;
	const struct contact *contact;
};

static struct crossed *keep(struct evidence *ev, const struct vpn *vpn,
			    const struct packet *packet, size_t control,
			    const struct contact *contact)
{
	struct crossed *c;

	ev->crossed = xgrow(ev->crossed, ev->n_crossed, sizeof(*ev->crossed));
	c = &ev->crossed[ev->n_crossed++];
	*c = (struct crossed){ .vpn = vpn, .packet = *packet, .control = control,
			       .contact = contact };
	return c;
}

static struct packet crossing_packet(const struct evidence *ev, const struct vpn *vpn,
				     const struct crossroad *c, bool reply)
{
	struct packet p = make_packet(vpn, c->lan, c->in, c->out, reply);

	if (reply)
		p.out_port = c->port;
	else
		p.in_port = c->port;
	if (c->contact)
		know_hosts(&p, &c->contact->server, &c->contact->client);
	else
		know_hosts(&p, ev->to, ev->from);
	know_mac(&p, &ev->net, c->contact ? &c->contact->client : ev->from);
	return p;
}

/* That of all hosts, by the same interfaces */
static size_t control_of(const struct evidence *ev, const struct packet *p)
{
	size_t i;

	for (i = 0; i < ev->n_crossed; i++) {
		const struct crossed *c = &ev->crossed[i];

		if (!c->vpn && c->packet.in == p->in && c->packet.out == p->out &&
		    c->packet.family == p->family && c->packet.reply == p->reply)
			return i;
	}
	return 0;
}

static void cross(struct evidence *ev, const struct crossroad *c, bool reply)
{
	struct packet tcp = crossing_packet(ev, &control_vpn, c, reply);
	struct packet udp = crossing_packet(ev, &control_udp, c, reply);
	const struct packet *const controls[] = { &tcp, &udp, NULL };
	size_t i, control = c->contact ? control_of(ev, &tcp) : ev->n_crossed;
	struct packet packet;

	if (!c->contact)
		judge_packet(&ev->rules, &tcp, NULL, &keep(ev, NULL, &tcp, control, NULL)->j);
	for (i = 0; i < n_vpns; i++) {
		if (c->contact && !(c->contact->kinds & 1U << i))
			continue;
		packet = crossing_packet(ev, &vpns[i], c, reply);
		packet.related = vpns[i].l4proto == IPPROTO_GRE && ours_helps(&ev->ours, "pptp");
		judge_packet(&ev->rules, &packet, controls,
			     &keep(ev, &vpns[i], &packet, control, c->contact)->j);
	}
}

static void cross_both(struct evidence *ev, const struct crossroad *c)
{
	cross(ev, c, false);
	cross(ev, c, true);
}

/* Where a LAN is a bridge, rules may be about one of its ports. */
static void cross_ports(struct evidence *ev, struct crossroad c)
{
	bool matters = ev->rules.ports && !strcmp(c.in->kind, "bridge");
	size_t i, n = 0;

	for (i = 0; matters && i < ev->net.n_links; i++) {
		c.port = &ev->net.links[i];
		if (c.port->master != c.in->index || !c.port->up)
			continue;
		cross_both(ev, &c);
		n++;
	}
	c.port = NULL;
	if (!n)
		cross_both(ev, &c);
}

static bool has_global(const struct network *net, unsigned int index, int family)
{
	const struct link_address *a = NULL;

	while ((a = network_next(net, index, family, a)))
		if (host_is_global(&a->address))
			return true;
	return false;
}

/* Where the routes of a family lead out by others, this one does not. */
static bool leads_elsewhere(const struct network *net, const struct link *out, int family)
{
	bool elsewhere = false;
	size_t i;

	for (i = 0; i < net->n_ways; i++) {
		if (net->ways[i].family != family)
			continue;
		if (net->ways[i].index == out->index)
			return false;
		elsewhere = true;
	}
	return elsewhere;
}

/*
 * IPv4 needs no address to go out by a tunnel or a PPP link; IPv6 matters where it leads
 * out, and from addresses that can go there.
 */
static bool crosses(const struct network *net, const struct link_address *lan,
		    const struct link *out)
{
	if (leads_elsewhere(net, out, lan->address.family))
		return false;
	if (lan->address.family == AF_INET)
		return network_next(net, out->index, AF_INET, NULL) || link_is_tunnel(out);
	return (host_is_global(&lan->address) || host_is_private(&lan->address)) &&
	       has_global(net, out->index, AF_INET6);
}

/* A host of the Internet's that nobody has (RFC 5737, RFC 3849) stands for all that is outside. */
static void set_outside(struct host *host, int family)
{
	host_parse(host, family == AF_INET ? "192.0.2.1" : "2001:db8:ffff:ffff::1");
}

/* As if a client sent a packet of the Web: rules may mark that, and its way go by the mark. */
static bool find_mark(const struct evidence *ev, const struct crossroad *c, uint32_t *mark)
{
	struct packet tcp = crossing_packet(ev, &control_vpn, c, false);
	struct judgement j;

	judge_packet(&ev->rules, &tcp, NULL, &j);
	*mark = j.mark;
	return j.mark_known;
}

/*
 * By rules of policy routing a LAN may leave by another interface than the default routes of the
 * main table, such as a tunnel; this returns that one, or NULL.
 */
static const struct link *other_exit(const struct evidence *ev, const struct crossroad *c)
{
	struct host outside, client = c->lan->address;
	struct question q = { .to = &outside, .from = &client, .in = c->in->index };
	const struct link *out;
	struct route way;

	set_outside(&outside, client.family);
	host_neighbour(&client);
	if (ev->to || !find_mark(ev, c, &q.mark))
		return NULL;
	route_get(&way, &q);
	out = way.error || way.local ? NULL : network_link(&ev->net, way.out);
	return out && !out->wan && out != c->in ? out : NULL;
}

static void cross_from(struct evidence *ev, const struct link *in, const struct link *out)
{
	static const int families[] = { AF_INET, AF_INET6 };
	const struct link_address *lan;
	const struct link *other;
	struct crossroad c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		if (ev->to && ev->to->family != families[i])
			continue;
		lan = NULL;
		do {
			lan = network_next(&ev->net, in->index, families[i], lan);
		} while (lan && !crosses(&ev->net, lan, out));
		if (!lan)
			continue;
		c = (struct crossroad){ .lan = lan, .in = in, .out = out };
		other = other_exit(ev, &c);
		c.out = other ? other : out;
		cross_ports(ev, c);
	}
}

/* The ways out; if it is known who is asked, those that lead there. */
static bool is_exit(const struct evidence *ev, const struct link *link)
{
	if (ev->to)
		return !ev->route.error && !ev->route.local &&
		       route_leaves_by(&ev->route, link->index);
	return link->wan && link->up;
}

static bool is_entrance(const struct evidence *ev, const struct link *link,
			const struct link *out)
{
	if (link == out || !network_is_lan(&ev->net, link))
		return false;
	return !ev->from || network_reaches(&ev->net, link, ev->from);
}

/**
 * firewall_judge - Send every VPN's packets from each LAN and from the router to each
 * way out, once, for firewall_cross().
 * @ev: The evidence, which keeps what becomes of them.
 */
void firewall_judge(struct evidence *ev)
{
	const struct network *net = &ev->net;
	const struct link_address *own;
	size_t i, k;

	progress_begin("looking at the firewall's rules");
	for (i = 0; i < net->n_links; i++) {
		progress_at(i, net->n_links);
		for (k = 0; k < net->n_links; k++)
			if (is_exit(ev, &net->links[k]) &&
			    is_entrance(ev, &net->links[i], &net->links[k]))
				cross_from(ev, &net->links[i], &net->links[k]);
	}
	progress_end();
	for (k = 0; k < net->n_links; k++) {
		own = network_next(net, net->links[k].index,
				   ev->to ? ev->to->family : AF_INET, NULL);
		if (!is_exit(ev, &net->links[k]) || !own)
			continue;
		cross_both(ev, &(struct crossroad){ .lan = own, .out = &net->links[k] });
	}
}

/**
 * firewall_may_drop - Whether it depends on addresses and the like that are not known if rules
 * drop what a LAN sends.
 * @ev: The evidence, after firewall_judge().
 */
bool firewall_may_drop(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->n_crossed; i++)
		if (ev->crossed[i].vpn && ev->crossed[i].packet.in && ev->crossed[i].packet.out &&
		    !ev->crossed[i].j.dropped.chain && ev->crossed[i].j.may_drop)
			return true;
	return false;
}

static void cross_contact(struct evidence *ev, const struct contact *contact)
{
	struct question q = { .to = &contact->server, .from = &contact->client };
	struct crossroad c = { .in = network_lan_of(&ev->net, &contact->client),
			       .contact = contact };
	struct route way;
	size_t i;

	q.in = c.in->index;
	route_get(&way, &q);
	c.lan = network_next(&ev->net, c.in->index, contact->client.family, NULL);
	for (i = 0; i < ev->net.n_links; i++) {
		c.out = &ev->net.links[i];
		if (c.out != c.in && c.out->up &&
		    (way.error ? c.out->wan : c.out->index == way.out))
			cross_ports(ev, c);
	}
}

/**
 * firewall_judge_contacts - Send the packets of each client for each gateway that it had to do
 * with lately, also for firewall_cross().
 * @ev: The evidence, after firewall_judge() and contacts_find().
 */
void firewall_judge_contacts(struct evidence *ev)
{
	size_t i;

	/* without a control packet there is no LAN or no way out */
	for (i = 0; i < ev->n_contacts && ev->n_crossed; i++)
		cross_contact(ev, &ev->contacts[i]);
}

/**
 * firewall_cross - Tell what becomes of each packet.
 * @ev: The evidence, after firewall_judge().
 * @take: Told of each.
 * @data: For @take.
 */
void firewall_cross(const struct evidence *ev, crossing_take take, void *data)
{
	size_t i;

	for (i = 0; i < ev->n_crossed; i++) {
		const struct crossed *c = &ev->crossed[i];
		struct crossing crossing = {
			.vpn = c->vpn, .packet = &c->packet, .j = &c->j,
			.control = &ev->crossed[c->control].j, .contact = c->contact,
		};

		take(&crossing, data);
	}
}

/**
 * firewall_masquerades - Whether the source of what a LAN sends out by an interface is
 * translated for certain.
 * @net: The network.
 * @rs: The ruleset.
 * @out: The interface.
 */
bool firewall_masquerades(const struct network *net, const struct ruleset *rs,
			  const struct link *out)
{
	const struct link_address *lan = NULL;
	struct judgement j;
	struct packet p;

	while ((lan = network_next(net, 0, AF_INET, lan))) {
		const struct link *in = network_link(net, lan->index);

		if (!in || in == out || in->loopback)
			continue;
		p = make_packet(&control_vpn, lan, in, out, false);
		judge_packet(rs, &p, NULL, &j);
		if (j.masqueraded == YES)
			return true;
	}
	return false;
}

/**
 * firewall_find_wan - Without a default route, what leads out is where
 * addresses are translated; if that is nowhere or everywhere, where the router
 * has a public address.
 * @net: The network, its interfaces are marked.
 * @rs: The ruleset.
 */
void firewall_find_wan(struct network *net, const struct ruleset *rs)
{
	size_t i, up = 0, n = 0;

	for (i = 0; i < net->n_links && !net->default_route; i++) {
		struct link *link = &net->links[i];

		if (!link->up || link->loopback || !network_next(net, link->index, AF_INET, NULL))
			continue;
		link->wan = firewall_masquerades(net, rs, link);
		n += link->wan;
		up++;
	}
	if (net->default_route || (n && n < up))
		return;
	for (i = 0; i < net->n_links; i++)
		net->links[i].wan = net->links[i].up && !net->links[i].loopback &&
				    has_global(net, net->links[i].index, AF_INET);
}
