// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-1 (RFC 3174), with which IKE hides addresses. These lines spare every router a
 * library; SHA-1 is fit for no other use.
 */
#include "probe.h"

#define BLOCK	64

static uint32_t rotate(uint32_t value, int bits)
{
	return value << bits | value >> (32 - bits);
}

/* RFC 3174 5: f(t;B,C,D) + K(t) */
static uint32_t mix(int t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(uint32_t h[5], const uint8_t *data)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], next;
	int t;

	for (t = 0; t < 80; t++) {
		w[t] = t < 16 ? get32(data + 4 * t) :
				rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
		next = rotate(a, 5) + mix(t, b, c, d) + e + w[t];
		e = d;
		d = c;
		c = rotate(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/**
 * sha1_digest - The digest of some bytes.
 * @digest: Filled in.
 * @data: The bytes.
 * @length: How many.
 */
void sha1_digest(uint8_t digest[SHA1_SIZE], const uint8_t *data, size_t length)
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	size_t left = length % BLOCK, padded = left < BLOCK - 8 ? BLOCK : 2 * BLOCK, i;
	uint8_t last[2 * BLOCK] = {};

	for (i = 0; i + BLOCK <= length; i += BLOCK)
		take_block(h, data + i);
	put8(put_bytes(last, data + i, left), 0x80);
	put32(put32(last + padded - 8, (uint64_t)length >> 29), length << 3);
	for (i = 0; i < padded; i += BLOCK)
		take_block(h, last + i);
	for (i = 0; i < 5; i++)
		put32(digest + 4 * i, h[i]);
}
