/* SPDX-License-Identifier: GPL-2.0 */
/* The pin table's hash, in line for the packet path (ingress.c); pin.c has the rest. */
#ifndef VPNPASS_CORE_PIN_H
#define VPNPASS_CORE_PIN_H

#include <linux/jhash.h>

#include "vpnpass.h"

/* IPv4 looks at the first word of each address alone, so that a key on the
 * stack of the packet path need not be cleared.
 */
static __always_inline u32 vpnpass_key_hash(const void *data, u32 len, u32 seed)
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

static inline u32 vpnpass_pin_hash(const void *data, u32 len, u32 seed)
{
	const struct vpnpass_pin *pin = data;

	return vpnpass_key_hash(&pin->key, len, seed);
}

/* All of a key that is no address or number, but for its kind, as one word. */
static inline u32 vpnpass_key_word(const struct vpnpass_key *k)
{
	return k->zone | (u32)k->l4proto << 16 | (u32)k->family << 24;
}

static inline int vpnpass_pin_cmp(struct rhashtable_compare_arg *arg,
				  const void *obj)
{
	const struct vpnpass_pin *pin = obj;
	const struct vpnpass_key *a = arg->key, *b = &pin->key;

	if (a->number != b->number || a->src.ip != b->src.ip ||
	    a->dst.ip != b->dst.ip || vpnpass_key_word(a) != vpnpass_key_word(b) ||
	    a->kind != b->kind)
		return 1;
	if (a->family == NFPROTO_IPV4)
		return 0;
	return !nf_inet_addr_cmp(&a->src, &b->src) ||
	       !nf_inet_addr_cmp(&a->dst, &b->dst);
}

static const struct rhashtable_params vpnpass_pin_params = {
	.head_offset = offsetof(struct vpnpass_pin, node),
	.key_len = sizeof(struct vpnpass_key),
	VPNPASS_TABLE_SIZE,
	.hashfn = vpnpass_key_hash,
	.obj_hashfn = vpnpass_pin_hash,
	.obj_cmpfn = vpnpass_pin_cmp,
};

#endif /* VPNPASS_CORE_PIN_H */
