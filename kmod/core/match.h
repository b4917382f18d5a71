/* SPDX-License-Identifier: GPL-2.0 */
/* Tables by which a packet finds its protocol module; match.c fills them. */
#ifndef VPNPASS_CORE_MATCH_H
#define VPNPASS_CORE_MATCH_H

#include "core.h"

/* By IP protocol: 0 nothing of ours, one plus the slot of its module, or one of these. */
#define L4_ICMP		0xff	/* may be an error about a packet of ours */
#define L4_PORTS	0xfe	/* the ports decide */
#define L4_WATCHED	0xfd	/* the ports decide, and some netns watches others, see watch.c */
extern u8 vpnpass_l4map[256];

/* By IP protocol: vpnpass_key.kind, plus one, of packets that may go the fast way, or 0. */
extern u8 vpnpass_fast_kind[256];

/* By IP protocol: may a session begin with what the router itself sends or gets? */
extern bool vpnpass_any_end[256];

/* Ports that some module is for, by their value as it is in the packet: other
 * traffic costs two bit tests.
 */
extern unsigned long vpnpass_ports[BITS_TO_LONGS(65536)];

static inline bool vpnpass_by_ports(u8 slot)
{
	return slot == L4_PORTS || slot == L4_WATCHED;
}

/* The module of a slot, plus one, when it is switched on, or NULL. */
static inline const struct vpnpass_proto *
vpnpass_proto_on(const struct vpnpass_net *vn, u8 slot)
{
	if (READ_ONCE(vn->proto[slot - 1].mode) != VPNPASS_MODE_ON)
		return NULL;
	return rcu_dereference(vpnpass_protos[slot - 1]);
}

int vpnpass_match_add(const struct vpnpass_proto *p);
void vpnpass_match_del(const struct vpnpass_proto *p);
u8 vpnpass_match_port(u8 l4proto, u16 port);
bool vpnpass_match_posts(const struct vpnpass_proto *p, u8 l4proto);
void vpnpass_udp_watched(void);

#endif /* VPNPASS_CORE_MATCH_H */
