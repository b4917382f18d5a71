// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: one client's VPN connection, tied to one conntrack entry. Helpers
 * begin them; they end with their entry (found dead by the sweep or by a
 * packet), by the administrator's word, or with the netns.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "core.h"
#include "known.h"

static const struct rhashtable_params session_params = {
	.head_offset = offsetof(struct vpnpass_session, ct_node),
	.key_offset = offsetof(struct vpnpass_session, ct),
	.key_len = sizeof(struct nf_conn *),
	VPNPASS_TABLE_SIZE,
};

int vpnpass_sessions_init(struct vpnpass_net *vn)
{
	return rhashtable_init(&vn->sessions, &session_params);
}

void vpnpass_sessions_exit(struct vpnpass_net *vn)
{
	rhashtable_destroy(&vn->sessions);
}

static int session_admit(struct vpnpass_session *s)
{
	struct vpnpass_net *vn = s->vn;
	int counter, err;

	spin_lock_bh(&vn->lock);
	err = vpnpass_quota_take(s, &counter);
	spin_unlock_bh(&vn->lock);
	if (err == -EDQUOT)
		vpnpass_limit_hit(s, counter);
	else if (err)
		vpnpass_count(vn, s->proto, VPNPASS_CNT_NO_MEMORY);
	return err;
}

/* Has a packet of the client's passed the administrator's rules? Not where the connection
 * was made before its first packet.
 */
static bool has_begun(const struct nf_conn *ct)
{
	const struct nf_conn_acct *acct = nf_conn_acct_find(ct);

	return !acct || atomic64_read(&acct->counter[IP_CT_DIR_ORIGINAL].packets);
}

/* An event of a limit that is hit shows the session, state and all: it has its
 * connection before it is admitted.
 */
static void bind(struct vpnpass_session *s, struct nf_conn *ct)
{
	nf_conntrack_get(&ct->ct_general);
	s->ct = ct;
	s->began = ktime_get_boottime_ns();
	s->last = vpnpass_now();
	s->unwatched = nf_ct_is_confirmed(ct) && !vpnpass_conn_watched(ct);
	s->passed = has_begun(ct);
}

/**
 * vpnpass_session_rebind() - give a session that was held ready its own connection
 * @s: allocated for another connection of the same addresses, not yet published
 * @ct: its connection; a reference is taken
 *
 * Context: any.
 */
void vpnpass_session_rebind(struct vpnpass_session *s, struct nf_conn *ct)
{
	nf_ct_put(s->ct);
	bind(s, ct);
}
EXPORT_SYMBOL_GPL(vpnpass_session_rebind);

/**
 * vpnpass_session_alloc() - begin a session for a translated connection
 * @vn: netns
 * @p: the module
 * @ct: its connection, source NAT set up; a reference is taken
 *
 * Counts against the limits from here on; nobody sees the session before
 * vpnpass_session_publish().
 *
 * Context: any; takes vpnpass_net.lock.
 * Return: a session of @p->session_size bytes, zeroed beyond the core's part, or
 * an ERR_PTR: -EDQUOT when a limit is hit (counted, with an event), -ENOMEM.
 */
struct vpnpass_session *
vpnpass_session_alloc(struct vpnpass_net *vn, const struct vpnpass_proto *p,
		      struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig, *reply;
	struct vpnpass_session *s;
	int err;

	s = vpnpass_cache_zalloc(vn, p->cache);
	if (!s) {
		vpnpass_count(vn, p, VPNPASS_CNT_NO_MEMORY);
		return ERR_PTR(-ENOMEM);
	}

	orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	INIT_LIST_HEAD(&s->pins);
	s->vn = vn;
	s->proto = p;
	s->family = nf_ct_l3num(ct);
	s->client = orig->src.u3;
	s->peer = reply->src.u3;
	s->local = reply->dst.u3;
	bind(s, ct);
	err = session_admit(s);
	if (err) {
		nf_ct_put(ct);
		kmem_cache_free(p->cache, s);
		return ERR_PTR(err);
	}
	return s;
}
EXPORT_SYMBOL_GPL(vpnpass_session_alloc);

static void session_free_rcu(struct rcu_head *head)
{
	struct vpnpass_session *s = container_of(head, struct vpnpass_session, rcu);

	nf_ct_put(s->ct);
	kmem_cache_free(s->proto->cache, s);
}

/**
 * vpnpass_session_discard() - free a session that was never published
 * @s: the session
 */
void vpnpass_session_discard(struct vpnpass_session *s)
{
	spin_lock_bh(&s->vn->lock);
	vpnpass_quota_give(s);
	spin_unlock_bh(&s->vn->lock);
	session_free_rcu(&s->rcu);
}
EXPORT_SYMBOL_GPL(vpnpass_session_discard);

/**
 * vpnpass_session_confirm() - have conntrack confirm the entry that a session begins with
 * @s: from vpnpass_session_alloc()
 * @skb: a packet of the entry, in POSTROUTING or LOCAL_IN
 * @verdict: set to the packet's, if there is to be no session
 *
 * Context: softirq, RCU read side.
 * Return: 0, or -EEXIST: conntrack dropped the packet, or settled a clash by giving it
 * another's entry.
 */
int vpnpass_session_confirm(struct vpnpass_session *s, struct sk_buff *skb,
			    unsigned int *verdict)
{
	*verdict = nf_conntrack_confirm(skb);
	if (*verdict == NF_ACCEPT && skb_nfct(skb) == &s->ct->ct_general &&
	    nf_ct_is_confirmed(s->ct))
		return 0;
	return -EEXIST;
}
EXPORT_SYMBOL_GPL(vpnpass_session_confirm);

/* Once a second while there are sessions. A round that has begun no longer counts
 * as queued: either it sees the new session's n_sessions, or this one is queued
 * behind it.
 */
static void sweep_queue(struct vpnpass_net *vn)
{
	queue_delayed_work(system_power_efficient_wq, &vn->sweep, HZ);
}

/* @n: 1 or -1 */
static void session_known(const struct vpnpass_session *s, int n)
{
	const struct nf_conntrack_tuple *orig, *reply;
	struct vpnpass_net *vn = s->vn;
	const union nf_inet_addr *ends[3];
	u32 *known;
	int i;

	orig = &s->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &s->ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	ends[0] = &orig->src.u3;
	ends[1] = &orig->dst.u3;
	ends[2] = &reply->src.u3;
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		known = &vn->known[vpnpass_known_place(s->family, ends[i])];
		WRITE_ONCE(*known, *known + n);
	}
}

/* Lists and packets find the session from here on, or neither of them. */
static int session_show(struct vpnpass_session *s)
{
	struct vpnpass_net *vn = s->vn;
	struct xarray *ids = &vn->proto[s->proto->idx].sessions;
	int err;

	lockdep_assert_held(&vn->lock);
	/* A packet on another CPU may read the ID as soon as it finds the session. */
	s->id = vn->session_id + 1;
	err = xa_reserve(ids, s->id, GFP_ATOMIC | __GFP_NOWARN);
	if (err)
		return err;
	err = rhashtable_insert_fast(&vn->sessions, &s->ct_node, session_params);
	if (err) {
		xa_release(ids, s->id);
		return err;
	}
	vn->session_id++;
	session_known(s, 1);
	xa_store(ids, s->id, s, GFP_ATOMIC);
	return 0;
}

/**
 * vpnpass_session_publish() - show a session to everybody
 * @s: from vpnpass_session_alloc(), its connection confirmed
 *
 * Context: any; takes vpnpass_net.lock.
 * Return: 0; -EEXIST when the connection has a session, -ESHUTDOWN when the
 * switch is no longer on or the netns ends, -ENOMEM. On error the session still
 * is the caller's to discard.
 */
int vpnpass_session_publish(struct vpnpass_session *s)
{
	struct vpnpass_net *vn = s->vn;
	struct vpnpass_proto_net *pn = &vn->proto[s->proto->idx];
	int err;

	spin_lock_bh(&vn->lock);
	err = READ_ONCE(vn->dead) || READ_ONCE(pn->mode) != VPNPASS_MODE_ON ?
	      -ESHUTDOWN : session_show(s);
	if (!err) {
		pn->n_shown += !s->hidden;
		sweep_queue(vn);
	}
	spin_unlock_bh(&vn->lock);
	if (err || s->hidden)
		return err;

	vpnpass_count(vn, s->proto, VPNPASS_CNT_SESSIONS_NEW);
	trace_vpnpass_session_new(s);
	vpnpass_event_session(s, VPNPASS_EVENT_TYPE_SESSION_NEW, NULL);
	return 0;
}
EXPORT_SYMBOL_GPL(vpnpass_session_publish);

/**
 * vpnpass_session_start() - confirm the entry that a session begins with, and show both
 * @s: from vpnpass_session_alloc()
 * @skb: a packet of the entry, in POSTROUTING or LOCAL_IN
 * @verdict: set to the packet's, if there is to be no session
 *
 * Context: softirq, RCU read side.
 * Return: 0, or an error, with the session still the caller's to discard: as
 * vpnpass_session_confirm(), or as vpnpass_session_publish() with the entry ended.
 */
int vpnpass_session_start(struct vpnpass_session *s, struct sk_buff *skb,
			  unsigned int *verdict)
{
	int err = vpnpass_session_confirm(s, skb, verdict);

	if (err)
		return err;
	err = vpnpass_session_publish(s);
	if (err)
		nf_ct_kill(s->ct);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_session_start);

/**
 * vpnpass_address_known() - may an address be a client or a peer of some session?
 * @vn: netns
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @addr: the address, unused bytes zero
 *
 * Context: RCU read side.
 */
bool vpnpass_address_known(const struct vpnpass_net *vn, u8 family,
			   const union nf_inet_addr *addr)
{
	return READ_ONCE(vn->known[vpnpass_known_place(family, addr)]);
}
EXPORT_SYMBOL_GPL(vpnpass_address_known);

/**
 * vpnpass_session_by_ct() - the session of a connection
 * @vn: netns
 * @p: the module whose session it has to be, or NULL: any
 * @ct: the connection
 *
 * A flow can have one module's port at either end: what one module sees of a
 * connection may be another's session.
 *
 * Context: RCU read side.
 * Return: the session, valid until the end of the RCU read side, or NULL.
 */
struct vpnpass_session *vpnpass_session_by_ct(struct vpnpass_net *vn,
					      const struct vpnpass_proto *p,
					      const struct nf_conn *ct)
{
	struct vpnpass_session *s;

	s = rhashtable_lookup(&vn->sessions, &ct, session_params);
	return s && (!p || s->proto == p) ? s : NULL;
}
EXPORT_SYMBOL_GPL(vpnpass_session_by_ct);

static void session_tell_end(const struct vpnpass_session *s, const char *reason)
{
	if (s->hidden)
		return;
	vpnpass_count(s->vn, s->proto, VPNPASS_CNT_SESSIONS_END);
	trace_vpnpass_session_end(s, reason);
	vpnpass_event_session(s, VPNPASS_EVENT_TYPE_SESSION_END, reason);
}

/* Packets and lists find neither the session nor its pins any more. Those that have
 * found it are in an RCU read side.
 */
static void session_hide(struct vpnpass_session *s)
{
	struct vpnpass_net *vn = s->vn;
	struct vpnpass_pin *pin;

	spin_lock_bh(&vn->lock);
	rhashtable_remove_fast(&vn->sessions, &s->ct_node, session_params);
	xa_erase(&vn->proto[s->proto->idx].sessions, s->id);
	session_known(s, -1);
	list_for_each_entry(pin, &s->pins, list)
		vpnpass_pin_hide(vn, pin);
	spin_unlock_bh(&vn->lock);
}

/* The caller has set the ended bit. What the session holds is let go of after it is
 * hidden: a packet that still found it would use what is gone.
 */
static void session_finish(struct vpnpass_session *s, const char *reason)
{
	struct vpnpass_net *vn = s->vn;
	struct vpnpass_pin *pin, *next;

	session_hide(s);
	s->proto->ops->session_end(s);

	spin_lock_bh(&vn->lock);
	list_for_each_entry_safe(pin, next, &s->pins, list)
		vpnpass_pin_drop(vn, pin);
	vpnpass_quota_give(s);
	vn->proto[s->proto->idx].n_shown -= !s->hidden;
	spin_unlock_bh(&vn->lock);

	session_tell_end(s, reason);
	if (!READ_ONCE(s->keep_ct) && !nf_ct_is_dying(s->ct))
		nf_ct_kill(s->ct);
	call_rcu(&s->rcu, session_free_rcu);
}

/**
 * vpnpass_session_end() - end a session and its connection
 * @s: a published session, seen under RCU
 * @reason: for events and traces
 *
 * Context: any but under vpnpass_net.lock or the module's locks.
 * Return: whether it was this call that ended it.
 */
bool vpnpass_session_end(struct vpnpass_session *s, const char *reason)
{
	if (test_and_set_bit(0, &s->ended))
		return false;
	session_finish(s, reason);
	return true;
}
EXPORT_SYMBOL_GPL(vpnpass_session_end);

/* Have the sweep end the IPv4 sessions of one of the router's addresses, soon.
 * Context: any.
 */
void vpnpass_sessions_doom(struct vpnpass_net *vn, __be32 local)
{
	struct vpnpass_session *s;
	unsigned long id;
	int i;

	rcu_read_lock();
	for (i = 0; i < VPNPASS_PROTOS; i++) {
		if (!vpnpass_proto_is_here(&vn->proto[i]))
			continue;
		for (id = 1; (s = vpnpass_session_next(&vn->proto[i], &id)); id++)
			if (s->family == NFPROTO_IPV4 && s->local.ip == local) {
				WRITE_ONCE(s->doomed, true);
				WRITE_ONCE(vn->doomed, true);
			}
	}
	rcu_read_unlock();
	if (READ_ONCE(vn->doomed))
		vpnpass_sweep_now(vn);
}

static bool session_doomed(const struct vpnpass_session *s, const void *arg)
{
	return READ_ONCE(s->doomed);
}

static bool session_dead(const struct vpnpass_session *s, const void *arg)
{
	return nf_ct_is_dying(s->ct) || nf_ct_is_expired(s->ct);
}

/* Sessions that are looked at without a pause for others. */
#define SESSION_BATCH	256

/**
 * vpnpass_session_next() - walk the published sessions of one protocol
 * @pn: the protocol in a netns
 * @id: ID from which on to look; that of the session found
 *
 * Context: RCU read side; no lock, so that packets need not wait for the walk.
 * Return: the session, or NULL after the last one.
 */
struct vpnpass_session *vpnpass_session_next(struct vpnpass_proto_net *pn,
					     unsigned long *id)
{
	return xa_find(&pn->sessions, id, ULONG_MAX, XA_PRESENT);
}

/* The first of at most SESSION_BATCH sessions from @id on that @match says, which is
 * the caller's to finish; it stays allocated until then. @id is moved on, to 0 at
 * the end.
 */
static struct vpnpass_session *
session_claim(struct vpnpass_proto_net *pn, unsigned long *id,
	      bool (*match)(const struct vpnpass_session *s, const void *arg),
	      const void *arg)
{
	struct vpnpass_session *s = NULL;
	int i;

	rcu_read_lock();
	for (i = 0; i < SESSION_BATCH; i++) {
		s = vpnpass_session_next(pn, id);
		*id = s ? *id + 1 : 0;
		if (!s || ((!match || match(s, arg)) && !test_and_set_bit(0, &s->ended)))
			break;
		s = NULL;
	}
	rcu_read_unlock();
	return s;
}

/* End the sessions of one protocol that @match says; returns how many of them the
 * administrator could see. Context: process.
 */
u32 vpnpass_sessions_end_if(struct vpnpass_net *vn, int idx,
			    bool (*match)(const struct vpnpass_session *s,
					  const void *arg),
			    const void *arg, const char *reason)
{
	struct vpnpass_proto_net *pn = &vn->proto[idx];
	struct vpnpass_session *s;
	unsigned long id = 1;
	u32 n = 0;

	while (id) {
		s = session_claim(pn, &id, match, arg);
		if (s) {
			n += !s->hidden;
			session_finish(s, reason);
		}
		cond_resched();
	}
	return n;
}

static void sweep(struct work_struct *work)
{
	struct vpnpass_net *vn = container_of(to_delayed_work(work),
					      struct vpnpass_net, sweep);
	bool doomed = xchg(&vn->doomed, false);
	bool left = false;
	int i;

	for (i = 0; i < VPNPASS_PROTOS; i++) {
		if (!READ_ONCE(vn->proto[i].n_sessions))
			continue;
		if (doomed)
			vpnpass_sessions_end_if(vn, i, session_doomed, NULL, "address gone");
		vpnpass_sessions_end_if(vn, i, session_dead, NULL, "connection gone");
		left |= READ_ONCE(vn->proto[i].n_sessions);
	}
	if (left && !READ_ONCE(vn->dead))
		sweep_queue(vn);
}

void vpnpass_sweep_init(struct vpnpass_net *vn)
{
	INIT_DELAYED_WORK(&vn->sweep, sweep);
}

/* A packet met a dead entry: do not wait for the next round. */
void vpnpass_sweep_now(struct vpnpass_net *vn)
{
	mod_delayed_work(system_power_efficient_wq, &vn->sweep, 0);
}
