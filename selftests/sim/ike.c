// SPDX-License-Identifier: GPL-2.0
/*
 * Exchanges of IKE that make SAs. A lost message is sent again after 2 s. The
 * policy sees each message as it passes, when IKE is in sight at all.
 */
#include "sim.h"

#define RETRANS	(2 * SEC)
#define N_X	65536

enum step { X_REQ, X_AT_PEER, X_RESP, X_BACK };

struct exchange {
	us_t asked, passed;
	u32 flow, gen;
	u8 step, rounds;		/* messages before the last; INIT is the first */
	bool from_gw, first, init, again, made, used;
};

static struct exchange x_of[N_X];
static u32 n_x;

void ike_reset(void)
{
	n_x = 0;
}

static void next(struct exchange *x, us_t at, enum step step)
{
	x->step = step;
	event_push(at, EV_IKE, 0, (u32)(x - x_of), 0, x->asked & 0xffffffff, 0);
}

/* A request is sent; from a client it has the way to the router before it. */
static void send_request(struct exchange *x)
{
	struct flow *f = &w.flow[x->flow];
	us_t at = w.now + (x->from_gw ? wan_delay(&f->rng) : w.client[f->client].lan);

	x->asked = w.now;
	next(x, at, X_REQ);
}

static void lost(struct exchange *x)
{
	x->again = true;
	x->step = X_REQ;
	event_push(w.now + RETRANS, EV_IKE, 0, (u32)(x - x_of), 0, 0, 0);
}

void ike_begin(struct flow *f, bool from_gw, bool first)
{
	struct exchange *x = &x_of[n_x++];

	if (n_x == N_X)
		abort();
	*x = (struct exchange) {
		.flow = (u32)(f - w.flow), .from_gw = from_gw, .first = first,
		.init = first, .rounds = first ? opt.scene->eap : 0,
	};
	send_request(x);
}

static void at_router(struct exchange *x)
{
	struct flow *f = &w.flow[x->flow];

	x->passed = w.now;
	if (opt.ike && !x->init) {
		w.client[f->client].seen = true;
		policy_pair.ask(f->client, x->again);
	}
	if (x->from_gw) {
		next(x, w.now + 2 * w.client[f->client].lan, X_RESP);
		return;
	}
	if (chance(&f->rng, opt.loss))
		lost(x);
	else
		next(x, w.now + wan_delay(&f->rng), X_AT_PEER);
}

static bool make_sa(struct exchange *x, struct flow *f)
{
	if (x->made)
		return true;
	if (f->gens == MAX_GEN || (f->dead && !x->first))
		return false;
	x->gen = gen_new(f);
	x->made = true;
	return true;
}

static u32 compute(struct exchange *x, struct flow *f)
{
	u32 ms = opt.scene->slow;

	if (!ms || x->init)
		return between(&f->rng, 200, 3000);
	return between(&f->rng, 100 * MS, ms * MS);
}

static void gw_uses(struct exchange *x, struct flow *f, us_t at)
{
	if (x->used)
		return;
	x->used = true;
	event_push(at + (x->first ? 0 : between(&f->rng, 0, 2 * w.wan)), EV_USE_G, x->flow, 0,
		   0, x->gen, x->first);
}

static void client_uses(struct exchange *x, struct flow *f, us_t at)
{
	event_push(at + (x->first ? 0 : between(&f->rng, 0, 2 * w.wan)), EV_USE_C, x->flow, 0,
		   0, x->gen, x->first);
}

/* The gateway has a client's request: it answers, and may speak at once. */
static void at_gateway(struct exchange *x)
{
	struct flow *f = &w.flow[x->flow];
	u32 us = compute(x, f);
	us_t at = w.now + us;

	if (w.now < w.down_until) {
		lost(x);
		return;
	}
	if (!x->init && !x->rounds) {
		if (!make_sa(x, f))
			return;
		gw_uses(x, f, at + 50);
	}
	if (chance(&f->rng, opt.loss))
		lost(x);
	else
		next(x, at + wan_delay(&f->rng), X_RESP);
}

/* The response passes the router, or a client's on its way out does. */
static void response(struct exchange *x)
{
	struct flow *f = &w.flow[x->flow];
	us_t at = w.now + w.client[f->client].lan;

	if (opt.ike && !x->again && !x->from_gw && (x->init || !x->first))
		policy_pair.round_trip((u32)((w.now - x->passed) / MS));
	if (x->from_gw && !make_sa(x, f))
		return;
	if (opt.ike && !x->init)
		policy_pair.made(f->client);
	if (x->from_gw) {
		client_uses(x, f, w.now);
		at = w.now + wan_delay(&f->rng);
		gw_uses(x, f, at + (chance(&f->rng, opt.loss) ? RETRANS : 0));
		return;
	}
	if (x->init || x->rounds) {
		x->rounds -= !x->init;
		x->init = false;
		x->again = false;
		next(x, at, X_BACK);
	} else {
		client_uses(x, f, at);
	}
}

void ike_step(u32 no)
{
	struct exchange *x = &x_of[no];

	switch (x->step) {
	case X_REQ:
		at_router(x);
		break;
	case X_AT_PEER:
		at_gateway(x);
		break;
	case X_RESP:
		response(x);
		break;
	case X_BACK:
		send_request(x);
		break;
	}
}

/* Both sides change to a new pair, one some way before the other. */
void on_rekey(struct flow *f)
{
	u32 mean = opt.scene->rekey;

	if (f->begun && f->gens)
		if (!f->dead && f->cgen == f->ggen && f->gens < MAX_GEN)
			ike_begin(f, chance(&f->rng, 0.45), false);
	event_push(w.now + 2 * SEC + exp_ish(&f->rng, mean * SEC), EV_REKEY,
		   (u32)(f - w.flow), 0, 0, 0, 0);
}

/* A client that repeats one IKE_AUTH which is never answered. */
void ike_repeat_for_ever(u32 c)
{
	static bool again;

	if (opt.ike)
		policy_pair.ask(c, again);
	again = true;
}
