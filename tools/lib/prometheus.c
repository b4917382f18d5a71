// SPDX-License-Identifier: GPL-2.0
/*
 * The protocols in Prometheus' text exposition format 0.0.4, for the textfile
 * collector of its node exporter. All samples of a metric
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

/* A sample for each state, 1 for the one that the switch is in. */
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

/* A setting that bounds something is a limit, too: an alert compares it. */
static void print_settings(FILE *f, const struct protos *p, const char *metric, const char *label,
			   const char *prefix, const char *help)
{
	size_t i, k;

	print_head(f, metric, "", "gauge", help);
	for (i = 0; i < p->n; i++) {
		for (k = 0; k < p->list[i].n_settings; k++) {
			const struct setting *s = &p->list[i].settings[k];

			if (!s->value.known || strncmp(s->name, prefix, strlen(prefix)))
				continue;
			print_sample(f, metric, "", p->list[i].name);
			fprintf(f, ",%s=\"", label);
			print_label(f, s->name);
			fprintf(f, "\"} %ju\n", s->value.value);
		}
	}
}

/* Traffic of the sessions that there are: a session that ends takes its share along. */
struct traffic {
	uint64_t packets_out, packets_in, bytes_out, bytes_in;
};

static struct traffic traffic_of(const struct replies *sessions, const char *proto)
{
	const struct nlmsghdr *pos = NULL;
	struct traffic t = {};
	struct session s;

	while ((pos = replies_next(sessions, pos))) {
		session_read(&s, pos);
		if (s.proto && !strcmp(s.proto, proto)) {
			t.packets_out += s.packets_out.value;
			t.packets_in += s.packets_in.value;
			t.bytes_out += s.bytes_out.value;
			t.bytes_in += s.bytes_in.value;
		}
		session_free(&s);
	}
	return t;
}

static void print_directions(FILE *f, const char *metric, const char *proto, uint64_t out,
			     uint64_t in)
{
	print_sample(f, metric, "", proto);
	fprintf(f, ",direction=\"out\"} %ju\n", out);
	print_sample(f, metric, "", proto);
	fprintf(f, ",direction=\"in\"} %ju\n", in);
}

static void print_traffic(FILE *f, const struct protos *p, const struct replies *sessions)
{
	struct traffic t;
	size_t i;

	print_head(f, "session_packets", "", "gauge", "Packets of the sessions that there are now");
	for (i = 0; i < p->n; i++) {
		t = traffic_of(sessions, p->list[i].name);
		print_directions(f, "session_packets", p->list[i].name, t.packets_out,
				 t.packets_in);
	}
	print_head(f, "session_bytes", "", "gauge", "Bytes of the sessions that there are now");
	for (i = 0; i < p->n; i++) {
		t = traffic_of(sessions, p->list[i].name);
		print_directions(f, "session_bytes", p->list[i].name, t.bytes_out, t.bytes_in);
	}
}

static void print_build(FILE *f, bool up)
{
	print_head(f, "up", "", "gauge", "Whether the kernel module is loaded and answers");
	fprintf(f, "vpnpass_up %d\n", up);
	print_head(f, "build_info", "", "gauge", "Version of the tool, always 1");
	fprintf(f, "vpnpass_build_info{version=\"" VPNPASS_VERSION "\"} 1\n");
}

/**
 * prometheus_print_down - Print that there is nothing to be read.
 * @f: Where to.
 */
void prometheus_print_down(FILE *f)
{
	print_build(f, false);
}

static void print_all(FILE *f, const struct protos *p, const struct replies *sessions)
{
	const struct counter *c;
	size_t i, k;

	if (!p->n)
		return;
	print_modes(f, p);
	print_gauge(f, p, "sessions", "Sessions now", sessions_of);
	print_gauge(f, p, "pins", "Numbers on the fast path now", pins_of);
	print_settings(f, p, "setting", "setting", "", "Value of a setting");
	print_settings(f, p, "limit", "limit", "max_", "Value of a setting that is a limit");
	if (sessions)
		print_traffic(f, p, sessions);
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
 * @sessions: The sessions, NULL if they may not be read.
 * @which: Name that covers them, NULL for all.
 */
void prometheus_print(FILE *f, const struct replies *r, const struct replies *sessions,
		      const char *which)
{
	const struct nlmsghdr *pos = NULL;
	struct protos protos = {};
	struct proto proto;
	size_t i;

	while (protos_next(r, which, &pos, &proto)) {
		protos.list = xgrow(protos.list, protos.n, sizeof(proto));
		protos.list[protos.n++] = proto;
	}
	print_build(f, true);
	print_all(f, &protos, sessions);
	for (i = 0; i < protos.n; i++)
		proto_free(&protos.list[i]);
	free(protos.list);
}
