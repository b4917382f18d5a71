// SPDX-License-Identifier: GPL-2.0
/*
 * Listening to the interfaces by a packet socket, which needs CAP_NET_RAW; see heard.h.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/util.h"
#include "flows.h"
#include "heard.h"

#define HEADERS_SIZE	64
#define PPTP_PORT	1723
/* Not all of a busy line; what matters comes again. */
#define PACKETS_MAX	20000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* The kernel hands up IP packets without TCP, but for PPTP's: those are many. */
static void filter_out_tcp(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 7),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_NET_OFF + 20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PPTP_PORT, 3, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, SKF_NET_OFF + 22),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PPTP_PORT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, HEADERS_SIZE),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/**
 * ear_open - Begin to listen.
 * @ear: Filled in; for ear_close().
 */
void ear_open(struct ear *ear)
{
	*ear = (struct ear){
		.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			     htons(ETH_P_ALL)),
	};
	if (ear->fd >= 0)
		filter_out_tcp(ear->fd);
}

static size_t read_addresses(struct heard *h, const uint8_t *data, size_t length)
{
	if (length >= 20 && data[0] >> 4 == 4) {
		host_set(&h->src, AF_INET, data + 12);
		host_set(&h->dst, AF_INET, data + 16);
		h->l4proto = data[9];
		/* a later fragment has no ports */
		return (data[6] & 0x1f) | data[7] ? 0 : (data[0] & 0xf) * 4;
	}
	if (length >= 40 && data[0] >> 4 == 6) {
		host_set(&h->src, AF_INET6, data + 8);
		host_set(&h->dst, AF_INET6, data + 24);
		h->l4proto = data[6];
		return 40;
	}
	return 0;
}

/* RFC 2637 4.1: version 1, for PPP; its call ID is as good as a port. */
static bool is_pptp(const uint8_t *gre)
{
	return (gre[1] & 7) == 1 && gre[2] == 0x88 && gre[3] == 0x0b;
}

static const struct vpn wireguard = {
	"wireguard", "WireGuard by its looks (UDP)", IPPROTO_UDP, 0, 0, false,
};

static const struct vpn openvpn = {
	"openvpn", "OpenVPN by its looks (UDP)", IPPROTO_UDP, 0, 0, false,
};

/* The first messages of both sides: their first bytes, and lengths with UDP's header. */
static const struct {
	const struct vpn *vpn;
	bool answers;
	uint8_t begins[4];
	int n;
	uint16_t least, most;
} looks[] = {
	{ &wireguard, false, { 1, 0, 0, 0 }, 4, 8 + 148, 8 + 148 },
	{ &wireguard, true, { 2, 0, 0, 0 }, 4, 8 + 92, 8 + 92 },
	{ &openvpn, false, { 7 << 3 }, 1, 8 + 14, 8 + 86 },
	{ &openvpn, true, { 8 << 3 }, 1, 8 + 26, 8 + 98 },
};

static void read_look(struct heard *h, const uint8_t *udp, size_t length)
{
	uint16_t size = length >= 12 ? udp[4] << 8 | udp[5] : 0;
	size_t i;

	for (i = 0; size && i < ARRAY_SIZE(looks); i++) {
		if (size < looks[i].least || size > looks[i].most ||
		    memcmp(udp + 8, looks[i].begins, looks[i].n))
			continue;
		h->look = looks[i].vpn;
		h->answers = looks[i].answers;
	}
}

static bool read_packet(struct heard *h, const uint8_t *data, size_t length)
{
	size_t at = read_addresses(h, data, length);

	if (!at)
		return false;
	if (h->l4proto == IPPROTO_UDP || h->l4proto == IPPROTO_TCP) {
		if (length < at + 4)
			return false;
		h->sport = data[at] << 8 | data[at + 1];
		h->dport = data[at + 2] << 8 | data[at + 3];
	}
	if (h->l4proto == IPPROTO_GRE && length >= at + 8 && is_pptp(data + at))
		h->dport = data[at + 6] << 8 | data[at + 7];
	if (vpn_of(h->l4proto, h->dport) || vpn_of(h->l4proto, h->sport))
		return true;
	if (h->l4proto == IPPROTO_UDP)
		read_look(h, data + at, length - at);
	return h->look;
}

/**
 * heard_equal - Whether packets are of one kind.
 * @a: Some.
 * @b: Others.
 */
bool heard_equal(const struct heard *a, const struct heard *b)
{
	return a->index == b->index && a->out == b->out && a->l4proto == b->l4proto &&
	       a->sport == b->sport && a->dport == b->dport && a->look == b->look &&
	       a->answers == b->answers && host_equal(&a->src, &b->src) &&
	       host_equal(&a->dst, &b->dst);
}

static void remember(struct ear *ear, const struct heard *h)
{
	size_t i;

	for (i = 0; i < ear->n; i++) {
		if (!heard_equal(&ear->list[i], h))
			continue;
		ear->list[i].n++;
		return;
	}
	if (ear->n == HEARD_MAX)
		return;
	ear->list = xgrow(ear->list, ear->n, sizeof(*ear->list));
	ear->list[ear->n] = *h;
	ear->list[ear->n++].n = 1;
	if (ear->tell)
		ear->tell(ear->watch, h);
}

/* Take in what waits; false when nothing did. */
static bool hear_one(struct ear *ear)
{
	struct sockaddr_ll from = {};
	socklen_t size = sizeof(from);
	uint8_t data[HEADERS_SIZE];
	struct heard h = {};
	ssize_t got;

	got = recvfrom(ear->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
	if (got < 0)
		return false;
	h.index = from.sll_ifindex;
	h.out = from.sll_pkttype == PACKET_OUTGOING;
	if (read_packet(&h, data, got))
		remember(ear, &h);
	return true;
}

/**
 * ear_listen - Listen for a while.
 * @ear: From ear_open(); where it may not listen, it only waits.
 * @milliseconds: How long.
 */
void ear_listen(struct ear *ear, int milliseconds)
{
	struct pollfd poller = { .fd = ear->fd, .events = POLLIN };
	int64_t end = now_ms() + milliseconds, left;
	int packets = 0;

	while ((left = end - now_ms()) > 0) {
		poll(&poller, 1, left);
		while (packets < PACKETS_MAX && hear_one(ear))
			packets++;
		if (packets == PACKETS_MAX)
			poller.fd = -1;
	}
}

/**
 * ear_close - Forget it.
 * @ear: From ear_open().
 */
void ear_close(struct ear *ear)
{
	if (ear->fd >= 0)
		close(ear->fd);
	free(ear->list);
}
