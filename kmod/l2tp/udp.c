// SPDX-License-Identifier: GPL-2.0
/*
 * L2TP over UDP as it arrives, where the core's lookup by ports is not enough:
 * control messages, clients that share a port (keep_port.c), and servers that answer
 * from another port (RFC 2661 8.1). In PREROUTING and OUTPUT.
 */
#include <net/netfilter/nf_conntrack_core.h>

#include "l2tp.h"

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
	/* A packet from that port which did not have the client's ID was the router's
	 * own business, and may have left an entry.
	 */
	vpnpass_flow_evict(old->s.vn, &z, &reply);
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

/* Each first message of the client's allows a single new flow. */
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

	if (!h->control || !l2tp_read_message(pkt, &m) || !may_move(old)) {
		l2tp_count(vn, L2TP_CNT_MOVE_REFUSED);
		return NF_ACCEPT;
	}
	ls = moved_session(old, h->sport);
	if (!ls)
		return NF_ACCEPT;
	l2tp_count(vn, L2TP_CNT_MOVED);
	spin_lock_bh(&ln->lock);
	if (ls->linked) {
		l2tp_session_watch(ls, &ls->s.peer, h->sport);
		l2tp_id_add(ls, IP_CT_DIR_REPLY, h->kind, h->id);
	}
	spin_unlock_bh(&ln->lock);
	vpnpass_attach_packet(&ls->s, pkt->skb, IP_CT_DIR_REPLY);
	return NF_ACCEPT;
}

static bool from_known_port(struct vpnpass_session *s, const struct l2tp_head *h)
{
	return l2tp_tuple(l2tp_session(s), IP_CT_DIR_REPLY)->src.u.udp.port ==
	       htons(h->sport);
}

/* The rest of a session whose entry is gone (conntrack -D) would keep the
 * next one of these ports from getting its pins.
 */
static bool attach(struct vpnpass_pin *pin, struct vpnpass_pkt *pkt)
{
	if (!vpnpass_attach_packet(pin->session, pkt->skb, pin->dir)) {
		vpnpass_session_end(pin->session, "connection gone");
		return false;
	}
	WRITE_ONCE(pin->last, vpnpass_now());
	return true;
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
	pin = l2tp_pin_find(vn, pkt, L2TP_KEY_TUNNEL,
			    L2TP_NUMBER(h.sport, h.dport, 0));
	if (!pin && h.id) {
		pin = l2tp_pin_find(vn, pkt, h.kind, L2TP_NUMBER(0, h.dport, h.id));
		if (pin && !from_known_port(pin->session, &h))
			return l2tp_move(vn, pkt, l2tp_session(pin->session), &h);
	}
	if (!pin || !attach(pin, pkt)) {
		l2tp_keep_port(vn, pkt, &h);
		return NF_ACCEPT;
	}
	/* Control messages are read in POSTROUTING. */
	pkt->done = !h.control;
	return NF_ACCEPT;
}
