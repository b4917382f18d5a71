/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which way the kernel sends a packet, and the rules by which it looks for one.
 */
#ifndef _VPNPASS_DOCTOR_ROUTE_H
#define _VPNPASS_DOCTOR_ROUTE_H

#include "kernel.h"
#include "network.h"

/**
 * struct question - The packet that is asked about.
 * @to: Its destination.
 * @from: Its source, NULL for the router's own.
 * @in: Where it comes in, 0 for the router's own.
 * @l4proto: IP protocol, 0 for any.
 * @sport: Source port, 0 for none.
 * @dport: Destination port, likewise.
 * @mark: What rules marked it with.
 */
struct question {
	const struct host *to, *from;
	unsigned int in;
	uint8_t l4proto;
	uint16_t sport, dport;
	uint32_t mark;
};

#define HOPS_MAX	8

/**
 * struct route - The way.
 * @error: A negative errno if there is none: -ENETUNREACH, or as a route of type
 *         blackhole (-EINVAL), prohibit (-EACCES), unreachable (-EHOSTUNREACH) has it.
 * @local: To the router itself.
 * @out: Interface that it leaves by.
 * @via: The next router, of family 0 where there is none.
 * @mtu: Of the route, 0 when that is the interface's.
 * @hops: Where it has several next hops, the interfaces of these, of which packets take one each.
 * @n_hops: How many, 0 where it has one.
 */
struct route {
	int error;
	bool local;
	unsigned int out;
	struct host via;
	uint32_t mtu;
	unsigned int hops[HOPS_MAX];
	size_t n_hops;
};

void route_get(struct route *route, const struct question *q);
void route_get_hops(struct route *route, const struct host *to);
bool route_leaves_by(const struct route *route, unsigned int index);
bool ipsec_may_encrypt(void);
int rules_dump(int family, kernel_take take, void *data);

#endif /* _VPNPASS_DOCTOR_ROUTE_H */
