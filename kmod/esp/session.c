// SPDX-License-Identifier: GPL-2.0
/*
 * ESP sessions. Stock conntrack knows ESP by its addresses alone, so that the
 * replies to two clients of one gateway look the same and the second client's
 * entry cannot be inserted. A session gives the entry's reply tuple a number of
 * its own in place of the port that ESP does not have; packets are led to the
 * entry by their SPI, never by that tuple.
 */
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

static struct esp_group *session_group(struct vpnpass_net *vn,
				       const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *reply;
	struct esp_group_key key = {};

	reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	key.peer = reply->src.u3;
	key.local = reply->dst.u3;
	key.zone = nf_ct_zone_id(nf_ct_zone(ct), IP_CT_DIR_REPLY);
	key.family = nf_ct_l3num(ct);
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

static int session_confirm(struct esp_session *es, struct sk_buff *skb,
			   unsigned int *verdict)
{
	int err;

	*verdict = nf_conntrack_confirm(skb);
	if (*verdict != NF_ACCEPT)
		return -EEXIST;
	/* Conntrack may have settled a clash by giving us another's entry. */
	if (skb_nfct(skb) != &es->s.ct->ct_general || !nf_ct_is_confirmed(es->s.ct))
		return -EEXIST;
	err = vpnpass_session_publish(&es->s);
	if (err)
		nf_ct_kill(es->s.ct);
	return err;
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
	INIT_LIST_HEAD(&es->holding);
	es->group = session_group(vn, ct);
	if (!es->group || session_reply_key(es) ||
	    session_confirm(es, pkt->skb, verdict)) {
		session_undo(es);
		return NULL;
	}

	spin_lock_bh(&es->group->lock);
	/* It can have been ended already, by the administrator. */
	if (!test_bit(0, &s->ended)) {
		esp_group_begin(es->group);
		pair_client_add(&es->group->pair, &es->client, vpnpass_now());
		es->linked = true;
	}
	spin_unlock_bh(&es->group->lock);
	return es;
}

/* The core's word that a session goes; see struct vpnpass_proto. */
void esp_session_end(struct vpnpass_session *s)
{
	struct esp_session *es = container_of(s, struct esp_session, s);
	struct esp_group *g = es->group;
	struct esp_release rel = {};
	struct pair_act act = {};

	spin_lock_bh(&g->lock);
	esp_hold_drop(es);
	if (es->linked) {
		es->linked = false;
		esp_group_begin(g);
		pair_client_del(&g->pair, &es->client, vpnpass_now(), &act);
		esp_group_apply(g, &act, &rel);
	}
	while (es->n_spare)
		vpnpass_pin_free(es->spare[--es->n_spare]);
	session_unkey(es);
	spin_unlock_bh(&g->lock);

	esp_release_send(s->vn, &rel);
	esp_group_put(g);
}

const char *esp_session_state(const struct vpnpass_session *s)
{
	const struct esp_session *es = container_of(s, struct esp_session, s);
	int i;

	for (i = 0; i < PAIR_IN_SLOTS; i++)
		if (READ_ONCE(es->client.in[i].state) == PAIR_SETTLED)
			return "paired";
	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (READ_ONCE(es->client.out[i].state) == PAIR_ONEWAY)
			return "one-way";
	return "pairing";
}

/* A packet of the client's own: have pins ready for what it will bring. */
void esp_session_refill(struct esp_session *es)
{
	struct vpnpass_pin *pin;

	while (es->n_spare < ESP_SPARES) {
		pin = vpnpass_pin_alloc(es->s.vn);
		if (!pin) {
			vpnpass_count(es->s.vn, &esp_proto, VPNPASS_CNT_NO_MEMORY);
			return;
		}
		es->spare[es->n_spare++] = pin;
	}
}

static struct vpnpass_pin *pin_from_spare(struct esp_session *es,
					  const struct vpnpass_key *key, u8 dir)
{
	struct vpnpass_pin *pin;

	if (!es->n_spare)
		return NULL;
	pin = es->spare[es->n_spare - 1];
	pin->key = *key;
	pin->dir = dir;
	pin->number_kind = VPNPASS_NUMBER_KIND_SPI;
	if (vpnpass_pin_add(&es->s, pin))
		return NULL;
	es->n_spare--;
	return pin;
}

/* Packets quoted by ICMP errors were sent after NAT, so from our address. */
static struct vpnpass_pin *pin_quote(struct esp_session *es, u32 spi)
{
	struct vpnpass_key key = {
		.src = es->s.local,
		.dst = es->s.peer,
		.number = spi,
		.zone = es->group->key.zone,
		.l4proto = IPPROTO_ESP,
		.family = es->s.family,
		.kind = VPNPASS_KEY_QUOTE,
	};

	/* Another client may use the same SPI; errors then go to that one. */
	return pin_from_spare(es, &key, IP_CT_DIR_ORIGINAL);
}

/**
 * esp_session_quote() - have ICMP errors about an outbound SPI find the session
 * @es: the session
 * @spi: an SPI the policy has just been shown
 *
 * From the first packet on, settled or not: that one may be too big for the
 * path and have no other answer than the error.
 *
 * Context: group lock held.
 */
void esp_session_quote(struct esp_session *es, u32 spi)
{
	struct vpnpass_pin *old;
	int i;

	for (i = 0; i < PAIR_OUT_SLOTS; i++)
		if (es->client.out[i].state != PAIR_FREE &&
		    es->client.out[i].spi == spi)
			break;
	if (i == PAIR_OUT_SLOTS)
		return;
	old = es->quote[i];
	if (old && old->key.number == spi)
		return;
	if (old && vpnpass_now() - READ_ONCE(old->last) < ESP_RECENT_MS) {
		vpnpass_limit_hit(&es->s, VPNPASS_CNT_LIMIT_NUMBERS);
		return;
	}
	if (old)
		vpnpass_pin_del(old);
	es->quote[i] = pin_quote(es, spi);
}

/**
 * esp_session_pin() - put an SPI on the fast path
 * @es: the session
 * @slot: its SPI
 * @in: whether the SPI is inbound
 *
 * Context: group lock held.
 */
void esp_session_pin(struct esp_session *es, struct pair_spi *slot, bool in)
{
	const struct vpnpass_session *s = &es->s;
	struct vpnpass_key key = {
		.src = in ? s->peer : s->client,
		.dst = in ? s->local :
			    s->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3,
		.number = slot->spi,
		.zone = in ? es->group->key.zone :
			     nf_ct_zone_id(nf_ct_zone(s->ct), IP_CT_DIR_ORIGINAL),
		.l4proto = IPPROTO_ESP,
		.family = s->family,
		.kind = VPNPASS_KEY_PACKET,
	};
	struct vpnpass_pin *pin;

	pin = pin_from_spare(es, &key, in ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL);
	if (!pin) {
		vpnpass_count(s->vn, &esp_proto, ESP_CNT_PIN_FAILED);
		return;
	}
	slot->priv = pin;
	slot->last = &pin->last;
	if (in)
		vpnpass_event_pin(s, VPNPASS_EVENT_TYPE_PINNED, pin, NULL);
}
