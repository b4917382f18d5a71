// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a filter and asking the kernel by it; see filter.h. Sessions are
 * filtered by the kernel, events here, as the group sends them to all alike.
 */
#include <string.h>

#include "filter.h"

static int parse_type(struct filter *f, const struct command *command, const char *value)
{
	if (!event_known(value))
		return usage_error_word(command, "unknown event", value, event_list());
	f->type = value;
	return EXIT_OK;
}

static int parse_limit(struct filter *f, const struct command *command, const char *value)
{
	if (!parse_u32(&f->limit, value) || !f->limit)
		return usage_error(command, "not a number of sessions: %s", value);
	return EXIT_OK;
}

static int parse_address(struct raw_address *a, const struct command *command,
			 const char *value)
{
	if (!address_parse(a, value))
		return usage_error(command, "not an IPv4 or IPv6 address: %s", value);
	return EXIT_OK;
}

static const char *const more_words[] = { NULL, "type", "limit" };

static int unknown_word(const struct command *command, enum filter_more more, const char *word)
{
	const char *const *own = command->words;
	const char *words[8] = { "proto", "client", "peer" };
	size_t n = 3;

	if (more)
		words[n++] = more_words[more];
	for (; own && *own && n < ARRAY_SIZE(words) - 1; own++)
		words[n++] = *own;
	return usage_error_word(command, "unknown word", word, words);
}

/* "p" is proto, the first of two. */
static int parse_pair(struct filter *f, const struct command *command, enum filter_more more,
		      const char *key, const char *value)
{
	bool proto = word_is(key, "proto"), client = word_is(key, "client");
	bool peer = word_is(key, "peer"), other = more && word_is(key, more_words[more]);
	struct raw_address *a = client ? &f->client : &f->peer;

	if (!proto && !client && !peer && !other)
		return unknown_word(command, more, key);
	if (!value)
		return usage_error(command, "%s what?", key);
	if (proto ? !!f->which : client || peer ? !!a->length : f->type || f->limit)
		return usage_error(command, "%s given twice", key);
	if (client || (peer && !proto))
		return parse_address(a, command, value);
	if (!proto)
		return more == FILTER_LIMIT ? parse_limit(f, command, value) :
					      parse_type(f, command, value);
	if (!proto_plausible(value))
		return proto_usage(command, value);
	f->which = value;
	return EXIT_OK;
}

/**
 * filter_parse - Read a filter from the command line.
 * @f: Filled in, zeroed at first.
 * @command: The command, for its usage.
 * @more: What it may have besides.
 * @argc: Words.
 * @argv: The words, which must stay.
 *
 * Return: an exit code; other than EXIT_OK it has complained.
 */
int filter_parse(struct filter *f, const struct command *command, enum filter_more more,
		 int argc, char **argv)
{
	int ret = EXIT_OK;

	for (; !ret && argc > 0; argc -= 2, argv += 2)
		ret = parse_pair(f, command, more, argv[0], argc > 1 ? argv[1] : NULL);
	return ret;
}

static bool takes_address(const struct raw_address *wanted, const char *text)
{
	struct raw_address a;

	return !wanted->length || (address_parse(&a, text) && a.length == wanted->length &&
				   !memcmp(a.bytes, wanted->bytes, a.length));
}

/**
 * filter_takes_session - Whether a session is meant.
 * @f: The filter.
 * @s: The session.
 */
bool filter_takes_session(const struct filter *f, const struct session *s)
{
	return takes_address(&f->client, s->client) && takes_address(&f->peer, s->peer);
}

/**
 * filter_takes_event - Whether an event is meant.
 * @f: The filter.
 * @e: The event; one about no session has no client and no peer.
 */
bool filter_takes_event(const struct filter *f, const struct event *e)
{
	const char *name = event_name(e->type);

	if (f->which && (!e->proto || !proto_covers(f->which, e->proto)))
		return false;
	if (f->type && (!name || strcmp(f->type, name)))
		return false;
	return filter_takes_session(f, &e->session);
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
		suggest_word(prefix, client ? session.client : session.peer);
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

/**
 * filter_complete - Offer what may follow in a filter.
 * @ctx: Context.
 * @more: As in filter_parse().
 * @argc: Words.
 * @argv: The words, the last is being typed.
 */
void filter_complete(struct context *ctx, enum filter_more more, int argc, char **argv)
{
	const char *const words[] = { "proto", "client", "peer", more_words[more] };
	const char *before = argc > 1 ? argv[argc - 2] : "", *prefix = argv[argc - 1];
	const char *const *type;
	size_t i;

	if (word_is(before, "proto")) {
		suggest_protos(ctx, prefix);
	} else if (word_is(before, "client") || word_is(before, "peer")) {
		suggest_addresses(ctx, prefix, word_is(before, "client"));
	} else if (more == FILTER_TYPE && word_is(before, "type")) {
		for (type = event_list(); *type; type++)
			suggest_word(prefix, *type);
	} else {
		for (i = 0; i < ARRAY_SIZE(words) - !more; i++)
			if (!is_given(words[i], argc, argv))
				suggest_word(prefix, words[i]);
	}
}

/* Request for the sessions of one protocol, or of all when name is NULL. */
static int request_one(struct context *ctx, const struct filter *f, const char *name, int command,
		       int (*done)(struct context *ctx, const struct replies *r, void *data),
		       void *data)
{
	struct nlmsghdr *nlh = nl_request(&ctx->nl, command, command == VPNPASS_CMD_SESSION_GET);
	struct replies replies = {};
	int ret;

	if (name)
		mnl_attr_put_strz(nlh, VPNPASS_A_SESSION_PROTO, name);
	if (f->client.length)
		mnl_attr_put(nlh, VPNPASS_A_SESSION_CLIENT, f->client.length, f->client.bytes);
	if (f->peer.length)
		mnl_attr_put(nlh, VPNPASS_A_SESSION_PEER, f->peer.length, f->peer.bytes);
	ret = nl_talk(&ctx->nl, &replies);
	if (ret) {
		nl_complain(&ctx->nl, NULL, ret);
		ret = EXIT_REFUSED;
	} else {
		ret = done(ctx, &replies, data);
	}
	replies_free(&replies);
	return ret;
}

/**
 * filter_request - Ask for the sessions that are meant, or end them. The kernel
 * filters by one protocol, so a group takes a request for each.
 * @ctx: Context.
 * @f: The filter.
 * @command: VPNPASS_CMD_SESSION_GET or VPNPASS_CMD_SESSION_FLUSH.
 * @done: Takes the answers to each request, returns an exit code.
 * @data: For @done.
 *
 * Return: an exit code; other than EXIT_OK it has complained.
 */
int filter_request(struct context *ctx, const struct filter *f, int command,
		   int (*done)(struct context *ctx, const struct replies *r, void *data),
		   void *data)
{
	const struct nlmsghdr *pos = NULL;
	struct replies protos = {};
	struct proto proto;
	int ret;

	if (!f->which || !strcmp(f->which, "all")) {
		ret = cli_connect(ctx, NULL);
		return ret ? ret : request_one(ctx, f, NULL, command, done, data);
	}
	ret = protos_fetch(ctx, f->which, &protos);
	while (!ret && protos_next(&protos, f->which, &pos, &proto)) {
		ret = request_one(ctx, f, proto.name, command, done, data);
		proto_free(&proto);
	}
	replies_free(&protos);
	return ret;
}
