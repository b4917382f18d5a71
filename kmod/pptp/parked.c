// SPDX-License-Identifier: GPL-2.0
/*
 * Parked control connections. Should somebody delete the conntrack entry under
 * a living TCP connection (conntrack -F), conntrack picks that up again from its
 * next packet. Meanwhile the control connection is parked, its calls are given
 * new entries, and it goes on with the new entry if not a byte went by unseen.
 */
#include <linux/tcp.h>
#include <net/netfilter/nf_conntrack.h>

#include "pptp.h"

#define PARK_MAX	4096	/* in a netns */

/* Takes it from the list, if it is there: then it is the caller's. */
bool pptp_control_unpark(struct pptp_net *pn, struct pptp_control *pc)
{
	bool mine;

	spin_lock_bh(&pn->lock);
	mine = !list_empty(&pc->park);
	if (mine) {
		list_del_init(&pc->park);
		pn->n_parked--;
	}
	spin_unlock_bh(&pn->lock);
	return mine;
}

static bool lost_alive(const struct nf_conn *ct)
{
	return nf_ct_is_dying(ct) && !nf_ct_is_expired(ct) &&
	       READ_ONCE(ct->proto.tcp.state) == TCP_CONNTRACK_ESTABLISHED;
}

/**
 * pptp_control_park() - the session of a connection is going: keep it for later?
 * @pc: the connection, the caller's; not its any more when this succeeds
 *
 * If it was conntrack that lost the entry of a living TCP connection. The core
 * kills the entries of sessions that it ends itself after it has told us.
 */
bool pptp_control_park(struct pptp_control *pc)
{
	struct pptp_net *pn = pptp_net(pc->vn);
	bool room;

	spin_lock_bh(&pc->lock);
	room = lost_alive(pc->ct) && !pc->ctl.dead;
	if (room)
		pptp_control_parks(pc);
	spin_unlock_bh(&pc->lock);
	if (!room)
		return false;

	spin_lock_bh(&pn->lock);
	room = pn->n_parked < PARK_MAX;
	if (room) {
		list_add_tail(&pc->park, &pn->parked);
		pn->n_parked++;
	}
	spin_unlock_bh(&pn->lock);
	return room;
}

/**
 * pptp_control_lost() - whether the entry of a connection was deleted under it
 * @pc: from pptp_table_find()
 *
 * Nobody may have noticed yet: then it is parked now.
 *
 * Context: softirq, RCU read side.
 */
bool pptp_control_lost(struct pptp_control *pc)
{
	struct vpnpass_session *s;
	bool lost;

	spin_lock_bh(&pc->lock);
	s = pc->session;
	lost = !pc->closed && (!s || nf_ct_is_dying(pc->ct));
	spin_unlock_bh(&pc->lock);
	if (lost && s)
		vpnpass_session_end(s, "connection gone");
	return lost;
}

/* A parked connection, the caller's from here on, or NULL. */
struct pptp_control *pptp_unpark_first(struct pptp_net *pn)
{
	struct pptp_control *pc;

	spin_lock_bh(&pn->lock);
	pc = list_first_entry_or_null(&pn->parked, struct pptp_control, park);
	if (pc) {
		list_del_init(&pc->park);
		pn->n_parked--;
	}
	spin_unlock_bh(&pn->lock);
	return pc;
}

static bool same_tuples(const struct nf_conn *a, const struct nf_conn *b)
{
	int dir;

	for (dir = 0; dir < IP_CT_DIR_MAX; dir++)
		if (!nf_ct_tuple_equal(&a->tuplehash[dir].tuple,
				       &b->tuplehash[dir].tuple))
			return false;
	return true;
}

/* The connection goes on with another entry, if this is its next packet. */
bool pptp_control_resume(struct pptp_control *pc, struct nf_conn *ct,
			 const struct tcphdr *th)
{
	bool same;

	spin_lock_bh(&pc->lock);
	same = same_tuples(pc->ct, ct) && !pptp_segment_skips(pc, th);
	if (same) {
		nf_conntrack_get(&ct->ct_general);
		swap(pc->ct, ct);
		nf_ct_put(ct);
		pc->parked = false;
	}
	spin_unlock_bh(&pc->lock);
	return same;
}
