// SPDX-License-Identifier: GPL-2.0
/*
 * ESP through NAT (RFC 4303): the module's face to the core. Reads SPIs, asks
 * the pairing policy whose they are, registers.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

/* The SPI, of a packet that has a sequence number as well. */
static int esp_header(const struct vpnpass_pkt *pkt, u32 *spi)
{
	__be32 buf[2];
	const __be32 *h;

	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!h)
		return -EBADMSG;
	*spi = ntohl(h[0]);
	return *spi > ESP_SPI_RESERVED ? 0 : -EBADMSG;
}

static int esp_number(struct vpnpass_pkt *pkt)
{
	u32 spi;
	int err;

	err = esp_header(pkt, &spi);
	pkt->key.number = spi;
	return err;
}

/* A packet from a gateway that clients of ours use, on an SPI without a pin. Copies are
 * made and sent with no lock held: a copy takes the same way as the packet.
 */
static unsigned int esp_unknown_spi(struct esp_group *g, struct vpnpass_pkt *pkt)
{
	struct esp_receivers r;
	bool done;
	int i;

	if (!esp_group_arrival(g, pkt->key.number, &r))
		return NF_ACCEPT;
	if (!r.n)
		return NF_DROP;
	for (i = 1; i < r.n; i++)
		vpnpass_send_copy(&r.to[i]->s, pkt->skb);
	done = r.sure ? vpnpass_attach_packet(&r.to[0]->s, pkt->skb, IP_CT_DIR_REPLY) :
			vpnpass_attach_copy(&r.to[0]->s, pkt->skb);
	return done ? NF_ACCEPT : NF_DROP;
}

/* The clients of the gateway at one end of a packet, behind the address at the other. */
static struct esp_group *group_between(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
				       const union nf_inet_addr *peer,
				       const union nf_inet_addr *local)
{
	struct vpnpass_peer_key key = {
		.addr = *peer,
		.local = *local,
		.zone = pkt->key.zone,
		.family = pkt->key.family,
	};

	return esp_group_find(vn, &key);
}

/* The clients that a gateway's packet may be for. */
static struct esp_group *group_of(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt)
{
	return group_between(vn, pkt, &pkt->key.src, &pkt->key.dst);
}

/* See struct vpnpass_ops. */
static unsigned int esp_after_rules(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	struct esp_group *g = group_of(vn, pkt);

	if (!g || esp_own_sa(vn, &pkt->key, pkt->skb->mark))
		return NF_ACCEPT;
	return esp_number(pkt) ? NF_DROP : esp_unknown_spi(g, pkt);
}

/* A client's packet, without a pin. When its connection was made another way may have led
 * to the gateway, and NAT would drop the first packet that leaves by this one.
 */
static void esp_check_way(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
			  const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple_hash *h;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	if (pkt->state->hook != NF_INET_PRE_ROUTING ||
	    !vpnpass_address_known(vn, pkt->key.family, &pkt->key.src))
		return;
	h = vpnpass_flow_find(pkt, zone);
	if (!h)
		return;
	ct = nf_ct_tuplehash_to_ctrack(h);
	s = vpnpass_session_by_ct(vn, &esp_proto, ct);
	if (s && !test_bit(0, &s->passed) && vpnpass_conn_leaves_elsewhere(ct, pkt))
		vpnpass_session_end(s, "another way out");
	nf_ct_put(ct);
}

static unsigned int esp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err)
{
	const struct nf_conntrack_zone *zone = vpnpass_skb_zone(pkt->skb);
	struct esp_group *g;

	if (err)
		vpnpass_count(vn, &esp_proto, VPNPASS_CNT_MALFORMED);
	g = group_of(vn, pkt);
	if (!g) {
		esp_check_way(vn, pkt, zone);
		return NF_ACCEPT;
	}
	if (esp_own_sa(vn, &pkt->key, pkt->skb->mark)) {
		vpnpass_count(vn, &esp_proto, ESP_CNT_LOCAL_SA);
		return NF_ACCEPT;
	}
	/* A server that a rule leads to, or an IPsec of the router's without SAs in the
	 * kernel, was there first.
	 */
	if (vpnpass_flow_is_stock(pkt, zone) && !esp_own_peer(vn, &pkt->key))
		return NF_ACCEPT;
	/* Before a client has sent, a rule may lead the gateway's to a server. */
	if (!READ_ONCE(g->begun) && vpnpass_rules_first(vn, pkt->key.family) &&
	    !vpnpass_flow_exists(pkt, zone))
		return NF_ACCEPT;
	return err ? NF_DROP : esp_unknown_spi(g, pkt);
}

/* A rule leads the gateway's ESP to a host that asks for an SA with it as well. The flow that
 * is about to begin needs the tuple of the connection that was made for the host.
 */
static void esp_give_way(struct vpnpass_net *vn, const struct nf_conn *ct)
{
	struct nf_conntrack_tuple_hash *h;
	struct vpnpass_session *s;
	struct nf_conn *made;

	h = nf_conntrack_find_get(vn->net, nf_ct_zone(ct),
				  &ct->tuplehash[IP_CT_DIR_REPLY].tuple);
	if (!h)
		return;
	made = nf_ct_tuplehash_to_ctrack(h);
	s = vpnpass_session_by_ct(vn, &esp_proto, made);
	if (s && !test_bit(0, &s->passed))
		vpnpass_session_end(s, "a rule leads ESP to the client");
	nf_ct_put(made);
}

static unsigned int esp_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	struct vpnpass_session *s;
	struct esp_session *es;
	unsigned int verdict;
	struct nf_conn *ct;
	u32 spi;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	if (!nf_ct_is_confirmed(ct) && test_bit(IPS_DST_NAT_BIT, &ct->status))
		esp_give_way(vn, ct);
	if (CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL ||
	    !test_bit(IPS_SRC_NAT_BIT, &ct->status) ||
	    nf_ct_protonum(ct) != IPPROTO_ESP)
		return NF_ACCEPT;
	/* Counted on its way in. Without a session it must not become the one
	 * entry that catches what the gateway sends to others.
	 */
	if (esp_header(pkt, &spi))
		return NF_DROP;

	s = vpnpass_session_by_ct(vn, &esp_proto, ct);
	if (s) {
		es = container_of(s, struct esp_session, s);
	} else {
		if (nf_ct_is_confirmed(ct))
			return NF_ACCEPT;
		es = esp_session_begin(vn, pkt, &verdict);
		if (!es)
			return verdict;
	}
	vpnpass_session_seen(&es->s);
	WRITE_ONCE(es->group->begun, true);
	esp_session_out(es, spi);
	return NF_ACCEPT;
}

/* See struct vpnpass_ops. A quote may end before the SPI: in IPv6 one of 8 octets does when AH
 * is in front of it. Then it may be the only client's.
 */
static struct vpnpass_session *esp_quoted(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
					  bool known)
{
	struct esp_group *g;
	u32 spi;

	if (known || !esp_header(pkt, &spi))
		return NULL;
	g = group_between(vn, pkt, &pkt->key.dst, &pkt->key.src);
	return g ? esp_group_only(g) : NULL;
}

static const struct vpnpass_ops esp_ops = {
	.number = esp_number,
	.quoted = esp_quoted,
	.miss = esp_miss,
	.after_rules = esp_after_rules,
	.post = esp_post,
	.hint = esp_take_hint,
	.restore = esp_restore_session,
	.session_end = esp_session_end,
	.session_state = esp_session_state,
	.net_init = esp_groups_init,
	.net_exit = esp_groups_exit,
};

static int __init esp_init(void)
{
	return vpnpass_proto_register(&esp_proto, &esp_ops);
}

static void __exit esp_exit(void)
{
	vpnpass_proto_unregister(&esp_proto);
}

module_init(esp_init);
module_exit(esp_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VPN passthrough for NAT routers: IPsec ESP");
MODULE_VERSION(VPNPASS_VERSION);
