// SPDX-License-Identifier: GPL-2.0
/*
 * IKEv1's main mode, as far as it goes without a secret (RFC 2409 5): an offer, and, where
 * the gateway takes it and knows NAT-T (RFC 3947), a key, with whose answer it says what it
 * sees of our address. In aggressive mode it would do so at once, but that is shut off on
 * most gateways, as its answer to a stranger serves to guess the secret.
 */
#include <stdio.h>
#include <string.h>

#include "ike.h"
#include "../../lib/util.h"

/* RFC 2408 3.1 */
#define VERSION			0x10
#define EXCHANGE_MAIN		2
#define PAYLOAD_SA		1
#define PAYLOAD_KE		4
#define PAYLOAD_NONCE		10
#define PAYLOAD_NOTIFY		11
#define PAYLOAD_VENDOR		13
#define PAYLOAD_NAT_D		20	/* RFC 3947 3.2 */

/* Attributes of RFC 2409 appendix A, and what ours are; SHA-256 is IANA's. */
#define ATTRIBUTE_SHORT		0x8000
#define CIPHER			1
#define HASH			2
#define AUTHENTICATION		3
#define GROUP			4
#define LIFE_TYPE		11
#define LIFE			12
#define KEY_BITS		14
#define TRIPLE_DES		5
#define AES			7
#define SHA1			2
#define SHA256			4
#define SECRET			1
#define RSA			3
#define LIFE_SECONDS		28800

/* How a gateway says that it knows NAT-T: MD5 of "RFC 3947" (RFC 3947 3.1). */
static const uint8_t natt[] = {
	0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45,
	0x2f,
};

/* Most gateways take some of these together. */
static const struct {
	uint16_t id, bits, hash;
} ciphers[] = {
	{ AES, 256, SHA1 }, { AES, 128, SHA1 }, { TRIPLE_DES, 0, SHA1 }, { AES, 256, SHA256 },
	{ AES, 128, SHA256 },
};

static const struct {
	uint16_t id, size;
} groups[] = { { 14, 256 }, { 5, 192 }, { 2, 128 } };

static const uint16_t authentications[] = { SECRET, RSA };

#define N_TRANSFORMS	(ARRAY_SIZE(ciphers) * ARRAY_SIZE(groups) * ARRAY_SIZE(authentications))

static const uint8_t *own_cookie(const struct talk *talk)
{
	return talk->random + IKE_COOKIE_SIZE;
}

static size_t group_size(uint16_t id)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].id == id)
			return groups[i].size;
	return 0;
}

static uint8_t *put_attribute(uint8_t *p, uint16_t type, uint16_t value)
{
	return put16(put16(p, ATTRIBUTE_SHORT | type), value);
}

/* RFC 2408 3.6, RFC 2409 appendix A; they are numbered from 0 */
static uint8_t *put_transform(uint8_t *p, size_t number)
{
	size_t n_groups = ARRAY_SIZE(groups), n_ways = ARRAY_SIZE(authentications);
	size_t cipher = number / n_ways / n_groups;
	uint8_t *start = p;

	p = put32(p, number + 1 < N_TRANSFORMS ? 3 << 24 : 0);
	p = put16(put8(put8(p, number + 1), 1), 0);
	p = put_attribute(p, CIPHER, ciphers[cipher].id);
	if (ciphers[cipher].bits)
		p = put_attribute(p, KEY_BITS, ciphers[cipher].bits);
	p = put_attribute(p, HASH, ciphers[cipher].hash);
	p = put_attribute(p, AUTHENTICATION, authentications[number % n_ways]);
	p = put_attribute(p, GROUP, groups[number / n_ways % n_groups].id);
	p = put_attribute(p, LIFE_TYPE, 1);
	p = put_attribute(p, LIFE, LIFE_SECONDS);
	ike_put_length(start + 2, start, p);
	return p;
}

/* RFC 2408 3.4, 3.5, RFC 2407 4.6.1: one proposal, of which the gateway takes a transform */
static size_t offer(uint8_t *to, const struct talk *talk)
{
	uint8_t *p = ike_put_header(to, own_cookie(talk), NULL, PAYLOAD_SA, VERSION,
				    EXCHANGE_MAIN, 0);
	uint8_t *sa = p, *proposal;
	size_t i;

	p = put32(put32(put32(p, PAYLOAD_VENDOR << 24), 1), 1);
	proposal = p;
	p = put32(put32(p, 0), 1 << 24 | 1 << 16 | N_TRANSFORMS);
	for (i = 0; i < N_TRANSFORMS; i++)
		p = put_transform(p, i);
	ike_put_length(proposal + 2, proposal, p);
	ike_put_length(sa + 2, sa, p);
	return ike_finish(to, ike_put_payload(p, 0, natt, sizeof(natt)));
}

/* RFC 3947 3.2: the address that it is sent to is the first. */
static uint8_t *put_addresses(uint8_t *p, const uint8_t *cookies, const struct talk *talk)
{
	size_t size = talk->main.hash_size;
	uint8_t hash[DIGEST_MAX];

	nat_hash(hash, size, cookies, &talk->peer);
	p = ike_put_payload(p, PAYLOAD_NAT_D, hash, size);
	nat_hash(hash, size, cookies, &talk->own);
	return ike_put_payload(p, 0, hash, size);
}

static size_t key(uint8_t *to, const struct talk *talk)
{
	uint8_t *p = ike_put_header(to, own_cookie(talk), talk->main.cookie, PAYLOAD_KE, VERSION,
				    EXCHANGE_MAIN, 0);
	uint8_t *start = p;

	p = ike_put_modp(put32(p, PAYLOAD_NONCE << 24), group_size(talk->main.group));
	ike_put_length(start + 2, start, p);
	p = ike_put_payload(p, PAYLOAD_NAT_D, talk->random + 2 * IKE_COOKIE_SIZE, IKE_NONCE_SIZE);
	return ike_finish(to, put_addresses(p, to, talk));
}

/**
 * ike_v1_ask - Ask for IKEv1, by main mode's first message or the second of ours.
 * @to: Filled in.
 * @talk: What was said so far.
 *
 * Return: its length.
 */
size_t ike_v1_ask(uint8_t to[PROBE_SIZE], const struct talk *talk)
{
	return talk->main.group ? key(to, talk) : offer(to, talk);
}

/**
 * struct said - What is in a message of the gateway's.
 * @accepted: A transform.
 * @natt: That it knows NAT-T.
 * @key: Its key.
 * @notified: A notification.
 * @notification: Its type.
 * @group: Of the transform, 0 if it is none of ours.
 * @hash_size: Likewise.
 */
struct said {
	bool accepted, natt, key, notified;
	uint16_t notification, group;
	size_t hash_size;
};

/* One transform comes back of those that were offered; an attribute may have any length. */
static void read_attributes(struct said *said, const uint8_t *p, const uint8_t *end)
{
	uint16_t type, value;

	for (; end - p >= 4; p += 4) {
		type = get16(p);
		value = get16(p + 2);
		if (!(type & ATTRIBUTE_SHORT)) {
			if (end - p - 4 < value)
				return;
			p += value;
			continue;
		}
		type &= ~ATTRIBUTE_SHORT;
		if (type == GROUP && group_size(value))
			said->group = value;
		if (type == HASH)
			said->hash_size = value == SHA1 ? SHA1_SIZE :
					  value == SHA256 ? SHA256_SIZE : 0;
	}
}

/* A proposal of 8 bytes and an SPI of some, a transform of 8, behind 12 of the payload */
static void read_sa(struct said *said, const struct payload *sa)
{
	size_t at = 12 + 8;

	said->accepted = true;
	if (sa->size < at)
		return;
	at += sa->data[12 + 6] + 8;
	if (sa->size > at)
		read_attributes(said, sa->data + at, sa->data + sa->size);
}

/* The first tells which address is seen, the others those that the gateway has. */
static void read_address(struct talk *talk, const uint8_t *message, const struct payload *p,
			 int number)
{
	struct sight *sight = &talk->sight;
	uint8_t theirs[DIGEST_MAX];

	if (p->size != 4 + talk->main.hash_size)
		return;
	if (!number) {
		memcpy(sight->spis, message, sizeof(sight->spis));
		memcpy(sight->hash, p->data + 4, talk->main.hash_size);
		sight->size = talk->main.hash_size;
		return;
	}
	sight->told = sight->size;
	nat_hash(theirs, talk->main.hash_size, message, &talk->peer);
	sight->honest |= !memcmp(theirs, p->data + 4, talk->main.hash_size);
}

static struct said read_message(const uint8_t *data, size_t length, struct talk *talk)
{
	struct payload p = ike_payloads(data, length);
	struct said said = {};
	int addresses = 0;

	while (ike_next_payload(&p)) {
		if (p.kind == PAYLOAD_SA) {
			read_sa(&said, &p);
		} else if (p.kind == PAYLOAD_KE) {
			said.key = true;
		} else if (p.kind == PAYLOAD_VENDOR) {
			said.natt |= p.size == 4 + sizeof(natt) &&
				     !memcmp(p.data + 4, natt, sizeof(natt));
		} else if (p.kind == PAYLOAD_NAT_D && talk->main.group) {
			read_address(talk, data, &p, addresses++);
		} else if (p.kind == PAYLOAD_NOTIFY && p.size >= 12) {
			said.notified = true;
			said.notification = get16(p.data + 10);
		}
	}
	return said;
}

static const struct ike_name names[] = {
	{ 5, "INVALID_MAJOR_VERSION" }, { 7, "INVALID_EXCHANGE_TYPE" },
	{ 14, "NO_PROPOSAL_CHOSEN" }, { 16, "PAYLOAD_MALFORMED" },
	{ 17, "INVALID_KEY_INFORMATION" }, { 18, "INVALID_ID_INFORMATION" },
	{ 24, "AUTHENTICATION_FAILED" },
};

/* Its answer to the key, or to the offer once more */
static bool take_key(const uint8_t *data, const struct said *said, struct talk *talk,
		     char text[PROBE_TEXT])
{
	if (memcmp(data + IKE_COOKIE_SIZE, talk->main.cookie, IKE_COOKIE_SIZE))
		return false;
	if (said->key) {
		talk->sight.by = "RFC 3947 3.2";
		snprintf(text, PROBE_TEXT, "IKEv1, proposal accepted");
	} else if (said->notified) {
		ike_notify_text(text, "IKEv1, proposal accepted, then ", names,
				ARRAY_SIZE(names), said->notification);
	} else {
		return false;
	}
	return true;
}

static void take_offer(const uint8_t *data, const struct said *said, struct talk *talk,
		       char text[PROBE_TEXT])
{
	if (said->notified && !said->accepted) {
		ike_notify_text(text, "IKEv1, ", names, ARRAY_SIZE(names), said->notification);
		return;
	}
	snprintf(text, PROBE_TEXT, "IKEv1%s%s", said->accepted ? ", proposal accepted" : "",
		 said->accepted && !said->natt ? ", no NAT-T (RFC 3947)" : "");
	if (!said->accepted || !said->natt || !said->group || !said->hash_size)
		return;
	memcpy(talk->main.cookie, data + IKE_COOKIE_SIZE, IKE_COOKIE_SIZE);
	talk->main.group = said->group;
	talk->main.hash_size = said->hash_size;
	talk->old = true;
	talk->again = true;
}

/**
 * ike_v1_understand - Read an answer of IKEv1.
 * @data: The message.
 * @length: Of it, as its header says.
 * @talk: What was said so far; what it sees of us is put in.
 * @text: Filled in.
 *
 * Return: whether it is one, and not the one before once more.
 */
bool ike_v1_understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	struct said said = read_message(data, length, talk);

	if (talk->main.group)
		return take_key(data, &said, talk, text);
	take_offer(data, &said, talk, text);
	return true;
}
