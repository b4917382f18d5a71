/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parity oracle: the same packets go to two routers with the same rules, one
 * with vpnpass and one without, and what leaves them is compared.
 *
 *   talk.c, corpus.c   conversations: what real peers say to each other
 *   mutate.c           what networks, attackers and bugs make of them
 *   wire.c             a step of a sequence as a frame, and a frame as a record
 *   router.c           the sockets at the ends of both routers' devices
 *   judge.c            which differences are faults, which are intended
 *   shrink.c           the shortest sequence that still shows a difference
 *
 * Everything is drawn from a seed and the number of the sequence, and each run of a
 * sequence has hosts of its own, so that no state of an earlier one is in its way.
 */
#ifndef PARITY_H
#define PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_STEPS 60
#define MAX_DATA 1300
#define MAX_SEEN 6
#define MAX_CORPUS 64

/* Where a frame enters or leaves a router. SINK is where what a rule
 * drops is logged to, OWN the router itself.
 */
enum side { SIDE_LAN, SIDE_WAN, SIDE_WAN2, SIDE_DMZ, SIDE_SINK, SIDE_OWN, N_SIDES };
enum which { VPNPASS, STOCK, N_ROUTERS };

/* The hosts of a sequence. Client i talks to gateway i, the server to gateway 3. */
#define N_CLIENTS 3
#define HOST_SERVER 3
#define HOST_ROUTER 4
#define N_HOSTS 5

enum from { FROM_INSIDE, FROM_OUTSIDE, FROM_EVENT };
enum event { EVENT_FAILOVER, EVENT_BACK, N_EVENTS };
#define NO_QUOTE 0xff

struct step {
	uint8_t from;
	uint8_t in, out;		/* index of the host inside, outside */
	uint8_t proto;
	uint8_t id;			/* stays when other steps go */
	uint8_t quote;			/* an ICMP error about what came of this step */
	uint8_t flags;			/* TCP's flags */
	uint8_t event;
	bool frag;			/* in two fragments */
	uint16_t sport, dport;
	uint16_t gap_ms;		/* before it is sent */
	uint16_t len;
	uint32_t seq, ack;
	const char *talk;		/* name of the conversation */
	uint8_t data[MAX_DATA];
};

struct seq {
	unsigned int n;
	struct step step[MAX_STEPS];
};

/* A packet that left a router because of a step. */
struct seen {
	uint8_t side;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint16_t count;
	uint64_t hash;			/* hash of all that translation leaves alone */
	bool csum_ok;
	uint16_t len;
	uint8_t head[64];		/* from the IP header on, to be quoted */
	uint8_t data[MAX_DATA];		/* the first octets behind the IP header */
};

struct outcome {
	unsigned int n;
	struct seen seen[MAX_SEEN];
};

struct options {
	const char *ruleset;
	bool six, routed, server, failover, random_port, router;
	uint8_t pub[2][16];		/* the router's address on each WAN */
	uint64_t seed;
	unsigned int count;
	long only;
	bool verbose;
};

struct stats {
	unsigned long packets, delivered, extra, copies, dropped, leaks, unsteady;
	unsigned int held_ms;
};

extern struct options opt;
extern struct stats stats;

/* rng.c: splitmix64 */
void rng_seed(uint64_t seed, uint64_t n);
uint64_t rng_next(void);
static inline uint32_t rng_below(uint32_t n)
{
	return n ? (uint32_t)(rng_next() >> 32) % n : 0;
}

static inline bool chance(unsigned int percent)
{
	return rng_below(100) < percent;
}

/* wire.c */
struct addr16 { uint8_t b[16]; };
void hosts_read(const char *file);
void hosts_write(void);
void hosts_next(void);
uint16_t wire_tag(unsigned int step_id);
size_t wire_build(const struct step *s, const uint8_t *src, const uint8_t *dst,
		  uint16_t sport, uint16_t dport, uint8_t *frame);
size_t wire_quote(const struct step *s, const struct seen *about, const uint8_t *src,
		  const uint8_t *dst, uint8_t *frame);
bool wire_parse(const uint8_t *frame, size_t len, struct seen *seen, unsigned int *step_id);
const uint8_t *host_inside(unsigned int in);
const uint8_t *host_outside(unsigned int out);
bool addr_same(const uint8_t *a, const uint8_t *b);
const char *addr_text(const uint8_t *a);

/* router.c */
void routers_open(const char *const names[N_ROUTERS]);
void routers_flush(void);
void routers_reset(void);
void run_sequence(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS]);

/* talk.c, corpus.c, mutate.c */
struct step *say_next(struct seq *s, bool initiator);
void corpus_read(const char *file);
bool corpus_talk(struct seq *s, const char **name);
void sequence_make(struct seq *s, unsigned long index);
void foreign_payload(struct step *s);

/* judge.c */
void intended_read(const char *file);
void intended_print(void);
bool judge_sequence(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS], char *sign,
		    size_t size);
void count_outcome(const struct seq *s, struct outcome result[N_ROUTERS][MAX_STEPS]);
void step_print(const struct step *s);
void outcome_print(const struct outcome *vpnpass, const struct outcome *stock);
bool outcome_late(const struct outcome *vpnpass, const struct outcome *stock);

/* shrink.c */
bool shrink_sequence(struct seq *s, char *sign, size_t size);

#endif
