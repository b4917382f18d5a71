// SPDX-License-Identifier: GPL-2.0
/*
 * Clients that keep source port 1701, for servers that answer to no other (the
 * setting keep_port). A template with a zone in reply direction sees to it that
 * NAT leaves the port alone whatever others have; the existing rules apply
 * unchanged.
 */
#include <net/netfilter/nf_conntrack_core.h>

#include "l2tp.h"

/* In the zone of another client's flow the port is taken: NAT chooses another. */
static void set_template_of(struct vpnpass_net *vn, struct sk_buff *skb, u16 zone)
{
	struct nf_conntrack_zone z = {
		.id = zone, .dir = NF_CT_ZONE_DIR_REPL, .flags = VPNPASS_ZONE_OURS,
	};

	vpnpass_flow_template_of(vn, skb, &z);
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

	lockdep_assert_held(&l2tp_net(vn)->lock);
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
static void flow_begins(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct l2tp_msg m;
	u8 kind = 0;
	u16 zone;
	u32 id;

	if (!l2tp_read_message(pkt, &m))
		return;
	id = first_id(&m, &kind);
	if (!id || vpnpass_flow_exists(pkt, &nf_ct_zone_dflt))
		return;
	zone = rival_zone(vn, pkt, kind, id);
	if (zone) {
		set_template_of(vn, pkt->skb, zone);
	} else {
		vpnpass_flow_forget_unasked(pkt);
		vpnpass_flow_template(pkt->skb, l2tp_net(vn)->tmpl);
	}
}

/**
 * l2tp_keep_port() - a packet that no session is for, of a flow perhaps new
 * @vn: netns
 * @pkt: the packet; given a template when its flow is to keep the port
 * @h: what it says
 *
 * Context: softirq, RCU read side, PREROUTING and OUTPUT.
 */
void l2tp_keep_port(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
		    const struct l2tp_head *h)
{
	/* With a template of the administrator's, his zones rule. */
	if (skb_nfct(pkt->skb) || h->sport != L2TP_UDP_PORT ||
	    !vpnpass_setting(vn, &l2tp_proto, L2TP_SET_KEEP_PORT))
		return;
	if (pkt->state->hook != NF_INET_PRE_ROUTING)
		vpnpass_flow_redirected(pkt, l2tp_net(vn)->tmpl);
	else if (h->control && h->dport == L2TP_UDP_PORT && !vpnpass_flow_to_router(pkt))
		flow_begins(vn, pkt);
}
