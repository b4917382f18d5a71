// SPDX-License-Identifier: GPL-2.0
/*
 * Control connections: their memory, their end, and the calls that they begin
 * and end. Called by begin.c and park.c, by segment.c when messages have been
 * read, by the core when a session ends.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "masq.h"
#include "pptp.h"

#define BUCKETS		64	/* for each kind of number of a connection's calls */
#define PARK_TIME	(180 * HZ)	/* three Echo intervals of RFC 2637 3.1.4 */
#define RETRY_FIRST	(HZ / 50)
#define RETRY_SHIFT_MAX	9	/* 10 s */

static struct workqueue_struct *pptp_wq;

/* --- references and time ------------------------------------------------------ */

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
		pptp_pool_put(pc->vn, pc->pool);
	kfree(pc->hash);
	nf_ct_put(pc->ct);
	kfree_rcu(pc, rcu);
}

static void control_arm(struct pptp_control *pc, unsigned long delay)
{
	if (!pc->closed && !mod_delayed_work(pptp_wq, &pc->work, delay))
		refcount_inc(&pc->refs);
}

/* Try what is in pc->retry again, in a moment; locked. */
void pptp_control_retry(struct pptp_control *pc)
{
	control_arm(pc, RETRY_FIRST << min_t(u32, pc->tries, RETRY_SHIFT_MAX));
}

/* It goes to the parked list; locked. The work then has a reference, whoever
 * takes it from there.
 */
void pptp_control_parks(struct pptp_control *pc)
{
	pc->parked = true;
	pc->park_until = jiffies + PARK_TIME;
	control_arm(pc, RETRY_FIRST);
}

/* --- calls that begin and end ------------------------------------------------- */

static void settle_end(struct pptp_control *pc)
	__releases(&pc->lock) __acquires(&pc->lock)
{
	struct pptp_session *ps;

	ps = list_first_entry(&pc->ending, struct pptp_session, ending);
	list_del_init(&ps->ending);
	spin_unlock_bh(&pc->lock);
	/* It may be ended by another already, and is there until we leave RCU. */
	vpnpass_session_end(&ps->s, "call over");
	spin_lock_bh(&pc->lock);
}

/* Returns whether one was ended: @gre may be gone then as well. */
static bool settle_rival(struct pptp_control *pc, const struct pptp_gre *gre)
	__releases(&pc->lock) __acquires(&pc->lock)
{
	struct vpnpass_session *rival = pptp_call_rival(pc, gre);
	bool ended;

	if (!rival)
		return false;
	spin_unlock_bh(&pc->lock);
	/* If it is being ended right now, by a task that we may have interrupted,
	 * there is no waiting for it.
	 */
	ended = vpnpass_session_end(rival, "replaced");
	spin_lock_bh(&pc->lock);
	return ended;
}

static void settle_open(struct pptp_control *pc)
{
	struct pptp_gre *gre;

	gre = list_first_entry(&pc->opening, struct pptp_gre, todo);
	if (settle_rival(pc, gre) || list_empty(&pc->opening))
		return;
	gre = list_first_entry(&pc->opening, struct pptp_gre, todo);
	list_del_init(&gre->todo);
	/* A parked connection may have lost its address with its entry. */
	if (!(pc->parked && pptp_masq_lost(pc->ct)) && !pptp_call_open(pc, gre)) {
		pc->tries = 0;
		return;
	}
	pptp_count(pc->vn, PPTP_CNT_CALL_FAILED);
	list_add_tail(&gre->todo, &pc->retry);
	if (pc->tries < RETRY_SHIFT_MAX)
		pc->tries++;
	pptp_control_retry(pc);
}

/**
 * pptp_control_settle() - end and open what the stream's messages asked for
 * @pc: the connection, not locked
 *
 * Before the packet with the message goes on, so that GRE finds its way.
 *
 * Context: any; takes pptp_control.lock and the core's.
 */
void pptp_control_settle(struct pptp_control *pc)
{
	rcu_read_lock();
	spin_lock_bh(&pc->lock);
	if (!pc->settling) {
		pc->settling = true;
		for (;;) {
			if (!list_empty(&pc->ending))
				settle_end(pc);
			else if (!list_empty(&pc->opening))
				settle_open(pc);
			else
				break;
		}
		pc->settling = false;
	}
	spin_unlock_bh(&pc->lock);
	rcu_read_unlock();
}

/* As pptp_control_settle(), with the calls that have lost their GRE. */
void pptp_control_reopen(struct pptp_control *pc)
{
	spin_lock_bh(&pc->lock);
	list_splice_tail_init(&pc->retry, &pc->opening);
	spin_unlock_bh(&pc->lock);
	pptp_control_settle(pc);
}

/**
 * pptp_control_close() - the end of a connection, and of its calls
 * @pc: the connection; the caller's reference to it is dropped
 *
 * Context: any; takes pptp_control.lock and the core's.
 */
void pptp_control_close(struct pptp_control *pc)
{
	pptp_table_del(pc);
	spin_lock_bh(&pc->lock);
	pc->closed = true;
	if (pc->started)
		pptp_calls_flush(&pc->calls);
	spin_unlock_bh(&pc->lock);
	if (cancel_delayed_work(&pc->work))
		pptp_control_put(pc);
	pptp_control_settle(pc);
	pptp_control_put(pc);
}

/* The core's word; see struct vpnpass_proto. */
void pptp_control_session_end(struct pptp_session *ps)
{
	struct pptp_control *pc = ps->pc;

	spin_lock_bh(&pc->lock);
	pc->session = NULL;
	spin_unlock_bh(&pc->lock);
	if (!pptp_park(pc))
		pptp_control_close(pc);
}

static void control_work(struct work_struct *work)
{
	struct pptp_control *pc = container_of(to_delayed_work(work),
					       struct pptp_control, work);
	bool over;

	spin_lock_bh(&pc->lock);
	over = pc->parked && time_after_eq(jiffies, pc->park_until);
	spin_unlock_bh(&pc->lock);

	if (over && pptp_unpark(pptp_net(pc->vn), pc)) {
		pptp_control_close(pc);
	} else {
		pptp_control_reopen(pc);
		spin_lock_bh(&pc->lock);
		if (pc->parked && !delayed_work_pending(&pc->work))
			control_arm(pc, PARK_TIME / 4);
		spin_unlock_bh(&pc->lock);
	}
	pptp_control_put(pc);
}

/* --- the beginning ---------------------------------------------------------- */

/**
 * pptp_control_alloc() - a connection for a new conntrack entry
 * @vn: netns
 * @ct: the entry; a reference is taken
 *
 * Return: the connection with one reference, or NULL (counted).
 */
struct pptp_control *pptp_control_alloc(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct pptp_control *pc;

	pc = vpnpass_zalloc(vn, sizeof(*pc));
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
	INIT_DELAYED_WORK(&pc->work, control_work);
	pc->echoed = jiffies - HZ;
	pptp_ctl_init(&pc->ctl, &pptp_calls_ctl_ops, &pc->calls);

	/* Whose address changes is inside; nobody's: who called is as good. */
	pc->in_dir = (READ_ONCE(ct->status) & IPS_NAT_MASK) == IPS_DST_NAT ?
		     IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;
	return pc;
}

/**
 * pptp_control_start() - what a connection needs from its first payload on
 * @pc: the connection, locked
 *
 * Not at the SYN: a port scan should cost little.
 *
 * Context: RCU read side.
 * Return: 0 or -ENOMEM.
 */
int pptp_control_start(struct pptp_control *pc)
{
	const struct nf_conntrack_tuple *t = &pc->ct->tuplehash[!pc->in_dir].tuple;
	struct pptp_pool_key key = {};

	key.outside = t->src.u3.ip;
	key.local = t->dst.u3.ip;
	key.zone = nf_ct_zone_id(nf_ct_zone(pc->ct), !pc->in_dir);
	pc->hash = kmalloc_array(3 * BUCKETS, sizeof(*pc->hash),
				 GFP_ATOMIC | __GFP_NOWARN);
	if (!pc->hash)
		return -ENOMEM;
	pc->pool = pptp_pool_get(pc->vn, &key);
	if (!pc->pool) {
		kfree(pc->hash);
		pc->hash = NULL;
		return -ENOMEM;
	}
	pptp_calls_init(&pc->calls, &pptp_call_ops, pc, pc->hash, 3 * BUCKETS);
	pc->started = true;
	return 0;
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
