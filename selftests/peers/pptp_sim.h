/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Both ends of PPTP connections by hand: hosts (namespaces), control
 * connections, their messages, calls and GRE. What goes wrong ends the case by
 * fail(). For pptp_sim.c, which includes this first.
 */
#ifndef PEERS_PPTP_SIM_H
#define PEERS_PPTP_SIM_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PUB	nat_ip
#define WAIT_MS	1500
#define CONNS	8

enum { C1, C2, G1, R, G2, HOSTS };	/* g2 need not be there */

struct host {
	const char *name, *ip;
	int ns, gre, icmp;
};

static struct host hosts[HOSTS] = {
	{ "c1", "10.0.1.2", -1, -1, -1 }, { "c2", "10.0.2.2", -1, -1, -1 },
	{ "g1", "192.0.2.2", -1, -1, -1 }, { "r", "192.0.2.1", -1, -1, -1 },
	{ "g2", "192.0.2.3", -1, -1, -1 },
};

enum { IN, OUT };

/* A control connection: who is inside (its address translated) and outside. */
struct conn {
	int fd[2];
	int host[2];
};

struct call {
	const struct conn *c;
	uint16_t in_id, nat_id, out_id;
};

static const char *prefix, *nat_ip = "192.0.2.1";
static uint16_t from_port;	/* port of the next callers; 0: any */
static struct conn conns[CONNS];
static int n_conns, home_ns;
static size_t cut;	/* octets a segment, 0: all at once */
static bool flush;	/* entries that a case leaves in conntrack are not the next one's trouble */
static jmp_buf failed;
static char reason[256];

static void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	longjmp(failed, 1);
}

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "pptp_sim: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		die("setns");
}

static int socket_in(int host, int type, int proto)
{
	int fd;

	enter(hosts[host].ns);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, proto);
	enter(home_ns);
	if (fd < 0)
		die("socket");
	return fd;
}

static void hosts_open(void)
{
	char path[256];
	int i;

	home_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (i = 0; i < HOSTS; i++) {
		snprintf(path, sizeof(path), "/run/netns/%s%s", prefix, hosts[i].name);
		hosts[i].ns = open(path, O_RDONLY | O_CLOEXEC);
		if (hosts[i].ns < 0 && i == G2)
			continue;
		if (hosts[i].ns < 0)
			die(path);
		hosts[i].gre = socket_in(i, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_GRE);
		hosts[i].icmp = socket_in(i, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
	}
}

/* A command in a namespace: what the administrator does meanwhile. */
static void __attribute__((format(printf, 2, 3))) run_in(int host, const char *fmt, ...)
{
	char cmd[512];
	va_list ap;
	int n;

	n = snprintf(cmd, sizeof(cmd), "exec ip netns exec %s%s ", prefix, hosts[host].name);
	va_start(ap, fmt);
	vsnprintf(cmd + n, sizeof(cmd) - n, fmt, ap);
	va_end(ap);
	strcat(cmd, " > /dev/null 2>&1");
	if (system(cmd))
		fail("command failed: %s", cmd);
}

static void nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

static struct sockaddr_in sin_of(const char *ip, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

	inet_pton(AF_INET, ip, &sin.sin_addr);
	return sin;
}

/* --- control connections ----------------------------------------------------- */

static int listener(int host)
{
	struct sockaddr_in sin = sin_of("0.0.0.0", 1723);
	int one = 1, fd = socket_in(host, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (void *)&sin, sizeof(sin)) || listen(fd, 16))
		die("listen");
	return fd;
}

static void connect_in(int fd, const char *ip)
{
	struct sockaddr_in sin = sin_of(ip, 1723), from = sin_of("0.0.0.0", from_port);
	struct timeval tv = { .tv_sec = 5 };

	if (from_port && bind(fd, (void *)&from, sizeof(from)))
		die("bind");
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (void *)&sin, sizeof(sin)))
		fail("no TCP connection: %s", strerror(errno));
}

/* An end calls, the other accepts; @in is inside. The caller is inside when
 * @out accepts, else it calls the router's address and that leads to @in.
 */
static struct conn *conn_open(int in, int out, bool out_accepts)
{
	int one = 1, caller, fd, lfd = listener(out_accepts ? out : in);
	struct conn *c = &conns[n_conns];
	struct pollfd p = { .fd = lfd, .events = POLLIN };

	if (n_conns == CONNS)
		fail("too many connections");
	caller = socket_in(out_accepts ? in : out, SOCK_STREAM, 0);
	c->host[IN] = in;
	c->host[OUT] = out;
	c->fd[out_accepts ? IN : OUT] = caller;
	c->fd[out_accepts ? OUT : IN] = -1;
	n_conns++;
	connect_in(caller, out_accepts ? hosts[out].ip : PUB);
	if (poll(&p, 1, WAIT_MS) != 1)
		fail("connection not accepted");
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	close(lfd);
	c->fd[out_accepts ? OUT : IN] = fd;
	setsockopt(caller, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return c;
}

static void conns_close(void)
{
	struct linger off = { .l_onoff = 1 };
	int i, e;

	for (i = 0; i < n_conns; i++)
		for (e = 0; e < 2; e++) {
			if (conns[i].fd[e] < 0)
				continue;
			/* a reset: the next case may have the port again */
			setsockopt(conns[i].fd[e], SOL_SOCKET, SO_LINGER, &off, sizeof(off));
			close(conns[i].fd[e]);
		}
	n_conns = 0;
}

static void put(const struct conn *c, int end, const uint8_t *p, size_t len)
{
	if (send(c->fd[end], p, len, MSG_NOSIGNAL) != (ssize_t)len)
		fail("control connection broke: %s", strerror(errno));
}

static void get_within(const struct conn *c, int end, uint8_t *p, size_t len, int ms)
{
	struct pollfd pfd = { .fd = c->fd[end], .events = POLLIN };
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		if (poll(&pfd, 1, ms) != 1)
			fail("%s end got %zu of %zu octets", end == IN ? "inner" : "outer",
			     have, len);
		n = recv(c->fd[end], p + have, len - have, 0);
		if (n <= 0)
			fail("control connection ended");
		have += n;
	}
}

static void get(const struct conn *c, int end, uint8_t *p, size_t len)
{
	get_within(c, end, p, len, WAIT_MS);
}

/* --- control messages (RFC 2637 2) --------------------------------------------- */

enum {
	SCCRQ = 1, SCCRP, STOPRQ, STOPRP, ECHORQ, ECHORP, OCRQ, OCRP, ICRQ, ICRP,
	ICCN, CCRQ, CDN, WEN, SLI,
};

static const uint8_t sizes[16] = {
	12, 156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24 };
static const uint8_t n_ids[16] = { [OCRQ] = 1, 2, 1, 2, 1, 1, 1, 1, 1 };

struct msg {
	size_t len;
	uint8_t b[1024];
};

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* Fields that do not matter have a pattern, so that nothing is changed unseen. */
static struct msg msg(int type, uint16_t id, uint16_t peer)
{
	static const uint8_t head[8] = { 0, 0, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d };
	struct msg m = { .len = sizes[type] };
	size_t i;

	for (i = 0; i < m.len; i++)
		m.b[i] = (uint8_t)(i * 7 + type);
	memcpy(m.b, head, sizeof(head));
	m.b[1] = (uint8_t)m.len;
	put16(m.b + 8, type);
	put16(m.b + 10, 0);
	if (n_ids[type])
		put16(m.b + 12, id);
	if (n_ids[type] == 2)
		put16(m.b + 14, peer);
	if (type == OCRP || type == ICRP || type == ECHORP)
		m.b[16] = 1;
	if (type == SCCRP)
		m.b[14] = 1;
	if (type == STOPRP)
		m.b[12] = 1;
	return m;
}

/* Arrived as it was sent, but for its call IDs. */
static void check_octets(const struct msg *sent, const struct msg *got)
{
	size_t i, ids = 12 + 2 * n_ids[sent->b[9] & 15];

	for (i = 0; i < sent->len; i++)
		if (sent->b[i] != got->b[i] && (i < 12 || i >= ids))
			fail("type %d: octet %zu is %02x, was %02x", sent->b[9], i,
			     got->b[i], sent->b[i]);
}

/* From that end to the other, in segments of @cut octets each of which has
 * arrived before the next is sent.
 */
static struct msg pass(const struct conn *c, int end, struct msg m)
{
	struct msg got = { .len = m.len };
	size_t off, n;

	for (off = 0; off < m.len; off += n) {
		n = cut && m.len - off > cut ? cut : m.len - off;
		put(c, end, m.b + off, n);
		get(c, !end, got.b + off, n);
	}
	check_octets(&m, &got);
	return got;
}

static uint16_t id_of(const struct msg *m)
{
	return get16(m->b + 12);
}

static uint16_t peer_of(const struct msg *m)
{
	return get16(m->b + 14);
}

static void want(const char *what, uint16_t got, uint16_t id)
{
	if (got != id)
		fail("%s is %04x, not %04x", what, got, id);
}

static void start(const struct conn *c, int end)
{
	pass(c, end, msg(SCCRQ, 0, 0));
	pass(c, !end, msg(SCCRP, 0, 0));
}

/* Outgoing-Call-Request from @pns and its answer. */
static struct call out_call(const struct conn *c, int pns, uint16_t in_id, uint16_t out_id)
{
	struct call call = { c, in_id, 0, out_id };
	struct msg m;

	if (pns == IN) {
		m = pass(c, IN, msg(OCRQ, in_id, 0));
		call.nat_id = id_of(&m);
		m = pass(c, OUT, msg(OCRP, out_id, call.nat_id));
		want("OCRP call ID", id_of(&m), out_id);
		want("OCRP peer's call ID", peer_of(&m), in_id);
	} else {
		m = pass(c, OUT, msg(OCRQ, out_id, 0));
		want("OCRQ call ID", id_of(&m), out_id);
		m = pass(c, IN, msg(OCRP, in_id, out_id));
		want("OCRP peer's call ID", peer_of(&m), out_id);
		call.nat_id = id_of(&m);
	}
	return call;
}

/* Incoming-Call-Request from @pac, -Reply, -Connected. */
static struct call in_call(const struct conn *c, int pac, uint16_t in_id, uint16_t out_id)
{
	struct call call = { c, in_id, 0, out_id };
	struct msg m;

	if (pac == IN) {
		m = pass(c, IN, msg(ICRQ, in_id, 0));
		call.nat_id = id_of(&m);
		m = pass(c, OUT, msg(ICRP, out_id, call.nat_id));
		want("ICRP call ID", id_of(&m), out_id);
		want("ICRP peer's call ID", peer_of(&m), in_id);
		m = pass(c, IN, msg(ICCN, out_id, 0));
		want("ICCN peer's call ID", id_of(&m), out_id);
	} else {
		m = pass(c, OUT, msg(ICRQ, out_id, 0));
		want("ICRQ call ID", id_of(&m), out_id);
		m = pass(c, IN, msg(ICRP, in_id, out_id));
		want("ICRP peer's call ID", peer_of(&m), out_id);
		call.nat_id = id_of(&m);
		m = pass(c, OUT, msg(ICCN, call.nat_id, 0));
		want("ICCN peer's call ID", id_of(&m), in_id);
	}
	return call;
}

/* --- GRE (RFC 2637 4.1) -------------------------------------------------------------- */

static uint32_t gre_seq;

static size_t gre_build(uint8_t *p, uint16_t key)
{
	static const uint8_t head[4] = { 0x30, 0x01, 0x88, 0x0b };

	memcpy(p, head, sizeof(head));
	put16(p + 4, 8);
	put16(p + 6, key);
	gre_seq++;
	put16(p + 8, gre_seq >> 16);
	put16(p + 10, (uint16_t)gre_seq);
	memcpy(p + 12, "payload", 8);
	return 20;
}

static void gre_drain(void)
{
	uint8_t buf[2048];
	int i;

	for (i = 0; i < HOSTS; i++) {
		if (hosts[i].ns < 0)
			continue;
		while (recv(hosts[i].gre, buf, sizeof(buf), 0) > 0)
			;
		while (recv(hosts[i].icmp, buf, sizeof(buf), 0) > 0)
			;
	}
}

static bool gre_get(int host, uint8_t *p, size_t *len, int ms)
{
	struct pollfd pfd = { .fd = hosts[host].gre, .events = POLLIN };
	ssize_t n;

	if (poll(&pfd, 1, ms) != 1)
		return false;
	n = recv(hosts[host].gre, p, 2048, 0);
	*len = n > 0 ? n : 0;
	return n > 20;
}

/* Octets of GRE from a host to an address. */
static void gre_send(int from, const char *to, const uint8_t *p, size_t len)
{
	struct sockaddr_in sin = sin_of(to, 0);

	if (sendto(hosts[from].gre, p, len, 0, (void *)&sin, sizeof(sin)) < 0)
		fail("GRE could not be sent: %s", strerror(errno));
}

/* From a host to an address; arrives at the other as from @src, with @key_after. */
static bool gre_try(int from, const char *to, uint16_t key, int at, const char *src,
		    uint16_t key_after, int ms)
{
	uint8_t p[64], got[2048];
	struct in_addr in;
	size_t len;

	gre_drain();
	len = gre_build(p, key);
	gre_send(from, to, p, len);
	do {
		if (!gre_get(at, got, &len, ms)) {
			snprintf(reason, sizeof(reason), "GRE %s to %s by %04x did not arrive",
				 hosts[from].name, hosts[at].name, key);
			return false;
		}
	} while (memcmp(got + 20 + 8, p + 8, 12));
	inet_pton(AF_INET, src, &in);
	put16(p + 6, key_after);
	if (!memcmp(got + 12, &in, 4) && !memcmp(got + 20, p, 20))
		return true;
	snprintf(reason, sizeof(reason), "GRE %s to %s by %04x arrived by %04x, not %04x",
		 hosts[from].name, hosts[at].name, key, get16(got + 26), key_after);
	return false;
}

static bool gre_out(const struct call *call, int ms)
{
	const struct conn *c = call->c;

	return gre_try(c->host[IN], hosts[c->host[OUT]].ip, call->out_id, c->host[OUT], PUB,
		       call->out_id, ms);
}

static bool gre_in(const struct call *call, int ms)
{
	const struct conn *c = call->c;

	return gre_try(c->host[OUT], PUB, call->nat_id, c->host[IN], hosts[c->host[OUT]].ip,
		       call->in_id, ms);
}

static void gre_works(const struct call *call)
{
	if (!gre_out(call, WAIT_MS) || !gre_in(call, WAIT_MS))
		longjmp(failed, 1);
}

/* The outside speaks first. */
static void gre_works_in_first(const struct call *call)
{
	if (!gre_in(call, WAIT_MS) || !gre_out(call, WAIT_MS))
		longjmp(failed, 1);
}

static void gre_ended(const struct call *call)
{
	if (gre_in(call, 300))
		fail("GRE of call %04x still arrives", call->in_id);
}

/* Within that time, without anything said on the control connection. */
static void gre_returns(const struct call *call, int ms)
{
	for (; ms > 0; ms -= 200)
		if (gre_in(call, 200) && gre_out(call, WAIT_MS))
			return;
	longjmp(failed, 1);
}

#endif
