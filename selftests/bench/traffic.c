// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the clients and the gateways of the benchmark, from both sides of the
 * router at once, and times what the router does. Called by guest.
 */
#include "traffic.h"

#include <err.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRIDE	7919		/* prime: neighbours in time are not in number */
#define RTT	20		/* ms */

struct load load = { .sessions = 1, .clients = 200 };

/* guest gives the router's devices these addresses */
static const uint8_t router_mac[][ETH_ALEN] = {
	[OUT] = { 2, 0, 0, 0, 1, 1 },
	[IN] = { 2, 0, 0, 0, 2, 1 },
};

/* ---- frames ---- */

static uint32_t client(uint32_t i)
{
	return htonl(load.own ? PUBLIC : CLIENTS + i % load.clients);
}

static uint32_t peer(uint32_t i)
{
	return htonl(load.own ? OWN_PEER : PEERS + i / load.clients);
}

/* RFC 1071, @len even */
static uint32_t sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t s = 0;
	uint16_t w;
	size_t k;

	for (k = 0; k < len; k += 2) {
		memcpy(&w, p + k, 2);
		s += w;
	}
	return s;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return ~(s + (s >> 16));
}

/* RFC 9293 3.1: over the addresses, the protocol and the length as well */
static void tcp_checksum(struct frame *f, size_t len)
{
	uint16_t check = fold(sum(f->l4, len) + sum(&f->ip.src, 8) +
			      htons(IPPROTO_TCP) + htons(len));

	memcpy(f->l4 + 16, &check, sizeof(check));
}

/* Frame @slot is a packet of session @i. */
static void build(unsigned int slot, uint32_t i, enum dir dir, uint8_t proto, fill_fn fill,
		  uint32_t arg)
{
	struct frame *f = &load.frame[slot];
	uint32_t inside = client(i);
	uint32_t outside = load.nat && dir == IN ? htonl(PUBLIC) : inside;
	size_t skip = load.own && dir == OUT ? sizeof(f->eth) : 0;
	size_t len = fill(f->l4, i, dir, arg);

	memcpy(f->eth.h_dest, router_mac[dir], ETH_ALEN);
	f->ip.len = htons(HEADERS - sizeof(f->eth) + len);
	f->ip.proto = proto;
	f->ip.src = dir == OUT ? inside : peer(i);
	f->ip.dst = dir == OUT ? peer(i) : outside;
	f->ip.sum = 0;
	f->ip.sum = fold(sum(&f->ip, sizeof(f->ip)));
	if (proto == IPPROTO_TCP)
		tcp_checksum(f, len);
	load.iov[slot].iov_base = (uint8_t *)f + skip;
	load.iov[slot].iov_len = HEADERS + len - skip;
}

static void build_data(unsigned int slot, uint32_t i, enum dir dir, uint32_t seq)
{
	build(slot, i, dir, load.kind->proto, load.kind->data, seq);
}

static void build_init(void)
{
	int k;

	for (k = 0; k < BATCH; k++) {
		struct frame *f = &load.frame[k];

		f->eth.h_source[0] = 2;
		f->eth.h_proto = htons(ETH_P_IP);
		f->ip.ver_ihl = 0x45;
		f->ip.ttl = 64;
		load.msg[k].msg_hdr.msg_iov = &load.iov[k];
		load.msg[k].msg_hdr.msg_iovlen = 1;
	}
}

/* ---- commands ---- */

/* send DIR PACKETS TIMES: prints packets, how many arrived, instructions */
static int cmd_send(enum dir dir, unsigned int packets, int times)
{
	unsigned int sent, n, k;
	uint64_t before, start, took;

	while (times-- > 0) {
		before = count_arrived(dir);
		took = 0;
		for (sent = 0; sent < packets; sent += n) {
			n = packets - sent < BATCH ? packets - sent : BATCH;
			for (k = 0; k < n; k++)
				build_data(k, (uint64_t)(sent + k) * STRIDE % load.sessions,
					   dir, 1000 + sent + k);
			start = now_ns();
			send_frames(dir, n);
			took += now_ns() - start;
		}
		printf("%u %lu %lu\n", packets, count_arrived(dir) - before, took);
	}
	return 0;
}

/* Send a packet of client @c to each of its gateways; returns how long that took. */
static uint64_t send_step(uint32_t c, const struct step *s)
{
	uint64_t start = now_ns();
	uint32_t i;

	for (i = c; i < load.sessions; i += load.clients) {
		build(0, i, s->dir, s->proto, s->fill, s->arg);
		send_frames(s->dir, 1);
	}
	return now_ns() - start;
}

/*
 * setup: one client after the other begins with all its gateways. Prints packets,
 * how many arrived, instructions without the pauses.
 */
static int cmd_setup(void)
{
	uint32_t n = load.sessions < load.clients ? load.sessions : load.clients, c;
	uint64_t before = count_arrived(OUT) + count_arrived(IN), took = 0;
	int k;

	for (c = 0; c < n; c++) {
		for (k = 0; k < load.kind->steps; k++) {
			took += send_step(c, &load.kind->step[k]);
			pause_ms(RTT);
		}
	}
	printf("%u %lu %lu\n", load.sessions * load.kind->steps,
	       count_arrived(OUT) + count_arrived(IN) - before, took);
	return 0;
}

/* Is the packet what the router has to make of frame 0? */
static bool as_it_should_be(const struct frame *f, uint32_t i, enum dir dir)
{
	uint32_t src = dir == IN ? peer(i) : load.nat ? htonl(PUBLIC) : client(i);
	uint32_t dst = dir == IN ? client(i) : peer(i);

	return f->ip.proto == load.kind->proto && f->ip.src == src && f->ip.dst == dst &&
	       !memcmp(f->l4, load.frame[0].l4, PAYLOAD);
}

/* Reads until the packet is there, others are passed over; 1 when it came. */
static int came(int fd, uint32_t i, enum dir dir)
{
	struct sockaddr_ll from;
	socklen_t len;
	struct frame f;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, 50) <= 0)
			return 0;
		len = sizeof(from);
		if (recvfrom(fd, &f, sizeof(f), 0, (struct sockaddr *)&from,
			     &len) == (ssize_t)load.iov[0].iov_len &&
		    from.sll_pkttype != PACKET_OUTGOING &&
		    as_it_should_be(&f, i, dir))
			return 1;
	}
}

/* verify MOST: one packet each way of so many sessions; how many came right */
static int cmd_verify(uint32_t most)
{
	uint32_t n = load.sessions < most ? load.sessions : most, i, k, good = 0;
	int dir, fd;

	for (dir = OUT; dir <= IN; dir++) {
		fd = packet_socket(dir == OUT ? IN : OUT, ETH_P_ALL);
		for (k = 0; k < n; k++) {
			i = (uint64_t)k * load.sessions / n;
			build_data(0, i, dir, 500);
			send_frames(dir, 1);
			good += came(fd, i, dir);
		}
		close(fd);
	}
	printf("%u of %u\n", good, 2 * n);
	return good == 2 * n ? 0 : 1;
}

/*
 * netns N: makes so many that nothing happens in, and keeps them until a line is
 * read. Prints N, N again (none is missing), instructions.
 */
static int cmd_netns(unsigned int n)
{
	uint64_t start = now_ns();
	unsigned int k;
	char c;

	for (k = 0; k < n; k++)
		if (unshare(CLONE_NEWNET) || open("/proc/thread-self/ns/net", O_RDONLY) < 0)
			err(2, "netns %u", k);
	printf("%u %u %lu\n", n, n, now_ns() - start);
	fflush(stdout);
	return read(0, &c, 1) < 0;
}

/* clock: how far it advances in a loop of 10 million instructions */
static int cmd_clock(void)
{
	uint64_t n = 5000000, start = now_ns();

#ifdef __x86_64__
	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
#endif
	printf("%lu\n", now_ns() - start);
	return 0;
}

static int usage(void)
{
	fputs("usage: traffic [-k KIND] [-n | -r] [-s SESSIONS] [-c CLIENTS] COMMAND\n"
	      "  -k esp|udp|gre|ike|natt|natt-ike|l2tp|l2tpv3   -n the router translates\n"
	      "  -r the router's own\n"
	      "  send out|in PACKETS TIMES | setup | verify MOST\n"
	      "  netns N | clock\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	const char *kind = "esp";
	int opt;

	while ((opt = getopt(argc, argv, "k:nrs:c:")) != -1) {
		switch (opt) {
		case 'k':
			kind = optarg;
			break;
		case 'n':
			load.nat = true;
			break;
		case 'r':
			load.own = true;
			break;
		case 's':
			load.sessions = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			load.clients = strtoul(optarg, NULL, 0);
			break;
		default:
			return usage();
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 1 && !strcmp(argv[0], "clock"))
		return cmd_clock();
	if (argc == 2 && !strcmp(argv[0], "netns"))
		return cmd_netns(strtoul(argv[1], NULL, 0));
	load.kind = kind_find(kind);
	if (argc < 1 || !load.kind || !load.sessions || !load.clients)
		return usage();
	sides_open();
	build_init();
	if (argc == 4 && !strcmp(argv[0], "send"))
		return cmd_send(strcmp(argv[1], "in") ? OUT : IN,
				strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (argc == 1 && !strcmp(argv[0], "setup"))
		return cmd_setup();
	if (argc == 2 && !strcmp(argv[0], "verify"))
		return cmd_verify(strtoul(argv[1], NULL, 0));
	return usage();
}
