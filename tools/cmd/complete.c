// SPDX-License-Identifier: GPL-2.0
/*
 * vpnpass complete WORDS...: what the last of the words could become, one a
 * line. For the shell's completion only; loads nothing, complains of nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

static void suggest_options(const char *prefix)
{
	static const char *const options[] = {
		"-json", "-pretty", "-brief", "-color", "-netns", "-timestamp",
		"-tshort", "-version", "-help"
	};
	const char *dash = prefix[1] == '-' ? "-" : "";
	char word[16];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		snprintf(word, sizeof(word), "%s%s", dash, options[i]);
		suggest_word(prefix, word);
	}
}

static void suggest_netns(const char *prefix)
{
	DIR *dir = opendir(NETNS_DIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			suggest_word(prefix, entry->d_name);
	if (dir)
		closedir(dir);
}

static const char *const colours[] = { "always", "auto", "never" };

static void suggest_colours(const char *prefix)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(colours); i++)
		suggest_word(prefix, colours[i]);
}

static bool is_colour(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(word, colours[i]))
			return true;
	return false;
}

static bool takes_colour(const char *option)
{
	option += option[1] == '-';
	return strlen(option) > 1 && word_is(option, "-color");
}

static bool takes_name(const char *option)
{
	option += option[1] == '-';
	return !strcmp(option, "-n") || (strlen(option) > 2 && word_is(option, "-netns"));
}

/* Skip options; true when what is left begins with the command. */
static bool skip_options(int *argc, char ***argv)
{
	while (*argc > 1 && (*argv)[0][0] == '-') {
		if (takes_name((*argv)[0])) {
			if (*argc == 2) {
				suggest_netns((*argv)[1]);
				return false;
			}
			if (netns_enter((*argv)[1]))
				return false;
			(*argc)--;
			(*argv)++;
		} else if (takes_colour((*argv)[0]) && *argc == 2) {
			suggest_colours((*argv)[1]);
		} else if (takes_colour((*argv)[0]) && is_colour((*argv)[1])) {
			(*argc)--;
			(*argv)++;
		}
		(*argc)--;
		(*argv)++;
	}
	return *argc > 0;
}

static int complete_run(struct context *ctx, int argc, char **argv)
{
	const struct command *c;

	/* The user is in the middle of a line: nothing may appear there. */
	if (!freopen("/dev/null", "w", stderr) || !skip_options(&argc, &argv))
		return EXIT_OK;
	if (argc == 1 && argv[0][0] == '-') {
		suggest_options(argv[0]);
	} else if (argc == 1) {
		for (c = command_next(NULL); c; c = command_next(c))
			suggest_word(argv[0], c->name);
	} else {
		c = command_find(argv[0]);
		if (c && c->complete)
			c->complete(ctx, argc - 1, argv + 1);
		if (argc == 2 && *argv[1] && c && !c->hidden)
			suggest_word(argv[1], "help");
	}
	return EXIT_OK;
}

const struct command complete_command = {
	.name = "complete",
	.hidden = true,
	.usage = "WORD...",
	.summary = "print what the last word could become",
	.run = complete_run,
};
