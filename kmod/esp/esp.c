// SPDX-License-Identifier: GPL-2.0
/*
 * ESP through NAT (RFC 4303): the helper's face to the core. Reads SPIs, asks
 * the pairing policy whose they are, registers.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

/* SPI and sequence number. */
static int esp_header(const struct vpnpass_pkt *pkt, u32 *spi, u32 *seq)
{
	__be32 buf[2];
	const __be32 *h;

	h = skb_header_pointer(pkt->skb, pkt->thoff, sizeof(buf), buf);
	if (!h)
		return -EBADMSG;
	*spi = ntohl(h[0]);
	*seq = ntohl(h[1]);
	return *spi > ESP_SPI_RESERVED ? 0 : -EBADMSG;
}

static int esp_number(struct vpnpass_pkt *pkt)
{
	u32 spi, seq;
	int err;

	err = esp_header(pkt, &spi, &seq);
	pkt->key.number = spi;
	return err;
}

/* A copy takes the same way as the packet, as another client's. */
static void esp_send_copy(struct sk_buff *copy, struct pair_client *c)
{
	struct esp_session *es = container_of(c, struct esp_session, client);

	if (vpnpass_attach_copy(&es->s, copy))
		netif_rx(copy);
	else
		kfree_skb(copy);
}

static unsigned int esp_deliver(struct vpnpass_pkt *pkt, struct pair_act *act)
{
	struct esp_session *es;
	struct sk_buff *copy;
	int i;

	for (i = 0; i < act->n_copy; i++) {
		copy = skb_clone(pkt->skb, GFP_ATOMIC);
		if (copy)
			esp_send_copy(copy, act->copy[i]);
	}
	es = container_of(act->to, struct esp_session, client);
	return vpnpass_attach(&es->s, pkt->skb, IP_CT_DIR_REPLY) ? NF_ACCEPT :
								   NF_DROP;
}

/* A packet from a gateway that clients of ours use, on an SPI without a pin. */
static unsigned int esp_unknown_spi(struct esp_group *g, struct vpnpass_pkt *pkt)
{
	struct esp_release rel = {};
	struct pair_act act = {};
	unsigned int verdict;
	u32 spi, seq;

	if (esp_header(pkt, &spi, &seq))
		return NF_DROP;

	spin_lock_bh(&g->lock);
	if (g->dead) {
		act.verdict = PAIR_PASS;
	} else {
		esp_group_begin(g);
		pair_in(&g->pair, spi, seq, vpnpass_now(), &act);
		esp_group_apply(g, &act, &rel);
	}
	switch (act.verdict) {
	case PAIR_DELIVER:
		verdict = esp_deliver(pkt, &act);
		break;
	case PAIR_DROP:
		verdict = NF_DROP;
		break;
	default:
		verdict = NF_ACCEPT;
	}
	spin_unlock_bh(&g->lock);
	esp_release_send(g->vn, &rel);
	return verdict;
}

static unsigned int esp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(pkt->skb);
	struct esp_group_key key = {};
	struct esp_group *g;

	if (err)
		vpnpass_count(vn, &esp_proto, VPNPASS_CNT_MALFORMED);
	key.peer = pkt->key.src;
	key.local = pkt->key.dst;
	key.zone = pkt->key.zone;
	key.family = pkt->key.family;
	g = esp_group_find(vn, &key);
	if (!g)
		return NF_ACCEPT;
	if (esp_own_sa(vn, &pkt->key, pkt->skb->mark)) {
		vpnpass_count(vn, &esp_proto, ESP_CNT_LOCAL_SA);
		return NF_ACCEPT;
	}
	/* A server that a rule leads to, or an IPsec of the router's without SAs in the
	 * kernel, was there first.
	 */
	if (vpnpass_flow_is_stock(pkt, tmpl ? nf_ct_zone(tmpl) : &nf_ct_zone_dflt) &&
	    !esp_own_peer(vn, &pkt->key))
		return NF_ACCEPT;
	return err ? NF_DROP : esp_unknown_spi(g, pkt);
}

/* An outbound packet that the policy wants to see. */
static unsigned int esp_outbound(struct esp_session *es, struct vpnpass_pkt *pkt,
				 u32 spi, u32 seq)
{
	struct esp_group *g = es->group;
	struct esp_release rel = {};
	unsigned int verdict = NF_ACCEPT;
	struct pair_act act = {};

	spin_lock_bh(&g->lock);
	if (es->linked) {
		esp_session_refill(es);
		esp_group_begin(g);
		pair_out(&g->pair, &es->client, spi, seq, vpnpass_now(), &act);
		if (act.verdict == PAIR_HOLD)
			verdict = esp_hold(es, pkt) ? NF_STOLEN : NF_DROP;
		else if (act.verdict == PAIR_DROP)
			verdict = NF_DROP;
		esp_group_apply(g, &act, &rel);
		esp_session_quote(es, spi);
	}
	spin_unlock_bh(&g->lock);
	esp_release_send(g->vn, &rel);
	return verdict;
}

static unsigned int esp_post(struct vpnpass_net *vn, struct vpnpass_pkt *pkt)
{
	enum ip_conntrack_info ctinfo;
	struct vpnpass_session *s;
	struct esp_session *es;
	unsigned int verdict;
	struct nf_conn *ct;
	u32 spi, seq;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	if (CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL ||
	    !test_bit(IPS_SRC_NAT_BIT, &ct->status) ||
	    nf_ct_protonum(ct) != IPPROTO_ESP)
		return NF_ACCEPT;
	/* Counted on its way in. Without a session it must not become the one
	 * entry that catches what the gateway sends to others.
	 */
	if (esp_header(pkt, &spi, &seq))
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
	return esp_outbound(es, pkt, spi, seq);
}

static const struct vpnpass_match esp_match[] = {
	{ .l4proto = IPPROTO_ESP },
	{ .l4proto = IPPROTO_AH, .block_only = true },
};

static const struct vpnpass_setting esp_settings[] = {
	VPNPASS_COMMON_SETTINGS(3600),
	[ESP_SET_WINDOW] = { "pairing_window", "ms", 10, 10000, 500 },
	[ESP_SET_COPIES] = { "copies", "packets", 0, PAIR_COPY_MAX, PAIR_COPY_MAX },
	[ESP_SET_STRICT] = { "strict", "", 0, 1, 0 },
	[ESP_SET_HOLD] = { "hold", "", 0, 1, 1 },
};

static const char *const esp_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[ESP_CNT_PAIRED_ONLY] = "paired_only_client",
	[ESP_CNT_PAIRED_EVIDENCE] = "paired_evidence",
	[ESP_CNT_PAIRED_PENDING] = "paired_pending",
	[ESP_CNT_GUESSED] = "paired_guess",
	[ESP_CNT_CORRECTED] = "corrected",
	[ESP_CNT_HELD] = "held",
	[ESP_CNT_HELD_DROPPED] = "held_dropped",
	[ESP_CNT_COPIES] = "copies",
	[ESP_CNT_UNKNOWN] = "unknown_spi",
	[ESP_CNT_DROPPED_STRICT] = "dropped_strict",
	[ESP_CNT_DROPPED_LIMIT] = "dropped_limit",
	[ESP_CNT_ONEWAY] = "oneway",
	[ESP_CNT_LOCAL_SA] = "local_sa",
	[ESP_CNT_PIN_FAILED] = "pin_failed",
};

struct vpnpass_proto esp_proto = {
	.name = "esp",
	.owner = THIS_MODULE,
	.match = esp_match,
	.n_match = ARRAY_SIZE(esp_match),
	.settings = esp_settings,
	.n_settings = ARRAY_SIZE(esp_settings),
	.counters = esp_counters,
	.n_counters = ARRAY_SIZE(esp_counters),
	.session_size = sizeof(struct esp_session),
	.net_size = sizeof(struct esp_net),
};

static const struct vpnpass_ops esp_ops = {
	.number = esp_number,
	.miss = esp_miss,
	.post = esp_post,
	.hint = esp_hint,
	.busy = esp_busy,
	.restore = esp_restore,
	.session_end = esp_session_end,
	.session_state = esp_session_state,
	.net_init = esp_groups_init,
	.net_exit = esp_groups_exit,
	.dev_down = esp_groups_dev_gone,
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
