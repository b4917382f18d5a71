// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass doctor --watch: says what is new, as it comes: VPN packets that come in, findings,
 * and that one of these is no more. Each is written out at once; a line of JSON each.
 */
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"

/* Packets that go on are told once, those that come again after this many seconds anew. */
#define PAUSE_SECONDS	60
#define PACKETS_MAX	256
/* A finding is gone when it is missing so often in a row. */
#define GONE_ROUNDS	2

struct told_packet {
	struct heard heard;
	time_t last;
};

/* Findings of one name and protocol are told apart by their number. */
struct told_finding {
	const char *code;
	char proto[16];
	size_t number;
	int missing;
};

/**
 * struct watch - What was told.
 * @ctx: Context.
 * @to: The host that it is about, NULL for all.
 * @from: The client, likewise.
 * @ear: Open all the time, so that nothing is missed.
 * @packets: Packets that were.
 * @n_packets: How many, over all time; the oldest are forgotten.
 * @findings: Findings that still are.
 * @n_findings: How many.
 * @rounds: How often he has looked.
 */
struct watch {
	struct context *ctx;
	const struct host *to, *from;
	struct ear ear;
	struct told_packet packets[PACKETS_MAX];
	size_t n_packets;
	struct told_finding *findings;
	size_t n_findings, rounds;
};

static volatile sig_atomic_t exit_code = EXIT_OK;

/* All that was told is written already. */
static void stop(int signal)
{
	(void)signal;
	_exit(exit_code);
}

static bool concerns(const struct watch *w, const struct heard *h)
{
	return (!w->to || host_equal(&h->src, w->to) || host_equal(&h->dst, w->to)) &&
	       (!w->from || host_equal(&h->src, w->from) || (w->to && host_equal(&h->src, w->to)));
}

/* Whether it goes on from what was told already. */
static bool is_known(struct watch *w, const struct heard *h)
{
	size_t i, n = w->n_packets < PACKETS_MAX ? w->n_packets : PACKETS_MAX;
	time_t now = time(NULL);
	bool known;

	for (i = 0; i < n; i++) {
		struct told_packet *p = &w->packets[i];

		if (!heard_equal(&p->heard, h))
			continue;
		known = now - p->last < PAUSE_SECONDS;
		p->last = now;
		return known;
	}
	w->packets[w->n_packets++ % PACKETS_MAX] = (struct told_packet){ *h, now };
	return false;
}

static void tell_packet(struct watch *w, const struct heard *h)
{
	const struct vpn *to = vpn_of(h->l4proto, h->dport), *from = vpn_of(h->l4proto, h->sport);
	const struct vpn *vpn = h->look ? h->look : to ? to : from;
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], name[IF_NAMESIZE] = "?";
	struct out *o = &w->ctx->out;
	char stamp[STAMP_SIZE];

	if (h->out || !concerns(w, h) || is_known(w, h))
		return;
	if_indextoname(h->index, name);
	stamp_text(stamp, w->ctx->stamp, stamp_now());
	out_object(o, NULL);
	out_string(o, "event", NULL, "packet");
	stamp_json(w->ctx, stamp_now());
	out_string(o, "proto", NULL, vpn->proto);
	out_string(o, "title", NULL, vpn->title);
	out_string(o, "src", NULL, host_text(&h->src, src));
	out_string(o, "dst", NULL, host_text(&h->dst, dst));
	out_string(o, "interface", NULL, name);
	out_object_end(o);
	out_line(o, 0, "%s %s from %s to %s comes in by %s", stamp, vpn->title, src, dst, name);
	out_flush(o);
}

static const char *proto_of(const struct finding *f)
{
	return f->proto ? f->proto : "";
}

static bool is_same(const struct told_finding *t, const struct finding *f, size_t number)
{
	return !strcmp(t->code, f->code) && !strcmp(t->proto, proto_of(f)) && t->number == number;
}

static void take_finding(struct watch *w, const struct finding *f, size_t number)
{
	struct told_finding *t;
	size_t i;

	for (i = 0; i < w->n_findings; i++)
		if (is_same(&w->findings[i], f, number)) {
			w->findings[i].missing = 0;
			return;
		}
	w->findings = xgrow(w->findings, w->n_findings, sizeof(*w->findings));
	t = &w->findings[w->n_findings++];
	*t = (struct told_finding){ .code = f->code, .number = number };
	snprintf(t->proto, sizeof(t->proto), "%s", proto_of(f));
	finding_print(&w->ctx->out, f, w->ctx);
	out_flush(&w->ctx->out);
	exit_code = EXIT_FOUND;
}

static void tell_gone(struct watch *w, const struct told_finding *t)
{
	struct out *o = &w->ctx->out;
	char stamp[STAMP_SIZE];

	stamp_text(stamp, w->ctx->stamp, stamp_now());
	out_object(o, NULL);
	out_string(o, "event", NULL, "gone");
	stamp_json(w->ctx, stamp_now());
	out_string(o, "id", NULL, t->code);
	out_string(o, "proto", NULL, *t->proto ? t->proto : NULL);
	out_object_end(o);
	out_line(o, 0, "%s gone: %s%s%s%s", stamp, t->code, *t->proto ? " (" : "", t->proto,
		 *t->proto ? ")" : "");
	out_flush(o);
}

/**
 * watch_report - Tell what is new in a report.
 * @w: The watch.
 * @r: The report.
 */
void watch_report(struct watch *w, const struct report *r)
{
	size_t i, k, number, n = 0;

	for (i = 0; i < w->n_findings; i++)
		w->findings[i].missing++;
	for (i = 0; i < r->n_findings; i++) {
		const struct finding *f = &r->findings[i];

		for (number = k = 0; k < i; k++)
			number += !strcmp(r->findings[k].code, f->code) &&
				  !strcmp(proto_of(&r->findings[k]), proto_of(f));
		take_finding(w, f, number);
	}
	for (i = 0; i < w->n_findings; i++) {
		if (w->findings[i].missing < GONE_ROUNDS)
			w->findings[n++] = w->findings[i];
		else
			tell_gone(w, &w->findings[i]);
	}
	w->n_findings = n;
	if (!w->rounds++)
		notes_print(r, &w->ctx->out, w->ctx);
}

/**
 * watch_ear - The ear for one look.
 * @w: The watch.
 * @ear: Filled in; what is heard is told, and its list freed by the caller.
 */
void watch_ear(struct watch *w, struct ear *ear)
{
	*ear = w->ear;
	ear->tell = tell_packet;
	ear->watch = w;
}

/**
 * watch_keep - Keep who refused what for the next looks, as ICMP errors are rare.
 * @w: The watch.
 * @ear: From watch_ear(), after a look.
 */
void watch_keep(struct watch *w, struct ear *ear)
{
	w->ear.refusals = ear->refusals;
	w->ear.n_refusals = ear->n_refusals;
	ear->refusals = NULL;
}

/**
 * watch_new - Begin to watch, until interrupted.
 * @ctx: Context.
 * @to: The host that it is about, NULL for all.
 * @from: The client, likewise.
 */
struct watch *watch_new(struct context *ctx, const struct host *to, const struct host *from)
{
	struct watch *w = xrealloc(NULL, sizeof(*w));
	struct sigaction action = { .sa_handler = stop };

	*w = (struct watch){ .ctx = ctx, .to = to, .from = from };
	/* an event is a line */
	ctx->out.pretty = false;
	ctx->out.width = 0;
	ear_open(&w->ear);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return w;
}
