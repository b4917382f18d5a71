// SPDX-License-Identifier: GPL-2.0
/*
 * Connections made before their first packet: the GRE of a PPTP call, the ESP
 * of a client whose gateway speaks first. They need no expectation; packets are
 * led to them by their pins.
 */
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_ecache.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <net/netfilter/nf_conntrack_timestamp.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/netfilter/nf_nat.h>

#include "core.h"

/* Translate source or destination as the reply tuple has it. */
static int conn_nat(struct nf_conn *ct, const struct nf_conntrack_tuple *reply,
		    enum nf_nat_manip_type manip)
{
	struct nf_nat_range2 range = {
		.flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED,
	};

	if (manip == NF_NAT_MANIP_SRC) {
		range.min_addr = reply->dst.u3;
		range.min_proto.all = reply->dst.u.all;
	} else {
		range.min_addr = reply->src.u3;
		range.min_proto.all = reply->src.u.all;
	}
	range.max_addr = range.min_addr;
	range.max_proto = range.min_proto;
	return nf_nat_setup_info(ct, &range, manip) == NF_ACCEPT ? 0 : -ENOMEM;
}

static void conn_extend(struct nf_conn *ct)
{
	/* Sessions show what conntrack counts, also where the user does not have it count. */
	nf_ct_ext_add(ct, NF_CT_EXT_ACCT, GFP_ATOMIC);
	nf_ct_tstamp_ext_add(ct, GFP_ATOMIC);
	nf_ct_ecache_ext_add(ct, 0, 0, GFP_ATOMIC);
}

static void adopt_labels(struct nf_conn *ct, const struct nf_conn *master)
{
	const struct nf_conn_labels *from = nf_ct_labels_find(master);
	struct nf_conn_labels *to = from ? nf_ct_labels_ext_add(ct) : NULL;

	if (to)
		memcpy(to->bits, from->bits, sizeof(to->bits));
}

/**
 * vpnpass_conn_masquerade() - have a connection end with its masquerading device
 * @ct: not yet known to conntrack
 * @ifindex: the device whose address the peer sees; 0 for none
 */
void vpnpass_conn_masquerade(struct nf_conn *ct, int ifindex)
{
#if IS_ENABLED(CONFIG_NF_NAT_MASQUERADE)
	struct nf_conn_nat *nat = ifindex ? nf_ct_nat_ext_add(ct) : NULL;

	if (nat)
		nat->masq_index = ifindex;
#endif
}
EXPORT_SYMBOL_GPL(vpnpass_conn_masquerade);

/**
 * vpnpass_conn_masq_index() - whose address a connection is masqueraded to
 * @ct: the connection
 *
 * Context: any.
 * Return: the device's index, 0 when masquerading has no part in it.
 */
int vpnpass_conn_masq_index(const struct nf_conn *ct)
{
#if IS_ENABLED(CONFIG_NF_NAT_MASQUERADE)
	const struct nf_conn_nat *nat = nfct_nat(ct);

	return nat ? nat->masq_index : 0;
#else
	return 0;
#endif
}
EXPORT_SYMBOL_GPL(vpnpass_conn_masq_index);

/* The connection gets what the administrator's rules gave its control connection. */
static void conn_adopt(struct nf_conn *ct, struct nf_conn *master)
{
	nf_conntrack_get(&master->ct_general);
	ct->master = master;
	__set_bit(IPS_EXPECTED_BIT, &ct->status);
#ifdef CONFIG_NF_CONNTRACK_MARK
	ct->mark = READ_ONCE(master->mark);
#endif
#ifdef CONFIG_NF_CONNTRACK_SECMARK
	ct->secmark = master->secmark;
#endif
	adopt_labels(ct, master);
	vpnpass_conn_masquerade(ct, vpnpass_conn_masq_index(master));
}

/**
 * vpnpass_conn_alloc() - a connection, translated but not yet known to conntrack
 * @vn: netns
 * @zone: its conntrack zone
 * @orig: as the first packet would have it
 * @reply: as the answer will arrive, after translation
 * @master: the control connection that it comes of, or NULL
 * @timeout_s: until its first packet
 *
 * In the firewall's eyes it is RELATED to the control connection, and not ESTABLISHED
 * before a packet of the original direction has passed all rules. It has the control
 * connection's mark, labels, security mark and masquerading device.
 *
 * Context: any, RCU read side.
 * Return: the connection, for vpnpass_conn_insert() or nf_conntrack_free(), or
 * NULL.
 */
struct nf_conn *vpnpass_conn_alloc(struct vpnpass_net *vn,
				   const struct nf_conntrack_zone *zone,
				   const struct nf_conntrack_tuple *orig,
				   const struct nf_conntrack_tuple *reply,
				   struct nf_conn *master, u32 timeout_s)
{
	struct nf_conntrack_tuple inverse;
	struct nf_conn *ct;

	if (!nf_ct_invert_tuple(&inverse, orig))
		return NULL;
	ct = nf_conntrack_alloc(vn->net, zone, orig, &inverse, GFP_ATOMIC);
	if (IS_ERR(ct))
		return NULL;
	conn_extend(ct);
	if (master)
		conn_adopt(ct, master);
	ct->timeout = nfct_time_stamp + timeout_s * HZ;
	if (conn_nat(ct, reply, NF_NAT_MANIP_DST) ||
	    conn_nat(ct, reply, NF_NAT_MANIP_SRC)) {
		if (master)
			nf_ct_put(master);
		nf_conntrack_free(ct);
		return NULL;
	}
	/* the NAT core leaves the numbers of protocols alone that it does not know */
	ct->tuplehash[IP_CT_DIR_REPLY].tuple.src.u.all = reply->src.u.all;
	ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.all = reply->dst.u.all;
	return ct;
}
EXPORT_SYMBOL_GPL(vpnpass_conn_alloc);

/**
 * vpnpass_conn_insert() - make a connection known to conntrack
 * @ct: from vpnpass_conn_alloc(); freed on error
 *
 * Context: any, RCU read side.
 * Return: 0 and the caller has a reference for nf_ct_put(); -EEXIST when one of
 * the tuples is taken, -EAGAIN when conntrack changed under us, -ENOMEM.
 */
int vpnpass_conn_insert(struct nf_conn *ct)
{
	struct nf_conn *master = ct->master;
	int err = -ENOMEM;

	if (!vpnpass_conn_watch(ct, NULL))
		goto free;
	__set_bit(IPS_CONFIRMED_BIT, &ct->status);
	err = nf_conntrack_hash_check_insert(ct);
	if (!err) {
		nf_conntrack_event_cache(master ? IPCT_RELATED : IPCT_NEW, ct);
		nf_ct_deliver_cached_events(ct);
		return 0;
	}
	__clear_bit(IPS_CONFIRMED_BIT, &ct->status);
free:
	if (master)
		nf_ct_put(master);
	nf_conntrack_free(ct);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_conn_insert);

#if IS_ENABLED(CONFIG_IPV6)
static int way_out_v6(const struct vpnpass_pkt *pkt, u32 mark)
{
	struct flowi6 fl6 = {
		.saddr = pkt->key.src.in6, .daddr = pkt->key.dst.in6,
		.flowi6_iif = pkt->skb->dev->ifindex, .flowi6_mark = mark,
		.flowi6_proto = pkt->key.l4proto,
	};
	struct dst_entry *dst = ip6_route_lookup(pkt->state->net, &fl6, pkt->skb, 0);
	int ifindex = dst->error ? 0 : dst->dev->ifindex;

	dst_release(dst);
	return ifindex;
}
#else
static int way_out_v6(const struct vpnpass_pkt *pkt, u32 mark)
{
	return 0;
}
#endif

/* The device by which a packet is to leave, as far as is known before the rules; or 0. */
static int way_out(const struct vpnpass_pkt *pkt, u32 mark)
{
	struct flowi4 fl4 = {
		.saddr = pkt->key.src.ip, .daddr = pkt->key.dst.ip,
		.flowi4_iif = pkt->skb->dev->ifindex, .flowi4_mark = mark,
		.flowi4_proto = pkt->key.l4proto,
	};
	struct fib_result res = {};

	if (pkt->key.family != NFPROTO_IPV4)
		return way_out_v6(pkt, mark);
	if (fib_lookup(pkt->state->net, &fl4, &res, 0) || res.type != RTN_UNICAST)
		return 0;
	return FIB_RES_DEV(res)->ifindex;
}

/**
 * vpnpass_conn_leaves_elsewhere() - is a masqueraded connection's way out another by now?
 * @ct: a connection that was made before its first packet
 * @pkt: that packet, in PREROUTING
 *
 * NAT would drop the packet and end the connection.
 *
 * Context: softirq, RCU read side.
 */
bool vpnpass_conn_leaves_elsewhere(const struct nf_conn *ct, const struct vpnpass_pkt *pkt)
{
	int index = vpnpass_conn_masq_index(ct), out;
	u32 mark = pkt->skb->mark;

	if (!index)
		return false;
#ifdef CONFIG_NF_CONNTRACK_MARK
	if (!mark)
		mark = READ_ONCE(ct->mark);
#endif
	out = way_out(pkt, mark);
	return out && out != index;
}
EXPORT_SYMBOL_GPL(vpnpass_conn_leaves_elsewhere);
