/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which client does an inbound ESP SPI belong to? docs/pairing.md explains the
 * rules; this is the interface that the ESP module, the unit tests and the
 * simulator use.
 *
 * Pure: no allocation, no clock, no kernel call. The embedder owns all
 * structs, zeroes a pair_client before pair_client_add(), and serialises all
 * calls for one group. Times are u32 milliseconds of any monotonic clock and
 * may wrap. SPIs are in host order. Every call takes a bounded number of steps.
 */
#ifndef VPNPASS_ESP_PAIR_H
#define VPNPASS_ESP_PAIR_H

#include "pure.h"

/* The constants: docs/pairing.md has where each comes from. */
#define PAIR_QUIET_MS	32	/* a silence */
#define PAIR_THINK_MS	48	/* a host behind the gateway may take so long */
#define PAIR_UNKNOWN_MS	1000	/* the answer window's end before any sample */
#define PAIR_RECENT_MS	4000	/* questions, reviews and coincidences count so long */
#define PAIR_SURE	12	/* bits ahead: pin */
#define PAIR_LEAD	8	/* bits ahead: lead; what the age of a claim or what
				 * comes unasked can cost
				 */
#define PAIR_VARY	4	/* differences of two gaps: questions are independent */
#define PAIR_PROOF	4	/* answers that prove, questions in vain that disprove */
#define PAIR_SUSPECTS	8	/* listed for one SPI; groups as small get all */
#define PAIR_SHARE	8	/* part of the bucket that one packet may take */
#define PAIR_BURST	32	/* part that one of a burst may take */
#define PAIR_WALK	32	/* steps through a list */
#define PAIR_DUE	4	/* SAs that one exchange makes, and its repetition */
#define PAIR_COPIES_MAX	64	/* copies of one packet */
#define PAIR_STEPS	64	/* lags are counted in so many, of 16 ms */
#define PAIR_SPANS	4	/* lengths of spans of lags: 2, 4, 8 and 16 steps */
#define PAIR_LAGS	64	/* arrivals, when half of each count is forgotten */

#define PAIR_ACTS	4	/* no call asks for more of one kind */

/**
 * struct pair_cfg - settings of a group; may change while in use
 * @copies: most copies of one packet, 0..PAIR_COPIES_MAX
 * @rate: most copies a second
 * @spis: most SPIs that a client has, each way
 * @idle_ms: an SPI that was not used for so long is forgotten for a new one
 * @strict: a packet goes to a client that leads, or to nobody
 */
struct pair_cfg {
	u32 idle_ms;
	u16 copies;
	u16 rate;
	u16 spis;
	bool strict;
};

#define PAIR_CFG_DEFAULT { .copies = 64, .rate = 16000, .spis = 64, .idle_ms = 3600000 }

struct pair_client;

/* An unknown inbound SPI's suspect. Scores are in eighths of a bit. */
struct pair_suspect {
	struct pair_client *c;
	u32 out;		/* the SPI of its question that was answered */
	u32 asked_at;		/* that question */
	s16 score;
	u8 n_answers;		/* up to PAIR_PROOF */
};

/* An inbound SPI in doubt. Its memory came with a client's own packets. */
struct pair_trial {
	struct list_head node;		/* in pair_group.free, done, once or live */
	struct pair_trial *next;	/* hash chain */
	struct pair_client *turn;	/* the one that gets copies in turn */
	struct pair_client *lead;
	struct pair_client *owner;	/* decided; its memory is the next to be reused */
	u32 spi;
	u32 first_at;
	u32 seen_at;			/* latest arrival */
	u32 alone_at;			/* latest after a silence */
	u16 spacing_ms;			/* between packets that follow closely */
	u16 every_ms;			/* between arrivals after a silence */
	u8 n_suspects;
	u8 n_looks;			/* pins of it that were taken back */
	bool twice;			/* came more than once */
	struct pair_suspect suspect[PAIR_SUSPECTS];
};

/**
 * struct pair_spi - one SPI that a client sends or receives on
 * @node: in its client's list
 * @c: the client
 * @other: the other half of the SA pair; may be of an older or newer pair of
 *	the same client
 * @last: set by the embedder with its pin: time of the latest packet, fast
 *	path included; NULL without pin
 * @pin: the embedder's
 * @spi: host order
 * @in: inbound
 */
struct pair_spi {
	struct list_head node;
	struct pair_client *c;
	struct pair_spi *other;
	const u32 *last;
	void *pin;
	u32 spi;
	bool in;
};

/* Outbound. The embedder hands in a new one with each new SPI. */
struct pair_out {
	struct pair_spi s;
	u32 seen_at;
	u32 asked_at[2];		/* the latest questions */
	u32 answered_by[2];		/* an inbound SPI, 0: open */
	u16 every_ms;			/* between questions */
	u16 gap_ms;			/* between the latest two, */
	u16 vary_ms;			/* and its difference from the one before */
	u8 n_asked;			/* up to 2 */
	u8 n_vain;			/* paired: in a row without an arrival */
	u8 n_good;			/* paired: with one */
	struct pair_trial room;
};

/* Inbound, decided. The embedder keeps one in pair_client.spare. */
struct pair_in {
	struct pair_spi s;
	struct list_head age;		/* in pair_group.pins, latest at the end */
	u32 since;			/* when it was decided */
	u8 n_looks;			/* times that it was taken back */
	bool alone;			/* as its client was the only one */
};

/**
 * struct pair_client - one client of a gateway; embedded by the caller
 * @out: SPIs it sends on, latest used first
 * @in: SPIs it receives on
 * @spare: memory for an inbound SPI
 */
struct pair_client {
	struct list_head out;
	struct list_head in;
	struct pair_in *spare;

	struct list_head node;		/* in pair_group.clients */
	struct list_head open;		/* in pair_group.open, latest claim first */
	struct list_head asks;		/* in pair_group.asks, latest question first */
	u32 open_at;			/* since when it has been open */
	u32 claim_at[PAIR_DUE];		/* latest claims, the latest first */
	u32 asked_at;			/* latest question */
	u32 mark;			/* among the receivers of that packet */
	u16 every_ms;			/* between questions */
	u16 n_out, n_in;
	u16 n_unpaired;			/* outbound SPIs without other half */
	u16 n_lead;			/* SPIs in doubt that it leads */
	u8 n_due;			/* SAs made that have not come */
	u8 n_vain;			/* questions while it leads nothing */
	bool asking;			/* an exchange of IKE is under way */
	bool ike;			/* IKE of this client was seen */
	struct pair_trial room;
};

/* When an answer may come: round trips in sixteenths of a millisecond. */
struct pair_window {
	u32 lo, hi;
	u8 n;			/* samples of IKE, up to 4; 0: lo and hi are from pair_lags */
};

/* How many arrivals in doubt each span of lags has a question of; the latest count most. */
struct pair_lags {
	u8 hits[PAIR_SPANS][PAIR_STEPS];	/* by the span's length and first step */
	u8 n;
};

/**
 * struct pair_group - clients of one (gateway, local address, family)
 *
 * Counters, which the embedder may take and set to 0:
 * @n_paired: pins by answers
 * @n_only: pins of an only client
 * @n_revoked: pins taken back
 * @n_copies: copies
 * @n_limit: packets that went to fewer for want of tokens
 * @n_unknown: packets that went to nobody
 * @n_strict: of them, because of strict
 * @n_no_room: inbound SPIs without memory to remember them
 */
struct pair_group {
	const struct pair_cfg *cfg;
	u64 n_paired, n_only, n_revoked, n_copies, n_limit, n_unknown, n_strict,
	    n_no_room;

	struct list_head clients;
	struct list_head open;
	struct list_head asks;
	struct list_head pins;
	struct list_head free, done, once, live;	/* trials */
	struct pair_trial *hash[64];
	struct pair_window window;
	struct pair_lags lags;
	u32 n_clients, n_open;
	u32 joined_at;			/* when an only client got company */
	u32 mark;			/* the packet under way */
	u32 tokens_at, tokens;	/* thousandths of a copy */
	struct pair_client *to[1 + PAIR_COPIES_MAX];
};

/**
 * struct pair_act - what the embedder has to do; unpins before pins
 * @n_to: receivers of the packet, 0: nobody; the first gets it, the others a copy
 * @sure: it is the first one's, as far as can be known
 * @to: in the group's memory, until its next event
 * @pin: SPIs that get a pin; when that fails the next packet of the SPI asks
 *	again
 * @unpin: SPIs whose pin goes
 * @freed: SPIs that are no more: their pin goes, and the memory is the
 *	embedder's again
 */
struct pair_act {
	u8 n_to, n_pin, n_unpin, n_freed;
	bool sure;
	struct pair_client **to;
	struct pair_spi *pin[PAIR_ACTS];
	struct pair_spi *unpin[PAIR_ACTS];
	struct pair_spi *freed[PAIR_ACTS];
};

void pair_group_init(struct pair_group *g, const struct pair_cfg *cfg);
void pair_client_add(struct pair_group *g, struct pair_client *c, u32 now);
void pair_client_del(struct pair_group *g, struct pair_client *c);

struct pair_out *pair_out_find(struct pair_client *c, u32 spi);
bool pair_out_add(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		  u32 spi, u32 now, struct pair_act *act);
void pair_packet_out(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		     u32 now, struct pair_act *act);
void pair_packet_in(struct pair_group *g, u32 spi, u32 now, struct pair_act *act);

void pair_ike_asked(struct pair_group *g, struct pair_client *c, u32 now);
void pair_sa_made(struct pair_group *g, struct pair_client *c, u32 now);
void pair_sa_not_made(struct pair_group *g, struct pair_client *c);
void pair_round_trip(struct pair_group *g, u32 ms);

bool pair_restore_in(struct pair_group *g, struct pair_client *c, u32 spi, u32 now,
		     struct pair_act *act);
void pair_spi_restored(struct pair_group *g, struct pair_spi *s, struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_H */
