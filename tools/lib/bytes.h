/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers in packets, which are in network byte order. */
#ifndef _VPNPASS_BYTES_H
#define _VPNPASS_BYTES_H

#include <stdint.h>
#include <string.h>

/* Appending in network byte order; each returns the end. */
static inline uint8_t *put8(uint8_t *to, uint8_t value)
{
	*to = value;
	return to + 1;
}

static inline uint8_t *put16(uint8_t *to, uint16_t value)
{
	return put8(put8(to, value >> 8), value);
}

static inline uint8_t *put32(uint8_t *to, uint32_t value)
{
	return put16(put16(to, value >> 16), value);
}

static inline uint8_t *put_bytes(uint8_t *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

/* Reading, likewise; the bytes need not be aligned. */
static inline uint16_t get16(const uint8_t *from)
{
	return from[0] << 8 | from[1];
}

static inline uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

#endif /* _VPNPASS_BYTES_H */
