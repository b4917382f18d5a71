/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of VPN protocols that pass while the doctor looks, as they come in and go
 * out by the interfaces: also those that connection tracking never had or lost.
 */
#ifndef _VPNPASS_DOCTOR_HEARD_H
#define _VPNPASS_DOCTOR_HEARD_H

#include "network.h"

struct vpn;
struct watch;

/* As many kinds of packets are kept apart. */
#define HEARD_MAX	256

/**
 * struct heard - Packets of one kind.
 * @index: Of the interface.
 * @out: They leave by it.
 * @src: Their source address.
 * @dst: Their destination.
 * @l4proto: IP protocol.
 * @sport: Source port, 0 where there are none.
 * @dport: Destination port, likewise; the call ID of PPTP's GRE.
 * @look: What they are by their looks, where no port says so; NULL otherwise.
 * @answers: By these they answer.
 * @n: How many.
 */
struct heard {
	unsigned int index;
	bool out;
	struct host src, dst;
	uint8_t l4proto;
	uint16_t sport, dport;
	const struct vpn *look;
	bool answers;
	unsigned int n;
};

/**
 * struct refusal - An ICMP error that came in and says that a packet was refused.
 * @by: Who says so.
 * @code: Its code, of IPv4 or of IPv6.
 * @src: Source of the packet, as it was outside.
 * @dst: Its destination.
 * @l4proto: IP protocol.
 * @dport: Destination port, 0 where there are none.
 */
struct refusal {
	struct host by, src, dst;
	uint8_t code, l4proto;
	uint16_t dport;
};

/**
 * struct ear - A socket that listens and what it has heard.
 * @fd: The socket, -1 where that is not allowed.
 * @tell: Called with each kind of packet when it is heard first; NULL for nobody.
 * @watch: Who is told.
 * @list: What was heard.
 * @n: How much.
 * @refusals: ICMP errors.
 * @n_refusals: How many.
 */
struct ear {
	int fd;
	void (*tell)(struct watch *watch, const struct heard *h);
	struct watch *watch;
	struct heard *list;
	size_t n;
	struct refusal *refusals;
	size_t n_refusals;
};

extern const struct vpn vpn_eoip, vpn_epdg_question;

void ear_open(struct ear *ear);
void ear_listen(struct ear *ear, int milliseconds);
void ear_forget(struct ear *ear);
void ear_close(struct ear *ear);
const char *refusal_text(const struct refusal *refusal);
unsigned int heard_from(const struct ear *ear, uint8_t l4proto, const struct host *src,
			uint16_t sport, const struct host *dst, uint16_t dport);
const struct heard *heard_left(const struct ear *ear, uint8_t l4proto, const struct host *src,
			       const struct host *dst, uint16_t dport);
bool heard_equal(const struct heard *a, const struct heard *b);

#endif /* _VPNPASS_DOCTOR_HEARD_H */
