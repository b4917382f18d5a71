// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass help: what there is, or how one command is called. main() takes
 * "vpnpass COMMAND help" here as well.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static void help_program(void)
{
	const struct command *c;

	puts("Usage: vpnpass [OPTIONS] [COMMAND] [ARGUMENTS]\n"
	     "\n"
	     "Steers VPN passthrough on a NAT router. Commands may be abbreviated; of\n"
	     "several that fit, the first listed here is meant. Without one it is show.\n");
	for (c = command_next(NULL); c; c = command_next(c))
		printf("  %-10s %s\n", c->name, c->summary);
	puts("\n"
	     "  -j, -json        print JSON\n"
	     "  -p, -pretty      indent the JSON\n"
	     "  -br, -brief      one line each, without headings\n"
	     "  -c, -color WHEN  colours: always, never or auto\n"
	     "  -n, -netns NAME  in this network namespace\n"
	     "  -t, -timestamp   monitor: date and time of each event\n"
	     "  -ts, -tshort     monitor: the same, shorter\n"
	     "  -V, -version     print the version\n"
	     "  -h, -help        print this text\n"
	     "\n"
	     "\"vpnpass help COMMAND\" tells more. Exit status: 0 done, 1 wrong usage,\n"
	     "2 the kernel refused, 3 doctor found something.");
}

static void usage_lists(struct out *o, const struct command *c)
{
	const char *line = c->usage;
	char *one;
	int length;

	out_list(o, "usage");
	do {
		length = strcspn(line, "\n");
		one = xasprintf("vpnpass %s%s%.*s", c->name, length ? " " : "", length, line);
		out_string(o, NULL, NULL, one);
		free(one);
		line += length;
	} while (*line++);
	out_list_end(o);
}

/* All commands, or one. */
static void help_json(struct out *o, const struct command *one)
{
	const struct command *c;

	out_list(o, NULL);
	for (c = one ? one : command_next(NULL); c; c = one ? NULL : command_next(c)) {
		out_object(o, NULL);
		out_string(o, "command", NULL, c->name);
		out_string(o, "summary", NULL, c->summary);
		usage_lists(o, c);
		out_object_end(o);
	}
	out_list_end(o);
}

static int help_run(struct context *ctx, int argc, char **argv)
{
	const struct command *c;

	if (argc > 1)
		return usage_error(&help_command, "too many arguments: %s", argv[1]);
	c = argc ? command_find(argv[0]) : NULL;
	if (argc && !c)
		return command_unknown(argv[0]);
	if (ctx->out.json) {
		help_json(&ctx->out, c);
		return EXIT_OK;
	}
	if (!c) {
		help_program();
		return EXIT_OK;
	}
	command_usage(c, stdout);
	printf("\nTo %s.\n", c->summary);
	if (c->details)
		fputs(c->details, stdout);
	return EXIT_OK;
}

static void help_complete(struct context *ctx, int argc, char **argv)
{
	const struct command *c;

	(void)ctx;
	for (c = command_next(NULL); c && argc == 1; c = command_next(c))
		suggest_word(argv[0], c->name);
}

const struct command help_command = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "explain a command",
	.run = help_run,
	.complete = help_complete,
};
