// SPDX-License-Identifier: GPL-2.0
/*
 * Plays the clients and the gateways of the benchmark, from both sides of the
 * router at once, and times what the router does. Called by guest.
 *
 * Packets leave by packet sockets that bypass the qdisc, so the kernel handles
 * each one to its end before the next is sent. Under QEMU's icount the clock
 * advances by one nanosecond an instruction: time is instructions.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH	64
#define STRIDE	7919		/* prime: neighbours in time are not in number */
#define RTT	20		/* ms */
#define PAYLOAD	64		/* L4 header and what follows */
#define PUBLIC	0xc0000201	/* 192.0.2.1, the router's on the outside */
#define CLIENTS	0x0a010001	/* 10.1.0.1 and up */
#define PEERS	0xc6120001	/* 198.18.0.1 and up */

#define __packed __attribute__((packed))

enum dir { OUT, IN };

static const char *const side[] = { [OUT] = "/run/netns/l", [IN] = "/run/netns/w" };
/* guest gives the router's devices these addresses */
static const uint8_t router_mac[][ETH_ALEN] = {
	[OUT] = { 2, 0, 0, 0, 1, 1 },
	[IN] = { 2, 0, 0, 0, 2, 1 },
};

struct frame {
	struct ethhdr eth;
	struct {
		uint8_t ver_ihl, tos;
		uint16_t len, id, frag;
		uint8_t ttl, proto;
		uint16_t sum;
		uint32_t src, dst;
	} __packed ip;
	uint8_t l4[PAYLOAD];
} __packed;

static struct {
	uint32_t sessions, clients;
	uint8_t proto;
	bool nat;
	int fd[2], ns[2];
	struct frame frame[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
} load = { .sessions = 1, .clients = 200, .proto = IPPROTO_ESP };

/* ---- packets ---- */

/* One to one on 32 bits, so that no two sessions have an SPI in common. */
static uint32_t scramble(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

static uint32_t spi(uint32_t i, enum dir dir)
{
	return htonl(scramble(0x1000000 + 2 * i + dir));
}

static uint32_t client(uint32_t i)
{
	return htonl(CLIENTS + i % load.clients);
}

static uint32_t peer(uint32_t i)
{
	return htonl(PEERS + i / load.clients);
}

/* RFC 791 3.1 */
static uint16_t ip_sum(const void *hdr)
{
	const uint16_t *w = hdr;
	uint32_t sum = 0;
	int i;

	for (i = 0; i < 10; i++)
		sum += w[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void build_l4(struct frame *f, uint32_t i, enum dir dir, uint32_t seq)
{
	uint16_t udp[4] = { htons(40000), htons(40001), htons(PAYLOAD), 0 };
	uint32_t esp[2] = { spi(i, dir), htonl(seq) };

	if (load.proto == IPPROTO_ESP) {
		memcpy(f->l4, esp, sizeof(esp));
		return;
	}
	if (dir == IN) {
		udp[0] = htons(40001);
		udp[1] = htons(40000);
	}
	memcpy(f->l4, udp, sizeof(udp));
}

static void build(struct frame *f, uint32_t i, enum dir dir, uint32_t seq)
{
	uint32_t inside = client(i);
	uint32_t outside = load.nat && dir == IN ? htonl(PUBLIC) : inside;

	memcpy(f->eth.h_dest, router_mac[dir], ETH_ALEN);
	f->ip.src = dir == OUT ? inside : peer(i);
	f->ip.dst = dir == OUT ? peer(i) : outside;
	f->ip.sum = 0;
	f->ip.sum = ip_sum(&f->ip);
	build_l4(f, i, dir, seq);
}

static void build_init(void)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		struct frame *f = &load.frame[i];

		f->eth.h_source[0] = 2;
		f->eth.h_proto = htons(ETH_P_IP);
		f->ip.ver_ihl = 0x45;
		f->ip.len = htons(sizeof(*f) - sizeof(f->eth));
		f->ip.ttl = 64;
		f->ip.proto = load.proto;
		load.iov[i].iov_base = f;
		load.iov[i].iov_len = sizeof(*f);
		load.msg[i].msg_hdr.msg_iov = &load.iov[i];
		load.msg[i].msg_hdr.msg_iovlen = 1;
	}
}

/* ---- the two sides ---- */

static void enter(enum dir dir)
{
	if (setns(load.ns[dir], CLONE_NEWNET))
		err(2, "setns");
}

/* @proto: what to receive, 0 for nothing at all */
static int packet_socket(enum dir dir, int proto)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	int one = 1, fd;

	enter(dir);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(2, "packet socket");
	to.sll_protocol = htons(proto);
	to.sll_ifindex = if_nametoindex("eth0");
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		err(2, "packet socket on eth0");
	return fd;
}

static void open_sides(void)
{
	int dir;

	for (dir = OUT; dir <= IN; dir++) {
		load.ns[dir] = open(side[dir], O_RDONLY | O_CLOEXEC);
		if (load.ns[dir] < 0)
			err(2, "%s", side[dir]);
		load.fd[dir] = packet_socket(dir, 0);
	}
	build_init();
}

static void send_frames(enum dir dir, unsigned int n)
{
	unsigned int done = 0;
	int ret;

	while (done < n) {
		ret = sendmmsg(load.fd[dir], load.msg + done, n - done, 0);
		if (ret < 0 && errno != EAGAIN && errno != ENOBUFS)
			err(2, "sendmmsg");
		if (ret > 0)
			done += ret;
	}
}

/* How many packets the far side's device has received so far. */
static uint64_t arrived(enum dir dir)
{
	uint64_t bytes, packets = 0;
	char line[256];
	FILE *f;

	enter(dir == OUT ? IN : OUT);
	f = fopen("/proc/thread-self/net/dev", "r");
	if (!f)
		err(2, "/proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " eth0: %lu %lu", &bytes, &packets) == 2)
			break;
	fclose(f);
	return packets;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- commands ---- */

/* send DIR PACKETS TIMES: prints packets, how many arrived, instructions */
static int cmd_send(enum dir dir, unsigned int packets, int times)
{
	unsigned int sent, n, k;
	uint64_t before, start;

	while (times-- > 0) {
		before = arrived(dir);
		start = now();
		for (sent = 0; sent < packets; sent += n) {
			n = packets - sent < BATCH ? packets - sent : BATCH;
			for (k = 0; k < n; k++)
				build(&load.frame[k],
				      (uint64_t)(sent + k) * STRIDE % load.sessions,
				      dir, 1000 + sent + k);
			send_frames(dir, n);
		}
		start = now() - start;
		printf("%u %lu %lu\n", packets, arrived(dir) - before, start);
	}
	return 0;
}

static void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* One packet of client @c with each of its gateways; how long that took. */
static uint64_t send_client(uint32_t c, enum dir dir, uint32_t seq)
{
	uint64_t start = now();
	unsigned int n = 0;
	uint32_t i;

	for (i = c; i < load.sessions; i += load.clients) {
		build(&load.frame[n++], i, dir, seq);
		if (n == BATCH) {
			send_frames(dir, n);
			n = 0;
		}
	}
	send_frames(dir, n);
	return now() - start;
}

/*
 * exchange ROUNDS TIMES: one client after the other talks to all its gateways,
 * question and answer, so many rounds, as a ping would. Prints packets, how many
 * arrived, instructions without the pauses; the first time sets the sessions
 * up, the next ones tell what that cost.
 */
static int cmd_exchange(uint32_t rounds, int times)
{
	uint32_t n = load.sessions < load.clients ? load.sessions : load.clients;
	uint64_t before, took;
	uint32_t c, k;

	while (times-- > 0) {
		before = arrived(OUT) + arrived(IN);
		took = 0;
		for (c = 0; c < n; c++) {
			for (k = 1; k <= rounds; k++) {
				took += send_client(c, OUT, k);
				pause_ms(RTT);
				took += send_client(c, IN, k);
				pause_ms(RTT);
			}
		}
		printf("%u %lu %lu\n", load.sessions * rounds * 2,
		       arrived(OUT) + arrived(IN) - before, took);
	}
	return 0;
}

/* Is the packet what the router has to make of frame[0]? */
static bool as_it_should_be(const struct frame *f, uint32_t i, enum dir dir)
{
	uint32_t src = dir == IN ? peer(i) : load.nat ? htonl(PUBLIC) : client(i);
	uint32_t dst = dir == IN ? client(i) : peer(i);

	return f->ip.proto == load.proto && f->ip.src == src && f->ip.dst == dst &&
	       !memcmp(f->l4, load.frame[0].l4, 8);
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
			     &len) == sizeof(f) &&
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
			build(&load.frame[0], i, dir, 500);
			send_frames(dir, 1);
			good += came(fd, i, dir);
		}
		close(fd);
	}
	printf("%u of %u\n", good, 2 * n);
	return good == 2 * n ? 0 : 1;
}

/* clock: how far it advances in a loop of 10 million instructions */
static int cmd_clock(void)
{
	uint64_t n = 5000000, start = now();

#ifdef __x86_64__
	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
#endif
	printf("%lu\n", now() - start);
	return 0;
}

static int usage(void)
{
	fputs("usage: traffic [-u] [-n] [-s SESSIONS] [-c CLIENTS] COMMAND\n"
	      "  -u UDP instead of ESP   -n the router translates\n"
	      "  send out|in PACKETS TIMES | exchange ROUNDS TIMES | verify MOST | clock\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "uns:c:")) != -1) {
		switch (opt) {
		case 'u':
			load.proto = IPPROTO_UDP;
			break;
		case 'n':
			load.nat = true;
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
	if (argc < 2 || !load.sessions || !load.clients)
		return usage();
	open_sides();
	if (argc == 4 && !strcmp(argv[0], "send"))
		return cmd_send(strcmp(argv[1], "in") ? OUT : IN,
				strtoul(argv[2], NULL, 0), atoi(argv[3]));
	if (argc == 3 && !strcmp(argv[0], "exchange"))
		return cmd_exchange(strtoul(argv[1], NULL, 0), atoi(argv[2]));
	if (argc == 2 && !strcmp(argv[0], "verify"))
		return cmd_verify(strtoul(argv[1], NULL, 0));
	return usage();
}
