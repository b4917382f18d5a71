// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_tap: prints the UDP and protocol 115 packets (IPv4) that arrive in its
 * network namespace, one a line. Called by selftests/l2tp.
 *
 * usage: l2tp_tap NAME
 * Prints "ready" when it listens, then a line a packet:
 *	NAME SRC DST udp SPORT DPORT HEX [bad]
 *	NAME SRC DST 115 HEX
 * HEX is all that follows; bad marks a wrong UDP checksum.
 */
#define _GNU_SOURCE
#include <poll.h>

#include "raw.h"

static int tap_open(int proto)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, proto), size = 4 << 20;

	if (fd < 0)
		raw_fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static void put_hex(const uint8_t *p, size_t n)
{
	putchar(' ');
	while (n--)
		printf("%02x", *p++);
}

/* The sum over addresses, protocol, length and all of the datagram (RFC 768). */
static bool udp_bad(const uint8_t *iph, const uint8_t *udp, size_t n)
{
	uint32_t sum = IPPROTO_UDP + n;

	if (!udp[6] && !udp[7])
		return false;
	return fold(sum16(sum16(sum, iph + 12, 8), udp, n));
}

static void drain(int fd, const char *name)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	uint8_t buf[2048], *l4;
	ssize_t n, hl;

	n = recv(fd, buf, sizeof(buf), 0);
	hl = (buf[0] & 15) * 4;
	if (n < hl)
		return;
	l4 = buf + hl;
	n -= hl;
	inet_ntop(AF_INET, buf + 12, src, sizeof(src));
	inet_ntop(AF_INET, buf + 16, dst, sizeof(dst));
	printf("%s %s %s ", name, src, dst);
	if (buf[9] == IPPROTO_UDP && n >= 8) {
		printf("udp %u %u", l4[0] << 8 | l4[1], l4[2] << 8 | l4[3]);
		put_hex(l4 + 8, n - 8);
		puts(udp_bad(buf, l4, n) ? " bad" : "");
	} else {
		printf("%u", buf[9]);
		put_hex(l4, n);
		puts("");
	}
}

int main(int argc, char **argv)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	int i;

	if (argc != 2) {
		fprintf(stderr, "usage: l2tp_tap NAME\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	p[0].fd = tap_open(IPPROTO_UDP);
	p[1].fd = tap_open(115);
	puts("ready");
	for (;;) {
		if (poll(p, 2, -1) < 0)
			raw_fail("poll");
		for (i = 0; i < 2; i++)
			if (p[i].revents)
				drain(p[i].fd, argv[1]);
	}
}
