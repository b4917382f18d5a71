// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of clients that have sent no ESP yet: their connection is made
 * beforehand, so that what the gateway sends first finds it: after a key
 * exchange (key_exchange.c) and after a reload (restore.c).
 */
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <net/netfilter/nf_nat.h>

#include "esp.h"

/* The client's packets before translation; ESP has no ports. */
static struct nf_conntrack_tuple tuple_orig(const struct esp_conn *c)
{
	return (struct nf_conntrack_tuple) {
		.src.u3 = c->client,
		.src.l3num = c->family,
		.dst.u3 = c->dest,
		.dst.protonum = IPPROTO_ESP,
	};
}

/* The tuple of the gateway's packets as they arrive. */
static struct nf_conntrack_tuple tuple_reply(const struct esp_conn *c)
{
	return (struct nf_conntrack_tuple) {
		.src.u3 = c->peer,
		.src.l3num = c->family,
		.dst.u3 = c->local,
		.dst.protonum = IPPROTO_ESP,
	};
}

/**
 * esp_session_find() - a client's session with a gateway
 * @vn: netns
 * @c: the connection that it would have
 * @taken: set to whether there is such a connection, with a session or not
 *
 * Context: RCU read side.
 * Return: the session or NULL.
 */
struct esp_session *esp_session_find(struct vpnpass_net *vn,
				     const struct esp_conn *c, bool *taken)
{
	struct nf_conntrack_tuple orig = tuple_orig(c);
	struct nf_conntrack_tuple_hash *h;
	struct vpnpass_session *s;
	struct nf_conn *ct;

	h = nf_conntrack_find_get(vn->net, &c->zone, &orig);
	*taken = h;
	if (!h)
		return NULL;
	ct = nf_ct_tuplehash_to_ctrack(h);
	s = vpnpass_session_by_ct(vn, &esp_proto, ct);
	nf_ct_put(ct);
	return s ? container_of(s, struct esp_session, s) : NULL;
}

/* As a first packet of the client's would have made it, but for the packet. */
static struct nf_conn *conn_make(struct vpnpass_net *vn,
				 const struct esp_conn *c, u16 reply_key)
{
	struct nf_conntrack_tuple orig = tuple_orig(c), reply = tuple_reply(c);
	struct nf_conn *ct;
	int err;

	/* See session.c: what tells the clients' entries apart. */
	reply.dst.u.all = htons(reply_key);
	ct = vpnpass_conn_alloc(vn, &c->zone, &orig, &reply, c->master,
				c->timeout_s);
	if (!ct)
		return ERR_PTR(-ENOMEM);
	vpnpass_conn_masquerade(ct, c->masq_index);
	err = vpnpass_conn_insert(ct);
	return err ? ERR_PTR(err) : ct;
}

static struct esp_session *publish(struct vpnpass_net *vn, struct nf_conn *ct,
				   struct esp_group *g, u16 reply_key)
{
	struct vpnpass_session *s = vpnpass_session_alloc(vn, &esp_proto, ct);
	struct esp_session *es;
	int err;

	if (IS_ERR(s))
		return ERR_CAST(s);
	es = container_of(s, struct esp_session, s);
	es->group = g;
	es->reply_key = reply_key;
	err = vpnpass_session_publish(s);
	if (!err)
		return es;
	vpnpass_session_discard(s);
	return ERR_PTR(err);
}

static struct esp_session *make_in(struct esp_group *g, struct vpnpass_net *vn,
				   const struct esp_conn *c)
{
	struct esp_session *es;
	struct nf_conn *ct;
	int reply_key;

	reply_key = ida_alloc_range(&g->reply_keys, 1, U16_MAX, GFP_ATOMIC);
	if (reply_key < 0)
		return ERR_PTR(reply_key);
	ct = conn_make(vn, c, reply_key);
	if (IS_ERR(ct)) {
		es = ERR_CAST(ct);
	} else {
		es = publish(vn, ct, g, reply_key);
		if (IS_ERR(es))
			nf_ct_kill(ct);
		nf_ct_put(ct);
	}
	if (IS_ERR(es))
		ida_free(&g->reply_keys, reply_key);
	return es;
}

/**
 * esp_session_make() - a session of a client that has not sent ESP yet
 * @vn: netns
 * @c: its connection, which there is none of so far
 *
 * Context: any, RCU read side.
 * Return: the session, valid until the end of the RCU read side, or an ERR_PTR:
 * -EDQUOT for a limit, -EEXIST, -ENOMEM, -EAGAIN when something changed under
 * us.
 */
struct esp_session *esp_session_make(struct vpnpass_net *vn,
				     const struct esp_conn *c)
{
	struct vpnpass_peer_key key = {
		.addr = c->peer,
		.local = c->local,
		.zone = nf_ct_zone_id(&c->zone, IP_CT_DIR_REPLY),
		.family = c->family,
	};
	struct esp_group *g = esp_group_get(vn, &key);
	struct esp_session *es;

	if (!g)
		return ERR_PTR(-EAGAIN);
	es = make_in(g, vn, c);
	if (IS_ERR(es))
		esp_group_put(g);
	else
		esp_session_link(es);
	vpnpass_rules_want(vn, c->family);
	return es;
}
