// SPDX-License-Identifier: GPL-2.0
/*
 * Questions about a packet's flow before conntrack looks itself, and templates that
 * have it look, or make an entry, in another zone. For miss().
 */
#include <linux/inetdevice.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>

#include "core.h"

/**
 * vpnpass_flow_to_router() - is a packet for the router itself, or nobody else?
 * @pkt: in PREROUTING
 *
 * Context: softirq, RCU read side.
 * Return: also true for broadcast and multicast.
 */
bool vpnpass_flow_to_router(const struct vpnpass_pkt *pkt)
{
	struct net *net = pkt->state->net;

	if (pkt->key.family == NFPROTO_IPV4)
		return inet_addr_type_dev_table(net, pkt->skb->dev,
						pkt->key.dst.ip) != RTN_UNICAST;
	return ipv6_addr_is_multicast(&pkt->key.dst.in6) ||
	       nf_ipv6_chk_addr(net, &pkt->key.dst.in6, NULL, 0);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_to_router);

/**
 * vpnpass_flow_find() - the entry that conntrack has for a packet
 * @pkt: the packet
 * @zone: where to look
 *
 * Context: softirq, RCU read side.
 * Return: the tuple of the packet's direction, with a reference to the entry for
 * nf_ct_put(), or NULL.
 */
struct nf_conntrack_tuple_hash *
vpnpass_flow_find(const struct vpnpass_pkt *pkt, const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple tuple;

	if (!nf_ct_get_tuplepr(pkt->skb, skb_network_offset(pkt->skb),
			       pkt->key.family, pkt->state->net, &tuple))
		return NULL;
	return nf_conntrack_find_get(pkt->state->net, zone, &tuple);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_find);

/**
 * vpnpass_flow_exists() - does conntrack know a packet's flow, in either direction?
 * @pkt: the packet
 * @zone: where to look
 *
 * Context: softirq, RCU read side.
 */
bool vpnpass_flow_exists(const struct vpnpass_pkt *pkt,
			 const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple_hash *h = vpnpass_flow_find(pkt, zone);

	if (h)
		nf_ct_put(nf_ct_tuplehash_to_ctrack(h));
	return h;
}
EXPORT_SYMBOL_GPL(vpnpass_flow_exists);

/* Gives up the reference to what was found; @h may be NULL. */
bool vpnpass_found_is_stock(struct nf_conntrack_tuple_hash *h)
{
	struct nf_conn *ct;
	bool stock;

	if (!h)
		return false;
	ct = nf_ct_tuplehash_to_ctrack(h);
	stock = NF_CT_DIRECTION(h) == IP_CT_DIR_REPLY ||
		READ_ONCE(ct->status) & (IPS_SEEN_REPLY | IPS_DST_NAT);
	nf_ct_put(ct);
	return stock;
}

/**
 * vpnpass_flow_is_stock() - is a packet to the router of a flow that stock NAT handles?
 * @pkt: to one of the router's addresses
 * @zone: where to look
 *
 * One that began on our side, that the router itself has answered, or that a rule
 * forwards to a server behind it. What nobody has answered is none of these: a
 * server that was there before its clients leaves that.
 *
 * Context: softirq, RCU read side.
 */
bool vpnpass_flow_is_stock(const struct vpnpass_pkt *pkt,
			   const struct nf_conntrack_zone *zone)
{
	return vpnpass_found_is_stock(vpnpass_flow_find(pkt, zone));
}
EXPORT_SYMBOL_GPL(vpnpass_flow_is_stock);

/**
 * vpnpass_flow_template() - give a packet a template
 * @skb: a packet without a connection or template
 * @tmpl: a reference is taken
 *
 * Context: any.
 */
void vpnpass_flow_template(struct sk_buff *skb, struct nf_conn *tmpl)
{
	nf_conntrack_get(&tmpl->ct_general);
	nf_ct_set(skb, tmpl, IP_CT_NEW);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_template);

/**
 * vpnpass_flow_template_of() - give a packet a template of its own
 * @vn: netns
 * @skb: a packet without a connection or template; left so when there is no memory
 * @zone: the template's
 *
 * Context: any.
 */
void vpnpass_flow_template_of(struct vpnpass_net *vn, struct sk_buff *skb,
			      const struct nf_conntrack_zone *zone)
{
	struct nf_conn *tmpl = nf_ct_tmpl_alloc(vn->net, zone, GFP_ATOMIC);

	if (tmpl)
		nf_ct_set(skb, tmpl, IP_CT_NEW);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_template_of);

/**
 * vpnpass_flow_redirected() - the router answers what a rule had redirected to it
 * @pkt: the answer, in OUTPUT
 * @tmpl: template that the question was given
 *
 * Such an entry was never given another zone, as it does not come to POSTROUTING.
 *
 * Context: softirq, RCU read side.
 */
void vpnpass_flow_redirected(struct vpnpass_pkt *pkt, struct nf_conn *tmpl)
{
	if (vpnpass_flow_exists(pkt, nf_ct_zone(tmpl)) &&
	    !vpnpass_flow_exists(pkt, &nf_ct_zone_dflt))
		vpnpass_flow_template(pkt->skb, tmpl);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_redirected);

/**
 * vpnpass_flow_forget_unasked() - end the entry of what a peer sent to the router
 * @pkt: a client's first packet to that peer, from and to the protocol's own port
 *
 * To be called before NAT, which is to leave the port alone: some kernels do not
 * when the peer has sent to it (VPNPASS_ZONES_SHARE_PORTS), as one does that has
 * restarted. What the router has answered, or forwards to a server behind it,
 * stays. IPv4; the router's address is that of the route, which is the one that
 * masquerading chooses.
 *
 * Context: softirq, RCU read side.
 */
void vpnpass_flow_forget_unasked(const struct vpnpass_pkt *pkt)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple tuple;
	struct flowi4 fl4 = {};
	struct rtable *rt;
	struct nf_conn *ct;

	if (!VPNPASS_ZONES_SHARE_PORTS || pkt->key.family != NFPROTO_IPV4 ||
	    !nf_ct_get_tuplepr(pkt->skb, skb_network_offset(pkt->skb),
			       NFPROTO_IPV4, pkt->state->net, &tuple))
		return;
	fl4.daddr = pkt->key.dst.ip;
	rt = ip_route_output_key(pkt->state->net, &fl4);
	if (IS_ERR(rt))
		return;
	ip_rt_put(rt);
	tuple.src.u3.ip = fl4.daddr;
	tuple.dst.u3.ip = fl4.saddr;
	h = nf_conntrack_find_get(pkt->state->net, &nf_ct_zone_dflt, &tuple);
	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL &&
	    !(READ_ONCE(ct->status) & (IPS_SEEN_REPLY | IPS_DST_NAT)))
		nf_ct_kill(ct);
	nf_ct_put(ct);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_forget_unasked);

/**
 * vpnpass_flow_forget() - end the entry that a packet's flow has in the default zone
 * @pkt: the packet
 *
 * Context: softirq, RCU read side.
 */
void vpnpass_flow_forget(const struct vpnpass_pkt *pkt)
{
	struct nf_conntrack_tuple_hash *h = vpnpass_flow_find(pkt, &nf_ct_zone_dflt);
	struct nf_conn *ct;

	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	nf_ct_kill(ct);
	nf_ct_put(ct);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_forget);

/* --- the port that a flow is translated to ------------------------------------ */

/* NAT, when no rule names a range, takes another port of the same one of these. */
static int port_range(__be16 port)
{
	return ntohs(port) < 512 ? 0 : ntohs(port) < 1024 ? 1 : 2;
}

/*
 * Is the reply taken in the default zone, by a flow that one in a zone of its own can
 * be beside?
 */
static bool taken_by_neighbour(struct net *net, const struct nf_conntrack_tuple *reply)
{
	struct nf_conntrack_tuple_hash *h;
	bool beside = true;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(net, &nf_ct_zone_dflt, reply);
	if (!h)
		return false;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (VPNPASS_ZONES_SHARE_PORTS && NF_CT_DIRECTION(h) == IP_CT_DIR_ORIGINAL) {
		beside = !(READ_ONCE(ct->status) & (IPS_SEEN_REPLY | IPS_DST_NAT));
		if (beside)
			nf_ct_kill(ct);
	}
	nf_ct_put(ct);
	return beside;
}

/* Have an entry that is not confirmed, and its packet, use another source port. */
static bool set_port(struct sk_buff *skb, struct nf_conn *ct,
		     enum ip_conntrack_info ctinfo, __be16 port)
{
	__be16 *reply_port = &ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.udp.port;
	__be16 old = *reply_port;

	*reply_port = port;
	if (nf_nat_packet(ct, ctinfo, NF_INET_POST_ROUTING, skb) == NF_ACCEPT)
		return true;
	*reply_port = old;
	return false;
}

/**
 * vpnpass_flow_plain() - take a reply zone of ours from a flow, as NAT has given it a port
 * @ct: its entry, not confirmed; a zone of the original direction stays
 *
 * Context: any.
 */
void vpnpass_flow_plain(struct nf_conn *ct)
{
	struct nf_conntrack_zone z = *nf_ct_zone(ct);

	if (!(z.flags & VPNPASS_ZONE_OURS))
		return;
	z.dir &= NF_CT_ZONE_DIR_ORIG;
	nf_ct_zone_add(ct, z.dir ? &z : &nf_ct_zone_dflt);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_plain);

/**
 * vpnpass_flow_keep_port() - let a new flow keep its UDP source port
 * @skb: its first packet after NAT, of the default zone, not confirmed
 *
 * NAT is asked in the default zone, as the zone's number would change which address
 * of a range it chooses; it may find the port taken. A port of a rule's stays.
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: whether the flow has its port; before it is confirmed it needs a reply
 * zone of its own.
 */
bool vpnpass_flow_keep_port(struct sk_buff *skb)
{
	struct nf_conntrack_tuple reply;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;
	__be16 port;

	ct = nf_ct_get(skb, &ctinfo);
	port = ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.src.u.udp.port;
	reply = ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	if (reply.dst.u.udp.port == port)
		return true;
	if (port_range(reply.dst.u.udp.port) != port_range(port))
		return false;
	reply.dst.u.udp.port = port;
	return taken_by_neighbour(nf_ct_net(ct), &reply) &&
	       set_port(skb, ct, ctinfo, port);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_keep_port);

/**
 * vpnpass_flow_other_port() - have a new flow use another UDP source port than its own
 * @skb: its first packet after NAT, not confirmed; the port is below 512
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: false when no port was found; nothing has changed then.
 */
bool vpnpass_flow_other_port(struct sk_buff *skb)
{
	struct nf_conntrack_tuple reply;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;
	int tries = 128;

	ct = nf_ct_get(skb, &ctinfo);
	reply = ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	while (tries--) {
		reply.dst.u.udp.port = htons(1 + get_random_u32() % 511);
		if (!nf_conntrack_tuple_taken(&reply, ct))
			return set_port(skb, ct, ctinfo, reply.dst.u.udp.port);
	}
	return false;
}
EXPORT_SYMBOL_GPL(vpnpass_flow_other_port);

/**
 * vpnpass_flow_evict() - end the entry in the way of one that is to be made
 * @vn: netns
 * @zone: where it is
 * @tuple: that both have, in either direction
 *
 * An entry that somebody has answered, or that a session has, stays.
 *
 * Context: softirq, RCU read side.
 */
void vpnpass_flow_evict(struct vpnpass_net *vn, const struct nf_conntrack_zone *zone,
			const struct nf_conntrack_tuple *tuple)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(vn->net, zone, tuple);
	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	if (!test_bit(IPS_SEEN_REPLY_BIT, &ct->status) &&
	    !vpnpass_session_by_ct(vn, NULL, ct))
		nf_ct_kill(ct);
	nf_ct_put(ct);
}
EXPORT_SYMBOL_GPL(vpnpass_flow_evict);
