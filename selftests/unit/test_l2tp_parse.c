// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/l2tp/parse.c: packets laid out by hand, byte by byte;
 * every truncation of each; AVPs good and bad.
 */
#include <stdlib.h>

#include "l2tp/parse.h"

#include "hex.h"
#include "tap.h"

/* Parse from memory of exactly @cap bytes, so that a read beyond is caught. */
static enum l2tp_class parse(struct l2tp_msg *m, const u8 *p, u32 cap,
			     u32 len, enum l2tp_encap encap)
{
	enum l2tp_class cls;
	u8 *mem = malloc(cap ? cap : 1);

	if (cap)
		memcpy(mem, p, cap);
	memset(m, 0xa5, sizeof(*m));
	cls = l2tp_parse(m, cap ? mem : mem + 1, cap, len, encap);
	free(mem);
	CHECK(cls == m->cls);
	return cls;
}

struct fixture {
	const char *name;
	const char *hex;
	enum l2tp_encap encap;
	struct l2tp_msg want;
	u32 need;	/* bytes without which nothing can be said */
	u32 hdr;	/* bytes before the AVPs or the payload */
	u32 len;	/* bytes of the message; over IP without the 4 zero ones */
};

#define CTL(_type)	.cls = L2TP_CLASS_CONTROL, .type = _type
#define V2	.version = 2
#define V3	.version = 3

static const struct fixture fixtures[] = {
	{ "v2 SCCRQ", HEX(c802 0042 0000 0000 0000 0000
	  8008 0000 0000 0001
	  8008 0000 0002 0100			/* protocol version */
	  8009 0000 0007 6c6163		/* host name */
	  800a 0000 0003 00000003		/* framing */
	  8008 0000 0009 1f2e			/* assigned tunnel ID */
	  000b 0000 0008 76 65 6e 64 72), L2TP_UDP,
	  { CTL(1), V2, .has = L2TP_HAS_TUNNEL,
	    .assigned_tunnel = 0x1f2e }, 20, 12, 0x42 },
	{ "v2 SCCRP", HEX(c802 001c 1f2e 0000 0000 0001 8008 0000 0000 0002
	  8008 0000 0009 0001), L2TP_UDP,
	  { CTL(2), V2, .tunnel = 0x1f2e,
	    .has = L2TP_HAS_TUNNEL, .assigned_tunnel = 1 }, 20, 12, 0x1c },
	{ "v2 SCCRP, tunnel ID hidden",
	  HEX(c802 002a 1f2e 0000 0000 0001 8008 0000 0000 0002
	  800a 0000 0024 01020304		/* random vector */
	  c00c 0000 0009 aabbccddeeff), L2TP_UDP,
	  { CTL(2), V2, .tunnel = 0x1f2e,
	    .hidden = L2TP_HAS_TUNNEL }, 20, 12, 0x2a },
	{ "v2 SCCCN", HEX(c802 0014 0001 0000 0001 0001 8008 0000 0000 0003), L2TP_UDP,
	  { CTL(3), V2, .tunnel = 1 }, 20, 12, 0x14 },
	{ "v2 HELLO with P and reserved bits",
	  HEX(fdf2 0014 0001 0000 fffe ffff 8008 0000 0000 0006), L2TP_UDP,
	  { CTL(6), .version = 2, .tunnel = 1 }, 20, 12, 0x14 },
	{ "v2 ICRQ", HEX(c802 0026 0001 0000 0002 0001 8008 0000 0000 000a
	  8008 0000 000e abcd 800a 0000 000f 00000001), L2TP_UDP,
	  { CTL(10), V2, .tunnel = 1 }, 20, 12, 0x26 },
	{ "v2 CDN with a session of its own and a result",
	  HEX(c802 002a 0001 abcd 0005 0006 8008 0000 0000 000e
	  800e 0000 0001 0002 0007 62757379 8008 0000 000e 0000), L2TP_UDP,
	  { CTL(14), V2, .tunnel = 1 }, 20, 12, 0x2a },
	{ "v2 StopCCN", HEX(c802 0024 0001 0000 0007 0006 8008 0000 0000 0004
	  8008 0000 0009 1f2e 8008 0000 0001 0006), L2TP_UDP,
	  { CTL(4), V2, .tunnel = 1,
	    .has = L2TP_HAS_TUNNEL,
	    .assigned_tunnel = 0x1f2e }, 20, 12, 0x24 },
	{ "v2 ZLB", "c802 000c 1f2e 0000 0001 0003", L2TP_UDP,
	  { CTL(0), V2, .tunnel = 0x1f2e }, 12, 12, 12 },
	{ "v2 ZLB with bytes behind it", "c802 000c 1f2e 0000 0001 0003 0000",
	  L2TP_UDP,
	  { CTL(0), V2, .tunnel = 0x1f2e }, 12, 12, 12 },
	{ "v2 SCCRQ that offers v3 as well",
	  HEX(c802 0026 0000 0000 0000 0000 8008 0000 0000 0001
	  8008 0000 0009 0102 000a 0000 003d 01020304), L2TP_UDP,
	  { CTL(1), V2,
	    .has = L2TP_HAS_TUNNEL | L2TP_HAS_CCID, .assigned_tunnel = 0x102,
	    .assigned_ccid = 0x01020304 }, 20, 12, 0x26 },
	{ "v2 AVPs of a vendor, unknown, and with a reserved bit",
	  HEX(c802 002c 0001 0000 0001 0001 8008 0000 0000 0010
	  0008 0009 0009 0005 8008 0000 0066 0005 8408 0000 0009 0005),
	  L2TP_UDP,
	  { CTL(16), V2, .tunnel = 1 }, 20, 12, 0x2c },
	{ "v2 vendor AVP that nobody must know",
	  HEX(c802 001c 0001 0000 0001 0001 8008 0000 0000 0010
	  0008 0009 0009 0005), L2TP_UDP,
	  { CTL(16), V2, .tunnel = 1 }, 20, 12, 0x1c },
	{ "v2 same ID twice", HEX(c802 0024 0001 0000 0001 0001 8008 0000 0000 0002
	  8008 0000 0009 0005 8008 0000 0009 0005), L2TP_UDP,
	  { CTL(2), V2, .tunnel = 1,
	    .has = L2TP_HAS_TUNNEL, .assigned_tunnel = 5 }, 20, 12, 0x24 },
	{ "v2 result and error without a text, last AVP known",
	  HEX(c802 0026 0001 0000 0001 0001 8008 0000 0000 0004
	  800a 0000 0001 0002 0003 8008 0000 0065 0001), L2TP_UDP,
	  { CTL(4), V2, .tunnel = 1 }, 20, 12, 0x26 },
	{ "v2 empty AVP at the end",
	  HEX(c802 001a 0001 0000 0001 0001 8008 0000 0000 0006
	  0006 0000 0008), L2TP_UDP,
	  { CTL(6), V2, .tunnel = 1 }, 20, 12, 0x1a },
	{ "v2 two AVPs hidden, neither of which is read",
	  HEX(c802 0024 0001 0000 0001 0001 8008 0000 0000 000e
	  c008 0000 0001 ffff c008 0000 000e ffff), L2TP_UDP,
	  { CTL(14), V2, .tunnel = 1 }, 20, 12, 0x24 },
	{ "v2 data, plain", "0002 1f2e abcd ff03c021", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 6, 6, 10 },
	{ "v2 data, nothing in it", "0002 1f2e abcd", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 6, 6, 6 },
	{ "v2 data, length", "4002 000a 1f2e abcd ff03 0000", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 8, 8, 10 },
	{ "v2 data, sequence", "0802 1f2e abcd 0102 0304 ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 10, 10, 12 },
	{ "v2 data, offset", "0202 1f2e abcd 0003 aabbcc ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 8, 11, 13 },
	{ "v2 data, everything",
	  "4b02 0012 1f2e abcd 0102 0304 0002 aabb ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .tunnel = 0x1f2e }, 14, 16, 18 },
	{ "v3 SCCRQ over UDP", HEX(c803 001e 00000000 0000 0000 8008 0000 0000 0001
	  800a 0000 003d deadbeef), L2TP_UDP,
	  { CTL(1), V3, .has = L2TP_HAS_CCID,
	    .assigned_ccid = 0xdeadbeef }, 20, 12, 0x1e },
	{ "v3 ICRQ over UDP", HEX(c803 0028 0a0b0c0d 0001 0002 8008 0000 0000 000a
	  800a 0000 003f 11223344 800a 0000 0040 00000000), L2TP_UDP,
	  { CTL(10), V3, .ccid = 0x0a0b0c0d, .has = L2TP_HAS_LOCAL | L2TP_HAS_REMOTE,
	    .local_session = 0x11223344 }, 20, 12, 0x28 },
	{ "v3 ICRP over UDP, remote session hidden",
	  HEX(c803 002c 0a0b0c0d 0001 0002 8008 0000 0000 000b
	  800a 0000 003f 11223344 c00e 0000 0040 00000000 00000000),
	  L2TP_UDP,
	  { CTL(11), V3, .ccid = 0x0a0b0c0d, .has = L2TP_HAS_LOCAL, .hidden = L2TP_HAS_REMOTE,
	    .local_session = 0x11223344 }, 20, 12, 0x2c },
	{ "v3 explicit ACK over UDP",
	  HEX(c803 0014 0a0b0c0d 0001 0002 8008 0000 0000 0014), L2TP_UDP,
	  { CTL(20), V3, .ccid = 0x0a0b0c0d }, 20, 12, 0x14 },
	{ "v3 data over UDP", "0003 0000 11223344 00000000 45", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 3, .session_v3 = 0x11223344 }, 8, 8, 13 },
	{ "v3 CDN over IP",
	  HEX(00000000 c803 0030 0a0b0c0d 0001 0002 8008 0000 0000 000e
	  8008 0000 0001 0003 800a 0000 003f 11223344
	  800a 0000 0040 55667788), L2TP_IP,
	  { CTL(14), V3, .ccid = 0x0a0b0c0d,
	    .has = L2TP_HAS_LOCAL | L2TP_HAS_REMOTE, .local_session = 0x11223344,
	    .remote_session = 0x55667788 }, 24, 16, 0x30 },
	{ "v3 ZLB over IP", "00000000 c803 000c 0a0b0c0d 0001 0002", L2TP_IP,
	  { CTL(0), V3, .ccid = 0x0a0b0c0d }, 16, 16, 12 },
	{ "v3 data over IP", "11223344 0102030405060708 ff", L2TP_IP,
	  { .cls = L2TP_CLASS_DATA, .version = 3,
	    .session_v3 = 0x11223344 }, 4, 4, 13 },
};

static void compare(const struct l2tp_msg *g, const struct l2tp_msg *w)
{
#define FIELD(f) tap_same(g->f, w->f, __LINE__, #f)
	FIELD(cls);
	FIELD(reason);
	FIELD(ccid);
	FIELD(session_v3);
	FIELD(assigned_ccid);
	FIELD(local_session);
	FIELD(remote_session);
	FIELD(tunnel);
	FIELD(assigned_tunnel);
	FIELD(type);
	FIELD(version);
	FIELD(has);
	FIELD(hidden);
#undef FIELD
}

static void test_fixtures(void)
{
	struct l2tp_msg m;
	u8 buf[256];
	size_t i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(fixtures); i++) {
		len = unhex(fixtures[i].hex, buf, sizeof(buf));
		parse(&m, buf, len, len, fixtures[i].encap);
		compare(&m, &fixtures[i].want);
		done(fixtures[i].name);
	}
}

/* A shorter capture of the same packet may tell less, never other things. */
static void cut_capture(const struct fixture *f, const u8 *buf, u32 cap,
			u32 len)
{
	const struct l2tp_msg *w = &f->want;
	struct l2tp_msg m;

	parse(&m, buf, cap, len, f->encap);
	if (cap < f->need) {
		SAME(m.cls, L2TP_CLASS_BAD);
		SAME(m.reason, L2TP_BAD_CAPTURE);
		return;
	}
	SAME(m.cls, w->cls);
	SAME(m.tunnel, w->tunnel);
	SAME(m.ccid, w->ccid);
	SAME(m.session_v3, w->session_v3);
	SAME(m.type, w->type);
	SAME(m.has & ~w->has, 0);
	SAME(m.hidden & ~w->hidden, 0);
	if (cap == len)
		SAME(m.has, w->has);
	if (m.has & L2TP_HAS_TUNNEL)
		SAME(m.assigned_tunnel, w->assigned_tunnel);
	if (m.has & L2TP_HAS_LOCAL)
		SAME(m.local_session, w->local_session);
}

/* A control message that ends early is none, as its length says. */
static void cut_packet(const struct fixture *f, const u8 *buf, u32 len)
{
	bool is_control = f->want.cls == L2TP_CLASS_CONTROL;
	u32 end = f->len + (f->encap == L2TP_IP && is_control ? 4 : 0);
	bool has_length = is_control || (f->want.version == 2 && buf[0] & 0x40);
	struct l2tp_msg m;

	parse(&m, buf, len, len, f->encap);
	if (len >= end || (!has_length && len >= f->hdr)) {
		SAME(m.cls, f->want.cls);
		return;
	}
	SAME(m.cls, L2TP_CLASS_BAD);
	if (!len)
		SAME(m.reason, L2TP_BAD_EMPTY);
	else
		CHECK(m.reason == L2TP_BAD_SHORT ||
		      m.reason == L2TP_BAD_LENGTH ||
		      m.reason == L2TP_BAD_OFFSET);
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
			cut_packet(&fixtures[i], buf, n);
	}
	done("every truncation of every packet");
}

static const struct {
	enum l2tp_reason reason;
	enum l2tp_encap encap;
	const char *hex;
} malformed[] = {
	{ L2TP_BAD_EMPTY, L2TP_UDP, "" },
	{ L2TP_BAD_EMPTY, L2TP_IP, "" },
	{ L2TP_BAD_SHORT, L2TP_UDP, "c8" },
	{ L2TP_BAD_SHORT, L2TP_UDP, "c802 000c 0000 0000 0000" },
	{ L2TP_BAD_SHORT, L2TP_UDP, "0002 0001 00" },
	{ L2TP_BAD_SHORT, L2TP_UDP, "0003 0000 112233" },
	{ L2TP_BAD_SHORT, L2TP_IP, "000000" },
	{ L2TP_BAD_SHORT, L2TP_IP, "00000000 c8" },
	{ L2TP_BAD_L2F, L2TP_UDP, "c801 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_VERSION, L2TP_UDP, "c804 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_VERSION, L2TP_UDP, "0000" },
	{ L2TP_BAD_VERSION, L2TP_IP,
	  "00000000 c802 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_FLAGS, L2TP_UDP, "8802 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_FLAGS, L2TP_UDP, "c002 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_FLAGS, L2TP_UDP, "ca02 000c 0000 0000 0000 0000" },
	{ L2TP_BAD_FLAGS, L2TP_IP,
	  "00000000 4803 000c 00000000 0000 0000" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "c802 000b 0000 0000 0000 0000" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "c802 000d 0000 0000 0000 0000" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "c802 0000 0000 0000 0000 0000" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "c802 ffff 0000 0000 0000 0000" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "4002 0009 0001 0001" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "4002 0007 0001 0001" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "4002 0003 0001 0001" },
	{ L2TP_BAD_LENGTH, L2TP_UDP, "4802 0008 0001 0001 0001 0001" },
	{ L2TP_BAD_LENGTH, L2TP_IP,
	  "00000000 c803 0010 00000000 0000 0000" },
	{ L2TP_BAD_OFFSET, L2TP_UDP, "0202 0001 0001 0003 0000" },
	{ L2TP_BAD_OFFSET, L2TP_UDP, "0202 0001 0001 ffff 0000" },
	{ L2TP_BAD_OFFSET, L2TP_UDP, "4202 000a 0001 0001 0001 ff" },
	{ L2TP_BAD_TUNNEL, L2TP_UDP, "0002 0000 0001 ff03" },
	{ L2TP_BAD_SESSION, L2TP_UDP, "0002 0001 0000 ff03" },
	{ L2TP_BAD_SESSION, L2TP_UDP, "0003 0000 00000000 ff03" },
	/* no room for a type; hidden; of a vendor; another AVP; reserved */
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0013 0001 0000 0000 0000 8008 0000 0000 00" },
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0014 0001 0000 0000 0000 c008 0000 0000 0001" },
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0014 0001 0000 0000 0000 8008 0001 0000 0001" },
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0014 0001 0000 0000 0000 8008 0000 0009 0001" },
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0014 0001 0000 0000 0000 8408 0000 0000 0001" },
	{ L2TP_BAD_FIRST_AVP, L2TP_UDP,
	  "c802 0014 0001 0000 0000 0000 8007 0000 0000 0001" },
	/* lengths 5, 0, one too long, no room for the header */
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001a 0001 0000 0000 0000
	  8008 0000 0000 0002 8005 0000 0007) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001a 0001 0000 0000 0000
	  8008 0000 0000 0002 0000 0000 0007) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001a 0001 0000 0000 0000
	  8008 0000 0000 0002 8007 0000 0007) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 0019 0001 0000 0000 0000
	  8008 0000 0000 0002 8006 0000 00) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 0018 0001 0000 0000 0000
	  8008 0000 0000 0002 83ff 0000) },
	/* an AVP that reaches behind the message, into the packet's rest */
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001a 0001 0000 0000 0000
	  8008 0000 0000 0002 8008 0000 0009 0005) },
	/* IDs of other sizes */
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001e 0001 0000 0000 0000
	  8008 0000 0000 0002 800a 0000 0009 00000005) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c803 001c 0001 0000 0000 0000
	  8008 0000 0000 0002 8008 0000 003d 0005) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c803 001a 0001 0000 0000 0000
	  8008 0000 0000 000b 8006 0000 0040) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c802 001c 0001 0000 0000 0000
	  8008 0000 0000 0002 8008 0000 0009 0000) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c803 001e 0001 0000 0000 0000
	  8008 0000 0000 0001 800a 0000 003d 00000000) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c803 001e 0001 0000 0000 0000
	  8008 0000 0000 000b 800a 0000 003f 00000000) },
	{ L2TP_BAD_AVP_TWICE, L2TP_UDP, HEX(c802 0024 0001 0000 0001 0001
	  8008 0000 0000 0002 8008 0000 0009 0005 8008 0000 0009 0006) },
	{ L2TP_BAD_AVP_TWICE, L2TP_UDP, HEX(c803 0028 0001 0000 0001 0001
	  8008 0000 0000 000b 800a 0000 0040 00000000 800a 0000 0040 00010000) },
};

static void test_malformed(void)
{
	bool covered[L2TP_BAD_MAX] = { false };
	struct l2tp_msg m;
	u8 buf[64];
	size_t i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		len = unhex(malformed[i].hex, buf, sizeof(buf));
		parse(&m, buf, len, len, malformed[i].encap);
		tap_same(m.cls, L2TP_CLASS_BAD, (int)i, malformed[i].hex);
		tap_same(m.reason, malformed[i].reason, (int)i, malformed[i].hex);
		covered[malformed[i].reason] = true;
	}
	covered[L2TP_OK] = true;
	covered[L2TP_BAD_CAPTURE] = true;	/* test_truncation() */
	for (i = 0; i < L2TP_BAD_MAX; i++)
		tap_same(covered[i], true, __LINE__, "reason covered");
	done("each malformed packet has its reason");
}

/* Zero is fine where it says that there is no ID yet. */
static void test_zero_ids(void)
{
	static const char * const hex[] = {
		HEX(c802 001c 0001 0000 0000 0000 8008 0000 0000 0004
		8008 0000 0009 0000),
		HEX(c803 001e 0001 0000 0000 0000 8008 0000 0000 000e
		800a 0000 003f 00000000),
		HEX(c803 001e 0001 0000 0000 0000 8008 0000 0000 000a
		800a 0000 0040 00000000),
	};
	struct l2tp_msg m;
	u8 buf[64];
	size_t i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(hex); i++) {
		len = unhex(hex[i], buf, sizeof(buf));
		parse(&m, buf, len, len, L2TP_UDP);
		SAME(m.cls, L2TP_CLASS_CONTROL);
		CHECK(m.has);
	}
	done("ID 0 where none is due");
}

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

/* A tunnel ID behind @n AVPs that say nothing, and the message type before them. */
static void test_avp_limit(void)
{
	u8 b[12 + 8 + 6 * 80 + 8] = { 0xc8, 0x02 };
	struct l2tp_msg m;
	u32 n, len;

	put16(b + 4, 1);
	put16(b + 12, 0x8008);
	put16(b + 18, 2);
	for (n = 0; n <= 80; n++) {
		len = 20 + 6 * n;
		put16(b + len, 0x8008);
		put16(b + len + 4, 9);
		put16(b + len + 6, 5);
		put16(b + 2, len + 8);
		parse(&m, b, len + 8, len + 8, L2TP_UDP);
		SAME(m.cls, L2TP_CLASS_CONTROL);
		SAME(m.has, n + 2 > L2TP_MAX_AVPS ? 0 : L2TP_HAS_TUNNEL);
		put16(b + len, 6);
		put16(b + len + 4, 8);
		put16(b + len + 6, 0);
	}
	done("64 AVPs are read, no more");
}

static u32 rnd(void)
{
	static u64 x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (u32)(x >> 16);
}

/* Write a v2 data header as RFC 2661 section 3.1 has it. */
static u32 write_data(u8 *p, u16 bits, u16 tunnel, u32 offset, u32 body)
{
	u32 n = bits & L2TP_F_LENGTH ? 4 : 2;

	put16(p, bits);
	put16(p + n, tunnel);
	put16(p + n + 2, rnd() | 1);
	n += 4;
	if (bits & L2TP_F_SEQUENCE) {
		put16(p + n, rnd());
		put16(p + n + 2, rnd());
		n += 4;
	}
	if (bits & L2TP_F_OFFSET) {
		put16(p + n, offset);
		n += 2 + offset;
	}
	if (bits & L2TP_F_LENGTH)
		put16(p + 2, n + body);
	return n + body;
}

static void test_random_data(void)
{
	struct l2tp_msg m, w = { .cls = L2TP_CLASS_DATA, .version = 2 };
	u8 b[64] = { 0 };
	u32 len;
	u16 bits;
	int n;

	for (n = 0; n < 20000; n++) {
		bits = (rnd() & (L2TP_F_LENGTH | L2TP_F_SEQUENCE |
				 L2TP_F_OFFSET | L2TP_F_PRIORITY)) | 2;
		w.tunnel = rnd() | 1;
		len = write_data(b, bits, w.tunnel, rnd() % 20, rnd() % 20);
		parse(&m, b, len, len, L2TP_UDP);
		compare(&m, &w);
	}
	done("20,000 data headers written and read back");
}

int main(void)
{
	test_fixtures();
	test_truncation();
	test_malformed();
	test_zero_ids();
	test_avp_limit();
	test_random_data();
	return tap_end();
}
