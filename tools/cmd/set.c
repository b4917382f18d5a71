// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass set: turn a switch, or change a setting.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static int parse_mode(struct change *change, const char *word)
{
	static const char *const modes[] = { "on", "off", "block", NULL };
	int mode = mode_number(word);

	if (mode < 0)
		return usage_error_word(&set_command, "on, off, block or KEY VALUE expected, not",
					word, modes);
	change->mode = mode;
	return EXIT_OK;
}

static int parse_setting(struct change *change, const char *key, const char *value)
{
	bool good = parse_u32(&change->value, value);

	if (mode_number(key) >= 0)
		return usage_error(&set_command, "too many arguments: %s", value);
	if (!good)
		return usage_error(&set_command, "%s: a number of 32 bits expected, not %s",
				   key, value);
	change->key = key;
	return EXIT_OK;
}

static int parse(struct change *change, int argc, char **argv)
{
	if (argc < 1)
		return usage_error(&set_command, "PROTO expected");
	if (!proto_plausible(argv[0]))
		return proto_usage(&set_command, argv[0]);
	change->which = argv[0];
	if (argc == 1)
		return usage_error(&set_command, "on, off, block or KEY VALUE expected");
	if (argc == 2)
		return parse_mode(change, argv[1]);
	if (argc == 3)
		return parse_setting(change, argv[1], argv[2]);
	return usage_error(&set_command, "too many arguments: %s", argv[3]);
}

static void report(struct out *o, const struct proto *p, const struct change *change)
{
	out_object(o, NULL);
	out_string(o, "proto", NULL, p->name);
	if (change->key) {
		out_string(o, "setting", NULL, change->key);
		out_number(o, "value", NULL, MAYBE(change->value));
	} else {
		out_string(o, "mode", NULL, mode_name(MAYBE(change->mode)));
	}
	out_object_end(o);
}

static int set_one(struct context *ctx, const struct proto *p, const struct change *change)
{
	int ret = change_send(ctx, p->name, change);

	if (!ret) {
		report(&ctx->out, p, change);
		return EXIT_OK;
	}
	nl_complain(&ctx->nl, ret == -EPERM ? NULL : p->name, ret);
	return EXIT_REFUSED;
}

/* All of them are looked at before the first is changed. */
static bool fits_each(const struct replies *r, const struct change *change)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	bool fits = true;

	while (fits && protos_next(r, change->which, &pos, &proto)) {
		if (change_concerns(change, r, &proto))
			fits = change_fits(&proto, change);
		proto_free(&proto);
	}
	return fits;
}

static int set_each(struct context *ctx, const struct replies *r, const struct change *change)
{
	const struct nlmsghdr *pos = NULL;
	int ret = EXIT_OK, n = 0;
	struct proto proto;

	while (!ret && protos_next(r, change->which, &pos, &proto)) {
		if (change_concerns(change, r, &proto))
			ret = set_one(ctx, &proto, change);
		proto_free(&proto);
		n++;
	}
	if (n)
		return ret;
	complain("no protocol is loaded (load one with: modprobe vpnpass_esp)");
	complain_code("not-loaded");
	advise_quietly("modprobe vpnpass_esp");
	return EXIT_REFUSED;
}

static int set_run(struct context *ctx, int argc, char **argv)
{
	struct replies replies = {};
	struct change change = {};
	int ret;

	ret = parse(&change, argc, argv);
	if (ret)
		return ret;
	/* The request has room for this much; what is shorter the kernel judges. */
	if (change.key && strlen(change.key) > CHANGE_KEY_MAX)
		return usage_error(&set_command, "KEY too long");
	out_list(&ctx->out, NULL);
	ret = protos_fetch(ctx, change.which, &replies);
	if (!ret)
		ret = fits_each(&replies, &change) ? set_each(ctx, &replies, &change) :
						     EXIT_REFUSED;
	replies_free(&replies);
	return ret;
}

static void suggest_settings(struct context *ctx, const char *which, const char *prefix)
{
	const struct nlmsghdr *pos = NULL;
	struct replies replies = {};
	struct proto proto;
	size_t i;

	if (nl_open(&ctx->nl))
		return;
	nl_request(&ctx->nl, VPNPASS_CMD_PROTO_GET, true);
	nl_talk(&ctx->nl, &replies);
	while (protos_next(&replies, which, &pos, &proto)) {
		for (i = 0; i < proto.n_settings; i++)
			suggest_word(prefix, proto.settings[i].name);
		proto_free(&proto);
	}
	replies_free(&replies);
}

static void set_complete(struct context *ctx, int argc, char **argv)
{
	if (argc == 1)
		suggest_protos(ctx, argv[0]);
	if (argc != 2)
		return;
	suggest_word(argv[1], "on");
	suggest_word(argv[1], "off");
	suggest_word(argv[1], "block");
	suggest_settings(ctx, argv[0], argv[1]);
}

const struct command set_command = {
	.name = "set",
	.usage = "PROTO on|off|block\nPROTO KEY VALUE",
	.summary = "turn a switch, or change a setting",
	.details =
		PROTO_HELP
		"  on     help the protocol through NAT\n"
		"  off    plain NAT, as if the module were not there\n"
		"  block  drop the protocol in both directions\n"
		"\"vpnpass show PROTO\" lists each KEY with its VALUE and range.\n",
	.run = set_run,
	.complete = set_complete,
};
