// SPDX-License-Identifier: GPL-2.0
/* The table of commands, and which of them a word means. */
#include <string.h>

#include "commands.h"

/* In the order of lists; of several that an abbreviation fits, the first is meant. */
static const struct command *const commands[] = {
	&show_command,
	&set_command,
	&session_command,
	&stats_command,
	&monitor_command,
	&top_command,
	&doctor_command,
	&save_command,
	&restore_command,
	&help_command,
	&complete_command,
	NULL
};

static const struct command *first_shown(const struct command *const *at)
{
	while (*at && (*at)->hidden)
		at++;
	return *at;
}

/**
 * command_next - Walk over the commands in the table's order, hidden ones left out.
 * @last: Where the walk is, NULL to begin.
 *
 * Return: the next or NULL.
 */
const struct command *command_next(const struct command *last)
{
	const struct command *const *at = commands;

	if (!last)
		return first_shown(at);
	while (*at != last)
		at++;
	return first_shown(at + 1);
}

/**
 * command_find - The command that a word means.
 * @word: Its name, or the beginning of it.
 *
 * Return: the command so named, else the first that begins so, else NULL.
 */
const struct command *command_find(const char *word)
{
	const struct command *const *at, *c;

	for (at = commands; *at; at++)
		if (!strcmp(word, (*at)->name))
			return *at;
	for (c = command_next(NULL); c; c = command_next(c))
		if (word_is(word, c->name))
			return c;
	return NULL;
}

/**
 * command_unknown - Complain about a word that means no command.
 * @word: The word.
 *
 * Return: EXIT_USAGE.
 */
int command_unknown(const char *word)
{
	const char *names[ARRAY_SIZE(commands)] = {};
	const struct command *c;
	size_t n = 0;

	for (c = command_next(NULL); c; c = command_next(c))
		names[n++] = c->name;
	return usage_error_word(NULL, "unknown command", word, names);
}
