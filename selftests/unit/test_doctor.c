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

static uint8_t noise[PROBE_RANDOM];

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
	good = s->understand(copy, length, noise, text);
	if (s->end && good) {
		uint8_t request[PROBE_SIZE];

		s->end(request, noise, copy, length);
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
		&service_ike, &service_natt, &service_pptp, &service_l2tp, &service_openvpn,
	};
	uint8_t data[PROBE_SIZE];
	char text[PROBE_TEXT], name[80];
	size_t i, length;
	int variant;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (variant = 0; variant < all[i]->variants; variant++) {
			length = all[i]->ask(data, noise, variant);
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

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = i * 7 + 3;
	test_addresses();
	test_prefixes();
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		test_answer(answers[i].service, answers[i].answer, answers[i].text);
	test_mirrors();
	return tap_end();
}
