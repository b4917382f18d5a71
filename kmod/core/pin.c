// SPDX-License-Identifier: GPL-2.0
/*
 * The pin table: from the number in a packet to the session it belongs to.
 * hook.c looks up under RCU; helpers add and remove.
 */
#include <linux/jhash.h>
#include <linux/slab.h>

#include "core.h"

static u32 key_hash(const void *data, u32 len, u32 seed)
{
	const struct vpnpass_key *k = data;
	u32 mix = seed ^ k->l4proto ^ (u32)k->kind << 8 ^ (u32)k->zone << 16;

	if (k->family == NFPROTO_IPV4)
		return jhash_3words((__force u32)k->src.ip,
				    (__force u32)k->dst.ip, (u32)k->number,
				    mix ^ (u32)(k->number >> 32));
	BUILD_BUG_ON(offsetof(struct vpnpass_key, zone) != 40);
	return jhash2((const u32 *)k, 10, mix);
}

static u32 pin_hash(const void *data, u32 len, u32 seed)
{
	const struct vpnpass_pin *pin = data;

	return key_hash(&pin->key, len, seed);
}

static int pin_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct vpnpass_pin *pin = obj;
	const struct vpnpass_key *a = arg->key, *b = &pin->key;

	if (a->number != b->number || a->src.ip != b->src.ip ||
	    a->dst.ip != b->dst.ip || a->zone != b->zone ||
	    a->l4proto != b->l4proto || a->family != b->family ||
	    a->kind != b->kind)
		return 1;
	if (a->family == NFPROTO_IPV4)
		return 0;
	return !nf_inet_addr_cmp(&a->src, &b->src) ||
	       !nf_inet_addr_cmp(&a->dst, &b->dst);
}

static const struct rhashtable_params pin_params = {
	.head_offset = offsetof(struct vpnpass_pin, node),
	.key_len = sizeof(struct vpnpass_key),
	.min_size = 64,
	.automatic_shrinking = true,
	.hashfn = key_hash,
	.obj_hashfn = pin_hash,
	.obj_cmpfn = pin_cmp,
};

int vpnpass_pins_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&vn->pins, &pin_params);
}

void vpnpass_pins_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(&vn->pins);
}

/**
 * vpnpass_pin_find() - the pin that a packet's key names
 * @vn: netns
 * @key: as the packet has it
 *
 * Context: RCU read side.
 * Return: the pin, valid until the end of the RCU read side, or NULL.
 */
struct vpnpass_pin *vpnpass_pin_find(struct vpnpass_net *vn,
				     const struct vpnpass_key *key)
{
	return rhashtable_lookup(&vn->pins, key, pin_params);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_find);

/**
 * vpnpass_pin_alloc() - a pin for later use
 *
 * Pins for inbound numbers are allocated when the client sends, so that no
 * packet from outside makes the router allocate.
 *
 * Context: any.
 * Return: a pin to be given to vpnpass_pin_add() or vpnpass_pin_free(), or NULL.
 */
struct vpnpass_pin *vpnpass_pin_alloc(void)
{
	return kzalloc(sizeof(struct vpnpass_pin), GFP_ATOMIC | __GFP_NOWARN);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_alloc);

/**
 * vpnpass_pin_free() - give back a pin that was never added
 * @pin: the pin, may be NULL
 */
void vpnpass_pin_free(struct vpnpass_pin *pin)
{
	kfree(pin);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_free);

/**
 * vpnpass_pin_add() - put a pin with its key, dir and number_kind filled in force
 * @s: the session that it leads to
 * @pin: the pin; the session owns it from here when this succeeds
 *
 * Context: any; takes vpnpass_net.lock.
 * Return: 0, -EEXIST when the key leads to some session already, -ESHUTDOWN when
 * the session has ended, or what rhashtable says (-ENOMEM, -E2BIG, -EBUSY).
 */
int vpnpass_pin_add(struct vpnpass_session *s, struct vpnpass_pin *pin)
{
	struct vpnpass_net *vn = s->vn;
	int err;

	pin->session = s;
	pin->last = vpnpass_now();
	spin_lock_bh(&vn->lock);
	err = test_bit(0, &s->ended) ? -ESHUTDOWN :
	      rhashtable_lookup_insert_key(&vn->pins, &pin->key, &pin->node,
					   pin_params);
	if (!err) {
		list_add_tail(&pin->list, &s->pins);
		atomic_inc(&vn->proto[s->proto->idx].n_pins);
	}
	spin_unlock_bh(&vn->lock);
	if (!err)
		trace_vpnpass_pin_add(pin);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_pin_add);

void vpnpass_pin_drop(struct vpnpass_net *vn, struct vpnpass_pin *pin)
{
	trace_vpnpass_pin_del(pin);
	rhashtable_remove_fast(&vn->pins, &pin->node, pin_params);
	list_del(&pin->list);
	atomic_dec(&vn->proto[pin->session->proto->idx].n_pins);
	kfree_rcu(pin, rcu);
}

/**
 * vpnpass_pin_del() - end a pin that was added
 * @pin: the pin; gone for the caller after this
 *
 * Context: any; takes vpnpass_net.lock. The session must not have ended.
 */
void vpnpass_pin_del(struct vpnpass_pin *pin)
{
	struct vpnpass_net *vn = pin->session->vn;

	spin_lock_bh(&vn->lock);
	if (pin->quote)
		vpnpass_pin_drop(vn, pin->quote);
	vpnpass_pin_drop(vn, pin);
	spin_unlock_bh(&vn->lock);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_del);
