// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass top: the sessions by what goes through them now. Each look at them is
 * compared with the one before; a session is known again by its number.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../lib/filter.h"
#include "commands.h"

#define INTERVAL	2	/* s, unless told otherwise */
#define INTERVAL_MAX	3600
#define HEAD_ROWS	2	/* rows of a terminal for the headings and the cursor */

static volatile sig_atomic_t stopped;

/* Traffic of a session; rates in bytes a second. */
struct sample {
	uint64_t id, bytes_out, bytes_in;
	struct maybe rate_out, rate_in;
	struct session session;
};

/**
 * struct look - The sessions at one time.
 * @list: The sessions, by number until they are printed.
 * @n: How many.
 * @ns: When, by a clock that is not set.
 * @replies: What the sessions point into, one for each request.
 * @n_replies: How many.
 */
struct look {
	struct sample *list;
	size_t n;
	uint64_t ns;
	struct replies *replies;
	size_t n_replies;
};

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static int keep(struct context *ctx, const struct replies *r, void *data)
{
	const struct nlmsghdr *pos = NULL;
	struct look *look = data;
	struct replies *own;
	struct sample *s;

	(void)ctx;
	look->replies = xgrow(look->replies, look->n_replies, sizeof(*look->replies));
	own = &look->replies[look->n_replies++];
	*own = (struct replies){ .length = r->length, .room = r->length };
	if (!r->length)
		return EXIT_OK;
	own->data = memcpy(xrealloc(NULL, r->length), r->data, r->length);
	while ((pos = replies_next(own, pos))) {
		look->list = xgrow(look->list, look->n, sizeof(*look->list));
		s = &look->list[look->n++];
		*s = (struct sample){};
		session_read(&s->session, pos);
		s->id = s->session.id.value;
		s->bytes_out = s->session.bytes_out.value;
		s->bytes_in = s->session.bytes_in.value;
	}
	return EXIT_OK;
}

static void forget(struct look *look)
{
	size_t i;

	for (i = 0; i < look->n; i++)
		session_free(&look->list[i].session);
	for (i = 0; i < look->n_replies; i++)
		replies_free(&look->replies[i]);
	free(look->list);
	free(look->replies);
	*look = (struct look){};
}

static int compare_id(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static uint64_t rate_of(const struct sample *s)
{
	return s->rate_out.value + s->rate_in.value;
}

static int compare_rate(const void *a, const void *b)
{
	uint64_t x = rate_of(a), y = rate_of(b);

	return x != y ? (x < y) - (x > y) : compare_id(a, b);
}

static struct maybe rate(uint64_t now, uint64_t before, uint64_t ns)
{
	return MAYBE(now > before && ns ? (uint64_t)((now - before) * 1e9 / ns) : 0);
}

/* A session that was not there before has no rate yet. */
static void compare(struct look *now, const struct look *before)
{
	const struct sample *old;
	uint64_t ns = now->ns - before->ns;
	size_t i;

	for (i = 0; i < now->n; i++) {
		struct sample *s = &now->list[i];

		old = before->n ? bsearch(s, before->list, before->n, sizeof(*s), compare_id) :
				  NULL;
		if (!old)
			continue;
		s->rate_out = rate(s->bytes_out, old->bytes_out, ns);
		s->rate_in = rate(s->bytes_in, old->bytes_in, ns);
	}
}

static int take_look(struct context *ctx, const struct filter *f, struct look *look)
{
	struct timespec ts;
	int ret = filter_request(ctx, f, VPNPASS_CMD_SESSION_GET, keep, look);

	clock_gettime(CLOCK_MONOTONIC, &ts);
	look->ns = ts.tv_sec * 1000000000ull + ts.tv_nsec;
	if (look->n)
		qsort(look->list, look->n, sizeof(*look->list), compare_id);
	return ret;
}

/* Rows that fit on the terminal; all of them where there is none. */
static size_t rows_that_fit(const struct out *o)
{
	struct winsize size = {};

	if (!isatty(fileno(o->file)) || ioctl(fileno(o->file), TIOCGWINSZ, &size) ||
	    size.ws_row <= HEAD_ROWS)
		return SIZE_MAX;
	return size.ws_row - HEAD_ROWS;
}

static void print_sample(struct out *o, const struct sample *s)
{
	out_object(o, NULL);
	session_fields(o, &s->session);
	out_bytes(o, "rate_out", "OUT/s", s->rate_out);
	out_bytes(o, "rate_in", "IN/s", s->rate_in);
	out_object_end(o);
	out_row(o);
}

static void print_look(struct out *o, const struct look *look)
{
	size_t i, rows = o->json ? SIZE_MAX : rows_that_fit(o);

	if (!o->json && rows != SIZE_MAX)
		fputs("\033[H\033[J", o->file);
	out_list(o, NULL);
	for (i = 0; i < look->n && i < rows; i++)
		print_sample(o, &look->list[i]);
	out_list_end(o);
	if (!o->json && !look->n)
		out_line(o, 0, "no sessions");
	out_flush(o);
}

/* Rows are printed by rate and compared, next time, by number. */
static void show(struct out *o, struct look *look)
{
	if (look->n)
		qsort(look->list, look->n, sizeof(*look->list), compare_rate);
	print_look(o, look);
	if (look->n)
		qsort(look->list, look->n, sizeof(*look->list), compare_id);
}

static int watch(struct context *ctx, const struct filter *f, uint32_t interval, uint32_t count)
{
	const struct timespec pause = { .tv_sec = interval };
	struct look before = {}, now = {};
	uint32_t i = 0;
	int ret;

	ret = take_look(ctx, f, &before);
	while (!ret && (!count || i++ < count) && !ferror(ctx->out.file)) {
		if (nanosleep(&pause, NULL) || stopped)
			break;
		ret = take_look(ctx, f, &now);
		if (!ret) {
			compare(&now, &before);
			show(&ctx->out, &now);
		}
		forget(&before);
		before = now;
		now = (struct look){};
	}
	forget(&before);
	return ret;
}

static int parse_number(uint32_t *to, const char *key, const char *value, uint32_t most)
{
	if (!value)
		return usage_error(&top_command, "%s what?", key);
	if (!parse_u32(to, value) || !*to || *to > most)
		return usage_error(&top_command, "%s: a number from 1 to %u expected, not %s",
				   key, most, value);
	return EXIT_OK;
}

static int top_run(struct context *ctx, int argc, char **argv)
{
	static const char *const columns[] = {
		"PROTO", "CLIENT", "PEER", ">OUT/s", ">IN/s", ">PACKETS", ">BYTES", ">AGE", NULL
	};
	struct sigaction action = { .sa_handler = stop };
	uint32_t interval = INTERVAL, count = 0;
	struct filter filter = {};
	int ret = EXIT_OK;

	for (; !ret && argc && (word_is(argv[0], "interval") ||
				(strlen(argv[0]) > 1 && word_is(argv[0], "count")));
	     argc -= argc > 1 ? 2 : 1, argv += 2) {
		bool is_count = word_is(argv[0], "count");

		ret = parse_number(is_count ? &count : &interval, argv[0],
				   argc > 1 ? argv[1] : NULL, is_count ? UINT32_MAX : INTERVAL_MAX);
	}
	if (!ret)
		ret = filter_parse(&filter, &top_command, FILTER_NO_MORE, argc, argv);
	if (ret)
		return ret;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ctx->out.pretty = false;
	out_columns(&ctx->out, columns);
	return watch(ctx, &filter, interval, count);
}

static void top_complete(struct context *ctx, int argc, char **argv)
{
	const char *before = argc > 1 ? argv[argc - 2] : "";

	if (word_is(before, "interval") || (strlen(before) > 1 && word_is(before, "count")))
		return;
	suggest_word(argv[argc - 1], "interval");
	suggest_word(argv[argc - 1], "count");
	filter_complete(ctx, FILTER_NO_MORE, argc, argv);
}

static const char *const top_words[] = { "interval", "count", NULL };

const struct command top_command = {
	.name = "top",
	.usage = "[interval SECONDS] [count N] [proto PROTO] [client ADDRESS] [peer ADDRESS]",
	.summary = "watch what goes through the sessions, the busiest first",
	.details = "Rates are in bytes a second, over the interval (2 s). With -j each look is a\n"
		   "list on a line of its own; count ends it after so many.\n",
	.words = top_words,
	.run = top_run,
	.complete = top_complete,
};
