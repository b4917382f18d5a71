// SPDX-License-Identifier: GPL-2.0
/* The calls that a control connection begins and ends, and its own end. */
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "pptp.h"

#define BUCKETS		64	/* for each kind of number of a connection's calls */

static void settle_end(struct pptp_control *pc)
	__releases(&pc->lock) __acquires(&pc->lock)
{
	struct pptp_session *ps;

	ps = list_first_entry(&pc->ending, struct pptp_session, ending);
	list_del_init(&ps->ending);
	spin_unlock_bh(&pc->lock);
	/* Another may have ended it already; RCU keeps it until we leave. */
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

/* Has a masqueraded connection lost its address? One that a rule names (snat to) need
 * not be the router's.
 */
static bool address_lost(const struct nf_conn *ct)
{
	return vpnpass_conn_masq_index(ct) &&
	       !__ip_dev_find(nf_ct_net(ct),
			      ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u3.ip, false);
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
	if (!(pc->parked && address_lost(pc->ct)) && !pptp_call_open(pc, gre)) {
		pc->tries = 0;
		return;
	}
	pptp_count(pc->vn, PPTP_CNT_CALL_FAILED);
	list_add_tail(&gre->todo, &pc->retry);
	if (pc->tries < PPTP_TRIES_MAX)
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

/* See struct vpnpass_ops. */
void pptp_control_session_end(struct pptp_session *ps)
{
	struct pptp_control *pc = ps->pc;

	spin_lock_bh(&pc->lock);
	pc->session = NULL;
	spin_unlock_bh(&pc->lock);
	if (!pptp_control_park(pc))
		pptp_control_close(pc);
}

/* Context: process; no packet comes here any more. */
void pptp_unpark_all(struct vpnpass_net *vn)
{
	struct pptp_control *pc;

	while ((pc = pptp_unpark_first(pptp_net(vn))))
		pptp_control_close(pc);
	pptp_work_flush();
}

/* See pptp_control_arm(). */
void pptp_control_work(struct work_struct *work)
{
	struct pptp_control *pc = container_of(to_delayed_work(work),
					       struct pptp_control, work);
	bool over;

	spin_lock_bh(&pc->lock);
	over = pc->parked && time_after_eq(jiffies, pc->park_until);
	spin_unlock_bh(&pc->lock);

	if (over && pptp_control_unpark(pptp_net(pc->vn), pc)) {
		pptp_control_close(pc);
	} else {
		pptp_control_reopen(pc);
		spin_lock_bh(&pc->lock);
		if (pc->parked && !delayed_work_pending(&pc->work))
			pptp_control_arm(pc, PPTP_PARK_TIME / 4);
		spin_unlock_bh(&pc->lock);
	}
	pptp_control_put(pc);
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
	struct vpnpass_peer_key key = vpnpass_peer_key(pc->ct, !pc->in_dir);

	lockdep_assert_held(&pc->lock);
	pc->hash = vpnpass_alloc_zeroed(pc->vn, 3 * BUCKETS * sizeof(*pc->hash));
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
	vpnpass_rules_want(pc->vn, NFPROTO_IPV4);
	return 0;
}
