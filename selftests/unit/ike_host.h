/* SPDX-License-Identifier: GPL-2.0 */
/* Functions that test_ike_parse.c and test_ike_track.c share. */
#include <stdlib.h>

#include "ike/parse.h"

#include "hex.h"
#include "tap.h"

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
