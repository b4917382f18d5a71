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
};

#define CTL_AT(_hdr, _len, _type)					\
	.cls = L2TP_CLASS_CONTROL, .len = _len, .hdr_len = _hdr,	\
	.seq = true, .type = _type
#define CTL(_len, _type)	CTL_AT(12, _len, _type)
#define V2	.version = 2, .bits = 0xc802
#define V3	.version = 3, .bits = 0xc803

static const struct fixture fixtures[] = {
	{ "v2 SCCRQ", HEX(c802 0042 0000 0000 0000 0000
	  8008 0000 0000 0001
	  8008 0000 0002 0100			/* protocol version */
	  8009 0000 0007 6c6163		/* host name */
	  800a 0000 0003 00000003		/* framing */
	  8008 0000 0009 1f2e			/* assigned tunnel ID */
	  000b 0000 0008 76 65 6e 64 72), L2TP_UDP,
	  { CTL(0x42, 1), V2, .avps = 6, .has = L2TP_HAS_TUNNEL,
	    .assigned_tunnel = 0x1f2e }, 20 },
	{ "v2 SCCRP", HEX(c802 001c 1f2e 0000 0000 0001 8008 0000 0000 0002
	  8008 0000 0009 0001), L2TP_UDP,
	  { CTL(0x1c, 2), V2, .tunnel = 0x1f2e, .nr = 1, .avps = 2,
	    .has = L2TP_HAS_TUNNEL, .assigned_tunnel = 1 }, 20 },
	{ "v2 SCCRP, tunnel ID hidden",
	  HEX(c802 002a 1f2e 0000 0000 0001 8008 0000 0000 0002
	  800a 0000 0024 01020304		/* random vector */
	  c00c 0000 0009 aabbccddeeff), L2TP_UDP,
	  { CTL(0x2a, 2), V2, .tunnel = 0x1f2e, .nr = 1, .avps = 3,
	    .hidden = L2TP_HAS_TUNNEL }, 20 },
	{ "v2 SCCCN", HEX(c802 0014 0001 0000 0001 0001 8008 0000 0000 0003), L2TP_UDP,
	  { CTL(0x14, 3), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 1 },
	  20 },
	{ "v2 HELLO with P and reserved bits",
	  HEX(fdf2 0014 0001 0000 fffe ffff 8008 0000 0000 0006), L2TP_UDP,
	  { CTL(0x14, 6), .version = 2, .bits = 0xfdf2, .tunnel = 1,
	    .ns = 0xfffe, .nr = 0xffff, .avps = 1 }, 20 },
	{ "v2 ICRQ", HEX(c802 0026 0001 0000 0002 0001 8008 0000 0000 000a
	  8008 0000 000e abcd 800a 0000 000f 00000001), L2TP_UDP,
	  { CTL(0x26, 10), V2, .tunnel = 1, .ns = 2, .nr = 1, .avps = 3,
	    .has = L2TP_HAS_SESSION, .assigned_session = 0xabcd }, 20 },
	{ "v2 CDN with a session of its own and a result",
	  HEX(c802 002a 0001 abcd 0005 0006 8008 0000 0000 000e
	  800e 0000 0001 0002 0007 62757379 8008 0000 000e 0000), L2TP_UDP,
	  { CTL(0x2a, 14), V2, .tunnel = 1, .session = 0xabcd, .ns = 5,
	    .nr = 6, .avps = 3, .has = L2TP_HAS_RESULT | L2TP_HAS_SESSION,
	    .result = 2, .error = 7 }, 20 },
	{ "v2 StopCCN", HEX(c802 0024 0001 0000 0007 0006 8008 0000 0000 0004
	  8008 0000 0009 1f2e 8008 0000 0001 0006), L2TP_UDP,
	  { CTL(0x24, 4), V2, .tunnel = 1, .ns = 7, .nr = 6, .avps = 3,
	    .has = L2TP_HAS_RESULT | L2TP_HAS_TUNNEL,
	    .assigned_tunnel = 0x1f2e, .result = 6 }, 20 },
	{ "v2 ZLB", "c802 000c 1f2e 0000 0001 0003", L2TP_UDP,
	  { CTL(12, 0), V2, .tunnel = 0x1f2e, .ns = 1, .nr = 3,
	    .zlb = true }, 12 },
	{ "v2 ZLB with bytes behind it", "c802 000c 1f2e 0000 0001 0003 0000",
	  L2TP_UDP,
	  { CTL(12, 0), V2, .tunnel = 0x1f2e, .ns = 1, .nr = 3,
	    .zlb = true, .trailing = true }, 12 },
	{ "v2 SCCRQ that offers v3 as well",
	  HEX(c802 0026 0000 0000 0000 0000 8008 0000 0000 0001
	  8008 0000 0009 0102 000a 0000 003d 01020304), L2TP_UDP,
	  { CTL(0x26, 1), V2, .avps = 3,
	    .has = L2TP_HAS_TUNNEL | L2TP_HAS_CCID, .assigned_tunnel = 0x102,
	    .assigned_ccid = 0x01020304 }, 20 },
	{ "v2 AVPs of a vendor, unknown, and with a reserved bit",
	  HEX(c802 002c 0001 0000 0001 0001 8008 0000 0000 0010
	  0008 0009 0009 0005 8008 0000 0066 0005 8408 0000 0009 0005),
	  L2TP_UDP,
	  { CTL(0x2c, 16), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 4,
	    .unknown_mandatory = true }, 20 },
	{ "v2 vendor AVP that nobody must know",
	  HEX(c802 001c 0001 0000 0001 0001 8008 0000 0000 0010
	  0008 0009 0009 0005), L2TP_UDP,
	  { CTL(0x1c, 16), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 2 },
	  20 },
	{ "v2 same ID twice", HEX(c802 0024 0001 0000 0001 0001 8008 0000 0000 0002
	  8008 0000 0009 0005 8008 0000 0009 0005), L2TP_UDP,
	  { CTL(0x24, 2), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 3,
	    .has = L2TP_HAS_TUNNEL, .assigned_tunnel = 5 }, 20 },

	{ "v2 result and error without a text, last AVP known",
	  HEX(c802 0026 0001 0000 0001 0001 8008 0000 0000 0004
	  800a 0000 0001 0002 0003 8008 0000 0065 0001), L2TP_UDP,
	  { CTL(0x26, 4), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 3,
	    .has = L2TP_HAS_RESULT, .result = 2, .error = 3 }, 20 },
	{ "v2 empty AVP at the end",
	  HEX(c802 001a 0001 0000 0001 0001 8008 0000 0000 0006
	  0006 0000 0008), L2TP_UDP,
	  { CTL(0x1a, 6), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 2 },
	  20 },
	{ "v2 two AVPs hidden",
	  HEX(c802 0024 0001 0000 0001 0001 8008 0000 0000 000e
	  c008 0000 0001 ffff c008 0000 000e ffff), L2TP_UDP,
	  { CTL(0x24, 14), V2, .tunnel = 1, .ns = 1, .nr = 1, .avps = 3,
	    .hidden = L2TP_HAS_RESULT | L2TP_HAS_SESSION }, 20 },

	{ "v2 data, plain", "0002 1f2e abcd ff03c021", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 2, .len = 10,
	    .hdr_len = 6, .tunnel = 0x1f2e, .session = 0xabcd }, 6 },
	{ "v2 data, nothing in it", "0002 1f2e abcd", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 2, .len = 6,
	    .hdr_len = 6, .tunnel = 0x1f2e, .session = 0xabcd }, 6 },
	{ "v2 data, length", "4002 000a 1f2e abcd ff03 0000", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 0x4002, .len = 10,
	    .hdr_len = 8, .tunnel = 0x1f2e, .session = 0xabcd,
	    .trailing = true }, 8 },
	{ "v2 data, sequence", "0802 1f2e abcd 0102 0304 ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 0x0802, .len = 12,
	    .hdr_len = 10, .tunnel = 0x1f2e, .session = 0xabcd,
	    .seq = true, .ns = 0x102, .nr = 0x304 }, 10 },
	{ "v2 data, offset", "0202 1f2e abcd 0003 aabbcc ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 0x0202, .len = 13,
	    .hdr_len = 11, .tunnel = 0x1f2e, .session = 0xabcd }, 8 },
	{ "v2 data, everything",
	  "4b02 0012 1f2e abcd 0102 0304 0002 aabb ff03", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 2, .bits = 0x4b02, .len = 18,
	    .hdr_len = 16, .tunnel = 0x1f2e, .session = 0xabcd,
	    .seq = true, .ns = 0x102, .nr = 0x304 }, 14 },

	{ "v3 SCCRQ over UDP", HEX(c803 001e 00000000 0000 0000 8008 0000 0000 0001
	  800a 0000 003d deadbeef), L2TP_UDP,
	  { CTL(0x1e, 1), V3, .avps = 2, .has = L2TP_HAS_CCID,
	    .assigned_ccid = 0xdeadbeef }, 20 },
	{ "v3 ICRQ over UDP", HEX(c803 0028 0a0b0c0d 0001 0002 8008 0000 0000 000a
	  800a 0000 003f 11223344 800a 0000 0040 00000000), L2TP_UDP,
	  { CTL(0x28, 10), V3, .ccid = 0x0a0b0c0d, .ns = 1, .nr = 2,
	    .avps = 3, .has = L2TP_HAS_LOCAL | L2TP_HAS_REMOTE,
	    .local_session = 0x11223344 }, 20 },
	{ "v3 ICRP over UDP, remote session hidden",
	  HEX(c803 002c 0a0b0c0d 0001 0002 8008 0000 0000 000b
	  800a 0000 003f 11223344 c00e 0000 0040 00000000 00000000),
	  L2TP_UDP,
	  { CTL(0x2c, 11), V3, .ccid = 0x0a0b0c0d, .ns = 1, .nr = 2,
	    .avps = 3, .has = L2TP_HAS_LOCAL, .hidden = L2TP_HAS_REMOTE,
	    .local_session = 0x11223344 }, 20 },
	{ "v3 explicit ACK over UDP",
	  HEX(c803 0014 0a0b0c0d 0001 0002 8008 0000 0000 0014), L2TP_UDP,
	  { CTL(0x14, 20), V3, .ccid = 0x0a0b0c0d, .ns = 1, .nr = 2,
	    .avps = 1 }, 20 },
	{ "v3 data over UDP", "0003 0000 11223344 00000000 45", L2TP_UDP,
	  { .cls = L2TP_CLASS_DATA, .version = 3, .bits = 3, .len = 13,
	    .hdr_len = 8, .session_v3 = 0x11223344 }, 8 },
	{ "v3 CDN over IP",
	  HEX(00000000 c803 0030 0a0b0c0d 0001 0002 8008 0000 0000 000e
	  8008 0000 0001 0003 800a 0000 003f 11223344
	  800a 0000 0040 55667788), L2TP_IP,
	  { CTL_AT(16, 0x30, 14), V3, .ccid = 0x0a0b0c0d, .ns = 1,
	    .nr = 2, .avps = 4,
	    .has = L2TP_HAS_RESULT | L2TP_HAS_LOCAL | L2TP_HAS_REMOTE,
	    .result = 3, .local_session = 0x11223344,
	    .remote_session = 0x55667788 }, 24 },
	{ "v3 ZLB over IP", "00000000 c803 000c 0a0b0c0d 0001 0002", L2TP_IP,
	  { CTL_AT(16, 12, 0), V3, .ccid = 0x0a0b0c0d, .ns = 1,
	    .nr = 2, .zlb = true }, 16 },
	{ "v3 data over IP", "11223344 0102030405060708 ff", L2TP_IP,
	  { .cls = L2TP_CLASS_DATA, .version = 3, .len = 13, .hdr_len = 4,
	    .session_v3 = 0x11223344 }, 4 },
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
	FIELD(len);
	FIELD(hdr_len);
	FIELD(bits);
	FIELD(tunnel);
	FIELD(session);
	FIELD(ns);
	FIELD(nr);
	FIELD(assigned_tunnel);
	FIELD(assigned_session);
	FIELD(result);
	FIELD(error);
	FIELD(type);
	FIELD(version);
	FIELD(walk);
	FIELD(avps);
	FIELD(has);
	FIELD(hidden);
	FIELD(seq);
	FIELD(zlb);
	FIELD(trailing);
	FIELD(unknown_mandatory);
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
	SAME(m.session, w->session);
	SAME(m.ccid, w->ccid);
	SAME(m.session_v3, w->session_v3);
	SAME(m.ns, w->ns);
	SAME(m.nr, w->nr);
	SAME(m.type, w->type);
	SAME(m.hdr_len, w->hdr_len);
	SAME(m.has & ~w->has, 0);
	SAME(m.hidden & ~w->hidden, 0);
	if (m.walk == L2TP_WALK_DONE)
		SAME(m.has, w->has);
	if (m.has & L2TP_HAS_TUNNEL)
		SAME(m.assigned_tunnel, w->assigned_tunnel);
	if (m.has & L2TP_HAS_LOCAL)
		SAME(m.local_session, w->local_session);
	if (m.has & L2TP_HAS_RESULT)
		SAME(m.error, w->error);
}

/* A control message that ends early is none, as its length says. */
static void cut_packet(const struct fixture *f, const u8 *buf, u32 len)
{
	bool cuts_length = f->want.bits & L2TP_F_LENGTH;
	struct l2tp_msg m;
	u32 end = f->want.len + (f->encap == L2TP_IP ? 4 : 0);

	parse(&m, buf, len, len, f->encap);
	if (len >= end || (!cuts_length && len >= f->want.hdr_len)) {
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
	/* IDs and results of other sizes */
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001e 0001 0000 0000 0000
	  8008 0000 0000 0002 800a 0000 0009 00000005) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001b 0001 0000 0000 0000
	  8008 0000 0000 000a 8007 0000 000e 05) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c803 001c 0001 0000 0000 0000
	  8008 0000 0000 0002 8008 0000 003d 0005) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c803 001a 0001 0000 0000 0000
	  8008 0000 0000 000b 8006 0000 0040) },
	{ L2TP_BAD_AVP_LEN, L2TP_UDP, HEX(c802 001d 0001 0000 0000 0000
	  8008 0000 0000 0004 8009 0000 0001 000600) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c802 001c 0001 0000 0000 0000
	  8008 0000 0000 0002 8008 0000 0009 0000) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c803 001e 0001 0000 0000 0000
	  8008 0000 0000 0001 800a 0000 003d 00000000) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c802 001c 0001 0000 0000 0000
	  8008 0000 0000 0008 8008 0000 000e 0000) },
	{ L2TP_BAD_AVP_VALUE, L2TP_UDP, HEX(c803 001e 0001 0000 0000 0000
	  8008 0000 0000 000b 800a 0000 003f 00000000) },
	{ L2TP_BAD_AVP_TWICE, L2TP_UDP,
	  HEX(c802 0024 0001 0000 0001 0001 8008 0000 0000 0004
	  8008 0000 0001 0005 8008 0000 0001 0006) },
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
		HEX(c802 001c 0001 0000 0000 0000 8008 0000 0000 000e
		8008 0000 000e 0000),
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

/* The text behind a result code need not be captured. */
static void test_long_result(void)
{
	static const char hex[] =
		HEX(c802 0022 0001 0000 0000 0000 8008 0000 0000 0004
		    800e 0000 0001 0002 0007 62757379);
	struct l2tp_msg m;
	u8 buf[64];
	u32 cap, len = unhex(hex, buf, sizeof(buf));

	for (cap = 20; cap <= len; cap++) {
		parse(&m, buf, cap, len, L2TP_UDP);
		SAME(m.has, cap < 30 ? 0 : L2TP_HAS_RESULT);
		SAME(m.result, cap < 30 ? 0 : 2);
		SAME(m.error, cap < 30 ? 0 : 7);
		SAME(m.walk, cap < len ? L2TP_WALK_CUT : L2TP_WALK_DONE);
	}
	done("a result is read without its text");
}

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static void test_avp_limit(void)
{
	u8 b[12 + 8 + 6 * 80] = { 0xc8, 0x02 };
	struct l2tp_msg m;
	u32 n, i, len;

	put16(b + 4, 1);
	put16(b + 12, 0x8008);
	put16(b + 18, 2);
	for (i = 0; i < 80; i++) {
		put16(b + 20 + 6 * i, 6);
		put16(b + 24 + 6 * i, 8);
	}
	for (n = 0; n <= 80; n++) {
		len = 20 + 6 * n;
		put16(b + 2, len);
		parse(&m, b, len, len, L2TP_UDP);
		SAME(m.cls, L2TP_CLASS_CONTROL);
		SAME(m.avps, n + 1 > L2TP_MAX_AVPS ? 64 : n + 1);
		SAME(m.walk, n + 1 > L2TP_MAX_AVPS ? L2TP_WALK_LIMIT :
						     L2TP_WALK_DONE);
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
static u32 write_data(u8 *p, const struct l2tp_msg *m, u32 offset, u32 body)
{
	u32 n = 2;
	u32 at_len = 0;

	put16(p, m->bits);
	if (m->bits & L2TP_F_LENGTH) {
		at_len = n;
		n += 2;
	}
	put16(p + n, m->tunnel);
	put16(p + n + 2, m->session);
	n += 4;
	if (m->bits & L2TP_F_SEQUENCE) {
		put16(p + n, m->ns);
		put16(p + n + 2, m->nr);
		n += 4;
	}
	if (m->bits & L2TP_F_OFFSET) {
		put16(p + n, offset);
		n += 2 + offset;
	}
	if (at_len)
		put16(p + at_len, n + body);
	return n;
}

static void test_random_data(void)
{
	struct l2tp_msg m, w;
	u32 offset, body;
	u8 b[64] = { 0 };
	int n;

	for (n = 0; n < 20000; n++) {
		memset(&w, 0, sizeof(w));
		offset = rnd() % 20;
		body = rnd() % 20;
		w.cls = L2TP_CLASS_DATA;
		w.version = 2;
		w.bits = (rnd() & (L2TP_F_LENGTH | L2TP_F_SEQUENCE |
				   L2TP_F_OFFSET | L2TP_F_PRIORITY)) | 2;
		w.tunnel = rnd() | 1;
		w.session = rnd() | 1;
		w.seq = w.bits & L2TP_F_SEQUENCE;
		w.ns = w.seq ? rnd() : 0;
		w.nr = w.seq ? rnd() : 0;
		w.hdr_len = write_data(b, &w, offset, body);
		w.len = w.hdr_len + body;
		parse(&m, b, w.len, w.len, L2TP_UDP);
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
	test_long_result();
	test_avp_limit();
	test_random_data();
	return tap_end();
}
