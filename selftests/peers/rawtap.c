// SPDX-License-Identifier: GPL-2.0
/*
 * rawtap: prints the IPsec and ICMP error packets that arrive in many network
 * namespaces, one a line, as they come. Called by selftests/lib/tool.sh.
 *
 * usage: rawtap NS DEV [NS DEV]...
 * Prints "ready" when it listens, then a line a packet:
 *	NS SRC DST esp|ah SPI SEQ LENGTH [bad]
 *	NS SRC DST icmp TYPE CODE MTU QSRC QDST esp|PROTO QSPI [bad]
 * SPI "short" is a packet too short for one; LENGTH is that of the IP payload;
 * bad marks a wrong checksum, IP's, ICMP's or that of the quoted IP header.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>

#include "raw.h"

struct tap {
	const char *ns;
	int fd;
};

struct view {
	int family;
	const uint8_t *src, *dst, *l4;
	size_t len;		/* octets that are there from l4 on */
	size_t told;		/* octets that the header says */
	uint8_t proto;
	bool bad;
};

static int tap_open(const char *ns, const char *dev, int home)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, ns_fd, size = 16 << 20;
	char path[256];

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	ns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ns_fd < 0 || setns(ns_fd, CLONE_NEWNET))
		raw_fail(ns);
	close(ns_fd);
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ll.sll_ifindex = if_nametoindex(dev);
	if (fd < 0 || !ll.sll_ifindex)
		raw_fail(dev);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (void *)&ll, sizeof(ll)))
		raw_fail("bind");
	if (setns(home, CLONE_NEWNET))
		raw_fail("setns");
	return fd;
}

/* Later fragments and extension headers are not looked into. */
static bool look(struct view *v, const uint8_t *p, size_t len)
{
	size_t hl;

	if (len >= 20 && p[0] >> 4 == 4) {
		hl = (p[0] & 15) * 4;
		if (hl < 20 || len < hl || (p[6] & 0x1f) || p[7])
			return false;
		*v = (struct view){ .family = AF_INET, .src = p + 12, .dst = p + 16,
				    .proto = p[9], .bad = fold(sum16(0, p, hl)) };
		v->told = (p[2] << 8 | p[3]) - hl;
	} else if (len >= 40 && p[0] >> 4 == 6) {
		hl = 40;
		*v = (struct view){ .family = AF_INET6, .src = p + 8, .dst = p + 24,
				    .proto = p[6] };
		v->told = p[4] << 8 | p[5];
	} else {
		return false;
	}
	v->l4 = p + hl;
	v->len = len - hl < v->told ? len - hl : v->told;
	return true;
}

static void put_addrs(const struct view *v)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	inet_ntop(v->family, v->src, src, sizeof(src));
	inet_ntop(v->family, v->dst, dst, sizeof(dst));
	printf(" %s %s", src, dst);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static void put_ipsec(const char *ns, const struct view *v)
{
	size_t off = v->proto == IPPROTO_AH ? 4 : 0;

	printf("%s", ns);
	put_addrs(v);
	printf(" %s ", v->proto == IPPROTO_AH ? "ah" : "esp");
	if (v->len < off + 8)
		printf("short - %zu", v->told);
	else
		printf("0x%08x %u %zu", get32(v->l4 + off), get32(v->l4 + off + 4), v->told);
	puts(v->bad ? " bad" : "");
}

static bool is_error(const struct view *v)
{
	if (v->len < 8)
		return false;
	if (v->proto == IPPROTO_ICMP)
		return v->l4[0] == 3 || v->l4[0] == 4 || v->l4[0] == 11 || v->l4[0] == 12;
	return v->proto == IPPROTO_ICMPV6 && v->l4[0] >= 1 && v->l4[0] <= 4;
}

static void put_error(const char *ns, const struct view *v)
{
	uint32_t sum = 0;
	struct view q;
	bool bad = v->bad;

	if (v->family == AF_INET6)
		sum = pseudo6(v->src, v->dst, IPPROTO_ICMPV6, v->told);
	if (v->len == v->told && fold(sum16(sum, v->l4, v->len)))
		bad = true;
	printf("%s", ns);
	put_addrs(v);
	printf(" icmp %u %u %u", v->l4[0], v->l4[1],
	       v->family == AF_INET ? get32(v->l4 + 4) & 0xffff : get32(v->l4 + 4));
	if (look(&q, v->l4 + 8, v->len - 8)) {
		put_addrs(&q);
		if (q.proto == IPPROTO_ESP)
			printf(" esp");
		else
			printf(" %u", q.proto);
		if (q.len >= 4)
			printf(" 0x%08x", get32(q.l4));
		bad |= q.bad;
	}
	puts(bad ? " bad" : "");
}

static void drain(const struct tap *t)
{
	struct sockaddr_ll from;
	socklen_t fromlen;
	uint8_t buf[2048];
	struct view v;
	ssize_t n;

	for (;;) {
		fromlen = sizeof(from);
		n = recvfrom(t->fd, buf, sizeof(buf), 0, (void *)&from, &fromlen);
		if (n <= 0)
			return;
		if (from.sll_pkttype == PACKET_OUTGOING || !look(&v, buf, n))
			continue;
		if (v.proto == IPPROTO_ESP || v.proto == IPPROTO_AH)
			put_ipsec(t->ns, &v);
		else if (is_error(&v))
			put_error(t->ns, &v);
	}
}

int main(int argc, char **argv)
{
	int i, n = (argc - 1) / 2, home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct pollfd *p = calloc(n, sizeof(*p));
	struct tap *t = calloc(n, sizeof(*t));

	if (n < 1 || argc % 2 == 0) {
		fprintf(stderr, "usage: rawtap NS DEV [NS DEV]...\n");
		return 2;
	}
	if (home < 0 || !p || !t)
		raw_fail("start");
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < n; i++) {
		t[i].ns = argv[1 + 2 * i];
		t[i].fd = tap_open(t[i].ns, argv[2 + 2 * i], home);
		p[i] = (struct pollfd){ .fd = t[i].fd, .events = POLLIN };
	}
	puts("ready");
	for (;;) {
		if (poll(p, n, -1) < 0)
			raw_fail("poll");
		for (i = 0; i < n; i++)
			if (p[i].revents)
				drain(&t[i]);
	}
}
