// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for IKE on 500 and 4500: IKE_SA_INIT (RFC 7296 1.2), and main mode's
 * first message (RFC 2409 5) for gateways that know nothing else. Any answer
 * counts, a refusal too: the packets went there and back.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"
#include "../../lib/util.h"

#define HEADER_SIZE	28
#define COOKIE_SIZE	8
#define KEY_SIZE	256	/* length of group 14 (RFC 3526 3) */
#define NONCE_SIZE	32

/* RFC 7296 3.1, 3.2; RFC 2408 3.1 */
#define EXCHANGE_SA_INIT	34
#define EXCHANGE_MAIN		2
#define FLAG_INITIATOR		0x08
#define FLAG_RESPONSE		0x20
#define PAYLOAD_SA		33
#define PAYLOAD_KE		34
#define PAYLOAD_NONCE		40
#define PAYLOAD_NOTIFY		41
#define PAYLOAD1_SA		1
#define PAYLOAD1_NOTIFY		11

/* The length at an offset, once it is known. */
static void put_length(uint8_t *at, const uint8_t *start, const uint8_t *end)
{
	put16(at, end - start);
}

static uint8_t *put_header(uint8_t *p, const uint8_t *cookie, uint8_t payload,
			   uint8_t version, uint8_t exchange, uint8_t flags)
{
	p = put_bytes(p, cookie, COOKIE_SIZE);
	p = put32(put32(p, 0), 0);
	p = put8(put8(p, payload), version);
	p = put8(put8(p, exchange), flags);
	return put32(put32(p, 0), 0);
}

/* RFC 7296 3.3.2; key length as an attribute of its own kind, 0 for none. */
static uint8_t *put_transform(uint8_t *p, bool last, uint8_t type, uint16_t id, uint16_t bits)
{
	p = put8(put8(p, last ? 0 : 3), 0);
	p = put16(p, bits ? 12 : 8);
	p = put8(put8(p, type), 0);
	p = put16(p, id);
	return bits ? put16(put16(p, 0x800e), bits) : p;
}

static uint8_t *put_sa(uint8_t *p)
{
	uint8_t *start = p, *proposal;

	p = put16(put8(put8(p, PAYLOAD_KE), 0), 0);
	proposal = p;
	p = put16(put8(put8(p, 0), 0), 0);
	p = put8(put8(put8(put8(p, 1), 1), 0), 7);
	p = put_transform(p, false, 1, 12, 256);	/* AES-CBC */
	p = put_transform(p, false, 1, 12, 128);
	p = put_transform(p, false, 2, 5, 0);		/* HMAC-SHA2-256 */
	p = put_transform(p, false, 2, 2, 0);		/* HMAC-SHA1 */
	p = put_transform(p, false, 3, 12, 0);		/* HMAC-SHA2-256-128 */
	p = put_transform(p, false, 3, 2, 0);		/* HMAC-SHA1-96 */
	p = put_transform(p, true, 4, 14, 0);		/* MODP 2048 */
	put_length(proposal + 2, proposal, p);
	put_length(start + 2, start, p);
	return p;
}

/* The public value is a random number below the prime: nobody will use it. */
static size_t sa_init(uint8_t *to, const uint8_t *random)
{
	const uint8_t *key = random + 2 * COOKIE_SIZE, *nonce = key + KEY_SIZE;
	uint8_t *p = put_header(to, random, PAYLOAD_SA, 0x20, EXCHANGE_SA_INIT, FLAG_INITIATOR);

	p = put_sa(p);
	p = put16(put8(put8(p, PAYLOAD_NONCE), 0), 8 + KEY_SIZE);
	p = put16(put16(p, 14), 0);
	p = put_bytes(p, key, KEY_SIZE);
	p[-KEY_SIZE] &= 0x7f;
	p[-1] |= 2;
	p = put16(put8(put8(p, 0), 0), 4 + NONCE_SIZE);
	p = put_bytes(p, nonce, NONCE_SIZE);
	put32(to + 24, p - to);
	return p - to;
}

/* RFC 2408 3.4 to 3.6, RFC 2407 4.6.1, attributes of RFC 2409 appendix A */
static size_t main_mode(uint8_t *to, const uint8_t *random)
{
	static const uint16_t attributes[][2] = {
		{ 0x8001, 7 },		/* AES-CBC */
		{ 0x800e, 256 },
		{ 0x8002, 2 },		/* SHA */
		{ 0x8004, 14 },		/* MODP 2048 */
		{ 0x8003, 1 },		/* pre-shared key */
		{ 0x800b, 1 },		/* seconds */
		{ 0x800c, 28800 },
	};
	uint8_t *p = put_header(to, random + COOKIE_SIZE, PAYLOAD1_SA, 0x10, EXCHANGE_MAIN, 0);
	uint8_t *sa = p, *proposal, *transform;
	size_t i;

	p = put16(put8(put8(p, 0), 0), 0);
	p = put32(put32(p, 1), 1);
	proposal = p;
	p = put16(put8(put8(p, 0), 0), 0);
	p = put8(put8(put8(put8(p, 1), 1), 0), 1);
	transform = p;
	p = put16(put8(put8(p, 0), 0), 0);
	p = put16(put8(put8(p, 1), 1), 0);
	for (i = 0; i < ARRAY_SIZE(attributes); i++)
		p = put16(put16(p, attributes[i][0]), attributes[i][1]);
	put_length(transform + 2, transform, p);
	put_length(proposal + 2, proposal, p);
	put_length(sa + 2, sa, p);
	put32(to + 24, p - to);
	return p - to;
}

static size_t ask(uint8_t to[PROBE_SIZE], const uint8_t random[PROBE_RANDOM], int variant)
{
	return variant ? main_mode(to, random) : sa_init(to, random);
}

/* Notify types of RFC 7296 3.10.1; those of RFC 2408 3.14.1 have the same numbers. */
static void notify_text(char text[PROBE_TEXT], const char *version, uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{ 5, "INVALID_MAJOR_VERSION" }, { 7, "INVALID_SYNTAX" },
		{ 14, "NO_PROPOSAL_CHOSEN" }, { 17, "INVALID_KE_PAYLOAD" },
		{ 24, "AUTHENTICATION_FAILED" }, { 16390, "COOKIE" }, { 16407, "REDIRECT" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == type) {
			snprintf(text, PROBE_TEXT, "%s, %s", version, names[i].name);
			return;
		}
	snprintf(text, PROBE_TEXT, "%s, notification %u", version, type);
}

/* The payloads of an answer: an SA is consent, a notification says why not. */
static void describe(const uint8_t *data, size_t length, char text[PROBE_TEXT])
{
	bool v2 = data[17] >> 4 >= 2;
	const char *version = v2 ? "IKEv2" : "IKEv1";
	uint8_t payload = data[16];
	size_t at = HEADER_SIZE;

	snprintf(text, PROBE_TEXT, "%s", version);
	while (payload && at + 4 <= length && get16(data + at + 2) >= 4) {
		size_t size = get16(data + at + 2);
		size_t type = at + (v2 ? 6 : 10);

		if (payload == (v2 ? PAYLOAD_SA : PAYLOAD1_SA)) {
			snprintf(text, PROBE_TEXT, "%s, proposal accepted", version);
			return;
		}
		if (payload == (v2 ? PAYLOAD_NOTIFY : PAYLOAD1_NOTIFY) && type + 2 <= length) {
			notify_text(text, version, get16(data + type));
			return;
		}
		payload = data[at];
		at += size;
	}
}

static bool understand(const uint8_t *data, size_t length, const uint8_t random[PROBE_RANDOM],
		       char text[PROBE_TEXT])
{
	if (length < HEADER_SIZE || get32(data + 24) < HEADER_SIZE || get32(data + 24) > length)
		return false;
	if (memcmp(data, random, COOKIE_SIZE) &&
	    memcmp(data, random + COOKIE_SIZE, COOKIE_SIZE))
		return false;
	/* our own, thrown back by a mirror, is no answer (RFC 7296 3.1) */
	if (data[17] >> 4 >= 2 && !(data[19] & FLAG_RESPONSE))
		return false;
	if (data[17] >> 4 < 2 && !get32(data + 8) && !get32(data + 12) && data[18] == EXCHANGE_MAIN)
		return false;
	describe(data, get32(data + 24), text);
	return true;
}

/* On 4500 four bytes of zero say that it is not ESP (RFC 3948 2.2). */
static size_t natt_ask(uint8_t to[PROBE_SIZE], const uint8_t random[PROBE_RANDOM], int variant)
{
	size_t length = ask(to, random, variant);

	memmove(to + 4, to, length);
	put32(to, 0);
	return 4 + length;
}

static bool natt_understand(const uint8_t *data, size_t length,
			    const uint8_t random[PROBE_RANDOM], char text[PROBE_TEXT])
{
	return length > 4 && !get32(data) && understand(data + 4, length - 4, random, text);
}

const struct service service_ike = {
	.name = "ike",
	.l4proto = IPPROTO_UDP,
	.port = 500,
	.variants = 2,
	.ask = ask,
	.understand = understand,
};

const struct service service_natt = {
	.name = "natt",
	.l4proto = IPPROTO_UDP,
	.port = 4500,
	.variants = 2,
	.ask = natt_ask,
	.understand = natt_understand,
};
