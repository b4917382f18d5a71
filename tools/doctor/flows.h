/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections of VPN protocols, as connection tracking has them.
 */
#ifndef _VPNPASS_DOCTOR_FLOWS_H
#define _VPNPASS_DOCTOR_FLOWS_H

#include "../lib/out.h"
#include "network.h"

#define PROTO_L2TP3	115

/**
 * struct vpn - A kind of packet that VPNs send.
 * @proto: Our name of the protocol that it belongs to, or another's name.
 * @title: For people.
 * @l4proto: IP protocol.
 * @port: Destination port, 0 where there are none.
 * @source: Source port, 0 when it may be any.
 * @helped: We have a module for it.
 */
struct vpn {
	const char *proto, *title;
	uint8_t l4proto;
	uint16_t port, source;
	bool helped;
};

extern const struct vpn vpns[];
extern const size_t n_vpns;

/**
 * struct flow - One connection; out is the direction of its first packet.
 * @vpn: What it is.
 * @src: Who began it.
 * @dst: With whom.
 * @reply_src: Source of the answers.
 * @reply_dst: Their destination, another than @src after source NAT.
 * @sport: Source port of its first packet.
 * @reply_dport: Destination port of the answers, another than @sport where NAT changed it.
 * @status: IPS_* of nf_conntrack_common.h.
 * @packets_out: When the kernel counts them.
 * @packets_in: Likewise.
 * @timeout: Seconds until it is forgotten.
 * @tcp_state: Of TCP, as nf_conntrack_tcp.h has it.
 * @helper: The connection tracking helper attached, or empty.
 * @fresh: It began while the doctor looked, too late to say that nobody answers.
 */
struct flow {
	const struct vpn *vpn;
	struct host src, dst, reply_src, reply_dst;
	uint16_t sport, reply_dport;
	uint32_t status;
	struct maybe packets_out, packets_in, timeout, tcp_state;
	char helper[16];
	bool fresh;
};

struct flows {
	struct flow *list;
	size_t n;
};

int flows_read(struct flows *flows);
void flows_free(struct flows *flows);
void flows_mark_fresh(struct flows *flows, struct flows *before);
void flow_forget(const struct flow *flow);
bool flow_diverted(const struct flow *flow);
bool flow_answered(const struct flow *flow);
bool flow_goes_out(const struct flow *flow, const struct network *net);
const struct vpn *vpn_of(uint8_t l4proto, uint16_t port);
bool vpn_is_ipsec(const struct vpn *vpn);

#endif /* _VPNPASS_DOCTOR_FLOWS_H */
