// SPDX-License-Identifier: GPL-2.0
/* A step as a frame and a frame as a record; the addresses of a run's hosts. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdio.h>
#include <string.h>
#include "parity.h"

#define ETH 14

static const uint8_t router_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t host_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const char *run_file;
static uint32_t run;

/* hosts_read - @file has the number of runs before this program's, if there were any */
void hosts_read(const char *file)
{
	FILE *f = fopen(file, "r");

	run_file = file;
	if (f) {
		if (fscanf(f, "%u", &run) != 1)
			run = 0;
		fclose(f);
	}
}

void hosts_write(void)
{
	FILE *f = run_file ? fopen(run_file, "w") : NULL;

	if (f) {
		fprintf(f, "%u\n", run);
		fclose(f);
	}
}

/* hosts_next - hosts that no earlier run has had, or none since the tables were emptied */
void hosts_next(void)
{
	run++;
}

/*
 * A frame says which step of which run it came of: in the IP identification or the
 * flow label, which a router leaves alone.
 */
uint16_t wire_tag(unsigned int step_id)
{
	return (run & 0x3ff) << 6 | (step_id + 1);
}

static const uint8_t *v4(uint32_t a, uint8_t *out)
{
	a = htonl(a);
	memset(out, 0, 16);
	memcpy(out, &a, 4);
	return out;
}

static const uint8_t *v6(uint32_t net, uint32_t low, uint8_t *out)
{
	net = htonl(net);
	low = htonl(low);
	memset(out, 0, 16);
	memcpy(out, &net, 4);
	memcpy(out + 12, &low, 4);
	return out;
}

const uint8_t *host_inside(unsigned int in)
{
	static uint8_t a[N_HOSTS][16];

	if (in == HOST_ROUTER)
		return opt.pub[0];
	if (in == HOST_SERVER)
		return opt.six ? v6(0xfd000009, 2, a[in]) : v4(0x0a090002, a[in]);
	if (opt.six)
		return v6(0xfd000064, run * 4 + in, a[in]);
	return v4(0x0a400000 | ((run * 4 + in) & 0x3fffff), a[in]);
}

const uint8_t *host_outside(unsigned int out)
{
	static uint8_t a[N_HOSTS][16];

	if (opt.six)
		return v6(0x20010db9, run * 8 + out, a[out]);
	return v4(0xc6120000 | ((run * 8 + out) & 0x1ffff), a[out]);
}

bool addr_same(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, opt.six ? 16 : 4);
}

const char *addr_text(const uint8_t *a)
{
	static char text[4][INET6_ADDRSTRLEN];
	static unsigned int turn;
	char *t = text[turn++ & 3];

	inet_ntop(opt.six ? AF_INET6 : AF_INET, a, t, sizeof(text[0]));
	return t;
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += p[len - 1] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint16_t l4_sum(const uint8_t *src, const uint8_t *dst, uint8_t proto, const uint8_t *l4,
		       size_t len)
{
	size_t alen = opt.six ? 16 : 4;
	uint32_t sum = 0;

	if (proto != IPPROTO_ICMP) {
		sum = sum16(sum, src, alen);
		sum = sum16(sum, dst, alen);
		sum += proto + len;
	}
	return fold(sum16(sum, l4, len));
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

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static int csum_offset(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	}
	return -1;
}

static void l4_fill_sum(const uint8_t *src, const uint8_t *dst, uint8_t proto, uint8_t *l4,
			size_t len)
{
	int off = csum_offset(proto);
	uint16_t sum;

	if (off < 0 || len < (size_t)off + 2)
		return;
	put16(l4 + off, 0);
	sum = l4_sum(src, dst, proto, l4, len);
	put16(l4 + off, sum ? sum : 0xffff);
}

static size_t l4_build(const struct step *s, uint16_t sport, uint16_t dport, uint8_t *l4)
{
	size_t head = 0;

	if (s->proto == IPPROTO_UDP) {
		head = 8;
		put16(l4 + 4, head + s->len);
		put16(l4 + 6, 0);
	} else if (s->proto == IPPROTO_TCP) {
		head = 20;
		put32(l4 + 4, s->seq);
		put32(l4 + 8, s->ack);
		l4[12] = 5 << 4;
		l4[13] = s->flags;
		put16(l4 + 14, 65535);
		put32(l4 + 16, 0);
	}
	if (head) {
		put16(l4, sport);
		put16(l4 + 2, dport);
	}
	memcpy(l4 + head, s->data, s->len);
	return head + s->len;
}

static size_t ip_head(const struct step *s, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		      size_t len, uint8_t *frame)
{
	uint8_t *ip = frame + ETH;

	memcpy(frame, router_mac, 6);
	memcpy(frame + 6, host_mac, 6);
	put16(frame + 12, opt.six ? 0x86dd : 0x0800);
	if (opt.six) {
		put32(ip, 6u << 28 | wire_tag(s->id));
		put16(ip + 4, len);
		ip[6] = proto;
		ip[7] = 64;
		memcpy(ip + 8, src, 16);
		memcpy(ip + 24, dst, 16);
		return ETH + 40;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + len);
	put16(ip + 4, wire_tag(s->id));
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	put16(ip + 10, fold(sum16(0, ip, 20)));
	return ETH + 20;
}

/* wire_build - the frame of a step between these addresses; its length */
size_t wire_build(const struct step *s, const uint8_t *src, const uint8_t *dst, uint16_t sport,
		  uint16_t dport, uint8_t *frame)
{
	size_t head = ETH + (opt.six ? 40 : 20), len;

	len = l4_build(s, sport, dport, frame + head);
	l4_fill_sum(src, dst, s->proto, frame + head, len);
	ip_head(s, src, dst, s->proto, len, frame);
	return head + len;
}

/* wire_quote - an ICMP error (fragmentation needed, too big) that quotes what was seen */
size_t wire_quote(const struct step *s, const struct seen *about, const uint8_t *src,
		  const uint8_t *dst, uint8_t *frame)
{
	size_t ip = opt.six ? 40 : 20, quoted = ip + 8, head = ETH + ip;
	uint8_t proto = opt.six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	uint8_t *icmp = frame + head;

	memset(icmp, 0, 8);
	icmp[0] = opt.six ? 2 : 3;
	icmp[1] = opt.six ? 0 : 4;
	put16(icmp + 6, 1300);
	memcpy(icmp + 8, about->head, quoted);
	l4_fill_sum(src, dst, proto, icmp, 8 + quoted);
	ip_head(s, src, dst, proto, 8 + quoted, frame);
	return head + 8 + quoted;
}

static uint64_t hash_more(uint64_t h, const uint8_t *p, size_t len)
{
	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* The payload's part of the record: ports apart, the rest without checksums. */
static void parse_l4(uint8_t proto, const uint8_t *l4, size_t len, struct seen *seen)
{
	int off = csum_offset(proto);
	size_t from = 0;

	if (proto == IPPROTO_UDP || proto == IPPROTO_TCP) {
		if (len < 8)
			return;
		seen->sport = get16(l4);
		seen->dport = get16(l4 + 2);
		from = 4;
	}
	/* the quote in an ICMP error is translated and not compared in full */
	if ((proto == IPPROTO_ICMP && len >= 36 && l4[0] != 8 && l4[0] != 0) ||
	    (proto == IPPROTO_ICMPV6 && len >= 56 && l4[0] < 128)) {
		seen->hash = hash_more(seen->hash, l4, 2);
		return;
	}
	if (off > 0 && len >= (size_t)off + 2) {
		seen->hash = hash_more(seen->hash, l4 + from, off - from);
		from = off + 2;
	}
	seen->hash = hash_more(seen->hash, l4 + from, len - from);
}

static bool sum_right(uint8_t proto, const struct seen *seen, const uint8_t *l4, size_t len)
{
	uint8_t copy[2048];
	int off = csum_offset(proto);

	if (off < 0 || len < (size_t)off + 2 || len > sizeof(copy))
		return true;
	memcpy(copy, l4, len);
	l4_fill_sum(seen->src, seen->dst, proto, copy, len);
	return !memcmp(copy + off, l4 + off, 2);
}

/* wire_parse - false: no frame of this run */
bool wire_parse(const uint8_t *frame, size_t len, struct seen *seen, unsigned int *step_id)
{
	const uint8_t *ip = frame + ETH, *l4;
	size_t head = opt.six ? 40 : 20, l4_len;
	bool part = false;
	uint16_t tag;
	uint8_t proto;

	if (len < ETH + head || ip[0] >> 4 != (opt.six ? 6 : 4))
		return false;
	memset(seen, 0, sizeof(*seen));
	tag = opt.six ? get16(ip + 2) : get16(ip + 4);
	if (tag >> 6 != (run & 0x3ff) || !(tag & 63))
		return false;
	*step_id = (tag & 63) - 1;
	l4_len = opt.six ? get16(ip + 4) : get16(ip + 2) - head;
	if (l4_len > len - ETH - head)
		return false;
	l4 = ip + head;
	proto = opt.six ? ip[6] : ip[9];
	memcpy(seen->src, opt.six ? ip + 8 : ip + 12, opt.six ? 16 : 4);
	memcpy(seen->dst, opt.six ? ip + 24 : ip + 16, opt.six ? 16 : 4);
	memcpy(seen->head, ip, len - ETH < 64 ? len - ETH : 64);
	memcpy(seen->data, l4, l4_len < MAX_DATA ? l4_len : MAX_DATA);
	seen->len = l4_len;
	seen->count = 1;
	seen->csum_ok = true;
	/* hop limit or TTL, traffic class, protocol */
	seen->hash = hash_more(0xcbf29ce484222325ull, &proto, 1);
	seen->hash = hash_more(seen->hash, opt.six ? ip + 7 : ip + 8, 1);
	if (!opt.six) {
		part = get16(ip + 6) & 0x3fff;
		seen->hash = hash_more(seen->hash, ip + 6, 2);
		seen->hash = hash_more(seen->hash, ip + 1, 1);
	}
	if (part && get16(ip + 6) & 0x1fff) {
		seen->hash = hash_more(seen->hash, l4, l4_len);
		return true;
	}
	parse_l4(proto, l4, l4_len, seen);
	if (!part)
		seen->csum_ok = sum_right(proto, seen, l4, l4_len);
	return true;
}
