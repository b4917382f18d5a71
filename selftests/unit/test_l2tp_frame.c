// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/l2tp/frame.c: where an Ethernet frame is found in L2TPv3
 * data, at every truncation, and what is none.
 */
#include <stdlib.h>

#include "l2tp/frame.h"

#include "tap.h"

/* From memory of exactly @cap bytes, so that a read beyond is caught. */
static u32 next(const u8 *p, u32 cap, u32 after)
{
	u8 *mem = malloc(cap ? cap : 1);
	u32 at;

	memcpy(mem, p, cap);
	at = l2tp_frame_next(mem, cap, after);
	free(mem);
	return at;
}

static void frame(u8 *p, u32 at, u16 type)
{
	static const u8 addresses[12] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
	};

	memset(p, 0, 64);
	memset(p, 0x77, at);
	memcpy(p + at, addresses, 12);
	p[at + 12] = type >> 8;
	p[at + 13] = (u8)type;
}

static void test_places(void)
{
	u32 at, cap;
	u8 p[64];

	for (at = 4; at <= 16; at += 4) {
		frame(p, at, 0x0800);
		SAME(next(p, L2TP_FRAME_WANTED, 0), at);
		SAME(next(p, L2TP_FRAME_WANTED, at), 0);
		for (cap = 0; cap < L2TP_FRAME_WANTED; cap++)
			SAME(next(p, cap, 0), cap >= at + 14 ? at : 0);
		SAME(l2tp_frame_address(p + at + L2TP_FRAME_SRC), 0x525400123456);
		SAME(l2tp_frame_address(p + at + L2TP_FRAME_DST), 0);
	}
	done("with any cookie and sublayer, and at every truncation");
	frame(p, 20, 0x0800);
	SAME(next(p, 64, 0), 0);
	frame(p, 6, 0x0800);
	SAME(next(p, 64, 0), 0);
	done("not where none can be");
}

static void test_two(void)
{
	u8 p[64];

	/* 08:00 in an address looks like a type */
	frame(p, 8, 0x0800);
	memcpy(p + 8, "\x02\x00\x02\x00\x00\x01", 6);
	memcpy(p + 14, "\x52\x54\x08\x00\x12\x34", 6);
	SAME(next(p, 30, 0), 4);
	SAME(next(p, 30, 4), 8);
	SAME(next(p, 30, 8), 0);
	done("two places are both found");
}

static void test_none(void)
{
	/* PPP with an IPv4 packet in it: RFC 1661, RFC 791 */
	static const u8 ppp[32] = {
		0, 0, 0, 0x61, 0xff, 0x03, 0x00, 0x21, 0x45, 0x00, 0x00, 0x54, 0x12, 0x34,
		0x40, 0x00, 0x40, 0x01, 0xaa, 0xbb, 10, 98, 1, 2, 10, 98, 1, 1, 8, 0,
	};
	u8 p[64];
	u32 type;

	SAME(next(ppp, 30, 0), 0);
	done("PPP is none");
	for (type = 0; type < 0x600; type++) {
		frame(p, 8, (u16)type);
		SAME(next(p, 30, 0), 0);
	}
	frame(p, 8, 0x88cd);
	SAME(next(p, 30, 0), 0);
	done("nor is a length or an unheard-of type");
	frame(p, 8, 0x0800);
	p[14] |= 1;
	SAME(next(p, 30, 0), 0);
	memset(p + 14, 0, 6);
	SAME(next(p, 30, 0), 0);
	done("nor what a group or nobody has sent");
}

int main(void)
{
	test_places();
	test_two();
	test_none();
	return tap_end();
}
