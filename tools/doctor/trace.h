/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reports of the kernel itself about packets on their way through the rules (nftrace).
 * The kernel asks for CAP_NET_ADMIN.
 */
#ifndef _VPNPASS_DOCTOR_TRACE_H
#define _VPNPASS_DOCTOR_TRACE_H

#include <libmnl/libmnl.h>

#include "network.h"

#define TRACES_MAX	64
#define NFT_NAME_SIZE	64

/**
 * struct traced - One packet.
 * @id: The kernel's number of it.
 * @answer: It comes from the host, rather than going there.
 * @l4proto: IP protocol.
 * @port: The host's.
 * @dropped: It was, at the place that follows.
 * @family: Of the table.
 * @table: Its name.
 * @chain: Of the chain.
 * @handle: Of the rule, 0 for the chain's policy.
 */
struct traced {
	uint32_t id;
	bool answer;
	uint8_t l4proto;
	uint16_t port;
	bool dropped;
	uint8_t family;
	char table[NFT_NAME_SIZE], chain[NFT_NAME_SIZE];
	uint64_t handle;
};

/**
 * struct tracer - Packets between this router and a host, while they are traced.
 * @events: Socket that is told, NULL where nothing is traced.
 * @rules: Socket that owns the rules which have packets traced.
 * @host: The host.
 * @worked: It was traced.
 * @list: What was seen.
 * @n: How many packets.
 */
struct tracer {
	struct mnl_socket *events, *rules;
	const struct host *host;
	bool worked;
	struct traced list[TRACES_MAX];
	size_t n;
};

void trace_begin(struct tracer *tracer, const struct host *host);
void trace_end(struct tracer *tracer);

#endif /* _VPNPASS_DOCTOR_TRACE_H */
