// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass doctor: gathers evidence, has it looked at, prints what was found.
 * "doctor probe" is probe.c.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "firewall.h"

/* Longer than any round trip worth the name */
#define ANSWER_SECONDS	2

static struct command doctor_command;

/**
 * doctor_usage - Complain about the command line.
 * @fmt: What is wrong, with a %s.
 * @word: The word that is.
 *
 * Return: EXIT_USAGE.
 */
int doctor_usage(const char *fmt, const char *word)
{
	char text[200];

	snprintf(text, sizeof(text), "%s: %s", fmt, word);
	return usage_error(&doctor_command, "%s", text);
}

static bool any_unanswered(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++)
		if (!flow_answered(&ev->flows.list[i]) &&
		    flow_goes_out(&ev->flows.list[i], &ev->net))
			return true;
	return false;
}

/* A packet that just left cannot be answered yet: look again after a while. */
static int read_flows(struct evidence *ev)
{
	static const struct timespec while_answers_come = { .tv_sec = ANSWER_SECONDS };
	bool tell = isatty(STDERR_FILENO);
	int ret = flows_read(&ev->flows);

	if (ret || !any_unanswered(ev))
		return ret;
	if (tell)
		fprintf(stderr, "waiting %d s for answers ...", ANSWER_SECONDS);
	nanosleep(&while_answers_come, NULL);
	if (tell)
		fputs("\r\033[K", stderr);
	flows_free(&ev->flows);
	return flows_read(&ev->flows);
}

static void gather(struct evidence *ev, struct context *ctx, struct report *r)
{
	int ret = network_read(&ev->net);
	char table[64];

	if (ret)
		refused(r, "interfaces and routes", ret);
	ret = ruleset_read(&ev->rules);
	ev->rules_known = !ret;
	if (ret)
		refused(r, "firewall rules", ret);
	if (ev->rules.bridge)
		not_examined(r, "firewall rules of the bridge family");
	if (proc_first_line("/proc/net/ip_tables_names", table, sizeof(table)))
		not_examined(r, "firewall rules of iptables-legacy, such as its table %s", table);
	ret = read_flows(ev);
	ev->flows_known = !ret;
	if (ret == -EOPNOTSUPP)
		not_examined(r, "connections: none tracked, or nf_conntrack_netlink is missing");
	else if (ret)
		refused(r, "connections", ret);
	ours_read(&ev->ours, ctx, r);
	firewall_find_wan(&ev->net, &ev->rules);
}

static int examine(struct context *ctx)
{
	struct evidence ev = {};
	struct report r = {};
	int ret;

	gather(&ev, ctx, &r);
	checks_run(&ev, &r);
	report_print(&r, &ctx->out);
	if (r.n_findings)
		ret = EXIT_FOUND;
	else
		ret = r.refused ? EXIT_REFUSED : EXIT_OK;
	report_free(&r);
	ours_free(&ev.ours);
	flows_free(&ev.flows);
	ruleset_free(&ev.rules);
	network_free(&ev.net);
	return ret;
}

static int doctor_run(struct context *ctx, int argc, char **argv)
{
	if (!argc)
		return examine(ctx);
	if (word_is(argv[0], "probe"))
		return probe_run(ctx, argc - 1, argv + 1);
	return doctor_usage("unknown word", argv[0]);
}

static void doctor_complete(struct context *ctx, int argc, char **argv)
{
	(void)ctx;
	if (argc == 1)
		suggest(argv[0], "probe");
	else if (word_is(argv[0], "probe"))
		probe_complete(argc - 1, argv + 1);
}

static struct command doctor_command = {
	.name = "doctor",
	.rank = 60,
	.usage = "\nprobe HOST [timeout SECONDS] [SERVICE...]",
	.summary = "find out why a VPN does not work",
	.details = "Looks at the firewall, the connections, the interfaces and vpnpass itself and\n"
		   "says what it found, the worst first. With probe it asks a gateway which\n"
		   "services answer: ike, natt, pptp, l2tp, openvpn.\n"
		   "Exit status: 0 nothing was found or all answered, 3 otherwise.\n",
	.run = doctor_run,
	.complete = doctor_complete,
};

COMMAND(doctor_command)
