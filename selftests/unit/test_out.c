// SPDX-License-Identifier: GPL-2.0
/* Unit tests of tools/lib/out.c: what JSON and tables look like to the byte. */
#include <stdlib.h>
#include <string.h>

#include "../../tools/lib/out.h"
#include "../../tools/lib/util.h"

#include "tap.h"

static struct out out;
static char *text;
static size_t size;

static void begin(bool json, bool pretty)
{
	out_open(&out, open_memstream(&text, &size), json, pretty);
}

/* Close, compare, forget. */
static void expect(const char *name, const char *want)
{
	bool good = !out_close(&out);

	fclose(out.file);
	good = good && !strcmp(text, want);
	ok(good, name);
	if (!good)
		fprintf(stderr, "got:\n%s\nwanted:\n%s\n", text, want);
	free(text);
}

static void json_string(const char *name, const char *value, const char *want)
{
	begin(true, false);
	out_list(&out, NULL);
	out_string(&out, NULL, NULL, value);
	expect(name, want);
}

static void test_strings(void)
{
	json_string("plain string", "esp", "[\"esp\"]\n");
	json_string("empty string", "", "[\"\"]\n");
	json_string("quote and backslash", "a\"b\\c", "[\"a\\\"b\\\\c\"]\n");
	json_string("slash is left alone", "a/b", "[\"a/b\"]\n");
	json_string("named control characters", "\b\f\n\r\t", "[\"\\b\\f\\n\\r\\t\"]\n");
	json_string("other control characters", "\1\33\37\177",
		    "[\"\\u0001\\u001b\\u001f\\u007f\"]\n");
	json_string("UTF-8 is kept", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		    "[\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"]\n");
	json_string("lone continuation byte", "a\x80z", "[\"a\\ufffdz\"]\n");
	json_string("sequence cut short", "\xe2\x82", "[\"\\ufffd\\ufffd\"]\n");
	json_string("overlong form", "\xc0\xaf\xe0\x80\xaf",
		    "[\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"]\n");
	json_string("surrogate", "\xed\xa0\x80", "[\"\\ufffd\\ufffd\\ufffd\"]\n");
	json_string("beyond Unicode", "\xf4\x90\x80\x80",
		    "[\"\\ufffd\\ufffd\\ufffd\\ufffd\"]\n");
}

static void test_empty(void)
{
	begin(true, false);
	out_list(&out, NULL);
	out_list_end(&out);
	expect("empty list", "[]\n");

	begin(true, true);
	out_list(&out, NULL);
	expect("empty list, indented, left open", "[]\n");

	begin(true, false);
	expect("nothing said", "");

	begin(true, true);
	out_object(&out, NULL);
	out_object(&out, "a");
	expect("empty objects", "{\n    \"a\": {}\n}\n");
}

static void nested(void)
{
	out_list(&out, NULL);
	out_object(&out, NULL);
	out_string(&out, "s", NULL, "x");
	out_list(&out, "l");
	out_number(&out, NULL, NULL, MAYBE(1));
	out_number(&out, NULL, NULL, MAYBE(UINT64_MAX));
	out_list_end(&out);
	out_number(&out, "n", NULL, MAYBE(0));
	out_object_end(&out);
	out_object(&out, NULL);
}

static void test_nesting(void)
{
	begin(true, false);
	nested();
	expect("nesting, closed by out_close()",
	       "[{\"s\":\"x\",\"l\":[1,18446744073709551615],\"n\":0},{}]\n");

	begin(true, true);
	nested();
	expect("nesting, indented",
	       "[\n    {\n        \"s\": \"x\",\n        \"l\": [\n            1,\n"
	       "            18446744073709551615\n        ],\n        \"n\": 0\n    },\n"
	       "    {}\n]\n");

	begin(true, false);
	out_object(&out, NULL);
	out_object_end(&out);
	out_object(&out, NULL);
	out_number(&out, "a", NULL, MAYBE(1));
	out_object_end(&out);
	expect("several objects, one a line", "{}\n{\"a\":1}\n");
}

static void test_unknown(void)
{
	struct maybe none = {};

	begin(true, false);
	out_object(&out, NULL);
	out_string(&out, "s", "S", NULL);
	out_number(&out, "n", "N", none);
	out_bytes(&out, "b", "B", none);
	out_msec(&out, "m", "M", none);
	out_nsec(&out, "t", none);
	out_string(&out, NULL, "H", "no key");
	out_number(&out, NULL, "H", MAYBE(1));
	expect("what is not known, or has no key, is absent", "{}\n");
}

static void number_forms(void)
{
	out_bytes(&out, "b", "B", MAYBE(1536));
	out_msec(&out, "m", "M", MAYBE(3723007));
	out_object_end(&out);
	out_row(&out);
}

static void test_forms(void)
{
	begin(true, false);
	out_object(&out, NULL);
	out_nsec(&out, "t", MAYBE(3601000000042));
	number_forms();
	expect("numbers with units in JSON",
	       "{\"t\":3601.000000042,\"b\":1536,\"m\":3723.007}\n");
}

static void bytes_row(uint64_t bytes, uint64_t ms)
{
	out_bytes(&out, "b", "BYTES", MAYBE(bytes));
	out_msec(&out, "m", "TIME", MAYBE(ms));
	out_row(&out);
}

static void test_table_forms(void)
{
	static const char *const columns[] = { ">BYTES", ">TIME", NULL };

	begin(false, false);
	out_columns(&out, columns);
	bytes_row(0, 0);
	bytes_row(999, 59999);
	bytes_row(1000, 60000);
	bytes_row(1024, 3599999);
	bytes_row(10239, 3600000);
	bytes_row(1048575, 86399999);
	bytes_row(UINT64_MAX, 86400000);
	expect("numbers with units in a table",
	       "BYTES    TIME\n"
	       "    0      0s\n"
	       "  999     59s\n"
	       " 1.0K   1m00s\n"
	       " 1.0K  59m59s\n"
	       "  10K   1h00m\n"
	       " 1.0M  23h59m\n"
	       "  16E   1d00h\n");
}

static void test_table(void)
{
	static const char *const columns[] = { "NAME", ">N", "LAST", NULL };

	begin(false, false);
	out_columns(&out, columns);
	out_list(&out, NULL);
	out_object(&out, NULL);
	out_string(&out, "name", "NAME", "long name");
	out_string(&out, "x", "OTHER", "no such column");
	out_string(&out, "y", NULL, "JSON only");
	out_number(&out, "n", "N", MAYBE(123));
	out_row(&out);
	out_string(&out, "name", "NAME", ">x\33\n\xff");
	out_string(&out, "last", "LAST", "end");
	out_row(&out);
	out_list_end(&out);
	expect("alignment, missing cells, control characters",
	       "NAME         N  LAST\n"
	       "long name  123  -\n"
	       ">x???        -  end\n");

	begin(false, false);
	out_columns(&out, columns);
	expect("no rows, no headings", "");
}

static void test_lines(void)
{
	begin(false, false);
	out_line(&out, 0, "text  ");
	out_line(&out, 4, "%s", "local 198.51.100.1  spi out 0xc0000000 0xc0000001 0xc0000002"
		 "  spi in 0xc0000000 0xc0000001");
	expect("lines are wrapped at a gap",
	       "text\n"
	       "    local 198.51.100.1  spi out 0xc0000000 0xc0000001 0xc0000002\n"
	       "    spi in 0xc0000000 0xc0000001\n");

	begin(false, false);
	out_line(&out, 70, "%s", "0123456789 0123456789abcdef x");
	expect("a word too long for the line is not broken",
	       "                                                                      "
	       "0123456789\n"
	       "                                                                      "
	       "0123456789abcdef\n"
	       "                                                                      x\n");

	begin(true, false);
	out_line(&out, 0, "text");
	out_row(&out);
	expect("no lines or rows in JSON", "");
}

static void test_full_disk(void)
{
	bool told;

	out_open(&out, fopen("/dev/full", "w"), true, false);
	out_list(&out, NULL);
	told = out_close(&out) == -1;
	fclose(out.file);
	ok(told, "a write that fails is told");
}

int main(void)
{
	test_strings();
	test_empty();
	test_nesting();
	test_unknown();
	test_forms();
	test_table_forms();
	test_table();
	test_lines();
	test_full_disk();
	return tap_end();
}
