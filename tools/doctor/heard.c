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

#include "../lib/bytes.h"
#include "../lib/util.h"
#include "flows.h"
#include "heard.h"

/* An ICMPv6 error with the IPv6 packet's head that it quotes, or a name that is asked for */
#define HEADERS_SIZE	128
#define PPTP_PORT	1723
#define DNS_PORT	53
/* The opcodes of what both sides of OpenVPN begin with, and the most bytes that this has */
#define OPENVPN_CLIENT	(7 << 3)
#define OPENVPN_SERVER	(8 << 3)
#define OPENVPN_CRYPT2	(10 << 3)
#define OPENVPN_MOST	1100
/* Not all of a busy line; what matters comes again. */
#define PACKETS_MAX	20000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/*
 * The kernel hands up IP packets without TCP, as those are many, but for PPTP's and for
 * segments that may be OpenVPN's first ones: with a length before them, and their opcode.
 */
static void filter_out_tcp(int fd)
{
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 19),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SKF_NET_OFF + 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 17),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, SKF_NET_OFF),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, SKF_NET_OFF),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PPTP_PORT, 14, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, SKF_NET_OFF + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PPTP_PORT, 12, 0),
		/* the header of TCP has its length in words, in the upper half of this byte */
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, SKF_NET_OFF + 12),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, SKF_NET_OFF),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, OPENVPN_MOST, 4, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, SKF_NET_OFF + 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OPENVPN_CLIENT, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OPENVPN_SERVER, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OPENVPN_CRYPT2, 1, 0),
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

const struct vpn vpn_eoip = {
	"eoip", "EoIP, which is MikroTik's GRE (IP protocol 47)", IPPROTO_GRE, 0, 0, false,
};

/*
 * Version 1 has PPP in it (RFC 2637 4.1), whose call ID is as good as a port, or, with a key
 * and another number in the place of the protocol, MikroTik's frames of Ethernet.
 */
static void read_gre(struct heard *h, const uint8_t *gre)
{
	if ((gre[1] & 7) != 1)
		return;
	if (get16(gre + 2) == 0x880b)
		h->dport = get16(gre + 6);
	else if (get16(gre + 2) == 0x6400)
		h->look = &vpn_eoip;
}

static const struct vpn wireguard = {
	"wireguard", "WireGuard by its looks (UDP)", IPPROTO_UDP, 0, 0, false,
};

static const struct vpn openvpn = {
	"openvpn", "OpenVPN by its looks (UDP)", IPPROTO_UDP, 0, 0, false,
};

static const struct vpn openvpn_tcp = {
	"openvpn", "OpenVPN by its looks (TCP)", IPPROTO_TCP, 0, 0, false,
};

const struct vpn vpn_epdg_question = {
	"natt", "a question for a gateway of Wi-Fi calling (DNS)", IPPROTO_UDP, DNS_PORT, 0, false,
};

/*
 * The first messages of both sides: their first bytes, and lengths. OpenVPN's without
 * tls-auth, up to that with SHA-512; with tls-crypt-v2 the client's has a key and metadata.
 */
static const struct {
	const struct vpn *vpn;
	bool answers;
	uint8_t begins[4];
	int n;
	uint16_t least, most;
} looks[] = {
	{ &wireguard, false, { 1, 0, 0, 0 }, 4, 148, 148 },
	{ &wireguard, true, { 2, 0, 0, 0 }, 4, 92, 92 },
	{ &openvpn, false, { OPENVPN_CLIENT }, 1, 14, 86 },
	{ &openvpn, false, { OPENVPN_CRYPT2 }, 1, 300, OPENVPN_MOST },
	{ &openvpn, true, { OPENVPN_SERVER }, 1, 26, 98 },
};

/*
 * With tls-crypt-v2 OpenVPN has a number here, 1 or, where a server may ask it to come again,
 * 0xf000001. QUIC has any bytes there, and the same before them at times.
 */
static bool has_first_number(const uint8_t *data)
{
	return !get16(data + 10) && data[12] == 1 && (!data[9] || data[9] == 0x0f);
}

/* Of a message of this size, of which so much is there */
static void read_look(struct heard *h, const uint8_t *data, size_t length, size_t size)
{
	size_t i;

	for (i = 0; length >= 13 && i < ARRAY_SIZE(looks); i++) {
		if (size < looks[i].least || size > looks[i].most ||
		    memcmp(data, looks[i].begins, looks[i].n) ||
		    (data[0] == OPENVPN_CRYPT2 && !has_first_number(data)))
			continue;
		h->look = looks[i].vpn;
		h->answers = looks[i].answers;
	}
}

/* By TCP its length comes before a message (OpenVPN); the segment has nothing else. */
static void read_tcp_look(struct heard *h, const uint8_t *tcp, size_t length, size_t size)
{
	size_t at = length >= 20 ? (tcp[12] >> 4) * 4U + 2 : length;

	if (length <= at || size < at || get16(tcp + at - 2) != size - at)
		return;
	read_look(h, tcp + at, length - at, size - at);
	h->look = h->look == &openvpn ? &openvpn_tcp : NULL;
}

/* A question (RFC 1035 4.1) for epdg.epc.mnc..., as its three first labels begin */
static bool is_epdg_question(const uint8_t *dns, size_t length)
{
	static const char name[] = "\4epdg\3epc\6mnc";

	return length >= 12 + sizeof(name) - 1 && !(dns[2] & 0x80) &&
	       !memcmp(dns + 12, name, sizeof(name) - 1);
}

static void read_udp_look(struct heard *h, const uint8_t *udp, size_t length)
{
	if (length < 8 || get16(udp + 4) < 8)
		return;
	if (h->dport == DNS_PORT && is_epdg_question(udp + 8, length - 8))
		h->look = &vpn_epdg_question;
	else
		read_look(h, udp + 8, length - 8, get16(udp + 4) - 8);
}

/* As the header of IP says; a short frame has more behind it. */
static size_t packet_size(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? get16(ip + 2) : 40 + get16(ip + 4);
}

static bool read_packet(struct heard *h, const uint8_t *data, size_t length)
{
	size_t at = read_addresses(h, data, length);

	if (!at)
		return false;
	if (h->l4proto == IPPROTO_UDP || h->l4proto == IPPROTO_TCP) {
		if (length < at + 4)
			return false;
		h->sport = get16(data + at);
		h->dport = get16(data + at + 2);
	}
	if (h->l4proto == IPPROTO_GRE && length >= at + 8)
		read_gre(h, data + at);
	if (vpn_of(h->l4proto, h->dport) || vpn_of(h->l4proto, h->sport))
		return true;
	if (h->l4proto == IPPROTO_UDP)
		read_udp_look(h, data + at, length - at);
	else if (h->l4proto == IPPROTO_TCP)
		read_tcp_look(h, data + at, length - at, packet_size(data) - at);
	return h->look;
}

static const struct {
	int family;
	uint8_t code;
	const char *text;
} refusals[] = {
	{ AF_INET, 2, "protocol unreachable" },
	{ AF_INET, 3, "port unreachable" },
	{ AF_INET, 9, "network administratively prohibited" },
	{ AF_INET, 10, "host administratively prohibited" },
	{ AF_INET, 13, "communication administratively prohibited" },
	{ AF_INET6, 1, "communication administratively prohibited" },
	{ AF_INET6, 4, "port unreachable" },
	{ AF_INET6, 5, "source address failed policy" },
	{ AF_INET6, 6, "reject route to destination" },
};

/**
 * refusal_text - What an ICMP error says; NULL when it is no refusal.
 * @refusal: The error.
 */
const char *refusal_text(const struct refusal *refusal)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		if (refusals[i].family == refusal->dst.family && refusals[i].code == refusal->code)
			return refusals[i].text;
	return NULL;
}

/* Destination unreachable (RFC 792, RFC 4443 3.1), which quotes the packet. */
static bool read_refusal(struct refusal *refusal, const uint8_t *data, size_t length)
{
	struct heard outer = {}, quoted = {};
	size_t at = read_addresses(&outer, data, length), in;
	bool six = outer.src.family == AF_INET6;

	if (!at || length < at + 8 || outer.l4proto != (six ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
	    data[at] != (six ? 1 : 3))
		return false;
	in = read_addresses(&quoted, data + at + 8, length - at - 8);
	if (!in || length < at + 8 + in + 4)
		return false;
	*refusal = (struct refusal){
		.by = outer.src, .code = data[at + 1], .src = quoted.src, .dst = quoted.dst,
		.l4proto = quoted.l4proto,
	};
	if (quoted.l4proto == IPPROTO_UDP || quoted.l4proto == IPPROTO_TCP)
		refusal->dport = get16(data + at + 8 + in + 2);
	return refusal_text(refusal);
}

static bool is_same_refusal(const struct refusal *a, const struct refusal *b)
{
	return a->l4proto == b->l4proto && a->dport == b->dport && host_equal(&a->src, &b->src) &&
	       host_equal(&a->dst, &b->dst);
}

static void remember_refusal(struct ear *ear, const struct refusal *refusal)
{
	size_t i;

	for (i = 0; i < ear->n_refusals; i++)
		if (is_same_refusal(&ear->refusals[i], refusal))
			return;
	if (ear->n_refusals == HEARD_MAX)
		return;
	ear->refusals = xgrow(ear->refusals, ear->n_refusals, sizeof(*ear->refusals));
	ear->refusals[ear->n_refusals++] = *refusal;
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
	struct refusal refusal;
	struct heard h = {};
	ssize_t got;

	got = recvfrom(ear->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &size);
	if (got < 0)
		return false;
	h.index = from.sll_ifindex;
	h.out = from.sll_pkttype == PACKET_OUTGOING;
	if (!h.out && read_refusal(&refusal, data, got))
		remember_refusal(ear, &refusal);
	else if (read_packet(&h, data, got))
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
 * heard_from - How many packets of one host for another came in.
 * @ear: What was heard.
 * @l4proto: IP protocol.
 * @src: Whose.
 * @sport: Source port, 0 for any.
 * @dst: For whom.
 * @dport: Destination port, 0 for any.
 */
unsigned int heard_from(const struct ear *ear, uint8_t l4proto, const struct host *src,
			uint16_t sport, const struct host *dst, uint16_t dport)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < ear->n; i++) {
		const struct heard *h = &ear->list[i];

		if (!h->out && h->l4proto == l4proto && (!sport || h->sport == sport) &&
		    (!dport || h->dport == dport) && host_equal(&h->src, src) &&
		    host_equal(&h->dst, dst))
			n += h->n;
	}
	return n;
}

/**
 * heard_left - The latest kind of packets of one host for another that left.
 * @ear: What was heard.
 * @l4proto: IP protocol.
 * @src: Whose, NULL for anybody's.
 * @dst: For whom.
 * @dport: Destination port, 0 for any.
 *
 * Return: these, or NULL when none left.
 */
const struct heard *heard_left(const struct ear *ear, uint8_t l4proto, const struct host *src,
			       const struct host *dst, uint16_t dport)
{
	size_t i;

	for (i = ear->n; i-- > 0;) {
		const struct heard *h = &ear->list[i];

		if (h->out && h->l4proto == l4proto && (!dport || h->dport == dport) &&
		    (!src || host_equal(&h->src, src)) && host_equal(&h->dst, dst))
			return h;
	}
	return NULL;
}

/**
 * ear_forget - Forget what was heard.
 * @ear: From ear_open().
 */
void ear_forget(struct ear *ear)
{
	free(ear->list);
	free(ear->refusals);
}

/**
 * ear_close - Forget it.
 * @ear: From ear_open().
 */
void ear_close(struct ear *ear)
{
	if (ear->fd >= 0)
		close(ear->fd);
	ear_forget(ear);
}
