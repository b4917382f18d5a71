// SPDX-License-Identifier: GPL-2.0
/*
 * pptp_sim: both ends of PPTP connections through a router (RFC 2637), every
 * octet of the control channel and of GRE by hand, in one process. Each case
 * says what either end must see. Called by selftests/pptp.
 *
 * usage: pptp_sim PREFIX CASE...	PREFIX is that of the namespaces' names; a
 *					case "-f" flushes conntrack after each
 *	   pptp_sim PREFIX list		names of all cases
 *	   pptp_sim PREFIX hold N	N calls, up until SIGTERM; says "ready"
 *	   pptp_sim PREFIX replay FILE...	streams of the fuzzer's corpus
 * The network is that of selftests/lib/topo.sh: clients c1 and c2, a server g1,
 * the router r. Prints a line a case: "NAME pass", or "NAME fail REASON".
 */
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

#define PUB	"192.0.2.1"
#define WAIT_MS	1500
#define CONNS	8

enum { C1, C2, G1, R, HOSTS };

struct host {
	const char *name, *ip;
	int ns, gre, icmp;
};

static struct host hosts[HOSTS] = {
	{ "c1", "10.0.1.2", -1, -1, -1 }, { "c2", "10.0.2.2", -1, -1, -1 },
	{ "g1", "192.0.2.2", -1, -1, -1 }, { "r", PUB, -1, -1, -1 },
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

static const char *prefix;
static struct conn conns[CONNS];
static int n_conns, home_ns;
static size_t cut;	/* octets a segment, 0: all at once */
static bool flush;	/* what one case leaves in conntrack is not the next one's trouble */
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
	struct sockaddr_in sin = sin_of(ip, 1723);
	struct timeval tv = { .tv_sec = 5 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (void *)&sin, sizeof(sin)))
		fail("no TCP connection: %s", strerror(errno));
}

/* One end calls, the other accepts; @in is inside. The caller is inside when
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

/* From a host to an address; arrives at the other as from @src, with @key_after. */
static bool gre_try(int from, const char *to, uint16_t key, int at, const char *src,
		    uint16_t key_after, int ms)
{
	struct sockaddr_in sin = sin_of(to, 0);
	uint8_t p[64], got[2048];
	struct in_addr in;
	size_t len;

	gre_drain();
	len = gre_build(p, key);
	if (sendto(hosts[from].gre, p, len, 0, (void *)&sin, sizeof(sin)) < 0)
		fail("GRE could not be sent: %s", strerror(errno));
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

/* --- cases ------------------------------------------------------------------------------ */

static struct conn *client(int host)
{
	struct conn *c = conn_open(host, G1, true);

	start(c, IN);
	return c;
}

/* Another client has that number towards the same server already. */
static struct call taken(uint16_t id)
{
	size_t was = cut;
	struct call call;

	cut = 0;
	call = out_call(client(C2), IN, id, 0x0c02);
	cut = was;
	return call;
}

static void differ(const struct call *a, const struct call *b)
{
	if (a->nat_id == b->nat_id)
		fail("two calls have the same number outside, %04x", a->nat_id);
}

static void case_one_call(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
}

static void case_two_calls(void)
{
	struct conn *c = client(C1);
	struct call a = out_call(c, IN, 1, 0x0101), b = out_call(c, IN, 2, 0x0102);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_works(&a);
}

static void case_two_clients_one_id(void)
{
	struct call a = taken(0x1234), b = out_call(client(C1), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_works_in_first(&a);
}

static void case_octet_segments(void)
{
	struct call a = taken(0x1234), b;

	cut = 1;
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
	gre_works(&a);
}

static void case_split_in_call_id(void)
{
	struct call a = taken(0x1234), b;

	cut = 13;
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
}

static void append(struct msg *to, struct msg m)
{
	memcpy(to->b + to->len, m.b, m.len);
	to->len += m.len;
}

static void case_coalesced(void)
{
	struct call other = taken(2), a, b;
	struct conn *c = conn_open(C1, G1, true);
	struct msg m = { 0 }, got = { 0 };

	append(&m, msg(SCCRQ, 0, 0));
	append(&m, msg(OCRQ, 1, 0));
	append(&m, msg(OCRQ, 2, 0));
	put(c, IN, m.b, m.len);
	get(c, OUT, got.b, m.len);
	a = (struct call){ c, 1, get16(got.b + 156 + 12), 0x0101 };
	b = (struct call){ c, 2, get16(got.b + 156 + 168 + 12), 0x0102 };
	differ(&b, &other);
	differ(&a, &b);
	m.len = 0;
	append(&m, msg(SCCRP, 0, 0));
	append(&m, msg(OCRP, 0x0101, a.nat_id));
	append(&m, msg(OCRP, 0x0102, b.nat_id));
	append(&m, msg(SLI, b.nat_id, 0));
	put(c, OUT, m.b, m.len);
	get(c, IN, got.b, m.len);
	want("first OCRP's peer", get16(got.b + 156 + 14), 1);
	want("second OCRP's peer", get16(got.b + 156 + 32 + 14), 2);
	want("SLI's call", get16(got.b + 156 + 64 + 12), 2);
	gre_works(&a);
	gre_works(&b);
}

static void case_incoming_call(void)
{
	struct call a = taken(0x1234), b = in_call(client(C1), OUT, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&b);
}

static void case_disconnect_from_server(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	struct msg m;

	gre_works(&call);
	m = pass(c, IN, msg(CCRQ, call.in_id, 0));
	want("Call-Clear-Request's call ID outside", id_of(&m), call.nat_id);
	m = pass(c, OUT, msg(CDN, call.out_id, 0));
	want("Disconnect-Notify's call ID inside", id_of(&m), call.out_id);
	gre_ended(&call);
}

static void case_disconnect_from_client(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m;

	call = in_call(c, IN, 0x1234, 0x0101);
	differ(&call, &other);
	gre_works(&call);
	m = pass(c, IN, msg(CDN, call.in_id, 0));
	want("Disconnect-Notify's call ID outside", id_of(&m), call.nat_id);
	gre_ended(&call);
	gre_works(&other);
}

static void case_pac_opens(void)
{
	struct conn *c = client(C1);
	struct call a = in_call(c, IN, 0x1234, 0x0101);
	struct call b = out_call(c, OUT, 0x1235, 0x0102);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
}

static void case_set_link_info(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m;

	call = out_call(c, IN, 0x1234, 0x0101);
	differ(&call, &other);
	m = pass(c, OUT, msg(SLI, call.nat_id, 0));
	want("Set-Link-Info's call ID", id_of(&m), call.in_id);
	m = pass(c, OUT, msg(WEN, call.nat_id, 0));
	want("WAN-Error-Notify's call ID", id_of(&m), call.in_id);
	m = pass(c, IN, msg(SLI, call.out_id, 0));
	want("own Set-Link-Info's call ID", id_of(&m), call.out_id);
}

/* No slot for an expectation: the call is reported as connected all the same. */
static void case_expectations_full(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
}

static void case_gre_entry_deleted(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works(&call);
	run_in(R, "conntrack -D -p gre");
	gre_returns(&call, 4000);
}

static void case_table_flushed(void)
{
	struct conn *c = client(C1);
	struct call other = taken(0x1234), call = out_call(c, IN, 0x1234, 0x0101), more;

	differ(&call, &other);
	gre_works(&call);
	run_in(R, "conntrack -F");
	gre_returns(&call, 4000);
	pass(c, IN, msg(ECHORQ, 0, 0));
	pass(c, OUT, msg(ECHORP, 0, 0));
	more = out_call(c, IN, 0x1235, 0x0102);
	gre_works(&more);
	gre_works(&call);
	pass(c, IN, msg(CCRQ, call.in_id, 0));
	pass(c, OUT, msg(CDN, call.out_id, 0));
	gre_ended(&call);
	gre_works(&more);
	pass(other.c, IN, msg(ECHORQ, 0, 0));
	gre_works(&other);
}

/* Seconds that the GRE entry has left. */
static int gre_timeout(void)
{
	char cmd[256];
	int left = -1;
	FILE *f;

	snprintf(cmd, sizeof(cmd), "ip netns exec %sr conntrack -L -p gre 2>/dev/null", prefix);
	f = popen(cmd, "r");
	if (!f || fscanf(f, "gre %*d %d", &left) != 1)
		left = -1;
	if (f)
		pclose(f);
	return left;
}

static void case_echo_keeps_alive(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	int before, after;

	gre_works(&call);
	nap(3500);
	before = gre_timeout();
	pass(c, IN, msg(ECHORQ, 0, 0));
	pass(c, OUT, msg(ECHORP, 0, 0));
	after = gre_timeout();
	if (before < 0 || after <= before)
		fail("GRE entry had %d s left, after Echo %d s", before, after);
}

/* What looks like a message in the middle of one, at a segment's beginning. */
static void case_cookie_in_payload(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), fake = msg(CCRQ, 0x1234, 0), got = { 0 };

	memcpy(m.b + 60, fake.b, fake.len);
	memcpy(m.b + 100, fake.b, fake.len);
	got.len = m.len;
	put(c, IN, m.b, 60);
	get(c, OUT, got.b, 60);
	put(c, IN, m.b + 60, m.len - 60);
	get(c, OUT, got.b + 60, m.len - 60);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

/* A message longer than RFC 2637 has it, then one of a type that it has not. */
static void case_longer_message(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), got = { 0 }, odd = msg(SCCRQ, 0, 0);

	m.len += 40;
	m.b[1] = (uint8_t)m.len;
	memset(m.b + 168, 0x1a, 40);
	put(c, IN, m.b, m.len);
	get(c, OUT, got.b, m.len);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	put16(odd.b + 8, 99);
	put(c, OUT, odd.b, odd.len);
	get(c, IN, got.b, odd.len);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

static void case_router_is_client(void)
{
	struct call a = taken(0x1234), b = out_call(client(R), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&b);
	gre_works(&a);
}

/* r leads TCP port 1723 of its own address to c1. */
static void case_server_inside(void)
{
	struct conn *c = conn_open(C1, G1, false);
	struct call a, b;

	start(c, OUT);
	a = out_call(c, OUT, 7, 0x4321);
	b = out_call(c, OUT, 8, 0x4322);
	differ(&a, &b);
	gre_works(&a);
	gre_works_in_first(&b);
}

static void case_server_speaks_first(void)
{
	struct call call = out_call(client(C1), IN, 0x1234, 0x0101);

	gre_works_in_first(&call);
}

static void case_call_id_0(void)
{
	struct call other = taken(0), call = out_call(client(C1), IN, 0, 0);

	differ(&call, &other);
	gre_works(&call);
}

static void case_request_again(void)
{
	struct conn *c = client(C1);
	struct call a = out_call(c, IN, 0x1234, 0x0101), b;

	gre_works(&a);
	b = out_call(c, IN, 0x1234, 0x0102);
	gre_works(&b);
}

static void case_refused_call(void)
{
	struct conn *c = client(C1);
	struct call call = { c, 0x1234, 0, 0x0101 };
	struct msg m = pass(c, IN, msg(OCRQ, 0x1234, 0)), no;

	call.nat_id = id_of(&m);
	no = msg(OCRP, 0, call.nat_id);
	no.b[16] = 4;
	m = pass(c, OUT, no);
	want("refusal's call", peer_of(&m), 0x1234);
	gre_ended(&call);
	call = out_call(c, IN, 0x1234, 0x0102);
	gre_works(&call);
}

static void case_gre_before_reply(void)
{
	struct call call = { client(C1), 0x1234, 0, 0x0101 };
	struct msg m = pass(call.c, IN, msg(OCRQ, 0x1234, 0));

	call.nat_id = id_of(&m);
	if (gre_in(&call, 200))
		fail("GRE passed before the call was answered");
	m = pass(call.c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works_in_first(&call);
}

/* Segments get lost behind the router; TCP sends them again, put together. */
static void case_retransmission(void)
{
	struct call other = taken(0x1234), call;
	struct conn *c = client(C1);
	struct msg m = msg(OCRQ, 0x1234, 0), got = { .len = m.len };
	size_t off;

	run_in(G1, "nft add table ip lossy");
	run_in(G1, "nft add chain ip lossy in '{ type filter hook prerouting priority 0; }'");
	run_in(G1, "nft add rule ip lossy in tcp dport 1723 drop");
	for (off = 0; off < 24; off += 3) {
		put(c, IN, m.b + off, 3);
		nap(5);
	}
	put(c, IN, m.b + off, m.len - off);
	nap(50);
	run_in(G1, "nft delete table ip lossy");
	get_within(c, OUT, got.b, m.len, 5000);
	check_octets(&m, &got);
	call = (struct call){ c, 0x1234, id_of(&got), 0x0101 };
	differ(&call, &other);
	m = pass(c, OUT, msg(OCRP, 0x0101, call.nat_id));
	want("OCRP peer's call ID", peer_of(&m), 0x1234);
	gre_works(&call);
}

static uint16_t csum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (; len > 1; p += 2, len -= 2)
		sum += get16(p);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

/* Fragmentation needed, about GRE from @src to @dst by @key, 8 octets of it. */
static void icmp_send(int from, const char *to, const char *src, const char *dst, uint16_t key)
{
	uint8_t p[36] = { 3, 4, 0, 0, 0, 0, 0x05, 0x14, 0x45, 0, 0x05, 0xdc, 0, 1, 0x40, 0,
			  63, IPPROTO_GRE };
	struct sockaddr_in sin = sin_of(to, 0);
	uint8_t gre[64];

	inet_pton(AF_INET, src, p + 8 + 12);
	inet_pton(AF_INET, dst, p + 8 + 16);
	put16(p + 8 + 10, csum(p + 8, 20));
	gre_build(gre, key);
	memcpy(p + 28, gre, 8);
	put16(p + 2, csum(p, sizeof(p)));
	if (sendto(hosts[from].icmp, p, sizeof(p), 0, (void *)&sin, sizeof(sin)) < 0)
		fail("ICMP could not be sent");
}

static void icmp_want(int at, const char *src, const char *dst, uint16_t key)
{
	struct pollfd pfd = { .fd = hosts[at].icmp, .events = POLLIN };
	struct in_addr a, b;
	uint8_t got[2048];

	inet_pton(AF_INET, src, &a);
	inet_pton(AF_INET, dst, &b);
	while (poll(&pfd, 1, WAIT_MS) == 1) {
		ssize_t n = recv(hosts[at].icmp, got, sizeof(got), 0);
		const uint8_t *q = got + 28;

		if (n < 56 || got[20] != 3 || got[21] != 4)
			continue;
		if (memcmp(q + 12, &a, 4) || memcmp(q + 16, &b, 4))
			fail("the ICMP error at %s quotes other addresses", hosts[at].name);
		want("the quoted call ID", get16(q + 20 + 6), key);
		if (csum(got + 20, n - 20) || csum(q, 20))
			fail("the ICMP error's checksum is wrong");
		return;
	}
	fail("the ICMP error did not reach %s", hosts[at].name);
}

static void case_icmp_quotes(void)
{
	struct call a = taken(0x1234), b = out_call(client(C1), IN, 0x1234, 0x0101);

	differ(&a, &b);
	gre_works(&a);
	gre_works(&b);
	gre_drain();
	icmp_send(G1, PUB, PUB, hosts[G1].ip, b.out_id);
	icmp_want(C1, hosts[C1].ip, hosts[G1].ip, b.out_id);
	icmp_send(G1, PUB, PUB, hosts[G1].ip, a.out_id);
	icmp_want(C2, hosts[C2].ip, hosts[G1].ip, a.out_id);
	icmp_send(C1, hosts[G1].ip, hosts[G1].ip, hosts[C1].ip, b.in_id);
	icmp_want(G1, hosts[G1].ip, PUB, b.nat_id);
}

/* The client was restarted; nobody has told the router that its old connection
 * is no more, and both sides count from the same number again.
 */
static void case_client_restarted(void)
{
	struct call a = out_call(client(C1), IN, 0x1234, 0x0101), b;

	gre_works(&a);
	b = out_call(client(C1), IN, 0x1234, 0x0101);
	differ(&a, &b);
	gre_works(&b);
}

/* The peer is gone without a word on the control connection. */
static void case_reset_ends_calls(void)
{
	struct conn *c = client(C1);
	struct call call = out_call(c, IN, 0x1234, 0x0101);
	struct linger off = { .l_onoff = 1 };

	gre_works(&call);
	setsockopt(c->fd[IN], SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	close(c->fd[IN]);
	c->fd[IN] = -1;
	nap(200);
	gre_ended(&call);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "one_call", case_one_call },
	{ "two_calls", case_two_calls },
	{ "two_clients_one_id", case_two_clients_one_id },
	{ "octet_segments", case_octet_segments },
	{ "split_in_call_id", case_split_in_call_id },
	{ "coalesced", case_coalesced },
	{ "incoming_call", case_incoming_call },
	{ "disconnect_from_server", case_disconnect_from_server },
	{ "disconnect_from_client", case_disconnect_from_client },
	{ "pac_opens", case_pac_opens },
	{ "set_link_info", case_set_link_info },
	{ "expectations_full", case_expectations_full },
	{ "gre_entry_deleted", case_gre_entry_deleted },
	{ "table_flushed", case_table_flushed },
	{ "echo_keeps_alive", case_echo_keeps_alive },
	{ "cookie_in_payload", case_cookie_in_payload },
	{ "longer_message", case_longer_message },
	{ "router_is_client", case_router_is_client },
	{ "server_inside", case_server_inside },
	{ "server_speaks_first", case_server_speaks_first },
	{ "call_id_0", case_call_id_0 },
	{ "request_again", case_request_again },
	{ "refused_call", case_refused_call },
	{ "gre_before_reply", case_gre_before_reply },
	{ "retransmission", case_retransmission },
	{ "icmp_quotes", case_icmp_quotes },
	{ "client_restarted", case_client_restarted },
	{ "reset_ends_calls", case_reset_ends_calls },
};

#define N_CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void run_case(int i)
{
	cut = 0;
	if (setjmp(failed)) {
		printf("%s fail %s\n", cases[i].name, reason);
	} else {
		cases[i].run();
		printf("%s pass\n", cases[i].name);
	}
	conns_close();
	if (flush && !setjmp(failed))
		run_in(R, "conntrack -F");
	fflush(stdout);
}

static int find_case(const char *name)
{
	int i;

	for (i = 0; i < N_CASES; i++)
		if (!strcmp(cases[i].name, name))
			return i;
	fprintf(stderr, "pptp_sim: no case %s\n", name);
	exit(2);
}

/* --- calls that stay, with traffic -------------------------------------------------------- */

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* Control messages and GRE both ways until told to end; what arrives matters
 * to nobody: the router is being pulled from under it.
 */
static void traffic(const struct call *calls, int n)
{
	struct sockaddr_in g1 = sin_of(hosts[G1].ip, 0), pub = sin_of(PUB, 0);
	struct msg echo = msg(ECHORQ, 0, 0);
	uint8_t p[64];
	size_t len;
	int i;

	for (i = 0; !stop; i = (i + 1) % n) {
		len = gre_build(p, calls[i].out_id);
		sendto(hosts[C1].gre, p, len, 0, (void *)&g1, sizeof(g1));
		len = gre_build(p, calls[i].nat_id);
		sendto(hosts[G1].gre, p, len, 0, (void *)&pub, sizeof(pub));
		if (!i) {
			send(calls[i].c->fd[IN], echo.b, echo.len, MSG_NOSIGNAL | MSG_DONTWAIT);
			while (recv(calls[i].c->fd[OUT], p, sizeof(p), MSG_DONTWAIT) > 0)
				;
			gre_drain();
			nap(2);
		}
	}
}

static int hold(int n)
{
	struct call *calls = calloc(n, sizeof(*calls));
	struct conn *c;
	int i;

	if (setjmp(failed)) {
		printf("fail %s\n", reason);
		return 1;
	}
	c = client(C1);
	for (i = 0; i < n; i++)
		calls[i] = out_call(c, IN, i + 1, 0x4000 + i);
	signal(SIGTERM, on_signal);
	printf("ready\n");
	fflush(stdout);
	traffic(calls, n);
	return 0;
}

/* --- the fuzzer's corpus, through a real TCP connection ------------------------------------ */

/* As fuzz/fuzz_pptp_ctl.c reads it: turns, each a message or raw octets. */
static size_t turn(uint8_t *out, uint8_t t, const uint8_t **in, const uint8_t *end)
{
	uint8_t type = t & 31, arg[5] = { 0 };
	struct msg m;
	size_t n;

	if (t & 0x40) {
		n = *in < end ? *(*in)++ : 0;
		n = n < (size_t)(end - *in) ? n : (size_t)(end - *in);
		memcpy(out, *in, n);
		*in += n;
		return n;
	}
	n = (size_t)(end - *in) < sizeof(arg) ? (size_t)(end - *in) : sizeof(arg);
	memcpy(arg, *in, n);
	*in += n;
	m = msg(type < 16 ? type : 0, 0, 0);
	if (type >= 16)
		m.len = type * 2;
	put16(m.b, (uint16_t)m.len);
	put16(m.b + 8, type);
	if (m.len >= 16)
		memcpy(m.b + 12, arg, 4);
	if (m.len >= 18)
		m.b[type == CDN ? 14 : 16] = arg[4];
	memcpy(out, m.b, m.len);
	return m.len;
}

/* Every octet arrives, whatever it says; call IDs may have changed. */
static void replay(const char *file, size_t segment)
{
	uint8_t raw[65536], out[1024], got[1024];
	FILE *f = fopen(file, "rb");
	const uint8_t *in, *end;
	struct conn *c;
	size_t n, off, k;

	if (!f)
		die(file);
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	in = raw + 2;
	end = raw + n;
	c = conn_open(C1, G1, true);
	while (in < end) {
		uint8_t t = *in++;

		n = turn(out, t, &in, end);
		for (off = 0; off < n; off += k) {
			k = segment && n - off > segment ? segment : n - off;
			put(c, t & 0x80 ? OUT : IN, out + off, k);
			get(c, t & 0x80 ? IN : OUT, got + off, k);
		}
	}
}

static int replay_failed(const char *file, size_t segment)
{
	if (setjmp(failed)) {
		printf("%s fail %s\n", file, reason);
		conns_close();
		return 1;
	}
	replay(file, segment);
	conns_close();
	return 0;
}

static int replays(char **files)
{
	int bad = 0;

	for (; *files; files++) {
		bad |= replay_failed(*files, 0);
		bad |= replay_failed(*files, 7);
	}
	printf("done\n");
	return bad;
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: pptp_sim PREFIX CASE...|list|hold N|replay FILE...\n");
		return 2;
	}
	prefix = argv[1];
	if (!strcmp(argv[2], "list")) {
		for (i = 0; i < N_CASES; i++)
			puts(cases[i].name);
		return 0;
	}
	hosts_open();
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[2], "hold"))
		return hold(argc > 3 ? atoi(argv[3]) : 1);
	if (!strcmp(argv[2], "replay"))
		return replays(argv + 3);
	for (i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "-f"))
			flush = true;
		else
			run_case(find_case(argv[i]));
	}
	return 0;
}
