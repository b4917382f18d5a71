// SPDX-License-Identifier: GPL-2.0
/*
 * Call IDs that a server already knows from one local address. All numbers are in
 * host order.
 */
#include "ctl_ids.h"

static bool is_used(const struct pptp_ids *ids, u16 id)
{
	return ids->used[id / 8] & 1 << id % 8;
}

void pptp_ids_init(struct pptp_ids *ids)
{
	memset(ids, 0, sizeof(*ids));
}

/* Free call IDs in a block that pptp_ids_take() may choose. */
u32 pptp_ids_room(const struct pptp_ids *ids, u8 block)
{
	return 256 - ids->count[block];
}

/* Nobody is given call ID 0 who did not ask for it: some take it for none. */
static int first_free(const struct pptp_ids *ids, u8 block, u8 from)
{
	u32 i;
	u16 id;

	if (!pptp_ids_room(ids, block))
		return -ENOSPC;
	for (i = 0; i < 256; i++) {
		id = (u16)(block << 8 | ((from + i) & 0xff));
		if (id && !is_used(ids, id))
			return id;
	}
	return -ENOSPC;
}

static int find(const struct pptp_ids *ids, u16 want, int block)
{
	int id = -ENOSPC;
	u32 i;

	if (!is_used(ids, want) && (block < 0 || block == want >> 8))
		return want;
	if (block >= 0)
		return first_free(ids, (u8)block, (u8)want);
	for (i = 0; i < 256 && id < 0; i++)
		id = first_free(ids, (u8)((want >> 8) + i), (u8)want);
	return id;
}

/**
 * pptp_ids_take - take a call ID
 * @ids: where from
 * @want: this one if it can be had
 * @block: in this block only, or negative: anywhere, near @want first
 *
 * Return: the call ID, -ENOSPC if there is none.
 */
int pptp_ids_take(struct pptp_ids *ids, u16 want, int block)
{
	int id = find(ids, want, block);

	if (id < 0)
		return id;
	ids->used[id / 8] |= (u8)(1 << id % 8);
	ids->count[id >> 8]++;
	ids->total++;
	return id;
}

/* Give one back; one that is not in use is ignored. */
void pptp_ids_put(struct pptp_ids *ids, u16 id)
{
	if (!is_used(ids, id))
		return;
	ids->used[id / 8] &= (u8)~(1 << id % 8);
	ids->count[id >> 8]--;
	ids->total--;
}
