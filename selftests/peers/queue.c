// SPDX-License-Identifier: GPL-2.0
/*
 * queue: the user space end of an nfqueue rule: takes packets and gives each back,
 * at once, after a while, or not at all. Called by faults/test_queue.sh.
 *
 * usage: queue NUMBER [accept|repeat|delay MS|keep]
 *	accept	at once (the default)		delay	MS later
 *	repeat	once with NF_REPEAT: the same hooks again; needs a rule that lets
 *		packets with mark 1 pass
 *	keep	until SIGUSR1, then all; the queue's length is the limit
 * Prints "ready", and at SIGTERM "packets N".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEPT 65536

static volatile sig_atomic_t stop, let_go;
static int fd, number;
/* a ring: what came and has no verdict yet */
static struct { uint32_t id; long at; } kept[KEPT];
static unsigned int first, count;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		let_go = 1;
	else
		stop = 1;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void fail(const char *what)
{
	fprintf(stderr, "queue: %s: %s\n", what, strerror(errno));
	exit(2);
}

struct request {
	struct nlmsghdr h;
	struct nfgenmsg g;
	uint8_t attrs[64];
};

static struct request request(int type, int flags)
{
	struct request r = {
		.h = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct nfgenmsg)),
			.nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | type,
			.nlmsg_flags = NLM_F_REQUEST | flags,
		},
		.g = { .res_id = htons(number) },
	};

	return r;
}

static void add(struct request *r, int type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = sizeof(a) + len, .nla_type = type };
	uint8_t *at = (uint8_t *)r + r->h.nlmsg_len;

	memcpy(at, &a, sizeof(a));
	memcpy(at + sizeof(a), data, len);
	r->h.nlmsg_len += NLMSG_ALIGN(sizeof(a) + len);
}

static void put(const struct request *r)
{
	if (send(fd, r, r->h.nlmsg_len, 0) < 0 && errno != ENOBUFS)
		fail("send");
}

static void verdict(uint32_t id, uint32_t what)
{
	struct nfqnl_msg_verdict_hdr v = { .verdict = htonl(what), .id = htonl(id) };
	struct request r = request(NFQNL_MSG_VERDICT, 0);
	uint32_t mark = htonl(1);

	add(&r, NFQA_VERDICT_HDR, &v, sizeof(v));
	if (what == NF_REPEAT)
		add(&r, NFQA_MARK, &mark, sizeof(mark));
	put(&r);
}

/* The kernel's answer to a command: 0, or what it refuses it with. */
static void answered(const char *what)
{
	uint8_t buf[8192];
	struct nlmsghdr *h = (void *)buf;
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	if (n < (ssize_t)NLMSG_LENGTH(sizeof(int)) || h->nlmsg_type != NLMSG_ERROR)
		fail(what);
	errno = -*(int *)NLMSG_DATA(h);
	if (errno)
		fail(what);
}

static void begin(void)
{
	struct nfqnl_msg_config_params p = {
		.copy_range = htonl(64), .copy_mode = NFQNL_COPY_PACKET,
	};
	struct nfqnl_msg_config_cmd c = { .command = NFQNL_CFG_CMD_BIND };
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	uint32_t most = htonl(KEPT / 16);
	int on = 1, size = 8 << 20;
	struct request r;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0 || bind(fd, (void *)&me, sizeof(me)))
		fail("socket");
	setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	r = request(NFQNL_MSG_CONFIG, NLM_F_ACK);
	add(&r, NFQA_CFG_CMD, &c, sizeof(c));
	put(&r);
	answered("bind to the queue");
	r = request(NFQNL_MSG_CONFIG, NLM_F_ACK);
	add(&r, NFQA_CFG_PARAMS, &p, sizeof(p));
	add(&r, NFQA_CFG_QUEUE_MAXLEN, &most, sizeof(most));
	put(&r);
	answered("parameters of the queue");
}

/* The parts of a packet's message: its number, and whether it was here. */
static bool packet(const struct nlmsghdr *h, uint32_t *id, bool *marked)
{
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const uint8_t *at = (const uint8_t *)h + NLMSG_LENGTH(sizeof(struct nfgenmsg));
	struct nfqnl_msg_packet_hdr p;
	bool found = false;
	struct nlattr a;

	*marked = false;
	while (left >= sizeof(a)) {
		memcpy(&a, at, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > left)
			break;
		if ((a.nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
			memcpy(&p, at + sizeof(a), sizeof(p));
			*id = ntohl(p.packet_id);
			found = true;
		} else if ((a.nla_type & NLA_TYPE_MASK) == NFQA_MARK) {
			*marked = true;
		}
		if (NLMSG_ALIGN(a.nla_len) >= left)
			break;
		at += NLMSG_ALIGN(a.nla_len);
		left -= NLMSG_ALIGN(a.nla_len);
	}
	return found;
}

static void keep(uint32_t id)
{
	if (count == KEPT)
		return;		/* more than the kernel was told to queue */
	kept[(first + count) % KEPT].id = id;
	kept[(first + count++) % KEPT].at = now_ms();
}

static unsigned long take(bool repeat, bool wait)
{
	static uint8_t buf[1 << 16];
	struct nlmsghdr *h = (void *)buf;
	ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	unsigned long packets = 0;
	uint32_t id = 0;
	bool marked;

	for (; n > 0 && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type != (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) ||
		    !packet(h, &id, &marked))
			continue;
		packets++;
		if (wait)
			keep(id);
		else
			verdict(id, repeat && !marked ? NF_REPEAT : NF_ACCEPT);
	}
	return packets;
}

/* Verdicts for what is older than @age ms. */
static void give_back(long age)
{
	while (count && now_ms() - kept[first].at >= age) {
		verdict(kept[first].id, NF_ACCEPT);
		first = (first + 1) % KEPT;
		count--;
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[2] : "accept";
	bool repeat = !strcmp(how, "repeat"), keeps = !strcmp(how, "keep");
	long delay = !strcmp(how, "delay") && argc > 3 ? atol(argv[3]) : 0;
	unsigned long packets = 0;
	struct pollfd p;

	if (argc < 2 || (!repeat && !keeps && !delay && strcmp(how, "accept"))) {
		fprintf(stderr, "usage: queue NUMBER [accept|repeat|delay MS|keep]\n");
		return 2;
	}
	number = atoi(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGTERM, on_signal);
	signal(SIGUSR1, on_signal);
	begin();
	puts("ready");
	while (!stop) {
		p = (struct pollfd) { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, delay ? 1 : 200) > 0)
			packets += take(repeat, keeps || delay);
		if (delay)
			give_back(delay);
		else if (let_go)
			give_back(0);
	}
	printf("packets %lu\n", packets);
	return 0;
}
