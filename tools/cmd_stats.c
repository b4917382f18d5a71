// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass stats: the counters of each protocol.
 */
#include <stdlib.h>

#include "cli.h"

static struct command stats_command;

static void print_counter(struct out *o, const struct proto *p, const struct counter *c)
{
	out_string(o, NULL, "PROTO", p->name);
	out_string(o, NULL, "COUNTER", c->name);
	out_number(o, c->name, "VALUE", c->value);
	out_row(o);
}

static void print_proto(struct out *o, const struct proto *p)
{
	size_t i;

	out_object(o, NULL);
	if (o->json)
		out_string(o, "proto", NULL, p->name);
	out_object(o, "counters");
	for (i = 0; i < p->n_counters; i++)
		print_counter(o, p, &p->counters[i]);
	out_object_end(o);
	out_object_end(o);
}

static int stats_run(struct context *ctx, int argc, char **argv)
{
	static const char *const columns[] = { "PROTO", "COUNTER", ">VALUE", NULL };
	const char *which = argc ? argv[0] : NULL;
	const struct nlmsghdr *pos = NULL;
	struct replies replies = {};
	struct proto proto;
	int ret;

	if (argc > 1)
		return usage_error(&stats_command, "too many arguments: %s", argv[1]);
	if (which && !proto_plausible(which))
		return usage_error(&stats_command, "not a protocol: %s", which);
	out_columns(&ctx->out, columns);
	out_list(&ctx->out, NULL);
	ret = protos_fetch(ctx, which, &replies);
	while (!ret && protos_next(&replies, which, &pos, &proto)) {
		print_proto(&ctx->out, &proto);
		proto_free(&proto);
	}
	replies_free(&replies);
	return ret;
}

static void stats_complete(struct context *ctx, int argc, char **argv)
{
	if (argc == 1)
		suggest_protos(ctx, argv[0]);
}

static struct command stats_command = {
	.name = "stats",
	.rank = 40,
	.usage = "[PROTO]",
	.summary = "show the counters",
	.run = stats_run,
	.complete = stats_complete,
};

COMMAND(stats_command)
