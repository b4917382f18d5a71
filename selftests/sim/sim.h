/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulator of ESP pairing: clients of one gateway behind one router.
 *
 *	client --lan--> router (policy) --wan--> gateway --> server
 *
 * A policy sees what the router sees; who really owns an SPI is known only to
 * the accounting. Deterministic: a run is the same on every machine.
 * world.c has time and chance, net.c the way of a packet, ike.c exchanges,
 * traffic.c the flows, scene.c who does what when, account.c the figures, and
 * policy_pair.c the policy as the module uses it.
 */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>
#include <stdlib.h>

#include "pure.h"

#define MS		1000u		/* simulator time is in us */
#define SEC		1000000u
#define MAX_CLIENTS	256
#define MAX_FLOWS	(8 * MAX_CLIENTS)
#define MAX_GEN		48
#define LASTING		(10 * SEC)

typedef u64 us_t;

struct rng {
	u64 s;
};

enum kind { PING, RR, LAZY, DOWN, UP, VOICE, PUSH, ONEWAY, N_KIND };

/* An SA pair of a flow. */
struct gen {
	u32 in, out;			/* SPIs as the router sees them */
	u32 seq_in, seq_out;
	us_t bad_since, bad_last;	/* the packet's owner was not reached */
	u32 bad_n, bad_other;
	bool bad_ever;			/* for longer than LASTING */
};

struct flow {
	struct rng rng;
	struct gen g[MAX_GEN];
	us_t idle;			/* from the SA to the first packet */
	us_t first_at;			/* first packet of either side */
	us_t ttp;			/* from first packet to first answer */
	us_t gone_at;			/* the client vanishes */
	u32 client, extra, interval;
	u8 kind, cgen, ggen, gens;
	bool up, started, begun, dead, waits;
	/* transport */
	u32 id, acked, rto, left, wnd, inflight, got, timer;
	us_t quiet_until;
};

struct client {
	u32 lan;			/* us, one way */
	u32 flow[8];
	u8 nflow;
	bool seen;			/* by the router, since it forgot */
	bool wrong, wrong_end;
};

enum evt {
	EV_TIMER, EV_R_OUT, EV_GW, EV_GW_SEND, EV_R_IN, EV_CLIENT,
	EV_USE_C, EV_USE_G, EV_REKEY, EV_START, EV_BOOT, EV_FORGET, EV_SPOOF, EV_EVIL,
	EV_IKE,
};

struct ev {
	us_t at;
	u32 no;
	u16 type;
	u16 f;
	u32 spi, seq, a, b;
};

struct network {
	const char *name;
	u32 rtt, jitter, spike;		/* ms; rtt 0: of the first model */
};

enum hostile { H_NONE, H_SPOOF, H_REPEAT, H_SPIS, H_ANSWERS };

struct scene {
	const char *name;
	u32 secs;			/* length of a run */
	u32 rekey;			/* mean seconds between, 0: none */
	u32 gw_first;			/* per cent that the gateway speaks first */
	u32 idle;			/* up to so many seconds to the first packet */
	u32 flows;			/* SAs of a client */
	u32 eap;			/* more rounds of IKE_AUTH */
	u32 slow;			/* gateway computes up to so many ms */
	u32 ping;			/* nothing but pings, so many ms apart */
	u32 spread;			/* clients start within so many s, not one */
	bool waits;			/* clients that only answer */
	bool one_way, idle_sa, boot, forget, vanish;
};

struct result {
	u64 clients, expect, up, wrong, wrong_end;
	u64 in, lost, silent, copies;
	u64 spis, paired;		/* inbound ones in use at the end, with their pin */
	double cpu;
	u32 n_ttp;
	u32 *ttp;			/* ms */
};

/**
 * struct policy - what stands in the router
 * @reset: all is forgotten
 * @ask: a request that makes an SA passes
 * @made: its response passed
 * @round_trip: of a message of IKE that was answered at once
 * @out: an ESP packet
 * @in: an ESP packet; fills the receivers, returns how many
 * @owner: the client that an inbound SPI is pinned to, -1: none
 */
struct policy {
	const char *name;
	void (*reset)(void);
	void (*ask)(u32 c, bool again);
	void (*made)(u32 c);
	void (*round_trip)(u32 ms);
	void (*out)(u32 c, u32 spi);
	int (*in)(u32 spi, int *to);
	int (*owner)(u32 spi);
};

#define MAX_TO	(1 + 64)

extern const struct policy policy_pair;
extern const struct network networks[];
extern const struct scene scenes[];

extern struct options {
	u32 clients, runs, seed, from, secs, tick, spoof;
	double loss;
	bool ike, trace;
	const struct network *net;
	const struct scene *scene;
	enum hostile hostile;
} opt;

extern struct world {
	struct rng rng;
	struct flow flow[MAX_FLOWS];
	struct client client[MAX_CLIENTS];
	u32 nflow, nclient;
	u32 wan, jitter;		/* us, one way */
	us_t spike_at, spike_end;
	us_t now, end, down_until;
	u32 base;			/* the router's clock at 0, ms */
	struct result *res;
} w;

/* world.c */
u32 rnd(struct rng *r);
void rng_seed(struct rng *r, u64 a, u64 b);
u32 between(struct rng *r, u32 lo, u32 hi);
bool chance(struct rng *r, double p);
u32 exp_ish(struct rng *r, u32 mean);
void event_push(us_t at, int type, u32 f, u32 spi, u32 seq, u32 a, u32 b);
bool event_pop(struct ev *out);
void queue_reset(void);
u32 ms_now(void);
void truth_reset(void);
bool truth_get(u32 spi, u32 *flow, u32 *gen);
u32 gen_new(struct flow *f);

/* net.c */
enum { K_REQ = 1, K_RESP, K_DATA, K_ACK, K_PLAIN };
us_t wan_delay(struct rng *r);
void r_out(const struct ev *e);
void r_in(const struct ev *e);
void c_send(struct flow *f, u32 kind, u32 id);
void g_send(struct flow *f, u32 kind, u32 id);

/* ike.c */
void ike_reset(void);
void ike_begin(struct flow *f, bool from_gw, bool first);
void ike_step(u32 exchange);
void on_rekey(struct flow *f);
void ike_repeat_for_ever(u32 c);

/* traffic.c */
void set_timer(struct flow *f, u32 us);
void on_timer(struct flow *f, u32 no);
void on_gw(struct flow *f, const struct ev *e);
void on_gw_send(struct flow *f, const struct ev *e);
void on_client(struct flow *f, const struct ev *e);
void flow_begin(struct flow *f);
void gw_begin(struct flow *f);
void is_up(struct flow *f);

/* scene.c */
void plan_run(u64 run);
void event_dispatch(struct ev *e);
void evil_got(u32 spi);

/* account.c */
void count_delivery(u32 spi, const int *to, int n);
void tally_run(struct result *r);

#endif
