// SPDX-License-Identifier: GPL-2.0
/*
 * IKE sessions: a client's flow from port 500 to port 500 of a gateway. The
 * flow has a reply zone that no other client of the gateway has, so that all
 * of them keep the port; what comes back is led to it by its SPIs. A flow that
 * NAT gave another port is stock conntrack's to find ("plain"), and is only
 * watched.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "ike.h"

/*
 * Port 500 at all four ends of the translation? NAT, which knows nothing of reply
 * zones yet, may have changed one that can be kept. Zones that are there already are
 * the administrator's, or keep a client's second flow apart.
 */
static bool keeps_port(struct sk_buff *skb, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig, *reply;
	const __be16 port = htons(IKE_UDP_PORT);

	orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	return nf_ct_zone(ct)->id == NF_CT_DEFAULT_ZONE_ID &&
	       orig->src.u.udp.port == port && orig->dst.u.udp.port == port &&
	       reply->src.u.udp.port == port && vpnpass_flow_keep_port(skb);
}

/* The zone has to be that of both directions, or the default zone is looked at. */
static bool zone_is_taken(const struct ike_session *is, u16 id)
{
	const struct nf_conntrack_zone z = {
		.id = id, .dir = NF_CT_DEFAULT_ZONE_DIR,
	};
	struct nf_conntrack_tuple_hash *h;

	h = nf_conntrack_find_get(is->s.vn->net, &z,
				  &is->s.ct->tuplehash[IP_CT_DIR_REPLY].tuple);
	if (h)
		nf_ct_put(nf_ct_tuplehash_to_ctrack(h));
	return h;
}

/*
 * Give the entry, not confirmed and so still ours, a zone of its own. An entry of a
 * session that ends can still be in its zone, and so can one that another router has
 * handed over.
 */
static int session_zone(struct ike_session *is)
{
	struct nf_conntrack_zone z = {
		.dir = NF_CT_ZONE_DIR_REPL, .flags = VPNPASS_ZONE_OURS,
	};
	struct ida *zones = &is->peer->zones;
	int id = 0;

	for (;;) {
		id = ida_alloc_range(zones, id + 1, IKE_ZONE_MAX, GFP_ATOMIC);
		if (id < 0)
			return id;
		if (!zone_is_taken(is, id))
			break;
		ida_free(zones, id);
	}
	is->zone = id;
	z.id = id;
	nf_ct_zone_add(is->s.ct, &z);
	return 0;
}

/* Of a gateway whose first session it is. */
void ike_peer_setup(struct vpnpass_peer *peer)
{
	struct ike_peer *p = container_of(peer, struct ike_peer, peer);

	ida_init(&p->zones);
	INIT_LIST_HEAD(&p->sessions);
}

/* The session's gateway, with a reference, or NULL. */
static struct ike_peer *peer_of(const struct ike_session *is)
{
	const struct vpnpass_peer_key key = {
		.addr = is->s.peer, .local = is->s.local, .family = is->s.family,
	};
	struct ike_net *in = ike_net(is->s.vn);

	return vpnpass_peer_entry(vpnpass_peer_get(&in->peers, &key), struct ike_peer);
}

static int session_join(struct ike_session *is)
{
	struct ike_net *in = ike_net(is->s.vn);
	int err = -ENOMEM;

	spin_lock_bh(&in->lock);
	is->peer = peer_of(is);
	if (is->peer)
		err = is->plain ? 0 : session_zone(is);
	spin_unlock_bh(&in->lock);
	return err;
}

static void session_leave(struct ike_session *is)
{
	struct ike_peer *p = is->peer;

	lockdep_assert_held(&ike_net(is->s.vn)->lock);
	if (!p)
		return;
	list_del_init(&is->node);
	is->linked = false;
	if (is->zone)
		ida_free(&p->zones, is->zone);
	is->peer = NULL;
	vpnpass_peer_put(&p->peer);
}

static void session_undo(struct ike_session *is)
{
	struct ike_net *in = ike_net(is->s.vn);

	spin_lock_bh(&in->lock);
	session_leave(is);
	spin_unlock_bh(&in->lock);
	vpnpass_session_discard(&is->s);
}

static void session_link(struct ike_session *is)
{
	struct ike_net *in = ike_net(is->s.vn);

	spin_lock_bh(&in->lock);
	/* The administrator can have ended it already. */
	if (is->peer && !test_bit(0, &is->s.ended)) {
		if (!is->plain)
			list_add(&is->node, &is->peer->sessions);
		is->linked = true;
	}
	spin_unlock_bh(&in->lock);
}

/* An SPI that another client has, whose answers port 500 could not tell apart. */
static bool gives_way(struct ike_session *is, struct sk_buff *skb, u64 ispi)
{
	struct ike_session *owner = ike_spi_owner(is, ispi);

	if (!owner)
		return false;
	ike_flow_conflict(owner, is);
	vpnpass_flow_other_port(skb);
	return true;
}

static struct ike_session *session_alloc(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct vpnpass_session *s = vpnpass_session_alloc(vn, &ike_proto, ct);
	struct ike_session *is;

	if (IS_ERR(s))
		return NULL;
	is = ike_session(s);
	INIT_LIST_HEAD(&is->sas);
	INIT_LIST_HEAD(&is->node);
	return is;
}

/**
 * ike_session_begin() - a client's first message to a gateway is going out
 * @vn: netns
 * @pkt: the packet, translated, its connection not confirmed
 * @ispi: its initiator SPI
 * @verdict: for the packet, when there is no session
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: the session, or NULL: plain NAT when a limit or memory says no.
 */
struct ike_session *ike_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt, u64 ispi,
				      unsigned int *verdict)
{
	struct nf_conn *ct = (struct nf_conn *)skb_nfct(pkt->skb);
	struct ike_session *is = session_alloc(vn, ct);

	*verdict = NF_ACCEPT;
	if (!is) {
		vpnpass_flow_plain(ct);
		return NULL;
	}
	is->plain = !keeps_port(pkt->skb, ct) || gives_way(is, pkt->skb, ispi);
	if (is->plain)
		vpnpass_flow_plain(ct);
	if (session_join(is) || vpnpass_session_start(&is->s, pkt->skb, verdict)) {
		if (!nf_ct_is_confirmed(ct))
			vpnpass_flow_plain(ct);
		session_undo(is);
		return NULL;
	}
	session_link(is);
	vpnpass_rules_want(vn, is->s.family);
	if (is->plain)
		vpnpass_count(vn, &ike_proto, IKE_CNT_PLAIN);
	return is;
}

static int session_rejoin(struct ike_session *is)
{
	int id = nf_ct_zone(is->s.ct)->id, err = -ENOMEM;
	struct ike_net *in = ike_net(is->s.vn);

	spin_lock_bh(&in->lock);
	is->peer = peer_of(is);
	if (is->peer)
		err = ida_alloc_range(&is->peer->zones, id, id, GFP_ATOMIC);
	if (err == id)
		is->zone = id;
	spin_unlock_bh(&in->lock);
	return err == id ? 0 : err;
}

/**
 * ike_session_adopt() - a client's message leaves by an entry that was there before
 * @vn: netns
 * @ct: the entry, in a reply zone, which another router has handed over
 *
 * Context: any, RCU read side.
 * Return: the session, or NULL.
 */
struct ike_session *ike_session_adopt(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct ike_session *is = session_alloc(vn, ct);

	if (!is)
		return NULL;
	if (session_rejoin(is) || vpnpass_session_publish(&is->s)) {
		session_undo(is);
		return NULL;
	}
	session_link(is);
	vpnpass_rules_want(vn, is->s.family);
	return is;
}

/* The core's word that a session goes; see struct vpnpass_proto. */
void ike_session_end(struct vpnpass_session *s)
{
	struct ike_session *is = ike_session(s);
	struct ike_net *in = ike_net(s->vn);

	spin_lock_bh(&in->lock);
	ike_sa_drop_all(is);
	session_leave(is);
	spin_unlock_bh(&in->lock);
}

/* The client's ESP session with the gateway, see struct vpnpass_proto. */
const struct vpnpass_session *ike_session_child(const struct vpnpass_session *s)
{
	const struct nf_conntrack_tuple *ike;
	const struct vpnpass_session *child;
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple esp;
	struct nf_conn *ct;

	ike = &s->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	memset(&esp, 0, sizeof(esp));
	esp.src.u3 = ike->src.u3;
	esp.src.l3num = s->family;
	esp.dst.u3 = ike->dst.u3;
	esp.dst.protonum = IPPROTO_ESP;
	h = nf_conntrack_find_get(s->vn->net, &nf_ct_zone_dflt, &esp);
	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	child = vpnpass_session_by_ct(s->vn, NULL, ct);
	nf_ct_put(ct);
	return child;
}
