// SPDX-License-Identifier: GPL-2.0
/*
 * Abbreviations, usage texts and complaints about the command line.
 */
#include <stdarg.h>
#include <string.h>

#include "cli.h"

/**
 * word_is - Whether a word is a keyword or the beginning of it.
 * @word: From the command line.
 * @full: The keyword.
 */
bool word_is(const char *word, const char *full)
{
	return *word && !strncmp(word, full, strlen(word));
}

/**
 * command_usage - Print how a command is called.
 * @command: The command.
 * @file: Where to.
 */
void command_usage(const struct command *command, FILE *file)
{
	const char *line = command->usage, *lead = "Usage:";
	int length;

	do {
		length = strcspn(line, "\n");
		fprintf(file, "%s vpnpass %s%s%.*s\n", lead, command->name,
			length ? " " : "", length, line);
		line += length;
		lead = "      ";
	} while (*line++);
}

/**
 * usage_error - Complain about the command line.
 * @command: The command whose usage is to be shown, NULL for the program's.
 * @fmt: What is wrong, as for printf().
 *
 * Return: EXIT_USAGE.
 */
int usage_error(const struct command *command, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	complain("%s", text);
	if (command) {
		command_usage(command, stderr);
		advise_quietly("vpnpass help %s", command->name);
	} else {
		fputs("Try \"vpnpass help\".\n", stderr);
		advise_quietly("vpnpass help");
	}
	return EXIT_USAGE;
}

/**
 * usage_error_word - Complain about one word of the command line.
 * @command: As in usage_error().
 * @what: What is wrong with it.
 * @word: The word.
 * @known: Those that would have been right, up to a NULL.
 *
 * Return: EXIT_USAGE.
 */
int usage_error_word(const struct command *command, const char *what, const char *word,
		     const char *const *known)
{
	const char *meant = nearest_word(word, known);

	if (!meant)
		return usage_error(command, "%s %s", what, word);
	usage_error(command, "%s %s (did you mean %s?)", what, word, meant);
	advise_quietly("did you mean %s?", meant);
	return EXIT_USAGE;
}

/**
 * answer_object - Begin the object that is a command's whole answer.
 * @o: Output.
 */
void answer_object(struct out *o)
{
	out_object(o, NULL);
	out_string(o, "version", NULL, VPNPASS_VERSION);
}

/**
 * error_object - What was complained of last, as the member "error" of the
 * object that is open.
 * @o: Output, in JSON.
 * @ret: The exit code that it leads to.
 */
void error_object(struct out *o, int ret)
{
	const struct complaint *c = last_complaint();

	out_object(o, "error");
	out_string(o, "text", NULL, c->text);
	out_string(o, "code", NULL, c->code ? c->code : ret == EXIT_USAGE ? "usage" : "refused");
	out_string(o, "hint", NULL, c->hint[0] ? c->hint : NULL);
	out_object_end(o);
}

/**
 * suggest_word - Offer a word for completion.
 * @prefix: What is typed so far.
 * @word: The word, printed if it begins so.
 */
void suggest_word(const char *prefix, const char *word)
{
	if (!strncmp(prefix, word, strlen(prefix)))
		puts(word);
}

/**
 * suggest_files - Offer files: the shell knows better how to list and quote
 * them, so it is only told to.
 */
void suggest_files(void)
{
	puts(":files");
}
