// SPDX-License-Identifier: GPL-2.0
/*
 * Peers: what a module keeps of an outside host that has sessions behind one of the
 * router's addresses, for as long as somebody refers to it.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "core.h"

static const struct rhashtable_params peer_params = {
	.head_offset = offsetof(struct vpnpass_peer, node),
	.key_offset = offsetof(struct vpnpass_peer, key),
	.key_len = sizeof(struct vpnpass_peer_key),
	VPNPASS_TABLE_SIZE,
};

/**
 * vpnpass_peers_init() - a table without peers
 * @peers: the table
 * @vn: netns
 * @size: of the module's structure, which begins with a struct vpnpass_peer
 * @setup: for all of a new one that is not zero
 *
 * Return: 0 or -ENOMEM.
 */
int vpnpass_peers_init(struct vpnpass_peers *peers, struct vpnpass_net *vn, size_t size,
		       void (*setup)(struct vpnpass_peer *peer))
{
	peers->vn = vn;
	peers->size = size;
	peers->setup = setup;
	return rhashtable_init(&peers->table, &peer_params);
}
EXPORT_SYMBOL_GPL(vpnpass_peers_init);

/* Context: process, when all peers have been given back. */
void vpnpass_peers_exit(struct vpnpass_peers *peers)
{
	rhashtable_destroy(&peers->table);
}
EXPORT_SYMBOL_GPL(vpnpass_peers_exit);

/**
 * vpnpass_peer_key() - whom a connection's packets of one direction come from
 * @ct: the connection
 * @dir: the direction
 *
 * Return: the key of that peer.
 */
struct vpnpass_peer_key vpnpass_peer_key(const struct nf_conn *ct, enum ip_conntrack_dir dir)
{
	const struct nf_conntrack_tuple *t = &ct->tuplehash[dir].tuple;

	return (struct vpnpass_peer_key) {
		.addr = t->src.u3,
		.local = t->dst.u3,
		.zone = nf_ct_zone_id(nf_ct_zone(ct), dir),
		.family = nf_ct_l3num(ct),
	};
}
EXPORT_SYMBOL_GPL(vpnpass_peer_key);

/* Context: RCU read side, or a lock that is held whenever references are given back. */
struct vpnpass_peer *vpnpass_peer_find(struct vpnpass_peers *peers,
				       const struct vpnpass_peer_key *key)
{
	return rhashtable_lookup_fast(&peers->table, key, peer_params);
}
EXPORT_SYMBOL_GPL(vpnpass_peer_find);

/* One without references is on its way out of the table. */
static struct vpnpass_peer *hold(struct vpnpass_peer *peer)
{
	return refcount_inc_not_zero(&peer->refs) ? peer : NULL;
}

/**
 * vpnpass_peer_get() - the peer for a new session, made when there is none
 * @peers: the table
 * @key: the peer's
 *
 * Context: RCU read side.
 * Return: the peer with a reference for vpnpass_peer_put(), or NULL without memory, or
 * when the same one is on its way out: the client's next packet will do.
 */
struct vpnpass_peer *vpnpass_peer_get(struct vpnpass_peers *peers,
				      const struct vpnpass_peer_key *key)
{
	struct vpnpass_peer *peer = vpnpass_peer_find(peers, key), *mine;

	if (peer && hold(peer))
		return peer;
	mine = vpnpass_alloc_zeroed(peers->vn, peers->size);
	if (!mine)
		return NULL;
	mine->peers = peers;
	mine->key = *key;
	refcount_set(&mine->refs, 1);
	peers->setup(mine);
	peer = rhashtable_lookup_get_insert_fast(&peers->table, &mine->node, peer_params);
	if (!peer)
		return mine;
	kfree(mine);
	return IS_ERR(peer) ? NULL : hold(peer);
}
EXPORT_SYMBOL_GPL(vpnpass_peer_get);

/* Context: any. What the last one leaves is freed after a grace period. */
void vpnpass_peer_put(struct vpnpass_peer *peer)
{
	if (!refcount_dec_and_test(&peer->refs))
		return;
	rhashtable_remove_fast(&peer->peers->table, &peer->node, peer_params);
	kfree_rcu(peer, rcu);
}
EXPORT_SYMBOL_GPL(vpnpass_peer_put);
