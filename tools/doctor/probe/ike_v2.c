// SPDX-License-Identifier: GPL-2.0
/*
 * IKEv2's first exchange, IKE_SA_INIT (RFC 7296 1.2), with NAT detection (2.23).
 */
#include <stdio.h>
#include <string.h>

#include "ike.h"
#include "../../lib/util.h"

/* RFC 7296 3.1, 3.2 */
#define VERSION			0x20
#define EXCHANGE_SA_INIT	34
#define FLAG_INITIATOR		0x08
#define PAYLOAD_SA		33
#define PAYLOAD_KE		34
#define PAYLOAD_NONCE		40
#define PAYLOAD_NOTIFY		41
#define PAYLOAD_VENDOR		43

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

/* That of Curve25519 (RFC 7748 4.1) */
static const uint8_t curve25519[32] = { 9 };

static const struct group {
	uint16_t id, size;
	const uint8_t *value;	/* NULL for a MODP group */
} groups[] = {
	{ 14, 256, NULL }, { 31, sizeof(curve25519), curve25519 }, { 19, sizeof(p256), p256 },
	{ 15, 384, NULL }, { 5, 192, NULL }, { 2, 128, NULL },
};

static const struct group *find_group(uint16_t id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
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
	ike_put_length(start + 2, start, p);
	return p;
}

static uint8_t *put_sa(uint8_t *p)
{
	uint8_t *start = p;

	p = put16(put8(put8(p, PAYLOAD_KE), 0), 0);
	p = put_proposal(p, 1, false, cbc, ARRAY_SIZE(cbc));
	p = put_proposal(p, 2, true, gcm, ARRAY_SIZE(gcm));
	ike_put_length(start + 2, start, p);
	return p;
}

static uint8_t *put_key(uint8_t *p, const struct group *group)
{
	p = put16(put8(put8(p, PAYLOAD_NONCE), 0), 8 + group->size);
	p = put16(put16(p, group->id), 0);
	if (!group->value)
		return ike_put_modp(p, group->size);
	return put_bytes(p, group->value, group->size);
}

static uint8_t *put_notify(uint8_t *p, uint8_t next, uint16_t type, const uint8_t *data,
			   size_t length)
{
	p = put16(put8(put8(p, next), 0), 8 + length);
	return put_bytes(put16(put16(p, 0), type), data, length);
}

/* A gateway that is told these hashes sends those of the addresses that it sees. */
static uint8_t *put_addresses(uint8_t *p, const uint8_t *spis, const struct talk *talk,
			      uint8_t next)
{
	uint8_t hash[SHA1_SIZE];

	nat_hash(hash, SHA1_SIZE, spis, &talk->own);
	p = put_notify(p, PAYLOAD_NOTIFY, NAT_SOURCE, hash, sizeof(hash));
	nat_hash(hash, SHA1_SIZE, spis, &talk->peer);
	return put_notify(p, next, NAT_DESTINATION, hash, sizeof(hash));
}

/* A vendor ID fills the message up: who does not know it ignores it (RFC 7296 3.12). */
static uint8_t *put_filling(uint8_t *p, const uint8_t *end)
{
	size_t length = end - p;

	p = put16(put8(put8(p, 0), 0), length);
	memset(p, 'x', length - 4);
	return p + length - 4;
}

/**
 * ike_v2_ask - Ask for IKEv2.
 * @to: Filled in.
 * @talk: What the gateway wishes.
 *
 * Return: its length.
 */
size_t ike_v2_ask(uint8_t to[PROBE_SIZE], const struct talk *talk)
{
	uint8_t first = talk->cookie_length ? PAYLOAD_NOTIFY : PAYLOAD_SA;
	const struct group *group = find_group(talk->group);
	uint8_t *p = ike_put_header(to, talk->random, NULL, first, VERSION, EXCHANGE_SA_INIT,
				    FLAG_INITIATOR);

	if (talk->cookie_length)
		p = put_notify(p, PAYLOAD_SA, COOKIE, talk->cookie, talk->cookie_length);
	p = put_sa(p);
	p = put_key(p, group ? group : &groups[0]);
	p = ike_put_payload(p, PAYLOAD_NOTIFY, talk->random + 2 * IKE_COOKIE_SIZE,
			    IKE_NONCE_SIZE);
	p = put_addresses(p, to, talk, talk->least ? PAYLOAD_VENDOR : 0);
	if (talk->least)
		p = put_filling(p, to + talk->least);
	return ike_finish(to, p);
}

/* RFC 7296 3.10.1 */
static const struct ike_name names[] = {
	{ 5, "INVALID_MAJOR_VERSION" }, { 7, "INVALID_SYNTAX" }, { 14, "NO_PROPOSAL_CHOSEN" },
	{ INVALID_KE, "INVALID_KE_PAYLOAD" }, { 24, "AUTHENTICATION_FAILED" },
	{ COOKIE, "COOKIE" }, { 16407, "REDIRECT" },
};

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
	struct sight *sight = &talk->sight;
	uint8_t theirs[SHA1_SIZE];

	if (type == NAT_DESTINATION) {
		sight->told = true;
		sight->by = "RFC 7296 2.23";
		sight->size = SHA1_SIZE;
		memcpy(sight->spis, message, sizeof(sight->spis));
		memcpy(sight->hash, hash, SHA1_SIZE);
	} else if (type == NAT_SOURCE) {
		nat_hash(theirs, SHA1_SIZE, message, &talk->peer);
		sight->honest |= !memcmp(theirs, hash, SHA1_SIZE);
	}
}

/* RFC 7296 3.10 */
static void take_notify(struct talk *talk, const uint8_t *message, const struct payload *p,
			char text[PROBE_TEXT])
{
	size_t at = 8;
	uint16_t type;

	if (p->size < at || p->size < at + p->data[5])
		return;
	at += p->data[5];
	type = get16(p->data + 6);
	if ((type == NAT_SOURCE || type == NAT_DESTINATION) && p->size - at == SHA1_SIZE) {
		take_sight(talk, type, message, p->data + at);
		return;
	}
	take_wish(talk, type, p->data + at, p->size - at);
	if (!strcmp(text, "IKEv2"))
		ike_notify_text(text, "IKEv2, ", names, ARRAY_SIZE(names), type);
}

/**
 * ike_v2_understand - Read an answer of IKEv2: an SA is consent, a notification says why not.
 * @data: The message.
 * @length: Of it, as its header says.
 * @talk: What it wishes, and what it sees of us, is put in.
 * @text: Filled in.
 *
 * Return: whether it consents.
 */
bool ike_v2_understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	struct payload p = ike_payloads(data, length);
	bool accepted = false;

	snprintf(text, PROBE_TEXT, "IKEv2");
	while (ike_next_payload(&p))
		if (p.kind == PAYLOAD_SA) {
			accepted = true;
			snprintf(text, PROBE_TEXT, "IKEv2, proposal accepted");
		} else if (p.kind == PAYLOAD_NOTIFY) {
			take_notify(talk, data, &p, text);
		}
	return accepted;
}
