/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of vpnpass.ko for protocol modules: pins, sessions, switches,
 * limits, counters and events, all per network namespace.
 *
 * Data flows one way. ingress.c reads a packet, pin.c finds whose it is,
 * attach.c hands it that connection; what no pin claims goes to the module's
 * own policy, which makes sessions and pins for the packets to come.
 *
 * Locks, outermost first: vpnpass_mutex (registry, modes, settings; process
 * context), a module's own lock, vpnpass_net.lock (session lists, limits;
 * any context, BH off), rhashtable's bucket locks.
 */
#ifndef VPNPASS_CORE_H
#define VPNPASS_CORE_H

#include <linux/atomic.h>
#include <linux/netfilter.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "kinds.h"

#define VPNPASS_PROTOS		8	/* modules that can be loaded at once */
#define VPNPASS_SETTINGS	12	/* settings one module can have */
#define VPNPASS_COUNTERS	32	/* counters one module can have */
#define VPNPASS_TIMEOUT_MAX	864000UL	/* s: ten days */
#define VPNPASS_KNOWN_BITS	8	/* size of the hash of sessions' addresses */

/* For rhashtable_params: a table begins with 16 buckets instead of 64, as most network
 * namespaces have no VPN.
 */
#define VPNPASS_TABLE_SIZE	.nelem_hint = 8, .min_size = 16, .automatic_shrinking = true

struct vpnpass_net;
struct vpnpass_session;
struct vpnpass_watches;
struct vpnpass_way;
struct vpnpass_fast;

/**
 * struct vpnpass_key - what identifies a packet that carries one number
 * @src: source address in the packet, unused bytes zero
 * @dst: destination address, likewise
 * @number: SPI, call ID, ... in host byte order
 * @zone: conntrack zone of the packet's direction
 * @l4proto: IPPROTO_ESP, ...
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @kind: see kinds.h
 */
struct vpnpass_key {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u64 number;
	u16 zone;
	u8 l4proto;
	u8 family;
	u8 kind;
};

/**
 * struct vpnpass_pin - ties the packets with one key to one session
 * @node: in vpnpass_net.pins; RCU
 * @key: never changes while hashed
 * @session: holds the connection; valid while the pin is seen under RCU
 * @list: in vpnpass_session.pins, under vpnpass_net.lock
 * @quote: the pin by which ICMP errors find packets of this one, or NULL; goes
 *	with it
 * @nat_number: the number after translation, 0 when it is not translated
 * @last: vpnpass_now() of the last packet
 * @dir: direction of the packets, IP_CT_DIR_*
 * @number_kind: enum vpnpass_number_kind, for user space
 * @hidden: no longer in the table, as its session ends; under vpnpass_net.lock
 * @way: the fast way of its packets, or NULL; changed under vpnpass_net.lock, and gone
 *	once it is hidden
 * @fast_tried: vpnpass_now() when its way was last wanted
 * @fast_wait: ms until it may be wanted again
 * @fast_told: the last event of it, VPNPASS_EVENT_TYPE_FAST*
 * @rcu: owned by pin.c
 */
struct vpnpass_pin {
	struct rhash_head node;
	struct vpnpass_key key;
	struct vpnpass_session *session;
	struct list_head list;
	struct vpnpass_pin *quote;
	u64 nat_number;
	u32 last;
	u8 dir;
	u8 number_kind;
	bool hidden;
	struct vpnpass_way __rcu *way;
	u32 fast_tried;
	u32 fast_wait;
	u32 fast_told;
	struct rcu_head rcu;
};

/**
 * struct vpnpass_peer_key - an outside host, as seen from one of the router's addresses
 * @addr: its address, unused bytes zero
 * @local: the router's address that it sends to, likewise
 * @zone: conntrack zone of its packets
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @pad: zero
 */
struct vpnpass_peer_key {
	union nf_inet_addr addr;
	union nf_inet_addr local;
	u16 zone;
	u8 family;
	u8 pad;
};

/**
 * struct vpnpass_peer - the beginning of what a module keeps of such a host
 * @node: in vpnpass_peers.table; RCU
 * @key: never changes
 * @peers: the table
 * @refs: the module's sessions, published or not
 * @rcu: owned by peers.c
 */
struct vpnpass_peer {
	struct rhash_head node;
	struct vpnpass_peer_key key;
	struct vpnpass_peers *peers;
	refcount_t refs;
	struct rcu_head rcu;
};

/* What a module keeps of a peer, by its type; NULL for none. */
#define vpnpass_peer_entry(found, type)	({				\
	struct vpnpass_peer *__found = (found);				\
	__found ? container_of(__found, type, peer) : NULL;		\
})

/**
 * struct vpnpass_peers - a module's peers in one netns
 * @table: struct vpnpass_peer by key
 * @vn: the netns
 * @size: of what the module keeps of each, in bytes
 * @setup: vpnpass_peers_init()
 */
struct vpnpass_peers {
	struct rhashtable table;
	struct vpnpass_net *vn;
	size_t size;
	void (*setup)(struct vpnpass_peer *peer);
};

/**
 * struct vpnpass_setting - a value the administrator may set, per netns
 * @name: as in "vpnpass set PROTO NAME VALUE"
 * @unit: ms, s, ... or ""
 * @min: least value
 * @max: greatest value
 * @def: value after loading
 * @gone: it means nothing any more: who sets it is told so, and nobody is shown it
 */
struct vpnpass_setting {
	const char *name;
	const char *unit;
	u32 min;
	u32 max;
	u32 def;
	bool gone;
};

/* Settings every module has, at these indices; its own come after. */
enum {
	VPNPASS_SET_TIMEOUT,
	VPNPASS_SET_MAX_SESSIONS,
	VPNPASS_SET_MAX_PER_CLIENT,
	VPNPASS_SET_MAX_PER_PEER,
	VPNPASS_SET_OWN,
};

#define VPNPASS_COMMON_SETTINGS(timeout_s)				\
	VPNPASS_COMMON_SETTINGS_WITH(timeout_s, 64, 4096)

/* With other limits than most protocols have. */
#define VPNPASS_COMMON_SETTINGS_WITH(timeout_s, per_client, per_peer)	\
	[VPNPASS_SET_TIMEOUT] =						\
		{ "timeout", "s", 1, VPNPASS_TIMEOUT_MAX, timeout_s },	\
	[VPNPASS_SET_MAX_SESSIONS] =					\
		{ "max_sessions", "sessions", 1, 1000000, 65536 },	\
	[VPNPASS_SET_MAX_PER_CLIENT] =					\
		{ "max_per_client", "sessions", 1, 65535, per_client },	\
	[VPNPASS_SET_MAX_PER_PEER] =					\
		{ "max_per_peer", "sessions", 1, 65535, per_peer }

/**
 * struct vpnpass_fast_number - which packets may go the fast way
 * @l4proto: IPPROTO_*; of GRE the number is PPTP's call ID, of others the first four octets
 * @kind: of their pins' keys
 */
struct vpnpass_fast_number {
	u8 l4proto;
	u8 kind;
};

/* For modules whose packets may go the fast way, see fast.h. The counters are three, of
 * which @first is the index of the first.
 */
#define VPNPASS_FAST_SETTING	{ "fast", "ms", 0, 10000, 0 }
#define VPNPASS_FAST_COUNTERS(first)					\
	[first] = "fast_packets",					\
	[(first) + 1] = "fast_learned",					\
	[(first) + 2] = "fast_refused"

/* Counters every module has, at these indices; its own come after. */
enum {
	VPNPASS_CNT_SESSIONS_NEW,
	VPNPASS_CNT_SESSIONS_END,
	VPNPASS_CNT_LIMIT_SESSIONS,
	VPNPASS_CNT_LIMIT_CLIENT,
	VPNPASS_CNT_LIMIT_PEER,
	VPNPASS_CNT_LIMIT_NUMBERS,
	VPNPASS_CNT_NO_MEMORY,
	VPNPASS_CNT_MALFORMED,
	VPNPASS_CNT_BLOCKED,
	VPNPASS_CNT_ICMP_RELATED,
	VPNPASS_CNT_OWN,
};

#define VPNPASS_COMMON_COUNTERS						\
	[VPNPASS_CNT_SESSIONS_NEW] = "sessions_new",			\
	[VPNPASS_CNT_SESSIONS_END] = "sessions_end",			\
	[VPNPASS_CNT_LIMIT_SESSIONS] = "limit_sessions",		\
	[VPNPASS_CNT_LIMIT_CLIENT] = "limit_client",			\
	[VPNPASS_CNT_LIMIT_PEER] = "limit_peer",			\
	[VPNPASS_CNT_LIMIT_NUMBERS] = "limit_numbers",			\
	[VPNPASS_CNT_NO_MEMORY] = "no_memory",				\
	[VPNPASS_CNT_MALFORMED] = "malformed",				\
	[VPNPASS_CNT_BLOCKED] = "blocked",				\
	[VPNPASS_CNT_ICMP_RELATED] = "icmp_related"

/**
 * struct vpnpass_pkt - a packet on its way through a hook
 * @skb: the packet, transport header not necessarily set
 * @state: of the hook
 * @thoff: offset of the L4 header from skb->data
 * @key: filled by the hook but for @key.number
 * @done: set by miss() when it attached the packet itself: no post() then
 */
struct vpnpass_pkt {
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	unsigned int thoff;
	struct vpnpass_key key;
	bool done;
};

/**
 * enum vpnpass_hint_what - what a key exchange has come to
 * @VPNPASS_HINT_MADE: the response to a request for SAs passed, of either side's: there
 *	is one IPsec SA each way more
 * @VPNPASS_HINT_ASKED: the client's request for one passed, for the first time
 * @VPNPASS_HINT_NOT_MADE: what the client asked for last came to nothing: refused, or a
 *	round of EAP. That a round was one can show only with the next request; this
 *	then takes back a VPNPASS_HINT_MADE
 * @VPNPASS_HINT_ROUND_TRIP: the gateway took @rtt_ms to answer a request that was not
 *	repeated, other than IKE_AUTH. Seen from here, so that the client's side of the
 *	router is not in it
 */
enum vpnpass_hint_what {
	VPNPASS_HINT_MADE,
	VPNPASS_HINT_ASKED,
	VPNPASS_HINT_NOT_MADE,
	VPNPASS_HINT_ROUND_TRIP,
};

/**
 * struct vpnpass_hint - what one module tells the others about a client
 * @what: enum vpnpass_hint_what
 * @family: of the addresses
 * @client: address before NAT
 * @peer: the gateway
 * @local: the router's address that the peer sees
 * @zone: conntrack zone of the administrator's
 * @rtt_ms: of VPNPASS_HINT_ROUND_TRIP
 * @ct: the key exchange's connection, there for as long as the hint is
 */
struct vpnpass_hint {
	u8 what;
	u8 family;
	union nf_inet_addr client;
	union nf_inet_addr peer;
	union nf_inet_addr local;
	struct nf_conntrack_zone zone;
	u32 rtt_ms;
	struct nf_conn *ct;
};

#define VPNPASS_RESTORE_PINS	256	/* in one request */

/* A number of a session to be restored; @attr is for extack. */
struct vpnpass_restore_pin {
	const struct nlattr *attr;
	u64 number;
	u32 idle;			/* ms */
	u8 kind;			/* enum vpnpass_number_kind */
	u8 dir;				/* IP_CT_DIR_* */
};

/**
 * struct vpnpass_restore - a session that user space saved
 * @family: of the addresses, which are three different ones of hosts
 * @client: address before NAT
 * @peer: the gateway
 * @local: the router's address that the peer sees
 * @dest: where the client sends to; @peer unless destination NAT is at work
 * @zone: conntrack zone
 * @masq_index: device whose masquerading the connection is subject to, or 0
 * @lifetime: until the connection ends without a packet, ms
 * @extack: to say why it cannot be done
 * @n_pins: how many
 * @pins: its numbers
 */
struct vpnpass_restore {
	u8 family;
	union nf_inet_addr client;
	union nf_inet_addr peer;
	union nf_inet_addr local;
	union nf_inet_addr dest;
	struct nf_conntrack_zone zone;
	int masq_index;
	u32 lifetime;
	struct netlink_ext_ack *extack;
	u16 n_pins;
	struct vpnpass_restore_pin pins[VPNPASS_RESTORE_PINS];
};

/**
 * struct vpnpass_match - packets that a module is for
 * @l4proto: IPPROTO_*
 * @block_only: dropped when the switch is at block, else not looked at
 * @no_post: post() has no use for them
 * @input: post() is also for what the router itself is answered, in LOCAL_IN
 * @port: TCP and UDP: either port of the packet, host order
 * @blocks: which of them are dropped when the switch is at block, or NULL: all. In
 *	FORWARD, softirq, RCU. Conntrack's entries for others have no ports or keys.
 */
struct vpnpass_match {
	u8 l4proto;
	bool block_only;
	bool no_post;
	bool input;
	u16 port;
	bool (*blocks)(const struct sk_buff *skb, unsigned int thoff);
};

/**
 * struct vpnpass_ops - what a protocol module does
 * @number: read the number of a packet into pkt->key.number; 0, or -errno when
 *	the packet has none (-EBADMSG when it is malformed). Also called for
 *	packets quoted by ICMP errors, of which 8 bytes may be all there is;
 *	pkt->skb is the error then. Softirq, RCU.
 * @quoted: the session that has sent a packet which an ICMP error quotes, and for which
 *	@number finds no pin; that which has most likely sent it, when the quote has no
 *	number and conntrack does not know its flow (@known). NULL for none. May be NULL.
 *	Softirq, RCU.
 * @renumber: write the number that the pin's packets have after translation, or in
 *	a packet that an error quotes the one from before; for kernels whose NAT core
 *	does not. @csum_off: of a checksum over it, or 0. False: no memory. May be
 *	NULL. Softirq, RCU.
 * @miss: PREROUTING and OUTPUT, no pin has the packet's key (or the number could not be
 *	read, @err). Returns a netfilter verdict. Softirq, RCU.
 * @after_rules: PREROUTING, behind all of the administrator's rules: the first packet of a
 *	flow whose destination none of them has translated, in a netns whose sessions have
 *	asked for it (vpnpass_rules_want()). A session's entry may take the place of the new
 *	one. May be NULL. Returns a netfilter verdict. Softirq, RCU.
 * @post: POSTROUTING after NAT and all user rules, for packets that did not go
 *	the pinned way. Confirms the entry when it begins a session on it. Packets
 *	of entries that were there before, or that have another's helper, are seen
 *	in PREROUTING and OUTPUT. Returns a netfilter verdict. Softirq, RCU.
 * @hint: another module saw the client at a key exchange; may be NULL
 * @restore: begin a session that was saved, or add its numbers to one that is
 *	there. Returns how many were added or -errno with extack; may be NULL.
 *	Process context, vpnpass_mutex, RCU.
 * @session_end: the session is going: drop what refers to it and its pins,
 *	which the core frees afterwards. Any context.
 * @session_state: state in a word for user space; may be NULL
 * @session_version: version of the protocol for user space, 0 when it is not
 *	known; may be NULL
 * @session_child: another module's session that came out of this one, whose
 *	numbers user space is shown with it, or NULL; may be NULL. RCU,
 *	vpnpass_net.lock held
 * @net_init: a netns begins (or the module is loaded into it); process context
 * @net_exit: the netns ends, its sessions are gone; process context
 */
struct vpnpass_ops {
	int (*number)(struct vpnpass_pkt *pkt);
	struct vpnpass_session *(*quoted)(struct vpnpass_net *vn,
					  const struct vpnpass_pkt *pkt, bool known);
	bool (*renumber)(const struct vpnpass_pin *pin, struct sk_buff *skb,
			 unsigned int thoff, unsigned int csum_off);
	unsigned int (*miss)(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			     int err);
	unsigned int (*after_rules)(struct vpnpass_net *vn, struct vpnpass_pkt *pkt);
	unsigned int (*post)(struct vpnpass_net *vn, struct vpnpass_pkt *pkt);
	void (*hint)(struct vpnpass_net *vn, const struct vpnpass_hint *hint);
	int (*restore)(struct vpnpass_net *vn, const struct vpnpass_restore *r);
	void (*session_end)(struct vpnpass_session *s);
	const char *(*session_state)(const struct vpnpass_session *s);
	u32 (*session_version)(const struct vpnpass_session *s);
	const struct vpnpass_session *
	(*session_child)(const struct vpnpass_session *s);
	int (*net_init)(struct vpnpass_net *vn);
	void (*net_exit)(struct vpnpass_net *vn);
};

/**
 * struct vpnpass_proto - what a protocol module is
 * @name: switch, sysctl and netlink name
 * @owner: its module
 * @match: which packets are its own
 * @n_match: how many entries
 * @settings: VPNPASS_COMMON_SETTINGS, then its own
 * @n_settings: how many
 * @counters: VPNPASS_COMMON_COUNTERS, then its own
 * @n_counters: how many
 * @fast_number: which packets may go the fast way
 * @fast_setting: index of its setting VPNPASS_FAST_SETTING, 0: its packets do not go fast
 * @fast_counter: index of the first of its VPNPASS_FAST_COUNTERS()
 * @session_size: size of its session struct, which begins with a
 *	struct vpnpass_session
 * @net_size: size of its per-netns data, zeroed, see vpnpass_net_priv()
 * @number_mask: bits of a key's number that users are shown; 0 for all
 * @any_end: sessions may begin with a packet of the router's own, or with one to it
 *	that a rule leads to a server inside; else they begin with what is forwarded
 * @begins_late: a session may begin on a connection that was plain NAT's so far: post()
 *	sees those in PREROUTING
 * @ops: what it does, given at registration
 * @idx: given by the core
 * @cache: the core's, for its sessions
 */
struct vpnpass_proto {
	const char *name;
	struct module *owner;
	const struct vpnpass_match *match;
	u8 n_match;
	const struct vpnpass_setting *settings;
	u8 n_settings;
	const char *const *counters;
	u8 n_counters;
	struct vpnpass_fast_number fast_number;
	u8 fast_setting;
	u8 fast_counter;
	u16 session_size;
	u16 net_size;
	u64 number_mask;
	bool any_end;
	bool begins_late;
	const struct vpnpass_ops *ops;
	u8 idx;
	struct kmem_cache *cache;
};

#define VPNPASS_GIVEN	1	/* a bit of vpnpass_session.passed */

/**
 * struct vpnpass_session - one VPN connection of one client
 * @ct_node: in vpnpass_net.sessions, by @ct; RCU
 * @pins: its pins, under vpnpass_net.lock
 * @ct: a reference is held until a grace period after the end
 * @vn: the netns
 * @proto: the module
 * @client: address before NAT
 * @peer: the gateway or server
 * @local: the router's address that the peer sees
 * @family: of the addresses
 * @hidden: not for user space to see (a control connection, whose calls are);
 *	set by the module before it publishes
 * @keep_ct: its connection outlives it; set by the module before it ends it
 * @help_at: where the connection's helper extension was before it was let go of, or 0
 * @unwatched: its connection has no conntrack helper of ours: by intent, or as it
 *	was plain NAT's before
 * @passed: bit 0 is set once a packet of the client's has passed all of the
 *	administrator's rules, which is at once unless the connection was made before;
 *	VPNPASS_GIVEN once the client got a packet in doubt after that
 * @doomed: its address has gone, the sweep is to end it
 * @ended: bit 0 is set once, by whoever ends it
 * @id: for user space, and its place in vpnpass_proto_net.sessions
 * @began: ktime_get_boottime_ns() at creation
 * @last: vpnpass_now() of its last packet
 * @fast: packets that went the fast way, by direction
 * @rcu: owned by session.c
 */
struct vpnpass_session {
	struct rhash_head ct_node;
	struct list_head pins;
	struct nf_conn *ct;
	struct vpnpass_net *vn;
	const struct vpnpass_proto *proto;
	union nf_inet_addr client;
	union nf_inet_addr peer;
	union nf_inet_addr local;
	u8 family;
	bool hidden;
	bool keep_ct;
	bool unwatched;
	bool doomed;
	u32 help_at;
	unsigned long passed;
	unsigned long ended;
	unsigned long id;
	u64 began;
	u32 last;
	atomic64_t fast[IP_CT_DIR_MAX];
	struct rcu_head rcu;
};

/* State of a protocol in a netns. */
struct vpnpass_proto_net {
	u32 mode;			/* enum vpnpass_mode, READ_ONCE */
	u32 setting[VPNPASS_SETTINGS];	/* READ_ONCE */
	atomic64_t counter[VPNPASS_COUNTERS];
	struct xarray sessions;		/* published ones, by ID; RCU */
	bool here;			/* set up in this netns; vpnpass_mutex */
	bool stale;			/* the mode changed, mode_settle() is to come */
	u32 n_sessions;			/* within the limits; vpnpass_net.lock */
	u32 n_shown;			/* published, not hidden; vpnpass_net.lock */
	atomic_t n_pins;
	unsigned long limit_told;	/* jiffies of the last limit event */
	unsigned long conflict_told;	/* jiffies of the last conflict event */
	void *priv;			/* net_size bytes */
};

/**
 * struct vpnpass_chain - behind all of the administrator's that translate destinations
 * @ops: the chain
 * @wanted: by a session, READ_ONCE
 * @there: registered; vpnpass_mutex, READ_ONCE
 */
struct vpnpass_chain {
	struct nf_hook_ops ops;
	bool wanted;
	bool there;
};

struct vpnpass_net {
	struct net *net;
	struct rhashtable pins;
	struct rhashtable sessions;
	struct rhashtable quotas;
	spinlock_t lock;		/* members that say so, here and in sessions */
	struct delayed_work sweep;
	struct nf_hook_ops *hooks[2];	/* by mode on, block; vpnpass_mutex */
	struct vpnpass_chain chains[2];	/* by family: IPv4, IPv6; after_rules.c */
	struct work_struct chains_work;	/* registers those that are wanted */
	atomic_t n_old;			/* entries that wait to be freed, after_rules.c */
	struct vpnpass_watches *watches;	/* watch.c */
	unsigned long session_id;	/* ID of the newest session; lock */
	u32 known[1 << VPNPASS_KNOWN_BITS];	/* clients and peers, see known.h; lock */
	bool dead;
	bool fast_on;			/* some protocol's packets may go the fast way */
	atomic_t fast_gen;		/* ways learnt before it changed are over */
	struct vpnpass_fast __percpu *fast;	/* once some may; vpnpass_mutex */
	bool doomed;			/* an address went: some session is doomed */
	struct mem_cgroup *memcg;	/* charged for what packets allocate, or NULL */
	struct vpnpass_proto_net proto[VPNPASS_PROTOS];
};

/* RFC 2637 4.1: K must be set, version 1, the protocol is PPP's. @h: four octets */
static inline bool vpnpass_gre_is_pptp(const u8 *h)
{
	return (get_unaligned_be32(h) & 0x2007ffff) == 0x2001880b;
}

static inline void *vpnpass_net_priv(const struct vpnpass_net *vn,
				     const struct vpnpass_proto *p)
{
	return vn->proto[p->idx].priv;
}

static inline u32 vpnpass_setting(const struct vpnpass_net *vn,
				  const struct vpnpass_proto *p, int idx)
{
	return READ_ONCE(vn->proto[p->idx].setting[idx]);
}

static inline void vpnpass_count(struct vpnpass_net *vn,
				 const struct vpnpass_proto *p, int idx)
{
	atomic64_inc(&vn->proto[p->idx].counter[idx]);
}

/* Milliseconds, wrapping at 2^32; the clock of pins and of the pairing policy. */
static inline u32 vpnpass_now(void)
{
#if MSEC_PER_SEC % HZ
	return (u32)ktime_to_ms(ktime_get_coarse_boottime());
#else
	return (u32)jiffies * (MSEC_PER_SEC / HZ);
#endif
}

/* The one of two sessions that was used last; the first may be NULL. */
static inline struct vpnpass_session *vpnpass_session_later(struct vpnpass_session *a,
							    struct vpnpass_session *b)
{
	return a && (s32)(b->last - a->last) <= 0 ? a : b;
}

/* The conntrack zone of a packet without a connection: its template's. */
static inline const struct nf_conntrack_zone *vpnpass_skb_zone(const struct sk_buff *skb)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(skb);

	return tmpl ? nf_ct_zone(tmpl) : &nf_ct_zone_dflt;
}

/* The ID of that zone in a direction. */
static inline u16 vpnpass_arrival_zone(const struct sk_buff *skb, enum ip_conntrack_dir dir)
{
	return nf_ct_zone_id(vpnpass_skb_zone(skb), dir);
}

void vpnpass_attach_answered(struct nf_conn *ct);

/* A packet of a session's that was not attached, and so counted by conntrack alone. The
 * client goes on after what it was given in doubt.
 */
static inline void vpnpass_session_seen(struct vpnpass_session *s)
{
	WRITE_ONCE(s->last, vpnpass_now());
	if (unlikely(test_bit(VPNPASS_GIVEN, &s->passed)))
		vpnpass_attach_answered(s->ct);
}

/* registry.c: registration; process context. The module stays valid until
 * vpnpass_proto_unregister() returns, which ends its sessions everywhere.
 */
int vpnpass_proto_register(struct vpnpass_proto *p, const struct vpnpass_ops *ops);
void vpnpass_proto_unregister(struct vpnpass_proto *p);

/* watch.c; any context. */
int vpnpass_port_watch(struct vpnpass_net *vn, const struct vpnpass_proto *p, u8 family,
		       const union nf_inet_addr *addr, u16 port);
void vpnpass_port_unwatch(struct vpnpass_net *vn, u8 family,
			  const union nf_inet_addr *addr, u16 port);

/* registry.c: tell the other modules; softirq, RCU. */
void vpnpass_hint_send(struct vpnpass_net *vn, const struct vpnpass_hint *hint);

/* memory.c; any context */
void *vpnpass_alloc_zeroed(struct vpnpass_net *vn, size_t size);

/* peers.c */
int vpnpass_peers_init(struct vpnpass_peers *peers, struct vpnpass_net *vn, size_t size,
		       void (*setup)(struct vpnpass_peer *peer));
void vpnpass_peers_exit(struct vpnpass_peers *peers);
struct vpnpass_peer_key vpnpass_peer_key(const struct nf_conn *ct, enum ip_conntrack_dir dir);
struct vpnpass_peer *vpnpass_peer_find(struct vpnpass_peers *peers,
				       const struct vpnpass_peer_key *key);
struct vpnpass_peer *vpnpass_peer_get(struct vpnpass_peers *peers,
				      const struct vpnpass_peer_key *key);
void vpnpass_peer_put(struct vpnpass_peer *peer);

/* pin.c */
struct vpnpass_pin *vpnpass_pin_alloc(struct vpnpass_net *vn);
void vpnpass_pin_free(struct vpnpass_pin *pin);
int vpnpass_pin_add(struct vpnpass_session *s, struct vpnpass_pin *pin);
void vpnpass_pin_del(struct vpnpass_pin *pin);
int vpnpass_pin_put(struct vpnpass_session *s, struct vpnpass_pin *pin,
		    const struct vpnpass_key *key, enum ip_conntrack_dir dir, u8 number_kind);
struct vpnpass_pin *vpnpass_pin_find(struct vpnpass_net *vn,
				     const struct vpnpass_key *key);
struct vpnpass_pin *vpnpass_pin_find_arriving(struct vpnpass_net *vn, const struct sk_buff *skb,
					      struct vpnpass_key *key);

/* session.c */
struct vpnpass_session *
vpnpass_session_alloc(struct vpnpass_net *vn, const struct vpnpass_proto *p,
		      struct nf_conn *ct);
int vpnpass_session_confirm(struct vpnpass_session *s, struct sk_buff *skb,
			    unsigned int *verdict);
int vpnpass_session_publish(struct vpnpass_session *s);
int vpnpass_session_start(struct vpnpass_session *s, struct sk_buff *skb,
			  unsigned int *verdict);
void vpnpass_session_rebind(struct vpnpass_session *s, struct nf_conn *ct);
void vpnpass_session_discard(struct vpnpass_session *s);
bool vpnpass_address_known(const struct vpnpass_net *vn, u8 family,
			   const union nf_inet_addr *addr);
bool vpnpass_session_end(struct vpnpass_session *s, const char *reason);
struct vpnpass_session *vpnpass_session_by_ct(struct vpnpass_net *vn,
					      const struct vpnpass_proto *p,
					      const struct nf_conn *ct);

/* attach.c */
bool vpnpass_attach_packet(struct vpnpass_session *s, struct sk_buff *skb,
			   enum ip_conntrack_dir dir);

bool vpnpass_attach_copy(struct vpnpass_session *s, struct sk_buff *skb);
bool vpnpass_send_copy(struct vpnpass_session *s, struct sk_buff *skb);

/* conn.c */
struct nf_conn *vpnpass_conn_alloc(struct vpnpass_net *vn,
				   const struct nf_conntrack_zone *zone,
				   const struct nf_conntrack_tuple *orig,
				   const struct nf_conntrack_tuple *reply,
				   struct nf_conn *master, u32 timeout_s);
int vpnpass_conn_insert(struct nf_conn *ct);
void vpnpass_conn_masquerade(struct nf_conn *ct, int ifindex);
int vpnpass_conn_masq_index(const struct nf_conn *ct);
bool vpnpass_conn_leaves_elsewhere(const struct nf_conn *ct, const struct vpnpass_pkt *pkt);

/* flow.c */
bool vpnpass_flow_to_router(const struct vpnpass_pkt *pkt);
void vpnpass_rules_want(struct vpnpass_net *vn, u8 family);
bool vpnpass_rules_first(struct vpnpass_net *vn, u8 family);
struct nf_conntrack_tuple_hash *
vpnpass_flow_find(const struct vpnpass_pkt *pkt, const struct nf_conntrack_zone *zone);
bool vpnpass_flow_exists(const struct vpnpass_pkt *pkt,
			 const struct nf_conntrack_zone *zone);
bool vpnpass_flow_is_stock(const struct vpnpass_pkt *pkt,
			   const struct nf_conntrack_zone *zone);
void vpnpass_flow_template(struct sk_buff *skb, struct nf_conn *tmpl);
void vpnpass_flow_template_of(struct vpnpass_net *vn, struct sk_buff *skb,
			      const struct nf_conntrack_zone *zone);
void vpnpass_flow_redirected(struct vpnpass_pkt *pkt, struct nf_conn *tmpl);
void vpnpass_flow_forget_unasked(const struct vpnpass_pkt *pkt);
void vpnpass_flow_forget(const struct vpnpass_pkt *pkt);
void vpnpass_flow_plain(struct nf_conn *ct);
bool vpnpass_flow_keep_port(struct sk_buff *skb);
bool vpnpass_flow_other_port(struct sk_buff *skb);
void vpnpass_flow_evict(struct vpnpass_net *vn, const struct nf_conntrack_zone *zone,
			const struct nf_conntrack_tuple *tuple);

/* helper.c; RCU read side */
#define VPNPASS_CONN_DATA	32	/* octets */
void *vpnpass_conn_data(const struct nf_conn *ct);
void vpnpass_conn_unwatch(struct nf_conn *ct);

/* event.c; any context. @reason may be NULL. */
void vpnpass_limit_hit(const struct vpnpass_session *s, int counter);
void vpnpass_tell_conflict(const struct vpnpass_session *s, int counter, const char *reason);
void vpnpass_event_session(const struct vpnpass_session *s, u32 type,
			   const char *reason);
void vpnpass_event_pin(const struct vpnpass_session *s, u32 type,
		       const struct vpnpass_pin *pin, const char *reason);

#endif /* VPNPASS_CORE_H */
