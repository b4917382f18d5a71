// SPDX-License-Identifier: GPL-2.0
/*
 * ipsec_many: many IPsec clients of one gateway, each from an address of its
 * own: IKEv2 on port 500, then native ESP; both ends in one process. All start
 * within a second, in random order, and each rekeys once at a random time, half
 * of them begun by the gateway, who sends on the new SA at once. One client in
 * twenty only receives. Messages that get no answer are sent again. Called by
 * selftests/ike and selftests/esp.
 *
 * usage: ipsec_many [-e] [-v] [-s SEED] -n N -t SECONDS CLIENT-NS GATEWAY-NS
 *		FIRST-ADDRESS GATEWAY ROUTER
 *	-e  ESP alone: SAs are there at once on both sides, without IKE
 *	-v  which clients did not get what, on the standard error
 * The clients' addresses count from FIRST-ADDRESS; they are local in CLIENT-NS.
 * Prints one line of NAME=VALUE:
 *	clients, up (got ESP), rekeyed (got ESP on the second SA)
 *	sent, lost: the gateway's ESP packets; those that nobody got
 *	strayed: of those, another client got a copy of
 *	misled: another client got and the owner did not
 *	late: misled or lost in the last third of the time
 *	median, last: ms from a client's start to its first ESP packet
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "ikemsg.h"
#include "raw.h"

#define MAX		1000
#define MAX_SERIAL	1000000
#define IKE_PORT	500
#define ESP_LEN		64
#define PING_MS		500
#define AGAIN_MS	1000	/* first retransmission; then twice as long */

enum { SA_INIT = 34, AUTH = 35, CHILD = 36 };
enum { INITIATOR = 0x08, RESPONSE = 0x20 };

/* A side's request that waits for its answer. */
struct request {
	int exchange;		/* 0: none */
	uint32_t mid, at, wait;
};

struct client {
	struct request ask, gw_ask;
	uint32_t mid, gw_mid;
	uint32_t start, rekey_at, ping_at, push_at;
	uint32_t seq[2], gw_seq[2];	/* by SA */
	uint32_t up_ms;
	uint8_t sas, gw_sas;		/* state of each side */
	bool begun, inited, receives_only, gw_rekeys, up, rekeyed;
};

static struct client clients[MAX];
static struct addr first, gateway, router;
static int client_tx, gw_tx, client_udp, gw_udp, client_esp, gw_esp;
static unsigned int count, seconds;
static bool esp_only, verbose;
static uint8_t *seen;		/* by the gateway's serial: 1 owner, 2 another */
static struct {
	uint32_t at;
	uint16_t i;
	uint8_t sa;
} *log_of;			/* by serial: when a packet was sent, for whom, on which SA */
static uint32_t serials, late_from;

static uint32_t now_ms(void)
{
	static struct timespec zero;
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (!zero.tv_sec)
		zero = t;
	return (t.tv_sec - zero.tv_sec) * 1000 + (t.tv_nsec - zero.tv_nsec) / 1000000;
}

static bool due(uint32_t now, uint32_t at)
{
	return (int32_t)(now - at) >= 0;
}

/* --- names ---------------------------------------------------------------------
 * An SPI tells whose it is, but looks like any other: an odd factor permutes
 * the 32-bit numbers.
 */
#define FACTOR		0x9e3779b1u
#define FACTOR_INVERSE	0x0e8b2f51u

static uint32_t spi_of(unsigned int i, unsigned int sa, bool in)
{
	return (0x40000000 | i << 8 | sa << 1 | in) * FACTOR;
}

static bool spi_parse(uint32_t spi, unsigned int *i, unsigned int *sa, bool *in)
{
	uint32_t v = spi * FACTOR_INVERSE;

	*i = v >> 8 & 0xffff;
	*sa = v >> 1 & 1;
	*in = v & 1;
	return v >> 24 == 0x40 && *i < count;
}

static uint64_t ispi_of(unsigned int i) { return 0x1122334400000001ull + i; }
static uint64_t rspi_of(unsigned int i) { return 0x8877665500000001ull + i; }

/* --- sockets ------------------------------------------------------------------- */

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

static int listener(int proto)
{
	int size = 16 << 20, fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, proto);

	if (fd < 0)
		raw_fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

/* Keep the port reachable; packets to it are not read. */
static void occupy_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(IKE_PORT) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&any, sizeof(any)))
		raw_fail("port 500");
}

static void open_end(const char *ns, int *tx, int *udp, int *esp)
{
	enter(ns);
	*tx = raw_socket(AF_INET);
	*udp = listener(IPPROTO_UDP);
	*esp = listener(IPPROTO_ESP);
	occupy_port();
}

static void transmit(int fd, struct addr src, struct addr dst, int proto,
		     const uint8_t *body, size_t len)
{
	struct sockaddr_storage to;
	uint8_t p[1024];
	socklen_t tolen;
	size_t off;

	off = ip_header(p, src, dst, proto, len);
	memcpy(p + off, body, len);
	tolen = raw_to(&to, &dst);
	if (sendto(fd, p, off + len, 0, (void *)&to, tolen) < 0 && errno != EPERM &&
	    errno != ENOBUFS)
		raw_fail("sendto");
}

static void ike_send(unsigned int i, bool from_client, int exchange, uint8_t flags,
		     uint32_t mid)
{
	bool begins = exchange == SA_INIT && !(flags & RESPONSE);
	size_t len = 300;
	uint8_t d[8 + 300];

	put(d, IKE_PORT, 2);
	put(d + 2, IKE_PORT, 2);
	put(d + 4, sizeof(d), 2);
	put(d + 6, 0, 2);	/* no checksum */
	ike_message(d + 8, 2, exchange, flags, ispi_of(i), begins ? 0 : rspi_of(i), mid, len);
	if (from_client)
		transmit(client_tx, addr_plus(first, i), gateway, IPPROTO_UDP, d, sizeof(d));
	else
		transmit(gw_tx, gateway, router, IPPROTO_UDP, d, sizeof(d));
}

static void esp_send(unsigned int i, bool from_client)
{
	struct client *c = &clients[i];
	unsigned int sa = (from_client ? c->sas : c->gw_sas) - 1;
	uint8_t d[ESP_LEN] = { 0 };

	put(d, spi_of(i, sa, !from_client), 4);
	put(d + 4, from_client ? ++c->seq[sa] : ++c->gw_seq[sa], 4);
	if (from_client) {
		transmit(client_tx, addr_plus(first, i), gateway, IPPROTO_ESP, d, sizeof(d));
		return;
	}
	if (serials == MAX_SERIAL)
		return;
	log_of[serials].at = now_ms();
	log_of[serials].i = i;
	log_of[serials].sa = sa;
	put(d + 8, serials++, 4);
	transmit(gw_tx, gateway, router, IPPROTO_ESP, d, sizeof(d));
}

/* --- IKE ------------------------------------------------------------------------- */

static void ask(unsigned int i, bool client, int exchange, uint32_t now)
{
	struct request *r = client ? &clients[i].ask : &clients[i].gw_ask;

	r->exchange = exchange;
	r->mid = client ? clients[i].mid++ : clients[i].gw_mid++;
	r->wait = AGAIN_MS;
	r->at = now + r->wait;
	ike_send(i, client, exchange, client ? INITIATOR : 0, r->mid);
}

static void ask_again(unsigned int i, bool client, uint32_t now)
{
	struct request *r = client ? &clients[i].ask : &clients[i].gw_ask;

	if (!r->exchange || !due(now, r->at))
		return;
	r->wait = r->wait < 8 * AGAIN_MS ? 2 * r->wait : r->wait;
	r->at = now + r->wait;
	ike_send(i, client, r->exchange, client ? INITIATOR : 0, r->mid);
}

static void client_has_sa(struct client *c, unsigned int sas, uint32_t now)
{
	if (c->sas >= sas)
		return;
	c->sas = sas;
	if (!c->receives_only)
		c->ping_at = now;
}

static void gw_has_sa(struct client *c, unsigned int sas, uint32_t now)
{
	if (c->gw_sas >= sas)
		return;
	c->gw_sas = sas;
	/* every other gateway sends first */
	if (c->receives_only || c->gw_rekeys)
		c->push_at = now;
}

static void client_got_answer(unsigned int i, int exchange, uint32_t mid, uint32_t now)
{
	struct client *c = &clients[i];

	if (c->ask.exchange != exchange || c->ask.mid != mid)
		return;
	c->ask.exchange = 0;
	if (exchange == SA_INIT)
		ask(i, true, AUTH, now);
	else
		client_has_sa(c, exchange == AUTH ? 1 : 2, now);
}

static void client_got_ike(unsigned int i, int exchange, uint8_t flags, uint32_t mid,
			   uint32_t now)
{
	if (flags & RESPONSE) {
		client_got_answer(i, exchange, mid, now);
		return;
	}
	if (exchange != CHILD)
		return;
	ike_send(i, true, CHILD, INITIATOR | RESPONSE, mid);
	client_has_sa(&clients[i], 2, now);
}

static void gw_got_ike(unsigned int i, int exchange, uint8_t flags, uint32_t mid, uint32_t now)
{
	struct client *c = &clients[i];

	if (flags & RESPONSE) {
		if (c->gw_ask.exchange != exchange || c->gw_ask.mid != mid)
			return;
		c->gw_ask.exchange = 0;
		gw_has_sa(c, 2, now);
		return;
	}
	ike_send(i, false, exchange, RESPONSE, mid);
	if (exchange != SA_INIT)
		gw_has_sa(c, exchange == AUTH ? 1 : 2, now);
}

static void got_udp(const uint8_t *ip, ssize_t n, bool client, uint32_t now)
{
	const uint8_t *m = ip + (ip[0] & 15) * 4 + 8;
	uint64_t ispi;

	if (n - (m - ip) < IKE_HDR || get(m - 8, 2) != IKE_PORT)
		return;
	ispi = get(m, 8);
	if (ispi < ispi_of(0) || ispi >= ispi_of(count))
		return;
	ispi -= ispi_of(0);
	if (!client)
		gw_got_ike(ispi, m[18], m[19], get(m + 20, 4), now);
	else if (!memcmp(addr_plus(first, ispi).b, ip + 16, 4))
		client_got_ike(ispi, m[18], m[19], get(m + 20, 4), now);
}

/* --- ESP ----------------------------------------------------------------------------- */

static void client_got_esp(unsigned int i, unsigned int sa, const uint8_t *ip,
			   uint32_t serial, uint32_t now)
{
	bool mine = !memcmp(addr_plus(first, i).b, ip + 16, 4);
	struct client *c = &clients[i];

	if (serial < serials)
		seen[serial] |= mine ? 1 : 2;
	if (!mine)
		return;
	if (!c->up)
		c->up_ms = now - c->start;
	c->up = true;
	c->rekeyed |= sa == 1;
}

static void got_esp(const uint8_t *ip, ssize_t n, bool client, uint32_t now)
{
	const uint8_t *e = ip + (ip[0] & 15) * 4;
	unsigned int i, sa;
	bool in;

	if (n - (e - ip) < ESP_LEN || !spi_parse(get(e, 4), &i, &sa, &in) || in != client)
		return;
	if (client)
		client_got_esp(i, sa, ip, get(e + 8, 4), now);
	else if (clients[i].gw_sas)
		esp_send(i, false);
}

/* --- time ------------------------------------------------------------------------------ */

static void begin(unsigned int i, uint32_t now)
{
	struct client *c = &clients[i];

	c->begun = true;
	if (!esp_only) {
		ask(i, true, SA_INIT, now);
		return;
	}
	gw_has_sa(c, 1, now);
	client_has_sa(c, 1, now);
}

static void rekey(unsigned int i, uint32_t now)
{
	struct client *c = &clients[i];

	c->rekey_at = now + seconds * 10000;
	if (!esp_only) {
		ask(i, !c->gw_rekeys, CHILD, now);
		return;
	}
	gw_has_sa(c, 2, now);
	client_has_sa(c, 2, now);
}

static void step(unsigned int i, uint32_t now)
{
	struct client *c = &clients[i];

	if (!due(now, c->start))
		return;
	if (!c->begun)
		begin(i, now);
	ask_again(i, true, now);
	ask_again(i, false, now);
	if (c->sas && c->gw_sas && due(now, c->rekey_at))
		rekey(i, now);
	if (c->gw_sas && (c->receives_only || c->push_at) && due(now, c->push_at)) {
		esp_send(i, false);
		c->push_at = c->receives_only ? now + PING_MS : 0;
	}
	if (c->sas && !c->receives_only && due(now, c->ping_at)) {
		esp_send(i, true);
		c->ping_at = now + PING_MS - 50 + rand() % 100;
	}
}

static void drain(int fd, bool client, void (*got)(const uint8_t *, ssize_t, bool, uint32_t))
{
	uint8_t buf[2048];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 20)
		got(buf, n, client, now_ms());
}

static void run(void)
{
	struct pollfd p[] = {
		{ .fd = client_udp, .events = POLLIN }, { .fd = gw_udp, .events = POLLIN },
		{ .fd = client_esp, .events = POLLIN }, { .fd = gw_esp, .events = POLLIN },
	};
	uint32_t now;
	unsigned int i;

	while ((now = now_ms()) < seconds * 1000) {
		if (!late_from && now >= seconds * 2000 / 3)
			late_from = serials;
		for (i = 0; i < count; i++)
			step(i, now);
		poll(p, 4, 2);
		drain(client_udp, true, got_udp);
		drain(gw_udp, false, got_udp);
		drain(client_esp, true, got_esp);
		drain(gw_esp, false, got_esp);
	}
	/* exchanges under way */
	for (i = 0; i < 200 && poll(p + 2, 1, 10) > 0; i++)
		drain(client_esp, true, got_esp);
}

/* --- all together ------------------------------------------------------------------------ */

static void plan(void)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		clients[i].start = rand() % 1000;
		clients[i].rekey_at = seconds * 1000 / 3 + rand() % (seconds * 1000 / 4);
		clients[i].receives_only = rand() % 20 == 0 && !esp_only;
		clients[i].gw_rekeys = rand() % 2;
	}
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* -v: each SA that the gateway's packets went astray of, on the standard error */
static void report_sa(unsigned int i, unsigned int sa)
{
	uint32_t s, sent = 0, bad = 0, from = 0, to = 0, begun = 0;

	for (s = 0; s < serials; s++) {
		if (log_of[s].i != i || log_of[s].sa != sa)
			continue;
		if (!sent++)
			begun = log_of[s].at;
		if (seen[s] & 1)
			continue;
		if (!bad++)
			from = log_of[s].at;
		to = log_of[s].at;
	}
	if (bad)
		fprintf(stderr, "client %u SA %u (%08x in, %08x out)%s%s: begun at %u ms,"
			" %u of %u not received, from %u to %u ms\n", i, sa,
			spi_of(i, sa, true), spi_of(i, sa, false),
			clients[i].receives_only ? ", only receives" : "",
			clients[i].gw_rekeys ? ", gateway first" : "", begun, bad, sent, from, to);
}

static void report(void)
{
	unsigned int i, up = 0, rekeyed = 0, lost = 0, strayed = 0, misled = 0, late = 0;
	static uint32_t ms[MAX];

	for (i = 0; i < count; i++) {
		if (clients[i].up)
			ms[up++] = clients[i].up_ms;
		rekeyed += clients[i].rekeyed;
	}
	for (i = 0; i < serials; i++) {
		lost += !seen[i];
		strayed += seen[i] > 1;
		misled += seen[i] == 2;
		late += i >= late_from && !(seen[i] & 1);
	}
	for (i = 0; verbose && i < count; i++) {
		report_sa(i, 0);
		report_sa(i, 1);
	}
	qsort(ms, up, sizeof(*ms), by_value);
	printf("clients=%u up=%u rekeyed=%u sent=%u lost=%u strayed=%u misled=%u late=%u"
	       " median=%u last=%u\n", count, up, rekeyed, serials, lost, strayed, misled,
	       late, ms[up / 2], up ? ms[up - 1] : 0);
}

int main(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "es:n:t:v")) != -1) {
		switch (opt) {
		case 'e': esp_only = true; break;
		case 'v': verbose = true; break;
		case 's': srand(strtoul(optarg, NULL, 0)); break;
		case 'n': count = strtoul(optarg, NULL, 0); break;
		case 't': seconds = strtoul(optarg, NULL, 0); break;
		default: return 2;
		}
	}
	if (optind + 5 != argc || !count || count > MAX || !seconds) {
		fprintf(stderr, "usage: ipsec_many [-e] [-v] [-s SEED] -n N -t SECONDS CLIENT-NS"
				" GATEWAY-NS FIRST-ADDRESS GATEWAY ROUTER\n");
		return 2;
	}
	seen = calloc(MAX_SERIAL, 1);
	log_of = calloc(MAX_SERIAL, sizeof(*log_of));
	if (!seen || !log_of)
		raw_fail("memory");
	first = addr_parse(argv[optind + 2]);
	gateway = addr_parse(argv[optind + 3]);
	router = addr_parse(argv[optind + 4]);
	open_end(argv[optind], &client_tx, &client_udp, &client_esp);
	open_end(argv[optind + 1], &gw_tx, &gw_udp, &gw_esp);
	plan();
	run();
	report();
	return 0;
}
