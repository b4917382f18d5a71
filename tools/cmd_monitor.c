// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass monitor: events as they happen, until interrupted. Every event is
 * one line, also as JSON, and is written out at once for who reads a pipe.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "cli.h"

static struct command monitor_command;
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

static struct maybe now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return MAYBE(ts.tv_sec * 1000000000ull + ts.tv_nsec);
}

/* 11:51:02.123, in local time */
static void clock_text(char to[32], struct maybe ns)
{
	time_t seconds = ns.value / 1000000000;
	struct tm tm;
	size_t n;

	if (!ns.known || !localtime_r(&seconds, &tm)) {
		snprintf(to, 32, "%-12s", "-");
		return;
	}
	n = strftime(to, 32, "%H:%M:%S", &tm);
	snprintf(to + n, 32 - n, ".%03d", (int)(ns.value / 1000000 % 1000));
}

static void event_json(struct out *o, const struct event *e)
{
	out_string(o, "event", NULL, event_name(e->type));
	out_nsec(o, "time", e->time);
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

/* What the event is about, in the order of the man page. */
static void event_text(struct out *o, const struct event *e)
{
	char clock[32], who[128] = "", setting[80] = "", pin[128];

	clock_text(clock, e->time);
	event_pin(pin, sizeof(pin), e);
	if (e->has_session)
		snprintf(who, sizeof(who), " %s > %s", or_dash(e->session.client),
			 or_dash(e->session.peer));
	if (e->has_setting)
		snprintf(setting, sizeof(setting), " %s %ju", or_dash(e->setting.name),
			 e->setting.value.value);
	out_line(o, 0, "%s %-4s %-11s%s%s%s%s%s%s%s%s", clock, or_dash(e->proto),
		 or_dash(event_name(e->type)), e->mode.known ? " " : "",
		 e->mode.known ? mode_name(e->mode) : "", setting, who, pin,
		 e->reason ? " (" : "", e->reason ? e->reason : "", e->reason ? ")" : "");
}

static void print_event(struct out *o, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct event event;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*genl) || genl->cmd != VPNPASS_CMD_EVENT_NTF)
		return;
	event_read(&event, nlh);
	out_object(o, NULL);
	if (o->json)
		event_json(o, &event);
	else
		event_text(o, &event);
	out_object_end(o);
	out_flush(o);
	event_free(&event);
}

/* Events came faster than they were read; say so rather than hide the gap. */
static void print_overrun(struct out *o)
{
	char clock[32];

	clock_text(clock, now());
	out_object(o, NULL);
	out_string(o, "event", NULL, "overrun");
	out_nsec(o, "time", now());
	out_string(o, "reason", NULL, "events were lost");
	out_object_end(o);
	out_line(o, 0, "%s %-4s %-11s (events were lost)", clock, "-", "overrun");
	out_flush(o);
}

static int listen_on(struct context *ctx, const sigset_t *waitmask)
{
	const struct nlmsghdr *pos;
	struct replies replies = {};
	int ret = 0;

	while (!stopped && !ferror(ctx->out.file)) {
		ret = nl_listen(&ctx->nl, &replies, waitmask);
		if (ret == -ENOBUFS)
			print_overrun(&ctx->out);
		else if (ret && ret != -EINTR)
			break;
		for (pos = NULL; (pos = replies_next(&replies, pos));)
			print_event(&ctx->out, pos);
	}
	replies_free(&replies);
	return stopped || ret == -ENODATA || ret == -EINTR ? 0 : ret;
}

static int monitor_run(struct context *ctx, int argc, char **argv)
{
	sigset_t waitmask;
	int ret;

	if (argc)
		return usage_error(&monitor_command, "too many arguments: %s", argv[0]);
	ret = cli_connect(ctx, NULL);
	if (ret)
		return ret;
	ctx->out.pretty = false;
	catch_signals(&waitmask);
	ret = nl_subscribe(&ctx->nl);
	if (!ret)
		ret = listen_on(ctx, &waitmask);
	if (ret)
		nl_complain(&ctx->nl, "monitor", ret);
	return ret ? EXIT_REFUSED : EXIT_OK;
}

static struct command monitor_command = {
	.name = "monitor",
	.rank = 50,
	.usage = "",
	.summary = "print events as they happen, until interrupted",
	.run = monitor_run,
};

COMMAND(monitor_command)
