// SPDX-License-Identifier: GPL-2.0
/* Traffic through the SAs. */
#include "sim.h"

static us_t from_now(us_t us)
{
	return w.now + us;
}

void set_timer(struct flow *f, u32 us)
{
	event_push(w.now + us, EV_TIMER, (u32)(f - w.flow), 0, 0, ++f->timer, 0);
}

static void rr_request(struct flow *f)
{
	c_send(f, K_REQ, f->id);
	set_timer(f, f->rto);
}

static u32 rto_base(struct flow *f)
{
	return f->up ? max(300u * MS, 3 * (2 * w.wan + f->extra)) : SEC;
}

/* Sender of a bulk transfer: client (UP) or gateway (DOWN). */
static void bulk_send(struct flow *f)
{
	while (f->left && f->inflight < f->wnd) {
		f->left--;
		f->inflight++;
		if (f->kind == UP)
			c_send(f, K_DATA, ++f->id);
		else
			g_send(f, K_DATA, ++f->id);
	}
}

static void on_timer_rr(struct flow *f)
{
	if (f->acked == f->id) {
		f->id++;
		f->rto = rto_base(f);
	} else {
		f->rto = min(2 * f->rto, 16 * SEC);
	}
	rr_request(f);
}

/* The client asks until data flows, then the server's time-out resends. */
static void on_timer_down(struct flow *f)
{
	if (!f->started || !f->left) {
		c_send(f, K_REQ, 0);
		f->rto = f->started ? SEC : min(2 * f->rto, 16 * SEC);
	} else {
		f->left += f->inflight;
		f->inflight = 0;
		f->wnd = 1;
		f->rto = min(2 * f->rto, 8 * SEC);
		bulk_send(f);
	}
	set_timer(f, f->rto);
}

static void on_timer_up(struct flow *f)
{
	f->left = f->left + f->inflight ? f->left + f->inflight :
		between(&f->rng, 200, 1200);
	f->inflight = 0;
	f->wnd = 1;
	f->rto = min(2 * f->rto, 8 * SEC);
	bulk_send(f);
	set_timer(f, f->rto);
}

/* Calls of some seconds, 50 packets a second both ways. */
static void on_timer_voice(struct flow *f)
{
	c_send(f, K_PLAIN, 0);
	if (f->left) {
		f->left--;
		set_timer(f, 20 * MS);
	} else {
		f->left = between(&f->rng, 100, 300);
		set_timer(f, between(&f->rng, 2, 12) * SEC);
	}
}

void on_timer(struct flow *f, u32 no)
{
	if (no != f->timer)
		return;
	switch (f->kind) {
	case PING:
		c_send(f, K_REQ, ++f->id);
		set_timer(f, f->interval + between(&f->rng, 0, 2 * MS));
		break;
	case RR:
	case LAZY:
		on_timer_rr(f);
		break;
	case DOWN:
		on_timer_down(f);
		break;
	case UP:
		on_timer_up(f);
		break;
	case VOICE:
		on_timer_voice(f);
		break;
	case PUSH:
		if (f->id++ < 3 && !f->up) {
			c_send(f, K_REQ, 0);
			set_timer(f, SEC);
		}
		break;
	case ONEWAY:
		c_send(f, K_PLAIN, 0);
		set_timer(f, exp_ish(&f->rng, 700 * MS) + 10 * MS);
		break;
	}
}

static void gw_push(struct flow *f)
{
	event_push(w.now + f->extra + 100, EV_GW_SEND, (u32)(f - w.flow), 0, 0, K_RESP, 0);
}

static void on_gw_down(struct flow *f, const struct ev *e)
{
	if (e->a == K_REQ && !f->started) {
		f->started = true;
		f->left = between(&f->rng, 200, 1200);
		f->wnd = 4;
		f->inflight = 0;
		event_push(w.now + f->extra, EV_GW_SEND, e->f, 0, 0, 0, 0);
	} else if (e->a == K_REQ && !f->left && !f->inflight) {
		f->left = between(&f->rng, 200, 1200);
		bulk_send(f);
	} else if (e->a == K_ACK) {
		f->inflight = f->inflight > 2 ? f->inflight - 2 : 0;
		f->wnd = min(f->wnd + 1, 12u);
		f->rto = rto_base(f);
		bulk_send(f);
		set_timer(f, f->left + f->inflight ? f->rto :
			  between(&f->rng, 1, 8) * SEC);
	}
}

/* The gateway got a packet of the flow: let the server act. */
void on_gw(struct flow *f, const struct ev *e)
{
	u32 i, n;

	if (f->dead || w.now < w.down_until)
		return;
	switch (f->kind) {
	case PING:
	case RR:
	case LAZY:
		n = f->kind == PING ? 1 : 1 + (e->b % 4 == 0) * 2;
		for (i = 0; i < n && e->a == K_REQ; i++)
			event_push(w.now + f->extra + i * 150, EV_GW_SEND, e->f, 0, 0,
				   i + 1 == n ? K_RESP : K_DATA, e->b);
		break;
	case DOWN:
		on_gw_down(f, e);
		break;
	case UP:
		if (e->a == K_DATA && (++f->got <= 2 || f->got % 2 == 0))
			g_send(f, K_ACK, 0);
		break;
	case VOICE:
		if (w.now > f->quiet_until)
			gw_push(f);
		f->quiet_until = w.now + 200 * MS;
		break;
	case PUSH:
		if (!f->started) {
			f->started = true;
			gw_push(f);
		}
		break;
	}
}

void on_gw_send(struct flow *f, const struct ev *e)
{
	if (e->a == K_PLAIN) {		/* the gateway speaks first, like a SYN */
		if (f->up || f->id > 0 || e->b > 4)
			return;
		g_send(f, K_PLAIN, 0);
		event_push(w.now + (SEC << e->b), EV_GW_SEND, e->f, 0, 0, K_PLAIN, e->b + 1);
		return;
	}
	switch (f->kind) {
	case DOWN:
		f->rto = rto_base(f);
		bulk_send(f);
		set_timer(f, f->rto);
		break;
	case VOICE:
	case PUSH:
		if (f->kind == VOICE && w.now > f->quiet_until)
			break;
		g_send(f, K_DATA, 0);
		event_push(w.now + (f->kind == VOICE ? 20 * MS : f->interval), EV_GW_SEND,
			   e->f, 0, 0, K_RESP, 0);
		break;
	default:
		g_send(f, e->a, e->b);
	}
}

void is_up(struct flow *f)
{
	if (f->up)
		return;
	f->up = true;
	f->ttp = w.now - f->first_at;
}

static void on_client_rr(struct flow *f, const struct ev *e)
{
	if (e->a == K_DATA || e->a == K_RESP)
		c_send(f, K_ACK, e->b);
	if (e->a == K_RESP && e->b == f->id && f->acked != f->id) {
		f->acked = f->id;
		set_timer(f, exp_ish(&f->rng, f->interval) + MS);
	}
}

void on_client(struct flow *f, const struct ev *e)
{
	if (f->gone_at && w.now > f->gone_at)
		return;
	is_up(f);
	if (e->a == K_PLAIN && f->waits) {
		f->waits = false;
		c_send(f, K_ACK, 0);
		set_timer(f, between(&f->rng, MS, 20 * MS));
		return;
	}
	switch (f->kind) {
	case RR:
	case LAZY:
		on_client_rr(f, e);
		break;
	case DOWN:
		if (++f->got % 2 == 0 || f->wnd < 3)
			c_send(f, K_ACK, e->b);
		break;
	case UP:
		f->inflight = f->inflight > 2 ? f->inflight - 2 : 0;
		f->wnd = min(f->wnd + 1, 12u);
		f->rto = rto_base(f);
		bulk_send(f);
		set_timer(f, f->left + f->inflight ? f->rto :
			  between(&f->rng, 1, 8) * SEC);
		break;
	}
}

/* The client has its first SA: traffic begins, at once or after a while. */
void flow_begin(struct flow *f)
{
	u32 fi = (u32)(f - w.flow);

	if (f->begun)
		return;
	f->begun = true;
	if (f->waits)
		event_push(from_now(f->idle + between(&f->rng, 15, 25) * SEC), EV_TIMER, fi,
			   0, 0, 0, 0);
	else
		event_push(from_now(f->idle + 200), EV_TIMER, fi, 0, 0, 0, 0);
	if (opt.scene->rekey && f->kind != ONEWAY)
		event_push(from_now(SEC + exp_ish(&f->rng, opt.scene->rekey * SEC)), EV_REKEY,
			   fi, 0, 0, 0, 0);
}

/* The gateway has the first SA. */
void gw_begin(struct flow *f)
{
	u32 fi = (u32)(f - w.flow);

	f->dead = false;
	if (f->kind == PUSH && chance(&f->rng, 0.5) && !f->started) {
		f->started = true;
		event_push(from_now(f->idle + between(&f->rng, 0, 300) * MS), EV_GW_SEND, fi,
			   0, 0, K_RESP, 0);
	} else if (f->kind != ONEWAY &&
		   (f->waits || chance(&f->rng, opt.scene->gw_first / 100.0))) {
		event_push(from_now(f->idle), EV_GW_SEND, fi, 0, 0, K_PLAIN, 0);
	}
}
