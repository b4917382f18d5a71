// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass save: switches, settings and what was learned, as text that restore
 * takes. The format is that of vpnpass.conf(5) and state.h.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/file.h"
#include "../lib/state.h"
#include "commands.h"

/* When the kernel does not say how long a connection still has. */
#define EXPIRES_GUESS	120000

struct counts {
	size_t switches, settings, sessions, others;
};

static void put_proto(FILE *f, const struct proto *p, struct counts *n)
{
	const char *mode = mode_name(p->mode);
	size_t i;

	/* A mode of the future cannot be restored by this tool. */
	if (mode && mode_number(mode) >= 0) {
		fprintf(f, "set %s %s\n", p->name, mode);
		n->switches++;
	}
	for (i = 0; i < p->n_settings; i++) {
		if (!p->settings[i].value.known)
			continue;
		fprintf(f, "set %s %s %ju\n", p->name, p->settings[i].name,
			p->settings[i].value.value);
		n->settings++;
	}
}

static bool is_esp(const struct session *s)
{
	return s->proto && !strcmp(s->proto, "esp") && *s->client && *s->peer && *s->local;
}

static bool router_has(const struct ifaddrs *list, const char *address)
{
	struct raw_address a;

	return address_parse(&a, address) && ifaddrs_have(list, &a);
}

static void put_zone(FILE *f, const char *name, struct maybe zone)
{
	if (zone.known && zone.value)
		fprintf(f, " %s %ju", name, zone.value);
}

static void put_seconds(FILE *f, const char *name, uint64_t ms)
{
	fprintf(f, " %s %ju.%03d", name, ms / 1000, (int)(ms % 1000));
}

static void put_pin(FILE *f, const struct pin *pin)
{
	if (!pin->kind.known || pin->kind.value != VPNPASS_NUMBER_KIND_SPI ||
	    !pin->dir.known || pin->dir.value > VPNPASS_DIRECTION_REPLY || !pin->number.known ||
	    (pin->state.known && pin->state.value != VPNPASS_PIN_STATE_SETTLED))
		return;
	fprintf(f, "\tspi %s 0x%08jx", pin_dir_name(pin->dir), pin->number.value);
	put_seconds(f, "idle", pin->idle.value);
	fputc('\n', f);
}

static void put_session(FILE *f, const struct session *s)
{
	uint64_t expires = s->lifetime.known ? s->lifetime.value : EXPIRES_GUESS;
	size_t i;

	fprintf(f, "session %s client %s peer %s local %s", s->proto, s->client, s->peer,
		s->local);
	if (*s->dest)
		fprintf(f, " dest %s", s->dest);
	put_seconds(f, "expires", expires ? expires : 1);
	if (s->device)
		fprintf(f, " device %s", s->device);
	put_zone(f, "zone", s->zone);
	put_zone(f, "zone-reply", s->zone_reply);
	fputc('\n', f);
	for (i = 0; i < s->n_pins; i++)
		put_pin(f, &s->pins[i]);
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The router's own ones of the addresses that sessions are translated to. */
static void put_locals(FILE *f, const struct replies *r)
{
	const struct nlmsghdr *pos = NULL;
	struct ifaddrs *list = NULL;
	struct session session;
	char **seen = NULL;
	size_t n = 0, i;

	if (getifaddrs(&list))
		list = NULL;
	while ((pos = replies_next(r, pos))) {
		session_read(&session, pos);
		if (is_esp(&session) && router_has(list, session.local) &&
		    !(n && bsearch(&(char *){ session.local }, seen, n, sizeof(*seen),
				   compare_text))) {
			seen = xgrow(seen, n, sizeof(*seen));
			seen[n++] = xstrdup(session.local);
			qsort(seen, n, sizeof(*seen), compare_text);
		}
		session_free(&session);
	}
	for (i = 0; i < n; i++) {
		fprintf(f, "local %s\n", seen[i]);
		free(seen[i]);
	}
	free(seen);
	if (list)
		freeifaddrs(list);
}

static void put_sessions(FILE *f, const struct replies *r, struct counts *n)
{
	const struct nlmsghdr *pos = NULL;
	struct session session;

	while ((pos = replies_next(r, pos))) {
		session_read(&session, pos);
		if (is_esp(&session)) {
			put_session(f, &session);
			n->sessions++;
		} else {
			n->others++;
		}
		session_free(&session);
	}
	if (n->others)
		fprintf(f, "# %zu of other protocols: %s\n", n->others,
			"they begin anew, with their control connection");
}

static void put_head(FILE *f)
{
	time_t now = time(NULL);
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime(&now));
	fprintf(f, "vpnpass %d\n# by vpnpass " VPNPASS_VERSION ", %s UTC\nsaved %jd\n",
		STATE_VERSION, text, (intmax_t)now);
}

/* The kernel's state as text that the caller frees; NULL after complaining. */
static char *collect(struct context *ctx, size_t *length, struct counts *n)
{
	struct replies protos = {}, sessions = {};
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	char *text = NULL;
	FILE *f;
	int ret;

	if (protos_fetch(ctx, NULL, &protos))
		goto out;
	nl_request(&ctx->nl, VPNPASS_CMD_SESSION_GET, true);
	ret = nl_talk(&ctx->nl, &sessions);
	if (ret) {
		nl_complain(&ctx->nl, NULL, ret);
		goto out;
	}
	f = open_memstream(&text, length);
	if (!f)
		out_of_memory();
	put_head(f);
	while (protos_next(&protos, NULL, &pos, &proto)) {
		put_proto(f, &proto, n);
		proto_free(&proto);
	}
	put_locals(f, &sessions);
	put_sessions(f, &sessions, n);
	if (fflush(f) || fprintf(f, "sum %08x\n", state_sum(text, *length)) < 0 || fclose(f))
		out_of_memory();
out:
	replies_free(&protos);
	replies_free(&sessions);
	return text;
}

static void report(struct out *o, const char *name, const struct counts *n)
{
	answer_object(o);
	out_string(o, "file", NULL, name);
	out_number(o, "switches", NULL, MAYBE(n->switches));
	out_number(o, "settings", NULL, MAYBE(n->settings));
	out_number(o, "sessions", NULL, MAYBE(n->sessions));
	out_line(o, 0, "%zu switch%s, %zu setting%s and %zu session%s saved", n->switches,
		 n->switches == 1 ? "" : "es", n->settings, n->settings == 1 ? "" : "s",
		 n->sessions, n->sessions == 1 ? "" : "s");
	out_object_end(o);
}

static int save_run(struct context *ctx, int argc, char **argv)
{
	struct counts n = {};
	size_t length;
	char *text;
	int ret;

	if (argc < 1)
		return usage_error(&save_command, "FILE expected");
	if (argc > 1)
		return usage_error(&save_command, "too many arguments: %s", argv[1]);
	if (ctx->out.json && !strcmp(argv[0], "-"))
		return usage_error(&save_command, "what is saved is no JSON: name a file");
	text = collect(ctx, &length, &n);
	if (!text)
		return EXIT_REFUSED;
	ret = file_write(argv[0], text, length);
	free(text);
	if (ret) {
		complain("%s: %s", argv[0], strerror(errno));
		complain_code("file");
		return EXIT_REFUSED;
	}
	if (strcmp(argv[0], "-"))
		report(&ctx->out, argv[0], &n);
	return EXIT_OK;
}

static void save_complete(struct context *ctx, int argc, char **argv)
{
	(void)ctx;
	(void)argv;
	if (argc == 1)
		suggest_files();
}

const struct command save_command = {
	.name = "save",
	.usage = "FILE",
	.summary = "write switches, settings and what was learned to a file",
	.details = "FILE is replaced all at once; - is standard output.\n",
	.run = save_run,
	.complete = save_complete,
};
