// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that does not fail, and complaints; see util.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "util.h"

/**
 * out_of_memory - Complain of it and end the program.
 */
void out_of_memory(void)
{
	fputs("vpnpass: out of memory\n", stderr);
	exit(EXIT_REFUSED);
}

/**
 * xrealloc - realloc() that ends the program rather than fail.
 * @old: Earlier memory or NULL.
 * @size: Bytes wanted, at least 1.
 *
 * Return: memory that the caller frees.
 */
void *xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size);

	if (!memory)
		out_of_memory();
	return memory;
}

/**
 * xgrow - Room for one more in a list that only grows this way.
 * @list: The list, NULL at first.
 * @n: How many are in it.
 * @size: Bytes of each.
 *
 * It is moved at each power of two only, so that long lists cost no more each.
 *
 * Return: the list, that the caller frees.
 */
void *xgrow(void *list, size_t n, size_t size)
{
	return n & (n - 1) ? list : xrealloc(list, (n ? 2 * n : 1) * size);
}

/**
 * xstrdup - strdup() that ends the program rather than fail.
 * @text: What to copy.
 *
 * Return: a string that the caller frees.
 */
char *xstrdup(const char *text)
{
	return strcpy(xrealloc(NULL, strlen(text) + 1), text);
}

/**
 * xasprintf - asprintf() that ends the program rather than fail.
 * @fmt: As for printf().
 *
 * Return: a string that the caller frees.
 */
char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	return text;
}

/**
 * parse_u32 - Read a number.
 * @to: Filled in, unless it is none.
 * @text: Decimal digits and nothing else, 32 bits.
 *
 * Return: whether it is such a number.
 */
bool parse_u32(uint32_t *to, const char *text)
{
	unsigned long long value;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	value = strtoull(text, NULL, 10);
	if (errno || value > UINT32_MAX)
		return false;
	*to = value;
	return true;
}

static const char *about_file;
static size_t about_line;

/**
 * complain_about - Say where in a file what is complained of lies.
 * @file: Its name as the user gave it, must stay; NULL for no longer.
 * @line: Line, from 1 on; 0 for the file as a whole.
 */
void complain_about(const char *file, size_t line)
{
	about_file = file;
	about_line = line;
}

static struct complaint complaint;

/**
 * complain - Say on stderr what is wrong, with the program's name in front.
 * @fmt: As for printf(), without the newline.
 */
void complain(const char *fmt, ...)
{
	char place[300] = "", text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (about_file && about_line)
		snprintf(place, sizeof(place), "%.240s:%zu: ", about_file, about_line);
	else if (about_file)
		snprintf(place, sizeof(place), "%.240s: ", about_file);
	snprintf(complaint.text, sizeof(complaint.text), "%.250s%s", place, text);
	complaint.code = NULL;
	complaint.hint[0] = '\0';
	progress_hide();
	fprintf(stderr, "vpnpass: %s\n", complaint.text);
}

/**
 * complain_code - Name the kind of what was complained of last.
 * @code: A stable word, static.
 */
void complain_code(const char *code)
{
	complaint.code = code;
}

/**
 * advise - Say on stderr what to do about what was complained of last.
 * @fmt: As for printf(), without the newline.
 */
void advise(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(complaint.hint, sizeof(complaint.hint), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s\n", complaint.hint);
}

/**
 * advise_quietly - The same for JSON only, where stderr has it already.
 * @fmt: As for printf().
 */
void advise_quietly(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(complaint.hint, sizeof(complaint.hint), fmt, ap);
	va_end(ap);
}

/**
 * last_complaint - What was complained of last.
 *
 * Return: the complaint, with an empty text if there was none.
 */
const struct complaint *last_complaint(void)
{
	return &complaint;
}
