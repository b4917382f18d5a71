// SPDX-License-Identifier: GPL-2.0
/*
 * nsping: one process that pings from many network namespaces at the same
 * moment and says, per target, what came back. A ping(8) each would start
 * seconds apart where the CPU is emulated. Called by selftests/lib/esp.sh.
 *
 * usage: nsping [-c COUNT] [-i MS] [-j MS] [-w MS] [-s BYTES] NS FROM TO [NS FROM TO]...
 *	-c  echo requests per target (3); 0: until SIGINT or SIGTERM
 *	-i  milliseconds between them (200)
 *	-j  up to so many more each time, for each target apart (0)
 *	-w  milliseconds to wait for answers after the last (2000)
 *	-s  bytes after the ICMP header (16)
 * NS "-" is the namespace that it was started in. Prints a line a target:
 *	NS FROM TO sent N received N first MS gap N dup N
 * first: from the start to the first answer (-1: none); gap: the longest run
 * of unanswered requests. Exit code 0 when nothing was lost, 1 else, 2 usage.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SEQS 65536	/* sequence numbers until they begin again */

struct target {
	const char *ns, *from, *to;
	int family, fd;
	unsigned int sent, received, dup;
	unsigned int gap, max_gap;
	long first_ms, next;
	unsigned char *seen;	/* a byte per sequence number */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "nsping: %s: %s\n", what, strerror(errno));
	exit(2);
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static socklen_t address(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *in6 = (void *)ss;
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1) {
		errno = EINVAL;
		fail(text);
	}
	in6->sin6_family = AF_INET6;
	return sizeof(*in6);
}

static void enter(const char *ns, int home)
{
	char path[256];
	int fd = home;

	if (strcmp(ns, "-")) {
		snprintf(path, sizeof(path), "/run/netns/%s", ns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail(path);
	}
	if (setns(fd, CLONE_NEWNET))
		fail(ns);
	if (fd != home)
		close(fd);
}

/* The socket stays in the namespace that it was made in. */
static void open_target(struct target *t, int home)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int proto;

	enter(t->ns, home);
	len = address(t->from, &ss);
	t->family = ss.ss_family;
	proto = t->family == AF_INET ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6;
	t->fd = socket(t->family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
	if (t->fd < 0)
		fail("socket");
	if (bind(t->fd, (void *)&ss, len))
		fail(t->from);
	len = address(t->to, &ss);
	if (ss.ss_family != t->family || connect(t->fd, (void *)&ss, len))
		fail(t->to);
	t->seen = calloc(SEQS, 1);
	if (!t->seen)
		fail("calloc");
	t->first_ms = -1;
}

static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Nothing more is awaited of request number @n. */
static void settle(struct target *t, unsigned int n)
{
	t->gap = t->seen[n % SEQS] ? 0 : t->gap + 1;
	if (t->gap > t->max_gap)
		t->max_gap = t->gap;
}

static void send_one(struct target *t, uint16_t id, size_t size)
{
	uint8_t buf[8 + 9000] = { 0 };
	struct icmphdr *h = (void *)buf;

	if (t->sent >= SEQS)
		settle(t, t->sent - SEQS);
	t->seen[t->sent % SEQS] = 0;
	/* both families lay type, code, checksum, id, sequence out alike */
	h->type = t->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	h->un.echo.id = htons(id);
	h->un.echo.sequence = htons(t->sent);
	if (t->family == AF_INET)
		h->checksum = checksum(buf, 8 + size);
	/* a failed send is a lost request: no route yet, no state yet */
	if (send(t->fd, buf, 8 + size, 0) < 0 && errno == EBADF)
		fail("send");
	t->sent++;
}

static void receive(struct target *t, uint16_t id, long start)
{
	uint8_t buf[8 + 9100];
	struct icmphdr *h;
	unsigned int seq;
	ssize_t n;

	while ((n = recv(t->fd, buf, sizeof(buf), 0)) > 0) {
		size_t off = t->family == AF_INET ? (buf[0] & 15) * 4 : 0;

		if ((size_t)n < off + 8)
			continue;
		h = (void *)(buf + off);
		if (h->type != (t->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) ||
		    ntohs(h->un.echo.id) != id)
			continue;
		seq = ntohs(h->un.echo.sequence);
		if (t->seen[seq]) {
			t->dup++;
			continue;
		}
		t->seen[seq] = 1;
		t->received++;
		if (t->first_ms < 0)
			t->first_ms = now_ms() - start;
	}
}

static unsigned int longest_gap(struct target *t)
{
	unsigned int n;

	for (n = t->sent > SEQS ? t->sent - SEQS : 0; n < t->sent; n++)
		settle(t, n);
	return t->max_gap;
}

static bool complete(const struct target *t, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (t[i].received < t[i].sent)
			return false;
	return true;
}

/* How a target is pinged. */
struct plan {
	unsigned int count;
	long gap, jitter, wait;
	size_t size;
};

static long jitter(const struct plan *how)
{
	return how->jitter ? random() % (how->jitter + 1) : 0;
}

/* Send what is due. Returns when there is more to send, LONG_MAX for never. */
static long send_due(struct target *t, int n, const struct plan *how, uint16_t base, long now)
{
	long next = LONG_MAX;
	int i;

	for (i = 0; i < n; i++) {
		if (how->count && t[i].sent >= how->count)
			continue;
		if (now >= t[i].next) {
			send_one(&t[i], base + i, how->size);
			t[i].next += how->gap + jitter(how);
		}
		if (t[i].next < next && !(how->count && t[i].sent >= how->count))
			next = t[i].next;
	}
	return next;
}

static void run(struct target *t, int n, const struct plan *how)
{
	struct pollfd *p = calloc(n, sizeof(*p));
	long start = now_ms(), next = start, now, end;
	uint16_t base = getpid();
	int i;

	if (!p)
		fail("calloc");
	for (i = 0; i < n; i++) {
		p[i] = (struct pollfd){ .fd = t[i].fd, .events = POLLIN };
		t[i].next = start + jitter(how);
	}
	for (end = start + how->wait;;) {
		now = now_ms();
		if (!stop && now >= next && next != LONG_MAX) {
			next = send_due(t, n, how, base, now);
			end = now + how->wait;
		}
		if ((stop || next == LONG_MAX) && (now >= end || complete(t, n)))
			break;
		i = (stop || next == LONG_MAX ? end : next) - now_ms();
		poll(p, n, i > 0 ? i : 0);
		for (i = 0; i < n; i++)
			if (p[i].revents)
				receive(&t[i], base + i, start);
	}
	free(p);
}

int main(int argc, char **argv)
{
	struct plan how = { .count = 3, .gap = 200, .wait = 2000, .size = 16 };
	struct target *t;
	int opt, i, n, home, lost = 0;

	while ((opt = getopt(argc, argv, "c:i:j:w:s:")) != -1) {
		switch (opt) {
		case 'c': how.count = strtoul(optarg, NULL, 0); break;
		case 'i': how.gap = strtol(optarg, NULL, 0); break;
		case 'j': how.jitter = strtol(optarg, NULL, 0); break;
		case 'w': how.wait = strtol(optarg, NULL, 0); break;
		case 's': how.size = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	n = (argc - optind) / 3;
	if (n < 1 || (argc - optind) % 3 || how.gap < 1 || how.jitter < 0 || how.size > 9000) {
		fprintf(stderr, "usage: nsping [-c N] [-i MS] [-j MS] [-w MS] [-s BYTES] NS FROM TO...\n");
		return 2;
	}
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	t = calloc(n, sizeof(*t));
	if (home < 0 || !t)
		fail("start");
	for (i = 0; i < n; i++) {
		t[i].ns = argv[optind + 3 * i];
		t[i].from = argv[optind + 3 * i + 1];
		t[i].to = argv[optind + 3 * i + 2];
		open_target(&t[i], home);
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	run(t, n, &how);
	for (i = 0; i < n; i++) {
		printf("%s %s %s sent %u received %u first %ld gap %u dup %u\n",
		       t[i].ns, t[i].from, t[i].to, t[i].sent, t[i].received,
		       t[i].first_ms, longest_gap(&t[i]), t[i].dup);
		lost |= t[i].received < t[i].sent;
	}
	return lost;
}
