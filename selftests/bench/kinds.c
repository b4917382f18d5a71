// SPDX-License-Identifier: GPL-2.0
/*
 * The protocols of the benchmark: what a session's data packets look like, and
 * what its two ends say to set it up. Called by traffic.c.
 *
 * Numbers that NAT may change (ports, PPTP call IDs) are such that it need not:
 * no two clients of a server have the same one. So both ends know them without
 * listening. The in-tree PPTP helper takes the TCP port for the call ID.
 */
#include "traffic.h"

#include <string.h>

#define STEPS(a)	.step = (a), .steps = sizeof(a) / sizeof((a)[0])

/* A map of 32 bits one to one, so that no two sessions have a number in common. */
static uint32_t scramble(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352d;
	x ^= x >> 15;
	x *= 0x846ca68b;
	return x ^ x >> 16;
}

/* Which client of its server, and the port or number that comes of it. */
static uint16_t own(uint32_t i, uint16_t base)
{
	return base + i % load.clients;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* ---- ESP (RFC 4303): rounds of question and answer, as of a ping ---- */

static size_t esp(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	put32(p, scramble(0x1000000 + 2 * i + dir));
	put32(p + 4, seq);
	return PAYLOAD;
}

#define ESP_ROUND(n)	{ OUT, IPPROTO_ESP, esp, n }, { IN, IPPROTO_ESP, esp, n }
/* six: enough for the pairing policy */
static const struct step esp_steps[] = {
	ESP_ROUND(1), ESP_ROUND(2), ESP_ROUND(3), ESP_ROUND(4), ESP_ROUND(5), ESP_ROUND(6),
};

/* ---- UDP, of no VPN ---- */

/* @cport: the client's; without a checksum, so that nobody has to verify it */
static uint8_t *udp(uint8_t *p, enum dir dir, uint16_t cport, uint16_t port, size_t len)
{
	put16(p, dir == OUT ? cport : port);
	put16(p + 2, dir == OUT ? port : cport);
	put16(p + 4, 8 + len);
	put16(p + 6, 0);
	return p + 8;
}

static size_t plain_udp(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	put32(udp(p, dir, own(i, 40000), 40001, PAYLOAD - 8), seq);
	return PAYLOAD;
}

#define UDP_ROUND	{ OUT, IPPROTO_UDP, plain_udp, 0 }, { IN, IPPROTO_UDP, plain_udp, 0 }
static const struct step udp_steps[] = { UDP_ROUND, UDP_ROUND };

/* ---- PPTP (RFC 2637): control connection, one call, its GRE ---- */

enum { SYN = 2, ACK = 16, PSH = 8 };
enum { SCCRQ = 1, SCCRP, OCRQ = 7, OCRP };

#define TCP_HDR		20
#define CLIENT_PORT	10000
#define SERVER_CALL	0x4000

static const uint8_t pptp_size[] = { [SCCRQ] = 156, [SCCRP] = 156, [OCRQ] = 168, [OCRP] = 32 };

/* The checksum is traffic.c's to fill in. @sent, @got: bytes so far */
static uint8_t *tcp(uint8_t *p, uint32_t i, enum dir dir, uint8_t flags, uint32_t sent,
		    uint32_t got)
{
	udp(p, dir, own(i, CLIENT_PORT), 1723, 0);
	put32(p + 4, scramble(2 * i + dir) + sent);
	put32(p + 8, flags & ACK ? scramble(2 * i + !dir) + got : 0);
	p[12] = TCP_HDR / 4 << 4;
	p[13] = flags;
	put16(p + 14, 60000);
	put32(p + 16, 0);
	return p + TCP_HDR;
}

static size_t tcp_open(uint8_t *p, uint32_t i, enum dir dir, uint32_t flags)
{
	bool last = flags == ACK;

	tcp(p, i, dir, flags, last, 1);
	return TCP_HDR;
}

static size_t pptp(uint8_t *p, uint32_t i, enum dir dir, uint32_t type)
{
	static const uint8_t head[8] = { 0, 0, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d };
	bool call = type >= OCRQ;
	size_t len = pptp_size[type];
	uint32_t sent = 1 + (call ? 156 : 0);
	uint32_t got = sent + (dir == IN ? pptp_size[type - 1] : 0);

	p = tcp(p, i, dir, ACK | PSH, sent, got);
	memset(p, 0, len);
	memcpy(p, head, sizeof(head));
	p[1] = len;
	p[9] = type;
	if (type == SCCRP)
		p[14] = 1;
	if (type == OCRQ)
		put16(p + 12, own(i, CLIENT_PORT));
	if (type == OCRP) {
		put16(p + 12, own(i, SERVER_CALL));
		put16(p + 14, own(i, CLIENT_PORT));
		p[16] = 1;
	}
	return TCP_HDR + len;
}

static size_t gre(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	put32(p, 0x3001880b);
	put16(p + 4, PAYLOAD - 12);
	put16(p + 6, dir == OUT ? own(i, SERVER_CALL) : own(i, CLIENT_PORT));
	put32(p + 8, seq);
	return PAYLOAD;
}

static const struct step gre_steps[] = {
	{ OUT, IPPROTO_TCP, tcp_open, SYN },
	{ IN, IPPROTO_TCP, tcp_open, SYN | ACK },
	{ OUT, IPPROTO_TCP, tcp_open, ACK },
	{ OUT, IPPROTO_TCP, pptp, SCCRQ },
	{ IN, IPPROTO_TCP, pptp, SCCRP },
	{ OUT, IPPROTO_TCP, pptp, OCRQ },
	{ IN, IPPROTO_TCP, pptp, OCRP },
	{ OUT, IPPROTO_GRE, gre, 1 },
	{ IN, IPPROTO_GRE, gre, 1 },
};

/* ---- IKE (RFC 7296) ---- */

enum { SA_INIT = 34, AUTH, INFO = 37 };

#define INITIATOR	0x08
#define RESPONSE	0x20

/* Header and one payload that fills the rest. */
static size_t ike_message(uint8_t *p, uint32_t i, int exchange, uint8_t flags, uint32_t mid,
			  size_t len)
{
	memset(p, 0, len);
	put32(p, 0xa0000000);
	put32(p + 4, scramble(2 * i));
	if (exchange != SA_INIT || flags & RESPONSE) {
		put32(p + 8, 0xb0000000);
		put32(p + 12, scramble(2 * i + 1));
	}
	p[16] = exchange == SA_INIT ? 33 : 46;	/* SA, SK */
	p[17] = 0x20;
	p[18] = exchange;
	p[19] = flags;
	put32(p + 20, mid);
	put32(p + 24, len);
	put16(p + 30, len - 28);
	return len;
}

/* Each end asks the other whether it is still there. */
static size_t ike_info(uint8_t *p, uint32_t i, enum dir dir)
{
	return ike_message(p, i, INFO, dir == OUT ? INITIATOR : 0, 7, PAYLOAD - 8);
}

static size_t ike(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	(void)seq;
	ike_info(udp(p, dir, 500, 500, PAYLOAD - 8), i, dir);
	return PAYLOAD;
}

/* @exchange: the client asks, the gateway answers */
static size_t ike_step(uint8_t *p, uint32_t i, enum dir dir, uint32_t exchange)
{
	size_t len = exchange == AUTH ? 200 : 120;

	p = udp(p, dir, 500, 500, len);
	ike_message(p, i, exchange, dir == OUT ? INITIATOR : RESPONSE,
		    exchange - SA_INIT, len);
	return 8 + len;
}

static const struct step ike_steps[] = {
	{ OUT, IPPROTO_UDP, ike_step, SA_INIT },
	{ IN, IPPROTO_UDP, ike_step, SA_INIT },
	{ OUT, IPPROTO_UDP, ike_step, AUTH },
	{ IN, IPPROTO_UDP, ike_step, AUTH },
	{ OUT, IPPROTO_UDP, ike, 0 },
	{ IN, IPPROTO_UDP, ike, 0 },
};

/* ---- NAT-T (RFC 3948): ESP in UDP, and IKE behind the marker ---- */

static size_t natt(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	esp(udp(p, dir, own(i, 4500), 4500, PAYLOAD - 8), i, dir, seq);
	return PAYLOAD;
}

static size_t natt_ike(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	size_t len = PAYLOAD - 8;

	(void)seq;
	p = udp(p, dir, own(i, 4500), 4500, 4 + len);
	put32(p, 0);
	ike_info(p + 4, i, dir);
	return 12 + len;
}

static const struct step natt_steps[] = {
	{ OUT, IPPROTO_UDP, natt_ike, 0 },
	{ IN, IPPROTO_UDP, natt_ike, 0 },
	{ OUT, IPPROTO_UDP, natt, 1 },
	{ IN, IPPROTO_UDP, natt, 1 },
};

/* ---- L2TP (RFC 2661) and L2TPv3 (RFC 3931) ---- */

enum { L_SCCRQ = 1, L_SCCRP, L_SCCCN, L_ICRQ = 10, L_ICRP, L_ICCN };

#define AVP_TUNNEL	9
#define AVP_CCID	61
#define AVP_LOCAL	63
#define AVP_REMOTE	64

static uint8_t *avp(uint8_t *p, uint16_t type, size_t len, uint32_t value)
{
	put16(p, 0x8000 | (6 + len));
	put16(p + 2, 0);
	put16(p + 4, type);
	if (len == 2)
		put16(p + 6, value);
	else
		put32(p + 6, value);
	return p + 6 + len;
}

/* The number that packets in direction @dir carry: the receiver's. */
static uint16_t tunnel(uint32_t i, enum dir dir)
{
	return own(i, dir == OUT ? 0x2000 : 0x6000);
}

static size_t l2tp(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	p = udp(p, dir, own(i, 1701), 1701, PAYLOAD - 8);
	put16(p, 0x0002);
	put16(p + 2, tunnel(i, dir));
	put16(p + 4, 1);
	put32(p + 6, seq);
	return PAYLOAD;
}

static size_t l2tp_step(uint8_t *p, uint32_t i, enum dir dir, uint32_t type)
{
	uint8_t *udp_hdr = p, *l2tp_hdr, *end;

	l2tp_hdr = p + 8;
	memset(l2tp_hdr, 0, 12);
	put16(l2tp_hdr, 0xc802);
	put16(l2tp_hdr + 4, type == L_SCCRQ ? 0 : tunnel(i, dir));
	end = avp(l2tp_hdr + 12, 0, 2, type);
	if (type != L_SCCCN)
		end = avp(end, AVP_TUNNEL, 2, tunnel(i, !dir));
	put16(l2tp_hdr + 2, end - l2tp_hdr);
	udp(udp_hdr, dir, own(i, 1701), 1701, end - l2tp_hdr);
	return end - udp_hdr;
}

static const struct step l2tp_steps[] = {
	{ OUT, IPPROTO_UDP, l2tp_step, L_SCCRQ },
	{ IN, IPPROTO_UDP, l2tp_step, L_SCCRP },
	{ OUT, IPPROTO_UDP, l2tp_step, L_SCCCN },
	{ OUT, IPPROTO_UDP, l2tp, 1 },
	{ IN, IPPROTO_UDP, l2tp, 1 },
};

static uint32_t v3_id(uint32_t i, enum dir dir)
{
	return scramble(0x2000000 + 2 * i + dir);
}

static size_t l2tpv3(uint8_t *p, uint32_t i, enum dir dir, uint32_t seq)
{
	put32(p, v3_id(i, dir));
	put32(p + 4, seq);
	return PAYLOAD;
}

static size_t l2tpv3_step(uint8_t *p, uint32_t i, enum dir dir, uint32_t type)
{
	uint8_t *hdr = p + 4, *end;

	memset(p, 0, 4 + 12);
	put16(hdr, 0xc803);
	put32(hdr + 4, type == L_SCCRQ ? 0 : tunnel(i, dir));
	end = avp(hdr + 12, 0, 2, type);
	if (type == L_SCCRQ || type == L_SCCRP)
		end = avp(end, AVP_CCID, 4, tunnel(i, !dir));
	if (type >= L_ICRQ) {
		end = avp(end, AVP_LOCAL, 4, v3_id(i, !dir));
		end = avp(end, AVP_REMOTE, 4, type == L_ICRQ ? 0 : v3_id(i, dir));
	}
	put16(hdr + 2, end - hdr);
	return end - p;
}

static const struct step l2tpv3_steps[] = {
	{ OUT, IPPROTO_L2TP, l2tpv3_step, L_SCCRQ },
	{ IN, IPPROTO_L2TP, l2tpv3_step, L_SCCRP },
	{ OUT, IPPROTO_L2TP, l2tpv3_step, L_SCCCN },
	{ OUT, IPPROTO_L2TP, l2tpv3_step, L_ICRQ },
	{ IN, IPPROTO_L2TP, l2tpv3_step, L_ICRP },
	{ OUT, IPPROTO_L2TP, l2tpv3_step, L_ICCN },
	{ OUT, IPPROTO_L2TP, l2tpv3, 1 },
	{ IN, IPPROTO_L2TP, l2tpv3, 1 },
};

/* ---- all of them ---- */

static const struct kind kinds[] = {
	{ "esp", IPPROTO_ESP, esp, STEPS(esp_steps) },
	{ "udp", IPPROTO_UDP, plain_udp, STEPS(udp_steps) },
	{ "gre", IPPROTO_GRE, gre, STEPS(gre_steps) },
	{ "ike", IPPROTO_UDP, ike, STEPS(ike_steps) },
	{ "natt", IPPROTO_UDP, natt, STEPS(natt_steps) },
	{ "natt-ike", IPPROTO_UDP, natt_ike, STEPS(natt_steps) },
	{ "l2tp", IPPROTO_UDP, l2tp, STEPS(l2tp_steps) },
	{ "l2tpv3", IPPROTO_L2TP, l2tpv3, STEPS(l2tpv3_steps) },
};

const struct kind *kind_find(const char *name)
{
	size_t k;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (!strcmp(kinds[k].name, name))
			return &kinds[k];
	return NULL;
}
