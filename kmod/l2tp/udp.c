// SPDX-License-Identifier: GPL-2.0
/*
 * L2TP over UDP as it arrives, where the core's lookup by ports is not enough:
 * control messages, servers that answer from another port, and clients that
 * keep port 1701 and so share it. Called by l2tp.c in PREROUTING and OUTPUT.
 */
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/route.h>

#include "l2tp.h"

/* --- answers from another port (RFC 2661 8.1) ----------------------------- */

/* A packet from that port which did not have the client's ID was the router's
 * own business, and may have left an entry that is now in the way.
 */
static void clear_way(struct net *net, const struct nf_conntrack_zone *zone,
		      const struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(net, zone, reply);
	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL &&
	    !test_bit(IPS_SEEN_REPLY_BIT, &ct->status))
		nf_ct_kill(ct);
	nf_ct_put(ct);
}

/* The old entry's tuples but for the server's port. */
static struct nf_conn *moved_conn(struct l2tp_session *old, u16 port, u16 zone)
{
	struct nf_conntrack_tuple orig = *l2tp_tuple(old, IP_CT_DIR_ORIGINAL);
	struct nf_conntrack_tuple reply = *l2tp_tuple(old, IP_CT_DIR_REPLY);
	struct nf_conntrack_zone z = *nf_ct_zone(old->s.ct);
	struct nf_conn *ct;

	if (zone)
		z.id = zone;
	orig.dst.u.udp.port = htons(port);
	reply.src.u.udp.port = htons(port);
	clear_way(old->s.vn->net, &z, &reply);
	ct = vpnpass_conn_alloc(old->s.vn, &z, &orig, &reply, old->s.ct,
				vpnpass_setting(old->s.vn, &l2tp_proto,
						VPNPASS_SET_TIMEOUT));
	return ct && !vpnpass_conn_insert(ct) ? ct : NULL;
}

static struct l2tp_session *moved_session(struct l2tp_session *old, u16 port)
{
	struct l2tp_net *ln = l2tp_net(old->s.vn);
	struct l2tp_session *ls;
	struct nf_conn *ct;
	int zone = 0;

	if (old->keep)
		zone = ida_alloc_range(&ln->zones, 1, L2TP_ZONE_NEW - 1,
				       GFP_ATOMIC);
	if (zone < 0)
		return NULL;
	ct = moved_conn(old, port, zone);
	if (!ct) {
		if (zone)
			ida_free(&ln->zones, zone);
		return NULL;
	}
	ls = l2tp_session_moved(old, ct, zone);
	if (!ls)
		nf_ct_kill(ct);
	nf_ct_put(ct);
	return ls;
}

/* One new flow for each first message of the client's, and no more. */
static bool may_move(struct l2tp_session *ls)
{
	struct l2tp_net *ln = l2tp_net(ls->s.vn);
	bool may;

	spin_lock_bh(&ln->lock);
	may = ls->linked && ls->may_move;
	ls->may_move = false;
	spin_unlock_bh(&ln->lock);
	return may;
}

/*
 * A packet of the server's with the client's ID, from a port that the client
 * has not sent to. This is the one place where a packet from outside has us
 * allocate: a session that takes the other's place once the client uses it.
 */
static unsigned int l2tp_move(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      struct l2tp_session *old, const struct l2tp_head *h)
{
	struct l2tp_net *ln = l2tp_net(vn);
	struct l2tp_session *ls;
	struct l2tp_msg m;

	if (!h->control || !l2tp_read(pkt, &m) || !may_move(old)) {
		l2tp_count(vn, L2TP_CNT_MOVE_REFUSED);
		return NF_ACCEPT;
	}
	ls = moved_session(old, h->sport);
	if (!ls)
		return NF_ACCEPT;
	l2tp_count(vn, L2TP_CNT_MOVED);
	spin_lock_bh(&ln->lock);
	if (ls->linked) {
		l2tp_session_watch(ls, h->sport);
		l2tp_id_add(ls, IP_CT_DIR_REPLY, h->kind, h->id);
	}
	spin_unlock_bh(&ln->lock);
	vpnpass_attach(&ls->s, pkt->skb, IP_CT_DIR_REPLY);
	return NF_ACCEPT;
}

/* --- clients that keep port 1701 ------------------------------------------ */

static bool is_local(const struct vpnpass_pkt *pkt)
{
	struct net *net = pkt->state->net;

	if (pkt->key.family == NFPROTO_IPV4)
		return inet_addr_type_dev_table(net, pkt->skb->dev,
						pkt->key.dst.ip) != RTN_UNICAST;
	return ipv6_addr_is_multicast(&pkt->key.dst.in6) ||
	       nf_ipv6_chk_addr(net, &pkt->key.dst.in6, NULL, 0);
}

/* Does conntrack know the packet's flow, in either direction? */
static bool flow_exists(const struct vpnpass_pkt *pkt,
			const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple tuple;

	if (!nf_ct_get_tuplepr(pkt->skb, skb_network_offset(pkt->skb),
			       pkt->key.family, pkt->state->net, &tuple))
		return false;
	h = nf_conntrack_find_get(pkt->state->net, zone, &tuple);
	if (!h)
		return false;
	nf_ct_put(nf_ct_tuplehash_to_ctrack(h));
	return true;
}

static void set_template(struct sk_buff *skb, struct nf_conn *tmpl)
{
	nf_conntrack_get(&tmpl->ct_general);
	nf_ct_set(skb, tmpl, IP_CT_NEW);
}

/* In the zone of another client's flow the port is taken: NAT chooses another. */
static void set_template_of(struct vpnpass_net *vn, struct sk_buff *skb, u16 zone)
{
	struct nf_conntrack_zone z = {
		.id = zone, .dir = NF_CT_ZONE_DIR_REPL, .flags = L2TP_ZONE_FLAG,
	};
	struct nf_conn *tmpl = nf_ct_tmpl_alloc(vn->net, &z, GFP_ATOMIC);

	if (tmpl)
		nf_ct_set(skb, tmpl, IP_CT_NEW);
}

/* The client's own ID in its first message, by which what comes is found; 0 when
 * it cannot be read.
 */
static u32 first_id(const struct l2tp_msg *m, u8 *kind)
{
	if (m->type != L2TP_SCCRQ)
		return 0;
	*kind = m->version == 3 ? L2TP_KEY_CCID : L2TP_KEY_TUNNEL;
	if (m->version == 3)
		return m->has & L2TP_HAS_CCID ? m->assigned_ccid : 0;
	return m->has & L2TP_HAS_TUNNEL ? m->assigned_tunnel : 0;
}

/**
 * l2tp_may_keep_port() - would a flow that begins with a message keep port 1701?
 * @vn: netns
 * @orig: the client's tuple
 * @m: the message
 *
 * Context: RCU read side, l2tp_net.lock held.
 */
bool l2tp_may_keep_port(struct vpnpass_net *vn,
			const struct nf_conntrack_tuple *orig,
			const struct l2tp_msg *m)
{
	const __be16 port = htons(L2TP_UDP_PORT);
	struct vpnpass_key key;
	u8 kind = 0;
	u32 id;

	id = first_id(m, &kind);
	if (!id || orig->src.u.udp.port != port || orig->dst.u.udp.port != port ||
	    !vpnpass_setting(vn, &l2tp_proto, L2TP_SET_KEEP_PORT))
		return false;
	key = l2tp_claim_key(&orig->dst.u3, orig->src.l3num, kind, id);
	return !l2tp_id_rival(vn, &key, &orig->src.u3);
}

/* The reply zone of the client that has given itself the same ID, or 0. */
static u16 rival_zone(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
		      u8 kind, u32 id)
{
	struct vpnpass_key key = l2tp_claim_key(&pkt->key.dst, pkt->key.family,
						kind, id);
	struct l2tp_net *ln = l2tp_net(vn);
	struct l2tp_session *rival;
	u16 zone;

	spin_lock_bh(&ln->lock);
	rival = l2tp_id_rival(vn, &key, &pkt->key.src);
	zone = rival ? rival->zone : 0;
	spin_unlock_bh(&ln->lock);
	if (rival)
		l2tp_count(vn, L2TP_CNT_CONFLICT);
	return zone;
}

/* A client's first message decides: its ID must be there to be read. */
static void keep_port(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct l2tp_msg m;
	u8 kind = 0;
	u16 zone;
	u32 id;

	if (!l2tp_read(pkt, &m))
		return;
	id = first_id(&m, &kind);
	if (!id || flow_exists(pkt, &nf_ct_zone_dflt))
		return;
	zone = rival_zone(vn, pkt, kind, id);
	if (zone)
		set_template_of(vn, pkt->skb, zone);
	else
		set_template(pkt->skb, l2tp_net(vn)->tmpl);
}

static void flow_begins(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			const struct l2tp_head *h)
{
	struct nf_conn *tmpl = l2tp_net(vn)->tmpl;

	/* With a template of the administrator's, his zones rule. */
	if (skb_nfct(pkt->skb) || h->sport != L2TP_UDP_PORT ||
	    !vpnpass_setting(vn, &l2tp_proto, L2TP_SET_KEEP_PORT))
		return;
	if (pkt->state->hook == NF_INET_PRE_ROUTING) {
		if (h->control && h->dport == L2TP_UDP_PORT && !is_local(pkt))
			keep_port(vn, pkt);
		return;
	}
	/* The router answers what a rule had redirected to it: that entry did
	 * not come to POSTROUTING, where it would have got another zone.
	 */
	if (flow_exists(pkt, nf_ct_zone(tmpl)) &&
	    !flow_exists(pkt, &nf_ct_zone_dflt))
		set_template(pkt->skb, tmpl);
}

/* An entry that is not confirmed: have it as it were without us. */
void l2tp_flow_plain(struct nf_conn *ct)
{
	if (nf_ct_zone(ct)->flags & L2TP_ZONE_FLAG)
		nf_ct_zone_add(ct, &nf_ct_zone_dflt);
}

/* --- what arrives --------------------------------------------------------- */

static bool from_known_port(struct vpnpass_session *s, const struct l2tp_head *h)
{
	return l2tp_tuple(l2tp_session(s), IP_CT_DIR_REPLY)->src.u.udp.port ==
	       htons(h->sport);
}

/**
 * l2tp_udp_miss() - a packet that the core could not or was not to attach
 * @vn: netns
 * @pkt: a UDP packet with port 1701 or one that is watched
 *
 * Context: softirq, RCU read side.
 * Return: verdict.
 */
unsigned int l2tp_udp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct vpnpass_pin *pin;
	struct l2tp_head h;

	if (!l2tp_read_head(pkt, &h))
		return NF_ACCEPT;
	pin = l2tp_find(vn, pkt, L2TP_KEY_TUNNEL,
			L2TP_NUMBER(h.sport, h.dport, 0));
	if (!pin && h.id) {
		pin = l2tp_find(vn, pkt, h.kind, L2TP_NUMBER(0, h.dport, h.id));
		if (pin && !from_known_port(pin->session, &h))
			return l2tp_move(vn, pkt, l2tp_session(pin->session), &h);
	}
	if (!pin || !vpnpass_attach(pin->session, pkt->skb, pin->dir)) {
		flow_begins(vn, pkt, &h);
		return NF_ACCEPT;
	}
	WRITE_ONCE(pin->last, vpnpass_now());
	/* Control messages are read in POSTROUTING. */
	pkt->done = !h.control;
	return NF_ACCEPT;
}
