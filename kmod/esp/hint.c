// SPDX-License-Identifier: GPL-2.0
/*
 * What the IKE helper tells: a client asks its gateway for SAs, or has just made
 * some. That explains an SPI that turns up soon, and the gateway may be the first to
 * use its SA, so the client's session is made here when it has none, or has one
 * of an address that it is no longer known by. And what
 * the IKE helper asks: had another client better wait? Called by way of
 * vpnpass_hint() and vpnpass_busy().
 */
#include "esp.h"

static struct esp_group_key hint_key(const struct vpnpass_hint *hint)
{
	return (struct esp_group_key) {
		.peer = hint->peer,
		.local = hint->local,
		.zone = nf_ct_zone_id(&hint->zone, IP_CT_DIR_REPLY),
		.family = hint->family,
	};
}

/* The client's connection as its own first packet would make it. */
static struct esp_conn hint_conn(const struct vpnpass_net *vn,
				 const struct vpnpass_hint *hint)
{
	return (struct esp_conn) {
		.family = hint->family,
		.client = hint->client,
		.dest = hint->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3,
		.peer = hint->peer,
		.local = hint->local,
		.zone = hint->zone,
		.masq_index = vpnpass_conn_masq_index(hint->ct),
		.master = hint->ct,
		.timeout_s = vpnpass_setting(vn, &esp_proto, VPNPASS_SET_TIMEOUT),
	};
}

/*
 * Does the session's connection have an address that the gateway does not expect any
 * more? That which a rule gave to a packet of the client's stays, but masquerading
 * ends with the way out.
 */
static bool has_moved(const struct esp_session *es, const struct vpnpass_hint *hint)
{
	int index = vpnpass_conn_masq_index(es->s.ct);
	int hinted = vpnpass_conn_masq_index(hint->ct);

	if (nf_inet_addr_cmp(&es->s.local, &hint->local))
		return false;
	return !test_bit(0, &es->s.passed) ||
	       (index && hinted && index != hinted);
}

/* The client's session with the gateway, made if need be; NULL when there is none. */
static struct esp_session *session_of(struct vpnpass_net *vn,
				      const struct vpnpass_hint *hint)
{
	struct esp_conn conn = hint_conn(vn, hint);
	struct esp_session *es;
	bool taken;

	es = esp_session_find(vn, &conn, &taken);
	if (es && has_moved(es, hint)) {
		vpnpass_session_end(&es->s, "address changed");
		es = NULL;
		taken = false;
	}
	if (!es && !taken)
		es = esp_session_make(vn, &conn);
	return IS_ERR(es) ? NULL : es;
}

/**
 * esp_hint() - a client agrees on SAs with its gateway
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
	u32 now = vpnpass_now();
	struct esp_group *g;

	if (hint->what > VPNPASS_HINT_AGAIN)
		return;
	es = session_of(vn, hint);
	if (!es)
		return;
	g = es->group;
	spin_lock_bh(&g->lock);
	if (es->linked) {
		esp_session_refill(es);
		esp_group_begin(g);
		if (hint->what == VPNPASS_HINT_MADE)
			pair_evidence(&g->pair, &es->client, now, &act);
		else
			pair_exchange(&g->pair, &es->client, now,
				      hint->what == VPNPASS_HINT_AGAIN, &act);
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
	struct esp_conn conn = hint_conn(vn, hint);
	const struct pair_client *c = NULL;
	struct esp_session *es;
	bool busy, taken;

	if (!g)
		return false;
	es = esp_session_find(vn, &conn, &taken);
	if (es)
		c = &es->client;
	spin_lock_bh(&g->lock);
	busy = !g->dead && pair_is_open(&g->pair, c, vpnpass_now());
	spin_unlock_bh(&g->lock);
	return busy;
}
