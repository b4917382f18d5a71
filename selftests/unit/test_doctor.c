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
		nat_hash(p, SHA1_SIZE, to, type == 16388 ? &talk.peer : &seen);
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

/* Some payloads of IKEv1, and the length in the header. */
static uint8_t *put_v1(uint8_t *p, uint8_t next, const void *data, size_t length)
{
	return put_bytes(put16(put8(put8(p, next), 0), 4 + length), data, length);
}

static size_t end_v1(uint8_t *to, const uint8_t *end)
{
	put32(to + 24, end - to);
	return end - to;
}

/* A transform of AES, SHA-256, group 2 and a life of 32 bits, as Windows writes it; NAT-T */
static size_t ike1_accept(uint8_t *to)
{
	static const uint8_t sa[] = {
		0, 0, 0, 1, 0, 0, 0, 1,
		0, 0, 0, 48, 1, 1, 0, 1,
		0, 0, 0, 40, 7, 1, 0, 0,
		0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 2, 0, 4, 0x80, 4, 0, 2, 0x80, 3, 0, 1,
		0x80, 11, 0, 1, 0, 12, 0, 4, 0, 0, 0x70, 0x80,
	};
	static const uint8_t natt[] = {
		0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e,
		0x95, 0x45, 0x2f,
	};
	uint8_t *p = put_ike(to, 8, 1, 0x10, 2, 0, 0);

	return end_v1(to, put_v1(put_v1(p, 13, sa, sizeof(sa)), 0, natt, sizeof(natt)));
}

/* Its key, nonce, the address that it sees and those that it has */
static size_t ike1_key(uint8_t *to)
{
	struct endpoint seen = endpoint("192.0.2.7", 1024), other = endpoint("10.0.0.1", 500);
	const struct endpoint *all[] = { &seen, &other, &talk.peer };
	uint8_t *p = put_ike(to, 8, 4, 0x10, 2, 0, 0), value[128] = { 1 }, hash[SHA256_SIZE];
	size_t i;

	p = put_v1(put_v1(p, 10, value, sizeof(value)), 20, value, 16);
	for (i = 0; i < 3; i++) {
		nat_hash(hash, sizeof(hash), to, all[i]);
		p = put_v1(p, i < 2 ? 20 : 0, hash, sizeof(hash));
	}
	return end_v1(to, p);
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
	{ &service_ike, ike1_accept, "IKEv1, proposal accepted" },
	{ &service_l2tp, l2tp_accept, "L2TP, accepted" },
	{ &service_openvpn, openvpn_reset, "OpenVPN, hard reset" },
	{ &service_pptp, pptp_accept, "PPTP, accepted, host xxxxxxxx" },
};

/* From the heap, so that a read beyond the end is seen. */
static bool understands_next(const struct service *s, const uint8_t *data, size_t length,
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

/* As the first that is said */
static bool understands(const struct service *s, const uint8_t *data, size_t length,
			char text[PROBE_TEXT])
{
	talk.old = false;
	talk.refusal[0] = '\0';
	talk.main = (struct main_mode){};
	return understands_next(s, data, length, text);
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

/* RFC 3174 7.3, RFC 6234 8.5, and lengths about a block's, as sha1sum(1) and sha256sum(1) say. */
struct digest {
	const char *text;
	int times;
	uint32_t words[8];
};

static void test_digests(const struct digest *cases, size_t n, size_t words)
{
	uint8_t digest[DIGEST_MAX];
	char name[80];
	size_t i, k;

	for (i = 0; i < n; i++) {
		size_t size = strlen(cases[i].text), length = size * cases[i].times;
		uint8_t *data = malloc(length ? length : 1);
		bool same = true;

		for (k = 0; k < (size_t)cases[i].times; k++)
			memcpy(data + k * size, cases[i].text, size);
		sha_digest(digest, 4 * words, data, length);
		for (k = 0; k < words; k++)
			same &= get32(digest + 4 * k) == cases[i].words[k];
		snprintf(name, sizeof(name), "SHA with %zu words of %zu bytes", words, length);
		ok(same, name);
		free(data);
	}
}

static void test_sha(void)
{
	static const struct digest sha1[] = {
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
	}, sha256[] = {
		{ "abc", 1,
		  { 0xba7816bf, 0x8f01cfea, 0x414140de, 0x5dae2223,
		    0xb00361a3, 0x96177a9c, 0xb410ff61, 0xf20015ad } },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  { 0x248d6a61, 0xd20638b8, 0xe5c02693, 0x0c3e6039,
		    0xa33ce459, 0x64ff2167, 0xf6ecedd4, 0x19db06c1 } },
		{ "a", 1000000,
		  { 0xcdc76e5c, 0x9914fb92, 0x81a1c7e2, 0x84d73e67,
		    0xf1809a48, 0xa497200e, 0x046d39cc, 0xc7112cd0 } },
		{ "", 1,
		  { 0xe3b0c442, 0x98fc1c14, 0x9afbf4c8, 0x996fb924,
		    0x27ae41e4, 0x649b934c, 0xa495991b, 0x7852b855 } },
		{ "x", 55,
		  { 0xd5e28568, 0x3cd4efc0, 0x2d021a5c, 0x62014694,
		    0x95890100, 0x5d6f71e8, 0x9e0989fa, 0xc77e4072 } },
		{ "x", 56,
		  { 0x04c26261, 0x370ee754, 0x1549d16d, 0xee320c72,
		    0x3e3fd146, 0x71e66a09, 0x9afe0a37, 0x7c16888e } },
		{ "x", 63,
		  { 0x75220b47, 0x218278e6, 0x56f2013b, 0xb8f0c455,
		    0xa25eaf01, 0xe86c6492, 0x4e9d48d8, 0x9776d6f2 } },
		{ "x", 64,
		  { 0x7ce10097, 0x1f64e700, 0x1e8fe5a5, 0x1973ecdf,
		    0xe1ced42b, 0xefe7ee8d, 0x5fd62195, 0x06b5393c } },
	};

	test_digests(sha1, sizeof(sha1) / sizeof(sha1[0]), 5);
	test_digests(sha256, sizeof(sha256) / sizeof(sha256[0]), 8);
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
	size_t plain;

	talk.old = false;
	plain = service_ike.ask(data, &talk, 0);
	ok(understands(&service_ike, data, ike_wish(data), text) && talk.again &&
	   talk.group == 19, "another group");
	ok(service_ike.ask(data, &talk, 0) == plain - 256 + 64, "is used");
	ok(understands(&service_ike, data, ike_cookie(data), text) && talk.again &&
	   talk.cookie_length == 4, "a cookie");
	ok(service_ike.ask(data, &talk, 0) == plain - 256 + 64 + 12 && data[16] == 41 &&
	   get32(data + 28 + 8) == 0x12345678, "comes back");
	ok(understands(&service_ike, data, ike_accept(data), text) && !talk.again, "then not");
}

/* A refusal of IKEv2, then IKEv1's two answers; each comes twice and is heard once. */
static void test_main_mode(void)
{
	struct endpoint sent = endpoint("192.0.2.7", 1024);
	uint8_t data[PROBE_SIZE], question[PROBE_SIZE];
	char text[PROBE_TEXT];
	uint16_t port = 0;
	size_t length;

	understands(&service_ike, data, ike_refusal(data), text);
	ok(talk.again && talk.old, "IKEv1 is asked for when IKEv2 is refused");
	ok(!understands_next(&service_ike, data, ike_refusal(data), text), "once");
	length = service_ike.ask(question, &talk, 0);
	ok(question[17] == 0x10 && question[18] == 2 && !get32(question + 8), "by main mode");
	ok(!understands_next(&service_ike, question, length, text), "a mirror is no answer to it");
	ok(understands_next(&service_ike, data, ike1_accept(data), text) && talk.again &&
	   talk.main.group == 2 && talk.main.hash_size == SHA256_SIZE, "a transform is taken");
	ok(!strcmp(text, "IKEv2, NO_PROPOSAL_CHOSEN; IKEv1, proposal accepted"), "both are said");
	ok(!understands_next(&service_ike, data, ike1_accept(data), text), "taken once");
	length = service_ike.ask(question, &talk, 0);
	ok(length == 28 + 4 + 128 + 4 + 32 + 2 * (4 + SHA256_SIZE) &&
	   get32(question + 8) == 0xaaaaaaaa && question[16] == 4, "a key is sent");
	length = ike1_key(data);
	data[8] ^= 1;
	ok(!understands_next(&service_ike, data, length, text), "another's cookie is none of ours");
	data[8] ^= 1;
	ok(understands_next(&service_ike, data, length, text) && !talk.again &&
	   talk.sight.told && talk.sight.honest, "the addresses are told");
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_NONE, "and no NAT");
	sent = endpoint("192.0.2.8", 1024);
	ok(nat_judge(&talk.sight, &sent, &port) == NAT_ADDRESS, "or one");
	talk.peer.port++;
	understands_next(&service_ike, data, length, text);
	talk.peer.port--;
	ok(talk.sight.told && !talk.sight.honest &&
	   nat_judge(&talk.sight, &sent, &port) == NAT_UNDECIDED, "if its own address is right");
	understands_next(&service_ike, data, ike1_key(data), text);
	length = ike1_refusal(data);
	ok(understands_next(&service_ike, data, length, text) && !talk.again &&
	   strstr(text, "accepted, then NO_PROPOSAL_CHOSEN"), "a refusal of the key is said");
	understands(&service_ike, data, ike1_accept(data), text);
	length = ike1_accept(data);
	data[length - 1] ^= 1;
	ok(understands(&service_ike, data, length, text) && !talk.again &&
	   strstr(text, "no NAT-T"), "who knows no NAT-T gets no key");
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
	test_sha();
	test_sight();
	test_wishes();
	test_main_mode();
	return tap_end();
}
