// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass session: list the VPN sessions that go through, or end them.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static struct command session_command;

struct filter {
	bool flush;
	const char *which;
	struct raw_address client, peer;
};

static int parse_pair(struct filter *f, const char *key, const char *value)
{
	bool proto = word_is(key, "proto"), client = word_is(key, "client");
	struct raw_address *a = client ? &f->client : &f->peer;

	/* "p" is proto, the first of two. */
	if (!proto && !client && !word_is(key, "peer"))
		return usage_error(&session_command, "unknown word %s", key);
	if (!value)
		return usage_error(&session_command, "%s what?", key);
	if (proto ? !!f->which : !!a->length)
		return usage_error(&session_command, "%s given twice", key);
	if (proto && !proto_plausible(value))
		return proto_usage(&session_command, value);
	if (proto)
		f->which = value;
	else if (!address_parse(a, value))
		return usage_error(&session_command, "not an IPv4 or IPv6 address: %s", value);
	return EXIT_OK;
}

static int parse(struct filter *f, int argc, char **argv)
{
	int ret = EXIT_OK;

	if (argc && (word_is(argv[0], "list") || word_is(argv[0], "flush"))) {
		f->flush = word_is(argv[0], "flush");
		argc--;
		argv++;
	}
	for (; !ret && argc > 0; argc -= 2, argv += 2)
		ret = parse_pair(f, argv[0], argc > 1 ? argv[1] : NULL);
	return ret;
}

static void put_filter(struct nlmsghdr *nlh, const struct filter *f, const char *name)
{
	if (name)
		mnl_attr_put_strz(nlh, VPNPASS_A_SESSION_PROTO, name);
	if (f->client.length)
		mnl_attr_put(nlh, VPNPASS_A_SESSION_CLIENT, f->client.length, f->client.bytes);
	if (f->peer.length)
		mnl_attr_put(nlh, VPNPASS_A_SESSION_PEER, f->peer.length, f->peer.bytes);
}

static void print_sessions(struct out *o, const struct replies *r)
{
	const struct nlmsghdr *pos = NULL;
	struct session session;

	while ((pos = replies_next(r, pos))) {
		session_read(&session, pos);
		out_object(o, NULL);
		session_fields(o, &session);
		out_object_end(o);
		out_row(o);
		session_pins_line(o, &session);
		session_free(&session);
	}
}

/* Request for the sessions of one protocol, or of all when name is NULL. */
static int one_request(struct context *ctx, const struct filter *f, const char *name,
		       uint64_t *flushed)
{
	int command = f->flush ? VPNPASS_CMD_SESSION_FLUSH : VPNPASS_CMD_SESSION_GET;
	struct replies replies = {};
	int ret;

	put_filter(nl_request(&ctx->nl, command, !f->flush), f, name);
	ret = nl_talk(&ctx->nl, &replies);
	if (ret)
		nl_complain(&ctx->nl, NULL, ret);
	else if (!f->flush)
		print_sessions(&ctx->out, &replies);
	else if (replies_next(&replies, NULL))
		*flushed += count_read(replies_next(&replies, NULL)).value;
	replies_free(&replies);
	return ret ? EXIT_REFUSED : EXIT_OK;
}

/* The kernel filters by one protocol, so a group takes a request for each. */
static int requests(struct context *ctx, const struct filter *f, uint64_t *flushed)
{
	const struct nlmsghdr *pos = NULL;
	struct replies protos = {};
	struct proto proto;
	int ret;

	if (!f->which || !strcmp(f->which, "all")) {
		ret = cli_connect(ctx, NULL);
		return ret ? ret : one_request(ctx, f, NULL, flushed);
	}
	ret = protos_fetch(ctx, f->which, &protos);
	while (!ret && protos_next(&protos, f->which, &pos, &proto)) {
		ret = one_request(ctx, f, proto.name, flushed);
		proto_free(&proto);
	}
	replies_free(&protos);
	return ret;
}

static int flush(struct context *ctx, const struct filter *f)
{
	uint64_t flushed = 0;
	int ret;

	out_object(&ctx->out, NULL);
	ret = requests(ctx, f, &flushed);
	out_number(&ctx->out, "flushed", NULL, MAYBE(flushed));
	if (!ret)
		out_line(&ctx->out, 0, "%ju session%s ended", flushed,
			 flushed == 1 ? "" : "s");
	return ret;
}

static int session_run(struct context *ctx, int argc, char **argv)
{
	static const char *const columns[] = {
		"PROTO", "CLIENT", "PEER", ">AGE", ">IDLE", ">PACKETS", ">BYTES", "STATE", NULL
	};
	struct filter filter = {};
	int ret;

	ret = parse(&filter, argc, argv);
	if (ret)
		return ret;
	if (filter.flush)
		return flush(ctx, &filter);
	out_columns(&ctx->out, columns);
	out_list(&ctx->out, NULL);
	return requests(ctx, &filter, NULL);
}

/* Addresses of the sessions that there are. */
static void suggest_addresses(struct context *ctx, const char *prefix, bool client)
{
	const struct nlmsghdr *pos = NULL;
	struct replies replies = {};
	struct session session;

	if (nl_open(&ctx->nl))
		return;
	nl_request(&ctx->nl, VPNPASS_CMD_SESSION_GET, true);
	nl_talk(&ctx->nl, &replies);
	while ((pos = replies_next(&replies, pos))) {
		session_read(&session, pos);
		suggest(prefix, client ? session.client : session.peer);
		session_free(&session);
	}
	replies_free(&replies);
}

static bool is_given(const char *word, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc - 1; i++)
		if (word_is(argv[i], word))
			return true;
	return false;
}

static void session_complete(struct context *ctx, int argc, char **argv)
{
	static const char *const words[] = { "list", "flush", "proto", "client", "peer" };
	const char *before = argc > 1 ? argv[argc - 2] : "";
	const char *prefix = argv[argc - 1];
	size_t i;

	if (word_is(before, "proto"))
		suggest_protos(ctx, prefix);
	else if (word_is(before, "client") || word_is(before, "peer"))
		suggest_addresses(ctx, prefix, word_is(before, "client"));
	else
		for (i = argc > 1 ? 2 : 0; i < ARRAY_SIZE(words); i++)
			if (!is_given(words[i], argc, argv))
				suggest(prefix, words[i]);
}

static struct command session_command = {
	.name = "session",
	.rank = 30,
	.usage = "[list] [proto PROTO] [client ADDRESS] [peer ADDRESS]\n"
		 "flush [proto PROTO] [client ADDRESS] [peer ADDRESS]",
	.summary = "list the VPN sessions that pass through, or end them",
	.details = "A number with a question mark after it is not yet certain.\n",
	.run = session_run,
	.complete = session_complete,
};

COMMAND(session_command)
