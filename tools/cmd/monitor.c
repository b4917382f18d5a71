// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass monitor: events as they happen, until interrupted. Every event is
 * one line, also as JSON, and is written out at once for who reads a pipe.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/event_log.h"
#include "../lib/filter.h"
#include "commands.h"

/**
 * struct sink - Where events go.
 * @filter: Those that are meant.
 * @syslog: They are printed as RFC 5424 has it.
 * @journal: Socket of the journal, NULL if they are printed.
 * @fd: Connection to it.
 */
struct sink {
	struct filter filter;
	bool syslog;
	const char *journal;
	int fd;
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void catch_signals(sigset_t *waitmask)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, waitmask);
	sigdelset(waitmask, SIGINT);
	sigdelset(waitmask, SIGTERM);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void event_json(struct context *ctx, const struct event *e)
{
	struct out *o = &ctx->out;

	out_string(o, "event", NULL, event_name(e->type));
	stamp_json(ctx, e->time);
	out_string(o, "proto", NULL, e->proto);
	out_string(o, "mode", NULL, mode_name(e->mode));
	if (e->has_setting) {
		out_object(o, "setting");
		out_string(o, "name", NULL, e->setting.name);
		out_number(o, "value", NULL, e->setting.value);
		out_object_end(o);
	}
	if (e->has_session) {
		out_object(o, "session");
		session_fields(o, &e->session);
		out_object_end(o);
	}
	if (e->has_pin) {
		out_object(o, "pin");
		pin_fields(o, &e->pin);
		out_object_end(o);
	}
	out_string(o, "reason", NULL, e->reason);
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

/* " spi in 0xd0000001", empty without a pin */
static void event_pin(char *to, size_t size, const struct event *e)
{
	char number[64];

	to[0] = '\0';
	if (!e->has_pin)
		return;
	pin_text(number, sizeof(number), &e->pin);
	snprintf(to, size, " %s %s %s", or_dash(pin_kind_name(e->pin.kind)),
		 or_dash(pin_dir_name(e->pin.dir)), number);
}

/* The subject of an event, in the order of the man page. */
static void event_text(struct context *ctx, const struct event *e)
{
	char stamp[STAMP_SIZE], who[128] = "", setting[80] = "", pin[128];

	stamp_text(stamp, ctx->stamp, e->time);
	event_pin(pin, sizeof(pin), e);
	if (e->has_session)
		snprintf(who, sizeof(who), " %s > %s", or_dash(e->session.client),
			 or_dash(e->session.peer));
	if (e->has_setting)
		snprintf(setting, sizeof(setting), " %s %ju", or_dash(e->setting.name),
			 e->setting.value.value);
	out_line(&ctx->out, 0, "%s %-4s %-11s%s%s%s%s%s%s%s%s", stamp, or_dash(e->proto),
		 or_dash(event_name(e->type)), e->mode.known ? " " : "",
		 e->mode.known ? mode_name(e->mode) : "", setting, who, pin,
		 e->reason ? " (" : "", e->reason ? e->reason : "", e->reason ? ")" : "");
}

static void print_event(struct context *ctx, const struct event *event)
{
	out_object(&ctx->out, NULL);
	if (ctx->out.json)
		event_json(ctx, event);
	else
		event_text(ctx, event);
	out_object_end(&ctx->out);
	out_flush(&ctx->out);
}

/* The journal is restarted like any other service: connect again, once. */
static void log_event(struct sink *sink, const struct event *event)
{
	if (!journal_send(sink->fd, event))
		return;
	close(sink->fd);
	sink->fd = journal_open(sink->journal);
	if (journal_send(sink->fd, event))
		complain("%s: %s", sink->journal, strerror(errno));
}

static void take_event(struct context *ctx, struct sink *sink, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct event event;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl) || genl->cmd != VPNPASS_CMD_EVENT_NTF)
		return;
	event_read(&event, nlh);
	if (!filter_takes_event(&sink->filter, &event)) {
		event_free(&event);
		return;
	}
	if (sink->journal) {
		log_event(sink, &event);
	} else if (sink->syslog) {
		syslog_print(ctx->out.file, &event);
		fflush(ctx->out.file);
	} else {
		print_event(ctx, &event);
	}
	event_free(&event);
}

/* Events came faster than they were read; say so rather than hide the gap. */
static void print_own(struct context *ctx, const char *event, const char *reason, int ret)
{
	struct out *o = &ctx->out;
	char stamp[STAMP_SIZE];

	stamp_text(stamp, ctx->stamp, stamp_now());
	out_object(o, NULL);
	out_string(o, "event", NULL, event);
	stamp_json(ctx, stamp_now());
	out_string(o, "reason", NULL, reason);
	if (o->json && ret)
		error_object(o, ret);
	out_object_end(o);
	out_line(o, 0, "%s %-4s %-11s (%s)", stamp, "-", event, reason);
	out_flush(o);
}

static int listen_on(struct context *ctx, struct sink *sink, const sigset_t *waitmask)
{
	const struct nlmsghdr *pos;
	struct replies replies = {};
	int ret = 0;

	while (!stopped && !ferror(ctx->out.file)) {
		ret = nl_listen(&ctx->nl, &replies, waitmask, fileno(ctx->out.file));
		if (ret == -ENOBUFS && (sink->syslog || sink->journal))
			complain("events were lost");
		else if (ret == -ENOBUFS)
			print_own(ctx, "overrun", "events were lost", EXIT_OK);
		else if (ret && ret != -EINTR)
			break;
		for (pos = NULL; (pos = replies_next(&replies, pos));)
			take_event(ctx, sink, pos);
	}
	replies_free(&replies);
	/* as the next event would end it, which may be long in coming */
	if (ret == -EPIPE)
		raise(SIGPIPE);
	return stopped || ret == -ENODATA || ret == -EINTR ? 0 : ret;
}

/* Options may stand anywhere among the words of the filter. */
static int parse(struct sink *sink, int argc, char **argv)
{
	int i, n = 0;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--syslog"))
			sink->syslog = true;
		else if (!strcmp(argv[i], "--journal"))
			sink->journal = JOURNAL_SOCKET;
		else if (!strncmp(argv[i], "--journal=", 10))
			sink->journal = argv[i] + 10;
		else
			argv[n++] = argv[i];
	}
	return filter_parse(&sink->filter, &monitor_command, FILTER_TYPE, n, argv);
}

static int start(struct context *ctx, struct sink *sink)
{
	if (sink->journal)
		sink->fd = journal_open(sink->journal);
	if (sink->fd >= 0)
		return cli_connect(ctx, NULL);
	complain("%s: %s", sink->journal, strerror(errno));
	complain_code("file");
	return EXIT_REFUSED;
}

static int monitor_run(struct context *ctx, int argc, char **argv)
{
	struct sink sink = {};
	sigset_t waitmask;
	int ret;

	ret = parse(&sink, argc, argv);
	if (ret)
		return ret;
	if (ctx->out.json && (sink.syslog || sink.journal))
		return usage_error(&monitor_command, "--syslog and --journal exclude -j");
	/* an event is a line */
	ctx->out.pretty = false;
	ctx->out.width = 0;
	ret = start(ctx, &sink);
	if (ret) {
		if (ctx->out.json)
			print_own(ctx, "error", last_complaint()->text, ret);
		return ret;
	}
	catch_signals(&waitmask);
	ret = nl_subscribe(&ctx->nl);
	if (!ret)
		ret = listen_on(ctx, &sink, &waitmask);
	if (ret)
		nl_complain(&ctx->nl, "monitor", ret);
	if (ret && ret != -EPIPE && ctx->out.json)
		print_own(ctx, "error", last_complaint()->text, EXIT_REFUSED);
	return ret ? EXIT_REFUSED : EXIT_OK;
}

static const char *const monitor_options[] = { "--syslog", "--journal", "--journal=", NULL };

static void monitor_complete(struct context *ctx, int argc, char **argv)
{
	size_t i;

	if (argv[argc - 1][0] != '-') {
		filter_complete(ctx, FILTER_TYPE, argc, argv);
		return;
	}
	for (i = 0; i < 2; i++)
		suggest_word(argv[argc - 1], monitor_options[i]);
}

const struct command monitor_command = {
	.name = "monitor",
	.usage = "[proto PROTO] [client ADDRESS] [peer ADDRESS] [type EVENT]\n"
		 "[--syslog | --journal[=SOCKET]] ...",
	.summary = "print events as they happen, until interrupted",
	.details = "EVENT: session-new, session-end, mode, setting, limit, pinned, corrected,\n"
		   "conflict, fast or fast-refused.\n"
		   "  --syslog   lines as of RFC 5424, with structured data\n"
		   "  --journal  to the journal, with fields\n",
	.options = monitor_options,
	.run = monitor_run,
	.complete = monitor_complete,
};
