// SPDX-License-Identifier: GPL-2.0
/*
 * Changes that a file makes: the defaults of what it does not name, and the
 * difference between what the kernel has and what it will have. See restore.h.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "restore.h"

/**
 * job_covers - Whether a protocol is loaded that a name means.
 * @job: The job.
 * @which: Name of a protocol or group; "all" is content with none.
 */
bool job_covers(const struct job *job, const char *which)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;

	if (!protos_next(&job->protos, which, &pos, &proto))
		return !strcmp(which, "all");
	proto_free(&proto);
	return true;
}

/**
 * job_mode - The mode that a protocol will have once the file is applied.
 * @job: The job.
 * @p: The protocol.
 */
struct maybe job_mode(const struct job *job, const struct proto *p)
{
	struct maybe mode = p->mode;
	size_t i;

	for (i = 0; i < job->state.n_changes; i++) {
		const struct change *c = &job->state.changes[i].change;

		if (!c->key && proto_covers(c->which, p->name))
			mode = MAYBE(c->mode);
	}
	return mode;
}

static struct maybe job_setting(const struct job *job, const struct proto *p,
				const struct setting *s)
{
	struct maybe value = s->value;
	size_t i;

	for (i = 0; i < job->state.n_changes; i++) {
		const struct change *c = &job->state.changes[i].change;

		if (c->key && !strcmp(c->key, s->name) && proto_covers(c->which, p->name))
			value = MAYBE(c->value);
	}
	return value;
}

/* Only the initial netns may resize the table, so the file's mode tells it. */
static bool in_initial_netns(void)
{
	struct stat st;

	return stat("/proc/sys/net/netfilter/nf_conntrack_buckets", &st) || st.st_mode & 0200;
}

/* The state of a switch whose module has just been loaded. */
static uint32_t default_mode(void)
{
	bool initial = in_initial_netns();
	const char *path = initial ? "/sys/module/vpnpass/parameters/default" :
				     "/sys/module/vpnpass/parameters/default_netns";
	FILE *f = fopen(path, "re");
	char word[16] = "";
	int mode;

	if (f && fgets(word, sizeof(word), f))
		word[strcspn(word, "\n")] = '\0';
	if (f)
		fclose(f);
	mode = mode_number(word);
	return mode >= 0 ? mode : initial ? VPNPASS_MODE_ON : VPNPASS_MODE_OFF;
}

static bool names_mode(const struct state *s, size_t n, const char *proto)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!s->changes[i].change.key && proto_covers(s->changes[i].change.which, proto))
			return true;
	return false;
}

static bool names_setting(const struct state *s, size_t n, const char *proto, const char *key)
{
	const struct change *c;
	size_t i;

	for (i = 0; i < n; i++) {
		c = &s->changes[i].change;
		if (c->key && !strcmp(c->key, key) && proto_covers(c->which, proto))
			return true;
	}
	return false;
}

static void add(struct job *job, const struct change *change)
{
	struct state *s = &job->state;

	s->changes = xgrow(s->changes, s->n_changes, sizeof(*s->changes));
	s->changes[s->n_changes++] = (struct state_change){ 0, *change };
}

static void add_defaults_of(struct job *job, const struct proto *p, uint32_t mode, size_t named)
{
	struct change change = { .which = p->name, .mode = mode };
	size_t i;

	if (p->mode.known && p->mode.value != mode && !names_mode(&job->state, named, p->name))
		add(job, &change);
	for (i = 0; i < p->n_settings; i++) {
		const struct setting *s = &p->settings[i];

		if (!s->initial.known || (s->value.known && s->value.value == s->initial.value) ||
		    names_setting(&job->state, named, p->name, s->name))
			continue;
		change.key = s->name;
		change.value = s->initial.value;
		add(job, &change);
	}
}

/**
 * job_add_defaults - Add what takes all that the file does not name back to its
 * default.
 * @job: The job, with the protocols that will be there: what is added points
 *       into them.
 */
void job_add_defaults(struct job *job)
{
	const struct nlmsghdr *pos = NULL;
	size_t named = job->state.n_changes;
	uint32_t mode = default_mode();
	struct proto proto;

	while (protos_next(&job->protos, NULL, &pos, &proto)) {
		add_defaults_of(job, &proto, mode, named);
		proto_free(&proto);
	}
}

/* A change; key NULL for the switch, from unknown if not loaded. */
static void print_step(struct out *o, const char *proto, const char *key, struct maybe from,
		       struct maybe to)
{
	const char *space = key ? " " : "";

	out_object(o, NULL);
	out_string(o, "proto", NULL, proto);
	if (key) {
		out_string(o, "setting", NULL, key);
		out_number(o, "from", NULL, from);
		out_number(o, "to", NULL, to);
		if (from.known)
			out_line(o, 0, "-set %s %s%s%ju", proto, key, space, from.value);
		out_line(o, 0, "+set %s %s%s%ju", proto, key, space, to.value);
	} else {
		out_string(o, "from", NULL, mode_name(from));
		out_string(o, "to", NULL, mode_name(to));
		if (from.known)
			out_line(o, 0, "-set %s %s", proto, mode_name(from));
		out_line(o, 0, "+set %s %s", proto, mode_name(to));
	}
	out_object_end(o);
}

static bool differ(struct maybe a, struct maybe b)
{
	return b.known && (!a.known || a.value != b.value);
}

static size_t print_proto_steps(struct job *job, const struct proto *p)
{
	struct maybe to = job_mode(job, p);
	size_t i, n = 0;

	if (differ(p->mode, to)) {
		print_step(&job->ctx->out, p->name, NULL, p->mode, to);
		n++;
	}
	for (i = 0; i < p->n_settings; i++) {
		to = job_setting(job, p, &p->settings[i]);
		if (!differ(p->settings[i].value, to))
			continue;
		print_step(&job->ctx->out, p->name, p->settings[i].name, p->settings[i].value, to);
		n++;
	}
	return n;
}

/* The protocol's module would be loaded first; the values that it has then are not known. */
static size_t print_missing(struct job *job)
{
	size_t i, n = 0;

	for (i = 0; i < job->state.n_changes; i++) {
		const struct change *c = &job->state.changes[i].change;

		if (job_covers(job, c->which))
			continue;
		print_step(&job->ctx->out, c->which, c->key, (struct maybe){},
			   MAYBE(c->key ? c->value : c->mode));
		n++;
	}
	return n;
}

/**
 * job_print_plan - Print what applying the file would change, as a difference.
 * @job: The job, checked.
 */
void job_print_plan(struct job *job)
{
	const struct state *s = &job->state;
	struct out *o = &job->ctx->out;
	const struct nlmsghdr *pos = NULL;
	size_t i, n = 0, live = 0;
	struct proto proto;

	out_list(o, "changes");
	while (protos_next(&job->protos, NULL, &pos, &proto)) {
		n += print_proto_steps(job, &proto);
		proto_free(&proto);
	}
	n += print_missing(job);
	out_list_end(o);
	for (i = 0; i < s->n_sessions; i++)
		live += s->sessions[i].expires > job->elapsed;
	out_number(o, "sessions", NULL, MAYBE(live));
	out_number(o, "expired", NULL, MAYBE(s->n_sessions - live));
	if (s->n_sessions)
		out_line(o, 0, "# %zu session%s to restore, %zu timed out", live,
			 live == 1 ? "" : "s", s->n_sessions - live);
	else if (!n)
		out_line(o, 0, "# nothing to change");
}
