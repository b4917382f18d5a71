// SPDX-License-Identifier: GPL-2.0
/*
 * icmperr: an ICMP or ICMPv6 error that quotes an ESP packet, true or forged.
 * Called by selftests/esp.
 *
 * usage: icmperr -s SRC -d DST -S SRC -D DST -i SPI [-t TYPE] [-c CODE]
 *		  [-m MTU] [-q SEQ] [-l BYTES] [-p PROTO] [-b]
 *	-s -d  addresses of the error itself; -S -D of the packet that it quotes
 *	-t -c  type and code (3 and 4, fragmentation needed; IPv6: 2 and 0)
 *	-m     next-hop MTU (1400)
 *	-i -q  SPI and sequence number quoted
 *	-l     bytes quoted after the quoted IP header (8, RFC 792's least)
 *	-p     protocol quoted (50)
 *	-b     with a wrong checksum
 */
#define _GNU_SOURCE
#include "raw.h"

#define QUOTE_MAX 512

struct job {
	struct addr src, dst, qsrc, qdst;
	int type, code;
	uint32_t mtu, spi, seq;
	size_t len;
	uint8_t proto;
	bool bad;
};

/* type, code, checksum, then 32 bits: the MTU is in the lower half of them
 * (RFC 1191 4) or in all (RFC 4443 3.2)
 */
static size_t icmp(uint8_t *to, const struct job *j)
{
	bool six = j->src.family == AF_INET6;
	uint32_t num[2] = { htonl(j->spi), htonl(j->seq) }, sum = 0;
	uint32_t mtu = htonl(j->mtu);
	size_t len = 8;
	uint16_t check;

	memset(to, 0, 8);
	to[0] = j->type >= 0 ? j->type : six ? 2 : 3;
	to[1] = j->code >= 0 ? j->code : six ? 0 : 4;
	memcpy(to + 4, &mtu, 4);
	len += ip_header(to + len, j->qsrc, j->qdst, j->proto, j->len < 100 ? 100 : j->len);
	memset(to + len, 0, QUOTE_MAX);
	memcpy(to + len, num, j->len < 8 ? j->len : 8);
	len += j->len;
	if (six)
		sum = pseudo6(j->src.b, j->dst.b, IPPROTO_ICMPV6, len);
	check = fold(sum16(sum, to, len)) ^ (j->bad ? 0x1111 : 0);
	memcpy(to + 2, &check, 2);
	return len;
}

int main(int argc, char **argv)
{
	struct job j = { .type = -1, .code = -1, .mtu = 1400, .seq = 1, .len = 8,
			 .proto = IPPROTO_ESP };
	uint8_t body[QUOTE_MAX * 2], packet[QUOTE_MAX * 2 + 40];
	struct sockaddr_storage to;
	size_t len, off;
	socklen_t tolen;
	int opt, fd;

	while ((opt = getopt(argc, argv, "s:d:S:D:t:c:m:i:q:l:p:b")) != -1) {
		switch (opt) {
		case 's': j.src = addr_parse(optarg); break;
		case 'd': j.dst = addr_parse(optarg); break;
		case 'S': j.qsrc = addr_parse(optarg); break;
		case 'D': j.qdst = addr_parse(optarg); break;
		case 't': j.type = strtol(optarg, NULL, 0); break;
		case 'c': j.code = strtol(optarg, NULL, 0); break;
		case 'm': j.mtu = strtoul(optarg, NULL, 0); break;
		case 'i': j.spi = strtoul(optarg, NULL, 0); break;
		case 'q': j.seq = strtoul(optarg, NULL, 0); break;
		case 'l': j.len = strtoul(optarg, NULL, 0); break;
		case 'p': j.proto = strtoul(optarg, NULL, 0); break;
		case 'b': j.bad = true; break;
		default: return 2;
		}
	}
	if (!j.src.family || j.src.family != j.dst.family || j.qsrc.family != j.src.family ||
	    j.qdst.family != j.src.family || j.len > QUOTE_MAX) {
		fprintf(stderr, "usage: icmperr -s SRC -d DST -S SRC -D DST -i SPI [-t TYPE]"
				" [-c CODE] [-m MTU] [-q SEQ] [-l BYTES] [-p PROTO] [-b]\n");
		return 2;
	}
	len = icmp(body, &j);
	off = ip_header(packet, j.src, j.dst,
			j.src.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, len);
	memcpy(packet + off, body, len);
	fd = raw_socket(j.src.family);
	tolen = raw_to(&to, &j.dst);
	if (sendto(fd, packet, off + len, 0, (void *)&to, tolen) < 0)
		raw_fail("sendto");
	return 0;
}
