// SPDX-License-Identifier: GPL-2.0
/* Networks, scenes, and those who mean harm. */
#include "sim.h"

const struct network networks[] = {
	{ "model", 0, 0, 0 },		/* RTT 0.5..80 ms, jitter 5 % */
	{ "20/20", 20, 20, 0 },
	{ "60/60", 60, 60, 0 },
	{ "300/10", 300, 10, 0 },
	{ "650/30", 650, 30, 0 },
	{ "lte", 50, 10, 300 },		/* and stalls of up to 600 ms */
	{ NULL },
};

const struct scene scenes[] = {
	{ "mix", 60, 300, 50, .flows = 1 },
	{ "client-first", 60, 300, 0, .flows = 1 },
	{ "gateway-first", 60, 300, 100, .flows = 1, .waits = true },
	{ "idle", 240, 300, 50, .idle = 180, .flows = 1 },
	{ "one-way", 60, 300, 50, .flows = 1, .one_way = true },
	{ "two-sas", 60, 300, 50, .flows = 2, .idle_sa = true },
	{ "rekey-20s", 120, 20, 50, .flows = 1 },
	{ "gateway-boot", 60, 300, 50, .flows = 1, .boot = true },
	{ "mid-life", 60, 300, 50, .flows = 1, .forget = true },
	{ "vanish", 90, 300, 50, .flows = 1, .vanish = true },
	{ "eap", 60, 300, 50, .flows = 1, .eap = 4 },
	{ "slow-gateway", 60, 300, 50, .flows = 1, .slow = 2000 },
	{ "pings-1s", 60, 0, 0, .flows = 1, .forget = true, .ping = 1000 },
	{ "pings-200ms", 60, 0, 0, .flows = 1, .forget = true, .ping = 200 },
	{ "pings-in-turn", 60, 0, 0, .flows = 1, .ping = 200, .spread = 30 },
	{ NULL },
};

static const u8 kind_share[N_KIND] = { 34, 30, 10, 8, 4, 4, 5, 5 };
static const u8 one_way_share[N_KIND] = { 20, 20, 5, 5, 0, 0, 25, 25 };
static u32 evil_spi[3 * MAX_CLIENTS], evil_no;
static struct rng evil;

static void plan_flow(u32 ci, us_t start, u64 run, bool idle)
{
	const u8 *share = opt.scene->one_way ? one_way_share : kind_share;
	u32 fi = w.nflow++, x = between(&w.rng, 0, 99), k;
	struct flow *f = &w.flow[fi];

	memset(f, 0, sizeof(*f));
	rng_seed(&f->rng, opt.seed * 1000003ull + run, 7919ull * (fi + 1));
	for (k = 0; k < N_KIND - 1 && x >= share[k]; k++)
		x -= share[k];
	if (opt.scene->ping)
		k = PING;
	f->kind = (u8)k;
	f->client = ci;
	f->extra = chance(&w.rng, 0.3) ? between(&w.rng, 0, 40 * MS) :
		between(&w.rng, 0, 2 * MS);
	f->interval = k == PING ? (chance(&w.rng, 0.8) ? SEC : SEC / 5) :
		k == RR ? 400 * MS : k == LAZY ? 5 * SEC :
		between(&w.rng, 50, 400) * MS;
	if (opt.scene->ping)
		f->interval = opt.scene->ping * MS;
	f->rto = SEC / 2;
	f->left = k == VOICE ? 200 : 0;
	f->dead = true;
	f->idle = (u64)SEC * between(&w.rng, opt.scene->idle / 30, opt.scene->idle);
	if (idle)
		f->idle = between(&w.rng, 20, 50) * SEC;
	f->waits = opt.scene->waits && k != ONEWAY && chance(&w.rng, 0.5);
	if (opt.scene->vanish && chance(&w.rng, 0.15))
		f->gone_at = between(&w.rng, 10, 30) * SEC;
	w.client[ci].flow[w.client[ci].nflow++] = fi;
	event_push(start, EV_START, fi, 0, 0, 0, 0);
}

static void plan_network(void)
{
	const struct network *n = opt.net;

	if (n->rtt) {
		w.jitter = n->jitter * MS;
		w.wan = n->rtt * MS / 2 - min(w.jitter / 2, n->rtt * MS / 2);
		return;
	}
	w.wan = (chance(&w.rng, 0.7) ? between(&w.rng, 5 * MS, 80 * MS) :
				       between(&w.rng, MS / 2, 5 * MS)) / 2;
	w.jitter = w.wan / 20 + min(w.wan / 5, 200u);
}

static u32 evil_every(void)
{
	switch (opt.hostile) {
	case H_SPOOF:
		return SEC / opt.spoof;
	case H_REPEAT:
		return SEC / 5;
	case H_SPIS:
		return SEC / 40;
	default:
		return 0;
	}
}

/* In the scene of several SAs a client's second one is idle at first; of ours in
 * every scene one client in twelve has two.
 */
void plan_run(u64 run)
{
	u32 i, k;

	rng_seed(&w.rng, opt.seed, run);
	rng_seed(&evil, opt.seed + 77, run);
	plan_network();
	w.base = chance(&w.rng, 0.2) ? 0u - 15000u : rnd(&w.rng);
	w.nclient = opt.clients;
	w.nflow = 0;
	w.spike_at = 0;
	w.spike_end = 0;
	w.down_until = 0;
	for (i = 0; i < w.nclient; i++) {
		us_t start = between(&w.rng, 1, SEC) * (opt.scene->spread ? opt.scene->spread : 1);

		memset(&w.client[i], 0, sizeof(w.client[i]));
		w.client[i].lan = between(&w.rng, 200, 5 * MS);
		plan_flow(i, start, run, false);
		for (k = 1; k < opt.scene->flows; k++)
			plan_flow(i, start + between(&w.rng, 0, 500) * MS, run,
				  opt.scene->idle_sa);
		if (opt.scene->flows == 1 && chance(&w.rng, 0.08))
			plan_flow(i, start + between(&w.rng, 0, 10) * SEC, run, false);
	}
	if (opt.scene->boot)
		event_push(between(&w.rng, 10, 20) * SEC, EV_BOOT, 0, 0, 0, 0, 0);
	if (opt.scene->forget)
		event_push(15 * SEC, EV_FORGET, 0, 0, 0, 0, 0);
	for (i = 0; i < 3 * w.nclient; i++)
		evil_spi[i] = rnd(&evil) | 256;
	evil_no = 0;
	if (evil_every())
		event_push(SEC / 10, EV_SPOOF, 0, 0, 0, 0, 0);
}

/* The gateway forgot everything; clients notice and start anew. */
static void on_boot(void)
{
	u32 i;

	w.down_until = w.now + 2 * SEC;
	for (i = 0; i < w.nflow; i++) {
		w.flow[i].dead = true;
		event_push(w.down_until + between(&w.rng, 0, 3000) * MS, EV_START, i, 0, 0, 0, 0);
	}
}

static void on_evil(void)
{
	int to[MAX_TO];

	if (opt.hostile == H_SPOOF) {
		policy_pair.in(evil_spi[evil_no++ % (3 * w.nclient)], to);
	} else if (opt.hostile == H_SPIS) {
		policy_pair.out(0, rnd(&evil) | 256);
	} else if (opt.hostile == H_REPEAT) {
		ike_repeat_for_ever(0);
	}
	event_push(w.now + evil_every(), EV_SPOOF, 0, 0, 0, 0, 0);
}

/* Client 0 answers whatever it is given, on SPIs of its own. */
void evil_got(u32 spi)
{
	u32 f, g;

	if (truth_get(spi, &f, &g) && w.flow[f].client == 0)
		return;
	event_push(w.now + 2 * w.client[0].lan, EV_EVIL, 0, spi ^ 0x5a5a5a5a, 0, 0, 0);
}

static void on_start(struct flow *f)
{
	if (f->gone_at && w.now > f->gone_at)
		return;
	ike_begin(f, false, true);
}

static void use_c(struct flow *f, u32 gen, bool first)
{
	if (first || gen > f->cgen)
		f->cgen = (u8)gen;
	flow_begin(f);
	if (first && f->kind == PUSH && !f->up) {
		f->id = 0;
		set_timer(f, MS);
	}
}

static void use_g(struct flow *f, u32 gen, bool first)
{
	if (first || gen > f->ggen)
		f->ggen = (u8)gen;
	if (first)
		gw_begin(f);
}

void event_dispatch(struct ev *e)
{
	struct flow *f = &w.flow[e->f];

	switch (e->type) {
	case EV_TIMER:
		on_timer(f, e->a);
		break;
	case EV_R_OUT:
		r_out(e);
		break;
	case EV_GW:
		on_gw(f, e);
		break;
	case EV_GW_SEND:
		on_gw_send(f, e);
		break;
	case EV_R_IN:
		r_in(e);
		break;
	case EV_CLIENT:
		on_client(f, e);
		break;
	case EV_IKE:
		ike_step(e->spi);
		break;
	case EV_USE_C:
		use_c(f, e->a, e->b);
		break;
	case EV_USE_G:
		use_g(f, e->a, e->b);
		break;
	case EV_REKEY:
		on_rekey(f);
		break;
	case EV_START:
		on_start(f);
		break;
	case EV_BOOT:
		on_boot();
		break;
	case EV_FORGET:
		for (u32 i = 0; i < w.nclient; i++)
			w.client[i].seen = false;
		policy_pair.reset();
		break;
	case EV_SPOOF:
		on_evil();
		break;
	case EV_EVIL:
		policy_pair.out(0, e->spi);
		break;
	}
}
