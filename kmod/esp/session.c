// SPDX-License-Identifier: GPL-2.0
/*
 * ESP sessions. Stock conntrack knows ESP by its addresses alone, so that the
 * replies to two clients of one gateway look the same and the second client's
 * entry cannot be inserted. A session gives the entry's reply tuple a number of
 * its own in place of the port that ESP does not have; packets are led to the
 * entry by their SPI, never by that tuple.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

static struct esp_group *session_group(struct vpnpass_net *vn,
				       const struct nf_conn *ct)
{
	struct vpnpass_peer_key key = vpnpass_peer_key(ct, IP_CT_DIR_REPLY);

	return esp_group_get(vn, &key);
}

/* Make the reply tuple this client's own; ct is not confirmed, so still ours. */
static int session_reply_key(struct esp_session *es)
{
	int key = ida_alloc_range(&es->group->reply_keys, 1, U16_MAX, GFP_ATOMIC);

	if (key < 0)
		return key;
	es->reply_key = key;
	es->s.ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.all = htons(key);
	return 0;
}

static void session_unkey(struct esp_session *es)
{
	if (es->reply_key)
		ida_free(&es->group->reply_keys, es->reply_key);
	es->reply_key = 0;
}

/* Take back what esp_session_begin() set up and did not publish. */
static void session_undo(struct esp_session *es)
{
	if (es->group) {
		session_unkey(es);
		esp_group_put(es->group);
	}
	vpnpass_session_discard(&es->s);
}

/**
 * esp_session_begin() - a client's first ESP packet to a gateway is going out
 * @vn: netns
 * @pkt: the packet, translated, its connection not confirmed
 * @verdict: for the packet, when there is no session
 *
 * Context: softirq, RCU read side, POSTROUTING.
 * Return: the session, or NULL when a limit, memory or conntrack says no.
 */
struct esp_session *esp_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt,
				      unsigned int *verdict)
{
	struct nf_conn *ct = (struct nf_conn *)skb_nfct(pkt->skb);
	struct vpnpass_session *s;
	struct esp_session *es;

	*verdict = NF_DROP;
	s = vpnpass_session_alloc(vn, &esp_proto, ct);
	if (IS_ERR(s))
		return NULL;
	es = container_of(s, struct esp_session, s);
	es->group = session_group(vn, ct);
	if (!es->group || session_reply_key(es) ||
	    vpnpass_session_start(&es->s, pkt->skb, verdict)) {
		session_undo(es);
		return NULL;
	}

	esp_session_link(es);
	return es;
}

/**
 * esp_session_link() - make a published session known to the pairing policy
 * @es: the session
 *
 * Context: any.
 */
void esp_session_link(struct esp_session *es)
{
	struct esp_group *g = es->group;

	spin_lock_bh(&g->lock);
	/* The administrator can have ended it already. */
	if (!test_bit(0, &es->s.ended)) {
		pair_client_add(&g->pair, &es->client, vpnpass_now());
		es->linked = true;
	}
	spin_unlock_bh(&g->lock);
}

/* The core's word that a session goes; see struct vpnpass_proto. */
void esp_session_end(struct vpnpass_session *s)
{
	struct esp_session *es = container_of(s, struct esp_session, s);
	struct esp_group *g = es->group;

	spin_lock_bh(&g->lock);
	if (es->linked) {
		es->linked = false;
		pair_client_del(&g->pair, &es->client);
		esp_spis_forget(&es->client);
		esp_spares_free(es);
	}
	session_unkey(es);
	spin_unlock_bh(&g->lock);
	esp_group_put(g);
}

const char *esp_session_state(const struct vpnpass_session *s)
{
	const struct esp_session *es = container_of(s, struct esp_session, s);

	return READ_ONCE(es->client.n_in) ? "paired" : "pairing";
}

/* An SPI that the client has not sent on before. Group lock held, esp_group_begin() has
 * been called. Returns NULL when it has as many as it may, or without memory.
 */
struct pair_out *esp_out_new(struct esp_session *es, u32 spi)
{
	struct esp_group *g = es->group;
	struct esp_out *o = esp_out_alloc(es);
	struct pair_act act = {};

	if (!o)
		return NULL;
	if (!pair_out_add(&g->pair, &es->client, &o->out, spi, vpnpass_now(), &act)) {
		kfree(o);
		vpnpass_limit_hit(&es->s, VPNPASS_CNT_LIMIT_NUMBERS);
		return NULL;
	}
	esp_group_apply(g, &act);
	esp_out_quote(es, o);
	return &o->out;
}

/**
 * esp_session_out() - a packet of the client's leaves on an SPI without a pin
 * @es: the session
 * @spi: the SPI
 *
 * Context: softirq, RCU read side.
 */
void esp_session_out(struct esp_session *es, u32 spi)
{
	struct esp_group *g = es->group;
	struct pair_act act = {};
	u32 now = vpnpass_now();
	struct pair_out *o;

	spin_lock_bh(&g->lock);
	if (es->linked) {
		esp_spares_fill(es);
		esp_group_begin(g);
		o = pair_out_find(&es->client, spi) ?: esp_out_new(es, spi);
		if (o)
			pair_packet_out(&g->pair, &es->client, o, now, &act);
		esp_group_apply(g, &act);
	}
	spin_unlock_bh(&g->lock);
}
