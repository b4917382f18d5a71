// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for IKE on 500 and 4500: IKE_SA_INIT (RFC 7296 1.2), and main mode's
 * first message (RFC 2409 5) for gateways that know nothing else. Any answer
 * counts, a refusal too: the packets went there and back. One that accepts says
 * what it sees of our address as well (RFC 7296 2.23).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"
#include "../../lib/util.h"

#define HEADER_SIZE	28
#define COOKIE_SIZE	8
#define KEY_MAX		384
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

/* RFC 7296 3.10.1 */
#define INVALID_KE		17
#define NAT_SOURCE		16388
#define NAT_DESTINATION		16389
#define COOKIE			16390

struct transform {
	uint8_t type;
	uint16_t id, bits;
};

/*
 * Most gateways accept one of these, with AES-CBC or with AES-GCM. Types: 1 the cipher,
 * 2 the PRF, 3 the integrity, 4 the group of Diffie and Hellman.
 */
static const struct transform cbc[] = {
	{ 1, 12, 256 }, { 1, 12, 128 }, { 2, 5, 0 }, { 2, 6, 0 }, { 2, 7, 0 }, { 2, 2, 0 },
	{ 3, 12, 0 }, { 3, 13, 0 }, { 3, 14, 0 }, { 3, 2, 0 },
	{ 4, 14, 0 }, { 4, 31, 0 }, { 4, 19, 0 }, { 4, 15, 0 }, { 4, 5, 0 }, { 4, 2, 0 },
};

static const struct transform gcm[] = {
	{ 1, 20, 256 }, { 1, 20, 128 }, { 2, 5, 0 }, { 2, 6, 0 }, { 2, 7, 0 }, { 2, 2, 0 },
	{ 4, 14, 0 }, { 4, 31, 0 }, { 4, 19, 0 }, { 4, 15, 0 }, { 4, 5, 0 }, { 4, 2, 0 },
};

/* The generator of P-256, a public value that gateways take for one (RFC 5903 3.1). */
static const uint8_t p256[] = {
	0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
	0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
	0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c,
	0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68,
	0x37, 0xbf, 0x51, 0xf5,
};

static const struct group {
	uint16_t id, size;
	const uint8_t *value;	/* NULL for random bytes */
} groups[] = {
	{ 14, 256, NULL }, { 31, 32, NULL }, { 19, sizeof(p256), p256 }, { 15, 384, NULL },
	{ 5, 192, NULL }, { 2, 128, NULL },
};

static const struct group *find_group(uint16_t id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

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
static uint8_t *put_transform(uint8_t *p, bool last, const struct transform *t)
{
	p = put8(put8(p, last ? 0 : 3), 0);
	p = put16(p, t->bits ? 12 : 8);
	p = put8(put8(p, t->type), 0);
	p = put16(p, t->id);
	return t->bits ? put16(put16(p, 0x800e), t->bits) : p;
}

static uint8_t *put_proposal(uint8_t *p, uint8_t number, bool last, const struct transform *list,
			     size_t n)
{
	uint8_t *start = p;
	size_t i;

	p = put16(put8(put8(p, last ? 0 : 2), 0), 0);
	p = put8(put8(put8(put8(p, number), 1), 0), n);
	for (i = 0; i < n; i++)
		p = put_transform(p, i + 1 == n, &list[i]);
	put_length(start + 2, start, p);
	return p;
}

static uint8_t *put_sa(uint8_t *p)
{
	uint8_t *start = p;

	p = put16(put8(put8(p, PAYLOAD_KE), 0), 0);
	p = put_proposal(p, 1, false, cbc, ARRAY_SIZE(cbc));
	p = put_proposal(p, 2, true, gcm, ARRAY_SIZE(gcm));
	put_length(start + 2, start, p);
	return p;
}

/* A random number below the primes of MODP groups, whose first bits are ones; nobody uses it. */
static uint8_t *put_key(uint8_t *p, const struct group *group, const uint8_t *random)
{
	p = put16(put8(put8(p, PAYLOAD_NONCE), 0), 8 + group->size);
	p = put16(put16(p, group->id), 0);
	p = put_bytes(p, group->value ? group->value : random, group->size);
	if (!group->value) {
		p[-group->size] &= 0x7f;
		p[-1] |= 2;
	}
	return p;
}

static uint8_t *put_notify(uint8_t *p, uint8_t next, uint16_t type, const uint8_t *data,
			   size_t length)
{
	p = put16(put8(put8(p, next), 0), 8 + length);
	return put_bytes(put16(put16(p, 0), type), data, length);
}

/* A gateway that is told these hashes sends those of the addresses that it sees. */
static uint8_t *put_addresses(uint8_t *p, const uint8_t *spis, const struct talk *talk)
{
	uint8_t hash[SHA1_SIZE];

	nat_hash(hash, spis, &talk->own);
	p = put_notify(p, PAYLOAD_NOTIFY, NAT_SOURCE, hash, sizeof(hash));
	nat_hash(hash, spis, &talk->peer);
	return put_notify(p, 0, NAT_DESTINATION, hash, sizeof(hash));
}

static size_t sa_init(uint8_t *to, const struct talk *talk)
{
	const uint8_t *key = talk->random + 2 * COOKIE_SIZE, *nonce = key + KEY_MAX;
	uint8_t first = talk->cookie_length ? PAYLOAD_NOTIFY : PAYLOAD_SA;
	const struct group *group = find_group(talk->group);
	uint8_t *p = put_header(to, talk->random, first, 0x20, EXCHANGE_SA_INIT, FLAG_INITIATOR);

	if (talk->cookie_length)
		p = put_notify(p, PAYLOAD_SA, COOKIE, talk->cookie, talk->cookie_length);
	p = put_sa(p);
	p = put_key(p, group ? group : &groups[0], key);
	p = put16(put8(put8(p, PAYLOAD_NOTIFY), 0), 4 + NONCE_SIZE);
	p = put_bytes(p, nonce, NONCE_SIZE);
	p = put_addresses(p, to, talk);
	put32(to + 24, p - to);
	return p - to;
}

/* RFC 2408 3.4 to 3.6, RFC 2407 4.6.1, attributes of RFC 2409 appendix A */
static size_t main_mode(uint8_t *to, const struct talk *talk)
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
	uint8_t *p = put_header(to, talk->random + COOKIE_SIZE, PAYLOAD1_SA, 0x10, EXCHANGE_MAIN,
				0);
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

static size_t ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	return variant ? main_mode(to, talk) : sa_init(to, talk);
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

/* A gateway that wants another group or a cookie is asked again (RFC 7296 1.3, 2.6). */
static void take_wish(struct talk *talk, uint16_t type, const uint8_t *data, size_t length)
{
	if (type == INVALID_KE && length == 2 && find_group(get16(data))) {
		talk->group = get16(data);
		talk->again = true;
	}
	if (type == COOKIE && length && length <= COOKIE_MAX) {
		memcpy(talk->cookie, data, length);
		talk->cookie_length = length;
		talk->again = true;
	}
}

/* A gateway sends as many hashes of its own address as it has addresses. */
static void take_sight(struct talk *talk, uint16_t type, const uint8_t *message,
		       const uint8_t *hash)
{
	uint8_t theirs[SHA1_SIZE];

	if (type == NAT_DESTINATION) {
		talk->sight.told = true;
		memcpy(talk->sight.spis, message, sizeof(talk->sight.spis));
		memcpy(talk->sight.hash, hash, SHA1_SIZE);
	} else if (type == NAT_SOURCE) {
		nat_hash(theirs, message, &talk->peer);
		talk->sight.honest |= !memcmp(theirs, hash, SHA1_SIZE);
	}
}

/* RFC 7296 3.10 */
static void take_notify(struct talk *talk, const uint8_t *message, const uint8_t *payload,
			size_t size, char text[PROBE_TEXT])
{
	size_t at = 8;
	uint16_t type;

	if (size < at || size < at + payload[5])
		return;
	at += payload[5];
	type = get16(payload + 6);
	if ((type == NAT_SOURCE || type == NAT_DESTINATION) && size - at == SHA1_SIZE) {
		take_sight(talk, type, message, payload + at);
		return;
	}
	take_wish(talk, type, payload + at, size - at);
	if (!strcmp(text, "IKEv2"))
		notify_text(text, "IKEv2", type);
}

/* The payloads of an answer: an SA is consent, a notification says why not. */
static void describe(const uint8_t *data, size_t length, struct talk *talk, char text[PROBE_TEXT])
{
	bool v2 = data[17] >> 4 >= 2;
	const char *version = v2 ? "IKEv2" : "IKEv1";
	uint8_t payload = data[16];
	size_t at = HEADER_SIZE;

	snprintf(text, PROBE_TEXT, "%s", version);
	while (payload && at + 4 <= length && get16(data + at + 2) >= 4) {
		size_t size = get16(data + at + 2);

		if (size > length - at)
			break;
		if (payload == (v2 ? PAYLOAD_SA : PAYLOAD1_SA))
			snprintf(text, PROBE_TEXT, "%s, proposal accepted", version);
		else if (payload == PAYLOAD_NOTIFY && v2)
			take_notify(talk, data, data + at, size, text);
		else if (payload == PAYLOAD1_NOTIFY && !v2 && size >= 12 && !strchr(text, ','))
			notify_text(text, version, get16(data + at + 10));
		payload = data[at];
		at += size;
	}
}

static bool understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	const uint8_t *random = talk->random;

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
	talk->again = false;
	talk->sight = (struct sight){};
	describe(data, get32(data + 24), talk, text);
	return true;
}

/* On 4500 four bytes of zero say that it is not ESP (RFC 3948 2.2). */
static size_t natt_ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	size_t length = ask(to, talk, variant);

	memmove(to + 4, to, length);
	put32(to, 0);
	return 4 + length;
}

static bool natt_understand(const uint8_t *data, size_t length, struct talk *talk,
			    char text[PROBE_TEXT])
{
	return length > 4 && !get32(data) && understand(data + 4, length - 4, talk, text);
}

/* By TCP each message has its length before it, and the first a word (RFC 9329 3, 4). */
static const char tcp_prefix[] = { 'I', 'K', 'E', 'T', 'C', 'P' };

static size_t tcp_ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	size_t before = sizeof(tcp_prefix) + 2, length = natt_ask(to, talk, variant);

	memmove(to + before, to, length);
	put16(put_bytes(to, tcp_prefix, sizeof(tcp_prefix)), 2 + length);
	return before + length;
}

static bool tcp_understand(const uint8_t *data, size_t length, struct talk *talk,
			   char text[PROBE_TEXT])
{
	size_t size = length > 2 ? get16(data) : 0;

	return size > 2 && size <= length && natt_understand(data + 2, size - 2, talk, text);
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

const struct service service_ike_tcp = {
	.name = "iketcp",
	.l4proto = IPPROTO_TCP,
	.port = 4500,
	.optional = true,
	.variants = 1,
	.ask = tcp_ask,
	.understand = tcp_understand,
};
