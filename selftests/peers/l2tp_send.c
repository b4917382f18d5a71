// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_send: packets with any addresses, ports and bytes, over UDP or protocol
 * 115. Called by selftests/l2tp.
 *
 * usage: l2tp_send -s SRC -d DST [-p SPORT -q DPORT] [-n COUNT] [-i MS] HEX...
 *	  l2tp_send -s SRC -d DST [-p SPORT -q DPORT] -f FILE...
 *	-p -q  UDP ports; without them protocol 115
 *	-n -i  all of it so many times, so many milliseconds apart
 *	-f     files of fuzz/corpus.py l2tp, as fuzz_l2tp.c reads them: those that are
 *	       for this encapsulation
 * Each HEX is what follows the UDP or the IP header of one packet.
 */
#define _GNU_SOURCE
#include <netinet/udp.h>

#include "raw.h"

#define MAX 1500

struct job {
	struct addr src, dst;
	int sport, dport;
};

static size_t unhex(uint8_t *to, const char *hex)
{
	unsigned int byte;
	size_t n = 0;

	for (; hex[0] && hex[1] && n < MAX; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1) {
			errno = EINVAL;
			raw_fail(hex);
		}
		to[n++] = byte;
	}
	return n;
}

/* IPv4 needs no UDP checksum (RFC 768), IPv6 does. */
static size_t udp(uint8_t *to, const struct job *j, const uint8_t *body, size_t len)
{
	struct udphdr *uh = (void *)to;

	*uh = (struct udphdr) {
		.source = htons(j->sport), .dest = htons(j->dport),
		.len = htons(sizeof(*uh) + len),
	};
	memcpy(to + sizeof(*uh), body, len);
	len += sizeof(*uh);
	if (j->src.family == AF_INET6)
		uh->check = fold(sum16(pseudo6(j->src.b, j->dst.b, IPPROTO_UDP, len), to, len));
	return len;
}

static void send_one(int fd, const struct job *j, const uint8_t *body, size_t len)
{
	uint8_t l4[MAX + 8], packet[MAX + 48];
	struct sockaddr_storage to;
	socklen_t tolen;
	size_t off;

	if (j->sport)
		len = udp(l4, j, body, len);
	else
		memcpy(l4, body, len);
	off = ip_header(packet, j->src, j->dst, j->sport ? IPPROTO_UDP : 115, len);
	memcpy(packet + off, l4, len);
	tolen = raw_to(&to, &j->dst);
	if (sendto(fd, packet, off + len, 0, (void *)&to, tolen) < 0)
		raw_fail("sendto");
}

static void send_hex(int fd, const struct job *j, const char *hex)
{
	uint8_t body[MAX];

	send_one(fd, j, body, unhex(body, hex));
}

/* Bit 0 of the first byte: over IP. */
static void send_file(int fd, const struct job *j, const char *name)
{
	uint8_t buf[1 + 1400];
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f)
		raw_fail(name);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	if (n && (buf[0] & 1) == !j->sport)
		send_one(fd, j, buf + 1, n - 1);
}

int main(int argc, char **argv)
{
	unsigned int count = 1, ms = 0;
	struct job j = { 0 };
	bool files = false;
	int opt, fd, i;

	while ((opt = getopt(argc, argv, "s:d:p:q:n:i:f")) != -1) {
		switch (opt) {
		case 's': j.src = addr_parse(optarg); break;
		case 'd': j.dst = addr_parse(optarg); break;
		case 'p': j.sport = atoi(optarg); break;
		case 'q': j.dport = atoi(optarg); break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 'i': ms = strtoul(optarg, NULL, 0); break;
		case 'f': files = true; break;
		default: return 2;
		}
	}
	if (!j.src.family || j.src.family != j.dst.family || optind == argc) {
		fprintf(stderr, "usage: l2tp_send -s SRC -d DST [-p SPORT -q DPORT] [-n COUNT]"
				" [-i MS] HEX...|-f FILE...\n");
		return 2;
	}
	fd = raw_socket(j.src.family);
	while (count--) {
		for (i = optind; i < argc; i++)
			(files ? send_file : send_hex)(fd, &j, argv[i]);
		if (ms)
			usleep(ms * 1000);
	}
	return 0;
}
