// SPDX-License-Identifier: GPL-2.0
/*
 * The pin table: from the number in a packet to the session it belongs to. Packets
 * look it up under RCU; protocol modules add and remove.
 */
#include <linux/slab.h>

#include "core.h"
#include "fast.h"
#include "pin.h"

int vpnpass_pins_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&vn->pins, &vpnpass_pin_params);
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
	return rhashtable_lookup(&vn->pins, key, vpnpass_pin_params);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_find);

/**
 * vpnpass_pin_alloc() - a pin for later use
 * @vn: netns
 *
 * Pins for inbound numbers are allocated when the client sends, so that no
 * packet from outside makes the router allocate.
 *
 * Context: any.
 * Return: a pin to be given to vpnpass_pin_add() or vpnpass_pin_free(), or NULL.
 */
struct vpnpass_pin *vpnpass_pin_alloc(struct vpnpass_net *vn)
{
	return vpnpass_alloc_zeroed(vn, sizeof(struct vpnpass_pin));
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
 * vpnpass_pin_end_way() - no packet finds the fast way of a pin from here on
 * @pin: the pin
 *
 * The route is let go of at once: it outlives the packets that have found the way,
 * as it is itself freed after a grace period.
 *
 * Context: any, vpnpass_net.lock held.
 */
void vpnpass_pin_end_way(struct vpnpass_pin *pin)
{
	struct vpnpass_way *way;

	way = rcu_replace_pointer(pin->way, NULL, lockdep_is_held(&pin->session->vn->lock));
	if (!way)
		return;
	dst_release(way->dst);
	kfree_rcu(way, rcu);
}

/* No packet finds the pin from here on. */
void vpnpass_pin_hide(struct vpnpass_net *vn, struct vpnpass_pin *pin)
{
	lockdep_assert_held(&vn->lock);
	if (pin->hidden)
		return;
	pin->hidden = true;
	vpnpass_pin_end_way(pin);
	trace_vpnpass_pin_del(pin);
	rhashtable_remove_fast(&vn->pins, &pin->node, vpnpass_pin_params);
	atomic_dec(&vn->proto[pin->session->proto->idx].n_pins);
}

static int pin_insert(struct vpnpass_net *vn, struct vpnpass_pin *pin)
{
	return rhashtable_lookup_insert_key(&vn->pins, &pin->key, &pin->node,
					    vpnpass_pin_params);
}

/* A session whose connection has gone will end soon, and its pin leads to nothing more. */
static bool pin_hide_dead(struct vpnpass_net *vn, const struct vpnpass_key *key)
{
	struct vpnpass_pin *old = rhashtable_lookup_fast(&vn->pins, key, vpnpass_pin_params);
	bool dead = old && (nf_ct_is_dying(old->session->ct) ||
			    nf_ct_is_expired(old->session->ct));

	if (dead)
		vpnpass_pin_hide(vn, old);
	return dead;
}

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
	err = test_bit(0, &s->ended) ? -ESHUTDOWN : pin_insert(vn, pin);
	if (err == -EEXIST && pin_hide_dead(vn, &pin->key))
		err = pin_insert(vn, pin);
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

/**
 * vpnpass_pin_put() - fill in a pin and put it in force, or give it back
 * @s: the session that it leads to
 * @pin: from vpnpass_pin_alloc(), also NULL; freed on error
 * @key: of its packets
 * @dir: their direction
 * @number_kind: enum vpnpass_number_kind, or VPNPASS_NUMBER_HIDDEN
 *
 * Context: any; takes vpnpass_net.lock.
 * Return: 0, or as vpnpass_pin_add().
 */
int vpnpass_pin_put(struct vpnpass_session *s, struct vpnpass_pin *pin,
		    const struct vpnpass_key *key, enum ip_conntrack_dir dir, u8 number_kind)
{
	int err;

	if (!pin)
		return -ENOMEM;
	pin->key = *key;
	pin->dir = dir;
	pin->number_kind = number_kind;
	err = vpnpass_pin_add(s, pin);
	if (err)
		vpnpass_pin_free(pin);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_pin_put);

/**
 * vpnpass_pin_find_arriving() - the pin for a packet's key, in any zone it may be in
 * @vn: netns
 * @skb: the packet, before conntrack
 * @key: its key, whose zone is set
 *
 * Context: softirq, RCU read side.
 * Return: the pin or NULL.
 */
struct vpnpass_pin *vpnpass_pin_find_arriving(struct vpnpass_net *vn, const struct sk_buff *skb,
					      struct vpnpass_key *key)
{
	struct vpnpass_pin *pin;

	key->zone = vpnpass_arrival_zone(skb, IP_CT_DIR_ORIGINAL);
	pin = vpnpass_pin_find(vn, key);
	if (pin || !skb_nfct(skb))
		return pin;
	key->zone = vpnpass_arrival_zone(skb, IP_CT_DIR_REPLY);
	return vpnpass_pin_find(vn, key);
}
EXPORT_SYMBOL_GPL(vpnpass_pin_find_arriving);

void vpnpass_pin_drop(struct vpnpass_net *vn, struct vpnpass_pin *pin)
{
	vpnpass_pin_hide(vn, pin);
	list_del(&pin->list);
	kfree_rcu(pin, rcu);
}

/**
 * vpnpass_pin_del() - end a pin that was added
 * @pin: the pin; gone for the caller after this
 *
 * Context: any; takes vpnpass_net.lock. At the latest in session_end().
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
