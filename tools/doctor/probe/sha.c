// SPDX-License-Identifier: GPL-2.0
/*
 * SHA-1 (RFC 3174) and SHA-256 (RFC 6234), with which IKE hides addresses. These lines
 * spare every router a library.
 */
#include "probe.h"

#define BLOCK	64
#define WORDS_MAX	8

static uint32_t left(uint32_t value, int bits)
{
	return value << bits | value >> (32 - bits);
}

static uint32_t right(uint32_t value, int bits)
{
	return left(value, 32 - bits);
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (x & z) | (y & z);
}

/* RFC 3174 5: f(t;B,C,D) + K(t) */
static uint32_t mix(int t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return choose(b, c, d) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return majority(b, c, d) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block_1(uint32_t h[WORDS_MAX], const uint8_t *data)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], next;
	int t;

	for (t = 0; t < 80; t++) {
		w[t] = t < 16 ? get32(data + 4 * t) :
				left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
		next = left(a, 5) + mix(t, b, c, d) + e + w[t];
		e = d;
		d = c;
		c = left(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* RFC 6234 5.1 */
static const uint32_t keys[] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

/* RFC 6234 6.2: the words of the block, spread to 64 */
static void spread(uint32_t w[64], const uint8_t *data)
{
	uint32_t x, y;
	int t;

	for (t = 0; t < 16; t++)
		w[t] = get32(data + 4 * t);
	for (; t < 64; t++) {
		x = w[t - 15];
		y = w[t - 2];
		w[t] = (right(y, 17) ^ right(y, 19) ^ y >> 10) + w[t - 7] +
		       (right(x, 7) ^ right(x, 18) ^ x >> 3) + w[t - 16];
	}
}

static void take_block_256(uint32_t h[WORDS_MAX], const uint8_t *data)
{
	uint32_t w[64], s[WORDS_MAX], one, two;
	int t;

	spread(w, data);
	memcpy(s, h, sizeof(s));
	for (t = 0; t < 64; t++) {
		one = s[7] + (right(s[4], 6) ^ right(s[4], 11) ^ right(s[4], 25)) +
		      choose(s[4], s[5], s[6]) + keys[t] + w[t];
		two = (right(s[0], 2) ^ right(s[0], 13) ^ right(s[0], 22)) +
		      majority(s[0], s[1], s[2]);
		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += one;
		s[0] = one + two;
	}
	for (t = 0; t < WORDS_MAX; t++)
		h[t] += s[t];
}

/**
 * sha_digest - The digest of some bytes.
 * @digest: Filled in.
 * @size: Of it: SHA1_SIZE or SHA256_SIZE, which says by what.
 * @data: The bytes.
 * @length: How many.
 */
void sha_digest(uint8_t *digest, size_t size, const uint8_t *data, size_t length)
{
	static const uint32_t starts[][WORDS_MAX] = {
		{ 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 },
		{ 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
		  0x1f83d9ab, 0x5be0cd19 },
	};
	void (*take_block)(uint32_t h[WORDS_MAX], const uint8_t *data) =
		size == SHA1_SIZE ? take_block_1 : take_block_256;
	size_t rest = length % BLOCK, padded = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK, i;
	uint8_t last[2 * BLOCK] = {};
	uint32_t h[WORDS_MAX];

	memcpy(h, starts[size != SHA1_SIZE], sizeof(h));
	for (i = 0; i + BLOCK <= length; i += BLOCK)
		take_block(h, data + i);
	put8(put_bytes(last, data + i, rest), 0x80);
	put32(put32(last + padded - 8, (uint64_t)length >> 29), length << 3);
	for (i = 0; i < padded; i += BLOCK)
		take_block(h, last + i);
	for (i = 0; i < size / 4; i++)
		put32(digest + 4 * i, h[i]);
}
