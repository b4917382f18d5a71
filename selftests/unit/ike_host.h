/* SPDX-License-Identifier: GPL-2.0 */
/* What test_ike_parse.c and test_ike_track.c share. */
#include <stdio.h>
#include <stdlib.h>

#include "ike/parse.h"

static unsigned int n_tests, n_failed;
static bool failed;

#define CHECK(cond) check(cond, __LINE__, #cond)

static void check(bool good, int line, const char *what)
{
	if (good)
		return;
	failed = true;
	printf("# line %d: %s\n", line, what);
}

#define SAME(got, want) same(got, want, __LINE__, #got)

static void same(u64 got, u64 want, int line, const char *what)
{
	if (got == want)
		return;
	failed = true;
	printf("# line %d: %s is %#llx, should be %#llx\n", line, what,
	       (unsigned long long)got, (unsigned long long)want);
}

static void done(const char *name)
{
	n_tests++;
	n_failed += failed;
	printf("%sok %u - %s\n", failed ? "not " : "", n_tests, name);
	failed = false;
}

/* The arguments, macros among them expanded, as a string. */
#define HEX(...)	HEX_STRING(__VA_ARGS__)
#define HEX_STRING(...)	#__VA_ARGS__

static u32 unhex(const char *s, u8 *to, u32 room)
{
	unsigned int v;
	u32 n = 0;

	for (; *s; s++) {
		if (*s == ' ')
			continue;
		if (n == room || sscanf(s, "%2x", &v) != 1)
			abort();
		to[n++] = (u8)v;
		s++;
	}
	return n;
}

/* Parse from memory of exactly @cap bytes, so that a read beyond is caught. */
static enum ike_class parse(struct ike_msg *m, const u8 *p, u32 cap, u32 len,
			    enum ike_port port)
{
	enum ike_class cls;
	u8 *mem = malloc(cap ? cap : 1);

	if (cap)
		memcpy(mem, p, cap);
	memset(m, 0xa5, sizeof(*m));
	cls = ike_parse(m, cap ? mem : mem + 1, cap, len, port);
	free(mem);
	CHECK(cls == m->cls);
	return cls;
}

#define ISPI	0x1122334455667788ULL
#define RSPI	0xa9aabbccddeeff01ULL
#define HEX_I	1122334455667788
#define HEX_R	a9aabbccddeeff01
#define HEX_0	0000000000000000

static void put(u8 *p, u64 v, int bytes)
{
	for (; bytes--; v >>= 8)
		p[bytes] = (u8)v;
}
