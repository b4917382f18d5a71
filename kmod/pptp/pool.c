// SPDX-License-Identifier: GPL-2.0
/*
 * Pools: the call IDs by which one outside address knows the calls behind one
 * address of the router's. Each control connection with payload has a reference.
 */
#include "pptp.h"

static void pool_setup(struct vpnpass_peer *peer)
{
	struct pptp_pool *pool = container_of(peer, struct pptp_pool, peer);

	spin_lock_init(&pool->lock);
	pptp_ids_init(&pool->ids);
	/* Some take 0 for none, and conntrack gives it to GRE that is no call's. */
	pptp_ids_take(&pool->ids, 0, 0);
}

int pptp_pools_init(struct vpnpass_net *vn)
{
	return vpnpass_peers_init(&pptp_net(vn)->pools, vn, sizeof(struct pptp_pool),
				  pool_setup);
}

/* The pool of an outside address; see vpnpass_peer_get(). */
struct pptp_pool *pptp_pool_get(struct vpnpass_net *vn, const struct vpnpass_peer_key *key)
{
	struct pptp_net *pn = pptp_net(vn);

	return vpnpass_peer_entry(vpnpass_peer_get(&pn->pools, key), struct pptp_pool);
}

/**
 * pptp_pool_in_use() - whether a call ID belongs to one of the inside's calls
 * @vn: netns
 * @key: as for pptp_pool_get()
 * @id: call ID, as the outside knows it
 *
 * Context: RCU read side.
 */
bool pptp_pool_in_use(struct vpnpass_net *vn, const struct vpnpass_peer_key *key, u16 id)
{
	struct pptp_net *pn = pptp_net(vn);
	const struct pptp_pool *pool = vpnpass_peer_entry(vpnpass_peer_find(&pn->pools, key),
							  struct pptp_pool);

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
