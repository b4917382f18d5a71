// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/ike/parse.c: messages laid out by hand, byte by byte, and
 * every truncation of each.
 */
#include "ike_host.h"

/* --- messages by hand --- */

struct fixture {
	const char *name;
	const char *hex;
	enum ike_port port;
	struct ike_msg want;
};

#define HDR(_len, _exch, _mid)						\
	.cls = IKE_CLASS_IKE, .ispi = ISPI, .exchange = _exch,		\
	.mid = _mid, .len = _len

static const struct fixture fixtures[] = {
	{ "keepalive on 4500", "ff", IKE_PORT_4500,
	  { .cls = IKE_CLASS_KEEPALIVE } },
	{ "keepalive on 500", "ff", IKE_PORT_500,
	  { .cls = IKE_CLASS_KEEPALIVE } },
	{ "ESP in UDP", "c0ffee01 00000007 deadbeef", IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP } },
	{ "ESP in UDP, lowest SPI, header only", "00000100 ffffffff",
	  IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP } },
	{ "ESP whose SPI begins with 0xff", "ff000000 00000001",
	  IKE_PORT_4500,
	  { .cls = IKE_CLASS_ESP } },

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
	  { HDR(132, 34, 0), .version = 2, .next = 33, .initiator = true, .opens = true } },
	{ "v2 SA_INIT request with a cookie, begun on 4500",
	  HEX(00000000 HEX_I HEX_0 29 21 22 08 00000000 00000030
	  21 00 000c 00004006 cccccccc 00 00 0008 00000000),
	  IKE_PORT_4500,
	  { HDR(48, 34, 0), .version = 2, .next = 41, .natt = true, .initiator = true,
	    .opens = true, .cookie = true } },
	{ "v2 SA_INIT response",
	  HEX(HEX_I HEX_R 21 20 22 20 00000000 00000024 0000 0008 00000000),
	  IKE_PORT_500,
	  { HDR(36, 34, 0), .rspi = RSPI, .version = 2, .next = 33, .response = true,
	    .answers = true } },
	{ "v2 SA_INIT response: cookie",
	  HEX(HEX_I HEX_0 29 20 22 20 00000000 00000028 0000 000c 00004006 01020304),
	  IKE_PORT_500,
	  { HDR(40, 34, 0), .version = 2, .next = 41,
	    .response = true, .cookie = true } },
	{ "v2 SA_INIT response: invalid KE, with a responder SPI",
	  HEX(HEX_I HEX_R 29 20 22 20 00000000 00000026 0000 000a 00000011 0013),
	  IKE_PORT_500,
	  { HDR(38, 34, 0), .rspi = RSPI, .version = 2, .next = 41, .error = 17,
	    .response = true } },
	{ "v2 SA_INIT response: no proposal chosen",
	  HEX(HEX_I HEX_R 29 20 22 20 00000000 00000024 0000 0008 0000000e),
	  IKE_PORT_500,
	  { HDR(36, 34, 0), .rspi = RSPI, .version = 2, .next = 41, .error = 14,
	    .response = true } },
	{ "v2 RESUME request (a nonce, then the ticket)",
	  HEX(HEX_I HEX_0 28 20 26 08 00000000 00000030
	  29 00 0008 01020304 00 00 000c 00004019 01020304),
	  IKE_PORT_500,
	  { HDR(48, 38, 0), .version = 2, .next = 40,
	    .initiator = true, .opens = true } },
	{ "v2 AUTH request behind the marker",
	  HEX(00000000 HEX_I HEX_R 2e 20 23 08 00000001 00000028
	  23 00 000c 0102030405060708), IKE_PORT_4500,
	  { HDR(40, 35, 1), .rspi = RSPI, .version = 2, .next = 46,
	    .walk = IKE_WALK_ENCRYPTED, .natt = true, .initiator = true,
	    .encrypted = true } },
	{ "v2 AUTH response, fragment 2 of 3",
	  HEX(00000000 HEX_I HEX_R 35 20 23 20 00000001 00000028
	  00 00 000c 0002 0003 01020304), IKE_PORT_4500,
	  { HDR(40, 35, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_ENCRYPTED, .frag_num = 2, .frag_total = 3,
	    .natt = true, .response = true, .encrypted = true } },
	{ "v2 CREATE_CHILD_SA request from the original responder",
	  HEX(HEX_I HEX_R 2e 20 24 00 00000000 00000024 21000008 01020304),
	  IKE_PORT_500,
	  { HDR(36, 36, 0), .rspi = RSPI, .version = 2, .next = 46,
	    .walk = IKE_WALK_ENCRYPTED, .encrypted = true } },
	{ "v2 INFORMATIONAL response from the original initiator",
	  HEX(HEX_I HEX_R 2e 20 25 28 fffffffe 00000024 00000008 01020304),
	  IKE_PORT_500,
	  { HDR(36, 37, 0xfffffffe), .rspi = RSPI, .version = 2,
	    .next = 46, .walk = IKE_WALK_ENCRYPTED, .initiator = true,
	    .response = true, .encrypted = true } },
	{ "v2 unprotected INVALID_IKE_SPI",
	  HEX(HEX_I HEX_R 29 20 25 20 00000002 00000024 00000008 00000004),
	  IKE_PORT_500,
	  { HDR(36, 37, 2), .rspi = RSPI, .version = 2, .next = 41, .error = 4,
	    .response = true } },
	{ "v2 Delete in clear, of the IKE SA and of a child",
	  HEX(HEX_I HEX_R 2a 20 25 08 00000002 00000030
	  2a000008 01000000 0000000c 03040001 01020304), IKE_PORT_500,
	  { HDR(48, 37, 2), .rspi = RSPI, .version = 2, .next = 42, .deletes = true,
	    .initiator = true } },

	{ "v1 main mode 1, four NAT-T vendor IDs but one broken",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000060
	  0d 00 0008 00000001
	  0d 00 0014 4a131c8107035845 5c5728f20e954530 /* not the one */
	  0d 00 0014 7d9419a65310ca6f 2c179d9215529d56 /* draft 03 */
	  00 00 0014 4048b7d56ebce885 25e7de7f00d6c2d3),
	  IKE_PORT_500,
	  { HDR(96, 2, 0), .version = 1, .next = 1,
	    .opens = true } },
	{ "v1 main mode 1, a vendor ID before the SA",
	  HEX(HEX_I HEX_0 0d 10 02 00 00000000 00000028 00 00 000c 01020304 05060708),
	  IKE_PORT_500,
	  { HDR(40, 2, 0), .version = 1, .next = 13, .opens = true } },
	{ "v1 main mode 2, RFC 3947 vendor ID",
	  HEX(HEX_I HEX_R 01 10 02 00 00000000 00000038 0d000008 00000001
	  00 00 0014 4a131c8107035845 5c5728f20e95452f), IKE_PORT_500,
	  { HDR(56, 2, 0), .rspi = RSPI, .version = 1, .next = 1, .answers = true } },
	{ "v1 main mode 3 with NAT-D",
	  HEX(HEX_I HEX_R 04 10 02 00 00000000 0000003c 0a000008 01020304
	  14000008 05060708 14000008 11111111 00000008 22222222),
	  IKE_PORT_500,
	  { HDR(60, 2, 0), .rspi = RSPI, .version = 1, .next = 4 } },
	{ "v1 main mode 4 with the draft's NAT-D",
	  HEX(HEX_I HEX_R 04 10 02 00 00000000 00000034 82000008 01020304
	  82000008 11111111 00000008 22222222), IKE_PORT_500,
	  { HDR(52, 2, 0), .rspi = RSPI, .version = 1, .next = 4 } },
	{ "v1 main mode 5, on 4500",
	  HEX(00000000 HEX_I HEX_R 05 10 02 01 00000000 00000024
	  0102030405060708), IKE_PORT_4500,
	  { HDR(36, 2, 0), .rspi = RSPI, .version = 1, .next = 5,
	    .walk = IKE_WALK_ENCRYPTED, .natt = true, .encrypted = true } },
	{ "v1 aggressive mode 1",
	  HEX(HEX_I HEX_0 01 10 04 00 00000000 00000024 00000008 00000001),
	  IKE_PORT_500,
	  { HDR(36, 4, 0), .version = 1, .next = 1,
	    .opens = true } },
	{ "v1 quick mode with commit bit",
	  HEX(HEX_I HEX_R 08 10 20 03 cafebabe 00000020 01020304),
	  IKE_PORT_500,
	  { HDR(32, 32, 0xcafebabe), .rspi = RSPI, .version = 1,
	    .next = 8, .walk = IKE_WALK_ENCRYPTED, .encrypted = true } },
	{ "v1 informational in clear: no proposal chosen, then a delete",
	  HEX(HEX_I HEX_0 0b 10 05 00 00000009 00000044
	  0c00000c 00000001 0100000e
	  0000001c 00000001 01100001 11223344 55667788 00000000 00000000),
	  IKE_PORT_500,
	  { HDR(68, 5, 9), .version = 1, .next = 11,
	    .error = 14, .deletes = true } },
	{ "v1 fragment 1", HEX(HEX_I HEX_0
	  84 10 04 00 00000000 00000028 0000000c 0001 01 00 01020304),
	  IKE_PORT_500,
	  { HDR(40, 4, 0), .version = 1, .next = 132, .frag_num = 1,
	    .opens = true } },
	{ "v1 last fragment", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000028 0000000c 0001 04 01 01020304),
	  IKE_PORT_500,
	  { HDR(40, 2, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 4, .frag_total = 4 } },
	{ "v1 fragment with nothing in it", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000024 00000008 0001 02 00), IKE_PORT_500,
	  { HDR(36, 2, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 2 } },
	{ "v1 fragment under the encryption flag", HEX(HEX_I HEX_R
	  84 10 02 01 00000000 00000024 00000008 0001 02 00), IKE_PORT_500,
	  { HDR(36, 2, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .frag_num = 2, .encrypted = true } },
	{ "v1 main mode 1, vendor IDs that are not NAT-T's",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 0000004b 0d 00 0008 00000001
	  0d 00 0014 4048b7d56ebce885 25e7de7f00d6c2d3
	  00 00 0013 4a131c8107035845 5c5728f20e9545), IKE_PORT_500,
	  { HDR(75, 2, 0), .version = 1, .next = 1,
	    .opens = true } },
	{ "v1 main mode 1, NAT-T draft 02",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000038 0d 00 0008 00000001
	  00 00 0014 cd60464335df21f8 7cfdb2fc68b6a448), IKE_PORT_500,
	  { HDR(56, 2, 0), .version = 1, .next = 1,
	    .opens = true } },
	{ "v1 main mode 1, NAT-T draft 02 as spelt with a newline",
	  HEX(HEX_I HEX_0 01 10 02 00 00000000 00000038 0d 00 0008 00000001
	  00 00 0014 90cb80913ebb696e 086381b5ec427b1f), IKE_PORT_500,
	  { HDR(56, 2, 0), .version = 1, .next = 1,
	    .opens = true } },
	{ "v1 informational that begins like an answer",
	  HEX(HEX_I HEX_R 01 10 05 00 00000009 00000024 00000008 00000001),
	  IKE_PORT_500,
	  { HDR(36, 5, 9), .rspi = RSPI, .version = 1, .next = 1 } },
	{ "v1 informational in clear: a status is no error",
	  HEX(HEX_I HEX_R 0b 10 05 00 00000009 00000028
	  0000000c 00000001 01004000), IKE_PORT_500,
	  { HDR(40, 5, 9), .rspi = RSPI, .version = 1, .next = 11 } },
	{ "v1 delete, cut before and after its protocol",
	  HEX(HEX_I HEX_R 0c 10 05 00 00000009 0000002d
	  0c000008 00000001 00000009 00000001 03), IKE_PORT_500,
	  { HDR(45, 5, 9), .rspi = RSPI, .version = 1, .next = 12 } },
	{ "v2 delete, cut before its protocol",
	  HEX(HEX_I HEX_R 2a 20 25 08 00000002 00000020 00000004),
	  IKE_PORT_500,
	  { HDR(32, 37, 2), .rspi = RSPI, .version = 2, .next = 42, .initiator = true } },
	{ "v1 new group mode", HEX(HEX_I HEX_R
	  08 10 21 01 00000001 00000020 01020304), IKE_PORT_500,
	  { HDR(32, 33, 1), .rspi = RSPI, .version = 1, .next = 8,
	    .walk = IKE_WALK_ENCRYPTED, .encrypted = true } },
	{ "v1 first private exchange type", HEX(HEX_I HEX_R
	  00 10 f0 00 00000001 0000001c), IKE_PORT_500,
	  { HDR(28, 240, 1), .rspi = RSPI, .version = 1 } },
	{ "v1 new exchange of a private type", HEX(HEX_I HEX_R
	  00 10 f6 00 00000001 0000001c), IKE_PORT_500,
	  { HDR(28, 246, 1), .rspi = RSPI, .version = 1 } },

	{ "payload of length 3", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 00000003 00000000), IKE_PORT_500,
	  { HDR(36, 34, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "payload of length 0", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 21000000 00000000), IKE_PORT_500,
	  { HDR(36, 34, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "payload one byte longer than the message", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 00000009 00000000), IKE_PORT_500,
	  { HDR(36, 34, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "next payload that is not there", HEX(HEX_I HEX_0
	  21 20 22 08 00000000 00000024 29000008 00000000), IKE_PORT_500,
	  { HDR(36, 34, 0), .version = 2, .next = 33,
	    .walk = IKE_WALK_BAD, .initiator = true, .opens = true } },
	{ "notify too short for its type", HEX(HEX_I HEX_0
	  29 20 22 08 00000000 00000023 00000007 000040), IKE_PORT_500,
	  { HDR(35, 34, 0), .version = 2, .next = 41,
	    .initiator = true, .opens = true } },
	{ "v2 fragment 0", HEX(HEX_I HEX_R
	  35 20 23 20 00000001 00000024 00000008 00000001), IKE_PORT_500,
	  { HDR(36, 35, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_BAD, .response = true, .encrypted = true } },
	{ "v2 fragment 3 of 2", HEX(HEX_I HEX_R
	  35 20 23 20 00000001 00000024 00000008 00030002), IKE_PORT_500,
	  { HDR(36, 35, 1), .rspi = RSPI, .version = 2, .next = 53,
	    .walk = IKE_WALK_BAD, .response = true, .encrypted = true } },
	{ "v1 fragment 0", HEX(HEX_I HEX_R
	  84 10 02 00 00000000 00000024 00000008 00010000), IKE_PORT_500,
	  { HDR(36, 2, 0), .rspi = RSPI, .version = 1, .next = 132,
	    .walk = IKE_WALK_BAD } },
};

static void compare(const struct ike_msg *g, const struct ike_msg *w)
{
#define FIELD(f) tap_same(g->f, w->f, __LINE__, #f)
	FIELD(cls);
	FIELD(reason);
	FIELD(ispi);
	FIELD(rspi);
	FIELD(mid);
	FIELD(len);
	FIELD(frag_num);
	FIELD(frag_total);
	FIELD(error);
	FIELD(version);
	FIELD(exchange);
	FIELD(next);
	FIELD(walk);
	FIELD(deletes);
	FIELD(natt);
	FIELD(initiator);
	FIELD(response);
	FIELD(encrypted);
	FIELD(opens);
	FIELD(answers);
	FIELD(cookie);
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
	CHECK(m.walk == f->want.walk || m.walk == IKE_WALK_CUT);
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
		tap_same(covered[i], true, __LINE__, "reason covered");
	done("each malformed datagram has its reason");
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
		SAME(m.walk, n > IKE_MAX_PAYLOADS ? IKE_WALK_LIMIT :
						    IKE_WALK_DONE);
	}
	done("64 payloads are read, no more");
}

int main(void)
{
	test_fixtures();
	test_truncation();
	test_malformed();
	test_random_headers();
	test_walk_limit();
	return tap_end();
}
