// SPDX-License-Identifier: GPL-2.0
/*
 * L2TP through NAT (RFC 2661, RFC 3931): the module's face to the core. Says
 * which numbers packets have, reads what leaves the router, registers.
 */
#include <linux/l2tp.h>
#include <linux/module.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "l2tp.h"

/* A tunnel's end stays to repeat its last answer: RFC 2661 5.7. */
#define CLOSING_TIME	31	/* s */

/* Data packets are led by their ports or, over IP, by their session ID; what an
 * ICMP error quotes, by all that it tells. Control messages must be read.
 */
static int l2tp_number(struct vpnpass_pkt *pkt)
{
	u8 quote = pkt->key.kind & VPNPASS_KEY_QUOTE;
	struct l2tp_head h;

	if (!l2tp_read_head(pkt, &h))
		return -EBADMSG;
	if (quote || pkt->key.l4proto != IPPROTO_UDP) {
		pkt->key.kind = h.kind | quote;
		pkt->key.number = pkt->key.l4proto == IPPROTO_UDP ?
			L2TP_NUMBER(h.sport, h.dport, h.id) : h.id;
	} else {
		pkt->key.kind = L2TP_KEY_TUNNEL;
		pkt->key.number = L2TP_NUMBER(h.sport, h.dport, 0);
	}
	return h.control && !quote ? -ENOENT : 0;
}

static unsigned int l2tp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      int err)
{
	return pkt->key.l4proto == IPPROTO_UDP ? l2tp_udp_miss(vn, pkt) :
						 l2tp_ip_miss(vn, pkt);
}

/*
 * The client uses the server's other port: its flow to the first is done with.
 * The entry stays for as long as this one, so that no other client is given the
 * port that the server knows this one by.
 */
static void end_first(struct vpnpass_net *vn, struct l2tp_session *ls)
{
	struct nf_conn *ct = ls->s.ct->master;
	struct vpnpass_session *first;

	first = vpnpass_session_by_ct(vn, &l2tp_proto, ct);
	if (first) {
		/* With a reply zone of its own it is in nobody's way. */
		WRITE_ONCE(first->keep_ct, !ls->keep);
		vpnpass_session_end(first, "server answered from another port");
	}
	if (!nf_ct_is_dying(ct) && !test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		WRITE_ONCE(ct->timeout, READ_ONCE(ls->s.ct->timeout));
}

/* vpnpass_attach_packet() gave it the time of a tunnel that is up. */
static void expire_when_closing(const struct l2tp_session *ls)
{
	struct nf_conn *ct = ls->s.ct;

	if (READ_ONCE(ls->state) == L2TP_STATE_CLOSING &&
	    !test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		WRITE_ONCE(ct->timeout, nfct_time_stamp + CLOSING_TIME * HZ);
}

/*
 * A client that may have port 1701 asks again, unanswered, in a flow that was
 * given another port: when that was so for want of the setting, or for an ID
 * that another client had. The next attempt gets a new flow.
 */
static bool begins_anew(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	struct vpnpass_net *vn = ls->s.vn;

	return m->type == L2TP_SCCRQ && !ls->keep &&
	       !test_bit(IPS_SEEN_REPLY_BIT, &ls->s.ct->status) &&
	       l2tp_tuple(ls, IP_CT_DIR_REPLY)->dst.u.udp.port !=
	       htons(L2TP_UDP_PORT) &&
	       l2tp_may_keep_port(vn, l2tp_tuple(ls, IP_CT_DIR_ORIGINAL), m);
}

static unsigned int message(struct l2tp_session *ls, struct vpnpass_pkt *pkt,
			    enum ip_conntrack_dir dir, const struct l2tp_msg *m)
{
	struct vpnpass_net *vn = ls->s.vn;
	struct l2tp_net *ln = l2tp_net(vn);
	unsigned int verdict = NF_ACCEPT;
	bool used = false, anew = false;

	spin_lock_bh(&ln->lock);
	if (ls->linked && m->cls == L2TP_CLASS_CONTROL) {
		anew = dir == IP_CT_DIR_ORIGINAL && begins_anew(ls, m);
		l2tp_control_message(ls, dir, m);
		used = ls->moved && dir == IP_CT_DIR_ORIGINAL;
	} else if (ls->linked && !ls->udp && dir == IP_CT_DIR_ORIGINAL) {
		verdict = l2tp_ip_data(ls, pkt, m->session_v3);
	}
	spin_unlock_bh(&ln->lock);
	if (used)
		end_first(vn, ls);
	if (anew && vpnpass_session_end(&ls->s, "keeps its port from now on"))
		return NF_DROP;
	expire_when_closing(ls);
	return verdict;
}

/* May a session begin with this packet? With a first message it may also on an
 * entry that end_first() left.
 */
static bool begins(const struct nf_conn *ct, enum ip_conntrack_dir dir,
		   const struct l2tp_msg *m)
{
	const struct nf_conntrack_tuple *orig;

	orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	if (dir != IP_CT_DIR_ORIGINAL || !test_bit(IPS_SRC_NAT_BIT, &ct->status))
		return false;
	if (nf_ct_protonum(ct) != IPPROTO_UDP)
		return !nf_ct_is_confirmed(ct);
	return orig->dst.u.udp.port == htons(L2TP_UDP_PORT) &&
	       (!nf_ct_is_confirmed(ct) || m->type == L2TP_SCCRQ);
}

/* Over UDP plain NAT is all that a packet needs which is no L2TP. */
static unsigned int not_l2tp(struct vpnpass_net *vn, struct nf_conn *ct,
			     const struct vpnpass_session *s,
			     const struct l2tp_msg *m)
{
	if (s || begins(ct, IP_CT_DIR_ORIGINAL, m))
		l2tp_count(vn, VPNPASS_CNT_MALFORMED);
	if (!nf_ct_is_confirmed(ct))
		vpnpass_flow_plain(ct);
	return NF_ACCEPT;
}

static unsigned int l2tp_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	enum ip_conntrack_dir dir;
	struct vpnpass_session *s;
	struct l2tp_session *ls;
	unsigned int verdict;
	struct l2tp_msg m;
	struct nf_conn *ct;
	bool readable;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	dir = CTINFO2DIR(ctinfo);
	if (nf_ct_protonum(ct) != pkt->key.l4proto)
		return NF_ACCEPT;
	s = vpnpass_session_by_ct(vn, NULL, ct);
	if (s && s->proto != &l2tp_proto)
		return NF_ACCEPT;
	readable = l2tp_read_message(pkt, &m);
	if (!readable && pkt->key.l4proto == IPPROTO_UDP)
		return not_l2tp(vn, ct, s, &m);
	if (!s && !begins(ct, dir, &m)) {
		if (!nf_ct_is_confirmed(ct))
			vpnpass_flow_plain(ct);
		return NF_ACCEPT;
	}
	ls = s ? l2tp_session(s) : l2tp_session_begin(vn, pkt, &verdict);
	if (!ls)
		return verdict;
	/* Packets that came in on a pin were counted there. */
	if (!s || (!ls->udp && dir == IP_CT_DIR_ORIGINAL))
		vpnpass_session_seen(&ls->s);
	/* Over IP its session is what keeps its entry from being in others' way. */
	return readable ? message(ls, pkt, dir, &m) : NF_ACCEPT;
}

static int l2tp_net_init(struct vpnpass_net *vn)
{
	static const struct nf_conntrack_zone zone = {
		.id = L2TP_ZONE_NEW, .dir = NF_CT_ZONE_DIR_REPL,
		.flags = VPNPASS_ZONE_OURS,
	};
	struct l2tp_net *ln = l2tp_net(vn);
	int err;

	spin_lock_init(&ln->lock);
	ida_init(&ln->zones);
	ida_init(&ln->reply_keys);
	ln->tmpl = nf_ct_tmpl_alloc(vn->net, &zone, GFP_KERNEL);
	if (!ln->tmpl)
		return -ENOMEM;
	err = l2tp_groups_init(vn);
	if (err)
		nf_ct_put(ln->tmpl);
	return err;
}

static void l2tp_net_exit(struct vpnpass_net *vn)
{
	struct l2tp_net *ln = l2tp_net(vn);

	vpnpass_peers_exit(&ln->groups);
	nf_ct_put(ln->tmpl);
	ida_destroy(&ln->reply_keys);
	ida_destroy(&ln->zones);
}

static const struct vpnpass_ops l2tp_ops = {
	.number = l2tp_number,
	.quoted = l2tp_ip_quoted,
	.miss = l2tp_miss,
	.post = l2tp_post,
	.session_end = l2tp_session_end,
	.session_state = l2tp_session_state,
	.net_init = l2tp_net_init,
	.net_exit = l2tp_net_exit,
};

static int __init l2tp_init(void)
{
	return vpnpass_proto_register(&l2tp_proto, &l2tp_ops);
}

static void __exit l2tp_exit(void)
{
	vpnpass_proto_unregister(&l2tp_proto);
}

module_init(l2tp_init);
module_exit(l2tp_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN passthrough for NAT routers: L2TP");
MODULE_VERSION(VPNPASS_VERSION);
