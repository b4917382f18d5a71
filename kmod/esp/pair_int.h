/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the ESP pairing policy share; see pair.h and pair.c. */
#ifndef VPNPASS_ESP_PAIR_INT_H
#define VPNPASS_ESP_PAIR_INT_H

#include "pair.h"

/* *last may lag by a tick (10 ms at HZ=100), and paths reorder a little. */
#define ACTIVE		2000	/* received something so lately */
#define PAIR_QUIET	32	/* ms; packets further apart are not of one burst */
#define PAIR_CLAIMS	64	/* no more are looked at */
#define BEGUN		60000	/* ms; what goes on for longer has come to nothing */
#define RECENT		5000	/* a trial silent for longer may make room */
#define SMALL		5	/* clients: all who wait get copies */

/* Bits, so that the odds are 2^score to one. */
enum {
	BITS_HIT	= 3,	/* an answer followed a delay of our choice */
	BITS_SEEN	= 1,	/* ... or came after a question, by itself */
	BITS_MISS	= -3,	/* came, not as an answer to what was asked */
	BITS_FOLLOW	= 4,	/* it came unasked, just before a new question */
	BITS_ALONE	= 5,	/* ... and it has been silent since */
	BITS_SHARED	= 3,	/* the first came when few waited for it */
	BITS_TURN	= 8,	/* ... or one alone did */
	BITS_CALM	= 16,	/* ... of all clients, the rest being settled */
	BITS_CALM_HIT	= 10,	/* the next answer, if that is still so */
	BITS_TURN_IKE	= 12,	/* ... and IKE saw it make an SA */
	BITS_REACT	= 12,	/* most that reactions add up to */
	BITS_STRICT	= 14,	/* what a strict group delivers */
	BITS_LINK	= 6,	/* enough to let others have their turn */
	BITS_SURE	= 26,	/* enough for a pin */
	BITS_AHEAD	= 10,	/* ... if no other is nearer than this */
	BITS_MAX	= 40,
	BITS_OUT	= -8,
};

static inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/* How long ago; 0 for what a concurrent fast path has put in the future. */
static inline u32 age(u32 now, u32 then)
{
	return before(now, then) ? 0 : now - then;
}

static inline bool pair_asks(const struct pair_spi *s)
{
	return s->state == PAIR_NEW || s->state == PAIR_ONEWAY;
}

/* ... and has not been given up, nor found an answer. */
static inline bool pair_wants(const struct pair_spi *s)
{
	return s->state == PAIR_NEW && !s->answer;
}

/* So few clients that one packet can go to all. */
static inline bool pair_is_small(const struct pair_group *g)
{
	return g->n_clients <= SMALL;
}

/* pair.c */
void pair_act_pin(struct pair_act *act, struct pair_client *c,
		  struct pair_spi *s, bool in);
u32 pair_slot_last(const struct pair_spi *s);
void pair_relist(struct pair_group *g, struct pair_client *c);

/* pair_turn.c */
u32 pair_rtt_slow(const struct pair_group *g);
u32 pair_rtt_slack(const struct pair_group *g);
bool pair_rtt_fits(const struct pair_group *g, u32 ms);
void pair_turn_claim(struct pair_group *g, struct pair_client *c, bool made,
		     u32 now);
bool pair_may_go(struct pair_group *g, struct pair_client *c,
		 struct pair_spi *s, u32 now, struct pair_act *act);
void pair_turn_ask(struct pair_group *g, struct pair_client *c,
		   const struct pair_spi *s, u32 now);
void pair_turn_new(struct pair_group *g, const struct pair_trial *t, u32 now);
void pair_turns(struct pair_group *g, u32 now, struct pair_act *act);

/* pair_trial.c */
struct pair_trial *pair_trial_find(struct pair_group *g, u32 spi);
struct pair_trial *pair_trial_new(struct pair_group *g, u32 spi, bool fresh,
				  u32 now);
void pair_trial_end(struct pair_group *g, struct pair_trial *t);
void pair_trial_move(struct pair_trial *t, struct list_head *to);
void pair_cand_del(struct pair_group *g, struct pair_trial *t,
		   struct pair_cand *cd);
struct pair_cand *pair_cand_of(struct pair_trial *t, const struct pair_client *c,
			       struct pair_spi *ask);
struct pair_cand *pair_cand_add(struct pair_group *g, struct pair_trial *t,
				struct pair_client *c, struct pair_spi *ask,
				int score);
struct pair_cand *pair_best(struct pair_trial *t);
int pair_lead(const struct pair_trial *t, const struct pair_cand *b);
void pair_forget(struct pair_group *g, struct pair_client *c,
		 const struct pair_spi *ask);
bool pair_claims(const struct pair_client *c, u32 now);
bool pair_expects(const struct pair_client *c, u32 now);
bool pair_may_own(const struct pair_client *c, const struct pair_trial *t);

/* pair_score.c */
void pair_probe(struct pair_group *g, struct pair_client *c,
		struct pair_spi *s, u32 now, int bits);
void pair_react(struct pair_group *g, struct pair_client *c,
		struct pair_spi *s, u32 now);
void pair_follow(struct pair_group *g, struct pair_client *c,
		 struct pair_spi *s, u32 now);
void pair_probe_void(struct pair_group *g, const struct pair_client *c,
		     const struct pair_spi *s);
void pair_arrive(struct pair_group *g, struct pair_trial *t, u32 now);
bool pair_calm(const struct pair_group *g, const struct pair_client *c,
	       u32 now);
bool pair_in_doubt(const struct pair_client *c, const struct pair_spi *s);

/* pair_copy.c */
void pair_copies_init(struct pair_group *g, u32 now);
void pair_turns_leave(struct pair_group *g, struct list_head *node);
void pair_deliver(struct pair_group *g, struct pair_trial *t, u32 now,
		  struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_INT_H */
