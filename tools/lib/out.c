// SPDX-License-Identifier: GPL-2.0
/*
 * Tables and JSON from one set of calls; see out.h. JSON comes out as it is
 * said, a table when it is complete, as its columns are as wide as they must.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out.h"
#include "util.h"

#define BREAK_INDENT	2

/**
 * struct out_line - A row of the table, or a line of text between two rows.
 * @text: The line, NULL for a row.
 * @indent: Columns to indent the line and what is wrapped of it.
 * @whole: The line is not wrapped, as it is to be copied.
 * @cell: Cells of a row, NULL where unknown.
 * @tint: Their colours, NULL for none.
 */
struct out_line {
	char *text;
	int indent;
	bool whole;
	char *cell[OUT_COLUMNS];
	const char *tint[OUT_COLUMNS];
};

static int find_width(int terminal)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {};
	uint32_t width = 0;

	if (columns && parse_u32(&width, columns) && width >= OUT_WIDTH_MIN && width < 10000)
		return width;
	if (terminal >= 0 && !ioctl(terminal, TIOCGWINSZ, &size) && size.ws_col >= OUT_WIDTH_MIN)
		return size.ws_col;
	return OUT_WIDTH;
}

/* no-color.org; a terminal that cannot says so */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb");
}

/**
 * out_open - Prepare to print.
 * @o: To be filled in.
 * @file: Destination, stays the caller's.
 * @json: JSON rather than tables.
 * @pretty: Indent the JSON.
 */
void out_open(struct out *o, FILE *file, bool json, bool pretty)
{
	bool terminal = isatty(fileno(file));

	*o = (struct out){ .file = file, .json = json, .pretty = pretty };
	o->width = find_width(terminal ? fileno(file) : -1);
	o->colour = terminal && wants_colour();
}

/**
 * out_colour - Whether to colour tables.
 * @o: Output.
 * @colour: OUT_COLOUR_AUTO leaves it as out_open() found it right.
 */
void out_colour(struct out *o, enum out_colour colour)
{
	if (colour != OUT_COLOUR_AUTO)
		o->colour = colour == OUT_COLOUR_ALWAYS;
}

/**
 * out_brief - Print rows only, one line each.
 * @o: Output.
 */
void out_brief(struct out *o)
{
	o->brief = true;
	o->width = 0;
}

/**
 * out_columns - Say which columns the table has.
 * @o: Output.
 * @heads: Headings up to a NULL; '>' in front aligns to the right. Must live
 *         until out_close().
 */
void out_columns(struct out *o, const char *const *heads)
{
	o->n_columns = 0;
	while (heads[o->n_columns] && o->n_columns < OUT_COLUMNS) {
		o->columns[o->n_columns] = heads[o->n_columns];
		o->n_columns++;
	}
}

/* JSON */

static void json_indent(struct out *o)
{
	if (o->pretty)
		fprintf(o->file, "\n%*s", 4 * o->depth, "");
}

/* Length of the UTF-8 sequence at p (RFC 3629 section 4), 0 if it is none. */
static int utf8_length(const unsigned char *p)
{
	int length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	int i;

	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	for (i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
	    (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

/* Bytes of a string beyond ASCII: as they are, or as the replacement mark. */
static int json_multibyte(FILE *file, const unsigned char *p)
{
	int length = utf8_length(p);

	if (!length) {
		fputs("\\ufffd", file);
		return 1;
	}
	fwrite(p, 1, length, file);
	return length;
}

static void json_text(FILE *file, const char *text)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const unsigned char *p = (const unsigned char *)text;
	const char *escape;

	fputc('"', file);
	while (*p) {
		if (*p >= 0x80) {
			p += json_multibyte(file, p);
			continue;
		}
		escape = strchr(plain, *p);
		if (escape)
			fprintf(file, "\\%c", letter[escape - plain]);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(file, "\\u%04x", *p);
		else
			fputc(*p, file);
		p++;
	}
	fputc('"', file);
}

/* The first bracket waits for what is in it, as an error may come instead. */
static void json_begin(struct out *o)
{
	if (!o->deferred)
		return;
	fputc(o->deferred, o->file);
	o->deferred = '\0';
	o->said = true;
}

/* Characters before a value: comma, new line, key. */
static void json_lead(struct out *o, const char *key)
{
	if (!o->depth)
		return;
	json_begin(o);
	if (o->filled[o->depth - 1])
		fputc(',', o->file);
	o->filled[o->depth - 1] = true;
	json_indent(o);
	if (o->open[o->depth - 1] == '}') {
		json_text(o->file, key);
		fputs(o->pretty ? ": " : ":", o->file);
	}
}

static void json_open(struct out *o, const char *key, const char *brackets)
{
	if (!o->json)
		return;
	if (o->depth == OUT_DEPTH)
		abort();
	json_lead(o, key);
	if (o->depth)
		fputc(brackets[0], o->file);
	else
		o->deferred = brackets[0];
	o->open[o->depth] = brackets[1];
	o->filled[o->depth] = false;
	o->depth++;
}

static void json_close(struct out *o)
{
	if (!o->json || !o->depth)
		return;
	json_begin(o);
	o->depth--;
	if (o->filled[o->depth])
		json_indent(o);
	fputc(o->open[o->depth], o->file);
	if (!o->depth) {
		fputc('\n', o->file);
		fflush(o->file);
	}
}

/**
 * out_fail - Make room for an error: forget a list or object that is empty so
 * far, else close all but the outermost.
 * @o: Output.
 */
void out_fail(struct out *o)
{
	if (o->deferred) {
		o->deferred = '\0';
		o->depth = 0;
	}
	while (o->depth > 1)
		json_close(o);
}

/**
 * out_list - Begin a JSON list.
 * @o: Output.
 * @key: Its key, when it is inside an object.
 */
void out_list(struct out *o, const char *key)
{
	json_open(o, key, "[]");
}

/**
 * out_list_end - End the innermost list.
 * @o: Output.
 */
void out_list_end(struct out *o)
{
	json_close(o);
}

/**
 * out_object - Begin a JSON object.
 * @o: Output.
 * @key: Its key, when it is inside an object.
 */
void out_object(struct out *o, const char *key)
{
	json_open(o, key, "{}");
}

/**
 * out_object_end - End the innermost object.
 * @o: Output.
 */
void out_object_end(struct out *o)
{
	json_close(o);
}

/**
 * out_item - A string in a JSON list; nothing in a table.
 * @o: Output.
 * @value: The string.
 */
void out_item(struct out *o, const char *value)
{
	if (!o->json)
		return;
	json_lead(o, NULL);
	json_text(o->file, value);
}

/* Tables */

static const char *head_text(const char *head)
{
	return head[0] == '>' ? head + 1 : head;
}

/* Nothing that the kernel says may steer the terminal; its names are ASCII. */
static char *printable(const char *text)
{
	char *copy = xstrdup(text), *p;

	for (p = copy; *p; p++)
		if (!isascii(*p) || iscntrl(*p))
			*p = '?';
	return copy;
}

static void set_cell(struct out *o, const char *head, const char *text)
{
	int i;

	for (i = 0; i < o->n_columns; i++) {
		if (strcmp(head_text(o->columns[i]), head))
			continue;
		free(o->cell[i]);
		o->cell[i] = printable(text);
	}
}

static struct out_line *add_line(struct out *o)
{
	o->lines = xgrow(o->lines, o->n_lines, sizeof(*o->lines));
	o->lines[o->n_lines] = (struct out_line){};
	return &o->lines[o->n_lines++];
}

/**
 * out_row - End a row of the table; nothing in JSON.
 * @o: Output.
 */
void out_row(struct out *o)
{
	struct out_line *line;

	if (o->json)
		return;
	line = add_line(o);
	memcpy(line->cell, o->cell, sizeof(line->cell));
	memset(o->cell, 0, sizeof(o->cell));
	memcpy(line->tint, o->tint, sizeof(line->tint));
	memset(o->tint, 0, sizeof(o->tint));
}

/**
 * out_tint - Colour a cell of the row, on a terminal that wants it.
 * @o: Output.
 * @head: Heading of its column.
 * @colour: One of OUT_*.
 */
void out_tint(struct out *o, const char *head, const char *colour)
{
	int i;

	for (i = 0; i < o->n_columns; i++)
		if (!strcmp(head_text(o->columns[i]), head))
			o->tint[i] = colour;
}

/**
 * out_line - A line of text after the rows so far; nothing in JSON.
 * @o: Output.
 * @indent: Columns of indentation; a long line is wrapped to the same.
 * @fmt: As for printf(). Two spaces are where the line is best broken.
 */
void out_line(struct out *o, int indent, const char *fmt, ...)
{
	struct out_line *line;
	va_list ap;
	char *text;

	if (o->json || (o->brief && o->n_columns))
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	line = add_line(o);
	line->indent = indent;
	line->text = printable(text);
	free(text);
}

/**
 * out_verbatim - A line that is never wrapped, such as a command; nothing in JSON.
 * @o: Output.
 * @indent: Columns of indentation.
 * @text: The line.
 */
void out_verbatim(struct out *o, int indent, const char *text)
{
	out_line(o, indent, "%s", text);
	if (!o->json)
		o->lines[o->n_lines - 1].whole = true;
}

static int column_width(const struct out *o, int column)
{
	int width = strlen(head_text(o->columns[column]));
	size_t i;

	for (i = 0; i < o->n_lines; i++) {
		const char *cell = o->lines[i].cell[column];

		if (cell && (int)strlen(cell) > width)
			width = strlen(cell);
	}
	return width;
}

/* Where a row that is too wide goes on in the next line, indented. */
static void find_breaks(const struct out *o, const int *width, bool *broken)
{
	int i, at = 0;

	for (i = 0; i < o->n_columns; i++) {
		broken[i] = i && o->width && at + 2 + width[i] > o->width;
		at = (broken[i] ? BREAK_INDENT : at + (i ? 2 : 0)) + width[i];
	}
}

static void print_cell(const struct out *o, const char *text, const char *tint)
{
	if (o->colour && tint)
		fprintf(o->file, "\033[%sm%s\033[0m", tint, text);
	else
		fputs(text, o->file);
}

/* A row, or the headings. Spaces come late, so that no line ends in one. */
static void print_cells(const struct out *o, const struct out_line *row, const int *width,
			const bool *broken)
{
	int i, owed = 0;

	for (i = 0; i < o->n_columns; i++) {
		const char *text = row ? row->cell[i] : head_text(o->columns[i]);
		int pad;

		if (!text)
			text = "-";
		if (broken[i]) {
			fputc('\n', o->file);
			owed = BREAK_INDENT;
		}
		pad = width[i] - (int)strlen(text);
		if (o->columns[i][0] == '>')
			owed += pad;
		fprintf(o->file, "%*s", owed, "");
		print_cell(o, text, row ? row->tint[i] : OUT_BOLD);
		owed = 2 + (o->columns[i][0] == '>' ? 0 : pad);
	}
	fputc('\n', o->file);
}

/* Where to break a text that is too long: the last gap that still fits. */
static size_t break_at(const char *text, size_t room)
{
	size_t i, gap = 0, space = 0;

	if (strlen(text) <= room)
		return strlen(text);
	for (i = 1; text[i] && i <= room; i++) {
		if (text[i] != ' ')
			continue;
		space = i;
		if (text[i + 1] == ' ')
			gap = i;
	}
	if (gap || space)
		return gap ? gap : space;
	return strcspn(text + room, " ") + room;
}

static void print_wrapped(const struct out *o, int indent, const char *text)
{
	size_t length, shown;

	while (*text) {
		length = o->width ? break_at(text, o->width - indent) : strlen(text);
		for (shown = length; shown && text[shown - 1] == ' ';)
			shown--;
		fprintf(o->file, "%*s%.*s\n", indent, "", (int)shown, text);
		text += length;
		text += strspn(text, " ");
	}
}

static void free_line(struct out_line *line)
{
	int i;

	for (i = 0; i < OUT_COLUMNS; i++)
		free(line->cell[i]);
	free(line->text);
}

/**
 * out_flush - Print the rows and lines so far, with the headings above.
 * @o: Output.
 */
void out_flush(struct out *o)
{
	int width[OUT_COLUMNS], i;
	bool broken[OUT_COLUMNS];
	size_t n;

	for (i = 0; i < o->n_columns; i++)
		width[i] = column_width(o, i);
	find_breaks(o, width, broken);
	if (o->n_lines && o->n_columns && !o->brief)
		print_cells(o, NULL, width, broken);
	for (n = 0; n < o->n_lines; n++) {
		struct out_line *line = &o->lines[n];

		if (line->text && line->whole)
			fprintf(o->file, "%*s%s\n", line->indent, "", line->text);
		else if (line->text)
			print_wrapped(o, line->indent, line->text);
		else
			print_cells(o, line, width, broken);
		free_line(line);
	}
	free(o->lines);
	o->lines = NULL;
	o->n_lines = 0;
	fflush(o->file);
}

/**
 * out_close - Close what is open, so that JSON is valid whatever happened,
 * and print what is left.
 * @o: Output.
 *
 * Return: 0, or -1 when something could not be written.
 */
int out_close(struct out *o)
{
	int i;

	while (o->depth)
		json_close(o);
	out_flush(o);
	for (i = 0; i < OUT_COLUMNS; i++)
		free(o->cell[i]);
	memset(o->cell, 0, sizeof(o->cell));
	return fflush(o->file) || ferror(o->file) ? -1 : 0;
}

/* Fields */

/* A value whose JSON form is already JSON. */
static void out_raw(struct out *o, const char *key, const char *head,
		    const char *json, const char *text)
{
	if (!o->json) {
		if (head)
			set_cell(o, head, text);
		return;
	}
	if (!key && !(o->depth && o->open[o->depth - 1] == ']'))
		return;
	json_lead(o, key);
	fputs(json, o->file);
}

/**
 * out_string - A text.
 * @o: Output.
 * @key: JSON key; NULL in a list, or to leave it out of an object.
 * @head: Heading of its column or NULL.
 * @value: The text, NULL when not known.
 */
void out_string(struct out *o, const char *key, const char *head, const char *value)
{
	if (!value)
		return;
	if (o->json && key) {
		json_lead(o, key);
		json_text(o->file, value);
	} else if (o->json && o->depth && o->open[o->depth - 1] == ']') {
		json_lead(o, NULL);
		json_text(o->file, value);
	} else if (!o->json && head) {
		set_cell(o, head, value);
	}
}

/**
 * out_number - A number.
 * @o: Output.
 * @key: As in out_string().
 * @head: As in out_string().
 * @value: The number.
 */
void out_number(struct out *o, const char *key, const char *head, struct maybe value)
{
	char text[24];

	if (!value.known)
		return;
	snprintf(text, sizeof(text), "%ju", value.value);
	out_raw(o, key, head, text, text);
}

/**
 * out_bytes - An amount of data: a plain number in JSON, short in a table.
 * @o: Output.
 * @key: As in out_string().
 * @head: As in out_string().
 * @value: Bytes.
 */
void out_bytes(struct out *o, const char *key, const char *head, struct maybe value)
{
	static const char unit[] = "KMGTPE";
	char json[24], text[24];
	double scaled = value.value;
	int i = -1;

	if (!value.known)
		return;
	snprintf(json, sizeof(json), "%ju", value.value);
	for (; scaled >= 999.5; i++)
		scaled /= 1024;
	if (i < 0)
		memcpy(text, json, sizeof(text));
	else
		snprintf(text, sizeof(text), "%.*f%c", scaled < 9.95, scaled, unit[i]);
	out_raw(o, key, head, json, text);
}

/**
 * out_msec - A span of time: seconds in JSON, as people say it in a table.
 * @o: Output.
 * @key: As in out_string().
 * @head: As in out_string().
 * @ms: Milliseconds.
 */
void out_msec(struct out *o, const char *key, const char *head, struct maybe ms)
{
	uint64_t s = ms.value / 1000;
	char json[32], text[32];

	if (!ms.known)
		return;
	snprintf(json, sizeof(json), "%ju.%03d", s, (int)(ms.value % 1000));
	if (s < 60)
		snprintf(text, sizeof(text), "%ds", (int)s);
	else if (s < 3600)
		snprintf(text, sizeof(text), "%dm%02ds", (int)s / 60, (int)s % 60);
	else if (s < 86400)
		snprintf(text, sizeof(text), "%dh%02dm", (int)s / 3600, (int)s / 60 % 60);
	else
		snprintf(text, sizeof(text), "%jud%02dh", s / 86400,
			 (int)(s / 3600 % 24));
	out_raw(o, key, head, json, text);
}

/**
 * out_nsec - A moment, in JSON only: seconds with nine decimals.
 * @o: Output.
 * @key: JSON key.
 * @ns: Nanoseconds since 1970.
 */
void out_nsec(struct out *o, const char *key, struct maybe ns)
{
	char json[40];

	if (!ns.known)
		return;
	snprintf(json, sizeof(json), "%ju.%09ju",
		 ns.value / 1000000000, ns.value % 1000000000);
	out_raw(o, key, NULL, json, NULL);
}
