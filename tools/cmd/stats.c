// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass stats: the counters of each protocol.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

struct request {
	const char *which;
	bool prometheus;
};

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

static void print_protos(struct out *o, const struct replies *r, const char *which)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;

	while (protos_next(r, which, &pos, &proto)) {
		print_proto(o, &proto);
		proto_free(&proto);
	}
}

static int parse(struct request *request, int argc, char **argv)
{
	for (; argc > 0; argc--, argv++) {
		if (!strcmp(argv[0], "--prometheus")) {
			request->prometheus = true;
			continue;
		}
		if (request->which)
			return usage_error(&stats_command, "too many arguments: %s", argv[0]);
		if (!proto_plausible(argv[0]))
			return proto_usage(&stats_command, argv[0]);
		request->which = argv[0];
	}
	return EXIT_OK;
}

/* Sessions are for CAP_NET_ADMIN only; without it their traffic is left out. */
static int print_metrics(struct context *ctx, const char *which)
{
	struct replies protos = {}, sessions = {};
	int ret = protos_fetch(ctx, which, &protos);
	bool known = false;

	if (!ret) {
		nl_request(&ctx->nl, VPNPASS_CMD_SESSION_GET, true);
		known = !nl_talk(&ctx->nl, &sessions);
		prometheus_print(ctx->out.file, &protos, known ? &sessions : NULL, which);
	} else if (ret == EXIT_REFUSED) {
		prometheus_print_down(ctx->out.file);
	}
	replies_free(&protos);
	replies_free(&sessions);
	return ret;
}

static int stats_run(struct context *ctx, int argc, char **argv)
{
	static const char *const columns[] = { "PROTO", "COUNTER", ">VALUE", NULL };
	struct request request = {};
	struct replies replies = {};
	int ret;

	ret = parse(&request, argc, argv);
	if (ret)
		return ret;
	if (request.prometheus && ctx->out.json)
		return usage_error(&stats_command, "--prometheus and -j exclude each other");
	if (request.prometheus)
		return print_metrics(ctx, request.which);
	out_columns(&ctx->out, columns);
	out_list(&ctx->out, NULL);
	ret = protos_fetch(ctx, request.which, &replies);
	if (!ret)
		print_protos(&ctx->out, &replies, request.which);
	replies_free(&replies);
	return ret;
}

static void stats_complete(struct context *ctx, int argc, char **argv)
{
	const char *last = argv[argc - 1];

	if (argc <= 2)
		suggest_word(last, "--prometheus");
	if (argc == 1 || (argc == 2 && !strcmp(argv[0], "--prometheus")))
		suggest_protos(ctx, last);
}

static const char *const stats_options[] = { "--prometheus", NULL };

const struct command stats_command = {
	.name = "stats",
	.usage = "[PROTO] [--prometheus]",
	.summary = "show the counters",
	.details = "--prometheus is for the textfile collector of its node exporter.\n",
	.options = stats_options,
	.run = stats_run,
	.complete = stats_complete,
};
