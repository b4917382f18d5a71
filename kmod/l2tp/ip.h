/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files for L2TPv3 over IP share: ip.c, group.c, ether.c.
 */
#ifndef VPNPASS_L2TP_IP_H
#define VPNPASS_L2TP_IP_H

#include "l2tp.h"

/* The clients of one server behind one address of the router's. */
struct l2tp_group_key {
	union nf_inet_addr peer;
	union nf_inet_addr local;
	u16 zone;
	u8 family;
	u8 pad;
};

/**
 * struct l2tp_group - the clients of one server
 * @node: in l2tp_net.groups
 * @key: server and address
 * @rcu: for its end
 * @turns: the clients, and what is not yet known of them
 * @refs: sessions that exist, linked or not
 * @asked_at: when clients were last made to show themselves anew, ms
 */
struct l2tp_group {
	struct rhash_head node;
	struct l2tp_group_key key;
	struct rcu_head rcu;
	struct l2tp_turns turns;
	u32 refs;
	u32 asked_at;
};

/* All with l2tp_net.lock held, but for l2tp_group_known(). */

/* group.c */
bool l2tp_group_known(struct l2tp_net *ln, const struct l2tp_group_key *key);
struct l2tp_group *l2tp_group_find(struct l2tp_net *ln,
				   const struct l2tp_group_key *key);
void l2tp_group_ask_anew(struct l2tp_group *g, u32 now);

/* ether.c */
bool l2tp_ether_out(struct l2tp_session *ls, const struct vpnpass_pkt *pkt,
		    u32 id);
struct l2tp_session *l2tp_ether_in(struct vpnpass_net *vn,
				   struct vpnpass_pkt *pkt, u32 id);
void l2tp_ether_ask_anew(struct l2tp_session *ls);

#endif /* VPNPASS_L2TP_IP_H */
