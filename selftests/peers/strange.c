// SPDX-License-Identifier: GPL-2.0
/*
 * strange: a flood of packets that each look like the first of something new, from any
 * IPv4 address to any other. Called by selftests/hostile.
 *
 * usage: strange KIND SRC DST COUNT [SPORT DPORT]
 *	esp, ah, gre, l2tp3	SPIs, call IDs or session IDs by chance
 *	ike, natt		IKE_SA_INIT, initiator SPIs by chance
 *	ikeanswer		the answer to one
 *	l2tp			SCCRQ, tunnel IDs by chance
 *	syn, synack, ack	TCP with sequence numbers by chance
 * Ports are by chance where 0 or not given. Prints "sent N us N".
 */
#include <time.h>

#include "raw.h"

static uint64_t state = 88172645463325252ull;

static uint32_t chance(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 24;
}

static void put16(uint8_t *p, uint16_t v)
{
	v = htons(v);
	memcpy(p, &v, 2);
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}

static size_t ike(uint8_t *p, bool answer)
{
	memset(p, 0, 128);
	put32(p, chance());
	put32(p + 4, chance());
	put32(p + 12, answer ? chance() : 0);
	put32(p + 16, answer ? 0x21202220 : 0x21202208);
	put32(p + 24, 128);
	put16(p + 30, 100);
	return 128;
}

static size_t sccrq(uint8_t *p)
{
	static const uint8_t m[] = {
		0xc8, 2, 0, 28, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 0, 0, 0, 0, 0, 1,
		0x80, 8, 0, 0, 0, 9,
	};

	memcpy(p, m, sizeof(m));
	put16(p + 26, chance());
	return 28;
}

/* The payload behind the IP header, for protocols without ports. */
static size_t numbered(const char *kind, uint8_t *p)
{
	size_t i;

	for (i = 0; i < 48; i += 4)
		put32(p + i, chance());
	if (!strcmp(kind, "gre")) {
		put32(p, 0x3001880b);
		put16(p + 4, 36);
	} else {
		put32(p, 256 + chance() % 0xfffffe00u);
		put32(p + (kind[0] == 'a' ? 8 : 4), 1);
	}
	if (kind[0] == 'a') {
		put32(p, 0x32040000);
		put32(p + 4, 256 + chance());
	}
	return 48;
}

static size_t tcp(uint8_t *p, uint8_t flags)
{
	memset(p, 0, 20);
	put32(p + 4, chance());
	put32(p + 8, flags & 0x10 ? chance() : 0);
	p[12] = 5 << 4;
	p[13] = flags;
	put16(p + 14, 65535);
	return 20;
}

static uint8_t proto_of(const char *kind)
{
	static const struct {
		const char *kind;
		uint8_t proto;
	} all[] = {
		{ "esp", 50 }, { "ah", 51 }, { "gre", 47 }, { "l2tp3", 115 },
		{ "syn", IPPROTO_TCP }, { "synack", IPPROTO_TCP }, { "ack", IPPROTO_TCP },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(kind, all[i].kind))
			return all[i].proto;
	return IPPROTO_UDP;
}

static size_t fill(const char *kind, uint8_t proto, uint8_t *l4, uint16_t sport, uint16_t dport)
{
	size_t len;

	if (proto == IPPROTO_UDP) {
		len = 8 + (kind[0] == 'l' ? sccrq(l4 + 8) : ike(l4 + 8, !!strstr(kind, "answer")));
		put16(l4 + 4, len);
		put16(l4 + 6, 0);
	} else if (proto == IPPROTO_TCP) {
		len = tcp(l4, kind[0] == 'a' ? 0x10 : kind[3] ? 0x12 : 0x02);
	} else {
		return numbered(kind, l4);
	}
	put16(l4, sport ? sport : 1024 + chance() % 60000);
	put16(l4 + 2, dport ? dport : 1024 + chance() % 60000);
	return len;
}

/* TCP's checksum; that of UDP may be absent. */
static void tcp_sum(uint8_t *l4, size_t len, const struct addr *src, const struct addr *dst)
{
	uint32_t sum = sum16(sum16(IPPROTO_TCP + len, src->b, 4), dst->b, 4);
	uint16_t v = fold(sum16(sum, l4, len));

	put16(l4 + 16, v);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage to;
	struct addr src, dst;
	struct timespec a, b;
	long count, i, sent = 0;
	uint16_t port[2] = { 0 };
	uint8_t packet[256], proto;
	socklen_t to_len;
	int fd;

	if (argc != 5 && argc != 7) {
		fprintf(stderr, "usage: strange KIND SRC DST COUNT [SPORT DPORT]\n");
		return 2;
	}
	src = addr_parse(argv[2]);
	dst = addr_parse(argv[3]);
	count = atol(argv[4]);
	for (i = 0; argc == 7 && i < 2; i++)
		port[i] = atoi(argv[5 + i]);
	proto = proto_of(argv[1]);
	fd = raw_socket(src.family);
	to_len = raw_to(&to, &dst);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < count; i++) {
		size_t len = fill(argv[1], proto, packet + 20, port[0], port[1]);

		if (proto == IPPROTO_TCP)
			tcp_sum(packet + 20, len, &src, &dst);
		ip_header(packet, src, dst, proto, len);
		sent += sendto(fd, packet, 20 + len, 0, (void *)&to, to_len) > 0;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("sent %ld us %ld\n", sent, (long)((b.tv_sec - a.tv_sec) * 1000000 +
						  (b.tv_nsec - a.tv_nsec) / 1000));
	return 0;
}
