/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The call IDs in use towards one server from one local address, shared by
 * the control connections of all clients. Pure: see pure.h. The embedder
 * holds one per (server, local address), 8.7 kB, under a lock of its own.
 *
 * A block is 256 call IDs with one high byte; why, see ctl_calls.c.
 */
#ifndef VPNPASS_PPTP_CTL_IDS_H
#define VPNPASS_PPTP_CTL_IDS_H

#include "../pure.h"

struct pptp_ids {
	u8 used[65536 / 8];
	u16 count[256];
	u32 total;
};

void pptp_ids_init(struct pptp_ids *ids);
u32 pptp_ids_room(const struct pptp_ids *ids, u8 block);
int pptp_ids_take(struct pptp_ids *ids, u16 want, int block);
void pptp_ids_put(struct pptp_ids *ids, u16 id);

#endif
