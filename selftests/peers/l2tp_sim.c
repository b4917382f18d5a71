// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_sim: an L2TPv2 server (LNS) or client (LAC) as RFC 2661 allows them and
 * few implementations are. Called by selftests/l2tp.
 *
 * usage: l2tp_sim lns -a ADDRESS [-m MODE] [-P PORT]
 *	-m  which port answers come from: same (1701), new (any, one a tunnel), or
 *	    a number; wrong: new, with another tunnel ID than the client's
 *	-P  the client's port they go to, whatever it came from
 * Prints a line a message: WHAT ADDRESS PORT TUNNEL-ID, the latter the client's.
 *
 * usage: l2tp_sim lac -a ADDRESS -d SERVER [-p PORT] [-t TUNNEL-ID] [-n COUNT]
 *		       [-i MS] [-r TRIES] [-H] [-x]
 *	-p  source port (any)		-t  its Assigned Tunnel ID (1)
 *	-n  data packets (3)		-i  milliseconds between them (20)
 *	-r  tries of each message (4, half a second apart)
 *	-H  with the tunnel ID hidden (RFC 2661 4.3)
 *	-x  ends with StopCCN
 * Prints "up PORT sent N echoed N", the port being the server's, or "no answer";
 * exit code 0 when all was echoed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "raw.h"

#define L2TP_PORT	1701
#define TUNNELS		4096

enum { SCCRQ = 1, SCCRP, SCCCN, STOPCCN, HELLO = 6 };

struct msg {
	bool control;
	uint16_t tunnel, session, type, assigned;
	bool has_assigned;
	const uint8_t *body;
	size_t len;
};

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static struct sockaddr_in sock_addr(const char *addr, unsigned int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1) {
		errno = EINVAL;
		raw_fail(addr);
	}
	return a;
}

static int udp_socket(const char *addr, unsigned int port)
{
	struct sockaddr_in a = sock_addr(addr, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&a, sizeof(a)))
		raw_fail("bind");
	return fd;
}

static void read_avps(struct msg *m, const uint8_t *p, const uint8_t *end)
{
	size_t len;

	for (; end - p >= 6; p += len) {
		len = get16(p) & 0x3ff;
		if (len < 6 || len > (size_t)(end - p))
			return;
		if (get16(p) & 0x4000 || len != 8)
			continue;
		if (get16(p + 4) == 0)
			m->type = get16(p + 6);
		if (get16(p + 4) == 9) {
			m->assigned = get16(p + 6);
			m->has_assigned = true;
		}
	}
}

/* Header fields as RFC 2661 3.1 has them, offset and sequence included. */
static bool parse(struct msg *m, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;
	uint16_t bits;

	memset(m, 0, sizeof(*m));
	if (n < 6 || (get16(p) & 15) != 2)
		return false;
	bits = get16(p);
	m->control = bits & 0x8000;
	p += bits & 0x4000 ? 4 : 2;
	m->tunnel = get16(p);
	m->session = get16(p + 2);
	p += 4;
	if (bits & 0x0800)
		p += 4;
	if (p > end)
		return false;
	m->body = p;
	m->len = end - p;
	if (m->control)
		read_avps(m, p, end);
	return true;
}

static size_t avp(uint8_t *p, unsigned int type, unsigned int value, bool hidden)
{
	put16(p, 0x8008 | (hidden ? 0x4000 : 0));
	put16(p + 2, 0);
	put16(p + 4, type);
	put16(p + 6, value);
	return 8;
}

static size_t control(uint8_t *p, uint16_t tunnel, uint16_t type, uint16_t assigned,
		      bool hidden)
{
	size_t len = 12;

	memset(p, 0, 12);
	if (type)
		len += avp(p + len, 0, type, false);
	if (assigned)
		len += avp(p + len, 9, assigned, hidden);
	put16(p, 0xc802);
	put16(p + 2, len);
	put16(p + 4, tunnel);
	return len;
}

static void send_to(int fd, const void *p, size_t len, const struct sockaddr_in *to)
{
	if (sendto(fd, p, len, 0, (const void *)to, sizeof(*to)) < 0 && errno != EPERM)
		perror("sendto");
}

/* --- the server ------------------------------------------------------------ */

struct lns {
	const char *addr;
	const char *mode;
	unsigned int client_port;
	unsigned int begun;			/* tunnels, ever */
	struct pollfd fd[TUNNELS + 1];		/* [0]: port 1701 */
	struct tunnel {
		uint16_t peer;
		struct sockaddr_in from;
	} tunnel[TUNNELS + 1];			/* by our own tunnel ID */
};

static struct lns lns;

/* How many it knows: it forgets the oldest. */
static unsigned int lns_tunnels(void)
{
	return lns.begun < TUNNELS ? lns.begun : TUNNELS;
}

/* Each tunnel has a socket of its own; otherwise all share the first one's. */
static bool lns_own(void)
{
	return !strcmp(lns.mode, "new") || !strcmp(lns.mode, "wrong");
}

/* As few as there are: poll() takes no more than a process may have open. */
static unsigned int lns_sockets(void)
{
	unsigned int n = lns_tunnels();

	return 1 + (lns_own() || n < 1 ? n : 1);
}

static unsigned int tunnel_of(uint16_t peer, const struct sockaddr_in *from)
{
	bool own = lns_own();
	unsigned int i;
	int fd;

	for (i = 1; i <= lns_tunnels(); i++)
		if (lns.tunnel[i].peer == peer &&
		    lns.tunnel[i].from.sin_addr.s_addr == from->sin_addr.s_addr &&
		    lns.tunnel[i].from.sin_port == from->sin_port)
			return i;
	i = lns.begun % TUNNELS + 1;
	if (own && lns.begun >= TUNNELS)
		close(lns.fd[i].fd);
	lns.begun++;
	fd = lns.fd[0].fd;
	if (own)
		fd = udp_socket(lns.addr, 0);
	else if (atoi(lns.mode))
		fd = lns.begun > 1 ? lns.fd[1].fd : udp_socket(lns.addr, atoi(lns.mode));
	lns.fd[i] = (struct pollfd) { .fd = fd, .events = POLLIN };
	lns.tunnel[i] = (struct tunnel) { .peer = peer, .from = *from };
	return i;
}

static void say(const char *what, const struct sockaddr_in *from, uint16_t tunnel)
{
	char addr[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &from->sin_addr, addr, sizeof(addr));
	printf("%s %s %u %u\n", what, addr, ntohs(from->sin_port), tunnel);
}

static const char *name_of(const struct msg *m)
{
	if (!m->control)
		return "data";
	switch (m->type) {
	case 0: return "zlb";
	case SCCRQ: return "sccrq";
	case SCCCN: return "scccn";
	case STOPCCN: return "stopccn";
	case HELLO: return "hello";
	default: return "other";
	}
}

static void lns_answer(unsigned int id, const struct msg *m, struct sockaddr_in to)
{
	const struct tunnel *t = &lns.tunnel[id];
	uint16_t peer = t->peer;
	uint8_t buf[2048];
	size_t len;

	if (lns.client_port)
		to.sin_port = htons(lns.client_port);
	if (!strcmp(lns.mode, "wrong"))
		peer ^= 0x5555;
	if (m->control && !m->type)
		return;
	if (m->type == SCCRQ) {
		len = control(buf, peer, SCCRP, id, false);
	} else if (m->control) {
		len = control(buf, peer, 0, 0, false);
	} else {
		put16(buf, 2);
		put16(buf + 2, peer);
		put16(buf + 4, m->session);
		memcpy(buf + 6, m->body, m->len);
		len = 6 + m->len;
	}
	send_to(lns.fd[id].fd, buf, len, &to);
}

static void lns_packet(int fd)
{
	struct sockaddr_in from;
	socklen_t fromlen = sizeof(from);
	uint8_t buf[1600];
	unsigned int id;
	struct msg m;
	ssize_t n;

	n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &fromlen);
	if (n < 0 || !parse(&m, buf, n))
		return;
	id = m.tunnel;
	if (m.control && m.type == SCCRQ && m.has_assigned)
		id = tunnel_of(m.assigned, &from);
	if (!id || id > lns_tunnels()) {
		say("stray", &from, m.tunnel);
		return;
	}
	say(name_of(&m), &from, lns.tunnel[id].peer);
	lns_answer(id, &m, from);
}

__attribute__((noreturn))
static void lns_main(void)
{
	unsigned int i, n;

	lns.fd[0] = (struct pollfd) { .fd = udp_socket(lns.addr, L2TP_PORT), .events = POLLIN };
	puts("ready");
	for (;;) {
		n = lns_sockets();
		if (poll(lns.fd, n, -1) < 0)
			raw_fail("poll");
		for (i = 0; i < n; i++)
			if (lns.fd[i].revents && (!i || lns.fd[i].fd != lns.fd[0].fd))
				lns_packet(lns.fd[i].fd);
	}
}

/* --- the client ------------------------------------------------------------ */

struct lac {
	int fd;
	struct sockaddr_in server;
	uint16_t tunnel, peer;
	unsigned int tries, count, interval;
	bool hide, stop;
};

/* The next packet with our tunnel ID, until @until; its sender in @from. */
static bool lac_wait(const struct lac *c, struct msg *m, uint8_t *buf, size_t size,
		     struct sockaddr_in *from, long until)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	socklen_t fromlen;
	long left;
	ssize_t n;

	while ((left = until - now_ms()) > 0 && poll(&p, 1, left) > 0) {
		fromlen = sizeof(*from);
		n = recvfrom(c->fd, buf, size, 0, (void *)from, &fromlen);
		if (n > 0 && parse(m, buf, n) && m->tunnel == c->tunnel)
			return true;
	}
	return false;
}

/* Send a control message until one of type @want (0: an empty one) comes back. */
static bool lac_ask(struct lac *c, uint16_t type, uint16_t want)
{
	uint8_t out[64], in[1600];
	struct sockaddr_in from;
	unsigned int i;
	struct msg m;
	size_t len;
	long until;

	len = control(out, c->peer, type, type == SCCRQ ? c->tunnel : 0, c->hide);
	for (i = 0; i < c->tries; i++) {
		send_to(c->fd, out, len, &c->server);
		until = now_ms() + 500;
		while (lac_wait(c, &m, in, sizeof(in), &from, until)) {
			if (!m.control || m.type != want)
				continue;
			if (type == SCCRQ) {
				c->server = from;
				c->peer = m.assigned;
			}
			return true;
		}
	}
	return false;
}

static unsigned int lac_data(struct lac *c)
{
	unsigned int i, echoed = 0;
	struct sockaddr_in from;
	uint8_t out[64] = { 0, 2 }, in[1600];
	struct msg m;
	long until;

	put16(out + 2, c->peer);
	put16(out + 4, 1);
	for (i = 0; i < c->count; i++) {
		put16(out + 6, i);
		send_to(c->fd, out, sizeof(out), &c->server);
		until = now_ms() + 1000;
		while (lac_wait(c, &m, in, sizeof(in), &from, until)) {
			if (m.control || m.len < 2 || get16(m.body) != (i & 0xffff) ||
			    from.sin_port != c->server.sin_port)
				continue;
			echoed++;
			break;
		}
		usleep(c->interval * 1000);
	}
	return echoed;
}

static int lac_main(struct lac *c)
{
	unsigned int echoed;

	if (!lac_ask(c, SCCRQ, SCCRP) || !lac_ask(c, SCCCN, 0)) {
		puts("no answer");
		return 1;
	}
	echoed = lac_data(c);
	if (c->stop)
		lac_ask(c, STOPCCN, 0);
	printf("up %u sent %u echoed %u\n", ntohs(c->server.sin_port), c->count, echoed);
	return echoed != c->count;
}

static int usage(void)
{
	fprintf(stderr, "usage: l2tp_sim lns -a ADDRESS [-m same|new|wrong|PORT] [-P PORT]\n"
			"       l2tp_sim lac -a ADDRESS -d SERVER [-p PORT] [-t ID] [-n COUNT]"
			" [-i MS] [-r TRIES] [-H] [-x]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct lac c = { .tunnel = 1, .tries = 4, .count = 3, .interval = 20 };
	const char *addr = NULL, *server = NULL;
	unsigned int port = 0;
	int opt;

	setvbuf(stdout, NULL, _IOLBF, 0);
	lns.mode = "same";
	if (argc < 2)
		return usage();
	optind = 2;
	while ((opt = getopt(argc, argv, "a:m:P:d:p:t:n:i:r:Hx")) != -1) {
		switch (opt) {
		case 'a': addr = optarg; break;
		case 'm': lns.mode = optarg; break;
		case 'P': lns.client_port = atoi(optarg); break;
		case 'd': server = optarg; break;
		case 'p': port = atoi(optarg); break;
		case 't': c.tunnel = strtoul(optarg, NULL, 0); break;
		case 'n': c.count = strtoul(optarg, NULL, 0); break;
		case 'i': c.interval = strtoul(optarg, NULL, 0); break;
		case 'r': c.tries = strtoul(optarg, NULL, 0); break;
		case 'H': c.hide = true; break;
		case 'x': c.stop = true; break;
		default: return usage();
		}
	}
	if (!addr || (strcmp(argv[1], "lns") && !server))
		return usage();
	lns.addr = addr;
	if (!strcmp(argv[1], "lns"))
		lns_main();
	c.fd = udp_socket(addr, port);
	c.server = sock_addr(server, L2TP_PORT);
	return lac_main(&c);
}
