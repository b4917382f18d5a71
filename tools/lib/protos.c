// SPDX-License-Identifier: GPL-2.0
/*
 * Finding the protocols that a command is about, with the modules loaded when
 * they are missing and we may. The kernel is asked for all of them, as there are
 * only a few.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/**
 * proto_is_group - Whether a name stands for several protocols.
 * @which: The name.
 */
bool proto_is_group(const char *which)
{
	return !strcmp(which, "ipsec") || !strcmp(which, "all");
}

/**
 * proto_covers - Whether a name on the command line means a protocol.
 * @which: The name, possibly of a group; NULL means all.
 * @name: The protocol.
 */
bool proto_covers(const char *which, const char *name)
{
	if (!which || !strcmp(which, "all"))
		return true;
	if (!strcmp(which, "ipsec"))
		return !strcmp(name, "ike") || !strcmp(name, "esp");
	return !strcmp(which, name);
}

/**
 * proto_plausible - Whether a word may be the name of a protocol.
 * @which: The word. Newer modules may bring names not known here.
 */
bool proto_plausible(const char *which)
{
	size_t i;

	for (i = 0; which[i]; i++)
		if (!islower((unsigned char)which[i]) && !isdigit((unsigned char)which[i]))
			return false;
	return i > 0 && i <= 15;
}

static const char *const proto_names[] = {
	KNOWN_PROTOS(PROTO_NAME) "ipsec", "all", NULL
};

#define AND_SPACE(name, module)	name " "
#define KNOWN	"(known: " KNOWN_PROTOS(AND_SPACE) "ipsec all)"

/**
 * proto_usage - Complain about a word that can be no protocol.
 * @command: The command.
 * @word: The word.
 *
 * Return: EXIT_USAGE.
 */
int proto_usage(const struct command *command, const char *word)
{
	char *lower = xstrdup(word), *p;
	const char *meant;

	for (p = lower; *p; p++)
		*p = tolower((unsigned char)*p);
	meant = nearest_word(lower, proto_names);
	usage_error(command, "not a protocol: %s " KNOWN, word);
	if (meant)
		advise_quietly("did you mean %s?", meant);
	free(lower);
	return EXIT_USAGE;
}

/* A name that neither we nor the kernel know. */
static bool unknown(const char *which)
{
	return which && !proto_is_group(which) && !module_of(which);
}

static int complain_unknown(const char *which)
{
	const char *meant = nearest_word(which, proto_names);

	complain("%s: no such protocol%s%s%s " KNOWN, which, meant ? ", did you mean " : "",
		 meant ? meant : "", meant ? "?" : "");
	complain_code("no-proto");
	if (meant)
		advise_quietly("did you mean %s?", meant);
	return EXIT_USAGE;
}

static const char *modules_of(const char *which)
{
	if (which && !strcmp(which, "ipsec"))
		return "-a vpnpass_ike vpnpass_esp";
	return which && module_of(which) ? module_of(which) : "vpnpass_esp";
}

/**
 * cli_connect - Connect to the kernel module, loading it if need be.
 * @ctx: Context.
 * @which: The protocol that is wanted, for the advice; may be NULL.
 *
 * Return: an exit code; other than EXIT_OK it has complained.
 */
int cli_connect(struct context *ctx, const char *which)
{
	int ret = nl_open(&ctx->nl);

	if (ret == -ENOENT && module_load("vpnpass"))
		ret = nl_open(&ctx->nl);
	if (!ret)
		return EXIT_OK;
	if (ret == -ENOENT && unknown(which))
		return complain_unknown(which);
	if (ret != -ENOENT) {
		nl_complain(&ctx->nl, NULL, ret);
		return EXIT_REFUSED;
	}
	complain("kernel module not loaded (load it with: modprobe %s)", modules_of(which));
	complain_code("not-loaded");
	advise_quietly("modprobe %s", modules_of(which));
	return EXIT_REFUSED;
}

static int fetch(struct context *ctx, struct replies *replies)
{
	int ret;

	nl_request(&ctx->nl, VPNPASS_CMD_PROTO_GET, true);
	ret = nl_talk(&ctx->nl, replies);
	if (!ret)
		return EXIT_OK;
	nl_complain(&ctx->nl, NULL, ret);
	return EXIT_REFUSED;
}

static bool found(const struct replies *r, const char *which)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;

	if (!protos_next(r, which, &pos, &proto))
		return false;
	proto_free(&proto);
	return true;
}

static bool load_missing(const char *which)
{
	bool ike, esp;

	if (!strcmp(which, "ipsec")) {
		ike = module_load("vpnpass_ike");
		esp = module_load("vpnpass_esp");
		return ike || esp;
	}
	return module_of(which) && module_load(module_of(which));
}

/**
 * protos_fetch - Ask for the protocols.
 * @ctx: Context.
 * @which: Name of a protocol or group that must be there; NULL and "all" are
 *         content with none.
 * @replies: All that are loaded, to be walked over by protos_next() and freed
 *           by the caller.
 *
 * Return: an exit code; other than EXIT_OK it has complained.
 */
int protos_fetch(struct context *ctx, const char *which, struct replies *replies)
{
	int ret = cli_connect(ctx, which);

	if (ret)
		return ret;
	ret = fetch(ctx, replies);
	if (ret || !which || !strcmp(which, "all") || found(replies, which))
		return ret;
	if (load_missing(which)) {
		ret = fetch(ctx, replies);
		if (ret || found(replies, which))
			return ret;
	}
	if (unknown(which))
		return complain_unknown(which);
	complain("%s: protocol not loaded (load it with: modprobe %s)", which,
		 modules_of(which));
	complain_code("not-loaded");
	advise_quietly("modprobe %s", modules_of(which));
	return EXIT_REFUSED;
}

/**
 * protos_next - Walk over the protocols that a name covers.
 * @r: From protos_fetch().
 * @which: The name, or NULL for all.
 * @pos: Where the walk is, NULL to begin.
 * @proto: Filled in when there is one, for proto_free().
 *
 * Return: whether there was one.
 */
bool protos_next(const struct replies *r, const char *which,
		 const struct nlmsghdr **pos, struct proto *proto)
{
	while ((*pos = replies_next(r, *pos))) {
		proto_read(proto, *pos);
		if (proto->name && proto_covers(which, proto->name))
			return true;
		proto_free(proto);
	}
	return false;
}

/**
 * suggest_protos - Offer names of protocols, known ones and loaded ones.
 * @ctx: Context.
 * @prefix: What is typed so far.
 */
void suggest_protos(struct context *ctx, const char *prefix)
{
	const struct nlmsghdr *pos = NULL;
	struct replies replies = {};
	struct proto proto;
	size_t i;

	for (i = 0; proto_names[i]; i++)
		suggest_word(prefix, proto_names[i]);
	if (nl_open(&ctx->nl))
		return;
	nl_request(&ctx->nl, VPNPASS_CMD_PROTO_GET, true);
	nl_talk(&ctx->nl, &replies);
	while (protos_next(&replies, NULL, &pos, &proto)) {
		if (!module_of(proto.name))
			suggest_word(prefix, proto.name);
		proto_free(&proto);
	}
	replies_free(&replies);
}
