/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations that the files of the ESP module share. */
#ifndef VPNPASS_ESP_H
#define VPNPASS_ESP_H

#include <linux/idr.h>
#include <vpnpass.h>

#include "pair/pair.h"

#define ESP_SPI_RESERVED	255	/* RFC 4303 2.1: 0 is local, 1..255 IANA's */

enum {
	ESP_SET_COPIES = VPNPASS_SET_OWN,
	ESP_SET_COPY_RATE,
	ESP_SET_SPIS,
	ESP_SET_STRICT,
	ESP_SET_WINDOW,
	ESP_SET_HOLD,
	ESP_SET_FAST,
	ESP_SET_N,
};

enum {
	ESP_CNT_PAIRED_ONLY = VPNPASS_CNT_OWN,
	ESP_CNT_PAIRED_EVIDENCE,
	ESP_CNT_CORRECTED,
	ESP_CNT_COPIES,
	ESP_CNT_LIMIT_COPIES,
	ESP_CNT_UNKNOWN,
	ESP_CNT_DROPPED_STRICT,
	ESP_CNT_NO_ROOM,
	ESP_CNT_LOCAL_SA,
	ESP_CNT_PIN_FAILED,
	ESP_CNT_FAST,	/* VPNPASS_FAST_COUNTERS() has three, which are last */
};

/* The clients of one gateway behind one address of the router's. */
struct esp_group {
	struct vpnpass_peer peer;	/* first: the core frees it */
	spinlock_t lock;		/* all that follows, and the clients' */
	struct pair_group pair;
	struct pair_cfg cfg;
	struct ida reply_keys;
	bool begun;			/* a client has sent, READ_ONCE */
};

/* An SPI that a client sends on. */
struct esp_out {
	struct pair_out out;
	struct vpnpass_pin *quote;	/* leads ICMP errors to the session, or NULL */
};

struct esp_session {
	struct vpnpass_session s;	/* first: the core allocates and frees */
	struct esp_group *group;
	struct pair_client client;
	struct vpnpass_pin *spare;	/* for client.spare, so that arrivals allocate none */
	u16 reply_key;
	bool linked;			/* the pairing policy knows it */
};

/* The receivers of a packet, valid until the end of the RCU read side. */
struct esp_receivers {
	struct esp_session *to[1 + PAIR_COPIES_MAX];
	u8 n;
	bool sure;			/* the packet is for the first, and no other */
};

/* A client's connection as it is to be made; the zone is that of both tuples. */
struct esp_conn {
	u8 family;
	union nf_inet_addr client;
	union nf_inet_addr dest;	/* where the client sends to */
	union nf_inet_addr peer;	/* the gateway, after DNAT */
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
	struct vpnpass_peers groups;
	struct esp_own_sas own;
};

extern struct vpnpass_proto esp_proto;

/* own_sa.c */
bool esp_own_sa(struct vpnpass_net *vn, const struct vpnpass_key *key, u32 mark);
bool esp_own_peer(struct vpnpass_net *vn, const struct vpnpass_key *key);

/* pins.c: group lock held */
void esp_spares_fill(struct esp_session *es);
void esp_spares_free(struct esp_session *es);
struct esp_out *esp_out_alloc(struct esp_session *es);
void esp_out_quote(struct esp_session *es, struct esp_out *o);
void esp_spi_pin(struct esp_session *es, struct pair_spi *s);
void esp_spi_unpin(struct pair_spi *s);
void esp_spi_free(struct pair_spi *s);
void esp_spis_forget(struct pair_client *c);

/* group.c */
int esp_groups_init(struct vpnpass_net *vn);
void esp_groups_exit(struct vpnpass_net *vn);
struct esp_group *esp_group_find(struct vpnpass_net *vn, const struct vpnpass_peer_key *key);
struct esp_group *esp_group_get(struct vpnpass_net *vn, const struct vpnpass_peer_key *key);
void esp_group_put(struct esp_group *g);
void esp_group_begin(struct esp_group *g);
void esp_group_apply(struct esp_group *g, struct pair_act *act);
bool esp_group_arrival(struct esp_group *g, u32 spi, struct esp_receivers *r);
struct vpnpass_session *esp_group_only(struct esp_group *g);

/* session.c */
struct esp_session *esp_session_begin(struct vpnpass_net *vn,
				      struct vpnpass_pkt *pkt,
				      unsigned int *verdict);
void esp_session_link(struct esp_session *es);
struct pair_out *esp_out_new(struct esp_session *es, u32 spi);
void esp_session_out(struct esp_session *es, u32 spi);
void esp_session_end(struct vpnpass_session *s);
const char *esp_session_state(const struct vpnpass_session *s);

/* key_exchange.c */
void esp_take_hint(struct vpnpass_net *vn, const struct vpnpass_hint *hint);

/* early.c */
struct esp_session *esp_session_find(struct vpnpass_net *vn,
				     const struct esp_conn *c, bool *taken);
struct esp_session *esp_session_make(struct vpnpass_net *vn,
				     const struct esp_conn *c);

/* restore.c */
int esp_restore_session(struct vpnpass_net *vn, const struct vpnpass_restore *r);

#endif /* VPNPASS_ESP_H */
