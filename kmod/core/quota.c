// SPDX-License-Identifier: GPL-2.0
/*
 * How many sessions one client and one peer have, so that neither can take
 * all of them. session.c takes and gives back, under vpnpass_net.lock.
 */
#include <linux/jhash.h>
#include <linux/slab.h>

#include "core.h"

enum quota_role {
	QUOTA_CLIENT,
	QUOTA_PEER,
};

struct quota_key {
	union nf_inet_addr addr;
	u8 role;
	u8 proto;
	u8 family;
	u8 pad;
};

struct quota {
	struct rhash_head node;
	struct quota_key key;
	u32 n;
	struct rcu_head rcu;
};

static const struct rhashtable_params quota_params = {
	.head_offset = offsetof(struct quota, node),
	.key_offset = offsetof(struct quota, key),
	.key_len = sizeof(struct quota_key),
	VPNPASS_TABLE_SIZE,
};

int vpnpass_quotas_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&vn->quotas, &quota_params);
}

void vpnpass_quotas_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(&vn->quotas);
}

static struct quota_key quota_key(const struct vpnpass_session *s,
				  enum quota_role role)
{
	return (struct quota_key) {
		.addr = role == QUOTA_CLIENT ? s->client : s->peer,
		.role = role,
		.proto = s->proto->idx,
		.family = s->family,
	};
}

static void quota_put(struct vpnpass_session *s, enum quota_role role)
{
	struct quota_key key = quota_key(s, role);
	struct quota *q;

	q = rhashtable_lookup_fast(&s->vn->quotas, &key, quota_params);
	if (WARN_ON_ONCE(!q) || --q->n)
		return;
	rhashtable_remove_fast(&s->vn->quotas, &q->node, quota_params);
	kfree_rcu(q, rcu);
}

static int quota_get(struct vpnpass_session *s, enum quota_role role, u32 max)
{
	struct quota_key key = quota_key(s, role);
	struct quota *q;
	int err;

	q = rhashtable_lookup_fast(&s->vn->quotas, &key, quota_params);
	if (q) {
		if (q->n >= max)
			return -EDQUOT;
		q->n++;
		return 0;
	}

	q = vpnpass_alloc_zeroed(s->vn, sizeof(*q));
	if (!q)
		return -ENOMEM;
	q->key = key;
	q->n = 1;
	err = rhashtable_insert_fast(&s->vn->quotas, &q->node, quota_params);
	if (err)
		kfree(q);
	return err;
}

/* The root of a user namespace can set limits in a netns of his own; those of the first
 * netns bound them.
 */
static u32 limit_bound(const struct vpnpass_net *vn, const struct vpnpass_proto *p, int idx)
{
	if (vn->net->user_ns == &init_user_ns)
		return U32_MAX;
	return vpnpass_setting(vpnpass_net_get(&init_net), p, idx);
}

static u32 limit(const struct vpnpass_session *s, int idx)
{
	return min(vpnpass_setting(s->vn, s->proto, idx), limit_bound(s->vn, s->proto, idx));
}

/* May a setting have the value in this netns? Context: any. */
bool vpnpass_limit_allowed(const struct vpnpass_net *vn, const struct vpnpass_proto *p,
			   int idx, u32 value)
{
	switch (idx) {
	case VPNPASS_SET_MAX_SESSIONS:
	case VPNPASS_SET_MAX_PER_CLIENT:
	case VPNPASS_SET_MAX_PER_PEER:
		return value <= limit_bound(vn, p, idx);
	default:
		return true;
	}
}

/* Returns 0, -ENOMEM, or -EDQUOT with *counter saying which limit was hit. */
int vpnpass_quota_take(struct vpnpass_session *s, int *counter)
{
	struct vpnpass_proto_net *pn = &s->vn->proto[s->proto->idx];
	int err;

	*counter = VPNPASS_CNT_LIMIT_SESSIONS;
	if (pn->n_sessions >= limit(s, VPNPASS_SET_MAX_SESSIONS))
		return -EDQUOT;

	*counter = VPNPASS_CNT_LIMIT_CLIENT;
	err = quota_get(s, QUOTA_CLIENT, limit(s, VPNPASS_SET_MAX_PER_CLIENT));
	if (err)
		return err;

	*counter = VPNPASS_CNT_LIMIT_PEER;
	err = quota_get(s, QUOTA_PEER, limit(s, VPNPASS_SET_MAX_PER_PEER));
	if (err)
		quota_put(s, QUOTA_CLIENT);
	else
		pn->n_sessions++;
	return err;
}

void vpnpass_quota_give(struct vpnpass_session *s)
{
	s->vn->proto[s->proto->idx].n_sessions--;
	quota_put(s, QUOTA_CLIENT);
	quota_put(s, QUOTA_PEER);
}
