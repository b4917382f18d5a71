// SPDX-License-Identifier: GPL-2.0
/*
 * Gateways, as seen from one address of the router's: which reply zones their
 * sessions use, and which sessions they have.
 */
#include <linux/slab.h>

#include "ike.h"

static const struct rhashtable_params peer_params = {
	.head_offset = offsetof(struct ike_peer, node),
	.key_offset = offsetof(struct ike_peer, key),
	.key_len = sizeof(struct ike_peer_key),
	VPNPASS_TABLE_SIZE,
};

int ike_peers_init(struct ike_net *in)
{
	return rhashtable_init(&in->peers, &peer_params);
}

void ike_peers_exit(struct ike_net *in)
{
	rhashtable_destroy(&in->peers);
}

/* Context: RCU read side, or ike_net.lock for what is to last. */
struct ike_peer *ike_peer_find(struct ike_net *in, const union nf_inet_addr *addr,
			       const union nf_inet_addr *local, u8 family)
{
	struct ike_peer_key key = {
		.addr = *addr, .local = *local, .family = family,
	};

	return rhashtable_lookup_fast(&in->peers, &key, peer_params);
}

/* Returns the peer with a reference for ike_peer_put(), or NULL. */
struct ike_peer *ike_peer_get(struct ike_net *in, const union nf_inet_addr *addr,
			      const union nf_inet_addr *local, u8 family)
{
	struct ike_peer *p = ike_peer_find(in, addr, local, family);

	lockdep_assert_held(&in->lock);
	if (p) {
		p->refs++;
		return p;
	}
	p = vpnpass_alloc_zeroed(in->vn, sizeof(*p));
	if (!p)
		return NULL;
	p->key.addr = *addr;
	p->key.local = *local;
	p->key.family = family;
	p->refs = 1;
	ida_init(&p->zones);
	INIT_LIST_HEAD(&p->sessions);
	if (rhashtable_insert_fast(&in->peers, &p->node, peer_params)) {
		kfree(p);
		return NULL;
	}
	return p;
}

void ike_peer_put(struct ike_net *in, struct ike_peer *p)
{
	lockdep_assert_held(&in->lock);
	if (--p->refs)
		return;
	rhashtable_remove_fast(&in->peers, &p->node, peer_params);
	ida_destroy(&p->zones);
	kfree_rcu(p, rcu);
}
