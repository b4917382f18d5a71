// SPDX-License-Identifier: GPL-2.0
/*
 * Which packets are for which protocol module: by their IP protocol or, for TCP and UDP,
 * by a port. Written under vpnpass_mutex, read per packet.
 */
#include "core.h"
#include "match.h"

u8 vpnpass_l4map[256] __read_mostly = {
	[IPPROTO_ICMP] = L4_ICMP,
	[IPPROTO_ICMPV6] = L4_ICMP,
};

u8 vpnpass_fast_kind[256] __read_mostly;

/* An ICMP error comes to the router's address, too. */
bool vpnpass_any_end[256] __read_mostly = {
	[IPPROTO_ICMP] = true,
	[IPPROTO_ICMPV6] = true,
};

DECLARE_BITMAP(vpnpass_ports, 65536) __read_mostly;

/* Some netns watches UDP ports from now on: only now that is asked of UDP packets. It
 * is for a module that has a match with a port, which is in the map. Context: any.
 */
void vpnpass_udp_watched(void)
{
	WRITE_ONCE(vpnpass_l4map[IPPROTO_UDP], L4_WATCHED);
}

/* The matches with a port; l4proto is written last and read first. */
static struct port_match {
	u8 l4proto;
	u8 slot;	/* plus one */
	u16 port;
} port_matches[VPNPASS_PROTOS];

static struct port_match *port_find(u8 l4proto, u16 port)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(port_matches); i++)
		if (READ_ONCE(port_matches[i].l4proto) == l4proto &&
		    READ_ONCE(port_matches[i].port) == port)
			return &port_matches[i];
	return NULL;
}

/* Context: RCU read side. Returns the slot, plus one, that a port belongs to, or 0. */
u8 vpnpass_match_port(u8 l4proto, u16 port)
{
	const struct port_match *pm = port_find(l4proto, port);

	return pm ? READ_ONCE(pm->slot) : 0;
}

/* TCP and UDP share the bitmap: a spare bit only costs a search. */
static void port_bit_update(u16 port)
{
	if (port_find(IPPROTO_TCP, port) || port_find(IPPROTO_UDP, port))
		set_bit((__force u16)htons(port), vpnpass_ports);
	else
		clear_bit((__force u16)htons(port), vpnpass_ports);
}

static int match_add_port(const struct vpnpass_match *m, int idx)
{
	struct port_match *pm = port_find(0, 0);

	if (port_find(m->l4proto, m->port))
		return -EEXIST;
	if (!pm)
		return -ENOSPC;
	WRITE_ONCE(pm->port, m->port);
	WRITE_ONCE(pm->slot, idx + 1);
	/* pairs with the READ_ONCE() of it in port_find(): the rest comes first */
	smp_store_release(&pm->l4proto, m->l4proto);
	port_bit_update(m->port);
	if (!vpnpass_by_ports(READ_ONCE(vpnpass_l4map[m->l4proto])))
		WRITE_ONCE(vpnpass_l4map[m->l4proto], L4_PORTS);
	return 0;
}

static void match_del_port(const struct vpnpass_match *m)
{
	struct port_match *pm = port_find(m->l4proto, m->port);

	WRITE_ONCE(pm->l4proto, 0);
	WRITE_ONCE(pm->port, 0);
	port_bit_update(m->port);
}

/* Let packets of one match reach a module; vpnpass_mutex held. */
static int match_add(const struct vpnpass_match *m, int idx)
{
	if (m->block_only)
		return 0;
	if (m->port)
		return match_add_port(m, idx);
	if (vpnpass_l4map[m->l4proto])
		return -EEXIST;
	WRITE_ONCE(vpnpass_l4map[m->l4proto], idx + 1);
	return 0;
}

static void match_del(const struct vpnpass_match *m)
{
	if (m->block_only)
		return;
	if (m->port)
		match_del_port(m);
	else
		WRITE_ONCE(vpnpass_l4map[m->l4proto], 0);
}

/* Context: process, vpnpass_mutex. Returns 0, -EEXIST or -ENOSPC. */
int vpnpass_match_add(const struct vpnpass_proto *p)
{
	int i, err;

	for (i = 0; i < p->n_match; i++) {
		/* stays: without the module nobody asks */
		if (p->any_end)
			WRITE_ONCE(vpnpass_any_end[p->match[i].l4proto], true);
		err = match_add(&p->match[i], p->idx);
		if (!err)
			continue;
		while (i--)
			match_del(&p->match[i]);
		return err;
	}
	/* stays: without the module there are no pins */
	if (p->fast_setting)
		WRITE_ONCE(vpnpass_fast_kind[p->fast_number.l4proto], p->fast_number.kind + 1);
	return 0;
}

void vpnpass_match_del(const struct vpnpass_proto *p)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		match_del(&p->match[i]);
}

/* Is the module to see packets of an IP protocol when they leave? */
bool vpnpass_match_posts(const struct vpnpass_proto *p, u8 l4proto)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		if (p->match[i].l4proto == l4proto)
			return !p->match[i].no_post;
	return true;
}
