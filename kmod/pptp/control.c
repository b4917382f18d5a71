// SPDX-License-Identifier: GPL-2.0
/* Control connections: their memory, and the time of their work. */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "pptp.h"

#define RETRY_FIRST	(HZ / 50)

static struct workqueue_struct *pptp_wq;

static void control_free_rings(struct pptp_control *pc)
{
	int dir;

	for (dir = 0; dir < PPTP_DIRS; dir++)
		if (pc->ctl.half[dir].ring != pc->ctl.half[dir].own_ring)
			kfree(pc->ctl.half[dir].ring);
}

/* Nobody reads the stream any more: it is closed. */
void pptp_control_put(struct pptp_control *pc)
{
	if (!refcount_dec_and_test(&pc->refs))
		return;
	control_free_rings(pc);
	if (pc->pool)
		vpnpass_peer_put(&pc->pool->peer);
	kfree(pc->hash);
	nf_ct_put(pc->ct);
	kfree_rcu(pc, rcu);
}

/* Have the work done after a while; locked. */
void pptp_control_arm(struct pptp_control *pc, unsigned long delay)
{
	lockdep_assert_held(&pc->lock);
	if (!pc->closed && !mod_delayed_work(pptp_wq, &pc->work, delay))
		refcount_inc(&pc->refs);
}

/* Try what is in pc->retry again, in a moment; locked. */
void pptp_control_retry(struct pptp_control *pc)
{
	pptp_control_arm(pc, RETRY_FIRST << min_t(u32, pc->tries, PPTP_TRIES_MAX));
}

/* The connection goes to the parked list; locked. The work then has a reference, whoever
 * takes it from there.
 */
void pptp_control_parks(struct pptp_control *pc)
{
	pc->parked = true;
	pc->park_until = jiffies + PPTP_PARK_TIME;
	pptp_control_arm(pc, RETRY_FIRST);
}

/**
 * pptp_control_alloc() - a connection for a new conntrack entry
 * @vn: netns
 * @ct: the entry; a reference is taken
 * @work: what pptp_control_arm() has done
 *
 * Return: the connection with one reference, or NULL (counted).
 */
struct pptp_control *pptp_control_alloc(struct vpnpass_net *vn, struct nf_conn *ct,
					work_func_t work)
{
	struct pptp_control *pc;

	pc = vpnpass_alloc_zeroed(vn, sizeof(*pc));
	if (!pc) {
		pptp_count(vn, VPNPASS_CNT_NO_MEMORY);
		return NULL;
	}
	spin_lock_init(&pc->lock);
	refcount_set(&pc->refs, 1);
	pc->vn = vn;
	nf_conntrack_get(&ct->ct_general);
	pc->ct = ct;
	INIT_LIST_HEAD(&pc->all);
	INIT_LIST_HEAD(&pc->ending);
	INIT_LIST_HEAD(&pc->opening);
	INIT_LIST_HEAD(&pc->retry);
	INIT_LIST_HEAD(&pc->park);
	INIT_DELAYED_WORK(&pc->work, work);
	pc->echoed = jiffies - HZ;
	pptp_ctl_init(&pc->ctl, &pptp_calls_ctl_ops, &pc->calls);

	/* The side whose address changes is inside; if none does, the caller is. */
	pc->in_dir = (READ_ONCE(ct->status) & IPS_NAT_MASK) == IPS_DST_NAT ?
		     IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
	return pc;
}

int pptp_work_init(void)
{
	pptp_wq = alloc_workqueue("vpnpass_pptp", WQ_UNBOUND, 0);
	return pptp_wq ? 0 : -ENOMEM;
}

/* No connection is left, or none that may arm its work. Process context. */
void pptp_work_flush(void)
{
	flush_workqueue(pptp_wq);
}

void pptp_work_exit(void)
{
	destroy_workqueue(pptp_wq);
}
