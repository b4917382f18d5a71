// SPDX-License-Identifier: GPL-2.0
/*
 * espsend: ESP or AH packets made up by hand: short ones, reserved SPIs, from
 * and to many addresses, one or a great many. Called by selftests/esp.
 *
 * usage: espsend -s SRC[/N] -d DST[/N] [-n COUNT] [-r RATE] [-i SPI[/N]]
 *		  [-q SEQ] [-l BYTES] [-p PROTO] [-e N [-L BYTES] [-o]]
 *	-s  source address, or N in a row, chosen at random per packet
 *	-d  destination, likewise
 *	-n  packets (1); 0: until SIGTERM
 *	-r  packets a second (0: as fast as it goes)
 *	-i  SPI, or N in a row, one after the other (else at random from 256 on)
 *	-q  sequence number (else at random); counts up on an SPI of -i
 *	-l  bytes after the IP header (40); fewer than 8 cut SPI and sequence
 *	-p  protocol (50, ESP); 51, AH: SPI and sequence where RFC 4302 has them
 *	-e  every Nth packet is different: -L bytes long, or with IP options (-o, IPv4)
 * Prints "sent N failed N ms N".
 */
#define _GNU_SOURCE
#include <signal.h>
#include <time.h>

#include "raw.h"

#define BATCH	32
#define LEN_MAX	1400
#define OPTIONS	4	/* octets: as many "no operation", RFC 791 3.1 */

struct job {
	struct addr src, dst;
	uint32_t n_src, n_dst, spi, n_spi, seq;
	bool any_spi, any_seq;
	unsigned long count;
	long rate;
	size_t len, other_len;
	unsigned long every;
	bool options;
	uint8_t proto;
};

static volatile sig_atomic_t stop;
static uint64_t seed;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* xorshift64 */
static uint32_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static struct addr addr_range(char *text, uint32_t *n)
{
	char *slash = strchr(text, '/');

	*n = slash ? strtoul(slash + 1, NULL, 0) : 1;
	if (slash)
		*slash = '\0';
	return addr_parse(text);
}

static size_t add_options(uint8_t *to, size_t off)
{
	struct iphdr *h = (void *)to;

	memset(to + off, IPOPT_NOP, OPTIONS);
	h->ihl += OPTIONS / 4;
	h->tot_len = htons(ntohs(h->tot_len) + OPTIONS);
	h->check = 0;
	h->check = fold(sum16(0, h, off + OPTIONS));
	return off + OPTIONS;
}

/* SPI and sequence come first in ESP (RFC 4303 2), at 4 in AH (RFC 4302 2). */
static size_t fill(uint8_t *to, const struct job *j, unsigned long i, struct addr *dst)
{
	struct addr src = addr_plus(j->src, j->n_src > 1 ? any() % j->n_src : 0);
	bool other = j->every && i % j->every == j->every - 1;
	size_t off, len = other && j->other_len ? j->other_len : j->len;
	uint8_t body[LEN_MAX + 16] = { 0 };
	uint32_t num[2];

	*dst = addr_plus(j->dst, j->n_dst > 1 ? any() % j->n_dst : 0);
	num[0] = htonl(j->any_spi ? any() | 0x100 : j->spi + i % j->n_spi);
	num[1] = htonl(j->any_seq ? any() : j->any_spi ? j->seq : j->seq + i / j->n_spi);
	off = ip_header(to, src, *dst, j->proto, len);
	if (other && j->options)
		off = add_options(to, off);
	if (j->proto == IPPROTO_AH) {
		body[0] = IPPROTO_UDP;
		body[1] = 4;
		memcpy(body + 4, num, sizeof(num));
	} else {
		memcpy(body, num, sizeof(num));
	}
	memcpy(to + off, body, len);
	return off + len;
}

static unsigned int send_batch(int fd, const struct job *j, unsigned long i, unsigned int n)
{
	static uint8_t buf[BATCH][LEN_MAX + 40 + OPTIONS];
	struct sockaddr_storage to[BATCH];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	unsigned int k;
	int sent;

	memset(msg, 0, sizeof(msg));
	for (k = 0; k < n; k++) {
		struct addr dst;

		iov[k].iov_base = buf[k];
		iov[k].iov_len = fill(buf[k], j, i + k, &dst);
		msg[k].msg_hdr.msg_iov = &iov[k];
		msg[k].msg_hdr.msg_iovlen = 1;
		msg[k].msg_hdr.msg_name = &to[k];
		msg[k].msg_hdr.msg_namelen = raw_to(&to[k], &dst);
	}
	sent = sendmmsg(fd, msg, n, 0);
	return sent < 0 ? 0 : sent;
}

static void wait_until(long us)
{
	long now = now_us();
	struct timespec t;

	if (us <= now)
		return;
	t.tv_sec = (us - now) / 1000000;
	t.tv_nsec = (us - now) % 1000000 * 1000;
	nanosleep(&t, NULL);
}

/* Packets at once: at a low rate one by one, as a real sender would. */
static unsigned int batch_of(const struct job *j, unsigned long i)
{
	unsigned int n = BATCH;

	if (j->rate && j->rate < 50 * BATCH)
		n = j->rate < 100 ? 1 : j->rate / 50;
	if (j->count && j->count - i < n)
		n = j->count - i;
	return n;
}

static void run(const struct job *j)
{
	unsigned long i = 0, sent = 0, failed = 0;
	int fd = raw_socket(j->src.family);
	long start = now_us();

	while (!stop && (!j->count || i < j->count)) {
		unsigned int done;

		if (j->rate)
			wait_until(start + (long)(i * 1000000 / j->rate));
		done = send_batch(fd, j, i, batch_of(j, i));
		/* a packet that cannot be sent is left out, not tried for ever */
		if (!done)
			failed++;
		sent += done;
		i += done ? done : 1;
	}
	printf("sent %lu failed %lu ms %ld\n", sent, failed, (now_us() - start) / 1000);
	close(fd);
}

static void parse_spi(struct job *j, const char *text)
{
	char *end;

	j->spi = strtoul(text, &end, 0);
	j->n_spi = *end == '/' ? strtoul(end + 1, NULL, 0) : 1;
	j->any_spi = false;
}

int main(int argc, char **argv)
{
	struct job j = {
		.count = 1, .len = 40, .proto = IPPROTO_ESP, .n_spi = 1,
		.any_spi = true, .any_seq = true,
	};
	int opt;

	while ((opt = getopt(argc, argv, "s:d:n:r:i:q:l:p:e:L:o")) != -1) {
		switch (opt) {
		case 's': j.src = addr_range(optarg, &j.n_src); break;
		case 'd': j.dst = addr_range(optarg, &j.n_dst); break;
		case 'n': j.count = strtoul(optarg, NULL, 0); break;
		case 'r': j.rate = strtol(optarg, NULL, 0); break;
		case 'i': parse_spi(&j, optarg); break;
		case 'q': j.seq = strtoul(optarg, NULL, 0); j.any_seq = false; break;
		case 'l': j.len = strtoul(optarg, NULL, 0); break;
		case 'p': j.proto = strtoul(optarg, NULL, 0); break;
		case 'e': j.every = strtoul(optarg, NULL, 0); break;
		case 'L': j.other_len = strtoul(optarg, NULL, 0); break;
		case 'o': j.options = true; break;
		default: return 2;
		}
	}
	if (!j.src.family || j.src.family != j.dst.family || j.len > LEN_MAX || !j.n_spi ||
	    j.other_len > LEN_MAX || (j.options && j.src.family != AF_INET)) {
		fprintf(stderr, "usage: espsend -s SRC[/N] -d DST[/N] [-n COUNT] [-r RATE]"
				" [-i SPI[/N]] [-q SEQ] [-l BYTES] [-p PROTO]"
				" [-e N [-L BYTES] [-o]]\n");
		return 2;
	}
	seed = 0x9e3779b97f4a7c15ull ^ (uint64_t)getpid() << 20;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	run(&j);
	return 0;
}
