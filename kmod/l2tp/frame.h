/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ethernet frames in L2TPv3 data over IP: where they may begin. Pure code: any
 * context.
 */
#ifndef VPNPASS_L2TP_FRAME_H
#define VPNPASS_L2TP_FRAME_H

#include "pure.h"

/* The session ID, a cookie of 8 bytes and a sublayer of 4, an Ethernet header. */
#define L2TP_FRAME_WANTED	30

#define L2TP_FRAME_DST		0	/* offsets in a frame */
#define L2TP_FRAME_SRC		6

u32 l2tp_frame_next(const u8 *data, u32 cap, u32 after);
u64 l2tp_frame_address(const u8 *p);

#endif /* VPNPASS_L2TP_FRAME_H */
