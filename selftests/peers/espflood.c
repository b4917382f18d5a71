// SPDX-License-Identifier: GPL-2.0
/*
 * espflood: sends ESP with chosen SPIs from any source address, as fast as a
 * raw socket and sendmmsg(2) allow or at a rate. Called by test scripts.
 *
 * usage: espflood -s SRC -d DST [-n COUNT] [-r RATE] [-S SPI] [-q SEQ]
 *		   [-l BYTES] [-p PROTO] [-z SEED]
 *	-n  packets (1000)		-r  packets per second (0: no limit)
 *	-S  SPI; without it a random one, above 255, for each packet
 *	-q  sequence number of the first packet, then counting; without it 1 always
 *	-l  bytes after the SPI and sequence number (32), random
 *	-p  IP protocol (50)		-z  seed of the random numbers (1)
 * Prints "sent N failed N ms N". SRC need not be an address of this machine.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MAX_LEN 1400
#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

struct flood {
	struct sockaddr_storage to;
	socklen_t to_len;
	uint8_t header[40];		/* octets of the IP packet, all but the length */
	size_t header_len, len;
	long count, rate, spi;		/* spi: -1 for random */
	uint32_t seq;
	int counting, proto;
	uint64_t rnd;
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static uint32_t rnd32(struct flood *f)
{
	f->rnd ^= f->rnd << 13;
	f->rnd ^= f->rnd >> 7;
	f->rnd ^= f->rnd << 17;
	return f->rnd >> 16;
}

static void die(const char *what)
{
	fprintf(stderr, "espflood: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* The kernel fills in the IPv4 checksum and id. */
static void header4(struct flood *f, const char *src, const char *dst)
{
	struct sockaddr_in *to = (void *)&f->to;
	struct iphdr *h = (void *)f->header;

	h->version = 4;
	h->ihl = 5;
	h->ttl = 64;
	h->protocol = f->proto;
	h->tot_len = htons(20 + f->len);
	if (inet_pton(AF_INET, src, &h->saddr) != 1 || inet_pton(AF_INET, dst, &h->daddr) != 1) {
		errno = EINVAL;
		die("address");
	}
	to->sin_family = AF_INET;
	to->sin_addr.s_addr = h->daddr;
	f->to_len = sizeof(*to);
	f->header_len = 20;
}

static void header6(struct flood *f, const char *src, const char *dst)
{
	struct sockaddr_in6 *to = (void *)&f->to;
	struct ip6_hdr *h = (void *)f->header;

	h->ip6_flow = htonl(6u << 28);
	h->ip6_hlim = 64;
	h->ip6_nxt = f->proto;
	h->ip6_plen = htons(f->len);
	if (inet_pton(AF_INET6, src, &h->ip6_src) != 1 ||
	    inet_pton(AF_INET6, dst, &h->ip6_dst) != 1) {
		errno = EINVAL;
		die("address");
	}
	to->sin6_family = AF_INET6;
	to->sin6_addr = h->ip6_dst;
	f->to_len = sizeof(*to);
	f->header_len = 40;
}

static void fill(struct flood *f, uint8_t *p)
{
	uint32_t spi, seq;
	size_t i;

	do {
		spi = f->spi >= 0 ? (uint32_t)f->spi : rnd32(f);
	} while (f->spi < 0 && spi < 256);
	seq = htonl(f->seq);
	if (f->counting)
		f->seq++;
	spi = htonl(spi);
	memcpy(p, f->header, f->header_len);
	p += f->header_len;
	memcpy(p, &spi, 4);
	memcpy(p + 4, &seq, 4);
	for (i = 8; i < f->len; i++)
		p[i] = rnd32(f);
}

static void flood(struct flood *f, int fd)
{
	static uint8_t buf[BATCH][40 + 8 + MAX_LEN];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	uint64_t start = now_us();
	long sent = 0, failed = 0;
	int i, n, k;

	memset(m, 0, sizeof(m));
	for (i = 0; i < BATCH; i++) {
		v[i] = (struct iovec){ buf[i], f->header_len + f->len };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name = &f->to;
		m[i].msg_hdr.msg_namelen = f->to_len;
	}
	while (sent + failed < f->count) {
		n = f->rate && f->rate < 10 * BATCH ? 1 : BATCH;
		if (n > f->count - sent - failed)
			n = f->count - sent - failed;
		for (i = 0; i < n; i++)
			fill(f, buf[i]);
		for (i = 0; i < n;) {
			k = sendmmsg(fd, m + i, n - i, 0);
			if (k > 0) {
				i += k;
				sent += k;
			} else {
				/* a full queue or a firewall: that packet is lost */
				i++;
				failed++;
			}
		}
		if (f->rate) {
			uint64_t due = start + (sent + failed) * 1000000ULL / f->rate;
			uint64_t now = now_us();

			if (due > now)
				usleep(due - now);
		}
	}
	printf("sent %ld failed %ld ms %llu\n", sent, failed,
	       (unsigned long long)(now_us() - start) / 1000);
}

int main(int argc, char **argv)
{
	struct flood f = { .count = 1000, .spi = -1, .seq = 1, .proto = 50, .rnd = 1 };
	const char *src = NULL, *dst = NULL;
	int opt, fd, one = 1;
	long body = 32;

	while ((opt = getopt(argc, argv, "s:d:n:r:S:q:l:p:z:")) != -1) {
		switch (opt) {
		case 's': src = optarg; break;
		case 'd': dst = optarg; break;
		case 'n': f.count = strtol(optarg, NULL, 0); break;
		case 'r': f.rate = strtol(optarg, NULL, 0); break;
		case 'S': f.spi = strtol(optarg, NULL, 0) & 0xffffffffL; break;
		case 'q': f.seq = strtoul(optarg, NULL, 0); f.counting = 1; break;
		case 'l': body = strtol(optarg, NULL, 0); break;
		case 'p': f.proto = strtol(optarg, NULL, 0); break;
		case 'z': f.rnd = strtoull(optarg, NULL, 0) ?: 1; break;
		default: return 2;
		}
	}
	if (!src || !dst || optind < argc || body < 0 || body > MAX_LEN || f.rate < 0) {
		fprintf(stderr, "usage: espflood -s SRC -d DST [-n COUNT] [-r RATE] [-S SPI]"
			" [-q SEQ] [-l BYTES] [-p PROTO] [-z SEED]\n");
		return 2;
	}
	f.rnd *= 0x9e3779b97f4a7c15ULL;	/* small seeds shall differ in every bit */
	f.len = 8 + body;
	if (strchr(dst, ':'))
		header6(&f, src, dst);
	else
		header4(&f, src, dst);
	fd = socket(f.to.ss_family, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		die("socket");
	if (f.to.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, sizeof(one)))
		die("IPV6_HDRINCL");
	flood(&f, fd);
	return 0;
}
