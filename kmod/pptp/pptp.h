/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the PPTP module share.
 *
 * A control connection (control.c, settle.c, begin.c, parked.c) is a TCP connection whose
 * stream (ctl.c) is read and rewritten as it passes (segment.c). Each of its
 * calls (call.c) has a GRE connection made beforehand, and a number that no other
 * call has towards the same outside (pool.c). table.c finds control connections
 * where conntrack does not; pptp.c is the face to the core.
 *
 * Locks, outermost first: pptp_control.lock, pptp_pool.lock or the core's.
 * pptp_net.lock is never held together with another of these.
 */
#ifndef VPNPASS_PPTP_H
#define VPNPASS_PPTP_H

#include <linux/refcount.h>
#include <linux/tcp.h>
#include <vpnpass.h>

#include "ctl.h"
#include "ctl_calls.h"
#include "ctl_ids.h"

#define PPTP_PORT	1723	/* RFC 2637 3.1.3 */
#define PPTP_PARK_TIME	(180 * HZ)	/* three Echo intervals of RFC 2637 3.1.4 */
#define PPTP_TRIES_MAX	9	/* 20 ms, doubled as often: 10 s */

enum {
	PPTP_SET_FAST = VPNPASS_SET_OWN,
};

enum {
	PPTP_CNT_CONTROLS = VPNPASS_CNT_OWN,
	PPTP_CNT_CALLS,
	PPTP_CNT_CALLS_REFUSED,
	PPTP_CNT_CALLS_RESTORED,
	PPTP_CNT_CALL_FAILED,
	PPTP_CNT_PIN_FAILED,
	PPTP_CNT_REWRITTEN,
	PPTP_CNT_REPEATED,
	PPTP_CNT_DROPPED_AHEAD,
	PPTP_CNT_DROPPED_EARLY,
	PPTP_CNT_PLAIN,
	PPTP_CNT_RESUMED,
	PPTP_CNT_CONFLICT,
	PPTP_CNT_FAST,	/* VPNPASS_FAST_COUNTERS() has three, which are last */
};

/* Calls whose numbers must differ: those of an outside address and one of ours. */
struct pptp_pool {
	struct vpnpass_peer peer;	/* first: the core frees it */
	spinlock_t lock;		/* ids */
	struct pptp_ids ids;
};

/* A control connection is found by a packet's addresses and ports. */
struct pptp_key {
	__be32 src;
	__be32 dst;
	__be16 sport;
	__be16 dport;
	u16 zone;
	u16 pad;
};

struct pptp_node {
	struct rhash_head node;
	struct pptp_key key;
	struct pptp_control *pc;
};

/**
 * struct pptp_net - the module's part of a netns
 * @pools: struct pptp_pool by key
 * @table: struct pptp_node by key
 * @lock: the list of parked connections
 * @parked: control connections whose conntrack entry was deleted under them
 * @n_parked: how many; under @lock
 * @conflict: that the in-tree helper is in use was told
 */
struct pptp_net {
	struct vpnpass_peers pools;
	struct rhashtable table;
	spinlock_t lock;	/* parked, n_parked */
	struct list_head parked;
	u32 n_parked;
	unsigned long conflict;
};

/**
 * struct pptp_control - a control connection
 * @lock: everything below it
 * @refs: one of the session's or of the parked list, one of each call's
 *	session, one of the work
 * @vn: netns
 * @ct: its conntrack entry, or the last one it had; referenced
 * @by: what it is found by, as long as it is not closed
 * @session: its session, NULL while it has none; @lock
 * @in_dir: what the inside sends, IP_CT_DIR_*
 * @fins: directions whose FIN was seen, bits by enum pptp_dir
 * @fins_acked: of these, those whose FIN was acknowledged
 * @started: there was payload: @pool and @hash are there
 * @closed: no call may begin any more
 * @settling: somebody is at work on @ending and @opening
 * @parked: it waits for its TCP connection to be seen again
 * @all: its calls
 * @ending: sessions of calls that are over
 * @opening: calls whose GRE may flow from now on
 * @retry: calls whose GRE connection was lost, or could not be made
 * @tries: how often in vain
 * @echoed: jiffies when an Echo last did its work
 * @park_until: jiffies
 * @park: in pptp_net.parked, under its lock
 */
struct pptp_control {
	spinlock_t lock;	/* the stream, the calls */
	refcount_t refs;
	struct vpnpass_net *vn;
	struct nf_conn *ct;
	struct pptp_node by[IP_CT_DIR_MAX];
	struct vpnpass_session *session;
	u8 in_dir;
	u8 fins;
	u8 fins_acked;
	bool started;
	bool closed;
	bool settling;
	bool parked;
	struct pptp_ctl ctl;
	struct pptp_calls calls;
	struct list_head *hash;
	struct pptp_pool *pool;
	struct list_head all;
	struct list_head ending;
	struct list_head opening;
	struct list_head retry;
	unsigned int tries;
	unsigned long echoed;
	unsigned long park_until;
	struct list_head park;
	struct delayed_work work;
	struct rcu_head rcu;
};

/* A session in the core's sense: a control connection, or the GRE of a call. */
struct pptp_session {
	struct vpnpass_session s;	/* first: the core allocates and frees */
	struct pptp_control *pc;
	struct pptp_gre *gre;		/* pc->lock; NULL when it is over */
	struct list_head ending;	/* pc->lock */
	bool control;
};

/**
 * struct pptp_gre - a call and its GRE
 * @call: its numbers and how far it has come
 * @all: in pptp_control.all
 * @todo: in pptp_control.opening or .retry
 * @reserve: a session that counts against the limits but is not shown yet
 * @live: the session while GRE can flow
 * @restored: it was open before
 */
struct pptp_gre {
	struct pptp_call call;
	struct list_head all;
	struct list_head todo;
	struct vpnpass_session *reserve;
	struct pptp_session *live;
	bool restored;
};

static inline struct pptp_session *pptp_session(const struct vpnpass_session *s)
{
	return container_of(s, struct pptp_session, s);
}

/* proto.c */
extern struct vpnpass_proto pptp_proto;

static inline void pptp_count(struct vpnpass_net *vn, int counter)
{
	vpnpass_count(vn, &pptp_proto, counter);
}

static inline struct pptp_net *pptp_net(const struct vpnpass_net *vn)
{
	return vpnpass_net_priv(vn, &pptp_proto);
}

/* tcp.c */
const struct tcphdr *pptp_tcp_header(const struct vpnpass_pkt *pkt,
				     struct tcphdr *buf);
bool pptp_window_has(u32 number, u32 next, u32 window);
bool pptp_numbers_fit(const struct pptp_control *pc, enum pptp_dir dir, u32 seq, u32 ack);
bool pptp_segment_skips(const struct pptp_control *pc, const struct tcphdr *th);

/* pool.c */
int pptp_pools_init(struct vpnpass_net *vn);
struct pptp_pool *pptp_pool_get(struct vpnpass_net *vn, const struct vpnpass_peer_key *key);
bool pptp_pool_in_use(struct vpnpass_net *vn, const struct vpnpass_peer_key *key, u16 id);
int pptp_pool_id_take(struct pptp_pool *pool, u16 want, int block);
void pptp_pool_id_put(struct pptp_pool *pool, u16 id);
u32 pptp_pool_id_room(struct pptp_pool *pool, u8 block);

/* call.c; all but the last with pptp_control.lock held */
extern const struct pptp_calls_ops pptp_call_ops;
int pptp_call_open(struct pptp_control *pc, struct pptp_gre *gre);
struct vpnpass_session *pptp_call_rival(struct pptp_control *pc,
					const struct pptp_gre *gre);
void pptp_call_session_end(struct pptp_session *ps);

/* control.c */
int pptp_work_init(void);
void pptp_work_flush(void);
void pptp_work_exit(void);
struct pptp_control *pptp_control_alloc(struct vpnpass_net *vn, struct nf_conn *ct,
					work_func_t work);
void pptp_control_put(struct pptp_control *pc);
void pptp_control_arm(struct pptp_control *pc, unsigned long delay);
void pptp_control_retry(struct pptp_control *pc);
void pptp_control_parks(struct pptp_control *pc);

/* settle.c */
int pptp_control_start(struct pptp_control *pc);
void pptp_control_settle(struct pptp_control *pc);
void pptp_control_reopen(struct pptp_control *pc);
void pptp_control_close(struct pptp_control *pc);
void pptp_control_session_end(struct pptp_session *ps);
void pptp_control_work(struct work_struct *work);
void pptp_unpark_all(struct vpnpass_net *vn);

/* begin.c */
struct pptp_session *pptp_control_begin(struct vpnpass_net *vn,
					const struct vpnpass_pkt *pkt,
					enum ip_conntrack_dir dir,
					unsigned int *verdict);

/* parked.c */
bool pptp_control_park(struct pptp_control *pc);
bool pptp_control_unpark(struct pptp_net *pn, struct pptp_control *pc);
struct pptp_control *pptp_unpark_first(struct pptp_net *pn);
bool pptp_control_lost(struct pptp_control *pc);
bool pptp_control_resume(struct pptp_control *pc, struct nf_conn *ct,
			 const struct tcphdr *th);

/* table.c */
int pptp_table_init(struct vpnpass_net *vn);
void pptp_table_exit(struct vpnpass_net *vn);
void pptp_key_of(struct pptp_key *key, const struct nf_conn *ct, int dir);
int pptp_table_add(struct pptp_control *pc);
void pptp_table_del(struct pptp_control *pc);
struct pptp_control *pptp_table_find(struct vpnpass_net *vn,
				     const struct pptp_key *key, int *dir);

/* segment.c */
unsigned int pptp_segment_passes(struct pptp_control *pc, const struct vpnpass_pkt *pkt,
				 enum pptp_dir dir, bool *over);

#endif
