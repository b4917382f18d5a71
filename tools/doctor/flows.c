// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of VPN protocols by ctnetlink; see flows.h.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"
#include "flows.h"
#include "kernel.h"

const struct vpn vpns[] = {
	{ "ike", "IPsec's IKE (UDP 500)", IPPROTO_UDP, 500, 500, true },
	{ "natt", "IPsec's NAT-T (UDP 4500)", IPPROTO_UDP, 4500, 4500, true },
	{ "esp", "IPsec's ESP (IP protocol 50)", IPPROTO_ESP, 0, 0, true },
	{ "pptp", "PPTP (TCP 1723)", IPPROTO_TCP, 1723, 0, true },
	{ "pptp", "PPTP's GRE (IP protocol 47)", IPPROTO_GRE, 0, 0, true },
	{ "l2tp", "L2TP (UDP 1701)", IPPROTO_UDP, 1701, 0, true },
	{ "l2tp", "L2TPv3 (IP protocol 115)", PROTO_L2TP3, 0, 0, true },
	{ "openvpn", "OpenVPN (UDP 1194)", IPPROTO_UDP, 1194, 0, false },
	{ "openvpn", "OpenVPN (TCP 1194)", IPPROTO_TCP, 1194, 0, false },
	{ "wireguard", "WireGuard (UDP 51820)", IPPROTO_UDP, 51820, 0, false },
};

const size_t n_vpns = ARRAY_SIZE(vpns);

/* NAT passes none of these, or one at a time: no rule is judged by them. */
static const struct vpn other_gre = {
	"gre", "GRE of another tunnel than PPTP's (IP protocol 47)", IPPROTO_GRE, 0, 0, false,
};

static const struct vpn ah = { "ah", "IPsec's AH (IP protocol 51)", IPPROTO_AH, 0, 0, false };

/**
 * vpn_of - Which VPN's packet it is.
 * @l4proto: IP protocol.
 * @port: Destination port of the first packet, the call ID of PPTP's GRE, 0 without any.
 *
 * Return: the kind or NULL.
 */
const struct vpn *vpn_of(uint8_t l4proto, uint16_t port)
{
	size_t i;

	if (l4proto == IPPROTO_AH)
		return &ah;
	if (l4proto == IPPROTO_GRE && !port)
		return &other_gre;
	for (i = 0; i < n_vpns; i++)
		if (vpns[i].l4proto == l4proto && (!vpns[i].port || vpns[i].port == port))
			return &vpns[i];
	return NULL;
}

/**
 * vpn_is_ipsec - Whether it is a kind of packets that IPsec has.
 * @vpn: The kind.
 */
bool vpn_is_ipsec(const struct vpn *vpn)
{
	return !strcmp(vpn->proto, "ike") || !strcmp(vpn->proto, "natt") ||
	       !strcmp(vpn->proto, "esp");
}

struct tuple {
	struct host src, dst;
	uint8_t l4proto;
	uint16_t sport, dport;
};

static void tuple_ip(struct tuple *t, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		const void *bytes = mnl_attr_get_payload(attr);

		switch (mnl_attr_get_type(attr)) {
		case CTA_IP_V4_SRC:
			host_set(&t->src, AF_INET, bytes);
			break;
		case CTA_IP_V4_DST:
			host_set(&t->dst, AF_INET, bytes);
			break;
		case CTA_IP_V6_SRC:
			host_set(&t->src, AF_INET6, bytes);
			break;
		case CTA_IP_V6_DST:
			host_set(&t->dst, AF_INET6, bytes);
			break;
		}
	}
}

static void tuple_proto(struct tuple *t, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTO_NUM:
			t->l4proto = mnl_attr_get_u8(attr);
			break;
		case CTA_PROTO_SRC_PORT:
			t->sport = ntohs(mnl_attr_get_u16(attr));
			break;
		case CTA_PROTO_DST_PORT:
			t->dport = ntohs(mnl_attr_get_u16(attr));
			break;
		}
	}
}

static void tuple_read(struct tuple *t, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			tuple_ip(t, attr);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			tuple_proto(t, attr);
	}
}

static struct maybe packets(const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == CTA_COUNTERS_PACKETS)
			return MAYBE(be64toh(mnl_attr_get_u64(attr)));
	return (struct maybe){};
}

static void helper_name(struct flow *flow, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == CTA_HELP_NAME)
			snprintf(flow->helper, sizeof(flow->helper), "%s", mnl_attr_get_str(attr));
}

static void tcp_state(struct flow *flow, const struct nlattr *nest)
{
	const struct nlattr *attr, *inner;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) != CTA_PROTOINFO_TCP)
			continue;
		mnl_attr_for_each_nested(inner, attr)
			if (mnl_attr_get_type(inner) == CTA_PROTOINFO_TCP_STATE)
				flow->tcp_state = MAYBE(mnl_attr_get_u8(inner));
	}
}

static void flow_attr(struct flow *flow, struct tuple t[2], const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		tuple_read(&t[0], attr);
		break;
	case CTA_TUPLE_REPLY:
		tuple_read(&t[1], attr);
		break;
	case CTA_STATUS:
		flow->status = ntohl(mnl_attr_get_u32(attr));
		break;
	case CTA_TIMEOUT:
		flow->timeout = MAYBE(ntohl(mnl_attr_get_u32(attr)));
		break;
	case CTA_COUNTERS_ORIG:
		flow->packets_out = packets(attr);
		break;
	case CTA_COUNTERS_REPLY:
		flow->packets_in = packets(attr);
		break;
	case CTA_PROTOINFO:
		tcp_state(flow, attr);
		break;
	case CTA_HELP:
		helper_name(flow, attr);
		break;
	}
}

static void take_flow(const struct nlmsghdr *nlh, void *data)
{
	struct tuple t[2] = {};
	struct flows *flows = data;
	const struct nlattr *attr;
	struct flow flow = {};

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		flow_attr(&flow, t, attr);
	flow.vpn = vpn_of(t[0].l4proto, t[0].dport);
	if (!flow.vpn)
		return;
	flow.src = t[0].src;
	flow.dst = t[0].dst;
	flow.sport = t[0].sport;
	flow.reply_src = t[1].src;
	flow.reply_dst = t[1].dst;
	flow.reply_dport = t[1].dport;
	flows->list = xgrow(flows->list, flows->n, sizeof(*flows->list));
	flows->list[flows->n++] = flow;
}

/**
 * flows_read - Learn the connections of VPN protocols.
 * @flows: Zeroed; for flows_free().
 *
 * Return: 0 or a negative errno; -EOPNOTSUPP when nothing is tracked here.
 */
int flows_read(struct flows *flows)
{
	char buffer[KERNEL_REQUEST_SIZE];
	int ret;

	ret = kernel_dump(NETLINK_NETFILTER,
			  kernel_nfnl_request(buffer, NFNL_SUBSYS_CTNETLINK,
					      IPCTNL_MSG_CT_GET, AF_UNSPEC),
			  take_flow, flows);
	/* nfnetlink says so, too, when nobody serves this part of it */
	return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

/**
 * flows_free - Forget them.
 * @flows: From flows_read(), empty afterwards.
 */
void flows_free(struct flows *flows)
{
	free(flows->list);
	*flows = (struct flows){};
}

static int compare(const void *one, const void *other)
{
	const struct flow *a = one, *b = other;
	int ret = memcmp(a->src.bytes, b->src.bytes, sizeof(a->src.bytes));

	if (!ret)
		ret = memcmp(a->dst.bytes, b->dst.bytes, sizeof(a->dst.bytes));
	if (!ret)
		ret = (int)a->sport - b->sport;
	return ret ? ret : (a->vpn > b->vpn) - (a->vpn < b->vpn);
}

/**
 * flows_mark_fresh - Mark those that were not there before.
 * @flows: Read now.
 * @before: Read before; sorted by this.
 */
void flows_mark_fresh(struct flows *flows, struct flows *before)
{
	size_t i;

	if (before->n)
		qsort(before->list, before->n, sizeof(*before->list), compare);
	for (i = 0; i < flows->n; i++)
		flows->list[i].fresh = !before->n ||
				       !bsearch(&flows->list[i], before->list, before->n,
						sizeof(*before->list), compare);
}

static void put_addresses(struct nlmsghdr *nlh, const struct flow *flow)
{
	bool six = flow->src.family == AF_INET6;
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put(nlh, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, host_length(&flow->src),
		     flow->src.bytes);
	mnl_attr_put(nlh, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, host_length(&flow->dst),
		     flow->dst.bytes);
	mnl_attr_nest_end(nlh, nest);
}

static void ignore(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
}

/**
 * flow_forget - Have the kernel forget a connection with ports.
 * @flow: The connection; without privilege it stays.
 */
void flow_forget(const struct flow *flow)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_nfnl_request(buffer, NFNL_SUBSYS_CTNETLINK,
						   IPCTNL_MSG_CT_DELETE, flow->src.family);
	struct nlattr *tuple, *proto;

	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG);
	put_addresses(nlh, flow);
	proto = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, flow->vpn->l4proto);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(flow->sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(flow->vpn->port));
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, tuple);
	kernel_dump(NETLINK_NETFILTER, nlh, ignore, NULL);
}

/**
 * flow_diverted - Whether a rule hands it to another host than it was meant for.
 * @flow: The connection.
 */
bool flow_diverted(const struct flow *flow)
{
	return !host_equal(&flow->dst, &flow->reply_src);
}

/**
 * flow_answered - Whether a packet ever came back.
 * @flow: The connection.
 */
bool flow_answered(const struct flow *flow)
{
	return flow->status & IPS_SEEN_REPLY ||
	       (flow->packets_in.known && flow->packets_in.value);
}

/**
 * flow_goes_out - Whether it was begun by the router or translated to an
 * address of its own, and leads elsewhere.
 * @flow: The connection.
 * @net: The network.
 */
bool flow_goes_out(const struct flow *flow, const struct network *net)
{
	return !network_is_local(net, &flow->dst) &&
	       (network_is_local(net, &flow->src) || network_is_local(net, &flow->reply_dst));
}
