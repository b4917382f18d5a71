/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clients and peers of sessions, by a hash of their addresses: what tells at a
 * glance that a packet is of no session. session.c counts, hook.c asks.
 */
#ifndef VPNPASS_CORE_KNOWN_H
#define VPNPASS_CORE_KNOWN_H

#include <linux/hash.h>

#include "vpnpass.h"

static inline u32 vpnpass_known_place(u8 family, const union nf_inet_addr *addr)
{
	u32 mix = (__force u32)addr->ip;

	if (family == NFPROTO_IPV6)
		mix ^= (__force u32)(addr->ip6[1] ^ addr->ip6[2] ^ addr->ip6[3]);
	return hash_32(mix, VPNPASS_KNOWN_BITS);
}

/* May the address be a client or a peer of some session? Context: RCU read side. */
static inline bool vpnpass_is_known(const struct vpnpass_net *vn, u8 family,
				    const union nf_inet_addr *addr)
{
	return READ_ONCE(vn->known[vpnpass_known_place(family, addr)]);
}

#endif /* VPNPASS_CORE_KNOWN_H */
