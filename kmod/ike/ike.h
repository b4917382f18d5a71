/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the IKE helper share. One lock per netns guards everything
 * but the packets' own path through pins: IKE is slow traffic.
 *
 * Locks: ike_net.lock, then vpnpass_net.lock or a lock of the ESP helper's.
 */
#ifndef VPNPASS_IKE_H
#define VPNPASS_IKE_H

#include <linux/idr.h>
#include <net/netfilter/nf_conntrack_zones.h>
#include <vpnpass.h>

#include "round_trip.h"
#include "track.h"

#define IKE_UDP_PORT	500
#define NATT_UDP_PORT	4500

#define IKE_ZONE_MAX	65534	/* reply zones of a gateway's sessions, from 1 */
#define IKE_ZONE_FLAG	0x40	/* nf_conntrack_zone.flags: the zone is ours */

enum {
	IKE_SET_HALF_OPEN_TIME = VPNPASS_SET_OWN,
	IKE_SET_MAX_HALF_OPEN,
	IKE_SET_MAX_HALF_OPEN_CLIENT,
	IKE_SET_MAX_SAS,
	IKE_SET_GATE,
	IKE_SET_GATE_TIME,
	IKE_SET_N,
};

enum {
	IKE_CNT_ESTABLISHED = VPNPASS_CNT_OWN,
	IKE_CNT_CHILDREN,
	IKE_CNT_ADOPTED,
	IKE_CNT_MOVED_NATT,
	IKE_CNT_GATED,
	IKE_CNT_GATE_DROPPED,
	IKE_CNT_CONFLICT,
	IKE_CNT_BY_RSPI,
	IKE_CNT_GATEWAY_FIRST,
	IKE_CNT_COPIES,
	IKE_CNT_UNKNOWN,
	IKE_CNT_LIMIT_UNKNOWN,
	IKE_CNT_LIMIT_HALF_OPEN,
	IKE_CNT_LIMIT_HALF_OPEN_CLIENT,
	IKE_CNT_PLAIN,
	IKE_CNT_N,
};

enum ike_state {
	IKE_STATE_HALF_OPEN,
	IKE_STATE_MOVED,
	IKE_STATE_ESTABLISHED,
};

struct ike_session;

/* A chain behind all of the administrator's that translate destinations. */
struct ike_chain {
	struct nf_hook_ops ops;
	bool wanted;	/* there have been sessions, READ_ONCE */
	bool there;	/* registered; of the work */
};

/**
 * struct ike_net - the helper's state in one netns
 * @vn: the netns
 * @lock: guards all that follows, and every peer, client, SA and session list
 * @peers: struct ike_peer by address
 * @clients: struct ike_client by address
 * @half: half-open SAs, the longest unused first
 * @n_half: how many
 * @chains: of NAT's, by family, for what a gateway begins; see inbound.c
 * @chains_work: registers them
 * @n_old: entries that wait to be freed, see inbound.c
 * @told: jiffies of the last conflict event
 * @gates: struct ike_peer at which messages wait
 * @gate_work: looks whether they may go on, while any wait
 * @n_held: packets that wait
 * @held_bytes: memory that they take
 */
struct ike_net {
	struct vpnpass_net *vn;
	spinlock_t lock;	/* see above */
	struct rhashtable peers;
	struct rhashtable clients;
	struct list_head half;
	u32 n_half;
	struct ike_chain chains[2];
	struct work_struct chains_work;
	atomic_t n_old;
	unsigned long told;
	struct list_head gates;
	struct delayed_work gate_work;
	u32 n_held;
	u32 held_bytes;
};

struct ike_addr {
	union nf_inet_addr addr;
	u32 family;
};

struct ike_peer_key {
	union nf_inet_addr addr;
	union nf_inet_addr local;	/* the router's address that it sees */
	u32 family;
};

/* A gateway; there for as long as sessions refer to it. */
struct ike_peer {
	struct rhash_head node;
	struct ike_peer_key key;
	struct ida zones;		/* reply zones in use */
	struct list_head sessions;	/* in the order to be asked */
	struct ike_session *opener;	/* making SAs until open_until */
	u32 opened;			/* since when it is */
	u32 open_until;
	struct list_head gate;		/* in ike_net.gates while any wait */
	struct list_head waiting;	/* SAs whose exchanges wait, in order */
	u32 n_waiting;
	u32 refs;
	u32 unknown_at;			/* window of copied messages, ms */
	u32 unknown_n;
	struct rcu_head rcu;
};

/* A client that has half-open SAs; there for as long as it has. */
struct ike_client {
	struct rhash_head node;
	struct ike_addr key;
	struct list_head half;		/* its own, the longest unused first */
	u32 n_half;
	struct rcu_head rcu;
};

/**
 * struct ike_sa - one IKE SA of a session
 * @list: in ike_session.sas, the last used first
 * @half: in ike_net.half while half-open
 * @client_half: in ike_client.half likewise
 * @client: whose half-open SA it is, else NULL
 * @is: its session
 * @ispi: initiator's SPI, host order
 * @out: pin of the client's messages, NULL in plain sessions
 * @in: pin of the gateway's
 * @rspi: pin of the responder's SPI, once the client has used it
 * @last: when a message last was of it, ms
 * @wait: in ike_peer.waiting while @held has any
 * @held: messages of one exchange that wait, struct ike_held
 * @gated_at: since when, ms
 * @in_gated_at: since when requests of the gateway's are dropped, ms
 * @in_gated: whether they are
 * @st: the tracker's
 * @trip: the request that the gateway's round trip is measured by
 * @trip_ms: what the last message was measured to take, or IKE_NO_ROUND_TRIP
 */
struct ike_sa {
	struct list_head list;
	struct list_head half;
	struct list_head client_half;
	struct ike_client *client;
	struct ike_session *is;
	u64 ispi;
	struct vpnpass_pin *out;
	struct vpnpass_pin *in;
	struct vpnpass_pin *rspi;
	u32 last;
	struct list_head wait;
	struct list_head held;
	u32 gated_at;
	u32 in_gated_at;
	bool in_gated;
	struct ike_sa_state st;
	struct ike_round_trip trip;
	u32 trip_ms;
};

/**
 * struct ike_session - a client's UDP flow to port 500 of a gateway
 * @s: first: the core allocates and frees
 * @peer: its gateway, a reference
 * @node: in ike_peer.sessions while @linked
 * @sas: its SAs, the last used first
 * @n_sas: how many
 * @zone: reply zone, 0 in plain sessions
 * @state: enum ike_state, READ_ONCE
 * @version: IKE version of its newest SA, 0 before, READ_ONCE
 * @plain: stock NAT with a port of its own; conntrack finds its packets
 * @linked: seen by the peer
 */
struct ike_session {
	struct vpnpass_session s;
	struct ike_peer *peer;
	struct list_head node;
	struct list_head sas;
	u32 n_sas;
	u16 zone;
	u8 state;
	u8 version;
	bool plain;
	bool linked;
};

/* A datagram as read from a packet. */
struct ike_datagram {
	struct ike_msg m;
	u16 sport;
	u16 dport;
};

/* What is to become of a message. */
enum ike_pass {
	IKE_PASS,
	IKE_DROP,
	IKE_LATER,	/* passes here; to be asked again in POSTROUTING */
	IKE_HELD,	/* taken */
};

/* Of a message, what lies at a fixed place. */
struct ike_peek {
	u64 ispi;
	u64 rspi;
	u32 mid;
	u16 sport;
	u16 dport;
	u8 next;
	u8 version;
	u8 exchange;
	u8 flags;
	bool valid;		/* conntrack takes it, by its length */
};

extern struct vpnpass_proto ike_proto;
extern const struct vpnpass_ops ike_ops;
extern struct vpnpass_proto natt_proto;
extern const struct vpnpass_ops natt_ops;

static inline struct ike_net *ike_net(const struct vpnpass_net *vn)
{
	return vpnpass_net_priv(vn, &ike_proto);
}

static inline struct ike_session *ike_session(struct vpnpass_session *s)
{
	return container_of(s, struct ike_session, s);
}

static inline enum ike_dir ike_dir(enum ip_conntrack_dir dir)
{
	return dir == IP_CT_DIR_ORIGINAL ? IKE_DIR_OUT : IKE_DIR_IN;
}

/* read.c */
bool ike_read(const struct vpnpass_pkt *pkt, enum ike_port port,
	      struct ike_datagram *d);
bool ike_peek(const struct vpnpass_pkt *pkt, struct ike_peek *p);
u64 ike_read_quote(const struct vpnpass_pkt *pkt);

/* peer.c */
int ike_peers_init(struct ike_net *in);
void ike_peers_exit(struct ike_net *in);
struct ike_peer *ike_peer_find(struct ike_net *in, const union nf_inet_addr *addr,
			       const union nf_inet_addr *local, u8 family);
struct ike_peer *ike_peer_get(struct ike_net *in, const union nf_inet_addr *addr,
			      const union nf_inet_addr *local, u8 family);
void ike_peer_put(struct ike_net *in, struct ike_peer *p);

/* gate.c; ike_net.lock held, but for the first three */
void ike_gates_init(struct ike_net *in);
void ike_gates_exit(struct ike_net *in);
void ike_gates_dev_gone(struct vpnpass_net *vn, const struct net_device *dev);
enum ike_pass ike_gate(struct ike_net *in, struct ike_sa *sa,
		       const struct ike_msg *m, struct vpnpass_pkt *pkt, u32 now);
bool ike_gate_in(struct ike_sa *sa, const struct ike_msg *m, u32 now);
void ike_gate_passed(struct ike_session *is, u32 ev, u32 now);
void ike_gate_drop(struct ike_net *in, struct ike_sa *sa);

/* inbound.c */
void ike_inbound(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
		 const struct ike_msg *m);
struct vpnpass_session *ike_quoted(struct vpnpass_net *vn, const struct vpnpass_pkt *pkt,
				   bool known);
void ike_chain_want(struct ike_net *in, u8 family);
void ike_chains_init(struct ike_net *in);
void ike_chains_exit(struct ike_net *in);

/* flow.c */
struct ike_session *ike_spi_owner(const struct ike_session *is, u64 ispi);
void ike_flow_conflict(struct ike_session *owner, const struct ike_session *is);
void ike_flow_check(struct vpnpass_net *vn, struct vpnpass_pkt *pkt, u64 ispi);
void ike_flow_plain(struct nf_conn *ct);

/* session.c */
struct ike_session *ike_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt, u64 ispi,
				      unsigned int *verdict);
struct ike_session *ike_session_adopt(struct vpnpass_net *vn, struct nf_conn *ct);
void ike_session_end(struct vpnpass_session *s);
const char *ike_session_state(const struct vpnpass_session *s);
u32 ike_session_version(const struct vpnpass_session *s);
const struct vpnpass_session *ike_session_child(const struct vpnpass_session *s);
void ike_session_judge(struct ike_session *is);
void ike_session_timeout(const struct ike_session *is);
int ike_confirm(struct vpnpass_session *s, struct sk_buff *skb,
		unsigned int *verdict);
void ike_conflict(struct vpnpass_session *s, const char *reason);

/* half.c; ike_net.lock held, but for the first two */
int ike_clients_init(struct ike_net *in);
void ike_clients_exit(struct ike_net *in);
struct ike_client *ike_client_find(struct ike_net *in, const struct ike_session *is);
struct ike_client *ike_client_get(struct ike_net *in, const struct ike_session *is);
void ike_half_add(struct ike_net *in, struct ike_sa *sa, struct ike_client *c);
void ike_half_del(struct ike_net *in, struct ike_sa *sa);
void ike_half_touch(struct ike_net *in, struct ike_sa *sa);

/* sa.c */
enum ike_pass ike_sa_message(struct ike_session *is, enum ike_dir dir,
			     const struct ike_msg *m, struct vpnpass_pkt *pkt);
void ike_sa_tell(const struct ike_session *is, u32 ev);
u32 ike_sa_track(struct ike_net *in, struct ike_sa *sa, enum ike_dir dir,
		 const struct ike_msg *m, u32 now);
bool ike_sa_quiet(struct ike_session *is, enum ike_dir dir,
		  const struct ike_peek *p);
void ike_sa_moved(struct vpnpass_net *vn, const struct vpnpass_key *key,
		  const struct ike_msg *m);
void ike_sa_drop_all(struct ike_session *is);
struct vpnpass_pin *ike_pin_find(struct vpnpass_net *vn,
				 const struct vpnpass_key *key, u64 spi);

#define IKE_KEY_KIND (VPNPASS_KEY_PACKET | VPNPASS_KEY_OF(VPNPASS_NUMBER_KIND_IKE_SPI))

#endif /* VPNPASS_IKE_H */
