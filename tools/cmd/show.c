// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass show: the switches, and the settings of one protocol.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static void setting_json(struct out *o, const struct setting *s)
{
	out_object(o, s->name);
	out_number(o, "value", NULL, s->value);
	out_number(o, "min", NULL, s->minimum);
	out_number(o, "max", NULL, s->maximum);
	out_number(o, "default", NULL, s->initial);
	out_string(o, "unit", NULL, s->unit);
	out_object_end(o);
}

static const char *number_or_dash(char text[24], struct maybe number)
{
	snprintf(text, 24, "%ju", number.value);
	return number.known ? text : "-";
}

static void setting_line(struct out *o, const struct setting *s)
{
	char value[24], minimum[24], maximum[24], initial[24];

	out_line(o, 4, "%-20s %10s %-9s %s..%s, default %s", s->name,
		 number_or_dash(value, s->value), s->unit ? s->unit : "",
		 number_or_dash(minimum, s->minimum), number_or_dash(maximum, s->maximum),
		 number_or_dash(initial, s->initial));
}

static const char *mode_tint(struct maybe mode)
{
	if (!mode.known)
		return NULL;
	return mode.value == VPNPASS_MODE_ON ? OUT_GREEN :
	       mode.value == VPNPASS_MODE_BLOCK ? OUT_RED : OUT_YELLOW;
}

static void show_proto(struct out *o, const struct proto *p, bool settings)
{
	size_t i;

	out_object(o, NULL);
	out_string(o, "proto", "PROTO", p->name);
	out_string(o, "mode", "MODE", mode_name(p->mode));
	out_tint(o, "MODE", mode_tint(p->mode));
	out_number(o, "sessions", "SESSIONS", p->sessions);
	out_number(o, "pins", "PINS", p->pins);
	out_row(o);
	out_object(o, "settings");
	for (i = 0; i < p->n_settings; i++) {
		if (o->json)
			setting_json(o, &p->settings[i]);
		else if (settings)
			setting_line(o, &p->settings[i]);
	}
	out_object_end(o);
	out_object_end(o);
}

static int show_run(struct context *ctx, int argc, char **argv)
{
	static const char *const columns[] = { "PROTO", "MODE", ">SESSIONS", ">PINS", NULL };
	const char *which = argc ? argv[0] : NULL;
	const struct nlmsghdr *pos = NULL;
	struct replies replies = {};
	struct proto proto;
	int ret, n = 0;

	if (argc > 1)
		return usage_error(&show_command, "too many arguments: %s", argv[1]);
	if (which && !proto_plausible(which))
		return proto_usage(&show_command, which);
	out_columns(&ctx->out, columns);
	out_list(&ctx->out, NULL);
	ret = protos_fetch(ctx, which, &replies);
	while (!ret && protos_next(&replies, which, &pos, &proto)) {
		show_proto(&ctx->out, &proto, which && strcmp(which, "all"));
		proto_free(&proto);
		n++;
	}
	if (!ret && !n)
		complain("no protocol is loaded (load one with: modprobe vpnpass_esp)");
	replies_free(&replies);
	return ret;
}

static void show_complete(struct context *ctx, int argc, char **argv)
{
	if (argc == 1)
		suggest_protos(ctx, argv[0]);
}

const struct command show_command = {
	.name = "show",
	.usage = "[PROTO]",
	.summary = "show the switches; with PROTO, its settings too",
	.details = PROTO_HELP,
	.run = show_run,
	.complete = show_complete,
};
