// SPDX-License-Identifier: GPL-2.0
/*
 * Groups: the clients of one gateway behind one address of the router's, among
 * whom the pairing policy decides. Carries out what esp/pair.c says.
 */
#include <linux/jhash.h>
#include <linux/slab.h>

#include "../compat/compat.h"
#include "esp.h"

static const struct rhashtable_params group_params = {
	.head_offset = offsetof(struct esp_group, node),
	.key_offset = offsetof(struct esp_group, key),
	.key_len = sizeof(struct esp_group_key),
	.min_size = 16,
	.automatic_shrinking = true,
};

static struct rhashtable *groups_of(struct vpnpass_net *vn)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	return &en->groups;
}

int esp_groups_init(struct vpnpass_net *vn)
{
	struct esp_net *en = vpnpass_net_priv(vn, &esp_proto);

	spin_lock_init(&en->own.lock);
	return rhashtable_init(groups_of(vn), &group_params);
}

void esp_groups_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(groups_of(vn));
}

/* Context: RCU read side. */
struct esp_group *esp_group_find(struct vpnpass_net *vn,
				 const struct esp_group_key *key)
{
	return rhashtable_lookup(groups_of(vn), key, group_params);
}

static void group_count(struct esp_group *g)
{
	struct {
		u64 *from;
		int to;
	} const map[] = {
		{ &g->pair.paired_only_client, ESP_CNT_PAIRED_ONLY },
		{ &g->pair.paired_evidence, ESP_CNT_PAIRED_EVIDENCE },
		{ &g->pair.paired_pending, ESP_CNT_PAIRED_PENDING },
		{ &g->pair.guessed, ESP_CNT_GUESSED },
		{ &g->pair.corrected, ESP_CNT_CORRECTED },
		{ &g->pair.held, ESP_CNT_HELD },
		{ &g->pair.copies, ESP_CNT_COPIES },
		{ &g->pair.unknown, ESP_CNT_UNKNOWN },
		{ &g->pair.dropped_strict, ESP_CNT_DROPPED_STRICT },
		{ &g->pair.dropped_limit, ESP_CNT_DROPPED_LIMIT },
		{ &g->pair.oneway, ESP_CNT_ONEWAY },
	};
	struct vpnpass_proto_net *pn = &g->vn->proto[esp_proto.idx];
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		if (!*map[i].from)
			continue;
		atomic64_add(*map[i].from, &pn->counter[map[i].to]);
		*map[i].from = 0;
	}
}

static void group_arm(struct esp_group *g)
{
	u32 ms = pair_next_tick(&g->pair, vpnpass_now());

	if (!list_empty(&g->holding))
		ms = min_t(u32, ms, PAIR_HELD_MS);
	if (ms != PAIR_NEVER && !g->dead)
		mod_timer(&g->timer, jiffies + msecs_to_jiffies(ms) + 1);
}

/* Before each call of the policy: the settings as they are now. Lock held. */
void esp_group_begin(struct esp_group *g)
{
	const struct vpnpass_net *vn = g->vn;

	g->cfg.open_ms = vpnpass_setting(vn, &esp_proto, ESP_SET_WINDOW);
	g->cfg.copies = vpnpass_setting(vn, &esp_proto, ESP_SET_COPIES);
	g->cfg.strict = vpnpass_setting(vn, &esp_proto, ESP_SET_STRICT);
	g->cfg.hold = vpnpass_setting(vn, &esp_proto, ESP_SET_HOLD);
}

static struct esp_session *session_of(struct pair_client *c)
{
	return container_of(c, struct esp_session, client);
}

/**
 * esp_group_apply() - carry out what the policy decided, but for the verdict
 * @g: the group, locked
 * @act: the decision
 * @rel: filled with packets to be sent when the lock has been dropped
 */
void esp_group_apply(struct esp_group *g, struct pair_act *act,
		     struct esp_release *rel)
{
	struct pair_act_slot *p;
	int i;

	for (i = 0; i < act->n_unpin; i++) {
		p = &act->unpin[i];
		if (!p->slot->priv)
			continue;
		vpnpass_pin_del(p->slot->priv);
		p->slot->priv = NULL;
		p->slot->last = NULL;
	}
	for (i = 0; i < act->n_pin; i++) {
		p = &act->pin[i];
		esp_session_pin(session_of(p->c), p->slot, p->in);
	}
	if (act->release)
		esp_hold_release(session_of(act->release), rel);
	group_count(g);
	group_arm(g);
}

static void group_tick(struct timer_list *t)
{
	struct esp_group *g = from_timer(g, t, timer);
	struct esp_session *es, *next;
	struct esp_release rel = {};
	struct pair_act act = {};

	spin_lock(&g->lock);
	if (!g->dead) {
		list_for_each_entry_safe(es, next, &g->holding, holding)
			if (vpnpass_now() - es->held_since >= PAIR_HELD_MS)
				esp_hold_drop(es);
		esp_group_begin(g);
		pair_tick(&g->pair, vpnpass_now(), &act);
		esp_group_apply(g, &act, &rel);
	}
	spin_unlock(&g->lock);
	esp_release_send(g->vn, &rel);
}

static void group_free_rcu(struct rcu_head *head)
{
	struct esp_group *g = container_of(head, struct esp_group, rcu);

	ida_destroy(&g->reply_keys);
	kfree(g);
}

static struct esp_group *group_alloc(struct vpnpass_net *vn,
				     const struct esp_group_key *key)
{
	struct esp_group *g = vpnpass_zalloc(vn, sizeof(*g));

	if (!g)
		return NULL;
	g->key = *key;
	g->vn = vn;
	g->refs = 1;
	spin_lock_init(&g->lock);
	ida_init(&g->reply_keys);
	INIT_LIST_HEAD(&g->holding);
	timer_setup(&g->timer, group_tick, 0);
	pair_group_init(&g->pair, &g->cfg);
	return g;
}

static bool group_hold(struct esp_group *g)
{
	bool alive;

	spin_lock_bh(&g->lock);
	alive = !g->dead;
	if (alive)
		g->refs++;
	spin_unlock_bh(&g->lock);
	return alive;
}

/**
 * esp_group_get() - the group for a new session, made when there is none
 * @vn: netns
 * @key: gateway and address
 *
 * Context: RCU read side.
 * Return: the group with a reference for esp_group_put(), or NULL.
 */
struct esp_group *esp_group_get(struct vpnpass_net *vn,
				const struct esp_group_key *key)
{
	struct esp_group *g, *mine;

	g = esp_group_find(vn, key);
	if (g && group_hold(g))
		return g;
	mine = group_alloc(vn, key);
	if (!mine)
		return NULL;
	g = rhashtable_lookup_get_insert_fast(groups_of(vn), &mine->node,
					      group_params);
	if (!g)
		return mine;
	/* Somebody was faster, or a dying group is still there: the client's
	 * next packet will do.
	 */
	kfree(mine);
	if (IS_ERR(g) || !group_hold(g))
		return NULL;
	return g;
}

/* The last one out takes it from the table. Any context, lock not held. */
void esp_group_put(struct esp_group *g)
{
	bool last;

	spin_lock_bh(&g->lock);
	last = !--g->refs;
	g->dead = last;
	spin_unlock_bh(&g->lock);
	if (!last)
		return;
	rhashtable_remove_fast(groups_of(g->vn), &g->node, group_params);
	vpnpass_timer_cancel(&g->timer);
	call_rcu(&g->rcu, group_free_rcu);
}

static void group_dev_gone(struct esp_group *g, const struct net_device *dev)
{
	struct esp_session *es, *next;

	spin_lock_bh(&g->lock);
	list_for_each_entry_safe(es, next, &g->holding, holding)
		esp_hold_drop_dev(es, dev);
	spin_unlock_bh(&g->lock);
}

/* Context: process. Drops what is held for a device that goes down. */
void esp_groups_dev_gone(struct vpnpass_net *vn, const struct net_device *dev)
{
	struct rhashtable_iter iter;
	struct esp_group *g;

	rhashtable_walk_enter(groups_of(vn), &iter);
	rhashtable_walk_start(&iter);
	while ((g = rhashtable_walk_next(&iter)))
		if (!IS_ERR(g))
			group_dev_gone(g, dev);
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}
