// SPDX-License-Identifier: GPL-2.0
/*
 * Messages from a gateway of our clients' on SPIs that nobody has a pin for.
 * Called by ike.c in PREROUTING. In this order:
 *
 * 1. The responder's SPI is known: that client.
 * 2. Stock NAT has such a flow, or the router listens on the port: not ours.
 * 3. The responder's SPI is zero, so the gateway begins an exchange: the client
 *    that has waited longest to be asked, one per message. A gateway repeats an
 *    unanswered message, which then goes to the next; who answers is pinned.
 * 4. An SA under way that nobody saw begin (an IKE SA is rekeyed under
 *    encryption, RFC 7296 section 2.18): clients that made SAs last come first,
 *    IKE_COPIES for each message. Only the right one can read it.
 *
 * Nothing is allocated that outlives the packet. Of one gateway's messages
 * UNKNOWN_MAX a second are handed on, and the rest, which nobody here would
 * read, is dropped.
 */
#include <linux/netdevice.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "ike.h"

#define IKE_COPIES	4	/* clients that one message goes to */
#define IKE_STEPS	16	/* sessions looked at for one message */
#define UNKNOWN_MAX	50	/* per second and gateway */

static bool listens_v4(const struct vpnpass_pkt *pkt)
{
#if IS_ENABLED(CONFIG_NF_TPROXY_IPV4) || IS_ENABLED(CONFIG_NF_SOCKET_IPV4)
	const __be16 port = htons(IKE_UDP_PORT);
	struct sock *sk;

	sk = udp4_lib_lookup(pkt->state->net, pkt->key.src.ip, port,
			     pkt->key.dst.ip, port, pkt->skb->dev->ifindex);
	if (sk)
		sock_put(sk);
	return sk;
#else
	return false;
#endif
}

static bool listens_v6(const struct vpnpass_pkt *pkt)
{
#if IS_BUILTIN(CONFIG_IPV6) && \
	(IS_ENABLED(CONFIG_NF_TPROXY_IPV6) || IS_ENABLED(CONFIG_NF_SOCKET_IPV6))
	const __be16 port = htons(IKE_UDP_PORT);
	struct sock *sk;

	sk = udp6_lib_lookup(pkt->state->net, &pkt->key.src.in6, port,
			     &pkt->key.dst.in6, port, pkt->skb->dev->ifindex);
	if (sk)
		sock_put(sk);
	return sk;
#else
	return false;
#endif
}

static bool router_wants(const struct vpnpass_pkt *pkt)
{
	return vpnpass_flow_is_stock(pkt, &nf_ct_zone_dflt) ||
	       (pkt->key.family == NFPROTO_IPV4 ? listens_v4(pkt) :
						  listens_v6(pkt));
}

/* Lock held. */
static bool too_many(struct vpnpass_net *vn, struct ike_peer *p)
{
	u32 now = vpnpass_now();

	if (now - p->unknown_at >= MSEC_PER_SEC) {
		p->unknown_at = now;
		p->unknown_n = 0;
	}
	if (p->unknown_n++ < UNKNOWN_MAX)
		return false;
	vpnpass_count(vn, &ike_proto, IKE_CNT_LIMIT_UNKNOWN);
	return true;
}

/* Nothing vouches for the packet: it does not make a session live longer. */
static bool attach(struct vpnpass_session *s, struct sk_buff *skb)
{
	if (!vpnpass_attach(s, skb, IP_CT_DIR_REPLY))
		return false;
	ike_session_timeout(ike_session(s));
	return true;
}

static void send_copy(struct vpnpass_session *s, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy)
		return;
	if (!attach(s, copy)) {
		kfree_skb(copy);
		return;
	}
	netif_rx(copy);
	vpnpass_count(s->vn, &ike_proto, IKE_CNT_COPIES);
}

/*
 * Hand the packet to up to @n of the peer's sessions, which then go to the end
 * of the list. The packet itself goes to the last one found. Lock held.
 */
static bool hand_on(struct ike_peer *p, struct vpnpass_pkt *pkt, int n)
{
	struct ike_session *is, *next, *to = NULL;
	int steps = IKE_STEPS;
	LIST_HEAD(asked);

	list_for_each_entry_safe(is, next, &p->sessions, node) {
		if (!n || !steps--)
			break;
		list_move_tail(&is->node, &asked);
		if (is->plain || !nf_inet_addr_cmp(&is->s.local, &pkt->key.dst))
			continue;
		if (to)
			send_copy(&to->s, pkt->skb);
		to = is;
		n--;
	}
	list_splice_tail(&asked, &p->sessions);
	pkt->done = to && attach(&to->s, pkt->skb);
	return pkt->done;
}

static unsigned int ask_sessions(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				 bool opens)
{
	struct ike_net *in = ike_net(vn);
	unsigned int verdict = NF_ACCEPT;
	struct ike_peer *p;

	spin_lock_bh(&in->lock);
	p = ike_peer_find(in, &pkt->key.src, pkt->key.family);
	if (p && too_many(vn, p))
		verdict = NF_DROP;
	else if (p && hand_on(p, pkt, opens ? 1 : IKE_COPIES))
		vpnpass_count(vn, &ike_proto,
			      opens ? IKE_CNT_GATEWAY_FIRST : IKE_CNT_UNKNOWN);
	spin_unlock_bh(&in->lock);
	return verdict;
}

/**
 * ike_unknown() - a message to one of the router's addresses, without a pin
 * @vn: netns
 * @pkt: from port 500 to port 500
 * @m: the message
 *
 * Context: softirq, RCU read side, PREROUTING.
 * Return: NF_ACCEPT, with the packet attached to a client's connection or not;
 * NF_DROP when there are too many.
 */
unsigned int ike_unknown(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			 const struct ike_msg *m)
{
	struct vpnpass_pin *pin = NULL;

	/* Without the lock: it is only asked whether there is one. */
	if (!ike_peer_find(ike_net(vn), &pkt->key.src, pkt->key.family))
		return NF_ACCEPT;
	if (m->rspi)
		pin = ike_pin_find(vn, &pkt->key, m->rspi);
	if (pin && pin->dir == IP_CT_DIR_REPLY && attach(pin->session, pkt->skb)) {
		vpnpass_count(vn, &ike_proto, IKE_CNT_BY_RSPI);
		pkt->done = true;
		return NF_ACCEPT;
	}
	return router_wants(pkt) ? NF_ACCEPT : ask_sessions(vn, pkt, !m->rspi);
}
