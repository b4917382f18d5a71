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

#include "cmd/commands.h"

struct options {
	bool json, pretty, brief, version, help, wrong;
	enum stamp stamp;
	enum out_colour colour;
	const char *netns;
};

static bool parse_colour(struct options *opt, const char *word)
{
	static const char *const words[] = {
		[OUT_COLOUR_AUTO] = "auto",
		[OUT_COLOUR_ALWAYS] = "always",
		[OUT_COLOUR_NEVER] = "never",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(word, words[i]))
			continue;
		opt->colour = i;
		return true;
	}
	return false;
}

/* -c, -c=WORD as iproute2 has it, or -c WORD; alone it means always. */
static void read_colour(struct options *opt, const char *arg, int argc, char **argv)
{
	if (arg) {
		if (parse_colour(opt, arg))
			return;
		complain("-c: always, never or auto expected, not %s", arg);
		advise_quietly("vpnpass help");
		opt->wrong = true;
		return;
	}
	opt->colour = OUT_COLOUR_ALWAYS;
	if (optind < argc && parse_colour(opt, argv[optind]))
		optind++;
}

static void read_option(struct options *opt, int c)
{
	switch (c) {
	case 'j':
		opt->json = true;
		break;
	case 'p':
		opt->pretty = true;
		break;
	case 'b':
		opt->brief = true;
		break;
	case 'n':
		opt->netns = optarg;
		break;
	case 't':
		opt->stamp = STAMP_FULL;
		break;
	case 's':
		opt->stamp = STAMP_SHORT;
		break;
	case 'V':
		opt->version = true;
		break;
	case 'h':
		opt->help = true;
		break;
	}
}

static void complain_of_option(const char *word, const struct option *known)
{
	const char *names[16] = {}, *meant;
	size_t n;

	for (n = 0; known[n].name && n < ARRAY_SIZE(names) - 1; n++)
		names[n] = known[n].name;
	meant = nearest_word(word + strspn(word, "-"), names);
	if (meant) {
		complain("unrecognized option '%s' (did you mean -%s?)", word, meant);
		advise_quietly("did you mean -%s?", meant);
	} else {
		complain("unrecognized option '%s'", word);
		advise_quietly("vpnpass help");
	}
}

/* A wrong one does not keep those after it from being read: -j may be there. */
static void parse_options(struct options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "brief", no_argument, NULL, 'b' },
		{ "color", optional_argument, NULL, 'c' },
		{ "netns", required_argument, NULL, 'n' },
		{ "timestamp", no_argument, NULL, 't' },
		{ "tshort", no_argument, NULL, 's' },
		{ "ts", no_argument, NULL, 's' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int c, at;

	opterr = 0;
	for (;;) {
		at = optind;
		c = getopt_long_only(argc, argv, "+:jpn:tVh", options, NULL);
		if (c == -1)
			return;
		if (c == 'c') {
			read_colour(opt, optarg, argc, argv);
		} else if (c == ':') {
			complain("option requires an argument: %s", argv[at]);
			advise_quietly("vpnpass help");
			opt->wrong = true;
		} else if (c == '?') {
			complain_of_option(argv[at], options);
			opt->wrong = true;
		} else {
			read_option(opt, c);
		}
	}
}

/*
 * A descriptor that the caller closed would be the next file or socket that is opened, and
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
	answer_object(o);
	out_number(o, "schema", NULL, MAYBE(OUT_SCHEMA));
	out_line(o, 0, "vpnpass %s", VPNPASS_VERSION);
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "-help") || !strcmp(word, "--help");
}

/* An option that ends in '=' is the beginning of a word. */
static bool is_own(const struct command *command, const char *word)
{
	const char *const *option = command->options;

	for (; option && *option; option++)
		if (!strcmp(*option, word) ||
		    ((*option)[strlen(*option) - 1] == '=' &&
		     !strncmp(*option, word, strlen(*option))))
			return true;
	return false;
}

/*
 * The first of the words after a command that looks like an option but is
 * none of a command's own: "-" is a file, -1 a number.
 */
static const char *stray_option(const struct command *command, int argc, char **argv)
{
	const char *name;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-')
			continue;
		name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		if (isalpha((unsigned char)*name) && !is_own(command, argv[i]))
			return argv[i];
	}
	return NULL;
}

static int run_command(struct context *ctx, int argc, char **argv)
{
	const struct command *c = command_find(argc ? argv[0] : "show");
	const char *stray;

	if (!c)
		return command_unknown(argv[0]);
	stray = c->hidden ? NULL : stray_option(c, argc, argv);
	if ((argc == 2 && !strcmp(argv[1], "help") && !c->hidden) ||
	    (stray && asks_for_help(stray)))
		return command_find("help")->run(ctx, 1, argv);
	if (stray && c->options && nearest_word(stray, c->options))
		return usage_error_word(c, "unknown option", stray, c->options);
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

/* Instead of what was asked for, or as the last of a list that was begun. */
static void print_error(struct out *o, int ret)
{
	bool apart;

	out_fail(o);
	/* the answer has been printed whole, as monitor's events are */
	if (o->said && !o->depth)
		return;
	apart = !o->depth || o->open[0] == ']';
	if (apart)
		out_object(o, NULL);
	if (apart && o->depth == 1)
		out_string(o, "version", NULL, VPNPASS_VERSION);
	error_object(o, ret);
	if (apart)
		out_object_end(o);
}

int main(int argc, char **argv)
{
	struct context ctx = {};
	struct options opt = {};
	int ret = EXIT_OK;

	fill_standard_files();
	parse_options(&opt, argc, argv);
	out_open(&ctx.out, stdout, opt.json, opt.pretty);
	out_colour(&ctx.out, opt.colour);
	if (opt.brief)
		out_brief(&ctx.out);
	ctx.stamp = opt.stamp;
	if (opt.wrong) {
		fputs("Try \"vpnpass help\".\n", stderr);
		ret = EXIT_USAGE;
	} else {
		ret = run(&ctx, &opt, argc - optind, argv + optind);
	}
	nl_close(&ctx.nl);
	if ((ret == EXIT_USAGE || ret == EXIT_REFUSED) && opt.json)
		print_error(&ctx.out, ret);
	if (out_close(&ctx.out)) {
		complain("cannot write the output");
		ret = ret ? ret : EXIT_REFUSED;
	}
	return ret;
}
