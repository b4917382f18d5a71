// SPDX-License-Identifier: GPL-2.0
/*
 * PPTP through NAT (RFC 2637): the module's face to the core.
 *
 * GRE finds its call by a pin. The control connection is read where packets
 * leave the router, after NAT, or arrive at the router's own client.
 */
#include <linux/module.h>
#include <linux/tcp.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "pptp.h"

static int pptp_number(struct vpnpass_pkt *pkt)
{
	const u8 *h;
	u8 buf[8];

	if (pkt->key.l4proto != IPPROTO_GRE || pkt->key.family != NFPROTO_IPV4)
		return -ENOENT;
	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!h)
		return -EBADMSG;
	if (!vpnpass_gre_is_pptp(h))
		return -ENOENT;
	pkt->key.number = get_unaligned_be16(h + 6);
	return 0;
}

/* In the quote of an error the number becomes that of the packet as it was sent. */
static bool pptp_renumber(const struct vpnpass_pin *pin, struct sk_buff *skb,
			  unsigned int thoff, unsigned int csum_off)
{
	const struct nf_conntrack_tuple_hash *h = pin->session->ct->tuplehash;
	__be16 sent = h[pin->dir].tuple.dst.u.gre.key;
	__be16 arrives = h[!pin->dir].tuple.src.u.gre.key;
	bool quoted = pin->key.kind == VPNPASS_KEY_QUOTE;
	u8 *id;

	if (sent == arrives)
		return true;
	if (skb_ensure_writable(skb, thoff + 8))
		return false;
	if (csum_off)
		csum_replace2((__sum16 *)(skb->data + csum_off), arrives, sent);
	else
		skb_forward_csum(skb);
	id = skb->data + thoff + 6;
	put_unaligned(quoted ? sent : arrives, (__be16 *)id);
	return true;
}

static unsigned int control_packet(struct pptp_session *ps,
				   const struct vpnpass_pkt *pkt,
				   enum ip_conntrack_dir dir)
{
	struct pptp_control *pc = ps->pc;
	unsigned int verdict;
	bool over;

	vpnpass_session_seen(&ps->s);
	verdict = pptp_segment_passes(pc, pkt, dir == pc->in_dir ? PPTP_FROM_IN :
							    PPTP_FROM_OUT, &over);
	if (over) {
		/* conntrack goes on waiting for late packets */
		WRITE_ONCE(ps->s.keep_ct, true);
		vpnpass_session_end(&ps->s, "connection closed");
	}
	return verdict;
}

static bool packet_key(struct pptp_key *key, const struct vpnpass_pkt *pkt)
{
	const struct tcphdr *th;
	struct tcphdr buf;

	th = pptp_tcp_header(pkt, &buf);
	if (!th)
		return false;
	memset(key, 0, sizeof(*key));
	key->src = pkt->key.src.ip;
	key->dst = pkt->key.dst.ip;
	key->sport = th->source;
	key->dport = th->dest;
	key->zone = vpnpass_arrival_zone(pkt->skb, IP_CT_DIR_ORIGINAL);
	return true;
}

/* TCP as it comes in. When the entry was deleted, a packet of the caller's is
 * what brings the connection back; the other side's would be taken for the
 * router's own, and answered by a reset. Not so when the caller has opened another
 * connection from the same port.
 */
static unsigned int control_miss(struct vpnpass_net *vn,
				 const struct vpnpass_pkt *pkt)
{
	struct pptp_control *pc;
	struct pptp_key key;
	int dir;

	if (pkt->key.family != NFPROTO_IPV4 || !packet_key(&key, pkt))
		return NF_ACCEPT;
	pc = pptp_table_find(vn, &key, &dir);
	if (!pc || dir != IP_CT_DIR_REPLY || !pptp_control_lost(pc) ||
	    vpnpass_flow_exists(pkt, vpnpass_skb_zone(pkt->skb)))
		return NF_ACCEPT;
	return NF_DROP;
}

/* GRE for a call that is not up yet, or just lost its entry. The router has no
 * use for it, and an ICMP error from here would make the outside give up.
 */
static bool early_gre(struct vpnpass_net *vn, const struct vpnpass_key *key)
{
	struct vpnpass_peer_key pool = {
		.addr = key->src,
		.local = key->dst,
		.zone = key->zone,
		.family = NFPROTO_IPV4,
	};

	return pptp_pool_in_use(vn, &pool, (u16)key->number);
}

/* A pin whose connection was deleted under it: this packet need not be lost. */
static bool regained(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct vpnpass_pin *pin = vpnpass_pin_find(vn, &pkt->key);
	struct pptp_session *ps;

	if (!pin)
		return false;
	ps = pptp_session(pin->session);
	vpnpass_session_end(&ps->s, "connection gone");
	pptp_control_reopen(ps->pc);
	pin = vpnpass_pin_find(vn, &pkt->key);
	pkt->done = pin && vpnpass_attach_packet(pin->session, pkt->skb, pin->dir);
	return pkt->done;
}

static unsigned int gre_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err)
{
	const struct nf_conntrack_zone *zone = vpnpass_skb_zone(pkt->skb);

	if (err == -EBADMSG)
		pptp_count(vn, VPNPASS_CNT_MALFORMED);
	if (err || regained(vn, pkt) || !early_gre(vn, &pkt->key))
		return NF_ACCEPT;
	/* A rule may lead it, or have led it, to a server inside. */
	if (vpnpass_flow_exists(pkt, zone) ? vpnpass_flow_is_stock(pkt, zone) :
					     vpnpass_rules_first(vn, NFPROTO_IPV4))
		return NF_ACCEPT;
	pptp_count(vn, PPTP_CNT_DROPPED_EARLY);
	return NF_DROP;
}

/* See struct vpnpass_ops. */
static unsigned int pptp_after_rules(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	if (pptp_number(pkt) || !early_gre(vn, &pkt->key))
		return NF_ACCEPT;
	pptp_count(vn, PPTP_CNT_DROPPED_EARLY);
	return NF_DROP;
}

static unsigned int pptp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			      int err)
{
	if (pkt->key.l4proto == IPPROTO_GRE)
		return gre_miss(vn, pkt, err);
	/* a packet of the router's own cannot have lost its entry on the way */
	return pkt->state->hook == NF_INET_PRE_ROUTING ? control_miss(vn, pkt) :
							 NF_ACCEPT;
}

static unsigned int pptp_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	unsigned int verdict = NF_ACCEPT;
	struct pptp_session *ps = NULL;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	if (pkt->key.family != NFPROTO_IPV4)
		return NF_ACCEPT;
	ct = nf_ct_get(pkt->skb, &ctinfo);
	s = vpnpass_session_by_ct(vn, &pptp_proto, ct);
	if (s)
		ps = pptp_session(s);
	else
		ps = pptp_control_begin(vn, pkt, CTINFO2DIR(ctinfo), &verdict);
	if (!ps || !ps->control)
		return verdict;
	return control_packet(ps, pkt, CTINFO2DIR(ctinfo));
}

static void pptp_session_end(struct vpnpass_session *s)
{
	struct pptp_session *ps = pptp_session(s);

	if (ps->control)
		pptp_control_session_end(ps);
	else
		pptp_call_session_end(ps);
}

static const char *pptp_session_state(const struct vpnpass_session *s)
{
	return test_bit(IPS_SEEN_REPLY_BIT, &s->ct->status) ? "up" : "calling";
}

static int pptp_net_init(struct vpnpass_net *vn)
{
	struct pptp_net *pn = pptp_net(vn);
	int err;

	spin_lock_init(&pn->lock);
	INIT_LIST_HEAD(&pn->parked);
	err = pptp_pools_init(vn);
	if (err)
		return err;
	err = pptp_table_init(vn);
	if (err)
		vpnpass_peers_exit(&pptp_net(vn)->pools);
	return err;
}

static void pptp_net_exit(struct vpnpass_net *vn)
{
	pptp_unpark_all(vn);
	pptp_table_exit(vn);
	vpnpass_peers_exit(&pptp_net(vn)->pools);
}

static const struct vpnpass_ops pptp_ops = {
	.number = pptp_number,
	.renumber = pptp_renumber,
	.miss = pptp_miss,
	.after_rules = pptp_after_rules,
	.post = pptp_post,
	.session_end = pptp_session_end,
	.session_state = pptp_session_state,
	.net_init = pptp_net_init,
	.net_exit = pptp_net_exit,
};

static int __init pptp_init(void)
{
	int err = pptp_work_init();

	if (err)
		return err;
	err = vpnpass_proto_register(&pptp_proto, &pptp_ops);
	if (err)
		pptp_work_exit();
	return err;
}

static void __exit pptp_exit(void)
{
	vpnpass_proto_unregister(&pptp_proto);
	pptp_work_exit();
}

module_init(pptp_init);
module_exit(pptp_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN passthrough for NAT routers: PPTP");
MODULE_VERSION(VPNPASS_VERSION);
