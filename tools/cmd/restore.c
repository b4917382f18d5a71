// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass restore: switches, settings and sessions out of a file of save's, or
 * switches and settings out of one that somebody wrote. All of it is checked
 * before anything is changed: what it says, whether it is stale, and whether
 * the kernel has what it is about.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../lib/file.h"
#include "../lib/progress.h"
#include "../lib/restore.h"
#include "commands.h"

#define CLOCK_SLACK	60	/* s that the clock may have been set back */

/* Complain about a line of the file. */
#define complain_line(job, where, ...) do { \
	complain_about((job)->name, where); \
	complain(__VA_ARGS__); \
	complain_about(NULL, 0); \
} while (0)

static bool parse(struct job *job, char *text, size_t length)
{
	if (state_parse(&job->state, text, length))
		return true;
	complain_line(job, job->state.line, "%s", job->state.error);
	complain_code("syntax");
	return false;
}

/* ---- stale? ---- */

static bool check_time(struct job *job)
{
	const struct state *s = &job->state;
	time_t now = time(NULL);
	size_t i, expired = 0;

	if (!s->saved_line)
		return true;
	if (s->saved > now + CLOCK_SLACK && !job->boot) {
		complain_line(job, s->saved_line, "saved in the future: is the clock right?");
		complain_code("stale");
		return false;
	}
	job->elapsed = now > s->saved ? (uint64_t)(now - s->saved) * 1000 : 0;
	for (i = 0; i < s->n_sessions; i++)
		expired += s->sessions[i].expires <= job->elapsed;
	if (!expired || expired < s->n_sessions)
		return true;
	complain_line(job, s->saved_line,
		      "stale: every session has timed out since it was saved");
	complain_code("stale");
	return false;
}

static bool check_locals(struct job *job)
{
	const struct state *s = &job->state;
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *list;
	bool good = true;
	size_t i;

	if (!s->n_locals || job->boot)
		return true;
	if (getifaddrs(&list)) {
		complain("cannot list the router's addresses: %s", strerror(errno));
		return false;
	}
	for (i = 0; i < s->n_locals && good; i++) {
		good = ifaddrs_have(list, &s->locals[i].address);
		if (good)
			continue;
		inet_ntop(s->locals[i].address.length == 4 ? AF_INET : AF_INET6,
			  s->locals[i].address.bytes, text, sizeof(text));
		complain_line(job, s->locals[i].line,
			      "stale: the router has no address %s any more", text);
		complain_code("stale");
	}
	freeifaddrs(list);
	return good;
}

static bool check_devices(struct job *job)
{
	const struct state_session *s = job->state.sessions;
	const char *good = NULL;
	size_t i;

	for (i = 0; i < job->state.n_sessions && !job->boot; i++) {
		if (!s[i].device || (good && !strcmp(good, s[i].device)))
			continue;
		if (!if_nametoindex(s[i].device)) {
			complain_line(job, s[i].line, "stale: there is no device %s any more",
				      s[i].device);
			complain_code("stale");
			return false;
		}
		good = s[i].device;
	}
	return true;
}

/* ---- the kernel's state ---- */

static bool check_value(struct job *job, size_t line, const struct proto *p,
			const struct change *c)
{
	bool fits;

	complain_about(job->name, line);
	fits = change_fits(p, c);
	complain_about(NULL, 0);
	return fits;
}

static bool check_change(struct job *job, const struct state_change *c)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	bool good = true;

	while (good && c->change.key &&
	       protos_next(&job->protos, c->change.which, &pos, &proto)) {
		if (change_concerns(&c->change, &job->protos, &proto))
			good = check_value(job, c->line, &proto, &c->change);
		proto_free(&proto);
	}
	return good;
}

/* Loads what is missing, as set would, once all that is there has been checked. */
static bool check_changes(struct job *job)
{
	const struct state *s = &job->state;
	struct replies more = {};
	size_t i;
	int ret;

	for (i = 0; i < s->n_changes; i++)
		if (job_covers(job, s->changes[i].change.which) &&
		    !check_change(job, &s->changes[i]))
			return false;
	for (i = 0; i < s->n_changes; i++) {
		if (job->check_only || job_covers(job, s->changes[i].change.which))
			continue;
		complain_about(job->name, s->changes[i].line);
		ret = protos_fetch(job->ctx, s->changes[i].change.which, &more);
		complain_about(NULL, 0);
		replies_free(&job->protos);
		job->protos = more;
		more = (struct replies){};
		if (ret || !check_change(job, &s->changes[i]))
			return false;
	}
	return true;
}

static bool check_sessions(struct job *job)
{
	const struct state_session *s = job->state.sessions;
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	struct maybe mode;

	if (!job->state.n_sessions)
		return true;
	if (!protos_next(&job->protos, s->proto, &pos, &proto)) {
		complain_line(job, s->line, "%s: protocol not loaded (load it with: modprobe %s)",
			      s->proto, module_of(s->proto));
		complain_code("not-loaded");
		advise_quietly("modprobe %s", module_of(s->proto));
		return false;
	}
	mode = job_mode(job, &proto);
	proto_free(&proto);
	if (mode.known && mode.value == VPNPASS_MODE_ON)
		return true;
	complain_line(job, s->line, "%s has sessions, but its switch is not on", s->proto);
	return false;
}

static bool check(struct job *job)
{
	if (!check_time(job) || !check_locals(job) || !check_devices(job))
		return false;
	/* whoever only checks has nothing loaded for it, not even the core */
	if ((!job->check_only || nl_open(&job->ctx->nl) != -ENOENT) &&
	    protos_fetch(job->ctx, NULL, &job->protos))
		return false;
	if (!check_changes(job))
		return false;
	if (job->declarative)
		job_add_defaults(job);
	return check_sessions(job);
}

/* ---- doing it ---- */

static bool refused(struct job *job, size_t line, const char *what, int error)
{
	complain_about(job->name, line);
	nl_complain(&job->ctx->nl, error == -EPERM ? NULL : what, error);
	complain_about(NULL, 0);
	job->refused++;
	return false;
}

static bool apply_change(struct job *job, const struct state_change *c)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	int ret = 0;

	while (!ret && protos_next(&job->protos, c->change.which, &pos, &proto)) {
		if (change_concerns(&c->change, &job->protos, &proto)) {
			ret = change_send(job->ctx, proto.name, &c->change);
			job->settings += !ret && c->change.key;
			job->switches += !ret && !c->change.key;
		}
		if (ret)
			refused(job, c->line, proto.name, ret);
		proto_free(&proto);
	}
	return !ret;
}

static void put_address(struct nlmsghdr *nlh, int type, const struct raw_address *a)
{
	if (a->length)
		mnl_attr_put(nlh, type, a->length, a->bytes);
}

static void put_spi(struct nlmsghdr *nlh, const struct state_spi *spi, uint64_t elapsed)
{
	uint64_t idle = spi->idle + elapsed;
	struct nlattr *nest = mnl_attr_nest_start(nlh, VPNPASS_A_SESSION_PIN);

	mnl_attr_put_u32(nlh, VPNPASS_A_PIN_KIND, VPNPASS_NUMBER_KIND_SPI);
	mnl_attr_put_u32(nlh, VPNPASS_A_PIN_DIR,
			 spi->in ? VPNPASS_DIRECTION_REPLY : VPNPASS_DIRECTION_ORIGINAL);
	mnl_attr_put_u64(nlh, VPNPASS_A_PIN_NUMBER, spi->spi);
	mnl_attr_put_u32(nlh, VPNPASS_A_PIN_IDLE, idle > INT32_MAX ? INT32_MAX : idle);
	mnl_attr_nest_end(nlh, nest);
}

static void put_session(struct nlmsghdr *nlh, const struct state_session *s, uint64_t elapsed)
{
	uint64_t left = s->expires - elapsed;
	size_t i;

	mnl_attr_put_strz(nlh, VPNPASS_A_SESSION_PROTO, s->proto);
	put_address(nlh, VPNPASS_A_SESSION_CLIENT, &s->client);
	put_address(nlh, VPNPASS_A_SESSION_PEER, &s->peer);
	put_address(nlh, VPNPASS_A_SESSION_LOCAL, &s->local);
	put_address(nlh, VPNPASS_A_SESSION_DEST, &s->dest);
	if (s->zone.known)
		mnl_attr_put_u32(nlh, VPNPASS_A_SESSION_ZONE, s->zone.value);
	if (s->zone_reply.known)
		mnl_attr_put_u32(nlh, VPNPASS_A_SESSION_ZONE_REPLY, s->zone_reply.value);
	if (s->device)
		mnl_attr_put_strz(nlh, VPNPASS_A_SESSION_DEVICE, s->device);
	mnl_attr_put_u32(nlh, VPNPASS_A_SESSION_LIFETIME, left > UINT32_MAX ? UINT32_MAX : left);
	for (i = 0; i < s->n_spis; i++)
		put_spi(nlh, &s->spis[i], elapsed);
}

/* Whether to go on with the next. */
static bool apply_session(struct job *job, const struct state_session *s)
{
	struct replies replies = {};
	int ret;

	if (s->expires <= job->elapsed) {
		job->expired++;
		return true;
	}
	if (job->boot && s->device && !if_nametoindex(s->device)) {
		job->absent++;
		return true;
	}
	put_session(nl_request(&job->ctx->nl, VPNPASS_CMD_SESSION_RESTORE, false), s,
		    job->elapsed);
	ret = nl_talk(&job->ctx->nl, &replies);
	if (!ret && replies_next(&replies, NULL))
		job->numbers += count_read(replies_next(&replies, NULL)).value;
	replies_free(&replies);
	if (!ret) {
		job->sessions++;
		return true;
	}
	if (ret == -EOPNOTSUPP && !job->ctx->nl.text[0])
		snprintf(job->ctx->nl.text, sizeof(job->ctx->nl.text),
			 "the kernel module is too old to restore sessions");
	refused(job, s->line, NULL, ret);
	return ret != -EPERM && ret != -EOPNOTSUPP;
}

static void apply(struct job *job)
{
	const struct state *s = &job->state;
	size_t i;

	for (i = 0; i < s->n_changes; i++)
		if (!apply_change(job, &s->changes[i]))
			return;
	progress_begin("restoring sessions");
	for (i = 0; i < s->n_sessions; i++) {
		progress_at(i, s->n_sessions);
		if (!apply_session(job, &s->sessions[i]))
			break;
	}
	progress_end();
}

static void report(struct job *job)
{
	struct out *o = &job->ctx->out;
	char expired[64] = "", absent[64] = "", not_taken[64] = "";

	out_number(o, "switches", NULL, MAYBE(job->switches));
	out_number(o, "settings", NULL, MAYBE(job->settings));
	out_number(o, "sessions", NULL, MAYBE(job->sessions));
	out_number(o, "numbers", NULL, MAYBE(job->numbers));
	out_number(o, "expired", NULL, MAYBE(job->expired));
	if (job->boot)
		out_number(o, "absent", NULL, MAYBE(job->absent));
	out_number(o, "refused", NULL, MAYBE(job->refused));
	if (job->absent)
		snprintf(absent, sizeof(absent), ", %zu wait for their device", job->absent);
	if (job->expired)
		snprintf(expired, sizeof(expired), ", %zu had timed out", job->expired);
	if (job->refused)
		snprintf(not_taken, sizeof(not_taken), ", %zu refused", job->refused);
	out_line(o, 0, "%zu switch%s, %zu setting%s and %zu session%s restored%s%s%s",
		 job->switches, job->switches == 1 ? "" : "es",
		 job->settings, job->settings == 1 ? "" : "s",
		 job->sessions, job->sessions == 1 ? "" : "s", expired, absent, not_taken);
}

/* Check it, then apply it or say what that would do. */
static int do_job(struct job *job, char *text, size_t length)
{
	if (!parse(job, text, length))
		return EXIT_USAGE;
	if (job->sessions_only)
		job->state.n_changes = 0;
	if (!check(job))
		return EXIT_REFUSED;
	if (job->check_only) {
		job_print_plan(job);
		return EXIT_OK;
	}
	apply(job);
	report(job);
	return job->refused ? EXIT_REFUSED : EXIT_OK;
}

static int parse_words(struct job *job, const char **file, int argc, char **argv)
{
	const char *extra = NULL;

	for (; argc > 0; argc--, argv++) {
		if (!strcmp(argv[0], "--declarative"))
			job->declarative = true;
		else if (!strcmp(argv[0], "--check"))
			job->check_only = true;
		else if (!strcmp(argv[0], "--boot"))
			job->boot = true;
		else if (!strcmp(argv[0], "--sessions"))
			job->sessions_only = true;
		else if (!*file)
			*file = argv[0];
		else
			extra = argv[0];
	}
	job->sessions_only |= job->boot;
	if (extra)
		return usage_error(&restore_command, "too many arguments: %s", extra);
	if (!*file)
		return usage_error(&restore_command, "FILE expected");
	if (job->declarative && job->sessions_only)
		return usage_error(&restore_command,
				   "--declarative excludes --sessions and --boot");
	return EXIT_OK;
}

static int restore_run(struct context *ctx, int argc, char **argv)
{
	struct job job = { .ctx = ctx };
	const char *file = NULL;
	size_t length;
	char *text;
	int ret;

	ret = parse_words(&job, &file, argc, argv);
	if (ret)
		return ret;
	job.name = strcmp(file, "-") ? file : "standard input";
	answer_object(&ctx->out);
	text = file_read(file, &length);
	if (!text) {
		complain("%s: %s", job.name, strerror(errno));
		complain_code("file");
		return EXIT_USAGE;
	}
	ret = do_job(&job, text, length);
	state_free(&job.state);
	replies_free(&job.protos);
	free(text);
	return ret;
}

static const char *const restore_options[] = {
	"--declarative", "--check", "--sessions", "--boot", NULL
};

static void restore_complete(struct context *ctx, int argc, char **argv)
{
	const char *last = argv[argc - 1];
	size_t i;

	(void)ctx;
	if (*last != '-') {
		suggest_files();
		return;
	}
	for (i = 0; restore_options[i]; i++)
		suggest_word(last, restore_options[i]);
}

const struct command restore_command = {
	.name = "restore",
	.usage = "[--declarative | --sessions | --boot] [--check] FILE",
	.summary = "take switches, settings and sessions from a file",
	.details = "FILE is one of save's, or has lines \"set PROTO ...\"; - is standard input.\n"
		   "It is refused whole, with line and reason, when anything in it is wrong\n"
		   "or stale.\n"
		   "  --declarative  what it does not name goes back to its default\n"
		   "  --sessions     leave its switches and settings out\n"
		   "  --boot         the same, before the addresses and the clock are set\n"
		   "  --check        only say what would change, as a difference\n",
	.options = restore_options,
	.run = restore_run,
	.complete = restore_complete,
};
