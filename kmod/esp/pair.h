/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which client does an inbound ESP SPI belong to? The policy's interface;
 * called by the ESP helper's kernel face, the unit tests and the simulator.
 *
 * Inbound and outbound SPIs are unrelated (RFC 4301 4.1) and agreed upon
 * under encryption. What a router sees is who sends on which SPI and when,
 * and when something arrives. The policy draws its conclusions from that,
 * and asks for a pin only when they are firm; until then it has packets
 * copied to the few clients they may be for (a wrong receiver discards them).
 *
 * Pure: no allocation, no clock, no kernel call. The embedder owns all
 * structs, zeroes a pair_client before pair_client_add(), and serialises all
 * calls for one group. Times are u32 milliseconds of any monotonic clock and
 * may wrap. SPIs and sequence numbers are in host order. Every call costs a
 * bounded number of steps, however many clients the group has.
 */
#ifndef VPNPASS_ESP_PAIR_H
#define VPNPASS_ESP_PAIR_H

#include "pure.h"

#define PAIR_OUT_SLOTS	10	/* 8 settled, the rest asking */
#define PAIR_IN_SLOTS	10	/* 8 settled, the rest coming */
#define PAIR_COPY_MAX	180
#define PAIR_ACT_MAX	4
#define PAIR_CANDS	8	/* clients that something speaks for, per SPI */
#define PAIR_TRIAL_OF	16	/* open questions one client can be part of */
#define PAIR_ROOM	3	/* open questions a client brings room for */
#define PAIR_PROBES	64	/* outbound packets remembered */
#define PAIR_HASH	64
#define PAIR_HELD_MS	10000	/* so long the embedder keeps a held packet */
#define PAIR_NEVER	((u32)~0u)

/**
 * struct pair_cfg - settings of a group; may change while in use
 * @open_ms: longest that one client's start keeps others waiting, ms
 * @copies: most copies made of one packet in doubt, 0..PAIR_COPY_MAX; so many
 *	only when it comes after a long silence, or has long been in doubt
 * @strict: drop what is in doubt instead of copying it
 * @hold: let clients start one after the other
 */
struct pair_cfg {
	u32 open_ms;
	u8 copies;
	bool strict;
	bool hold;
};

#define PAIR_CFG_DEFAULT {		\
	.open_ms = 500,			\
	.copies = PAIR_COPY_MAX,	\
	.strict = false,		\
	.hold = true,			\
}

enum pair_slot_state {
	PAIR_FREE = 0,
	PAIR_NEW,	/* outbound: no answer attributed to it so far */
	PAIR_ONEWAY,	/* outbound: given up waiting for an answer */
	PAIR_SETTLED,	/* has its pin, or asked for it */
};

struct pair_trial;
struct pair_client;

/**
 * struct pair_spi - one SPI of a client
 * @spi: host order
 * @first: when it was first let through, or came, ms
 * @seen: when it last was, not by the fast path, ms
 * @sent: outbound: when it last came, held or not, ms
 * @last: set by the embedder with its pin: time of the last packet, fast path
 *	included, ms; may lag by a tick. NULL without pin; cleared here when
 *	the slot is given up, never followed after that.
 * @answer: outbound: what is taken for the answer to it, unsettled
 * @burst: outbound: packets that followed each other closely, and those
 *	before the latest silence
 * @n: outbound: packets let through
 * @state: enum pair_slot_state
 * @tries: outbound: turns that nothing came of
 * @asked: outbound: bursts of packets let through
 * @fresh: first seen with a small sequence number, so a new SA
 * @held: outbound: packets of it wait
 * @priv: the embedder's pin of this slot, set and cleared only by it
 */
struct pair_spi {
	u32 spi;
	u32 first;
	u32 seen;
	u32 sent;
	const u32 *last;
	struct pair_trial *answer;
	struct pair_burst {
		u32 from, to;
	} burst[2];
	u16 n;
	u8 state;
	u8 tries;
	u8 asked;
	bool fresh;
	bool held;
	void *priv;
};

/* A packet on an unsettled SPI that went out after a silence. */
struct pair_probe {
	struct pair_client *c;		/* NULL: void */
	struct pair_spi *ask;
	u32 at;
	u8 bits;			/* what an answer to it is worth */
};

/* A client that something speaks for. */
struct pair_cand {
	struct pair_client *c;
	struct pair_spi *ask;		/* its SPI this would answer, or NULL */
	s8 score;			/* bits: logarithm of the odds */
	bool hit;			/* the arrival under way is explained */
	bool told;			/* by IKE, at the right time: that stands */
	bool prior;			/* likely from the first arrival on */
	u8 idle;			/* arrivals since that say nothing of it */
	u16 took[2];			/* its answers come after, ms */
};

/* Who gets copies in turn: who asks, and whom IKE lets expect something. */
enum pair_queue {
	PAIR_Q_ASKS,
	PAIR_Q_ASKS_SILENT,	/* of them, who have been silent */
	PAIR_Q_CLAIMS,
	PAIR_Q_CLAIMS_SILENT,
	PAIR_QUEUES
};

/*
 * An inbound SPI whose owner is not settled ("trial"), or whose pin has not
 * been seen to work. Room for these comes with the clients, so the number is
 * bounded by theirs, never by what arrives.
 */
struct pair_trial {
	struct pair_trial *next;	/* hash chain */
	struct list_head node;		/* one of the group's trial lists */
	u32 spi;
	u32 first;
	u32 last;			/* latest arrival */
	u32 alone;			/* latest after a silence */
	u32 copied;			/* latest that was copied, */
	u32 all;			/* to all who wait */
	u8 pace;			/* between packets that follow closely */
	u8 round;			/* of what kind the next copy's receiver is, */
	struct list_head *turn[PAIR_QUEUES]; /* next of each kind; NULL: the first */
	struct pair_client *owner;	/* linked or settled with whom, */
	struct pair_spi *slot;		/* where; kept until the pin works */
	u16 n;
	u8 nc;
	bool used, fresh;
	struct pair_cand cand[PAIR_CANDS];
};

/**
 * struct pair_client - one client of a gateway; embedded by the caller
 * @out: SPIs it sends on
 * @in: SPIs it is known to receive on
 *
 * The rest is the policy's own. Zeroed by the embedder before
 * pair_client_add(); may be freed after pair_client_del().
 */
struct pair_client {
	struct pair_spi out[PAIR_OUT_SLOTS];
	struct pair_spi in[PAIR_IN_SLOTS];

	struct list_head node;		/* group's clients */
	struct list_head wait;		/* waiting or delayed */
	struct list_head asks;		/* an SPI of its own is not settled */
	struct list_head evid;		/* IKE explains a new SPI */
	struct pair_trial *trial[PAIR_TRIAL_OF];
	struct pair_trial room[PAIR_ROOM];
	u32 got, got_at;		/* unsettled SPI it got, and when */
	u32 given;			/* last delivery that it was part of */
	u32 evid_at;			/* exchange began, or made an SA */
	u32 claim_at;			/* the first that has not come did */
	u32 due;			/* a delayed packet goes */
	u8 bits;			/* what its answer is worth then */
	u8 n_evid;			/* SAs made that have not come */
	u8 n_begun;			/* exchanges under way, or their repetitions */
	u8 n_early;			/* SAs that came while one was */
	u8 n_unasked;			/* inbound SPIs settled, their other halves not seen */
	u8 n_in;
	u8 n_wait;			/* packets held */
	bool delayed;
	bool ike;
};

/**
 * struct pair_group - clients of one (gateway, local address, family)
 * @paired_only_client: inbound SPIs settled on the only client there was
 * @paired_evidence: settled by IKE evidence
 * @paired_pending: settled on the client it had been linked with
 * @guessed: settled on another than that
 * @corrected: taken for one client's first, then for another's
 * @held: outbound packets held
 * @copies: copies made
 * @unknown: inbound packets nobody could be found for
 * @dropped_strict: inbound packets in doubt, dropped because of strict
 * @dropped_limit: inbound packets dropped, or delivered without the copies
 *	they needed, for want of tokens or room
 * @oneway: outbound SPIs given up waiting for an answer
 */
struct pair_group {
	const struct pair_cfg *cfg;
	u64 paired_only_client;
	u64 paired_evidence;
	u64 paired_pending;
	u64 guessed;
	u64 corrected;
	u64 held;
	u64 copies;
	u64 unknown;
	u64 dropped_strict;
	u64 dropped_limit;
	u64 oneway;

	struct list_head clients;
	struct list_head waiting;	/* clients whose start is held */
	struct list_head delayed;	/* held for a moment, by when it ends */
	struct list_head asking;	/* clients with an SPI that is not settled */
	struct list_head evid;		/* IKE explains an SPI that has not come */
	struct list_head room;		/* trials: free */
	struct list_head done;		/* settled, kept until the pin works */
	struct list_head once;		/* seen once */
	struct list_head live;		/* seen more than once */
	struct pair_trial *hash[PAIR_HASH];
	struct pair_probe probe[PAIR_PROBES];
	u32 n_probe;
	struct pair_client *opener;	/* whose start is under way */
	u32 open_at, open_until;
	u32 open_new, open_took;	/* new SPIs in its turn; the first */
	u32 n_clients;
	u32 n_ike;			/* clients whose IKE was seen */
	u32 n_trials;
	u32 rtt_lo, rtt_hi;		/* quick, slow answer, ms */
	u32 rtt_n, rtt_rise;		/* answers learnt from */
	u32 tok_at, tok_copy;		/* token bucket, thousandths */
	u32 n_given;			/* deliveries of packets in doubt */
	struct pair_client *copy[PAIR_COPY_MAX];
	u32 seed;
};

enum pair_verdict {
	PAIR_PASS,	/* outbound: send; inbound: not ours */
	PAIR_HOLD,	/* outbound: keep until released, or drop */
	PAIR_DELIVER,	/* inbound: to @to, copies to @copy[] */
	PAIR_DROP,	/* inbound */
};

/**
 * struct pair_act - what the embedder has to do; unpins before pins
 * @verdict: enum pair_verdict, for the packet of this event
 * @copy: in the group's memory, until its next event
 * @unpin: slots whose pin (slot->priv) goes; the slot may already carry
 *	another SPI
 * @pin: slots whose SPI gets a pin; when that fails the next packet of the
 *	SPI comes here again and the same pin is asked for again
 * @release: send the held packets of this client, in order; no pair_out()
 */
struct pair_act {
	u8 verdict;
	u8 n_copy, n_pin, n_unpin;
	struct pair_client *to;
	struct pair_client **copy;
	struct pair_act_slot {
		struct pair_client *c;
		struct pair_spi *slot;
		bool in;
	} pin[PAIR_ACT_MAX], unpin[PAIR_ACT_MAX];
	struct pair_client *release;
};

void pair_group_init(struct pair_group *g, const struct pair_cfg *cfg);
void pair_client_add(struct pair_group *g, struct pair_client *c, u32 now);
void pair_client_del(struct pair_group *g, struct pair_client *c, u32 now,
		     struct pair_act *act);
void pair_out(struct pair_group *g, struct pair_client *c, u32 spi, u32 seq,
	      u32 now, struct pair_act *act);
void pair_in(struct pair_group *g, u32 spi, u32 seq, u32 now,
	     struct pair_act *act);
void pair_exchange(struct pair_group *g, struct pair_client *c, u32 now,
		   bool again, struct pair_act *act);
void pair_evidence(struct pair_group *g, struct pair_client *c, u32 now,
		   struct pair_act *act);
void pair_tick(struct pair_group *g, u32 now, struct pair_act *act);
bool pair_is_open(const struct pair_group *g, const struct pair_client *c,
		  u32 now);
u32 pair_next_tick(const struct pair_group *g, u32 now);
struct pair_spi *pair_restore(struct pair_group *g, struct pair_client *c,
			      u32 spi, bool in, u32 seen, struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_H */
