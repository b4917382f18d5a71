/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files for L2TPv3 over IP share: ip.c, group.c, ether.c.
 */
#ifndef VPNPASS_L2TP_IP_H
#define VPNPASS_L2TP_IP_H

#include "l2tp.h"

/**
 * struct l2tp_group - the clients of one server behind one address of the router's
 * @peer: first, as the core frees it
 * @turns: the clients, and what is not yet known of them
 * @asked_at: when clients were last made to show themselves anew, ms
 */
struct l2tp_group {
	struct vpnpass_peer peer;
	struct l2tp_turns turns;
	u32 asked_at;
};

/* All with l2tp_net.lock held, but for l2tp_group_find(). */

/* group.c */
struct l2tp_group *l2tp_group_find(struct l2tp_net *ln, const struct vpnpass_peer_key *key);
void l2tp_group_ask_anew(struct l2tp_group *g, u32 now);

/* ether.c */
bool l2tp_ether_out(struct l2tp_session *ls, const struct vpnpass_pkt *pkt,
		    u32 id);
struct l2tp_session *l2tp_ether_in(struct vpnpass_net *vn,
				   struct vpnpass_pkt *pkt, u32 id);
void l2tp_ether_ask_anew(struct l2tp_session *ls);

#endif /* VPNPASS_L2TP_IP_H */
