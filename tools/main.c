// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass, the tool: options, and which command it is.
 */
#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct options {
	bool json, pretty, version, help;
	enum stamp stamp;
	const char *netns;
};

static bool parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "netns", required_argument, NULL, 'n' },
		{ "timestamp", no_argument, NULL, 't' },
		{ "tshort", no_argument, NULL, 's' },
		{ "ts", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c;

	/* getopt complains under this name */
	argv[0] = "vpnpass";
	while ((c = getopt_long_only(argc, argv, "+jpn:tVh", options, NULL)) != -1) {
		if (c == 'j')
			opt->json = true;
		else if (c == 'p')
			opt->pretty = true;
		else if (c == 'n')
			opt->netns = optarg;
		else if (c == 't')
			opt->stamp = STAMP_FULL;
		else if (c == 's')
			opt->stamp = STAMP_SHORT;
		else if (c == 'V')
			opt->version = true;
		else if (c == 'h')
			opt->help = true;
		else
			return false;
	}
	return true;
}

/*
 * What the caller closed would be the next file or socket that is opened, and
 * the output go there. This way using it fails, as it should.
 */
static void fill_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void print_version(struct out *o)
{
	out_object(o, NULL);
	out_string(o, "version", NULL, VPNPASS_VERSION);
	out_line(o, 0, "vpnpass %s", VPNPASS_VERSION);
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "-help") || !strcmp(word, "--help");
}

/*
 * Of the words after a command, the first that looks like an option but is
 * none of a command's own: "-" is a file, -1 a number.
 */
static const char *stray_option(int argc, char **argv)
{
	const char *name;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			continue;
		name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		if (isalpha((unsigned char)*name) && strcmp(argv[i], "--prometheus"))
			return argv[i];
	}
	return NULL;
}

static int run_command(struct context *ctx, int argc, char **argv)
{
	const struct command *c = command_find(argc ? argv[0] : "show");
	const char *stray;

	if (!c)
		return usage_error(NULL, "unknown command %s", argv[0]);
	stray = c->rank ? stray_option(argc, argv) : NULL;
	if ((argc == 2 && !strcmp(argv[1], "help") && c->rank) || (stray && asks_for_help(stray)))
		return command_find("help")->run(ctx, 1, argv);
	if (stray)
		return usage_error(c, "%s: options come before the command", stray);
	return argc ? c->run(ctx, argc - 1, argv + 1) : c->run(ctx, 0, argv);
}

static int run(struct context *ctx, const struct options *opt, int argc, char **argv)
{
	int ret;

	if (opt->version) {
		print_version(&ctx->out);
		return EXIT_OK;
	}
	if (opt->help)
		return command_find("help")->run(ctx, !!argc, argv);
	if (opt->netns) {
		ret = netns_enter(opt->netns);
		if (ret)
			return ret;
	}
	return run_command(ctx, argc, argv);
}

int main(int argc, char **argv)
{
	struct context ctx = {};
	struct options opt = {};
	int ret = EXIT_OK;

	fill_standard_files();
	if (!parse_options(&opt, argc, argv)) {
		fputs("Try \"vpnpass help\".\n", stderr);
		ret = EXIT_USAGE;
	}
	out_open(&ctx.out, stdout, opt.json, opt.pretty);
	ctx.stamp = opt.stamp;
	if (!ret)
		ret = run(&ctx, &opt, argc - optind, argv + optind);
	nl_close(&ctx.nl);
	/* who reads JSON gets some, whatever went wrong */
	if (ret && opt.json && !ctx.out.said)
		out_list(&ctx.out, NULL);
	if (out_close(&ctx.out)) {
		complain("cannot write the output");
		ret = ret ? ret : EXIT_REFUSED;
	}
	return ret;
}
