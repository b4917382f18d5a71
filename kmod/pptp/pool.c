// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: the call IDs by which one outside address knows the calls behind one
 * address of the router's. Each control connection with payload has a reference.
 */
#include <linux/slab.h>

#include "pptp.h"

static const struct rhashtable_params pool_params = {
	.head_offset = offsetof(struct pptp_pool, node),
	.key_offset = offsetof(struct pptp_pool, key),
	.key_len = sizeof(struct pptp_pool_key),
	VPNPASS_TABLE_SIZE,
};

int pptp_pools_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&pptp_net(vn)->pools, &pool_params);
}

void pptp_pools_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(&pptp_net(vn)->pools);
}

/* A pool without references is on its way out of the table. */
static bool pool_hold(struct pptp_pool *pool)
{
	bool alive;

	spin_lock_bh(&pool->lock);
	alive = pool->refs;
	if (alive)
		pool->refs++;
	spin_unlock_bh(&pool->lock);
	return alive;
}

/**
 * pptp_pool_get() - the pool of an outside address, made when there is none
 * @vn: netns
 * @key: both addresses and the zone in which packets come from outside
 *
 * Context: RCU read side, BH off.
 * Return: the pool with a reference for pptp_pool_put(), or NULL.
 */
struct pptp_pool *pptp_pool_get(struct vpnpass_net *vn,
				const struct pptp_pool_key *key)
{
	struct rhashtable *pools = &pptp_net(vn)->pools;
	struct pptp_pool *pool, *mine;

	pool = rhashtable_lookup(pools, key, pool_params);
	if (pool && pool_hold(pool))
		return pool;
	mine = vpnpass_alloc_zeroed(vn, sizeof(*mine));
	if (!mine)
		return NULL;
	mine->key = *key;
	mine->refs = 1;
	spin_lock_init(&mine->lock);
	pptp_ids_init(&mine->ids);
	/* Some take 0 for none, and conntrack gives it to GRE that is no call's. */
	pptp_ids_take(&mine->ids, 0, 0);
	pool = rhashtable_lookup_get_insert_fast(pools, &mine->node, pool_params);
	if (!pool)
		return mine;
	/* Somebody was faster, or a dying one is still there. */
	kfree(mine);
	return !IS_ERR(pool) && pool_hold(pool) ? pool : NULL;
}

/* Any context, pool->lock not held. */
void pptp_pool_put(struct vpnpass_net *vn, struct pptp_pool *pool)
{
	bool last;

	spin_lock_bh(&pool->lock);
	last = !--pool->refs;
	spin_unlock_bh(&pool->lock);
	if (!last)
		return;
	rhashtable_remove_fast(&pptp_net(vn)->pools, &pool->node, pool_params);
	kfree_rcu(pool, rcu);
}

/**
 * pptp_pool_in_use() - whether a call ID belongs to one of the inside's calls
 * @vn: netns
 * @key: as for pptp_pool_get()
 * @id: call ID, as the outside knows it
 *
 * Context: RCU read side.
 */
bool pptp_pool_in_use(struct vpnpass_net *vn, const struct pptp_pool_key *key,
		      u16 id)
{
	const struct pptp_pool *pool;

	pool = rhashtable_lookup(&pptp_net(vn)->pools, key, pool_params);
	return pool && id && READ_ONCE(pool->ids.used[id / 8]) & 1 << id % 8;
}

int pptp_pool_id_take(struct pptp_pool *pool, u16 want, int block)
{
	int id;

	spin_lock_bh(&pool->lock);
	id = pptp_ids_take(&pool->ids, want, block);
	spin_unlock_bh(&pool->lock);
	return id;
}

void pptp_pool_id_put(struct pptp_pool *pool, u16 id)
{
	spin_lock_bh(&pool->lock);
	pptp_ids_put(&pool->ids, id);
	spin_unlock_bh(&pool->lock);
}

u32 pptp_pool_id_room(struct pptp_pool *pool, u8 block)
{
	u32 room;

	spin_lock_bh(&pool->lock);
	room = pptp_ids_room(&pool->ids, block);
	spin_unlock_bh(&pool->lock);
	return room;
}
