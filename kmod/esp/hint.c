// SPDX-License-Identifier: GPL-2.0
/*
 * What the IKE helper tells: a client has just agreed on SAs with its gateway.
 * That explains an SPI that turns up soon, and the gateway may be the first to
 * use its SA, so the client's session is made here when it has none. And what
 * the IKE helper asks: had another client better wait? Called by way of
 * vpnpass_hint() and vpnpass_busy().
 */
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "esp.h"

static struct esp_group_key hint_key(const struct vpnpass_hint *hint)
{
	return (struct esp_group_key) {
		.peer = hint->peer,
		.local = hint->local,
		.zone = hint->zone,
		.family = hint->family,
	};
}

/* The client's packets before translation; ESP has no ports. */
static struct nf_conntrack_tuple hint_orig(const struct vpnpass_hint *hint)
{
	return (struct nf_conntrack_tuple) {
		.src.u3 = hint->client,
		.src.l3num = hint->family,
		.dst.u3 = hint->peer,
		.dst.protonum = IPPROTO_ESP,
	};
}

/* What the gateway sends, as it arrives. */
static struct nf_conntrack_tuple hint_reply(const struct vpnpass_hint *hint)
{
	return (struct nf_conntrack_tuple) {
		.src.u3 = hint->peer,
		.src.l3num = hint->family,
		.dst.u3 = hint->local,
		.dst.protonum = IPPROTO_ESP,
	};
}

static struct nf_conntrack_zone hint_zone(const struct vpnpass_hint *hint)
{
	return (struct nf_conntrack_zone) {
		.id = hint->zone,
		.dir = NF_CT_DEFAULT_ZONE_DIR,
	};
}

/* The client's ESP session with the gateway. *@taken: there is a connection. */
static struct esp_session *session_find(struct vpnpass_net *vn,
					const struct vpnpass_hint *hint,
					bool *taken)
{
	struct nf_conntrack_tuple orig = hint_orig(hint);
	struct nf_conntrack_zone zone = hint_zone(hint);
	struct nf_conntrack_tuple_hash *h;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(vn->net, &zone, &orig);
	*taken = h;
	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	s = vpnpass_session_by_ct(vn, ct);
	nf_ct_put(ct);
	return s ? container_of(s, struct esp_session, s) : NULL;
}

/* As a first packet of the client's would have made it, but for the packet. */
static struct nf_conn *conn_make(struct vpnpass_net *vn,
				 const struct vpnpass_hint *hint, u16 reply_key)
{
	struct nf_conntrack_tuple reply = hint_reply(hint);
	struct nf_conntrack_tuple orig = hint_orig(hint);
	struct nf_conntrack_zone zone = hint_zone(hint);
	struct nf_conn *ct;

	ct = vpnpass_conn_alloc(vn, &zone, &orig, &reply, NULL,
				vpnpass_setting(vn, &esp_proto, VPNPASS_SET_TIMEOUT));
	if (!ct)
		return NULL;
	/* See session.c: what tells the clients' entries apart. */
	ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u.all = htons(reply_key);
	return vpnpass_conn_insert(ct) ? NULL : ct;
}

static struct esp_session *session_publish(struct vpnpass_net *vn, struct nf_conn *ct,
					   struct esp_group *g, u16 reply_key)
{
	struct vpnpass_session *s = vpnpass_session_alloc(vn, &esp_proto, ct);
	struct esp_session *es;

	if (IS_ERR(s))
		return NULL;
	es = container_of(s, struct esp_session, s);
	INIT_LIST_HEAD(&es->holding);
	es->group = g;
	es->reply_key = reply_key;
	if (!vpnpass_session_publish(s))
		return es;
	vpnpass_session_discard(s);
	return NULL;
}

static void session_link(struct esp_session *es)
{
	struct esp_group *g = es->group;

	spin_lock_bh(&g->lock);
	if (!test_bit(0, &es->s.ended)) {
		esp_group_begin(g);
		pair_client_add(&g->pair, &es->client, vpnpass_now());
		es->linked = true;
	}
	spin_unlock_bh(&g->lock);
}

/* A session of a client that has not sent ESP yet, or NULL. */
static struct esp_session *session_make(struct vpnpass_net *vn,
					const struct vpnpass_hint *hint)
{
	struct esp_group_key key = hint_key(hint);
	struct esp_group *g = esp_group_get(vn, &key);
	struct esp_session *es = NULL;
	struct nf_conn *ct;
	int reply_key;

	if (!g)
		return NULL;
	reply_key = ida_alloc_range(&g->reply_keys, 1, U16_MAX, GFP_ATOMIC);
	if (reply_key < 0)
		goto put;
	ct = conn_make(vn, hint, reply_key);
	if (!ct)
		goto unkey;
	es = session_publish(vn, ct, g, reply_key);
	if (!es)
		nf_ct_kill(ct);
	nf_ct_put(ct);
	if (es) {
		session_link(es);
		return es;
	}
unkey:
	ida_free(&g->reply_keys, reply_key);
put:
	esp_group_put(g);
	return NULL;
}

/**
 * esp_hint() - a client has agreed on SAs with its gateway
 * @vn: netns
 * @hint: who with whom
 *
 * Context: softirq, RCU read side.
 */
void esp_hint(struct vpnpass_net *vn, const struct vpnpass_hint *hint)
{
	struct esp_release rel = {};
	struct pair_act act = {};
	struct esp_session *es;
	struct esp_group *g;
	bool taken;

	es = session_find(vn, hint, &taken);
	if (!es && !taken)
		es = session_make(vn, hint);
	if (!es)
		return;
	g = es->group;
	spin_lock_bh(&g->lock);
	if (es->linked) {
		esp_session_refill(es);
		esp_group_begin(g);
		pair_evidence(&g->pair, &es->client, vpnpass_now(), &act);
		esp_group_apply(g, &act, &rel);
	}
	spin_unlock_bh(&g->lock);
	esp_release_send(vn, &rel);
}

/**
 * esp_busy() - is a pairing of another client with that gateway open?
 * @vn: netns
 * @hint: who with whom
 *
 * Context: softirq, RCU read side.
 */
bool esp_busy(struct vpnpass_net *vn, const struct vpnpass_hint *hint)
{
	struct esp_group_key key = hint_key(hint);
	struct esp_group *g = esp_group_find(vn, &key);
	const struct pair_client *c = NULL;
	struct esp_session *es;
	bool busy, taken;

	if (!g)
		return false;
	es = session_find(vn, hint, &taken);
	if (es)
		c = &es->client;
	spin_lock_bh(&g->lock);
	busy = !g->dead && pair_is_open(&g->pair, c, vpnpass_now());
	spin_unlock_bh(&g->lock);
	return busy;
}
