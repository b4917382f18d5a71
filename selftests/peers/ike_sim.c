// SPDX-License-Identifier: GPL-2.0
/*
 * IKE peers by the message: sockets in several network namespaces, told what to
 * send by lines on stdin. Each line is answered by one line on stdout, "ok",
 * what was received, or "error ...". Used by selftests/ike, through ike/sim.sh.
 *
 *	open NAME NETNS ADDR PORT	a UDP socket, NETNS "-" for this one
 *	close NAME
 *	send NAME ADDR PORT VER EXCHANGE FLAGS ISPI RSPI MID LEN
 *		an IKE message; EXCHANGE a number, FLAGS letters of I (initiator),
 *		R (response), E (encrypted), C (commit), or "-"; numbers as in C;
 *		LEN the whole message's, header included
 *	marked NAME ...		the same behind a non-ESP marker
 *	pieces NAME ...		the same in IP fragments, the last first
 *	part N TOTAL NAME ...	the same as IKE fragment N of TOTAL (RFC 7383)
 *	bytes NAME ADDR PORT HEX	any datagram
 *	recv NAME MS		"ADDR PORT VER EXCHANGE FLAGS ISPI RSPI MID LEN",
 *				or "ADDR PORT bytes N" if it is no IKE, or "-"
 *	esp NAME SRC DST SPI SEQ	an ESP packet from NAME's namespace
 *	flood NAME SRC N DST COUNT ISPI	first messages with COUNT initiator SPIs
 *		from ISPI on, from N source addresses, port 500 to port 500
 *	repeat N LINE...	that line N times; answers with the ns that it took
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "ikemsg.h"
#include "raw.h"

#define MAX_PEERS	512
#define PIECE		1200	/* bytes of an IP fragment, a multiple of 8 */

struct peer {
	char name[32];
	char ns[64];
	struct addr addr;
	uint16_t port;
	int fd, raw;
};

static struct peer peers[MAX_PEERS];
static int home;

static int enter(const char *ns)
{
	char path[128];
	int fd = home, err;

	if (strcmp(ns, "-")) {
		snprintf(path, sizeof(path), "/run/netns/%s", ns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return -1;
	}
	err = setns(fd, CLONE_NEWNET);
	if (fd != home)
		close(fd);
	return err;
}

static struct peer *find(const char *name)
{
	int i;

	for (i = 0; i < MAX_PEERS; i++)
		if (!strcmp(peers[i].name, name))
			return &peers[i];
	return NULL;
}

static socklen_t endpoint(struct sockaddr_storage *ss, const char *text, int port)
{
	struct addr a = addr_parse(text);
	socklen_t len = raw_to(ss, &a);

	/* both families have the port in the same place */
	((struct sockaddr_in *)ss)->sin_port = htons(port);
	return len;
}

static const char *do_open(char **w)
{
	struct peer *p = find("");
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1;

	if (!p || enter(w[2]))
		return "error namespace";
	len = endpoint(&ss, w[3], atoi(w[4]));
	p->addr = addr_parse(w[3]);
	p->port = atoi(w[4]);
	p->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	p->raw = raw_socket(ss.ss_family);
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (p->fd < 0 || bind(p->fd, (void *)&ss, len))
		return "error bind";
	snprintf(p->name, sizeof(p->name), "%s", w[1]);
	snprintf(p->ns, sizeof(p->ns), "%s", w[2]);
	return "ok";
}

static const char *do_close(char **w)
{
	struct peer *p = find(w[1]);

	if (!p)
		return "error name";
	close(p->fd);
	close(p->raw);
	p->name[0] = 0;
	return "ok";
}

static uint8_t flags_of(const char *text, int version)
{
	uint8_t f = 0;

	for (; *text; text++)
		f |= *text == 'I' ? 0x08 : *text == 'R' ? 0x20 :
		     *text == 'E' ? (version == 1 ? 0x01 : 0) :
		     *text == 'C' ? 0x02 : 0;
	return f;
}

/* An IP fragment of the UDP datagram at @d, RFC 791 3.2, RFC 8200 4.5 */
static int piece_send(const struct peer *p, struct addr dst, const uint8_t *d, size_t len,
		      size_t off, uint16_t id)
{
	size_t n = len - off > PIECE ? PIECE : len - off, h;
	bool more = off + n < len, v4 = dst.family == AF_INET;
	struct sockaddr_storage ss;
	socklen_t salen = raw_to(&ss, &dst);
	uint8_t buf[2048];

	if (v4) {
		h = ip_header(buf, p->addr, dst, IPPROTO_UDP, n);
		put(buf + 4, id, 2);
		put(buf + 6, off / 8 | (more ? 0x2000 : 0), 2);
	} else {
		h = ip_header(buf, p->addr, dst, IPPROTO_FRAGMENT, 8 + n);
		put(buf + h, IPPROTO_UDP, 1);
		put(buf + h + 1, 0, 1);
		put(buf + h + 2, off | more, 2);
		put(buf + h + 4, id, 4);
		h += 8;
	}
	memcpy(buf + h, d + off, n);
	return sendto(p->raw, buf, h + n, 0, (void *)&ss, salen) < 0;
}

/* The datagram @d, with room for a UDP header before it, in fragments */
static const char *pieces_send(const struct peer *p, const char *to, int port, uint8_t *d,
			       size_t len)
{
	struct addr dst = addr_parse(to);
	static uint16_t id = 0x100;
	uint16_t sum;
	size_t off;

	len += 8;
	put(d, p->port, 2);
	put(d + 2, port, 2);
	put(d + 4, len, 2);
	put(d + 6, 0, 2);
	if (dst.family == AF_INET6) {
		sum = fold(sum16(pseudo6(p->addr.b, dst.b, IPPROTO_UDP, len), d, len));
		memcpy(d + 6, &sum, 2);
	}
	id++;
	for (off = (len - 1) / PIECE * PIECE; ; off -= PIECE) {
		if (piece_send(p, dst, d, len, off, id))
			return "error send";
		if (!off)
			return "ok";
	}
}

/* Acts on a message besides sending it */
struct form {
	size_t marker;		/* bytes of zero before it */
	bool pieces;		/* IP fragments */
	int part, of;		/* the message is an IKE fragment */
};

static const char *do_send(char **w, struct form form)
{
	size_t marker = 8 + form.marker;
	uint8_t buf[65536] = { 0 };
	struct peer *p = find(w[1]);
	uint32_t len = strtoul(w[10], NULL, 0);
	int version = atoi(w[4]);
	struct sockaddr_storage ss;
	socklen_t salen;

	if (!p || len < IKE_HDR || len > 60000)
		return "error arguments";
	salen = endpoint(&ss, w[2], atoi(w[3]));
	ike_message(buf + marker, version, atoi(w[5]), flags_of(w[6], version),
		    strtoull(w[7], NULL, 0), strtoull(w[8], NULL, 0),
		    strtoul(w[9], NULL, 0), len);
	if (form.of) {
		buf[marker + 16] = V2_SKF;
		put(buf + marker + IKE_HDR + 4, form.part, 2);
		put(buf + marker + IKE_HDR + 6, form.of, 2);
	}
	if (form.pieces)
		return pieces_send(p, w[2], atoi(w[3]), buf, form.marker + len);
	if (sendto(p->fd, buf + 8, form.marker + len, 0, (void *)&ss, salen) < 0)
		return "error send";
	return "ok";
}

static const char *do_bytes(char **w)
{
	struct peer *p = find(w[1]);
	struct sockaddr_storage ss;
	uint8_t buf[2048];
	socklen_t salen;
	size_t n = 0;
	unsigned int b;
	const char *h;

	if (!p)
		return "error name";
	salen = endpoint(&ss, w[2], atoi(w[3]));
	for (h = w[4]; n < sizeof(buf) && sscanf(h, "%2x", &b) == 1; h += 2)
		buf[n++] = b;
	return sendto(p->fd, buf, n, 0, (void *)&ss, salen) < 0 ? "error send" : "ok";
}

static void flags_text(char *to, uint8_t f, int version)
{
	if (version == 1 && f & 0x01)
		*to++ = 'E';
	if (version == 2 && f & 0x08)
		*to++ = 'I';
	if (version == 2 && f & 0x20)
		*to++ = 'R';
	if (!f)
		*to++ = '-';
	*to = 0;
}

static void describe(char *to, size_t size, const uint8_t *m, ssize_t n)
{
	char flags[8];

	if (n > IKE_HDR + 4 && !get(m, 4) && get(m + 28, 4) == (uint64_t)n - 4) {
		m += 4;		/* the non-ESP marker */
		n -= 4;
	}
	if (n < IKE_HDR || get(m + 24, 4) != (uint64_t)n) {
		snprintf(to, size, "bytes %zd", n);
		return;
	}
	flags_text(flags, m[19], m[17] >> 4);
	snprintf(to, size, "%d %d %s 0x%016jx 0x%016jx %ju %zd", m[17] >> 4, m[18],
		 flags, (uintmax_t)get(m, 8), (uintmax_t)get(m + 8, 8),
		 (uintmax_t)get(m + 20, 4), n);
}

static const char *do_recv(char **w)
{
	static char line[256];
	static uint8_t buf[65536];
	struct peer *p = find(w[1]);
	struct pollfd pfd = { .events = POLLIN };
	struct sockaddr_storage ss;
	char text[INET6_ADDRSTRLEN], what[160];
	socklen_t len = sizeof(ss);
	ssize_t n;

	if (!p)
		return "error name";
	pfd.fd = p->fd;
	if (poll(&pfd, 1, atoi(w[2])) <= 0)
		return "-";
	n = recvfrom(p->fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&ss, &len);
	if (n < 0)
		return "-";
	inet_ntop(ss.ss_family, ss.ss_family == AF_INET ?
		  (void *)&((struct sockaddr_in *)&ss)->sin_addr :
		  (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr, text, sizeof(text));
	describe(what, sizeof(what), buf, n);
	snprintf(line, sizeof(line), "%s %u %s", text,
		 ntohs(((struct sockaddr_in *)&ss)->sin_port), what);
	return line;
}

static int raw_send(int fd, struct addr src, struct addr dst, uint8_t proto,
		    const uint8_t *data, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t salen = raw_to(&ss, &dst);
	uint8_t buf[2048];
	size_t off;

	off = ip_header(buf, src, dst, proto, len);
	memcpy(buf + off, data, len);
	return sendto(fd, buf, off + len, 0, (void *)&ss, salen) < 0;
}

static const char *do_esp(char **w)
{
	struct peer *p = find(w[1]);
	uint8_t esp[64] = { 0 };

	if (!p)
		return "error name";
	put(esp, strtoul(w[4], NULL, 0), 4);
	put(esp + 4, strtoul(w[5], NULL, 0), 4);
	return raw_send(p->raw, addr_parse(w[2]), addr_parse(w[3]), IPPROTO_ESP,
			esp, sizeof(esp)) ? "error send" : "ok";
}

static const char *do_flood(char **w)
{
	struct peer *p = find(w[1]);
	struct addr src = addr_parse(w[2]), dst = addr_parse(w[4]);
	uint32_t i, n = strtoul(w[3], NULL, 0), count = strtoul(w[5], NULL, 0);
	uint64_t ispi = strtoull(w[6], NULL, 0);
	uint8_t d[8 + 60];

	if (!p || !n || src.family != AF_INET)
		return "error arguments";
	for (i = 0; i < count; i++) {
		put(d, 500, 2);
		put(d + 2, 500, 2);
		put(d + 4, sizeof(d), 2);
		put(d + 6, 0, 2);	/* no checksum */
		ike_message(d + 8, 2, 34, 0x08, ispi + i, 0, 0, sizeof(d) - 8);
		if (raw_send(p->raw, addr_plus(src, i % n), dst, IPPROTO_UDP, d,
			     sizeof(d)) && errno != ENOBUFS && errno != EPERM)
			return "error send";
	}
	return "ok";
}

static const char *obey(char **w, int n);

static const char *do_repeat(char **w, int n)
{
	uint32_t i, count = strtoul(w[1], NULL, 0);
	struct timespec a, b;
	static char line[32];
	const char *err;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < count; i++) {
		err = obey(w + 2, n - 2);
		if (strcmp(err, "ok"))
			return err;
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	snprintf(line, sizeof(line), "%lld",
		 (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec);
	return line;
}

static const char *obey(char **w, int n)
{
	if (n > 2 && !strcmp(w[0], "repeat"))
		return do_repeat(w, n);
	if (n == 5 && !strcmp(w[0], "open"))
		return do_open(w);
	if (n == 2 && !strcmp(w[0], "close"))
		return do_close(w);
	if (n == 11 && !strcmp(w[0], "send"))
		return do_send(w, (struct form) {});
	if (n == 11 && !strcmp(w[0], "marked"))
		return do_send(w, (struct form) { .marker = 4 });
	if (n == 11 && !strcmp(w[0], "pieces"))
		return do_send(w, (struct form) { .pieces = true });
	if (n == 13 && !strcmp(w[0], "part"))
		return do_send(w + 2, (struct form) { .part = atoi(w[1]), .of = atoi(w[2]) });
	if (n == 5 && !strcmp(w[0], "bytes"))
		return do_bytes(w);
	if (n == 3 && !strcmp(w[0], "recv"))
		return do_recv(w);
	if (n == 6 && !strcmp(w[0], "esp"))
		return do_esp(w);
	if (n == 7 && !strcmp(w[0], "flood"))
		return do_flood(w);
	return "error usage";
}

int main(void)
{
	char line[8192], *w[16], *save;
	int n;

	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0)
		raw_fail("netns");
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		n = 0;
		for (char *t = strtok_r(line, "\n ", &save); t && n < 16;
		     t = strtok_r(NULL, "\n ", &save))
			w[n++] = t;
		puts(n ? obey(w, n) : "error usage");
	}
	return 0;
}
