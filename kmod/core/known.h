/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clients and peers of sessions, by a hash of their addresses: what tells at a
 * glance that a packet is of no session. session.c counts, ingress.c asks.
 */
#ifndef VPNPASS_CORE_KNOWN_H
#define VPNPASS_CORE_KNOWN_H

#include <linux/hash.h>

#include "vpnpass.h"

static inline u32 vpnpass_known_place_v4(__be32 addr)
{
	return hash_32((__force u32)addr, VPNPASS_KNOWN_BITS);
}

static inline u32 vpnpass_known_place_v6(const struct in6_addr *addr)
{
	const __be32 *a = addr->s6_addr32;

	return vpnpass_known_place_v4(a[0] ^ a[1] ^ a[2] ^ a[3]);
}

static inline u32 vpnpass_known_place(u8 family, const union nf_inet_addr *addr)
{
	return family == NFPROTO_IPV4 ? vpnpass_known_place_v4(addr->ip) :
					vpnpass_known_place_v6(&addr->in6);
}

/* May the address be a client or a peer of some session? Context: RCU read side. */
static inline bool vpnpass_is_known_v4(const struct vpnpass_net *vn, __be32 addr)
{
	return READ_ONCE(vn->known[vpnpass_known_place_v4(addr)]);
}

static inline bool vpnpass_is_known_v6(const struct vpnpass_net *vn,
				       const struct in6_addr *addr)
{
	return READ_ONCE(vn->known[vpnpass_known_place_v6(addr)]);
}

#endif /* VPNPASS_CORE_KNOWN_H */
