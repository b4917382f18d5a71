// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/ike/parse.c: messages laid out by hand, byte by byte;
 * every truncation of each; dialogues given to the tracker.
 */
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

/* --- messages by hand --- */

struct fixture {
	const char *name;
	const char *hex;
	enum ike_port port;
	struct ike_msg want;
};

#define ISPI	0x1122334455667788ULL
#define RSPI	0xa9aabbccddeeff01ULL
#define HEX_I	1122334455667788
#define HEX_R	a9aabbccddeeff01
#define HEX_0	0000000000000000
#define HDR(_len, _exch, _flags, _mid)					\
	.cls = IKE_CLASS_IKE, .ispi = ISPI, .exchange = _exch,		\
	.flags = _flags, .mid = _mid, .len = _len

static const struct fixture fixtures[] = {
	{ "keepalive on 4500", "ff", IKE_PORT_4500,
	  { .cls = IKE_CLASS_KEEPALIVE } },
	{ "keepalive on 500", "ff", IKE_PORT_500,
	  { .cls = IKE_CLASS_KEEPALIVE } },
	{ "ESP in UDP", "c0ffee01 00000007 deadbeef", IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP, .esp_spi = 0xc0ffee01, .esp_seq = 7 } },
	{ "ESP in UDP, lowest SPI, header only", "00000100 ffffffff",
	  IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP, .esp_spi = 256, .esp_seq = 0xffffffff } },
	{ "ESP whose SPI begins with 0xff", "ff000000 00000001",
	  IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP, .esp_spi = 0xff000000, .esp_seq = 1 } },

	{ "v2 SA_INIT request",
	  HEX(HEX_I HEX_0 21 20 22 08 00000000 00000084
	  /* SA: one proposal, IKE, AES-GCM-256, PRF SHA-256, X25519 */
	  22 00 0028 00000024 01010003 0300000c 01000014 800e0100
	  03000008 02000005 00000008 0400001f
	  28 00 000c 001f0000 aabbccdd		/* KE */
	  29 00 0014 000102030405060708090a0b0c0d0e0f /* nonce */
	  29 00 000c 00004004 11111111		/* NAT-D source */
	  29 00 000c 00004005 22222222		/* NAT-D destination */
	  00 00 0008 0000402e),			/* fragmentation */
	  IKE_PORT_500,
	  { HDR(132, 34, 0x08, 0), .version = 2, .next = 33, .payloads = 6,
	    .natd = 2, .initiator = true, .opens = true, .sa = true,
	    .frag_offered = true } },
	{ "v2 SA_INIT request with a cookie, begun on 4500",
	  HEX(00000000 HEX_I HEX_0 29 21 22 08 00000000 00000030
	  21 00 000c 00004006 cccccccc 00 00 0008 00000000),
	  IKE_PORT_4500,
	  { HDR(48, 34, 0x08, 0), .version = 2, .minor = 1, .next = 41,
	    .payloads = 2, .natt = true, .initiator = true, .opens = true,
	    .sa = true, .cookie = true } },
	{ "v2 SA_INIT response",
	  HEX(HEX_I HEX_R 21 20 22 20 00000000 00000024 0000 0008 00000000),
	  IKE_PORT_500,
	  { HDR(36, 34, 0x20, 0), .rspi = RSPI, .version = 2, .next = 33,
	    .payloads = 1, .response = true, .answers = true, .sa = true } },
	{ "v2 SA_INIT response: cookie",
	  HEX(HEX_I HEX_0 29 20 22 20 00000000 00000028 0000 000c 00004006 01020304),
	  IKE_PORT_500,
	  { HDR(40, 34, 0x20, 0), .version = 2, .next = 41, .payloads = 1,
	    .response = true, .retry = true, .cookie = true } },
	{ "v2 SA_INIT response: invalid KE, with a responder SPI",
	  HEX(HEX_I HEX_R 29 20 22 20 00000000 00000026 0000 000a 00000011 0013),
	  IKE_PORT_500,
	  { HDR(38, 34, 0x20, 0), .rspi = RSPI, .version = 2, .next = 41,
	    .payloads = 1, .error = 17, .response = true, .retry = true } },
	{ "v2 SA_INIT response: no proposal chosen",
	  HEX(HEX_I HEX_R 29 20 22 20 00000000 00000024 0000 0008 0000000e),
	  IKE_PORT_500,
	  { HDR(36, 34, 0x20, 0), .rspi = RSPI, .version = 2, .next = 41,
	    .payloads = 1, .error = 14, .response = true } },
	{ "v2 RESUME request (a nonce, then the ticket)",
	  HEX(HEX_I HEX_0 28 20 26 08 00000000 00000030
	  29 00 0008 01020304 00 00 000c 00004019 01020304),
	  IKE_PORT_500,
	  { HDR(48, 38, 0x08, 0), .version = 2, .next = 40, .payloads = 2,
	    .initiator = true, .opens = true } },
	{ "v2 AUTH request behind the marker",
	  HEX(00000000 HEX_I HEX_R 2e 20 23 08 00000001 00000028
	  23 00 000c 0102030405060708), IKE_PORT_4500,
	  { HDR(40, 35, 0x08, 1), .rspi = RSPI, .version = 2, .next = 46,
	    .walk = IKE_WALK_ENCRYPTED, .natt = true, .initiator = true,
	    .encrypted = true } },
	{ "v2 AUTH response, fragment 2 of 3",
	  HEX(00000000 HEX_I HEX_R 35 20 23 20 00000001 00000028
	  00 00 000c 0002 0003 01020304), IKE_PORT_4500,
	  { HDR(40, 35, 0x20, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_ENCRYPTED, .frag_num = 2, .frag_total = 3,
	    .natt = true, .response = true, .encrypted = true } },
	{ "v2 CREATE_CHILD_SA request from the original responder",
	  HEX(HEX_I HEX_R 2e 20 24 00 00000000 00000024 21000008 01020304),
	  IKE_PORT_500,
	  { HDR(36, 36, 0, 0), .rspi = RSPI, .version = 2, .next = 46,
	    .walk = IKE_WALK_ENCRYPTED, .encrypted = true } },
	{ "v2 INFORMATIONAL response from the original initiator",
	  HEX(HEX_I HEX_R 2e 20 25 28 fffffffe 00000024 00000008 01020304),
	  IKE_PORT_500,
	  { HDR(36, 37, 0x28, 0xfffffffe), .rspi = RSPI, .version = 2,
	    .next = 46, .walk = IKE_WALK_ENCRYPTED, .initiator = true,
	    .response = true, .encrypted = true } },
	{ "v2 unprotected INVALID_IKE_SPI",
	  HEX(HEX_I HEX_R 29 20 25 20 00000002 00000024 00000008 00000004),
	  IKE_PORT_500,
	  { HDR(36, 37, 0x20, 2), .rspi = RSPI, .version = 2, .next = 41,
	    .payloads = 1, .error = 4, .response = true } },
	{ "v2 Delete in clear, of the IKE SA and of a child",
	  HEX(HEX_I HEX_R 2a 20 25 08 00000002 00000030
	  2a000008 01000000 0000000c 03040001 01020304), IKE_PORT_500,
	  { HDR(48, 37, 0x08, 2), .rspi = RSPI, .version = 2, .next = 42,
	    .payloads = 2, .deletes = IKE_DEL_IKE | IKE_DEL_CHILD,
	    .initiator = true } },

	{ "v1 main mode 1, four NAT-T vendor IDs but one broken",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000060
	  0d 00 0008 00000001
	  0d 00 0014 4a131c8107035845 5c5728f20e954530 /* not the one */
	  0d 00 0014 7d9419a65310ca6f 2c179d9215529d56 /* draft 03 */
	  00 00 0014 4048b7d56ebce885 25e7de7f00d6c2d3),
	  IKE_PORT_500,
	  { HDR(96, 2, 0, 0), .version = 1, .next = 1, .payloads = 4,
	    .opens = true, .sa = true, .natt_offered = true } },
	{ "v1 main mode 2, RFC 3947 vendor ID",
	  HEX(HEX_I HEX_R 01 10 02 00 00000000 00000038 0d000008 00000001
	  00 00 0014 4a131c8107035845 5c5728f20e95452f), IKE_PORT_500,
	  { HDR(56, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 1,
	    .payloads = 2, .answers = true, .sa = true,
	    .natt_offered = true } },
	{ "v1 main mode 3 with NAT-D",
	  HEX(HEX_I HEX_R 04 10 02 00 00000000 0000003c 0a000008 01020304
	  14000008 05060708 14000008 11111111 00000008 22222222),
	  IKE_PORT_500,
	  { HDR(60, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 4,
	    .payloads = 4, .natd = 2 } },
	{ "v1 main mode 4 with the draft's NAT-D",
	  HEX(HEX_I HEX_R 04 10 02 00 00000000 00000034 82000008 01020304
	  82000008 11111111 00000008 22222222), IKE_PORT_500,
	  { HDR(52, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 4,
	    .payloads = 3, .natd = 2 } },
	{ "v1 main mode 5, on 4500",
	  HEX(00000000 HEX_I HEX_R 05 10 02 01 00000000 00000024
	  0102030405060708), IKE_PORT_4500,
	  { HDR(36, 2, 1, 0), .rspi = RSPI, .version = 1, .next = 5,
	    .walk = IKE_WALK_ENCRYPTED, .natt = true, .encrypted = true } },
	{ "v1 aggressive mode 1",
	  HEX(HEX_I HEX_0 01 10 04 00 00000000 00000024 00000008 00000001),
	  IKE_PORT_500,
	  { HDR(36, 4, 0, 0), .version = 1, .next = 1, .payloads = 1,
	    .opens = true, .sa = true } },
	{ "v1 quick mode with commit bit",
	  HEX(HEX_I HEX_R 08 10 20 03 cafebabe 00000020 01020304),
	  IKE_PORT_500,
	  { HDR(32, 32, 3, 0xcafebabe), .rspi = RSPI, .version = 1,
	    .next = 8, .walk = IKE_WALK_ENCRYPTED, .encrypted = true,
	    .commit = true } },
	{ "v1 informational in clear: no proposal chosen, then a delete",
	  HEX(HEX_I HEX_0 0b 10 05 00 00000009 00000044
	  0c00000c 00000001 0100000e
	  0000001c 00000001 01100001 11223344 55667788 00000000 00000000),
	  IKE_PORT_500,
	  { HDR(68, 5, 0, 9), .version = 1, .next = 11, .payloads = 2,
	    .error = 14, .deletes = IKE_DEL_IKE } },
	{ "v1 fragment 1", HEX(HEX_I HEX_0
	  84 10 04 00 00000000 00000028 0000000c 0001 01 00 01020304),
	  IKE_PORT_500,
	  { HDR(40, 4, 0, 0), .version = 1, .next = 132, .frag_num = 1,
	    .opens = true } },
	{ "v1 last fragment", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000028 0000000c 0001 04 01 01020304),
	  IKE_PORT_500,
	  { HDR(40, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 4, .frag_total = 4, .frag_last = true } },
	{ "v1 fragment with nothing in it", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000024 00000008 0001 02 00), IKE_PORT_500,
	  { HDR(36, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 2 } },
	{ "v1 fragment under the encryption flag", HEX(HEX_I HEX_R
	  84 10 02 01 00000000 00000024 00000008 0001 02 00), IKE_PORT_500,
	  { HDR(36, 2, 1, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 2, .encrypted = true } },
	{ "v1 main mode 1, vendor IDs that are not NAT-T's",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 0000004b 0d 00 0008 00000001
	  0d 00 0014 4048b7d56ebce885 25e7de7f00d6c2d3
	  00 00 0013 4a131c8107035845 5c5728f20e9545), IKE_PORT_500,
	  { HDR(75, 2, 0, 0), .version = 1, .next = 1, .payloads = 3,
	    .opens = true, .sa = true } },
	{ "v1 main mode 1, NAT-T draft 02",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000038 0d 00 0008 00000001
	  00 00 0014 cd60464335df21f8 7cfdb2fc68b6a448), IKE_PORT_500,
	  { HDR(56, 2, 0, 0), .version = 1, .next = 1, .payloads = 2,
	    .opens = true, .sa = true, .natt_offered = true } },
	{ "v1 main mode 1, NAT-T draft 02 as spelt with a newline",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000038 0d 00 0008 00000001
	  00 00 0014 90cb80913ebb696e 086381b5ec427b1f), IKE_PORT_500,
	  { HDR(56, 2, 0, 0), .version = 1, .next = 1, .payloads = 2,
	    .opens = true, .sa = true, .natt_offered = true } },
	{ "v1 informational that begins like an answer",
	  HEX(HEX_I HEX_R 01 10 05 00 00000009 00000024 00000008 00000001),
	  IKE_PORT_500,
	  { HDR(36, 5, 0, 9), .rspi = RSPI, .version = 1, .next = 1,
	    .payloads = 1, .sa = true } },
	{ "v1 informational in clear: a status is no error",
	  HEX(HEX_I HEX_R 0b 10 05 00 00000009 00000028
	  0000000c 00000001 01004000), IKE_PORT_500,
	  { HDR(40, 5, 0, 9), .rspi = RSPI, .version = 1, .next = 11,
	    .payloads = 1 } },
	{ "v1 delete, cut before and after its protocol",
	  HEX(HEX_I HEX_R 0c 10 05 00 00000009 0000002d
	  0c000008 00000001 00000009 00000001 03), IKE_PORT_500,
	  { HDR(45, 5, 0, 9), .rspi = RSPI, .version = 1, .next = 12,
	    .payloads = 2, .deletes = IKE_DEL_CHILD } },
	{ "v2 delete, cut before its protocol",
	  HEX(HEX_I HEX_R 2a 20 25 08 00000002 00000020 00000004),
	  IKE_PORT_500,
	  { HDR(32, 37, 0x08, 2), .rspi = RSPI, .version = 2, .next = 42,
	    .payloads = 1, .initiator = true } },
	{ "v1 new group mode", HEX(HEX_I HEX_R
	  08 10 21 01 00000001 00000020 01020304), IKE_PORT_500,
	  { HDR(32, 33, 1, 1), .rspi = RSPI, .version = 1, .next = 8,
	    .walk = IKE_WALK_ENCRYPTED, .encrypted = true } },
	{ "v1 first private exchange type", HEX(HEX_I HEX_R
	  00 10 f0 00 00000001 0000001c), IKE_PORT_500,
	  { HDR(28, 240, 0, 1), .rspi = RSPI, .version = 1 } },
	{ "v1 new exchange of a private type", HEX(HEX_I HEX_R
	  00 10 f6 00 00000001 0000001c), IKE_PORT_500,
	  { HDR(28, 246, 0, 1), .rspi = RSPI, .version = 1 } },

	{ "payload of length 3", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 00000003 00000000), IKE_PORT_500,
	  { HDR(36, 34, 8, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "payload of length 0", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 21000000 00000000), IKE_PORT_500,
	  { HDR(36, 34, 8, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "payload one byte longer than the message", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 00000009 00000000), IKE_PORT_500,
	  { HDR(36, 34, 8, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "next payload that is not there", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 29000008 00000000), IKE_PORT_500,
	  { HDR(36, 34, 8, 0), .version = 2, .next = 33, .payloads = 1,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true,
	    .sa = true } },
	{ "notify too short for its type", HEX(HEX_I HEX_0
	  29 20 22 08 00000000 00000023 00000007 000040), IKE_PORT_500,
	  { HDR(35, 34, 8, 0), .version = 2, .next = 41, .payloads = 1,
	    .initiator = true, .opens = true } },
	{ "v2 fragment 0", HEX(HEX_I HEX_R
	  35 20 23 20 00000001 00000024 00000008 00000001), IKE_PORT_500,
	  { HDR(36, 35, 0x20, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_BAD, .response = true, .encrypted = true } },
	{ "v2 fragment 3 of 2", HEX(HEX_I HEX_R
	  35 20 23 20 00000001 00000024 00000008 00030002), IKE_PORT_500,
	  { HDR(36, 35, 0x20, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_BAD, .response = true, .encrypted = true } },
	{ "v1 fragment 0", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000024 00000008 00010000), IKE_PORT_500,
	  { HDR(36, 2, 0, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .walk = IKE_WALK_BAD } },
};

static void compare(const struct ike_msg *g, const struct ike_msg *w)
{
#define FIELD(f) same(g->f, w->f, __LINE__, #f)
	FIELD(cls);
	FIELD(reason);
	FIELD(ispi);
	FIELD(rspi);
	FIELD(mid);
	FIELD(len);
	FIELD(esp_spi);
	FIELD(esp_seq);
	FIELD(frag_num);
	FIELD(frag_total);
	FIELD(error);
	FIELD(version);
	FIELD(minor);
	FIELD(exchange);
	FIELD(flags);
	FIELD(next);
	FIELD(walk);
	FIELD(payloads);
	FIELD(natd);
	FIELD(deletes);
	FIELD(natt);
	FIELD(initiator);
	FIELD(response);
	FIELD(encrypted);
	FIELD(commit);
	FIELD(opens);
	FIELD(answers);
	FIELD(retry);
	FIELD(sa);
	FIELD(cookie);
	FIELD(natt_offered);
	FIELD(frag_offered);
	FIELD(frag_last);
#undef FIELD
}

static void test_fixtures(void)
{
	struct ike_msg m;
	u8 buf[256];
	size_t i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(fixtures); i++) {
		len = unhex(fixtures[i].hex, buf, sizeof(buf));
		parse(&m, buf, len, len, fixtures[i].port);
		compare(&m, &fixtures[i].want);
		done(fixtures[i].name);
	}
}

/* A shorter capture of the same datagram may tell less, never other things. */
static void cut_capture(const struct fixture *f, const u8 *buf, u32 cap,
			u32 len)
{
	u32 hdr = f->want.natt ? 32 : 28;
	struct ike_msg m;

	parse(&m, buf, cap, len, f->port);
	if (f->want.cls == IKE_CLASS_ESP)
		hdr = 8;
	if (f->want.cls == IKE_CLASS_KEEPALIVE)
		hdr = 1;
	if (cap < hdr) {
		SAME(m.cls, IKE_CLASS_BAD);
		SAME(m.reason, IKE_BAD_CAPTURE);
		return;
	}
	SAME(m.cls, f->want.cls);
	SAME(m.ispi, f->want.ispi);
	SAME(m.rspi, f->want.rspi);
	SAME(m.mid, f->want.mid);
	SAME(m.esp_spi, f->want.esp_spi);
	CHECK(m.walk == f->want.walk || m.walk == IKE_WALK_CUT);
	CHECK(m.payloads <= f->want.payloads);
	CHECK(m.natd <= f->want.natd);
	if (cap >= IKE_CAPTURE_MIN) {
		SAME(m.frag_num, f->want.frag_num);
		SAME(m.encrypted, f->want.encrypted);
	}
}

/* A datagram that ends early is no IKE message, as its length says. */
static void cut_datagram(const struct fixture *f, const u8 *buf, u32 len)
{
	struct ike_msg m;

	parse(&m, buf, len, len, f->port);
	if (f->want.cls == IKE_CLASS_ESP && len >= 8)
		return;
	if (f->want.cls == IKE_CLASS_ESP && len == 1 && buf[0] == 0xff)
		return;
	SAME(m.cls, IKE_CLASS_BAD);
	if (!len)
		SAME(m.reason, IKE_BAD_EMPTY);
	else if (len < (f->want.natt ? 32 : 28))
		SAME(m.reason, IKE_BAD_SHORT);
	else
		SAME(m.reason, IKE_BAD_LENGTH);
}

static void test_truncation(void)
{
	u8 buf[256];
	u32 len, n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fixtures); i++) {
		len = unhex(fixtures[i].hex, buf, sizeof(buf));
		for (n = 0; n <= len; n++)
			cut_capture(&fixtures[i], buf, n, len);
		for (n = 0; n < len; n++)
			cut_datagram(&fixtures[i], buf, n);
	}
	done("every truncation of every message");
}

/* --- malformed --- */

static const struct {
	enum ike_reason reason;
	enum ike_port port;
	const char *hex;
} malformed[] = {
	{ IKE_BAD_EMPTY, IKE_PORT_500, "" },
	{ IKE_BAD_EMPTY, IKE_PORT_4500, "" },
	{ IKE_BAD_SHORT, IKE_PORT_500, "fe" },
	{ IKE_BAD_SHORT, IKE_PORT_4500, "00" },
	{ IKE_BAD_SHORT, IKE_PORT_4500, "ffff" },
	{ IKE_BAD_SHORT, IKE_PORT_4500, "00000000" },
	{ IKE_BAD_SHORT, IKE_PORT_4500, "01000000 000000" },
	{ IKE_BAD_SHORT, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000000 000000) },
	{ IKE_BAD_ESP_SPI, IKE_PORT_4500, "00000001 00000001" },
	{ IKE_BAD_ESP_SPI, IKE_PORT_4500, "000000ff 00000001" },
	{ IKE_BAD_ISPI, IKE_PORT_500,
	  HEX(HEX_0 HEX_0 00 20 22 08 00000000 0000001c) },
	{ IKE_BAD_ISPI, IKE_PORT_500,
	  HEX(HEX_0 HEX_R 00 20 25 08 00000000 0000001c) },
	{ IKE_BAD_VERSION, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 00 22 08 00000000 0000001c) },
	{ IKE_BAD_VERSION, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 30 22 08 00000000 0000001c) },
	{ IKE_BAD_LENGTH, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000000 0000001b) },
	{ IKE_BAD_LENGTH, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000000 0000001d) },
	{ IKE_BAD_LENGTH, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000000 ffffffff) },
	{ IKE_BAD_LENGTH, IKE_PORT_4500,
	  HEX(00000000 HEX_I HEX_0 00 20 22 08 00000000 00000020) },
	{ IKE_BAD_TRAILING, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000000 0000001c 00) },
	{ IKE_BAD_EXCHANGE, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 10 ef 00 00000001 0000001c) },
	{ IKE_BAD_EXCHANGE, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 20 20 08 00000001 0000001c) },
	{ IKE_BAD_EXCHANGE, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 10 22 00 00000001 0000001c) },
	{ IKE_BAD_EXCHANGE, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 10 00 00 00000001 0000001c) },
	/* SA_INIT from both and from neither end; AUTH likewise */
	{ IKE_BAD_FLAGS, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 28 00000000 0000001c) },
	{ IKE_BAD_FLAGS, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 00 00000000 0000001c) },
	{ IKE_BAD_FLAGS, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 20 23 00 00000001 0000001c) },
	/* main mode 1 encrypted, quick mode not */
	{ IKE_BAD_FLAGS, IKE_PORT_500,
	  HEX(HEX_I HEX_0 01 10 02 01 00000000 0000001c) },
	{ IKE_BAD_FLAGS, IKE_PORT_500,
	  HEX(HEX_I HEX_R 08 10 20 00 00000001 0000001c) },
	{ IKE_BAD_RSPI_SET, IKE_PORT_500,
	  HEX(HEX_I HEX_R 00 20 22 08 00000000 0000001c) },
	{ IKE_BAD_RSPI_ZERO, IKE_PORT_500,
	  HEX(HEX_I HEX_0 2e 20 23 08 00000001 0000001c) },
	{ IKE_BAD_RSPI_ZERO, IKE_PORT_500,
	  HEX(HEX_I HEX_0 2e 20 24 08 00000001 0000001c) },
	{ IKE_BAD_RSPI_ZERO, IKE_PORT_500,
	  HEX(HEX_I HEX_0 08 10 20 01 00000001 0000001c) },
	{ IKE_BAD_MSGID, IKE_PORT_500,
	  HEX(HEX_I HEX_0 00 20 22 08 00000001 0000001c) },
	{ IKE_BAD_MSGID, IKE_PORT_500,
	  HEX(HEX_I HEX_R 2e 20 23 08 00000000 0000001c) },
	{ IKE_BAD_MSGID, IKE_PORT_500,
	  HEX(HEX_I HEX_0 01 10 02 00 00000001 0000001c) },
	{ IKE_BAD_MSGID, IKE_PORT_500,
	  HEX(HEX_I HEX_R 08 10 20 01 00000000 0000001c) },
};

static void test_malformed(void)
{
	bool covered[IKE_BAD_MAX] = { false };
	struct ike_msg m;
	u8 buf[64];
	size_t i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		len = unhex(malformed[i].hex, buf, sizeof(buf));
		parse(&m, buf, len, len, malformed[i].port);
		SAME(m.cls, IKE_CLASS_BAD);
		SAME(m.reason, malformed[i].reason);
		covered[malformed[i].reason] = true;
		if (m.reason > IKE_BAD_ISPI)
			SAME(m.ispi, ISPI);
	}
	covered[IKE_OK] = true;
	covered[IKE_BAD_CAPTURE] = true;	/* test_truncation() */
	for (i = 0; i < IKE_BAD_MAX; i++)
		same(covered[i], true, __LINE__, "reason covered");
	done("each malformed datagram has its reason");
}

static void put(u8 *p, u64 v, int bytes)
{
	for (; bytes--; v >>= 8)
		p[bytes] = (u8)v;
}

static u64 rnd(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void test_random_headers(void)
{
	struct ike_msg m;
	u8 b[28] = { 0 };
	u64 i, r;
	u32 mid;
	int n;

	for (n = 0; n < 20000; n++) {
		i = rnd() | 1;
		r = rnd() | 1;
		mid = (u32)rnd();
		put(b, i, 8);
		put(b + 8, r, 8);
		b[17] = 0x20 | (n & 15);
		b[18] = n & 16 ? 36 : 37;
		b[19] = (u8)rnd();
		put(b + 20, mid, 4);
		put(b + 24, 28, 4);
		parse(&m, b, 28, 28, IKE_PORT_500);
		SAME(m.cls, IKE_CLASS_IKE);
		SAME(m.ispi, i);
		SAME(m.rspi, r);
		SAME(m.mid, mid);
		SAME(m.minor, n & 15);
		SAME(m.flags, b[19]);
		SAME(m.initiator, !!(b[19] & 8));
		SAME(m.response, !!(b[19] & 32));
	}
	done("20,000 headers written and read back");
}

static void test_walk_limit(void)
{
	u8 b[28 + 4 * 66];
	struct ike_msg m;
	u32 n, i, len;

	for (n = 1; n <= 66; n++) {
		len = 28 + 4 * n;
		memset(b, 0, sizeof(b));
		put(b, ISPI, 8);
		b[16] = 43;
		b[17] = 0x20;
		b[18] = 34;
		b[19] = 8;
		put(b + 24, len, 4);
		for (i = 0; i < n; i++) {
			b[28 + 4 * i] = i + 1 < n ? 43 : 0;
			b[31 + 4 * i] = 4;
		}
		parse(&m, b, len, len, IKE_PORT_500);
		SAME(m.cls, IKE_CLASS_IKE);
		SAME(m.payloads, n > IKE_MAX_PAYLOADS ? 64 : n);
		SAME(m.walk, n > IKE_MAX_PAYLOADS ? IKE_WALK_LIMIT :
						    IKE_WALK_DONE);
	}
	done("64 payloads are read, no more");
}

/* --- the tracker --- */

static const enum ike_dir O = IKE_DIR_OUT, I = IKE_DIR_IN;

/* What a dialogue says; the rest follows from it. */
struct say {
	u8 version;
	u8 exchange;
	u8 flags;
	u32 mid;
	u32 len;		/* 0: 200 */
	u64 ispi;		/* 0: ISPI */
	u64 rspi;
	u16 num, total;		/* fragment */
	u16 notify;		/* one notify as the only payload */
	u8 next;		/* first payload; 0: SA, or SK, or HASH */
	bool natt;
};

static struct ike_sa_state st;
static u32 clock_ms;

static u8 first_payload(const struct say *s)
{
	if (s->next)
		return s->next;
	if (s->total)
		return s->version == 1 ? 132 : 53;
	if (s->notify)
		return s->version == 1 ? 11 : 41;
	if (s->version == 1)
		return s->flags & 1 ? 8 : 1;
	return s->exchange == 34 || s->exchange == 38 ? 33 : 46;
}

static void say_build(const struct say *s, struct ike_msg *m)
{
	u32 len = s->len ? s->len : 200;
	u8 b[4096] = { 0 }, *p = b;

	if (s->natt)
		p += 4;
	put(p, s->ispi ? s->ispi : ISPI, 8);
	put(p + 8, s->rspi, 8);
	p[16] = first_payload(s);
	p[17] = (u8)(s->version << 4);
	p[18] = s->exchange;
	p[19] = s->flags;
	put(p + 20, s->mid, 4);
	put(p + 24, len, 4);
	put(p + 30, len - 28, 2);
	if (s->total && s->version == 1) {
		p[34] = (u8)s->num;
		p[35] = s->num == s->total;
	} else if (s->total) {
		put(p + 32, s->num, 2);
		put(p + 34, s->total, 2);
	} else if (s->notify) {
		put(p + (s->version == 1 ? 38 : 34), s->notify, 2);
	}
	len += s->natt ? 4 : 0;
	parse(m, b, min(len, (u32)IKE_CAPTURE_MIN + 8), len,
	      s->natt ? IKE_PORT_4500 : IKE_PORT_500);
}

static u32 say(enum ike_dir dir, struct say s)
{
	struct ike_sa_state before = st;
	struct ike_msg m;
	u32 ev;

	say_build(&s, &m);
	SAME(m.cls, IKE_CLASS_IKE);
	ev = ike_track(&st, dir, &m, ++clock_ms);
	if (ev & IKE_EV_FOREIGN) {
		SAME(ev, IKE_EV_FOREIGN);
		CHECK(!memcmp(&before, &st, sizeof(st)));
	}
	return ev;
}

static bool begins(enum ike_dir dir, struct say s)
{
	struct ike_msg m;

	say_build(&s, &m);
	return ike_begins_child(&st, dir, &m);
}

/* Does the message bring these events, and its repetition nothing anew? */
#define SAY(dir, events, ...)						\
	do {								\
		const struct say _s = { __VA_ARGS__ };			\
		const enum ike_dir _d = dir;				\
		u16 _n;							\
									\
		same(say(_d, _s), events, __LINE__, #__VA_ARGS__);	\
		_n = st.n_child;					\
		same(say(_d, _s) & (IKE_EV_CHILD | IKE_EV_BEGIN |	\
				     IKE_EV_OPENED | IKE_EV_ANSWERED |	\
				     IKE_EV_ESTABLISHED | IKE_EV_NATT |	\
				     IKE_EV_CHILD_READY |		\
				     IKE_EV_CHILD_RETRACT), 0, __LINE__,	\
		     "said again");					\
		same(st.n_child, _n, __LINE__, "n_child");		\
	} while (0)

/* The same, said once only. */
#define ONCE(dir, events, ...)						\
	same(say(dir, (struct say){ __VA_ARGS__ }), events, __LINE__,	\
	     #__VA_ARGS__)

#define EV(x) IKE_EV_##x

/* IKEv2 as sent by the initiator (I_) and the responder (R_) of the SA */
#define INIT	2, 34, 0x08, .mid = 0
#define INIT_R	2, 34, 0x20, .mid = 0
#define I_REQ	0x08
#define I_RESP	0x28
#define R_REQ	0x00
#define R_RESP	0x20

static void reset(void)
{
	memset(&st, 0, sizeof(st));
}

static void up_v2(void)
{
	reset();
	SAY(O, EV(OPENED), INIT);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
}

static void test_v2_plain(void)
{
	u32 t = clock_ms;

	up_v2();
	SAME(st.ispi, ISPI);
	SAME(st.rspi, RSPI);
	SAME(st.version, 2);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	SAME(st.opener, O);
	SAME(st.n_child, 1);
	SAME(st.child_by, O);
	SAME(st.opened, t + 1);
	SAME(st.child, t + 7);
	SAME(st.seen, t + 8);
	CHECK(!st.natt && !st.adopted && st.answered && st.rspi_fixed);
	done("v2: SA_INIT and AUTH, each message twice");
}

static void test_v2_natt(void)
{
	reset();
	SAY(O, EV(OPENED), INIT, .notify = 16388);
	SAME(st.natd, 1);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI, .notify = 16389);
	SAME(st.natd, 3);
	CHECK(!st.natt);
	SAY(O, EV(BEGIN) | EV(NATT), 2, 35, I_REQ, 1, .rspi = RSPI,
	    .natt = true);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .natt = true);
	CHECK(st.natt);
	reset();
	ONCE(O, EV(OPENED), INIT);
	ONCE(I, EV(ANSWERED) | EV(NATT), INIT_R, .rspi = RSPI, .natt = true);
	reset();
	ONCE(O, EV(OPENED), INIT);
	ONCE(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	ONCE(I, EV(RETRANS) | EV(NATT), INIT_R, .rspi = RSPI, .natt = true);
	done("v2: move to port 4500");
}

static void test_v2_retry(void)
{
	reset();
	SAY(O, EV(OPENED), INIT);
	ONCE(I, EV(RETRY), INIT_R, .notify = 16390);
	SAME(st.rspi, 0);
	ONCE(O, EV(RETRANS), INIT, .notify = 16390);
	ONCE(I, EV(RETRY), INIT_R, .rspi = RSPI + 4, .notify = 17);
	SAME(st.rspi, 0);
	ONCE(O, EV(RETRANS), INIT);
	ONCE(I, EV(REFUSED), INIT_R, .notify = 14);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	done("v2: cookie, other key exchange, refusal, then the answer");
}

static void test_v2_two_answers(void)
{
	reset();
	SAY(O, EV(OPENED), INIT);
	ONCE(I, EV(ANSWERED), INIT_R, .rspi = 0xbad);
	ONCE(I, EV(RETRANS), INIT_R, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	ONCE(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = 0xbad);
	ONCE(O, EV(FOREIGN), 2, 35, I_REQ, 1, .rspi = 0xbad);
	ONCE(I, EV(FOREIGN), 2, 35, R_RESP, 1, .rspi = 0xbad);
	ONCE(I, EV(REFUSED), INIT_R, .rspi = 0xbad, .notify = 14);
	ONCE(O, EV(RETRANS), INIT);
	ONCE(I, EV(RETRANS), INIT_R, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	ONCE(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
	/* The other way round: the initiator takes what came first. */
	reset();
	ONCE(O, EV(OPENED), INIT);
	ONCE(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	ONCE(I, EV(RETRANS), INIT_R, .rspi = 0xbad);
	ONCE(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAME(st.rspi, RSPI);
	done("v2: of two answers, the one counts that the initiator takes");
}

static void test_v2_children(void)
{
	up_v2();
	/* Both ends ask at once, with the same number. */
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 2, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 2, .rspi = RSPI);
	SAME(st.child_by, I);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	SAME(st.child_by, O);
	SAME(st.n_child, 3);
	/* A gateway's requests begin at 0. */
	SAY(I, EV(RETRANS), 2, 36, R_REQ, 2, .rspi = RSPI);
	SAY(I, 0, 2, 37, R_REQ, 3, .rspi = RSPI, .len = 60);
	SAY(O, 0, 2, 37, I_RESP, 3, .rspi = RSPI, .len = 60);
	SAME(st.n_child, 3);
	done("v2: children made from either side");
}

static void test_v2_refusal(void)
{
	up_v2();
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	SAY(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI, .len = 148);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 3, .rspi = RSPI, .len = 149);
	SAME(st.n_child, 2);
	reset();
	SAY(O, EV(OPENED), INIT);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .len = 76);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* The initiator says in an exchange of its own that it gives up. */
	SAY(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI, .len = 76);
	SAY(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI, .len = 76);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAME(st.n_child, 0);
	done("v2: too short an answer makes no child, nor an SA");
}

static void test_v2_eap(void)
{
	reset();
	SAY(O, EV(OPENED), INIT);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	/* Has a certificate, so it is long. */
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .len = 1400);
	SAY(O, EV(BEGIN) | EV(CHILD_RETRACT), 2, 35, I_REQ, 2, .rspi = RSPI);
	SAME(st.n_child, 0);
	SAY(I, 0, 2, 35, R_RESP, 2, .rspi = RSPI, .len = 100);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 35, R_RESP, 3, .rspi = RSPI);
	SAME(st.n_child, 1);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 4, .rspi = RSPI);
	SAME(st.n_child, 1);
	done("v2: EAP takes the first CHILD back");
}

static void test_v2_followup(void)
{
	up_v2();
	SAY(O, 0, 2, 43, I_REQ, 2, .rspi = RSPI);
	SAY(I, 0, 2, 43, R_RESP, 2, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 0, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 0, .rspi = RSPI);
	SAY(I, EV(BEGIN) | EV(CHILD_RETRACT), 2, 44, R_REQ, 1, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 44, I_RESP, 1, .rspi = RSPI, .len = 90);
	SAME(st.n_child, 2);
	done("v2: INTERMEDIATE makes no child, FOLLOWUP_KE ends the making");
}

static void test_v2_fragments(void)
{
	reset();
	SAY(O, EV(OPENED), INIT);
	SAY(I, EV(ANSWERED), INIT_R, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI, .num = 2,
	    .total = 2);
	SAY(O, 0, 2, 35, I_REQ, 1, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(O, EV(RETRANS), 2, 35, I_REQ, 1, .rspi = RSPI, .num = 1,
	     .total = 2);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 3, .total = 3);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 1, .total = 3);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* Cut smaller, so it begins anew; the old ones are late then. */
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 2, .total = 4);
	ONCE(I, EV(RETRANS), 2, 35, R_RESP, 1, .rspi = RSPI, .num = 2,
	     .total = 3);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 1, .total = 4);
	SAY(I, 0, 2, 35, R_RESP, 1, .rspi = RSPI, .num = 3, .total = 4);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI,
	    .num = 4, .total = 4, .len = 60);
	SAME(st.n_child, 1);
	CHECK(st.fragmented);
	done("v2: fragments in any order, of any cut, counted once");
}

static void test_v2_many_fragments(void)
{
	u16 n;

	up_v2();
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	for (n = 1; n < 32; n++)
		SAY(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI, .num = n,
		    .total = 40);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI, .num = 40,
	    .total = 40);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 3, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 3, .rspi = RSPI, .num = 1,
	    .total = 1);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 4, .rspi = RSPI);
	SAY(I, 0, 2, 36, R_RESP, 4, .rspi = RSPI, .num = 2, .total = 2,
	    .len = 60);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 4, .rspi = RSPI, .num = 1,
	    .total = 2, .len = 60);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 5, .rspi = RSPI);
	for (n = 1; n < 32; n++)
		SAY(I, 0, 2, 36, R_RESP, 5, .rspi = RSPI, .num = n,
		    .total = 32);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 5, .rspi = RSPI, .num = 32,
	    .total = 32);
	done("v2: 40 fragments, one, two, 32");
}

static void test_v2_adopted(void)
{
	reset();
	SAY(O, EV(ADOPTED) | EV(BEGIN), 2, 36, I_REQ, 7, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAME(st.opener, O);
	SAY(I, EV(ESTABLISHED) | EV(CHILD), 2, 36, R_RESP, 7, .rspi = RSPI);
	/* The gateway rekeyed: it is the initiator now. */
	reset();
	SAY(O, EV(ADOPTED), 2, 37, R_REQ, 0, .rspi = RSPI, .len = 60);
	SAME(st.opener, I);
	ONCE(I, EV(FOREIGN), 2, 37, I_RESP, 0, .rspi = RSPI + 1);
	SAY(I, EV(ESTABLISHED), 2, 37, I_RESP, 0, .rspi = RSPI, .len = 60);
	reset();
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), 2, 37, R_REQ, 0, .rspi = RSPI, .notify = 4);
	SAME(st.phase, IKE_SA_NEW);
	done("v2: joined in mid-life, in either role");
}

static void test_v2_unasked(void)
{
	up_v2();
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 0xffffffff, .rspi = RSPI);
	SAY(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	SAY(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI);
	/* A spoofed request of the gateway leads nowhere, unanswered. */
	ONCE(I, EV(BEGIN), 2, 36, R_REQ, 0xffffffff, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 36, R_REQ, 0, .rspi = RSPI);
	SAY(O, EV(CHILD), 2, 36, I_RESP, 0, .rspi = RSPI);
	SAME(st.n_child, 2);
	done("v2: only what was asked is answered");
}

static void test_v2_window(void)
{
	u32 i;

	up_v2();
	for (i = 2; i < 80; i++) {
		SAY(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
		SAY(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	}
	SAME(st.n_child, 79);
	for (i = 1; i < 80; i++) {
		ONCE(O, EV(RETRANS), 2, i == 1 ? 35 : 36, I_REQ, i,
		     .rspi = RSPI);
		ONCE(I, EV(RETRANS), 2, i == 1 ? 35 : 36, R_RESP, i,
		     .rspi = RSPI);
	}
	SAME(st.n_child, 79);
	/* A gap is filled later; a leap is followed. */
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 80, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 82, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 82, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 80, .rspi = RSPI);
	SAY(O, EV(BEGIN), 2, 36, I_REQ, 9000, .rspi = RSPI);
	SAY(I, EV(CHILD), 2, 36, R_RESP, 9000, .rspi = RSPI);
	ONCE(O, EV(RETRANS), 2, 36, I_REQ, 81, .rspi = RSPI);
	SAME(st.n_child, 82);
	done("v2: message IDs long past are repetitions");
}

static void test_v2_many_open(void)
{
	u32 i;

	up_v2();
	for (i = 2; i < 2 + IKE_REQS + 2; i++)
		ONCE(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
	/* The oldest gave way and come back when they are repeated. */
	ONCE(I, 0, 2, 36, R_RESP, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 36, R_RESP, 3, .rspi = RSPI);
	for (i = 4; i < 2 + IKE_REQS + 2; i++)
		ONCE(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	done("v2: more open exchanges than places");
}

static void test_foreign(void)
{
	up_v2();
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .ispi = 5, .rspi = RSPI);
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI + 1);
	ONCE(O, EV(FOREIGN), 1, 32, 1, 2, .rspi = RSPI);
	/* SPIs swapped; what the client sent coming back; flags of the peer */
	ONCE(I, EV(FOREIGN), 2, 36, R_REQ, 2, .ispi = RSPI, .rspi = ISPI);
	ONCE(I, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(O, EV(FOREIGN), 2, 36, R_REQ, 2, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), INIT);
	ONCE(O, EV(FOREIGN), INIT_R, .rspi = RSPI);
	/* not encrypted, though it should be */
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI, .next = 33);
	ONCE(O, EV(FOREIGN), 2, 36, I_REQ, 2, .rspi = RSPI, .num = 2,
	     .total = 1);
	ONCE(I, EV(REFUSED), 2, 37, R_RESP, 2, .rspi = RSPI, .notify = 4);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	done("messages that do not fit change nothing");
}

static void test_unreadable(void)
{
	struct ike_msg m;

	reset();
	parse(&m, (const u8 *)"x", 1, 1, IKE_PORT_500);
	SAME(ike_track(&st, O, &m, 1), EV(FOREIGN));
	/* An SA_INIT whose payloads are nonsense, then a cut fragment. */
	ONCE(O, EV(FOREIGN), INIT, .len = 30);
	SAME(st.phase, IKE_SA_NEW);
	/* Encrypted, but it is the first message's answer. */
	ONCE(I, EV(FOREIGN), INIT_R, .rspi = RSPI, .next = 46);
	SAME(st.phase, IKE_SA_NEW);
	up_v2();
	parse(&m, (const u8 *)"\xff", 1, 1, IKE_PORT_4500);
	SAME(ike_track(&st, O, &m, 1), EV(FOREIGN));
	CHECK(!ike_begins_child(&st, O, &m));
	done("what cannot be read is not tracked");
}

static void test_v2_slots(void)
{
	u32 i;

	up_v2();
	/* One request stays open while others come and go. */
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	for (i = 3; i < 10; i++) {
		SAY(O, EV(BEGIN), 2, 36, I_REQ, i, .rspi = RSPI);
		SAY(I, EV(CHILD), 2, 36, R_RESP, i, .rspi = RSPI);
	}
	/* The number is taken. */
	ONCE(O, 0, 2, 37, I_REQ, 2, .rspi = RSPI);
	ONCE(I, 0, 2, 37, R_RESP, 2, .rspi = RSPI);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	done("v2: an open exchange keeps its place");
}

static void test_saturation(void)
{
	up_v2();
	st.n_child = 0xffff;
	ONCE(O, EV(BEGIN), 2, 36, I_REQ, 2, .rspi = RSPI);
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	SAME(st.n_child, 0xffff);
	ONCE(O, EV(BEGIN) | EV(CHILD_RETRACT), 2, 44, I_REQ, 3,
	     .rspi = RSPI);
	SAME(st.n_child, 0xffff);
	st.n_child = 0;
	ONCE(I, EV(CHILD), 2, 44, R_RESP, 3, .rspi = RSPI);
	st.n_child = 0;
	ONCE(O, EV(BEGIN) | EV(CHILD_RETRACT), 2, 44, I_REQ, 4,
	     .rspi = RSPI);
	SAME(st.n_child, 0);
	done("the count of children does not wrap");
}

static void test_v2_inbound(void)
{
	reset();
	SAY(I, EV(OPENED), INIT);
	SAY(O, EV(ANSWERED), INIT_R, .rspi = RSPI);
	SAY(I, EV(BEGIN), 2, 35, I_REQ, 1, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED) | EV(CHILD), 2, 35, R_RESP, 1, .rspi = RSPI);
	SAME(st.opener, I);
	SAME(st.child_by, I);
	done("v2: begun by the gateway");
}

/* --- IKEv1 --- */

#define MAIN	1, 2, 0, .mid = 0
#define MAIN_E	1, 2, 1, .mid = 0
#define QM(_mid)	1, 32, 1, .mid = _mid
#define QMC(_mid)	1, 32, 3, .mid = _mid

static void up_v1(void)
{
	reset();
	SAY(O, EV(OPENED), MAIN);
	SAY(I, EV(ANSWERED), MAIN, .rspi = RSPI);
	SAY(O, 0, MAIN, .rspi = RSPI, .next = 4);
	SAY(I, 0, MAIN, .rspi = RSPI, .next = 4);
	SAY(O, 0, MAIN_E, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, EV(ESTABLISHED), MAIN_E, .rspi = RSPI);
	SAME(st.phase, IKE_SA_ESTABLISHED);
}

static void test_v1_main_quick(void)
{
	up_v1();
	SAY(O, EV(BEGIN), QM(77), .rspi = RSPI);
	SAY(I, 0, QM(77), .rspi = RSPI);
	/* the answer was lost: the first again, then the third */
	ONCE(O, EV(RETRANS), QM(77), .rspi = RSPI);
	SAME(st.n_child, 0);
	SAY(O, EV(CHILD), QM(77), .rspi = RSPI, .len = 60);
	ONCE(I, EV(RETRANS), QM(77), .rspi = RSPI);
	ONCE(O, EV(RETRANS), QM(77), .rspi = RSPI);
	SAME(st.n_child, 1);
	SAME(st.child_by, O);
	/* by the gateway, with a long hash */
	SAY(I, EV(BEGIN), QM(78), .rspi = RSPI, .len = 300);
	SAY(O, 0, QM(78), .rspi = RSPI, .len = 300);
	SAY(I, EV(CHILD), QM(78), .rspi = RSPI, .len = 108);
	SAME(st.n_child, 2);
	SAME(st.child_by, I);
	done("v1: main mode, quick mode from either side, each message twice");
}

static void test_v1_unanswered(void)
{
	reset();
	SAY(O, EV(OPENED), MAIN);
	/* The responder's SPI comes with an answer and nothing else. */
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI, .next = 4);
	ONCE(I, EV(FOREIGN), MAIN_E, .rspi = RSPI);
	ONCE(I, EV(FOREIGN), 1, 6, 1, 5, .rspi = RSPI);
	SAY(I, EV(ANSWERED), MAIN, .rspi = RSPI);
	/* Message 3 went another way. */
	ONCE(I, 0, MAIN, .rspi = RSPI, .next = 4);
	ONCE(I, EV(FOREIGN), MAIN, .rspi = 0xbad, .next = 4);
	SAME(st.rspi, RSPI);
	done("v1: who may bring the responder's SPI");
}

static void test_v1_unseen_second(void)
{
	up_v1();
	ONCE(O, EV(BEGIN), QM(5), .rspi = RSPI);
	ONCE(O, EV(RETRANS), QM(5), .rspi = RSPI, .len = 92);
	ONCE(O, EV(CHILD), QM(5), .rspi = RSPI, .len = 91);
	done("v1: quick mode whose second message was not seen");
}

static void test_v1_slots(void)
{
	u32 i;

	up_v1();
	/* One that only waits for its fourth message gives way first. */
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(BEGIN), QM(i), .rspi = RSPI);
	ONCE(I, 0, QMC(3), .rspi = RSPI);
	ONCE(O, EV(CHILD), QMC(3), .rspi = RSPI, .len = 60);
	ONCE(I, 0, QM(2), .rspi = RSPI);
	ONCE(O, EV(BEGIN), QM(9), .rspi = RSPI);
	ONCE(I, EV(RETRANS), QMC(3), .rspi = RSPI, .len = 76);
	ONCE(I, 0, QM(1), .rspi = RSPI);
	ONCE(I, 0, QM(4), .rspi = RSPI);
	ONCE(I, 0, QM(9), .rspi = RSPI);
	ONCE(O, EV(CHILD), QM(2), .rspi = RSPI, .len = 100);
	/* A free place is taken before one in use. */
	ONCE(O, EV(BEGIN), QM(10), .rspi = RSPI);
	ONCE(O, EV(CHILD), QM(1), .rspi = RSPI, .len = 100);
	ONCE(O, EV(CHILD), QM(4), .rspi = RSPI, .len = 100);
	ONCE(O, EV(CHILD), QM(9), .rspi = RSPI, .len = 100);
	done("v1: an open quick mode keeps its place");
}

static void test_v1_commit(void)
{
	up_v1();
	SAY(O, EV(BEGIN), QM(5), .rspi = RSPI);
	SAY(I, 0, QMC(5), .rspi = RSPI);
	SAY(O, EV(CHILD), QMC(5), .rspi = RSPI, .len = 60);
	ONCE(I, EV(RETRANS), QMC(5), .rspi = RSPI);
	SAY(I, EV(CHILD_READY), QMC(5), .rspi = RSPI, .len = 76);
	SAY(O, EV(BEGIN), QMC(6), .rspi = RSPI);
	SAY(I, 0, QM(6), .rspi = RSPI);
	SAY(O, EV(CHILD), QM(6), .rspi = RSPI, .len = 60);
	ONCE(I, 0, 1, 5, 1, 7, .rspi = RSPI, .len = 76);
	ONCE(O, 0, 1, 5, 1, 6, .rspi = RSPI, .len = 76);
	SAY(I, EV(CHILD_READY), 1, 5, 1, 6, .rspi = RSPI, .len = 76);
	SAME(st.n_child, 2);
	/* no commit bit, no fourth message */
	SAY(O, EV(BEGIN), QM(8), .rspi = RSPI);
	SAY(I, 0, QM(8), .rspi = RSPI);
	SAY(O, EV(CHILD), QM(8), .rspi = RSPI, .len = 60);
	ONCE(I, EV(RETRANS), QM(8), .rspi = RSPI, .len = 60);
	done("v1: commit bit, the fourth message in either form");
}

static void test_v1_many(void)
{
	u32 i;

	up_v1();
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(BEGIN), QM(i), .rspi = RSPI);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(I, 0, QM(i), .rspi = RSPI);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(CHILD), QM(i), .rspi = RSPI, .len = 60);
	for (i = 1; i <= IKE_QUICKS; i++)
		ONCE(O, EV(RETRANS), QM(i), .rspi = RSPI, .len = 60);
	SAME(st.n_child, IKE_QUICKS);
	/* Unfinished ones give way, the oldest first. */
	for (i = 11; i <= 12 + IKE_QUICKS; i++)
		ONCE(I, EV(BEGIN), QM(i), .rspi = RSPI);
	ONCE(O, 0, QM(13), .rspi = RSPI);
	ONCE(I, EV(CHILD), QM(13), .rspi = RSPI, .len = 60);
	/* This one's first message was lost on the way to us. */
	ONCE(I, EV(CHILD), QM(11), .rspi = RSPI, .len = 60);
	/* Only the last few are remembered, and those they are. */
	for (i = 21; i < 21 + IKE_QUICKS_DONE; i++)
		ONCE(I, EV(CHILD), QM(i), .rspi = RSPI, .len = 60);
	for (i = 21; i < 21 + IKE_QUICKS_DONE; i++)
		ONCE(I, EV(RETRANS), QM(i), .rspi = RSPI, .len = 60);
	done("v1: several quick modes at once, more than places");
}

static void test_v1_fragments(void)
{
	up_v1();
	/* Quick mode 1 and 2 in fragments look like main mode. */
	ONCE(O, 0, MAIN, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(O, 0, MAIN, .rspi = RSPI, .num = 2, .total = 2);
	ONCE(I, 0, MAIN, .rspi = RSPI, .num = 1, .total = 1);
	SAME(st.rspi, RSPI);
	SAY(O, EV(CHILD), QM(3), .rspi = RSPI, .len = 91);
	SAY(O, EV(BEGIN), QM(4), .rspi = RSPI, .len = 92);
	CHECK(st.fragmented);
	/* aggressive mode in fragments */
	reset();
	ONCE(O, EV(OPENED), 1, 4, 0, 0, .num = 1, .total = 2);
	ONCE(O, EV(RETRANS), 1, 4, 0, 0, .num = 2, .total = 2);
	ONCE(I, EV(ANSWERED), 1, 4, 0, 0, .rspi = RSPI, .num = 1, .total = 2);
	ONCE(I, 0, 1, 4, 0, 0, .rspi = RSPI, .num = 2, .total = 2);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	ONCE(O, EV(ESTABLISHED), 1, 4, 1, 0, .rspi = RSPI);
	done("v1: fragments");
}

static void test_v1_aggressive(void)
{
	reset();
	SAY(I, EV(OPENED), 1, 4, 0, .mid = 0);
	SAY(O, EV(ANSWERED), 1, 4, 0, 0, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	SAY(I, EV(ESTABLISHED) | EV(NATT), 1, 4, 0, 0, .rspi = RSPI,
	    .next = 8, .natt = true);
	SAME(st.opener, I);
	SAY(O, EV(BEGIN), QM(1), .rspi = RSPI, .natt = true);
	done("v1: aggressive mode in clear, begun by the gateway");
}

static void test_v1_refused(void)
{
	reset();
	SAY(O, EV(OPENED), MAIN);
	ONCE(O, 0, 1, 5, 0, 9, .notify = 14);
	ONCE(O, 0, 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	ONCE(I, EV(REFUSED), 1, 5, 0, 9, .notify = 14);
	ONCE(I, EV(REFUSED), 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	SAME(st.rspi, 0);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	/* It refuses under encryption: that is no establishment. */
	SAY(I, EV(ANSWERED), MAIN, .rspi = RSPI);
	SAY(O, 0, MAIN_E, .rspi = RSPI);
	SAY(I, 0, 1, 5, 1, 9, .rspi = RSPI);
	SAME(st.phase, IKE_SA_HALF_OPEN);
	ONCE(I, EV(REFUSED), 1, 5, 0, 9, .notify = 14);
	ONCE(I, EV(REFUSED), 1, 5, 0, 9, .rspi = RSPI, .notify = 14);
	ONCE(I, EV(FOREIGN), 1, 5, 0, 9, .rspi = 0xbad, .notify = 14);
	done("v1: refusals");
}

static void track_hex(enum ike_dir dir, const char *hex, u32 want)
{
	struct ike_msg m;
	u8 buf[64];
	u32 len = unhex(hex, buf, sizeof(buf));

	parse(&m, buf, len, len, IKE_PORT_500);
	SAME(ike_track(&st, dir, &m, clock_ms), want);
}

static void test_v1_delete(void)
{
	static const char both[] =
		HEX(HEX_I HEX_R 0b 10 05 00 00000009 00000034
		    0c00000c 00000001 0100000e 0000000c 00000001 01100000);
	static const char del[] = HEX(HEX_I HEX_R
		0c 10 05 00 00000009 00000028 0000000c 00000001 01100000);

	reset();
	SAY(O, EV(OPENED), MAIN);
	SAY(I, EV(ANSWERED), MAIN, .rspi = RSPI);
	track_hex(I, both, EV(REFUSED) | EV(DELETED));
	SAME(st.phase, IKE_SA_DELETED);
	SAY(O, EV(OPENED), MAIN);
	SAY(I, EV(ANSWERED), MAIN, .rspi = RSPI);
	track_hex(I, del, EV(DELETED));
	SAME(st.phase, IKE_SA_DELETED);
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI);
	SAY(O, EV(OPENED), MAIN);
	SAME(st.rspi, 0);
	up_v1();
	track_hex(I, del, 0);
	SAME(st.phase, IKE_SA_ESTABLISHED);
	done("v1: a delete in clear ends what is half open, nothing else");
}

static void test_v1_adopted(void)
{
	reset();
	ONCE(I, EV(FOREIGN), MAIN, .rspi = RSPI);
	SAY(I, EV(ADOPTED), 1, 5, 1, 9, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED), 1, 5, 1, 10, .rspi = RSPI);
	SAY(I, EV(BEGIN), QM(2), .rspi = RSPI);
	reset();
	SAY(I, EV(ADOPTED), 1, 5, 1, 9, .rspi = RSPI);
	SAY(O, EV(ESTABLISHED) | EV(BEGIN), QM(2), .rspi = RSPI);
	done("v1: joined in mid-life");
}

static void test_begins(void)
{
	struct say part1 = { 2, 36, I_REQ, 2, .rspi = RSPI, .num = 1,
			     .total = 2 };
	struct say part2 = part1;

	part2.num = 2;
	up_v2();
	CHECK(begins(O, (struct say){ 2, 36, I_REQ, 2, .rspi = RSPI }));
	CHECK(!begins(O, (struct say){ 2, 37, I_REQ, 2, .rspi = RSPI }));
	CHECK(!begins(I, (struct say){ 2, 36, R_RESP, 2, .rspi = RSPI }));
	CHECK(!begins(O, (struct say){ 1, 32, 1, 2, .rspi = RSPI }));
	CHECK(begins(O, part1));
	SAME(say(O, part1), EV(BEGIN));
	CHECK(!begins(O, part2));
	CHECK(begins(I, (struct say){ 2, 36, R_REQ, 2, .rspi = RSPI }));
	ONCE(I, EV(CHILD), 2, 36, R_RESP, 2, .rspi = RSPI);
	CHECK(!begins(O, (struct say){ 2, 36, I_REQ, 2, .rspi = RSPI }));
	up_v1();
	CHECK(begins(O, (struct say){ QM(5), .rspi = RSPI }));
	CHECK(!begins(O, (struct say){ QM(5), .rspi = RSPI, .len = 91 }));
	CHECK(begins(O, (struct say){ QM(5), .rspi = RSPI, .len = 92 }));
	ONCE(O, EV(BEGIN), QM(5), .rspi = RSPI);
	CHECK(!begins(O, (struct say){ QM(5), .rspi = RSPI }));
	CHECK(!begins(I, (struct say){ QM(5), .rspi = RSPI }));
	CHECK(!begins(O, (struct say){ 2, 36, I_REQ, 2, .rspi = RSPI }));
	ONCE(O, EV(CHILD), QM(5), .rspi = RSPI, .len = 60);
	CHECK(!begins(O, (struct say){ QM(5), .rspi = RSPI }));
	reset();
	CHECK(begins(O, (struct say){ QM(5), .rspi = RSPI }));
	CHECK(begins(O, (struct say){ 2, 36, I_REQ, 2, .rspi = RSPI }));
	done("which message begins an exchange that makes SAs");
}

static void test_clock_wrap(void)
{
	clock_ms = 0xfffffffa;
	up_v2();
	SAME(st.opened, 0xfffffffb);
	SAME(st.child, 1);
	SAME(st.seen, 2);
	done("the clock wraps");
}

int main(void)
{
	test_fixtures();
	test_truncation();
	test_malformed();
	test_random_headers();
	test_walk_limit();
	test_v2_plain();
	test_v2_natt();
	test_v2_retry();
	test_v2_two_answers();
	test_v2_children();
	test_v2_refusal();
	test_v2_eap();
	test_v2_followup();
	test_v2_fragments();
	test_v2_many_fragments();
	test_v2_adopted();
	test_v2_unasked();
	test_v2_window();
	test_v2_many_open();
	test_foreign();
	test_unreadable();
	test_v2_slots();
	test_saturation();
	test_v2_inbound();
	test_v1_unanswered();
	test_v1_main_quick();
	test_v1_unseen_second();
	test_v1_slots();
	test_v1_commit();
	test_v1_many();
	test_v1_fragments();
	test_v1_aggressive();
	test_v1_refused();
	test_v1_delete();
	test_v1_adopted();
	test_begins();
	test_clock_wrap();
	printf("1..%u\n", n_tests);
	return n_failed ? 1 : 0;
}
