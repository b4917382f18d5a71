/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the L2TP module share.
 *
 * A session is one client's flow: a UDP flow to port 1701 of a server, or all
 * of IP protocol 115 between the two. Data packets go the core's pinned path:
 * over UDP by their ports, which NAT has made unique, over IP by their session
 * ID. Control messages are read where they leave the router (control.c).
 *
 * Only what a client sends makes the module allocate, with two exceptions that
 * the client's own messages bound: l2tp_move(), and the pins of claimed IDs.
 *
 * Locks: l2tp_net.lock, then the core's.
 */
#ifndef VPNPASS_L2TP_H
#define VPNPASS_L2TP_H

#include <linux/idr.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <vpnpass.h>

#include "parse.h"
#include "turn.h"

#define L2TP_UDP_PORT	1701	/* RFC 2661 8.1 */

/*
 * The reply zone of a flow that keeps its port, until POSTROUTING gives it one
 * of its own: no entry of this zone is ever confirmed after source NAT, so
 * that NAT finds the port free.
 */
#define L2TP_ZONE_NEW	65534

/* vpnpass_key.kind of numbers that a receiver chose, and so repeat: v2 tunnel,
 * v3 control connection, v3 session.
 */
#define L2TP_KEY_TUNNEL		VPNPASS_KEY_OF(VPNPASS_NUMBER_KIND_TUNNEL_ID)
#define L2TP_KEY_CCID		VPNPASS_KEY_OF(VPNPASS_KIND_L2TP_CCID)
#define L2TP_KEY_SESSION	VPNPASS_KEY_OF(VPNPASS_NUMBER_KIND_SESSION_ID)
#define L2TP_KEY_ADDRESS	VPNPASS_KEY_OF(VPNPASS_KIND_L2TP_ADDRESS)

/* vpnpass_key.number: the ID, and over UDP the ports in front of it. With ID 0,
 * which names nothing, they stand for the whole of a flow.
 */
#define L2TP_NUMBER(sport, dport, id)					\
	((u64)(sport) << 48 | (u64)(dport) << 32 | (id))
#define L2TP_NUMBER_MASK	0xffffffffULL

enum {
	L2TP_SET_KEEP_PORT = VPNPASS_SET_OWN,
	L2TP_SET_MAX_IDS,
	L2TP_SET_PAIRING_WINDOW,
	L2TP_SET_FAST,
};

enum {
	L2TP_CNT_TUNNELS = VPNPASS_CNT_OWN,
	L2TP_CNT_MOVED,
	L2TP_CNT_MOVE_REFUSED,
	L2TP_CNT_KEPT_PORT,
	L2TP_CNT_CONFLICT,
	L2TP_CNT_HIDDEN,
	L2TP_CNT_LIMIT_IDS,
	L2TP_CNT_PIN_FAILED,
	L2TP_CNT_PAIRED,
	L2TP_CNT_WAITED,
	L2TP_CNT_UNKNOWN,
	L2TP_CNT_FAST,	/* VPNPASS_FAST_COUNTERS() has three, which are last */
};

enum l2tp_state {
	L2TP_STATE_DATA,	/* no control message seen */
	L2TP_STATE_CONNECTING,
	L2TP_STATE_UP,
	L2TP_STATE_CLOSING,
};

#define L2TP_CLAIMS	8	/* calls of a client that the server has yet to answer */

struct l2tp_ether;
struct l2tp_group;

/**
 * struct l2tp_session - one client's flow to one server
 * @s: first: the core allocates and frees
 * @group: over IP: the clients of that server
 * @client: over IP: the session as one of these
 * @spare: a pin for an ID that the server brings up
 * @claims: session IDs that the client has given itself of late
 * @next_claim: where the next one goes
 * @n_ids: IDs pinned
 * @n_tunnels: of these, the client's own IDs of tunnels (control connections)
 * @ether: over IP: addresses in its frames, or NULL
 * @zone: reply zone of its own, or 0
 * @reply_key: over IP: what stands for the port in the reply tuple, or 0
 * @watched: port watched: the server's new one, or while the server may answer
 *	from another port the flow's own as the server sees it; 0 for none
 * @watched_at: the address that has the port
 * @state: enum l2tp_state, READ_ONCE
 * @udp: over UDP
 * @keep: clients of this server are told apart by ID, not by port
 * @may_move: the server may yet answer from another port
 * @moved: it has: this is the flow to that port, its master the one before
 * @linked: not ended
 */
struct l2tp_session {
	struct vpnpass_session s;
	struct l2tp_group *group;
	struct l2tp_client client;
	struct vpnpass_pin *spare;
	struct l2tp_ether *ether;
	u32 claims[L2TP_CLAIMS];
	u8 next_claim;
	u32 n_ids;
	u32 n_tunnels;
	u16 zone;
	u16 reply_key;
	u16 watched;
	const union nf_inet_addr *watched_at;
	u8 state;
	bool udp;
	bool keep;
	bool may_move;
	bool moved;
	bool linked;
};

/**
 * struct l2tp_net - the module's state in one netns
 * @lock: guards all that sessions and groups hold
 * @groups: struct l2tp_group by key
 * @zones: reply zones in use
 * @reply_keys: likewise, of sessions over IP
 * @tmpl: conntrack template of zone L2TP_ZONE_NEW
 */
struct l2tp_net {
	spinlock_t lock;	/* sessions and groups */
	struct vpnpass_peers groups;
	struct ida zones;
	struct ida reply_keys;
	struct nf_conn *tmpl;
};

/**
 * struct l2tp_head - what the first bytes of a packet say
 * @kind: L2TP_KEY_*
 * @id: the receiver's ID, 0 in a first message
 * @sport: source port, 0 over IP
 * @dport: destination port, likewise
 * @control: a control message
 */
struct l2tp_head {
	u8 kind;
	u32 id;
	u16 sport;
	u16 dport;
	bool control;
};

/* proto.c */
extern struct vpnpass_proto l2tp_proto;

static inline struct l2tp_net *l2tp_net(const struct vpnpass_net *vn)
{
	return vpnpass_net_priv(vn, &l2tp_proto);
}

static inline struct l2tp_session *l2tp_session(struct vpnpass_session *s)
{
	return container_of(s, struct l2tp_session, s);
}

static inline const struct nf_conntrack_tuple *
l2tp_tuple(const struct l2tp_session *ls, enum ip_conntrack_dir dir)
{
	return &ls->s.ct->tuplehash[dir].tuple;
}

static inline void l2tp_count(struct vpnpass_net *vn, int counter)
{
	vpnpass_count(vn, &l2tp_proto, counter);
}

/* read.c */
bool l2tp_read_head(const struct vpnpass_pkt *pkt, struct l2tp_head *h);
bool l2tp_read_message(const struct vpnpass_pkt *pkt, struct l2tp_msg *m);

/* session.c */
struct l2tp_session *l2tp_session_begin(struct vpnpass_net *vn,
					struct vpnpass_pkt *pkt,
					unsigned int *verdict);
struct l2tp_session *l2tp_session_moved(struct l2tp_session *old,
					struct nf_conn *ct, u16 zone);
void l2tp_session_end(struct vpnpass_session *s);
const char *l2tp_session_state(const struct vpnpass_session *s);
/* l2tp_net.lock held: */
void l2tp_session_unwatch(struct l2tp_session *ls);
void l2tp_session_watch(struct l2tp_session *ls, const union nf_inet_addr *at, u16 port);

/* id.c; l2tp_net.lock held, but for l2tp_pin_find() */
struct vpnpass_pin *l2tp_pin_find(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
				  u8 kind, u64 number);
void l2tp_flow_pin(struct l2tp_session *ls, enum ip_conntrack_dir dir);
int l2tp_id_add(struct l2tp_session *ls, enum ip_conntrack_dir dir, u8 kind,
		u32 id);
void l2tp_id_del(struct l2tp_session *ls, enum ip_conntrack_dir dir, u8 kind,
		 u32 id);
bool l2tp_id_has(const struct l2tp_session *ls, u8 kind, u32 id);
bool l2tp_id_found(struct l2tp_session *ls, u32 id);
bool l2tp_id_last(const struct l2tp_session *ls, u32 id, u32 *last);
struct vpnpass_key l2tp_address_key(const struct l2tp_session *ls, u64 address);
struct vpnpass_pin *l2tp_pin_hidden(struct l2tp_session *ls,
				    const struct vpnpass_key *key,
				    enum ip_conntrack_dir dir);
struct vpnpass_key l2tp_claim_key(const union nf_inet_addr *peer, u8 family,
				  u8 kind, u32 id);
struct l2tp_session *l2tp_id_rival(struct vpnpass_net *vn,
				   const struct vpnpass_key *key,
				   const union nf_inet_addr *client);

/* control.c */
void l2tp_control_message(struct l2tp_session *ls, enum ip_conntrack_dir dir,
			  const struct l2tp_msg *m);

/* udp.c */
unsigned int l2tp_udp_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt);

/* keep_port.c */
void l2tp_keep_port(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
		    const struct l2tp_head *h);
bool l2tp_may_keep_port(struct vpnpass_net *vn,
			const struct nf_conntrack_tuple *orig,
			const struct l2tp_msg *m);	/* l2tp_net.lock held */

/* ip.c */
unsigned int l2tp_ip_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt);
struct vpnpass_session *l2tp_ip_quoted(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
				       bool known);
unsigned int l2tp_ip_data(struct l2tp_session *ls,
			  const struct vpnpass_pkt *pkt, u32 id);

/* group.c */
int l2tp_groups_init(struct vpnpass_net *vn);
int l2tp_group_join(struct l2tp_session *ls);
void l2tp_group_link(struct l2tp_session *ls);
void l2tp_group_leave(struct l2tp_session *ls);

#endif /* VPNPASS_L2TP_H */
