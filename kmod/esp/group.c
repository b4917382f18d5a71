// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: the clients of one gateway behind one address of the router's. The pairing policy
 * decides among them; its decisions are carried out here.
 */
#include "../compat/compat.h"
#include "esp.h"

static void group_setup(struct vpnpass_peer *peer)
{
	struct esp_group *g = container_of(peer, struct esp_group, peer);

	spin_lock_init(&g->lock);
	ida_init(&g->reply_keys);
	pair_group_init(&g->pair, &g->cfg);
}

int esp_groups_init(struct vpnpass_net *vn)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	spin_lock_init(&en->own.lock);
	return vpnpass_peers_init(&en->groups, vn, sizeof(struct esp_group), group_setup);
}

void esp_groups_exit(struct vpnpass_net *vn)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	vpnpass_peers_exit(&en->groups);
}

/* Context: RCU read side. */
struct esp_group *esp_group_find(struct vpnpass_net *vn, const struct vpnpass_peer_key *key)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	return vpnpass_peer_entry(vpnpass_peer_find(&en->groups, key), struct esp_group);
}

/* The group for a new session; see vpnpass_peer_get(). */
struct esp_group *esp_group_get(struct vpnpass_net *vn, const struct vpnpass_peer_key *key)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	return vpnpass_peer_entry(vpnpass_peer_get(&en->groups, key), struct esp_group);
}

void esp_group_put(struct esp_group *g)
{
	vpnpass_peer_put(&g->peer);
}

static void group_count(struct esp_group *g)
{
	struct {
		u64 *from;
		int to;
	} const map[] = {
		{ &g->pair.n_only, ESP_CNT_PAIRED_ONLY },
		{ &g->pair.n_paired, ESP_CNT_PAIRED_EVIDENCE },
		{ &g->pair.n_revoked, ESP_CNT_CORRECTED },
		{ &g->pair.n_copies, ESP_CNT_COPIES },
		{ &g->pair.n_limit, ESP_CNT_LIMIT_COPIES },
		{ &g->pair.n_unknown, ESP_CNT_UNKNOWN },
		{ &g->pair.n_strict, ESP_CNT_DROPPED_STRICT },
		{ &g->pair.n_no_room, ESP_CNT_NO_ROOM },
	};
	struct vpnpass_proto_net *pn = &g->peer.peers->vn->proto[esp_proto.idx];
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		if (!*map[i].from)
			continue;
		atomic64_add(*map[i].from, &pn->counter[map[i].to]);
		*map[i].from = 0;
	}
}

/* Before each call of the policy: the settings as they are now. Lock held. */
void esp_group_begin(struct esp_group *g)
{
	const struct vpnpass_net *vn = g->peer.peers->vn;

	g->cfg.copies = vpnpass_setting(vn, &esp_proto, ESP_SET_COPIES);
	g->cfg.rate = vpnpass_setting(vn, &esp_proto, ESP_SET_COPY_RATE);
	g->cfg.spis = vpnpass_setting(vn, &esp_proto, ESP_SET_SPIS);
	g->cfg.strict = vpnpass_setting(vn, &esp_proto, ESP_SET_STRICT);
	g->cfg.idle_ms = vpnpass_setting(vn, &esp_proto, VPNPASS_SET_TIMEOUT) * MSEC_PER_SEC;
}

static struct esp_session *session_of(struct pair_client *c)
{
	return container_of(c, struct esp_session, client);
}

/**
 * esp_group_apply() - carry out what the policy decided, but for who gets the packet
 * @g: the group, locked
 * @act: the decision
 */
void esp_group_apply(struct esp_group *g, struct pair_act *act)
{
	int i;

	for (i = 0; i < act->n_unpin; i++)
		esp_spi_unpin(act->unpin[i]);
	for (i = 0; i < act->n_freed; i++)
		esp_spi_free(act->freed[i]);
	for (i = 0; i < act->n_pin; i++)
		esp_spi_pin(session_of(act->pin[i]->c), act->pin[i]);
	group_count(g);
}

/**
 * esp_group_arrival() - a packet of the gateway's, on an SPI without a pin
 * @g: the group
 * @spi: the SPI
 * @r: filled with who gets it
 *
 * Context: softirq, RCU read side.
 * Return: false when the group has ended.
 */
bool esp_group_arrival(struct esp_group *g, u32 spi, struct esp_receivers *r)
{
	struct pair_act act = {};
	bool alive;
	int i;

	spin_lock_bh(&g->lock);
	alive = refcount_read(&g->peer.refs);
	if (alive) {
		esp_group_begin(g);
		pair_packet_in(&g->pair, spi, vpnpass_now(), &act);
		for (i = 0; i < act.n_to; i++)
			r->to[i] = session_of(act.to[i]);
		esp_group_apply(g, &act);
	}
	r->n = act.n_to;
	r->sure = act.sure;
	spin_unlock_bh(&g->lock);
	return alive;
}

/**
 * esp_group_only() - the only client of a gateway
 * @g: the group
 *
 * Context: softirq, RCU read side.
 * Return: its session, or NULL when there are several, or none.
 */
struct vpnpass_session *esp_group_only(struct esp_group *g)
{
	struct pair_client *c = NULL;

	spin_lock_bh(&g->lock);
	if (g->pair.n_clients == 1)
		c = list_first_entry(&g->pair.clients, struct pair_client, node);
	spin_unlock_bh(&g->lock);
	return c ? &session_of(c)->s : NULL;
}
