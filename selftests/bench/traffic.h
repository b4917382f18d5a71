/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations that the files of the benchmark's sender share: traffic.c has the commands,
 * kinds.c what each protocol's packets look like, sides.c the two ends.
 */
#ifndef BENCH_TRAFFIC_H
#define BENCH_TRAFFIC_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifndef IPPROTO_L2TP
#define IPPROTO_L2TP 115
#endif

#define BATCH	64
#define L4_MAX	256
#define PAYLOAD	64		/* L4 header and what follows, in a data packet */
#define PUBLIC	0xc0000201	/* 192.0.2.1, the router's on the outside */
#define CLIENTS	0x0a010001	/* 10.1.0.1 and up */
#define PEERS	0xc6120001	/* 198.18.0.1 and up */
#define OWN_PEER	0xc613ff01	/* 198.19.255.1, the router's: no client's */

#define __packed __attribute__((packed))

enum dir { OUT, IN };

struct frame {
	struct ethhdr eth;
	struct {
		uint8_t ver_ihl, tos;
		uint16_t len, id, frag;
		uint8_t ttl, proto;
		uint16_t sum;
		uint32_t src, dst;
	} __packed ip;
	uint8_t l4[L4_MAX];
} __packed;

#define HEADERS	offsetof(struct frame, l4)

/*
 * A packet of session @i in direction @dir: fills L4, returns its length. @arg
 * is the sequence number of a data packet, or the step's.
 */
typedef size_t (*fill_fn)(uint8_t *l4, uint32_t i, enum dir dir, uint32_t arg);

/* A packet of those that set a session up. */
struct step {
	enum dir dir;
	uint8_t proto;
	fill_fn fill;
	uint32_t arg;
};

struct kind {
	const char *name;
	uint8_t proto;
	fill_fn data;
	const struct step *step;
	int steps;
};

struct load {
	const struct kind *kind;
	uint32_t sessions, clients;
	bool nat, own;	/* @own: packets from and to the router itself */
	int fd[2], ns[2];
	struct frame frame[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msg[BATCH];
};

extern struct load load;

/* kinds.c */
const struct kind *kind_find(const char *name);

/* sides.c */
void sides_open(void);
int packet_socket(enum dir dir, int proto);
void send_frames(enum dir dir, unsigned int n);
uint64_t count_arrived(enum dir dir);
uint64_t now_ns(void);
void pause_ms(long ms);

#endif /* BENCH_TRAFFIC_H */
