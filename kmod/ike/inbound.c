// SPDX-License-Identifier: GPL-2.0
/*
 * Messages from a gateway of our clients' on SPIs that nobody has a pin for. In this
 * order:
 *
 * 1. Conntrack has such a flow for the router itself or for a server behind it,
 *    or the router listens on the port: the message is not ours.
 * 2. The gateway begins an IKE SA: a rule of the administrator's may send that
 *    to a server, and is asked first, which is why clients are found in a chain
 *    of NAT's own, behind all of his. The client that has waited longest gets
 *    it, one per message. A gateway repeats an unanswered message, which then
 *    goes to the next; whoever answers is pinned.
 * 3. Anything else, be it readable or not, goes to the only client that there is,
 *    as it would without us. Of several clients those that made SAs last come
 *    first, IKE_COPIES for each readable message (an IKE SA is rekeyed under
 *    encryption, RFC 7296 section 2.18). Only the right one can make sense of it.
 *
 * A message that several may be the receiver of leaves their entries as they are.
 * Nothing is dropped; only so many messages of a gateway a second are copied, and
 * only so many at a time lead past the administrator's rules, for which conntrack
 * makes an entry each.
 */
#include <linux/netdevice.h>
#include <net/ipv6.h>
#include <net/udp.h>

#include "ike.h"

#define IKE_COPIES	4	/* clients that one message goes to */
#define IKE_STEPS	16	/* sessions looked at for one message */
#define IKE_COPIED_MAX	50	/* messages copied, per second and gateway */

static bool listens_v4(struct net *net, const struct sk_buff *skb,
		       const struct vpnpass_key *key)
{
#if IS_ENABLED(CONFIG_NF_TPROXY_IPV4) || IS_ENABLED(CONFIG_NF_SOCKET_IPV4)
	const __be16 port = htons(IKE_UDP_PORT);
	struct sock *sk;

	sk = udp4_lib_lookup(net, key->src.ip, port, key->dst.ip, port,
			     skb->dev->ifindex);
	if (sk)
		sock_put(sk);
	return sk;
#else
	return false;
#endif
}

static bool listens_v6(struct net *net, const struct sk_buff *skb,
		       const struct vpnpass_key *key)
{
#if IS_BUILTIN(CONFIG_IPV6) && \
	(IS_ENABLED(CONFIG_NF_TPROXY_IPV6) || IS_ENABLED(CONFIG_NF_SOCKET_IPV6))
	const __be16 port = htons(IKE_UDP_PORT);
	struct sock *sk;

	sk = udp6_lib_lookup(net, &key->src.in6, port, &key->dst.in6, port,
			     skb->dev->ifindex);
	if (sk)
		sock_put(sk);
	return sk;
#else
	return false;
#endif
}

static bool router_listens(struct net *net, const struct sk_buff *skb,
			   const struct vpnpass_key *key)
{
	return key->family == NFPROTO_IPV4 ? listens_v4(net, skb, key) :
					     listens_v6(net, skb, key);
}

/* --- the receivers of a message ------------------------------------------------- */

static int copies_left(struct vpnpass_net *vn, struct ike_peer *p)
{
	u32 now = vpnpass_now();

	lockdep_assert_held(&ike_net(vn)->lock);
	if (now - p->unknown_at >= MSEC_PER_SEC) {
		p->unknown_at = now;
		p->unknown_n = 0;
	}
	if (p->unknown_n++ < IKE_COPIED_MAX)
		return IKE_COPIES;
	vpnpass_count(vn, &ike_proto, IKE_CNT_LIMIT_UNKNOWN);
	return 1;
}

/* The session is the only one that the message can be for. */
static bool attach(struct vpnpass_session *s, struct sk_buff *skb)
{
	if (!vpnpass_attach_packet(s, skb, IP_CT_DIR_REPLY))
		return false;
	ike_session_timeout(ike_session(s));
	return true;
}

/* The gateway that a packet with that key comes from, NULL when no client of ours has sent to
 * it. Context: RCU read side, or ike_net.lock for what is to last.
 */
struct ike_peer *ike_sender(struct ike_net *in, const struct vpnpass_key *key)
{
	const struct vpnpass_peer_key sender = {
		.addr = key->src, .local = key->dst, .family = key->family,
	};

	return vpnpass_peer_entry(vpnpass_peer_find(&in->peers, &sender), struct ike_peer);
}

/*
 * Find up to @n of the peer's sessions that a message on no known SPI can be for, which
 * then go to the end of the list. @sole: there is no other. Returns how many.
 */
static int choose(struct ike_net *in, struct ike_peer *p, int n,
		  struct ike_session **to, bool *sole)
{
	struct ike_session *is, *next;
	int found = 0, steps = IKE_STEPS;
	LIST_HEAD(asked);

	lockdep_assert_held(&in->lock);
	list_for_each_entry_safe(is, next, &p->sessions, node) {
		if (found == n || !steps--)
			break;
		list_move_tail(&is->node, &asked);
		to[found++] = is;
	}
	*sole = found == 1 && list_empty(&p->sessions);
	list_splice_tail(&asked, &p->sessions);
	return found;
}

/* How many clients may get a message; NULL, only somebody alone with the gateway. */
static int receivers(struct vpnpass_net *vn, struct ike_peer *p, const struct ike_msg *m)
{
	return m && !m->opens ? copies_left(vn, p) : 1;
}

static void hand_on(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
		    const struct ike_msg *m)
{
	struct ike_session *to[IKE_COPIES];
	struct ike_net *in = ike_net(vn);
	struct ike_peer *p;
	int i, n = 0;
	bool sole;

	spin_lock_bh(&in->lock);
	p = ike_sender(in, &pkt->key);
	if (p)
		n = choose(in, p, receivers(vn, p, m), to, &sole);
	if (n && !sole && !m)
		n = 0;
	for (i = 1; i < n; i++)
		if (vpnpass_send_copy(&to[i]->s, pkt->skb))
			vpnpass_count(vn, &ike_proto, IKE_CNT_COPIES);
	if (n)
		pkt->done = sole ? attach(&to[0]->s, pkt->skb) :
				   vpnpass_attach_copy(&to[0]->s, pkt->skb);
	if (pkt->done)
		vpnpass_count(vn, &ike_proto, IKE_CNT_UNKNOWN);
	spin_unlock_bh(&in->lock);
}

/**
 * ike_inbound_message() - a message of a gateway's of our clients', on no SPI with a pin
 * @vn: netns
 * @pkt: from port 500 to port 500, and to an address that a client is known by
 * @m: the message, NULL when it cannot be read
 *
 * Context: softirq, RCU read side, PREROUTING. Attaches the packet, or leaves it.
 */
void ike_inbound_message(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			 const struct ike_msg *m)
{
	if (vpnpass_flow_is_stock(pkt, &nf_ct_zone_dflt))
		return;
	if (m && m->opens && vpnpass_rules_first(vn, pkt->key.family))
		vpnpass_flow_forget(pkt);	/* NAT's chains see new flows */
	else if (!router_listens(pkt->state->net, pkt->skb, &pkt->key))
		hand_on(vn, pkt, m);
}

static struct vpnpass_session *last_used(const struct ike_peer *p)
{
	struct vpnpass_session *last = NULL;
	struct ike_session *is;
	int steps = IKE_STEPS;

	list_for_each_entry(is, &p->sessions, node) {
		if (!steps--)
			break;
		last = vpnpass_session_later(last, &is->s);
	}
	return last;
}

/* The gateway's only client; of several that which was heard last, without an SPI. */
static struct vpnpass_session *likely_sender(struct ike_net *in,
					     const struct vpnpass_key *answer, u64 spi)
{
	struct vpnpass_session *s = NULL;
	struct ike_peer *p;

	spin_lock_bh(&in->lock);
	p = ike_sender(in, answer);
	if (p && (!spi || list_is_singular(&p->sessions)))
		s = last_used(p);
	spin_unlock_bh(&in->lock);
	return s;
}

/**
 * ike_quoted_session() - the client whose message an ICMP error quotes, as far as can be told
 * @vn: netns
 * @pkt: the quote, which may end before the SPI
 * @known: conntrack knows its flow
 *
 * An answer to that message would have the same SPI: it is the answer's pin that tells.
 *
 * Context: softirq, RCU read side.
 * Return: the client's session, or NULL.
 */
struct vpnpass_session *ike_quoted_session(struct vpnpass_net *vn,
					   const struct vpnpass_pkt *pkt, bool known)
{
	const __be32 ports = htonl(IKE_UDP_PORT << 16 | IKE_UDP_PORT);
	struct vpnpass_key answer = pkt->key;
	struct vpnpass_pin *pin;
	const __be32 *h;
	__be32 buf;
	u64 spi;

	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), &buf);
	if (!h || *h != ports)
		return NULL;
	swap(answer.src, answer.dst);
	spi = ike_read_quote(pkt);
	pin = ike_pin_find(vn, &answer, spi);
	if (pin)
		return pin->session;
	return known ? NULL : likely_sender(ike_net(vn), &answer, spi);
}

/* --- behind the administrator's rules ------------------------------------------ */

/* The rest was looked at before, and is nobody's. */
static bool begins_sa(const struct vpnpass_pkt *pkt)
{
	struct ike_datagram d;

	return ike_read_message(pkt, IKE_PORT_500, &d) && d.sport == IKE_UDP_PORT &&
	       d.dport == IKE_UDP_PORT && d.m.cls == IKE_CLASS_IKE && d.m.opens;
}

/* No rule has translated the destination; see struct vpnpass_ops. */
unsigned int ike_after_rules(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct ike_net *in = ike_net(vn);
	struct ike_session *is = NULL;
	struct ike_peer *p;
	bool sole;

	if (pkt->key.zone != NF_CT_DEFAULT_ZONE_ID ||
	    !ike_sender(in, &pkt->key) ||
	    !begins_sa(pkt) || router_listens(pkt->state->net, pkt->skb, &pkt->key))
		return NF_ACCEPT;
	spin_lock_bh(&in->lock);
	p = ike_sender(in, &pkt->key);
	if (p && choose(in, p, 1, &is, &sole) &&
	    (sole ? attach(&is->s, pkt->skb) : vpnpass_attach_copy(&is->s, pkt->skb)))
		vpnpass_count(vn, &ike_proto, IKE_CNT_GATEWAY_FIRST);
	spin_unlock_bh(&in->lock);
	return NF_ACCEPT;
}
