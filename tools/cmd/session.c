// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass session: list the VPN sessions that go through, or end them.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/filter.h"
#include "commands.h"

/**
 * struct listed - Sessions that the kernel has told of.
 * @n: How many.
 * @limit: How many of them are printed.
 */
struct listed {
	uint32_t n, limit;
};

static int print_sessions(struct context *ctx, const struct replies *r, void *data)
{
	const struct nlmsghdr *pos = NULL;
	struct out *o = &ctx->out;
	struct listed *listed = data;
	struct session session;

	while ((pos = replies_next(r, pos))) {
		if (++listed->n > listed->limit)
			continue;
		session_read(&session, pos);
		out_object(o, NULL);
		session_fields(o, &session);
		out_object_end(o);
		out_row(o);
		session_pins_line(o, &session);
		session_free(&session);
	}
	return EXIT_OK;
}

static int list(struct context *ctx, const struct filter *f)
{
	static const char *const columns[] = {
		"PROTO", "CLIENT", "PEER", ">AGE", ">IDLE", ">PACKETS", ">BYTES", "STATE", NULL
	};
	struct listed listed = { .limit = f->limit ? f->limit : UINT32_MAX };
	int ret;

	out_columns(&ctx->out, columns);
	out_list(&ctx->out, NULL);
	ret = filter_request(ctx, f, VPNPASS_CMD_SESSION_GET, print_sessions, &listed);
	if (!ret && listed.n > listed.limit)
		out_line(&ctx->out, 0, "and %u more", listed.n - listed.limit);
	return ret;
}

static int count_flushed(struct context *ctx, const struct replies *r, void *data)
{
	uint64_t *flushed = data;

	(void)ctx;
	if (replies_next(r, NULL))
		*flushed += count_read(replies_next(r, NULL)).value;
	return EXIT_OK;
}

static int flush(struct context *ctx, const struct filter *f)
{
	uint64_t flushed = 0;
	int ret;

	answer_object(&ctx->out);
	ret = filter_request(ctx, f, VPNPASS_CMD_SESSION_FLUSH, count_flushed, &flushed);
	out_number(&ctx->out, "flushed", NULL, MAYBE(flushed));
	if (!ret)
		out_line(&ctx->out, 0, "%ju session%s ended", flushed,
			 flushed == 1 ? "" : "s");
	return ret;
}

static int session_run(struct context *ctx, int argc, char **argv)
{
	bool flushes = argc && word_is(argv[0], "flush");
	bool has_verb = flushes || (argc && word_is(argv[0], "list"));
	struct filter filter = {};
	int ret;

	ret = filter_parse(&filter, &session_command, flushes ? FILTER_NO_MORE : FILTER_LIMIT,
			   argc - has_verb, argv + has_verb);
	if (ret)
		return ret;
	return flushes ? flush(ctx, &filter) : list(ctx, &filter);
}

static void session_complete(struct context *ctx, int argc, char **argv)
{
	if (argc == 1) {
		suggest_word(argv[0], "list");
		suggest_word(argv[0], "flush");
	}
	filter_complete(ctx, argc > 1 && word_is(argv[0], "flush") ? FILTER_NO_MORE :
			FILTER_LIMIT, argc, argv);
}

static const char *const session_words[] = { "list", "flush", NULL };

const struct command session_command = {
	.name = "session",
	.usage = "[list] [proto PROTO] [client ADDRESS] [peer ADDRESS] [limit NUMBER]\n"
		 "flush [proto PROTO] [client ADDRESS] [peer ADDRESS]",
	.summary = "list the VPN sessions that pass through, or end them",
	.details = "A number with a question mark after it is not yet certain.\n",
	.words = session_words,
	.run = session_run,
	.complete = session_complete,
};
