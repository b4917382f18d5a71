// SPDX-License-Identifier: GPL-2.0
/*
 * L2TPv3 data do not say how long their cookie is (0, 4 or 8 bytes) or whether
 * a sublayer of 4 follows (RFC 3931 4.1, 4.6): each end was told. A frame is
 * recognised by its type where one can be.
 */
#include "frame.h"

#define HEADER	14	/* two addresses, a type */

/* Types that a LAN's traffic begins with. */
static bool is_type(u16 type)
{
	switch (type) {
	case 0x0800:	/* IPv4 */
	case 0x0806:	/* ARP */
	case 0x8100:	/* 802.1Q */
	case 0x86dd:	/* IPv6 */
	case 0x8847:	/* MPLS */
	case 0x8863:	/* PPPoE */
	case 0x8864:
	case 0x888e:	/* 802.1X */
	case 0x88a8:	/* 802.1ad */
	case 0x88cc:	/* LLDP */
		return true;
	}
	return false;
}

/**
 * l2tp_frame_next() - where a data message may have an Ethernet frame
 * @data: the message, from its session ID
 * @cap: bytes readable
 * @after: 0, or the last place found
 *
 * Return: offset of the frame, 0 when there is no further place.
 */
u32 l2tp_frame_next(const u8 *data, u32 cap, u32 after)
{
	u32 at;

	for (at = after + 4; at <= 16 && at + HEADER <= cap; at += 4)
		if (is_type(get_unaligned_be16(data + at + 12)) &&
		    l2tp_frame_address(data + at + L2TP_FRAME_SRC))
			return at;
	return 0;
}

/**
 * l2tp_frame_address() - an Ethernet address, as a number
 * @p: its 6 bytes
 *
 * Return: the address, 0 when it is a group's or none.
 */
u64 l2tp_frame_address(const u8 *p)
{
	if (p[0] & 1)
		return 0;
	return (u64)get_unaligned_be16(p) << 32 | get_unaligned_be32(p + 2);
}
