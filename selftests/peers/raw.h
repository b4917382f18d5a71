/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets by hand, for the programs here that send what no honest stack does:
 * addresses, checksums, IP headers and the raw socket they go out by.
 */
#ifndef PEERS_RAW_H
#define PEERS_RAW_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct addr {
	int family;		/* AF_INET or AF_INET6 */
	uint8_t b[16];		/* network order */
};

static inline void raw_fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static inline struct addr addr_parse(const char *text)
{
	struct addr a = { .family = AF_INET };

	if (inet_pton(AF_INET, text, a.b) == 1)
		return a;
	a.family = AF_INET6;
	if (inet_pton(AF_INET6, text, a.b) != 1) {
		errno = EINVAL;
		raw_fail(text);
	}
	return a;
}

/* The address @n further on; counts in its last 32 bits. */
static inline struct addr addr_plus(struct addr a, uint32_t n)
{
	uint8_t *low = a.b + (a.family == AF_INET ? 0 : 12);
	uint32_t v;

	memcpy(&v, low, 4);
	v = htonl(ntohl(v) + n);
	memcpy(low, &v, 4);
	return a;
}

static inline uint32_t sum16(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += p[0] << 8 | p[1];
	if (len)
		sum += p[0] << 8;
	return sum;
}

/* RFC 1071, in network order; 0 over data that holds a right checksum. */
static inline uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The sum that a checksum over an IPv6 payload begins with (RFC 8200 8.1). */
static inline uint32_t pseudo6(const void *src, const void *dst, uint8_t proto, uint32_t len)
{
	return sum16(sum16(proto + (len >> 16) + (len & 0xffff), src, 16), dst, 16);
}

/* An IP header for @len bytes of @proto; returns its length. */
static inline size_t ip_header(uint8_t *to, struct addr src, struct addr dst, uint8_t proto,
			       size_t len)
{
	struct ip6_hdr *h6 = (void *)to;
	struct iphdr *h = (void *)to;

	if (src.family == AF_INET) {
		*h = (struct iphdr) {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = proto,
			.tot_len = htons(sizeof(*h) + len),
		};
		memcpy(&h->saddr, src.b, 4);
		memcpy(&h->daddr, dst.b, 4);
		h->check = fold(sum16(0, h, sizeof(*h)));
		return sizeof(*h);
	}
	memset(h6, 0, sizeof(*h6));
	h6->ip6_flow = htonl(6u << 28);
	h6->ip6_plen = htons(len);
	h6->ip6_nxt = proto;
	h6->ip6_hlim = 64;
	memcpy(&h6->ip6_src, src.b, 16);
	memcpy(&h6->ip6_dst, dst.b, 16);
	return sizeof(*h6);
}

/* A socket for whole packets: IPPROTO_RAW brings its own header, raw(7). */
static inline int raw_socket(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (fd < 0)
		raw_fail("socket");
	return fd;
}

static inline socklen_t raw_to(struct sockaddr_storage *ss, const struct addr *dst)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = dst->family;
	if (dst->family == AF_INET) {
		memcpy(&in->sin_addr, dst->b, 4);
		return sizeof(*in);
	}
	memcpy(&in6->sin6_addr, dst->b, 16);
	return sizeof(*in6);
}

#endif /* PEERS_RAW_H */
