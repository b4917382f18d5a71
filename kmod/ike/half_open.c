// SPDX-License-Identifier: GPL-2.0
/*
 * Half-open SAs, of all clients and of each, the longest unused first: when there are
 * as many as there may be, that one makes room.
 */
#include <linux/slab.h>

#include "ike.h"

static const struct rhashtable_params client_params = {
	.head_offset = offsetof(struct ike_client, node),
	.key_offset = offsetof(struct ike_client, key),
	.key_len = sizeof(struct ike_addr),
	VPNPASS_TABLE_SIZE,
};

int ike_clients_init(struct ike_net *in)
{
	return rhashtable_init(&in->clients, &client_params);
}

void ike_clients_exit(struct ike_net *in)
{
	rhashtable_destroy(&in->clients);
}

/* The session's client, NULL when it has no half-open SA. */
struct ike_client *ike_client_find(struct ike_net *in, const struct ike_session *is)
{
	struct ike_addr key = { .addr = is->s.client, .family = is->s.family };

	return rhashtable_lookup_fast(&in->clients, &key, client_params);
}

/* Made when there is none, for ike_half_add(). NULL without memory. */
struct ike_client *ike_client_get(struct ike_net *in, const struct ike_session *is)
{
	struct ike_client *c = ike_client_find(in, is);

	if (c)
		return c;
	c = vpnpass_alloc_zeroed(in->vn, sizeof(*c));
	if (!c)
		return NULL;
	c->key.addr = is->s.client;
	c->key.family = is->s.family;
	INIT_LIST_HEAD(&c->half);
	if (rhashtable_insert_fast(&in->clients, &c->node, client_params)) {
		kfree(c);
		return NULL;
	}
	return c;
}

static void client_drop(struct ike_net *in, struct ike_client *c)
{
	rhashtable_remove_fast(&in->clients, &c->node, client_params);
	kfree_rcu(c, rcu);
}

void ike_half_add(struct ike_net *in, struct ike_sa *sa, struct ike_client *c)
{
	lockdep_assert_held(&in->lock);
	sa->client = c;
	c->n_half++;
	in->n_half++;
	list_add_tail(&sa->client_half, &c->half);
	list_add_tail(&sa->half, &in->half);
}

void ike_half_del(struct ike_net *in, struct ike_sa *sa)
{
	struct ike_client *c = sa->client;

	lockdep_assert_held(&in->lock);
	if (!c)
		return;
	sa->client = NULL;
	list_del(&sa->half);
	list_del(&sa->client_half);
	in->n_half--;
	if (!--c->n_half)
		client_drop(in, c);
}

/* An SA that is in use is the last of those that may have to make room. */
void ike_half_touch(struct ike_net *in, struct ike_sa *sa)
{
	lockdep_assert_held(&in->lock);
	if (!sa->client)
		return;
	list_move_tail(&sa->half, &in->half);
	list_move_tail(&sa->client_half, &sa->client->half);
}
