// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_static: L2TPv3 over IP (protocol 115) with IDs that were configured and
 * no control connection, carrying what has no addresses (RFC 3931 4.1.1). IPv4.
 * Called by selftests/l2tp.
 *
 * usage: l2tp_static server -a ADDRESS [-u ID:MS -d CLIENT] X:Y...
 *	answers what comes on session X with the same on Y; with -u it also
 *	sends on ID of its own accord
 * usage: l2tp_static client -a ADDRESS -d SERVER -x X -y Y [-n COUNT] [-i MS]
 *		[-e N]
 *	sends COUNT (20) packets on X, MS (20) apart, or with -e until N answers
 *	have come in a row, and prints "sent N echoed N foreign N", the last what
 *	came that was not its own; exit code 0 when all was echoed, or N were
 */
#define _GNU_SOURCE
#include <poll.h>
#include <time.h>

#include "raw.h"

#define MAPS 64

struct data {
	uint32_t id;
	uint8_t ppp[4];
	uint32_t x, seq;
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static struct sockaddr_in sock_addr(const char *addr)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	if (!addr || inet_pton(AF_INET, addr, &a.sin_addr) != 1) {
		errno = EINVAL;
		raw_fail("address");
	}
	return a;
}

static int sock(const char *addr)
{
	struct sockaddr_in a = sock_addr(addr);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 115);

	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)))
		raw_fail("bind");
	return fd;
}

static void send_to(int fd, const void *p, size_t len, const struct sockaddr_in *to)
{
	if (sendto(fd, p, len, 0, (const void *)to, sizeof(*to)) < 0 && errno != EPERM)
		perror("sendto");
}

/* The payload behind the IP header; its length, or -1 when there was nothing. */
static ssize_t receive(int fd, struct data *d, struct sockaddr_in *from)
{
	socklen_t fromlen = sizeof(*from);
	uint8_t buf[2048];
	ssize_t n, hl;

	n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)from, &fromlen);
	hl = (buf[0] & 15) * 4;
	if (n < hl + 4)
		return -1;
	n -= hl;
	if (n > (ssize_t)sizeof(*d))
		n = sizeof(*d);
	memset(d, 0, sizeof(*d));
	memcpy(d, buf + hl, n);
	return n;
}

__attribute__((noreturn))
static void server(const char *addr, const char *client, uint32_t unasked, long every,
		   uint32_t map[][2], int maps)
{
	struct pollfd p = { .fd = sock(addr), .events = POLLIN };
	struct sockaddr_in from, to = { 0 };
	struct data d;
	long next = 0;
	int i;

	if (unasked)
		to = sock_addr(client);
	puts("ready");
	for (;;) {
		poll(&p, 1, unasked ? every : -1);
		if (unasked && now_ms() >= next) {
			d = (struct data) { .id = htonl(unasked), .ppp = "unas" };
			send_to(p.fd, &d, sizeof(d), &to);
			next = now_ms() + every;
		}
		if (receive(p.fd, &d, &from) < 0)
			continue;
		for (i = 0; i < maps; i++)
			if (ntohl(d.id) == map[i][0]) {
				d.id = htonl(map[i][1]);
				send_to(p.fd, &d, sizeof(d), &from);
				break;
			}
	}
}

struct client {
	int fd;
	struct sockaddr_in server;
	uint32_t x, y;
	unsigned int count, wait, sent, echoed, foreign, row;
};

static void client_receive(struct client *c, long until)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	struct sockaddr_in from;
	struct data d;
	long left;

	while ((left = until - now_ms()) > 0 && poll(&p, 1, left) > 0) {
		if (receive(c->fd, &d, &from) < 0)
			continue;
		if (ntohl(d.id) != c->y) {
			c->foreign++;
		} else if (ntohl(d.x) == c->x) {
			c->echoed++;
			c->row++;
		}
	}
}

static int client(struct client *c, unsigned int ms, unsigned int in_a_row)
{
	struct data d = { .ppp = { 0xff, 0x03, 0x00, 0x21 } };
	unsigned int before;

	d.id = htonl(c->x);
	d.x = htonl(c->x);
	while (c->sent < c->count && !(in_a_row && c->row >= in_a_row)) {
		d.seq = htonl(c->sent++);
		before = c->echoed;
		send_to(c->fd, &d, sizeof(d), &c->server);
		client_receive(c, now_ms() + ms);
		if (c->echoed == before)
			c->row = 0;
	}
	if (!in_a_row && c->echoed < c->sent)
		client_receive(c, now_ms() + 500);
	printf("sent %u echoed %u foreign %u\n", c->sent, c->echoed, c->foreign);
	return in_a_row ? c->row < in_a_row : c->echoed < c->sent;
}

int main(int argc, char **argv)
{
	struct client c = { .count = 20 };
	const char *addr = NULL, *peer = NULL;
	unsigned int ms = 20, in_a_row = 0;
	uint32_t map[MAPS][2], unasked = 0;
	long every = 0;
	int opt, maps = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	optind = 2;
	while ((opt = getopt(argc, argv, "a:d:u:x:y:n:i:e:")) != -1) {
		switch (opt) {
		case 'a': addr = optarg; break;
		case 'd': peer = optarg; break;
		case 'u':
			if (sscanf(optarg, "%u:%ld", &unasked, &every) != 2)
				return 2;
			break;
		case 'x': c.x = strtoul(optarg, NULL, 0); break;
		case 'y': c.y = strtoul(optarg, NULL, 0); break;
		case 'n': c.count = strtoul(optarg, NULL, 0); break;
		case 'i': ms = strtoul(optarg, NULL, 0); break;
		case 'e': in_a_row = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (!strcmp(argv[1], "client")) {
		c.fd = sock(addr);
		c.server = sock_addr(peer);
		return client(&c, ms, in_a_row);
	}
	for (; optind < argc && maps < MAPS; optind++)
		if (sscanf(argv[optind], "%u:%u", &map[maps][0], &map[maps][1]) == 2)
			maps++;
	server(addr, peer, unasked, every, map, maps);
}
