// SPDX-License-Identifier: GPL-2.0
/*
 * l2tp_many: as many L2TP clients as one server can have, all on source port
 * 1701, each from an address of its own; both ends in one process. First all
 * tunnels are set up, then each is used both ways, and what arrives must have
 * arrived at the client that it is for. IPv4. Called by selftests/l2tp.
 *
 * usage: l2tp_many [-3] [-m] -n N CLIENT-NS SERVER-NS FIRST-ADDRESS SERVER ROUTER
 *	-3  L2TPv3 over IP (RFC 3931) instead of L2TPv2 (RFC 2661) over UDP
 *	-m  the server answers from port 1702
 * The clients' addresses count from FIRST-ADDRESS; they are local in CLIENT-NS.
 * Prints "N tunnels, N up, N in, N out, N astray": how many got an answer, got
 * the server's data, had theirs arrive; packets for another. Exit code 0 when
 * all did and none went astray.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>

#include "raw.h"

#define MAX	65000
#define BATCH	32
#define PORT	1701

enum { SCCRQ = 1, SCCRP, SCCCN, ICRQ = 10, ICRP, ICCN };
enum { AVP_TUNNEL = 9, AVP_CCID = 61, AVP_LOCAL = 63, AVP_REMOTE = 64 };

struct tunnel {
	uint16_t port;		/* source port that the server sees */
	uint8_t up, in, out;
};

static struct tunnel tunnel[MAX];
static struct addr first, server_addr, router;
static int client_tx, client_rx, server_tx, server_rx;
static unsigned int count, astray, server_port = PORT;
static bool v3;

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static size_t put16(uint8_t *p, unsigned int v)
{
	p[0] = v >> 8;
	p[1] = v;
	return 2;
}

static size_t put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
	return 4;
}

/* The name that each end has for tunnel i, and in v3 its session. */
static uint32_t client_id(unsigned int i) { return i + 1; }
static uint32_t server_id(unsigned int i) { return v3 ? 0x80000000 + i : 65535 - i; }
static unsigned int of_client_id(uint32_t id) { return id - 1; }
static unsigned int of_server_id(uint32_t id) { return v3 ? id - 0x80000000 : 65535 - id; }

static void enter(const char *ns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		raw_fail(ns);
	close(fd);
}

static void open_end(const char *ns, int *tx, int *rx)
{
	int size = 16 << 20;

	enter(ns);
	*tx = raw_socket(AF_INET);
	*rx = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, v3 ? 115 : IPPROTO_UDP);
	if (*rx < 0)
		raw_fail("socket");
	setsockopt(*rx, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

static void transmit(int fd, struct addr src, struct addr dst, unsigned int sport,
		     unsigned int dport, const uint8_t *body, size_t len)
{
	size_t udp = v3 ? 0 : 8, off;
	struct sockaddr_storage to;
	uint8_t p[256] = { 0 };
	socklen_t tolen;

	off = ip_header(p, src, dst, v3 ? 115 : IPPROTO_UDP, udp + len);
	if (!v3) {
		put16(p + off, sport);
		put16(p + off + 2, dport);
		put16(p + off + 4, 8 + len);
	}
	memcpy(p + off + udp, body, len);
	tolen = raw_to(&to, &dst);
	if (sendto(fd, p, off + udp + len, 0, (void *)&to, tolen) < 0 && errno != EPERM)
		raw_fail("sendto");
}

static void from_client(unsigned int i, const uint8_t *body, size_t len)
{
	transmit(client_tx, addr_plus(first, i), server_addr, PORT,
		 tunnel[i].up ? server_port : PORT, body, len);
}

static void from_server(unsigned int i, const uint8_t *body, size_t len)
{
	transmit(server_tx, server_addr, router, server_port, tunnel[i].port, body, len);
}

static size_t avp(uint8_t *p, unsigned int type, uint32_t value, bool wide)
{
	put16(p, 0x8000 | (wide ? 10 : 8));
	put16(p + 2, 0);
	put16(p + 4, type);
	return 6 + (wide ? put32(p + 6, value) : put16(p + 6, value));
}

/* A control message for @id that assigns @own (and in v3 names @peer). */
static size_t control(uint8_t *p, uint32_t id, unsigned int type, uint32_t own, uint32_t peer)
{
	size_t h = v3 ? 4 : 0, n;

	memset(p, 0, 64);
	n = h + 12;
	n += avp(p + n, 0, type, false);
	if (type == SCCRQ || type == SCCRP)
		n += avp(p + n, v3 ? AVP_CCID : AVP_TUNNEL, own, v3);
	if (type >= ICRQ && type <= ICCN) {
		n += avp(p + n, AVP_LOCAL, own, true);
		n += avp(p + n, AVP_REMOTE, peer, true);
	}
	put16(p + h, v3 ? 0xc803 : 0xc802);
	put16(p + h + 2, n - h);
	if (v3)
		put32(p + h + 4, id);
	else
		put16(p + h + 4, id);
	return n;
}

static size_t data(uint8_t *p, uint32_t id)
{
	memset(p, 0, 40);
	if (v3) {
		put32(p, id);
	} else {
		put16(p, 2);
		put16(p + 2, id);
		put16(p + 4, 1);
	}
	return 40;
}

/* The receiver's ID, and a message's type (0: data), assigned ID; false: other. */
static bool parse(const uint8_t *p, size_t n, uint32_t *id, unsigned int *type, uint32_t *own)
{
	size_t h = v3 ? 4 : 0;

	*type = 0;
	*own = 0;
	if (n < 12)
		return false;
	if (v3 ? get32(p) != 0 : !(p[0] & 0x80)) {
		*id = v3 ? get32(p) : get16(p + 2);
		return true;
	}
	if (n < h + 20)
		return false;
	*id = v3 ? get32(p + 8) : get16(p + 4);
	*type = get16(p + h + 18);
	if (*type == SCCRQ && n >= h + 28)
		*own = v3 ? get32(p + h + 26) : get16(p + h + 26);
	return true;
}

static void server_got(const uint8_t *p, size_t n, unsigned int sport)
{
	unsigned int type, i;
	uint8_t out[128];
	uint32_t id, own;

	if (!parse(p, n, &id, &type, &own))
		return;
	i = type == SCCRQ ? of_client_id(own) : of_server_id(id);
	if (i >= count)
		return;
	if (type == SCCRQ) {
		tunnel[i].port = sport;
		from_server(i, out, control(out, client_id(i), SCCRP, server_id(i), 0));
	} else if (tunnel[i].port != sport) {
		astray++;
	} else if (type == ICRQ) {
		from_server(i, out, control(out, client_id(i), ICRP, server_id(i), client_id(i)));
	} else if (!type) {
		tunnel[i].out = 1;
	}
}

static void client_got(const uint8_t *p, size_t n, const uint8_t *dst)
{
	struct addr want;
	unsigned int type, i;
	uint8_t out[128];
	uint32_t id, own;

	if (!parse(p, n, &id, &type, &own))
		return;
	i = of_client_id(id);
	want = addr_plus(first, i);
	if (i >= count || memcmp(want.b, dst, 4)) {
		astray++;
		return;
	}
	if (!type) {
		tunnel[i].in = 1;
	} else if (type == SCCRP && !tunnel[i].up) {
		tunnel[i].up = 1;
		from_client(i, out, control(out, server_id(i), SCCCN, 0, 0));
		if (v3)
			from_client(i, out, control(out, server_id(i), ICRQ, client_id(i), 0));
	} else if (type == ICRP) {
		from_client(i, out, control(out, server_id(i), ICCN, client_id(i), server_id(i)));
	}
}

static void drain(int fd, bool server)
{
	uint8_t buf[2048], *body;
	ssize_t n, hl;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		hl = (buf[0] & 15) * 4 + (v3 ? 0 : 8);
		if (n < hl)
			continue;
		body = buf + hl;
		if (server)
			server_got(body, n - hl, v3 ? 0 : get16(body - 8));
		else
			client_got(body, n - hl, buf + 16);
	}
}

/* Until @ms have passed without anything. */
static void settle(int ms)
{
	struct pollfd p[2] = {
		{ .fd = client_rx, .events = POLLIN }, { .fd = server_rx, .events = POLLIN },
	};

	while (poll(p, 2, ms) > 0) {
		drain(client_rx, false);
		drain(server_rx, true);
	}
}

/* Messages lost where queues are short are sent again, as peers would. */
static void set_up(void)
{
	uint8_t out[128];
	unsigned int i, try;

	for (try = 0; try < 3; try++) {
		for (i = 0; i < count; i++) {
			if (!tunnel[i].up)
				from_client(i, out, control(out, 0, SCCRQ, client_id(i), 0));
			if (i % BATCH == BATCH - 1)
				settle(0);
		}
		settle(200);
	}
}

static void use(void)
{
	uint8_t out[128];
	unsigned int i, try;

	for (try = 0; try < 3; try++) {
		for (i = 0; i < count; i++) {
			if (tunnel[i].up && !tunnel[i].in)
				from_server(i, out, data(out, client_id(i)));
			if (tunnel[i].up && !tunnel[i].out)
				from_client(i, out, data(out, server_id(i)));
			if (i % BATCH == BATCH - 1)
				settle(0);
		}
		settle(200);
	}
}

int main(int argc, char **argv)
{
	unsigned int i, up = 0, in = 0, out = 0;
	int opt;

	while ((opt = getopt(argc, argv, "3mn:")) != -1) {
		switch (opt) {
		case '3': v3 = true; break;
		case 'm': server_port = PORT + 1; break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (optind + 5 != argc || !count || count > MAX) {
		fprintf(stderr, "usage: l2tp_many [-3] [-m] -n N CLIENT-NS SERVER-NS"
				" FIRST-ADDRESS SERVER ROUTER\n");
		return 2;
	}
	first = addr_parse(argv[optind + 2]);
	server_addr = addr_parse(argv[optind + 3]);
	router = addr_parse(argv[optind + 4]);
	open_end(argv[optind], &client_tx, &client_rx);
	open_end(argv[optind + 1], &server_tx, &server_rx);
	set_up();
	use();
	for (i = 0; i < count; i++) {
		up += tunnel[i].up;
		in += tunnel[i].in;
		out += tunnel[i].out;
	}
	printf("%u tunnels, %u up, %u in, %u out, %u astray\n", count, up, in, out, astray);
	return up != count || in != count || out != count || astray;
}
