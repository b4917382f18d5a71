// SPDX-License-Identifier: GPL-2.0
/*
 * Hints of the IKE module: a client asks its gateway for SAs, has just made some, or has
 * not; and how long the gateway takes to answer. They explain an SPI that turns up soon.
 * The gateway may be the first to use its SA, so the client's session is made here when
 * it has none, or has one of an address that it is no longer known by.
 */
#include "esp.h"

static struct vpnpass_peer_key hint_key(const struct vpnpass_hint *hint)
{
	return (struct vpnpass_peer_key) {
		.addr = hint->peer,
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

/* Tell the policy what the client's key exchange has come to. Group lock held. */
static void note(struct esp_session *es, u8 what)
{
	struct pair_group *g = &es->group->pair;

	switch (what) {
	case VPNPASS_HINT_ASKED:
		pair_ike_asked(g, &es->client, vpnpass_now());
		break;
	case VPNPASS_HINT_MADE:
		pair_sa_made(g, &es->client, vpnpass_now());
		break;
	case VPNPASS_HINT_NOT_MADE:
		pair_sa_not_made(g, &es->client);
		break;
	}
}

static void note_round_trip(struct vpnpass_net *vn, const struct vpnpass_hint *hint)
{
	struct vpnpass_peer_key key = hint_key(hint);
	struct esp_group *g = esp_group_find(vn, &key);

	if (!g)
		return;
	spin_lock_bh(&g->lock);
	pair_round_trip(&g->pair, hint->rtt_ms);
	spin_unlock_bh(&g->lock);
}

/**
 * esp_take_hint() - a client agrees on SAs with its gateway
 * @vn: netns
 * @hint: who with whom
 *
 * Context: softirq, RCU read side.
 */
void esp_take_hint(struct vpnpass_net *vn, const struct vpnpass_hint *hint)
{
	struct esp_session *es;

	/* NAT has changed the port of the key exchange alone: ESP is not masqueraded. */
	if (nf_inet_addr_cmp(&hint->client, &hint->local))
		return;
	if (hint->what == VPNPASS_HINT_ROUND_TRIP) {
		note_round_trip(vn, hint);
		return;
	}
	es = session_of(vn, hint);
	if (!es)
		return;
	spin_lock_bh(&es->group->lock);
	if (es->linked) {
		esp_spares_fill(es);
		note(es, hint->what);
	}
	spin_unlock_bh(&es->group->lock);
}
