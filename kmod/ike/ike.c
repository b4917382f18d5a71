// SPDX-License-Identifier: GPL-2.0
/*
 * IKE on UDP port 500 (RFC 2408, RFC 7296): the module's face to the core.
 * Every message is read, so that none is handed to the core's pinned path:
 * number() has none to give, and miss() looks for the pin itself.
 */
#include "ike.h"

static int ike_number(struct vpnpass_pkt *pkt)
{
	return -ENOENT;
}

/*
 * A message whose SPI has a pin, NULL when it cannot be read: the number decides who
 * gets it, what it says only what is learnt. False when its connection has gone.
 */
static bool ike_pinned(struct vpnpass_pkt *pkt, const struct vpnpass_pin *pin,
		       const struct ike_msg *m)
{
	struct ike_session *is = ike_session(pin->session);

	if (m)
		ike_sa_message(is, ike_dir(pin->dir), m);
	if (!vpnpass_attach_packet(&is->s, pkt->skb, pin->dir))
		return false;
	ike_session_timeout(is);
	pkt->done = true;
	return true;
}

/* The pin of a message: by the initiator's SPI, or by the responder's alone. */
static struct vpnpass_pin *ike_pin_of(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				      const struct ike_head *p)
{
	struct vpnpass_pin *pin;

	pkt->key.kind = IKE_KEY;
	pkt->key.number = p->ispi;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (likely(pin) || !p->rspi)
		return pin;
	pkt->key.number = p->rspi;
	pin = vpnpass_pin_find(vn, &pkt->key);
	if (pin)
		vpnpass_count(vn, &ike_proto, IKE_CNT_BY_RSPI);
	return pin;
}

/* A message that has to be read, with its pin if there is one. */
static noinline unsigned int ike_read_miss(struct vpnpass_net *vn,
					   struct vpnpass_pkt *pkt,
					   const struct vpnpass_pin *pin, u64 ispi)
{
	const struct ike_msg *m = NULL;
	struct ike_datagram d;

	if (ike_read_message(pkt, IKE_PORT_500, &d) && d.m.cls == IKE_CLASS_IKE)
		m = &d.m;
	else
		vpnpass_count(vn, &ike_proto, VPNPASS_CNT_MALFORMED);
	if (pin && ike_pinned(pkt, pin, m))
		return NF_ACCEPT;
	if (pkt->state->hook != NF_INET_PRE_ROUTING)
		return NF_ACCEPT;
	if (ike_sender(ike_net(vn), &pkt->key))
		ike_inbound_message(vn, pkt, m);
	else
		ike_flow_check(vn, pkt, ispi);
	return NF_ACCEPT;
}

static unsigned int ike_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err)
{
	struct vpnpass_pin *pin;
	struct ike_head p;

	/* With a template of the administrator's, his zones rule. */
	if (skb_nfct(pkt->skb))
		return NF_ACCEPT;
	if (!ike_read_head(pkt, &p)) {
		vpnpass_count(vn, &ike_proto, VPNPASS_CNT_MALFORMED);
		return NF_ACCEPT;
	}
	/* Flows with another port are told apart by it. */
	if (p.sport != IKE_UDP_PORT || p.dport != IKE_UDP_PORT || !p.valid)
		return NF_ACCEPT;

	pin = ike_pin_of(vn, pkt, &p);
	if (pin && ike_sa_quiet(ike_session(pin->session), ike_dir(pin->dir), &p) &&
	    ike_pinned(pkt, pin, NULL))
		return NF_ACCEPT;
	return ike_read_miss(vn, pkt, pin, p.ispi);
}

static bool is_ike_flow(const struct nf_conn *ct)
{
	return nf_ct_protonum(ct) == IPPROTO_UDP &&
	       ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u.udp.port ==
	       htons(IKE_UDP_PORT);
}

/* May a session begin with this packet? */
static bool ike_begins(const struct nf_conn *ct, enum ip_conntrack_dir dir,
		       const struct ike_datagram *d)
{
	return dir == IP_CT_DIR_ORIGINAL && test_bit(IPS_SRC_NAT_BIT, &ct->status) &&
	       d->m.cls == IKE_CLASS_IKE;
}

/* Is the entry, which conntrack knows, in a reply zone as our own are? */
static bool ike_was_ours(const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	const struct nf_conntrack_zone *zone = nf_ct_zone(ct);

	return zone->dir == NF_CT_ZONE_DIR_REPL && zone->id &&
	       zone->id <= IKE_ZONE_MAX && t->src.u.udp.port == htons(IKE_UDP_PORT) &&
	       t->dst.u.udp.port == htons(IKE_UDP_PORT);
}

/* The session of a packet that leaves; without one, NULL and a verdict. */
static struct ike_session *ike_session_of(struct vpnpass_net *vn,
					  struct vpnpass_pkt *pkt,
					  const struct ike_datagram *d,
					  unsigned int *verdict)
{
	enum ip_conntrack_info ctinfo;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	*verdict = NF_ACCEPT;
	ct = nf_ct_get(pkt->skb, &ctinfo);
	s = vpnpass_session_by_ct(vn, &ike_proto, ct);
	if (s)
		return ike_session(s);
	if (!ike_begins(ct, CTINFO2DIR(ctinfo), d)) {
		if (!nf_ct_is_confirmed(ct))
			vpnpass_flow_plain(ct);
		return NULL;
	}
	if (!nf_ct_is_confirmed(ct))
		return ike_session_begin(vn, pkt, d->m.ispi, verdict);
	return ike_was_ours(ct) ? ike_session_adopt(vn, ct) : NULL;
}

static unsigned int ike_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	enum ip_conntrack_dir dir;
	struct ike_session *is;
	struct ike_datagram d;
	unsigned int verdict;
	struct nf_conn *ct;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	dir = CTINFO2DIR(ctinfo);
	if (!is_ike_flow(ct) || !ike_read_message(pkt, IKE_PORT_500, &d))
		return NF_ACCEPT;
	is = ike_session_of(vn, pkt, &d, &verdict);
	if (!is)
		return verdict;
	vpnpass_session_seen(&is->s);
	if (d.m.cls == IKE_CLASS_IKE)
		ike_sa_message(is, ike_dir(dir), &d.m);
	return NF_ACCEPT;
}

static int ike_net_init(struct vpnpass_net *vn)
{
	struct ike_net *in = ike_net(vn);
	int err;

	in->vn = vn;
	spin_lock_init(&in->lock);
	INIT_LIST_HEAD(&in->half);
	err = vpnpass_peers_init(&in->peers, vn, sizeof(struct ike_peer), ike_peer_setup);
	if (err)
		return err;
	err = ike_clients_init(in);
	if (err)
		vpnpass_peers_exit(&in->peers);
	return err;
}

static void ike_net_exit(struct vpnpass_net *vn)
{
	struct ike_net *in = ike_net(vn);

	ike_clients_exit(in);
	vpnpass_peers_exit(&in->peers);
}

const struct vpnpass_ops ike_ops = {
	.number = ike_number,
	.quoted = ike_quoted_session,
	.after_rules = ike_after_rules,
	.miss = ike_miss,
	.post = ike_post,
	.session_end = ike_session_end,
	.session_state = ike_session_state,
	.session_version = ike_session_version,
	.session_child = ike_session_child,
	.net_init = ike_net_init,
	.net_exit = ike_net_exit,
};
