// SPDX-License-Identifier: GPL-2.0
/*
 * The protocols in Prometheus' text exposition format 0.0.4, for the textfile
 * collector of its node exporter; used by cmd_stats.c. All samples of a metric
 * stand together, so the protocols are gone through once for each.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "counters.h"

struct protos {
	struct proto *list;
	size_t n;
};

/* Letters, digits and underscores are all that a metric's name may have. */
static void print_name(FILE *f, const char *name)
{
	for (; *name; name++)
		fputc(isalnum((unsigned char)*name) ? *name : '_', f);
}

static void print_label(FILE *f, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', f);
		fputc(isprint((unsigned char)*value) ? *value : '?', f);
	}
}

static void print_sample(FILE *f, const char *metric, const char *suffix, const char *proto)
{
	fputs("vpnpass_", f);
	print_name(f, metric);
	fprintf(f, "%s{proto=\"", suffix);
	print_label(f, proto);
	fputc('"', f);
}

static void print_head(FILE *f, const char *metric, const char *suffix, const char *type,
		       const char *help)
{
	fputs("# HELP vpnpass_", f);
	print_name(f, metric);
	fprintf(f, "%s %s.\n# TYPE vpnpass_", suffix, help);
	print_name(f, metric);
	fprintf(f, "%s %s\n", suffix, type);
}

/* One sample for each state, 1 for the one that the switch is in. */
static void print_modes(FILE *f, const struct protos *p)
{
	static const char *const modes[] = { "off", "on", "block" };
	size_t i, m;

	print_head(f, "mode", "", "gauge", "State of the protocol's switch, 1 for the present one");
	for (i = 0; i < p->n; i++) {
		for (m = 0; p->list[i].mode.known && m < ARRAY_SIZE(modes); m++) {
			print_sample(f, "mode", "", p->list[i].name);
			fprintf(f, ",mode=\"%s\"} %d\n", modes[m],
				p->list[i].mode.value == (uint64_t)mode_number(modes[m]));
		}
	}
}

static void print_gauge(FILE *f, const struct protos *p, const char *metric, const char *help,
			struct maybe (*value)(const struct proto *p))
{
	size_t i;

	print_head(f, metric, "", "gauge", help);
	for (i = 0; i < p->n; i++) {
		struct maybe v = value(&p->list[i]);

		if (!v.known)
			continue;
		print_sample(f, metric, "", p->list[i].name);
		fprintf(f, "} %ju\n", v.value);
	}
}

static struct maybe sessions_of(const struct proto *p)
{
	return p->sessions;
}

static struct maybe pins_of(const struct proto *p)
{
	return p->pins;
}

static const struct counter *find(const struct proto *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->n_counters; i++)
		if (p->counters[i].value.known && !strcmp(p->counters[i].name, name))
			return &p->counters[i];
	return NULL;
}

/* Has a protocol before this one, or this one before that place, the counter? */
static bool printed(const struct protos *p, size_t proto, const char *name)
{
	size_t i;

	for (i = 0; i < proto; i++)
		if (find(&p->list[i], name))
			return true;
	return false;
}

static void print_counter(FILE *f, const struct protos *p, const char *name)
{
	const char *help = counter_help(name);
	const struct counter *c;
	size_t i;

	print_head(f, name, "_total", "counter", help ? help : "A counter of the kernel module");
	for (i = 0; i < p->n; i++) {
		c = find(&p->list[i], name);
		if (!c)
			continue;
		print_sample(f, name, "_total", p->list[i].name);
		fprintf(f, "} %ju\n", c->value.value);
	}
}

static void print_all(FILE *f, const struct protos *p)
{
	const struct counter *c;
	size_t i, k;

	if (!p->n)
		return;
	print_modes(f, p);
	print_gauge(f, p, "sessions", "Sessions now", sessions_of);
	print_gauge(f, p, "pins", "Numbers on the fast path now", pins_of);
	for (i = 0; i < p->n; i++) {
		for (k = 0; k < p->list[i].n_counters; k++) {
			c = &p->list[i].counters[k];
			if (find(&p->list[i], c->name) == c && !printed(p, i, c->name))
				print_counter(f, p, c->name);
		}
	}
}

/**
 * prometheus_print - Print protocols for Prometheus.
 * @f: Where to.
 * @r: From protos_fetch().
 * @which: Name that covers them, NULL for all.
 */
void prometheus_print(FILE *f, const struct replies *r, const char *which)
{
	const struct nlmsghdr *pos = NULL;
	struct protos protos = {};
	struct proto proto;
	size_t i;

	while (protos_next(r, which, &pos, &proto)) {
		protos.list = xgrow(protos.list, protos.n, sizeof(proto));
		protos.list[protos.n++] = proto;
	}
	print_all(f, &protos);
	for (i = 0; i < protos.n; i++)
		proto_free(&protos.list[i]);
	free(protos.list);
}
