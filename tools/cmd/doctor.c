// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass doctor: gathers evidence, has it looked at, prints what was found.
 * "doctor probe" is doctor/probe/.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../doctor/checks/checks.h"
#include "../doctor/contacts.h"
#include "../doctor/doctor.h"
#include "../doctor/rules/ebtables.h"
#include "../doctor/rules/firewall.h"
#include "../doctor/rules/ipset.h"
#include "../doctor/rules/legacy.h"
#include "commands.h"

/* Longer than any round trip worth the name */
#define ANSWER_MSEC	2000
/* Between two readings of counters that have counted before */
#define COUNTER_MSEC	800
/* The most connections whose route the kernel is asked for */
#define STALE_MAX	64
/* For the answers of a host that is asked */
#define ASK_SECONDS	3

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

/* A finding that does not concern the host that the doctor was asked about is left out. */
static int read_flows(struct evidence *ev)
{
	int ret = flows_read(&ev->flows);
	size_t i, n = 0;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if ((!ev->to || host_equal(&f->dst, ev->to) || host_equal(&f->src, ev->to)) &&
		    (!ev->from || host_equal(&f->src, ev->from) || host_equal(&f->dst, ev->from)))
			ev->flows.list[n++] = *f;
	}
	ev->flows.n = n;
	return ret;
}

/* Also one that was answered before, but has an address of another way out. */
static bool any_unanswered(const struct evidence *ev)
{
	size_t i;

	for (i = 0; i < ev->flows.n; i++) {
		const struct flow *f = &ev->flows.list[i];

		if ((!flow_answered(f) && flow_goes_out(f, &ev->net)) ||
		    (i < STALE_MAX && flow_may_be_stale(ev, f)))
			return true;
	}
	return false;
}

static void listen_for(struct evidence *ev, int ms)
{
	bool tell = !ev->watching && isatty(STDERR_FILENO);

	if (tell)
		fprintf(stderr, "looking at what passes for %d ms ...", ms);
	ear_listen(&ev->ear, ms);
	if (tell)
		fputs("\r\033[K", stderr);
	ev->seconds = ms / 1000.0;
}

/*
 * A packet that just left cannot be answered yet, and a counter that has counted may
 * do so still: listen for a while, and look again.
 */
static int look_again(struct evidence *ev)
{
	int ms = ev->watching || any_unanswered(ev) ? ANSWER_MSEC :
		 readings_any(&ev->before) ? COUNTER_MSEC : 0;
	struct flows before;
	int ret;

	if (!ms)
		return 0;
	listen_for(ev, ms);
	before = ev->flows;
	ev->flows = (struct flows){};
	ret = read_flows(ev);
	flows_mark_fresh(&ev->flows, &before);
	flows_free(&before);
	return ret;
}

static void gather_flows(struct evidence *ev, struct report *r)
{
	int ret;

	if (!ev->watching)
		ear_open(&ev->ear);
	readings_take(&ev->before);
	ret = read_flows(ev);
	if (!ret)
		ret = look_again(ev);
	readings_take(&ev->after);
	ev->flows_known = !ret;
	if (ret == -EOPNOTSUPP || ret == -EPROTONOSUPPORT)
		not_examined(r, "connections: none tracked, or nf_conntrack_netlink is missing");
	else if (ret)
		report_refused(r, "connections", ret);
}

static void find_way(struct evidence *ev)
{
	struct question q = { .to = ev->to };

	route_get(&ev->route, &q);
	if (!ev->route.error)
		route_get_hops(&ev->route, ev->to);
}

static void ask_host(struct evidence *ev)
{
	trace_begin(&ev->tracer, ev->to);
	ev->asked = probe_ask_host(ev->to, ASK_SECONDS, &ev->n_asked);
	trace_end(&ev->tracer);
}

static void report_gap(struct report *r, const struct legacy_gap *gap)
{
	char *what = xasprintf("firewall rules of %s", gap->which);

	report_refused(r, what, gap->error);
	free(what);
}

/* Rules of ebtables-legacy matter where a LAN is a bridge. */
static void note_bridges(const struct network *net, struct report *r)
{
	static const char *const tables[] = { "filter", "nat", "broute" };
	bool bridge = false;
	unsigned int n;
	size_t i;

	for (i = 0; i < net->n_links; i++)
		bridge |= !strcmp(net->links[i].kind, "bridge") &&
			  network_is_lan(net, &net->links[i]);
	for (i = 0; bridge && i < ARRAY_SIZE(tables); i++) {
		n = ebtables_count(tables[i]);
		if (n)
			not_examined(r, "firewall rules of ebtables-legacy, table %s (%u)",
				     tables[i], n);
	}
}

static void gather_rules(struct evidence *ev, struct report *r)
{
	int ret = ruleset_read(&ev->rules);
	struct legacy_gap gap = {};

	ev->rules_known = !ret;
	if (ret)
		report_refused(r, "firewall rules", ret);
	legacy_read(&ev->rules, &gap);
	ev->all_rules_known = !ret && !gap.error;
	if (gap.error)
		report_gap(r, &gap);
	ret = ipset_read(&ev->rules);
	if (ret)
		report_refused(r, "sets of ipset, which rules use", ret);
	ev->rules.encrypts = ipsec_may_encrypt();
	note_bridges(&ev->net, r);
}

/*
 * A packet that a rule drops leaves no connection to conntrack. Where a rule goes by the
 * gateway's address, the doctor listens for which gateways the clients ask.
 */
static void judge_rules(struct evidence *ev)
{
	firewall_judge(ev);
	if (ev->to)
		return;
	if (!ev->seconds && ev->ear.fd >= 0 && firewall_may_drop(ev))
		listen_for(ev, ANSWER_MSEC);
	contacts_find(ev);
	firewall_judge_contacts(ev);
}

static void gather(struct evidence *ev, struct context *ctx, struct report *r)
{
	int ret = network_read(&ev->net);

	if (ret)
		report_refused(r, "interfaces and routes", ret);
	gather_rules(ev, r);
	firewall_find_wan(&ev->net, &ev->rules);
	if (ev->to)
		find_way(ev);
	gather_flows(ev, r);
	ours_read(&ev->ours, ctx, r);
	if (ev->rules_known)
		judge_rules(ev);
	if (ev->to && !ev->watching && !ev->route.error && !ev->route.local)
		ask_host(ev);
}

static void forget(struct evidence *ev)
{
	free(ev->asked);
	free(ev->crossed);
	free(ev->contacts);
	ours_free(&ev->ours);
	if (ev->watching)
		ear_forget(&ev->ear);
	else
		ear_close(&ev->ear);
	flows_free(&ev->flows);
	ruleset_free(&ev->rules);
	network_free(&ev->net);
}

/* Is there a fault among the findings? A host that answers when it is asked is none. */
static bool any_fault(const struct report *r, bool asked)
{
	size_t i;

	for (i = 0; i < r->n_findings; i++)
		if (!asked || r->findings[i].severity != SEVERITY_INFO)
			return true;
	return false;
}

static int exit_code(const struct report *r, bool asked)
{
	if (any_fault(r, asked))
		return EXIT_FOUND;
	if (r->refused)
		return EXIT_REFUSED;
	return r->n_notes ? EXIT_NOT_ALL : EXIT_OK;
}

static int examine(struct context *ctx, const struct host *to, const struct host *from,
		   const char *name)
{
	struct evidence ev = { .to = to, .from = from, .name = name };
	struct report r = {};
	int ret;

	gather(&ev, ctx, &r);
	checks_run_all(&ev, &r);
	report_print(&r, &ctx->out);
	ret = exit_code(&r, to);
	report_free(&r);
	forget(&ev);
	return ret;
}

/* Look again and again, until a signal ends it. */
static int watch(struct context *ctx, const struct host *to, const struct host *from,
		 const char *name)
{
	struct watch *w = watch_new(ctx, to, from);

	while (!ferror(ctx->out.file)) {
		struct evidence ev = { .to = to, .from = from, .name = name, .watching = true };
		struct report r = {};

		watch_ear(w, &ev.ear);
		gather(&ev, ctx, &r);
		checks_run_all(&ev, &r);
		watch_report(w, &r);
		watch_keep(w, &ev.ear);
		report_free(&r);
		forget(&ev);
	}
	return EXIT_REFUSED;
}

typedef int (*examination)(struct context *ctx, const struct host *to, const struct host *from,
			   const char *name);

static int examine_host(struct context *ctx, examination how, int argc, char **argv)
{
	struct host to, from;
	int ret;

	if (!argc)
		return how(ctx, NULL, NULL, NULL);
	if (argc != 1 && (argc != 3 || !word_is(argv[1], "from")))
		return doctor_usage("unknown word", argc > 1 ? argv[1] : argv[0]);
	ret = host_resolve(&to, argv[0]);
	if (ret || argc == 1)
		return ret ? ret : how(ctx, &to, NULL, argv[0]);
	ret = host_resolve(&from, argv[2]);
	if (!ret && from.family != to.family)
		return doctor_usage("not an address of the same family", argv[2]);
	return ret ? ret : how(ctx, &to, &from, argv[0]);
}

static const char *const doctor_options[] = { "--watch", NULL };

static int doctor_run(struct context *ctx, int argc, char **argv)
{
	bool watching = false;
	int i, n = 0;

	for (i = 0; i < argc; i++)
		if (!strcmp(argv[i], doctor_options[0]))
			watching = true;
		else
			argv[n++] = argv[i];
	if (!n || !word_is(argv[0], "probe"))
		return examine_host(ctx, watching ? watch : examine, n, argv);
	if (watching)
		return doctor_usage("not with probe", doctor_options[0]);
	return probe_run_command(ctx, n - 1, argv + 1);
}

static void doctor_complete(struct context *ctx, int argc, char **argv)
{
	(void)ctx;
	if (argv[argc - 1][0] == '-')
		suggest_word(argv[argc - 1], doctor_options[0]);
	else if (argc == 1)
		suggest_word(argv[0], "probe");
	else if (argc == 2 && !word_is(argv[0], "probe"))
		suggest_word(argv[1], "from");
	else if (word_is(argv[0], "probe"))
		probe_complete_word(argc - 1, argv + 1);
}

const struct command doctor_command = {
	.name = "doctor",
	.usage = "[--watch] [HOST [from CLIENT]]\nprobe HOST [timeout SECONDS] [SERVICE...]",
	.summary = "find out why a VPN does not work",
	.details = "Looks at the firewall, the connections, the interfaces and vpnpass itself and\n"
		   "says what it found, the worst first. Of HOST it says what is in the way of a\n"
		   "VPN with it, and asks it. With --watch it asks nobody and goes on looking,\n"
		   "and says what is new as it comes, until interrupted. With probe it only asks\n"
		   "which services answer: ike, natt, iketcp, pptp, l2tp, openvpn.\n"
		   "Exit status: 0 nothing was found or all answered, 4 not all could be looked\n"
		   "at, 3 otherwise.\n",
	.options = doctor_options,
	.run = doctor_run,
	.complete = doctor_complete,
};
