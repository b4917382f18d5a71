// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the doctor's pure parts: what kind of address it is, and
 * answers to probes, whole, cut anywhere, and with any byte changed. What the
 * requests look like is checked by selftests/peers/vpn_responder.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/doctor/network.h"
#include "../../tools/doctor/probe/probe.h"
#include "tap.h"

static struct host address(const char *text)
{
	struct host a;
	uint8_t bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, bytes) != 1)
		abort();
	host_set(&a, family, bytes);
	return a;
}

/* p private, c carrier's, g global, - none of them */
static void test_addresses(void)
{
	static const struct {
		const char *text;
		char kind;
	} cases[] = {
		{ "10.0.0.1", 'p' }, { "9.255.255.255", 'g' }, { "11.0.0.0", 'g' },
		{ "172.15.255.255", 'g' }, { "172.16.0.0", 'p' }, { "172.31.255.255", 'p' },
		{ "172.32.0.0", 'g' }, { "192.168.0.1", 'p' }, { "192.169.0.1", 'g' },
		{ "100.63.255.255", 'g' }, { "100.64.0.0", 'c' }, { "100.127.255.255", 'c' },
		{ "100.128.0.0", 'g' }, { "127.0.0.1", '-' }, { "169.254.1.1", '-' },
		{ "192.0.2.1", 'g' }, { "224.0.0.1", '-' }, { "255.255.255.255", '-' },
		{ "0.0.0.0", '-' }, { "fd00::1", 'p' }, { "fe80::1", '-' }, { "ff02::1", '-' },
		{ "::1", '-' }, { "2001:db8::1", 'g' },
	};
	char name[80];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host a = address(cases[i].text);
		char kind = host_is_private(&a) ? 'p' : host_is_cgnat(&a) ? 'c' :
			    host_is_global(&a) ? 'g' : '-';

		snprintf(name, sizeof(name), "%s is of kind %c", cases[i].text, cases[i].kind);
		ok(kind == cases[i].kind, name);
	}
}

static void test_prefixes(void)
{
	struct host a = address("10.1.2.3"), b = address("10.1.2.200"), six = address("fd00::1");

	ok(host_in(&a, &b, 24), "the same /24");
	ok(!host_in(&a, &b, 25), "not the same /25");
	ok(host_in(&a, &b, 0), "all are in /0");
	ok(!host_in(&a, &six, 0), "but not of the other family");
	ok(!host_in(&a, &b, 32) && host_in(&a, &a, 32), "/32 is itself");
}

static struct talk talk;
static uint8_t *const noise = talk.random;

/* Answers as they come from gateways; cookies and numbers are put in. */
static uint8_t *put_ike(uint8_t *p, size_t cookie, uint8_t payload, uint8_t version,
			uint8_t exchange, uint8_t flags, uint32_t length)
{
	p = put_bytes(p, noise + cookie, 8);
	p = put32(put32(p, 0xaaaaaaaa), 0xaaaaaaaa);
	p = put8(put8(put8(put8(p, payload), version), exchange), flags);
	return put32(put32(p, 0), length);
}

static size_t ike_refusal(uint8_t *to)
{
	uint8_t *p = put_ike(to, 0, 41, 0x20, 34, 0x20, 36);

	p = put16(put8(put8(p, 0), 0), 8);
	return put16(put8(put8(p, 0), 0), 14) - to;
}

/* The gateway would have group 19, which a following question has. */
static size_t ike_wish(uint8_t *to)
{
	uint8_t *p = put_ike(to, 0, 41, 0x20, 34, 0x20, 38);

	p = put16(put8(put8(p, 0), 0), 10);
	return put16(put16(put8(put8(p, 0), 0), 17), 19) - to;
}

static size_t ike_cookie(uint8_t *to)
{
	uint8_t *p = put_ike(to, 0, 41, 0x20, 34, 0x20, 40);

	p = put16(put8(put8(p, 0), 0), 12);
	return put32(put16(put8(put8(p, 0), 0), 16390), 0x12345678) - to;
}

static struct endpoint endpoint(const char *text, uint16_t port)
{
	return (struct endpoint){ address(text), port };
}

/* Consent, with the address 192.0.2.7, port 1024, that it sees. */
static size_t ike_accept(uint8_t *to)
{
	struct endpoint seen = endpoint("192.0.2.7", 1024);
	uint8_t *p = put_ike(to, 0, 33, 0x20, 34, 0x20, 28 + 8 + 2 * 28);
	uint16_t type;

	p = put32(put16(put8(put8(p, 41), 0), 8), 0);
	for (type = 16388; type < 16390; type++) {
		p = put16(put8(put8(p, type == 16388 ? 41 : 0), 0), 28);
		p = put16(put8(put8(p, 0), 0), type);
		nat_hash(p, to, type == 16388 ? &talk.peer : &seen);
		p += SHA1_SIZE;
	}
	return p - to;
}

static size_t ike_by_tcp(uint8_t *to)
{
	size_t length = ike_accept(to + 6);

	put32(put16(to, 2 + 4 + length), 0);
	return 6 + length;
}

static size_t ike1_refusal(uint8_t *to)
{
	uint8_t *p = put_ike(to, 8, 11, 0x10, 5, 0, 40);

	p = put16(put8(put8(p, 0), 0), 12);
	p = put32(p, 1);
	return put16(put8(put8(p, 1), 0), 14) - to;
}

static size_t l2tp_accept(uint8_t *to)
{
	uint8_t *p = put16(put16(to, 0xc802), 28);

	p = put16(put16(p, get16(noise) | 1), 0);
	p = put16(put16(p, 0), 1);
	p = put16(put16(put16(put16(p, 0x8008), 0), 0), 2);
	return put16(put16(put16(put16(p, 0x8008), 0), 9), 77) - to;
}

static size_t openvpn_reset(uint8_t *to)
{
	uint8_t *p = put8(to, 8 << 3);

	p = put32(put32(p, 1), 2);
	p = put32(put8(p, 1), 0);
	return put32(put_bytes(p, noise, 8), 0) - to;
}

static size_t pptp_accept(uint8_t *to)
{
	memset(to, 0, 156);
	put32(put16(put16(to, 156), 1), 0x1a2b3c4d);
	put16(to + 8, 2);
	to[14] = 1;
	memset(to + 28, 'x', 64);	/* a name that does not end */
	return 156;
}

static const struct {
	const struct service *service;
	size_t (*answer)(uint8_t *to);
	const char *text;
} answers[] = {
	{ &service_ike, ike_refusal, "IKEv2, NO_PROPOSAL_CHOSEN" },
	{ &service_ike, ike_wish, "IKEv2, INVALID_KE_PAYLOAD" },
	{ &service_ike, ike_cookie, "IKEv2, COOKIE" },
	{ &service_ike, ike_accept, "IKEv2, proposal accepted" },
	{ &service_ike_tcp, ike_by_tcp, "IKEv2, proposal accepted" },
	{ &service_ike, ike1_refusal, "IKEv1, NO_PROPOSAL_CHOSEN" },
	{ &service_l2tp, l2tp_accept, "L2TP, accepted" },
	{ &service_openvpn, openvpn_reset, "OpenVPN, hard reset" },
	{ &service_pptp, pptp_accept, "PPTP, accepted, host xxxxxxxx" },
};

/* From the heap, so that a read beyond the end is seen. */
static bool understands(const struct service *s, const uint8_t *data, size_t length,
			char text[PROBE_TEXT])
{
	uint8_t *copy = malloc(length ? length : 1);
	bool good;

	memcpy(copy, data, length);
	text[0] = '\0';
	good = s->understand(copy, length, &talk, text);
	if (s->end && good) {
		uint8_t request[PROBE_SIZE];

		s->end(request, &talk, copy, length);
	}
	free(copy);
	return good;
}

static void test_answer(const struct service *s, size_t (*answer)(uint8_t *to), const char *want)
{
	uint8_t data[PROBE_SIZE];
	char text[PROBE_TEXT], name[160];
	size_t length = answer(data), i;
	int bit, cut = 0;

	snprintf(name, sizeof(name), "an answer: %s", want);
	ok(understands(s, data, length, text) && !strncmp(text, want, strlen(want)), name);
	for (i = 0; i < length; i++)
		cut += understands(s, data, i, text);
	snprintf(name, sizeof(name), "cut short it is none: %s", want);
	ok(!cut, name);
	for (i = 0; i < length; i++)
		for (bit = 0; bit < 8; bit++) {
			data[i] ^= 1 << bit;
			understands(s, data, length, text);
			data[i] ^= 1 << bit;
		}
	snprintf(name, sizeof(name), "any bit may be changed: %s", want);
	ok(understands(s, data, length, text), name);
}

/* A stranger's answer, or one's own question thrown back, is none. */
static void test_mirrors(void)
{
	static const struct service *const all[] = {
		&service_ike, &service_natt, &service_ike_tcp, &service_pptp, &service_l2tp,
		&service_openvpn,
	};
	uint8_t data[PROBE_SIZE];
	char text[PROBE_TEXT], name[80];
	size_t i, length;
	int variant;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (variant = 0; variant < all[i]->variants; variant++) {
			length = all[i]->ask(data, &talk, variant);
			snprintf(name, sizeof(name), "%s: a mirror is no answer", all[i]->name);
			ok(length > 12 && length <= sizeof(data) &&
			   !understands(all[i], data, length, text), name);
		}
	ike_refusal(data);
	data[0] ^= 1;
	ok(!understands(&service_ike, data, 36, text), "nor is another's SPI");
	openvpn_reset(data);
	data[14] ^= 1;
	ok(!understands(&service_openvpn, data, 26, text), "nor another's session");
}

/* RFC 3174 7.3, and lengths about a block's, with what sha1sum(1) says of them. */
static void test_sha1(void)
{
	static const struct {
		const char *text;
		int times;
		uint32_t digest[5];
	} cases[] = {
		{ "abc", 1, { 0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  { 0x84983e44, 0x1c3bd26e, 0xbaae4aa1, 0xf95129e5, 0xe54670f1 } },
		{ "a", 1000000, { 0x34aa973c, 0xd4c4daa4, 0xf61eeb2b, 0xdbad2731, 0x6534016f } },
		{ "01234567012345670123456701234567" "01234567012345670123456701234567", 10,
		  { 0xdea356a2, 0xcddd90c7, 0xa7ecedc5, 0xebb56393, 0x4f460452 } },
		{ "", 1, { 0xda39a3ee, 0x5e6b4b0d, 0x3255bfef, 0x95601890, 0xafd80709 } },
		{ "x", 55, { 0xcef734ba, 0x81a02447, 0x9e09eb5a, 0x75b6ddae, 0x62e6abf1 } },
		{ "x", 56, { 0x90130536, 0x7c259952, 0xf4e7af83, 0x23f480d5, 0x9f81335b } },
		{ "x", 63, { 0x0ddc4e0c, 0xccd9a128, 0x50deb5ab, 0xb0853a44, 0x25559fec } },
		{ "x", 64, { 0xbb2fa3ee, 0x7afb9f54, 0xc6dfb5d0, 0x21f14b1f, 0xfe40c163 } },
	};
	uint8_t digest[SHA1_SIZE];
	char name[80];
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t size = strlen(cases[i].text), length = size * cases[i].times;
		uint8_t *data = malloc(length ? length : 1);
		bool same = true;

		for (k = 0; k < (size_t)cases[i].times; k++)
			memcpy(data + k * size, cases[i].text, size);
		sha1_digest(digest, data, length);
		for (k = 0; k < 5; k++)
			same &= get32(digest + 4 * k) == cases[i].digest[k];
		snprintf(name, sizeof(name), "SHA-1 of %zu bytes", length);
		ok(same, name);
		free(data);
	}
}

static void test_sight(void)
{
	struct endpoint sent = endpoint("192.0.2.7", 1024), none = {};
	uint8_t data[PROBE_SIZE];
	char text[PROBE_TEXT];
	uint16_t port = 0;

	understands(&service_ike, data, ike_accept(data), text);
	ok(talk.sight.told && talk.sight.honest, "both addresses are told");
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_NONE, "no NAT");
	sent.port = 500;
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_PORT && port == 1024, "another port");
	sent = endpoint("192.0.2.8", 1024);
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_ADDRESS, "another address");
	ok(nat_judge(&talk.sight, &none, &port) == NAT_UNDECIDED, "or not known which");
	talk.peer.port++;
	understands(&service_ike, data, ike_accept(data), text);
	talk.peer.port--;
	ok(talk.sight.honest, "its port is part of that");
	data[28 + 8 + 8] ^= 1;
	understands(&service_ike, data, 28 + 8 + 2 * 28, text);
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_UNDECIDED, "one that hides its own address");
	understands(&service_ike, data, ike_refusal(data), text);
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_UNKNOWN, "a refusal says nothing of it");
}

/* The next question has the group and the cookie that the gateway asked for, the cookie first. */
static void test_wishes(void)
{
	uint8_t data[PROBE_SIZE];
	char text[PROBE_TEXT];
	size_t plain = service_ike.ask(data, &talk, 0);

	ok(understands(&service_ike, data, ike_wish(data), text) && talk.again &&
	   talk.group == 19, "another group");
	ok(service_ike.ask(data, &talk, 0) == plain - 256 + 64, "is used");
	ok(understands(&service_ike, data, ike_cookie(data), text) && talk.again &&
	   talk.cookie_length == 4, "a cookie");
	ok(service_ike.ask(data, &talk, 0) == plain - 256 + 64 + 12 && data[16] == 41 &&
	   get32(data + 28 + 8) == 0x12345678, "comes back");
	ok(understands(&service_ike, data, ike_accept(data), text) && !talk.again, "then not");
}

int main(void)
{
	size_t i;

	for (i = 0; i < PROBE_RANDOM; i++)
		noise[i] = i * 7 + 3;
	talk.own = endpoint("192.0.2.7", 1024);
	talk.peer = endpoint("198.51.100.1", 500);
	test_addresses();
	test_prefixes();
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		test_answer(answers[i].service, answers[i].answer, answers[i].text);
	test_mirrors();
	talk.group = 0;
	talk.cookie_length = 0;
	test_sha1();
	test_sight();
	test_wishes();
	return tap_end();
}
