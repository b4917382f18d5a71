// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_icmp: an ICMP error that quotes any bytes of any protocol, so further
 * into a packet than icmperr does. IPv4. Called by selftests/l2tp.
 *
 * usage: l2tp_icmp -s SRC -d DST -S SRC -D DST -p PROTO [-t TYPE] [-c CODE]
 *		    [-m MTU] [-w] HEX
 *	-s -d  addresses of the error; -S -D of the packet that it quotes
 *	-t -c  type and code (3 and 4, fragmentation needed)
 *	-w     the quote in another error's quote, to a router in between
 * HEX is what is quoted after the IP header.
 */
#define _GNU_SOURCE
#include "raw.h"

#define MAX 512

struct job {
	struct addr src, dst, qsrc, qdst;
	int type, code, proto;
	unsigned int mtu;
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

/* An error about a packet of @proto, @len bytes of which are at @quote. */
static size_t icmp(uint8_t *to, const struct job *j, int proto, const uint8_t *quote, size_t len)
{
	uint32_t mtu = htonl(j->mtu);
	uint16_t check;
	size_t n = 8;

	memset(to, 0, 8);
	to[0] = j->type;
	to[1] = j->code;
	memcpy(to + 4, &mtu, 4);
	n += ip_header(to + n, j->qsrc, j->qdst, proto, len < 100 ? 100 : len);
	memcpy(to + n, quote, len);
	n += len;
	check = fold(sum16(0, to, n));
	memcpy(to + 2, &check, 2);
	return n;
}

int main(int argc, char **argv)
{
	struct job j = { .type = 3, .code = 4, .proto = 17, .mtu = 1400 };
	uint8_t quote[MAX + 64], body[MAX + 64], packet[MAX + 128];
	struct sockaddr_storage to;
	bool nested = false;
	socklen_t tolen;
	size_t len, off;
	int opt, fd;

	while ((opt = getopt(argc, argv, "s:d:S:D:p:t:c:m:w")) != -1) {
		switch (opt) {
		case 's': j.src = addr_parse(optarg); break;
		case 'd': j.dst = addr_parse(optarg); break;
		case 'S': j.qsrc = addr_parse(optarg); break;
		case 'D': j.qdst = addr_parse(optarg); break;
		case 'p': j.proto = atoi(optarg); break;
		case 't': j.type = atoi(optarg); break;
		case 'c': j.code = atoi(optarg); break;
		case 'm': j.mtu = strtoul(optarg, NULL, 0); break;
		case 'w': nested = true; break;
		default: return 2;
		}
	}
	if (!j.src.family || !j.dst.family || !j.qsrc.family || !j.qdst.family ||
	    optind + 1 != argc) {
		fprintf(stderr, "usage: l2tp_icmp -s SRC -d DST -S SRC -D DST -p PROTO [-t TYPE]"
				" [-c CODE] [-m MTU] [-w] HEX\n");
		return 2;
	}
	len = unhex(quote, argv[optind]);
	len = icmp(body, &j, j.proto, quote, len);
	if (nested) {
		memcpy(quote, body, len < MAX ? len : MAX);
		len = icmp(body, &j, IPPROTO_ICMP, quote, len < MAX ? len : MAX);
	}
	off = ip_header(packet, j.src, j.dst, IPPROTO_ICMP, len);
	memcpy(packet + off, body, len);
	fd = raw_socket(AF_INET);
	tolen = raw_to(&to, &j.dst);
	if (sendto(fd, packet, off + len, 0, (void *)&to, tolen) < 0)
		raw_fail("sendto");
	return 0;
}
