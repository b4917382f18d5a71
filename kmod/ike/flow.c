// SPDX-License-Identifier: GPL-2.0
/*
 * Flows to port 500 that conntrack does not know yet. A template with a zone in
 * reply direction sees to it that NAT leaves the port alone, whatever other
 * clients of the gateway have; the existing rules apply unchanged. Called by
 * ike.c in PREROUTING and OUTPUT.
 */
#include <net/netfilter/nf_conntrack_core.h>

#include "ike.h"

static void tell_conflict(struct vpnpass_session *owner,
			  const struct vpnpass_pkt *pkt)
{
	char text[80];

	if (pkt->key.family == NFPROTO_IPV4)
		snprintf(text, sizeof(text), "initiator SPI also used by %pI4",
			 &pkt->key.src.ip);
	else
		snprintf(text, sizeof(text), "initiator SPI also used by %pI6c",
			 &pkt->key.src.in6);
	ike_conflict(owner, text);
}

/*
 * Another client's session has that initiator SPI with this gateway: its reply
 * zone, else 0. The address that the packet will be sent from is not known
 * here; that of the gateway's other sessions is the best guess.
 */
static u16 owner_zone(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
		      u64 ispi, bool tell)
{
	struct vpnpass_key key = pkt->key;
	struct ike_net *in = ike_net(vn);
	struct ike_session *is = NULL;
	struct vpnpass_pin *pin;
	struct ike_peer *p;
	u16 zone = 0;

	spin_lock_bh(&in->lock);
	p = ike_peer_find(in, &key.dst, key.family);
	if (p)
		is = list_first_entry_or_null(&p->sessions, struct ike_session,
					      node);
	if (is) {
		key.src = pkt->key.dst;
		key.dst = is->s.local;
		pin = ike_pin_find(vn, &key, ispi);
		if (pin && !nf_inet_addr_cmp(&pin->session->client, &pkt->key.src)) {
			zone = ike_session(pin->session)->zone;
			if (tell)
				tell_conflict(pin->session, pkt);
		}
	}
	spin_unlock_bh(&in->lock);
	return zone;
}

/* What conntrack knows of the packet's flow. */
enum flow {
	FLOW_NONE,
	FLOW_KEEPS_PORT,	/* ours: the gateway sees port 500 */
	FLOW_PLAIN,
};

static enum flow flow_kind(const struct vpnpass_pkt *pkt)
{
	struct nf_conntrack_tuple_hash *h = vpnpass_flow_find(pkt, &nf_ct_zone_dflt);
	enum flow kind = FLOW_PLAIN;
	struct nf_conn *ct;

	if (!h)
		return FLOW_NONE;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (nf_ct_zone(ct)->flags & IKE_ZONE_FLAG)
		kind = FLOW_KEEPS_PORT;
	nf_ct_put(ct);
	return kind;
}

/*
 * The packet's SPI is another client's. From a flow that keeps port 500 its
 * answers could not be told apart: it begins a second flow of the same client,
 * in the original direction's zone of that number (ike_flow_plain()).
 */
static void conflict(struct vpnpass_net *vn, struct vpnpass_pkt *pkt, u64 ispi,
		     struct nf_conntrack_zone *z, enum flow kind)
{
	if (kind == FLOW_PLAIN)
		return;
	if (kind == FLOW_KEEPS_PORT)
		z->dir = NF_CT_DEFAULT_ZONE_DIR;
	if (kind == FLOW_NONE || !vpnpass_flow_exists(pkt, z))
		owner_zone(vn, pkt, ispi, true);
	/* NAT chooses another port there, as it would without us. */
	vpnpass_flow_template_of(vn, pkt->skb, z);
}

/**
 * ike_flow_begins() - a client's message that no pin and perhaps no flow is for
 * @vn: netns
 * @pkt: from port 500 to port 500 of another machine
 * @m: the message
 *
 * Context: softirq, RCU read side, PREROUTING.
 * Return: NF_ACCEPT; the rest is done in POSTROUTING.
 */
unsigned int ike_flow_begins(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     const struct ike_msg *m)
{
	struct nf_conntrack_zone z = {
		.id = owner_zone(vn, pkt, m->ispi, false),
		.dir = NF_CT_ZONE_DIR_REPL, .flags = IKE_ZONE_FLAG,
	};
	enum flow kind = flow_kind(pkt);

	if (z.id) {
		conflict(vn, pkt, m->ispi, &z, kind);
	} else if (kind == FLOW_NONE) {
		vpnpass_flow_forget_unasked(pkt);
		vpnpass_flow_template(pkt->skb, ike_net(vn)->tmpl);
	}
	return NF_ACCEPT;
}

/*
 * An entry that is not confirmed: have it as it were without us, but for the
 * original direction of a client's second flow to the gateway (conflict()).
 */
void ike_flow_plain(struct nf_conn *ct)
{
	struct nf_conntrack_zone z = *nf_ct_zone(ct);

	if (!(z.flags & IKE_ZONE_FLAG))
		return;
	z.dir &= NF_CT_ZONE_DIR_ORIG;
	nf_ct_zone_add(ct, z.dir ? &z : &nf_ct_zone_dflt);
}
