// SPDX-License-Identifier: GPL-2.0
/*
 * The clients' and the gateways' side of the router: packet sockets, counts of
 * what arrived, the clock. Called by traffic.c.
 *
 * Packets leave by packet sockets that bypass the qdisc, so the kernel handles
 * each one to its end before the next is sent. The router's own leave by a raw
 * socket of its netns. Under QEMU's icount the clock advances by one nanosecond an
 * instruction: time is instructions.
 */
#include "traffic.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const side[] = { [OUT] = "/run/netns/l", [IN] = "/run/netns/w" };

static void enter(enum dir dir)
{
	if (setns(load.ns[dir], CLONE_NEWNET))
		err(2, "setns");
}

/* @proto: what to receive, 0 for nothing at all */
int packet_socket(enum dir dir, int proto)
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

static int open_netns(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err(2, "%s", path);
	return fd;
}

/* For packets that the router itself sends, IP header and all. */
static int own_socket(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(OWN_PEER) };
	int netns = open_netns("/run/netns/r"), fd;

	if (setns(netns, CLONE_NEWNET))
		err(2, "setns");
	close(netns);
	fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(2, "raw socket");
	return fd;
}

void sides_open(void)
{
	int dir;

	for (dir = OUT; dir <= IN; dir++) {
		load.ns[dir] = open_netns(side[dir]);
		load.fd[dir] = load.own && dir == OUT ? own_socket() : packet_socket(dir, 0);
	}
}

void send_frames(enum dir dir, unsigned int n)
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
uint64_t count_arrived(enum dir dir)
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

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void pause_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}
