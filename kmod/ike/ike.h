/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the IKE module share. One lock per netns guards
 * everything but the packets' own path through pins: IKE is slow traffic.
 *
 * Locks: ike_net.lock, then vpnpass_net.lock or a lock of the ESP module's.
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

/* vpnpass_key.kind of an SPI of IKE, the initiator's or the responder's */
#define IKE_KEY		VPNPASS_KEY_OF(VPNPASS_NUMBER_KIND_IKE_SPI)

enum {
	IKE_SET_HALF_OPEN_TIME = VPNPASS_SET_OWN,
	IKE_SET_MAX_HALF_OPEN,
	IKE_SET_MAX_HALF_OPEN_CLIENT,
	IKE_SET_MAX_SAS,
	IKE_SET_GATE,
	IKE_SET_GATE_TIME,
};

enum {
	IKE_CNT_ESTABLISHED = VPNPASS_CNT_OWN,
	IKE_CNT_CHILDREN,
	IKE_CNT_ADOPTED,
	IKE_CNT_MOVED_NATT,
	IKE_CNT_CONFLICT,
	IKE_CNT_BY_RSPI,
	IKE_CNT_GATEWAY_FIRST,
	IKE_CNT_COPIES,
	IKE_CNT_UNKNOWN,
	IKE_CNT_LIMIT_UNKNOWN,
	IKE_CNT_LIMIT_HALF_OPEN,
	IKE_CNT_LIMIT_HALF_OPEN_CLIENT,
	IKE_CNT_PLAIN,
};

enum ike_state {
	IKE_STATE_HALF_OPEN,
	IKE_STATE_MOVED,
	IKE_STATE_ESTABLISHED,
};

struct ike_session;

/**
 * struct ike_net - the module's state in one netns
 * @vn: the netns
 * @lock: guards all that follows, and every peer, client, SA and session list
 * @peers: struct ike_peer by address
 * @clients: struct ike_client by address
 * @half: half-open SAs, the longest unused first
 * @n_half: how many
 */
struct ike_net {
	struct vpnpass_net *vn;
	spinlock_t lock;	/* see above */
	struct vpnpass_peers peers;
	struct rhashtable clients;
	struct list_head half;
	u32 n_half;
};

struct ike_addr {
	union nf_inet_addr addr;
	u32 family;
};

/* A gateway: which reply zones its sessions use, and which it has. */
struct ike_peer {
	struct vpnpass_peer peer;	/* first: the core frees it; zone 0 */
	struct ida zones;		/* reply zones in use */
	struct list_head sessions;	/* those on port 500, in the order to be asked */
	u32 unknown_at;			/* window of copied messages, ms */
	u32 unknown_n;
};

/* A client that has half-open SAs; there for as long as it has. */
struct ike_client {
	struct rhash_head node;
	struct ike_addr key;
	struct list_head half;		/* half-open SAs, the longest unused first */
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
 * @st: the tracker's
 * @trip: the request that the gateway's round trip is measured by
 * @trip_ms: what that took and the other modules have not been told, or
 *	IKE_NO_ROUND_TRIP
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
	struct ike_sa_state st;
	struct ike_round_trip trip;
	u32 trip_ms;
};

/**
 * struct ike_session - a client's UDP flow to port 500 of a gateway
 * @s: first: the core allocates and frees
 * @peer: its gateway, a reference
 * @node: in ike_peer.sessions while @linked, but for plain sessions
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

/* The part of a message that lies at a fixed place. */
struct ike_head {
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

/* proto.c */
extern struct vpnpass_proto ike_proto;

/* ike.c */
extern const struct vpnpass_ops ike_ops;

/* natt.c */
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
bool ike_read_message(const struct vpnpass_pkt *pkt, enum ike_port port,
		      struct ike_datagram *d);
bool ike_read_head(const struct vpnpass_pkt *pkt, struct ike_head *p);
u64 ike_read_quote(const struct vpnpass_pkt *pkt);

/* pin.c */
struct vpnpass_pin *ike_pin_find(struct vpnpass_net *vn,
				 const struct vpnpass_key *key, u64 spi);
struct vpnpass_pin *ike_pin_find_inbound(const struct ike_session *is, u64 spi);
struct vpnpass_pin *ike_pin_add(struct ike_session *is, const union nf_inet_addr *src,
				const union nf_inet_addr *dst, u64 spi,
				enum ip_conntrack_dir dir);
struct ike_session *ike_spi_owner(const struct ike_session *is, u64 ispi);

/* state.c */
void ike_session_judge(struct ike_session *is);
void ike_session_timeout(const struct ike_session *is);
const char *ike_session_state(const struct vpnpass_session *s);
u32 ike_session_version(const struct vpnpass_session *s);

/* inbound.c */
struct ike_peer *ike_sender(struct ike_net *in, const struct vpnpass_key *key);
void ike_inbound_message(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			 const struct ike_msg *m);
struct vpnpass_session *ike_quoted_session(struct vpnpass_net *vn,
					   const struct vpnpass_pkt *pkt, bool known);
unsigned int ike_after_rules(struct vpnpass_net *vn, struct vpnpass_pkt *pkt);

/* flow.c */
void ike_flow_conflict(struct ike_session *owner, const struct ike_session *is);
void ike_flow_check(struct vpnpass_net *vn, struct vpnpass_pkt *pkt, u64 ispi);

/* session.c */
void ike_peer_setup(struct vpnpass_peer *peer);
struct ike_session *ike_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt, u64 ispi,
				      unsigned int *verdict);
struct ike_session *ike_session_adopt(struct vpnpass_net *vn, struct nf_conn *ct);
void ike_session_end(struct vpnpass_session *s);
const struct vpnpass_session *ike_session_child(const struct vpnpass_session *s);

/* half_open.c; ike_net.lock held, but for the first two */
int ike_clients_init(struct ike_net *in);
void ike_clients_exit(struct ike_net *in);
struct ike_client *ike_client_find(struct ike_net *in, const struct ike_session *is);
struct ike_client *ike_client_get(struct ike_net *in, const struct ike_session *is);
void ike_half_add(struct ike_net *in, struct ike_sa *sa, struct ike_client *c);
void ike_half_del(struct ike_net *in, struct ike_sa *sa);
void ike_half_touch(struct ike_net *in, struct ike_sa *sa);

/* sa.c */
void ike_sa_message(struct ike_session *is, enum ike_dir dir, const struct ike_msg *m);
bool ike_sa_quiet(struct ike_session *is, enum ike_dir dir,
		  const struct ike_head *p);
void ike_sa_moved(struct vpnpass_net *vn, const struct vpnpass_key *key,
		  const struct ike_msg *m);
void ike_sa_drop_all(struct ike_session *is);

#endif /* VPNPASS_IKE_H */
