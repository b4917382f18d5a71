// SPDX-License-Identifier: GPL-2.0
/*
 * L2TP sessions: how they begin, with the client's first packet or with an
 * answer from another port, and how they end.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "l2tp.h"

void l2tp_session_unwatch(struct l2tp_session *ls)
{
	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (ls->watched)
		vpnpass_port_unwatch(ls->s.vn, ls->s.family, ls->watched_at, ls->watched);
	ls->watched = 0;
}

/* L2TP's own port reaches us anyway. Where watching fails, plain NAT is left.
 * @at: &ls->s.peer or &ls->s.local
 */
void l2tp_session_watch(struct l2tp_session *ls, const union nf_inet_addr *at, u16 port)
{
	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (port == ls->watched && at == ls->watched_at)
		return;
	l2tp_session_unwatch(ls);
	if (port == L2TP_UDP_PORT ||
	    vpnpass_port_watch(ls->s.vn, &l2tp_proto, ls->s.family, at, port))
		return;
	ls->watched = port;
	ls->watched_at = at;
}

/* Give the entry, not confirmed and so still ours, a zone of its own. */
static int session_zone(struct l2tp_session *ls)
{
	const struct nf_conntrack_tuple *reply = l2tp_tuple(ls, IP_CT_DIR_REPLY);
	struct nf_conntrack_zone z = {
		.dir = NF_CT_ZONE_DIR_REPL, .flags = VPNPASS_ZONE_OURS,
	};
	int id;

	if (!(nf_ct_zone(ls->s.ct)->flags & VPNPASS_ZONE_OURS) ||
	    nf_ct_is_confirmed(ls->s.ct))
		return 0;
	if (reply->dst.u.udp.port != htons(L2TP_UDP_PORT)) {
		vpnpass_flow_plain(ls->s.ct);
		return 0;
	}
	id = ida_alloc_range(&l2tp_net(ls->s.vn)->zones, 1, L2TP_ZONE_NEW - 1,
			     GFP_ATOMIC);
	if (id < 0)
		return id;
	ls->zone = id;
	ls->keep = true;
	z.id = id;
	nf_ct_zone_add(ls->s.ct, &z);
	return 0;
}

/* All clients of a server look the same to conntrack, whose reply tuple has no
 * port to tell them apart: it gets a number in its place.
 */
static int session_reply_key(struct l2tp_session *ls)
{
	int key = ida_alloc_range(&l2tp_net(ls->s.vn)->reply_keys, 1, U16_MAX,
				  GFP_ATOMIC);

	if (key < 0)
		return key;
	ls->reply_key = key;
	ls->s.ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.all = htons(key);
	return l2tp_group_join(ls);
}

/* Give back what is the netns's. */
static void session_release(struct l2tp_session *ls)
{
	struct l2tp_net *ln = l2tp_net(ls->s.vn);

	spin_lock_bh(&ln->lock);
	ls->linked = false;
	l2tp_session_unwatch(ls);
	l2tp_group_leave(ls);
	vpnpass_pin_free(ls->spare);
	ls->spare = NULL;
	kfree(ls->ether);
	ls->ether = NULL;
	spin_unlock_bh(&ln->lock);
	if (ls->zone)
		ida_free(&ln->zones, ls->zone);
	if (ls->reply_key)
		ida_free(&ln->reply_keys, ls->reply_key);
}

static void session_link(struct l2tp_session *ls)
{
	struct l2tp_net *ln = l2tp_net(ls->s.vn);

	spin_lock_bh(&ln->lock);
	/* The administrator can have ended it already. */
	ls->linked = !test_bit(0, &ls->s.ended);
	if (ls->linked && ls->udp) {
		l2tp_flow_pin(ls, IP_CT_DIR_ORIGINAL);
		if (!ls->keep)
			l2tp_flow_pin(ls, IP_CT_DIR_REPLY);
	} else if (ls->linked) {
		l2tp_group_link(ls);
	}
	spin_unlock_bh(&ln->lock);
}

static struct l2tp_session *session_alloc(struct vpnpass_net *vn,
					  struct nf_conn *ct)
{
	struct vpnpass_session *s = vpnpass_session_alloc(vn, &l2tp_proto, ct);
	struct l2tp_session *ls;

	if (IS_ERR(s))
		return NULL;
	ls = l2tp_session(s);
	INIT_LIST_HEAD(&ls->client.node);
	ls->udp = nf_ct_protonum(ct) == IPPROTO_UDP;
	return ls;
}

/* Flows that are not helped are plain NAT. Not so over IP: without a session it would
 * become the one entry that catches what the server sends to others.
 */
static struct l2tp_session *refused(struct nf_conn *ct, unsigned int *verdict)
{
	bool udp = nf_ct_protonum(ct) == IPPROTO_UDP;

	if (udp && !nf_ct_is_confirmed(ct))
		vpnpass_flow_plain(ct);
	*verdict = udp ? NF_ACCEPT : NF_DROP;
	return NULL;
}

/**
 * l2tp_session_begin() - a client's first packet to a server is going out
 * @vn: netns
 * @pkt: the packet, translated, its connection not confirmed
 * @verdict: for the packet, when there is no session
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: the session, or NULL when a limit, memory or conntrack says no.
 */
struct l2tp_session *l2tp_session_begin(struct vpnpass_net *vn,
					struct vpnpass_pkt *pkt,
					unsigned int *verdict)
{
	struct nf_conn *ct = (struct nf_conn *)skb_nfct(pkt->skb);
	struct l2tp_session *ls = session_alloc(vn, ct);
	int err;

	if (!ls)
		return refused(ct, verdict);
	err = ls->udp ? session_zone(ls) : session_reply_key(ls);
	if (err) {
		refused(ct, verdict);
		goto undo;
	}
	if (vpnpass_session_start(&ls->s, pkt->skb, verdict))
		goto undo;
	if (ls->keep)
		l2tp_count(vn, L2TP_CNT_KEPT_PORT);
	session_link(ls);
	return ls;

undo:
	session_release(ls);
	vpnpass_session_discard(&ls->s);
	return NULL;
}

/**
 * l2tp_session_moved() - the session of a flow to another port of the server
 * @old: the flow to the first one
 * @ct: the new connection, known to conntrack
 * @zone: its reply zone when that is its own, given up when this fails; else 0
 *
 * Context: softirq, RCU read side.
 * Return: the session or NULL.
 */
struct l2tp_session *l2tp_session_moved(struct l2tp_session *old,
					struct nf_conn *ct, u16 zone)
{
	struct vpnpass_net *vn = old->s.vn;
	struct l2tp_session *ls = session_alloc(vn, ct);

	if (!ls) {
		if (zone)
			ida_free(&l2tp_net(vn)->zones, zone);
		return NULL;
	}
	ls->zone = zone;
	ls->keep = old->keep;
	ls->moved = true;
	ls->state = L2TP_STATE_CONNECTING;
	if (vpnpass_session_publish(&ls->s)) {
		session_release(ls);
		vpnpass_session_discard(&ls->s);
		return NULL;
	}
	session_link(ls);
	return ls;
}

/* The entry that end_first() left goes with the session that needed it. */
static void session_end_first(const struct l2tp_session *ls)
{
	struct nf_conn *ct = ls->s.ct->master;

	rcu_read_lock();
	if (!nf_ct_is_dying(ct) && !vpnpass_session_by_ct(ls->s.vn, NULL, ct))
		nf_ct_kill(ct);
	rcu_read_unlock();
}

/* The core's word that a session goes; see struct vpnpass_proto. */
void l2tp_session_end(struct vpnpass_session *s)
{
	struct l2tp_session *ls = l2tp_session(s);

	session_release(ls);
	if (ls->moved)
		session_end_first(ls);
}

const char *l2tp_session_state(const struct vpnpass_session *s)
{
	const struct l2tp_session *ls = container_of(s, struct l2tp_session, s);

	switch (READ_ONCE(ls->state)) {
	case L2TP_STATE_CONNECTING:
		return "connecting";
	case L2TP_STATE_UP:
		return "up";
	case L2TP_STATE_CLOSING:
		return "closing";
	}
	return test_bit(IPS_SEEN_REPLY_BIT, &s->ct->status) ? "up" : "one-way";
}
