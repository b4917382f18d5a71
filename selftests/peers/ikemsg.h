/* SPDX-License-Identifier: GPL-2.0 */
/* IKE messages of nothing but a header and one payload, for the programs here. */
#ifndef PEERS_IKEMSG_H
#define PEERS_IKEMSG_H

#include <stdint.h>
#include <string.h>

#define IKE_HDR		28
#define V2_SK		46
#define V2_SKF		53
#define V2_SA		33
#define V1_SA		1

/* In network order. */
static inline void put(uint8_t *to, uint64_t v, int bytes)
{
	while (bytes--) {
		to[bytes] = v;
		v >>= 8;
	}
}

static inline uint64_t get(const uint8_t *from, int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *from++;
	return v;
}

/* RFC 7296 3.1: a header and one payload that fills the rest */
static inline void ike_message(uint8_t *m, int version, int exchange, uint8_t flags,
			       uint64_t ispi, uint64_t rspi, uint32_t mid, uint32_t len)
{
	memset(m, 0x5a, len);
	put(m, ispi, 8);
	put(m + 8, rspi, 8);
	m[16] = version == 1 ? V1_SA : exchange == 34 ? V2_SA : V2_SK;
	m[17] = version << 4;
	m[18] = exchange;
	m[19] = flags;
	put(m + 20, mid, 4);
	put(m + 24, len, 4);
	if (len < IKE_HDR + 4) {
		m[16] = 0;
		return;
	}
	put(m + 28, 0, 2);
	put(m + 30, len - IKE_HDR, 2);
}

#endif /* PEERS_IKEMSG_H */
