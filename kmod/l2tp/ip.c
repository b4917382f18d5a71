// SPDX-License-Identifier: GPL-2.0
/*
 * L2TPv3 over IP (protocol 115, RFC 3931 4.1.1): whose a server's packet is.
 * IDs that clients have been heard to agree on have their pins. Tunnels without a
 * control connection ("ip l2tp") have none that were heard: the server's IDs
 * are found out by the addresses in Ethernet frames (ether.c), or else by whose
 * turn it is (turn.c). Nothing is guessed of data: what cannot be told is dropped and
 * counted. A control message that bears nobody's ID goes to who was there first, which
 * discards what is not its own.
 */
#include <net/netfilter/nf_conntrack_core.h>

#include "../compat/compat.h"
#include "ip.h"

#define GROUP_STEPS	16	/* clients looked at for one packet */

static u32 window(const struct l2tp_session *ls)
{
	return vpnpass_setting(ls->s.vn, &l2tp_proto, L2TP_SET_PAIRING_WINDOW);
}

/**
 * l2tp_ip_data() - data of a client's go out on an ID that has no pin
 * @ls: its session
 * @pkt: the packet
 * @id: the server's session ID
 *
 * Context: softirq, RCU read side, l2tp_net.lock held.
 * Return: verdict; who sends for the first time may have to wait for others.
 */
unsigned int l2tp_ip_data(struct l2tp_session *ls,
			  const struct vpnpass_pkt *pkt, u32 id)
{
	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (!ls->spare)
		ls->spare = vpnpass_pin_alloc(ls->s.vn);
	if (l2tp_ether_out(ls, pkt, id))
		return NF_ACCEPT;
	if (!l2tp_turn_out(&ls->group->turns, &ls->client, id, window(ls),
			   vpnpass_now())) {
		l2tp_count(ls->s.vn, L2TP_CNT_WAITED);
		return NF_DROP;
	}
	if (ls->client.answer)
		l2tp_id_add(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION, id);
	return NF_ACCEPT;
}

/* On stock the client that was there first has all that comes. Of what cannot be read
 * (@h is NULL) nothing says that it is for one of several.
 */
static bool give_first(struct vpnpass_pkt *pkt, const struct l2tp_group *g,
		       const struct l2tp_head *h)
{
	struct l2tp_session *ls;
	int steps = GROUP_STEPS;

	if (!h && g->turns.n > 1)
		return false;
	list_for_each_entry(ls, &g->turns.clients, client.node) {
		if (!steps--)
			break;
		/* A connection may be dead and not yet swept. */
		if (vpnpass_attach_packet(&ls->s, pkt->skb, IP_CT_DIR_REPLY))
			return true;
	}
	return false;
}

/* The session of data with an ID that nobody was heard to choose. Lock held. */
static struct l2tp_session *owner_of(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				     struct l2tp_group *g, u32 id)
{
	u32 now = vpnpass_now();
	struct l2tp_session *ls;
	struct l2tp_client *c;
	bool proven;

	ls = l2tp_ether_in(vn, pkt, id);
	if (ls)
		return ls;
	l2tp_group_ask_anew(g, now);
	c = l2tp_turn_in(&g->turns, id, now, &proven);
	if (!c)
		return NULL;
	ls = container_of(c, struct l2tp_session, client);
	if (proven && l2tp_id_found(ls, id))
		c->answer = id;
	return ls;
}

static bool give_owner(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
		       struct l2tp_group *g, u32 id)
{
	struct l2tp_session *ls = owner_of(vn, pkt, g, id);

	pkt->done = ls && vpnpass_attach_packet(&ls->s, pkt->skb, IP_CT_DIR_REPLY);
	return pkt->done;
}

/* The router's own L2TP, or an entry from before us. */
static bool stock_flow(const struct vpnpass_pkt *pkt)
{
	return vpnpass_flow_is_stock(pkt, vpnpass_skb_zone(pkt->skb));
}

static unsigned int deliver(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			    struct l2tp_group *g, const struct l2tp_head *h)
{
	bool given = h && !h->control ? give_owner(vn, pkt, g, h->id) : give_first(pkt, g, h);

	if (given)
		return NF_ACCEPT;
	l2tp_count(vn, L2TP_CNT_UNKNOWN);
	return NF_DROP;
}

static struct vpnpass_peer_key group_key(const struct vpnpass_pkt *pkt)
{
	return (struct vpnpass_peer_key) {
		.addr = pkt->key.src,
		.local = pkt->key.dst,
		.zone = vpnpass_arrival_zone(pkt->skb, IP_CT_DIR_REPLY),
		.family = pkt->key.family,
	};
}

/* No pin. From a server that clients use, nothing goes on to the router. */
static unsigned int unknown(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			    const struct l2tp_head *h)
{
	struct vpnpass_peer_key key = group_key(pkt);
	struct l2tp_net *ln = l2tp_net(vn);
	unsigned int verdict = NF_ACCEPT;
	struct l2tp_group *g;

	if (!l2tp_group_find(ln, &key) || stock_flow(pkt))
		return NF_ACCEPT;
	spin_lock_bh(&ln->lock);
	g = l2tp_group_find(ln, &key);
	if (g)
		verdict = deliver(vn, pkt, g, h);
	spin_unlock_bh(&ln->lock);
	return verdict;
}

/**
 * l2tp_ip_miss() - a packet of protocol 115 that the core did not attach
 * @vn: netns
 * @pkt: the packet
 *
 * Context: softirq, RCU read side.
 * Return: verdict.
 */
unsigned int l2tp_ip_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct vpnpass_pin *pin;
	struct l2tp_head h;

	if (!l2tp_read_head(pkt, &h)) {
		l2tp_count(vn, VPNPASS_CNT_MALFORMED);
		return unknown(vn, pkt, NULL);
	}
	if (!h.control)
		return unknown(vn, pkt, &h);
	pin = l2tp_pin_find(vn, pkt, h.kind, h.id);
	if (pin && vpnpass_attach_packet(pin->session, pkt->skb, pin->dir)) {
		WRITE_ONCE(pin->last, vpnpass_now());
		return NF_ACCEPT;
	}
	return unknown(vn, pkt, &h);
}

static struct vpnpass_session *last_used(const struct l2tp_group *g)
{
	struct vpnpass_session *last = NULL;
	struct l2tp_session *ls;
	int steps = GROUP_STEPS;

	list_for_each_entry(ls, &g->turns.clients, client.node) {
		if (!steps--)
			break;
		last = vpnpass_session_later(last, &ls->s);
	}
	return last;
}

/**
 * l2tp_ip_quoted() - the client whose packet an ICMP error quotes, as far as can be told
 * @vn: netns
 * @pkt: the quote; of a control message it may end before the connection's ID
 * @known: conntrack knows its flow
 *
 * Context: softirq, RCU read side.
 * Return: the server's only client, of several that which was heard last when there is
 * no ID to go by, or NULL.
 */
struct vpnpass_session *l2tp_ip_quoted(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
				       bool known)
{
	struct vpnpass_peer_key key = {
		.addr = pkt->key.dst,
		.local = pkt->key.src,
		.zone = pkt->key.zone,
		.family = pkt->key.family,
	};
	struct l2tp_net *ln = l2tp_net(vn);
	struct vpnpass_session *s = NULL;
	struct l2tp_group *g;
	const __be32 *id;
	__be32 buf;

	id = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), &buf);
	if (known || pkt->key.l4proto == IPPROTO_UDP || !id)
		return NULL;
	spin_lock_bh(&ln->lock);
	g = l2tp_group_find(ln, &key);
	if (g && (!*id || g->turns.n == 1))
		s = last_used(g);
	spin_unlock_bh(&ln->lock);
	return s;
}
