// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that does not fail, and complaints; see util.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static void out_of_memory(void)
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
 * complain - Say on stderr what is wrong, with the program's name in front.
 * @fmt: As for printf(), without the newline.
 */
void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("vpnpass: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
