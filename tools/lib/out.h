/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Printing as an aligned table or as JSON from the same calls.
 *
 * Lists and objects exist in JSON only. A field has a JSON key and the heading
 * of the column that it fills; either may be NULL, and then it is left out of
 * that form. A value that is not known is absent from JSON and "-" in a table.
 */
#ifndef _VPNPASS_OUT_H
#define _VPNPASS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util.h"

/* Goes up when something that JSON has goes away or changes its meaning. */
#define OUT_SCHEMA	1

#define OUT_DEPTH	16
#define OUT_COLUMNS	16
#define OUT_WIDTH	80	/* unless the terminal or COLUMNS says otherwise */
#define OUT_WIDTH_MIN	40

#define OUT_BOLD	"1"
#define OUT_RED		"31"
#define OUT_GREEN	"32"
#define OUT_YELLOW	"33"

/**
 * struct maybe - A number that the kernel may have left out.
 * @value: The number, when known.
 * @known: Whether it is.
 */
struct maybe {
	uint64_t value;
	bool known;
};

#define MAYBE(v)	((struct maybe){ .value = (v), .known = true })

/**
 * struct out - Where and how to print; all fields are private to out.c.
 * @file: Destination.
 * @json: JSON rather than a table.
 * @pretty: Indent the JSON.
 * @colour: Colour the table.
 * @brief: Rows only, one line each: no headings, no lines between.
 * @said: Some JSON has been printed.
 * @deferred: First bracket of JSON that has not been printed yet, 0 for none.
 * @width: Columns of the terminal, 0 for no limit.
 * @depth: Open lists and objects.
 * @open: The bracket that closes each of them.
 * @filled: Whether each of them has something in it.
 * @columns: Headings, '>' in front of those that align to the right.
 * @n_columns: How many.
 * @cell: The row being filled, NULL where nothing was said.
 * @tint: Colours of the row being filled, NULL for none.
 * @lines: Rows and lines until out_flush(); owned here.
 * @n_lines: How many.
 */
struct out {
	FILE *file;
	bool json;
	bool pretty;
	bool colour;
	bool brief;
	bool said;
	char deferred;
	int width;
	int depth;
	char open[OUT_DEPTH];
	bool filled[OUT_DEPTH];
	const char *columns[OUT_COLUMNS];
	int n_columns;
	char *cell[OUT_COLUMNS];
	const char *tint[OUT_COLUMNS];
	struct out_line *lines;
	size_t n_lines;
};

enum out_colour {
	OUT_COLOUR_AUTO,
	OUT_COLOUR_ALWAYS,
	OUT_COLOUR_NEVER,
};

void out_open(struct out *o, FILE *file, bool json, bool pretty);
void out_columns(struct out *o, const char *const *heads);
void out_flush(struct out *o);
int out_close(struct out *o);
void out_colour(struct out *o, enum out_colour colour);
void out_brief(struct out *o);
void out_fail(struct out *o);

void out_list(struct out *o, const char *key);
void out_list_end(struct out *o);
void out_object(struct out *o, const char *key);
void out_object_end(struct out *o);

void out_string(struct out *o, const char *key, const char *head, const char *value);
void out_item(struct out *o, const char *value);
void out_number(struct out *o, const char *key, const char *head, struct maybe value);
void out_bytes(struct out *o, const char *key, const char *head, struct maybe value);
void out_msec(struct out *o, const char *key, const char *head, struct maybe ms);
void out_nsec(struct out *o, const char *key, struct maybe ns);

void out_tint(struct out *o, const char *head, const char *colour);
void out_row(struct out *o);
void out_line(struct out *o, int indent, const char *fmt, ...) __printf(3, 4);
void out_verbatim(struct out *o, int indent, const char *text);

#endif /* _VPNPASS_OUT_H */
