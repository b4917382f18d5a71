/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the ESP helper share. */
#ifndef VPNPASS_ESP_H
#define VPNPASS_ESP_H

#include <linux/idr.h>
#include <linux/timer.h>
#include <vpnpass.h>

#include "pair.h"

#define ESP_HELD	8	/* packets kept while a client waits its turn */
#define ESP_RECENT_MS	1000	/* who renews SPIs faster is at his limit */
#define ESP_SPI_RESERVED	255	/* RFC 4303 2.1: 0 is local, 1..255 IANA's */
#define ESP_SPARES	4	/* pins kept ready, so that arrivals allocate none */

enum {
	ESP_SET_WINDOW = VPNPASS_SET_OWN,
	ESP_SET_COPIES,
	ESP_SET_STRICT,
	ESP_SET_HOLD,
	ESP_SET_N,
};

enum {
	ESP_CNT_PAIRED_ONLY = VPNPASS_CNT_OWN,
	ESP_CNT_PAIRED_EVIDENCE,
	ESP_CNT_PAIRED_PENDING,
	ESP_CNT_GUESSED,
	ESP_CNT_CORRECTED,
	ESP_CNT_HELD,
	ESP_CNT_HELD_DROPPED,
	ESP_CNT_COPIES,
	ESP_CNT_UNKNOWN,
	ESP_CNT_DROPPED_STRICT,
	ESP_CNT_DROPPED_LIMIT,
	ESP_CNT_ONEWAY,
	ESP_CNT_LOCAL_SA,
	ESP_CNT_PIN_FAILED,
	ESP_CNT_N,
};

/* The clients of one gateway behind one address of the router's. */
struct esp_group_key {
	union nf_inet_addr peer;
	union nf_inet_addr local;
	u16 zone;
	u8 family;
	u8 pad;
};

struct esp_group {
	struct rhash_head node;
	struct esp_group_key key;
	struct vpnpass_net *vn;
	spinlock_t lock;		/* all that follows, and the clients' */
	struct pair_group pair;
	struct pair_cfg cfg;
	struct ida reply_keys;
	struct timer_list timer;
	struct list_head holding;	/* sessions with held packets */
	u32 refs;
	bool dead;
	struct rcu_head rcu;
};

struct esp_session {
	struct vpnpass_session s;	/* first: the core allocates and frees */
	struct esp_group *group;
	struct pair_client client;
	struct list_head holding;	/* in esp_group.holding */
	struct sk_buff *held[ESP_HELD];
	struct vpnpass_pin *spare[ESP_SPARES];
	struct vpnpass_pin *quote[PAIR_OUT_SLOTS];	/* of client.out[] */
	u32 held_since;
	u16 reply_key;
	u8 n_held;
	u8 n_spare;
	bool linked;			/* the pairing policy knows it */
};

/* Packets to be sent when the group's lock has been dropped. */
struct esp_release {
	struct sk_buff *held[ESP_HELD];
	u8 n;
};

/* What a client's connection is to be like; the zone is that of both tuples. */
struct esp_conn {
	u8 family;
	union nf_inet_addr client;
	union nf_inet_addr dest;	/* where the client sends to */
	union nf_inet_addr peer;	/* who gets it */
	union nf_inet_addr local;
	struct nf_conntrack_zone zone;
	struct nf_conn *master;		/* the key exchange's connection, or NULL */
	int masq_index;			/* without a master: device whose address is local, or 0 */
	u32 timeout_s;			/* until its first packet */
};

#define ESP_OWN_SAS	16	/* SAs of the router's own that are remembered */

/* SAs of the router's own that only a search through all of them finds; a place each by
 * the SPI's last bits.
 */
struct esp_own_sas {
	spinlock_t lock;		/* all that follows */
	u32 searched_at;		/* vpnpass_now() of the last search */
	struct {
		union nf_inet_addr dst;
		u32 spi;
		u32 found_at;		/* vpnpass_now() */
	} found[ESP_OWN_SAS];
	/* The peer that was asked about last, and the answer. */
	union nf_inet_addr peer;
	u32 peer_at;			/* vpnpass_now() */
	bool is_peer;
};

struct esp_net {
	struct rhashtable groups;
	struct esp_own_sas own;
};

extern struct vpnpass_proto esp_proto;

/* own_sa.c */
bool esp_own_sa(struct vpnpass_net *vn, const struct vpnpass_key *key, u32 mark);
bool esp_own_peer(struct vpnpass_net *vn, const struct vpnpass_key *key);

/* group.c */
int esp_groups_init(struct vpnpass_net *vn);
void esp_groups_exit(struct vpnpass_net *vn);
struct esp_group *esp_group_find(struct vpnpass_net *vn,
				 const struct esp_group_key *key);
struct esp_group *esp_group_get(struct vpnpass_net *vn,
				const struct esp_group_key *key);
void esp_group_put(struct esp_group *g);
void esp_groups_dev_gone(struct vpnpass_net *vn, const struct net_device *dev);
void esp_group_begin(struct esp_group *g);
void esp_group_apply(struct esp_group *g, struct pair_act *act,
		     struct esp_release *rel);

/* session.c */
struct esp_session *esp_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt,
				      unsigned int *verdict);
void esp_session_end(struct vpnpass_session *s);
const char *esp_session_state(const struct vpnpass_session *s);
void esp_session_refill(struct esp_session *es);
void esp_session_pin(struct esp_session *es, struct pair_spi *slot, bool in);
void esp_session_quote(struct esp_session *es, u32 spi);

/* hold.c: group lock held, but for esp_release_send() */
bool esp_hold(struct esp_session *es, struct vpnpass_pkt *pkt);
void esp_hold_release(struct esp_session *es, struct esp_release *rel);
void esp_hold_drop(struct esp_session *es);
void esp_hold_drop_dev(struct esp_session *es, const struct net_device *dev);
void esp_release_send(struct vpnpass_net *vn, struct esp_release *rel);

/* hint.c */
void esp_hint(struct vpnpass_net *vn, const struct vpnpass_hint *hint);
bool esp_busy(struct vpnpass_net *vn, const struct vpnpass_hint *hint);

/* make.c */
struct esp_session *esp_session_find(struct vpnpass_net *vn,
				     const struct esp_conn *c, bool *taken);
struct esp_session *esp_session_make(struct vpnpass_net *vn,
				     const struct esp_conn *c);

/* restore.c */
int esp_restore(struct vpnpass_net *vn, const struct vpnpass_restore *r);

#endif /* VPNPASS_ESP_H */
