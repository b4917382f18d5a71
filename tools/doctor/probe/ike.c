// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for IKE on 500 and 4500: IKEv2, and IKEv1 for gateways that know nothing else or
 * refuse that. Any answer counts, a refusal too: the packets went there and back. One that
 * accepts says what it sees of our address as well.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ike.h"

#define EXCHANGE_MAIN		2
#define FLAG_RESPONSE		0x20

/**
 * ike_put_header - Append a header, whose length ike_finish() puts in.
 * @p: Where.
 * @cookie: The initiator's.
 * @responder: The responder's, NULL when it is not known.
 * @payload: What comes first.
 * @version: Of IKE.
 * @exchange: Which.
 * @flags: Of the header.
 *
 * Return: its end, as of all that append.
 */
uint8_t *ike_put_header(uint8_t *p, const uint8_t *cookie, const uint8_t *responder,
			uint8_t payload, uint8_t version, uint8_t exchange, uint8_t flags)
{
	static const uint8_t unknown[IKE_COOKIE_SIZE];

	p = put_bytes(p, cookie, IKE_COOKIE_SIZE);
	p = put_bytes(p, responder ? responder : unknown, IKE_COOKIE_SIZE);
	p = put8(put8(p, payload), version);
	p = put8(put8(p, exchange), flags);
	return put32(put32(p, 0), 0);
}

/**
 * ike_put_payload - Append a payload that is made already.
 * @p: Where.
 * @next: What comes after it.
 * @data: What is in it.
 * @length: Of that.
 */
uint8_t *ike_put_payload(uint8_t *p, uint8_t next, const void *data, size_t length)
{
	return put_bytes(put16(put8(put8(p, next), 0), 4 + length), data, length);
}

/**
 * ike_put_modp - Append a public value of a MODP group.
 * @p: Where.
 * @size: Of the group's prime, whose first and last 64 bits are ones.
 *
 * The generator 2 to a power: also a gateway that checks whether it is of the group's
 * large subgroup (SP 800-56A 5.6.2.3.1) takes it. The key that it leads to is not used.
 */
uint8_t *ike_put_modp(uint8_t *p, size_t size)
{
	memset(p, 0, size);
	p[0] = 0x40;
	return p + size;
}

/**
 * ike_put_length - Put in a length of 16 bits, once it is known.
 * @at: Where.
 * @start: Of what it is the length.
 * @end: Its end.
 */
void ike_put_length(uint8_t *at, const uint8_t *start, const uint8_t *end)
{
	put16(at, end - start);
}

/**
 * ike_finish - Put in the length of a message.
 * @message: The message.
 * @end: Its end.
 *
 * Return: the length.
 */
size_t ike_finish(uint8_t *message, const uint8_t *end)
{
	put32(message + 24, end - message);
	return end - message;
}

/**
 * ike_payloads - Begin to walk through a message.
 * @message: The message.
 * @length: Of it, that of a header at least.
 */
struct payload ike_payloads(const uint8_t *message, size_t length)
{
	return (struct payload){
		.next = message[16], .data = message + IKE_HEADER_SIZE,
		.left = length - IKE_HEADER_SIZE,
	};
}

/**
 * ike_next_payload - Go on to the next payload.
 * @p: From ike_payloads(), or the one before.
 *
 * Return: false at the end, or where the message is damaged.
 */
bool ike_next_payload(struct payload *p)
{
	size_t size;

	p->data += p->size;
	p->left -= p->size;
	p->size = 0;
	if (!p->next || p->left < 4)
		return false;
	size = get16(p->data + 2);
	if (size < 4 || size > p->left)
		return false;
	p->size = size;
	p->kind = p->next;
	p->next = p->data[0];
	return true;
}

/**
 * ike_notify_text - Say a notification in words.
 * @text: Filled in.
 * @before: What comes before it.
 * @names: The names of types.
 * @n: How many.
 * @type: Which it is.
 */
void ike_notify_text(char text[PROBE_TEXT], const char *before, const struct ike_name *names,
		     size_t n, uint16_t type)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].type == type) {
			snprintf(text, PROBE_TEXT, "%s%s", before, names[i].name);
			return;
		}
	snprintf(text, PROBE_TEXT, "%snotification %u", before, type);
}

static size_t ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	return variant || talk->old ? ike_v1_ask(to, talk) : ike_v2_ask(to, talk);
}

/* A refusal of IKEv2 is not the last word: IKEv1 is asked for, and what was said is kept. */
static bool take_v2(const uint8_t *data, size_t length, struct talk *talk, char text[PROBE_TEXT])
{
	char said[PROBE_TEXT];
	bool v2 = data[17] >> 4 >= 2;

	if (v2 && (ike_v2_understand(data, length, talk, said) || talk->again)) {
		memcpy(text, said, PROBE_TEXT);
		return true;
	}
	if (talk->old)
		return false;
	/* a gateway that does not know IKEv2 says so by IKEv1 */
	if (v2)
		memcpy(talk->refusal, said, PROBE_TEXT);
	else
		ike_v1_understand(data, length, talk, said);
	talk->old = true;
	talk->again = true;
	memcpy(text, said, PROBE_TEXT);
	return true;
}

static bool take_v1(const uint8_t *data, size_t length, struct talk *talk, char text[PROBE_TEXT])
{
	char said[PROBE_TEXT];

	if (data[17] >> 4 >= 2 || !ike_v1_understand(data, length, talk, said))
		return false;
	snprintf(text, PROBE_TEXT, "%.50s%s%.60s", talk->refusal, *talk->refusal ? "; " : "", said);
	return true;
}

static bool understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	const uint8_t *random = talk->random;

	if (length < IKE_HEADER_SIZE || get32(data + 24) < IKE_HEADER_SIZE ||
	    get32(data + 24) > length)
		return false;
	/* our own, thrown back by a mirror, is no answer (RFC 7296 3.1) */
	if (data[17] >> 4 >= 2 && !(data[19] & FLAG_RESPONSE))
		return false;
	if (data[17] >> 4 < 2 && !get32(data + 8) && !get32(data + 12) && data[18] == EXCHANGE_MAIN)
		return false;
	talk->again = false;
	talk->sight = (struct sight){};
	length = get32(data + 24);
	if (!memcmp(data, random, IKE_COOKIE_SIZE))
		return take_v2(data, length, talk, text);
	return !memcmp(data, random + IKE_COOKIE_SIZE, IKE_COOKIE_SIZE) &&
	       take_v1(data, length, talk, text);
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
