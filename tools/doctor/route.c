// SPDX-License-Identifier: GPL-2.0
/*
 * Asking the kernel for the way of a packet (RTM_GETROUTE) for the rules of policy routing
 * and for the policies of IPsec; see route.h.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <string.h>

#include "../lib/util.h"
#include "kernel.h"
#include "route.h"

static uint32_t mtu_of(const struct nlattr *metrics)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, metrics)
		if (mnl_attr_get_type(attr) == RTAX_MTU)
			return mnl_attr_get_u32(attr);
	return 0;
}

static void take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route *route = data;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return;
	route->local = rtm->rtm_type == RTN_LOCAL;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			route->out = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == RTA_GATEWAY)
			host_set(&route->via, rtm->rtm_family, mnl_attr_get_payload(attr));
		else if (mnl_attr_get_type(attr) == RTA_METRICS)
			route->mtu = mtu_of(attr);
	}
}

/**
 * route_get - Which way a packet goes.
 * @route: Filled in.
 * @q: The packet.
 */
void route_get(struct route *route, const struct question *q)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, RTM_GETROUTE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	bool ports = q->l4proto == IPPROTO_UDP || q->l4proto == IPPROTO_TCP;

	*route = (struct route){};
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rtm->rtm_family = q->to->family;
	rtm->rtm_dst_len = 8 * host_length(q->to);
	mnl_attr_put(nlh, RTA_DST, host_length(q->to), q->to->bytes);
	if (q->from) {
		rtm->rtm_src_len = 8 * host_length(q->from);
		mnl_attr_put(nlh, RTA_SRC, host_length(q->from), q->from->bytes);
	}
	if (q->in)
		mnl_attr_put_u32(nlh, RTA_IIF, q->in);
	if (q->mark)
		mnl_attr_put_u32(nlh, RTA_MARK, q->mark);
	/* since Linux 4.19 and 4.17: rules of policy routing may look at these */
	if (ports) {
		mnl_attr_put_u8(nlh, RTA_IP_PROTO, q->l4proto);
		if (q->sport)
			mnl_attr_put_u16(nlh, RTA_SPORT, htons(q->sport));
		if (q->dport)
			mnl_attr_put_u16(nlh, RTA_DPORT, htons(q->dport));
	}
	route->error = kernel_dump(NETLINK_ROUTE, nlh, take_route, route);
}

/* One that is down is not taken. */
static void take_hops(const struct nlmsghdr *nlh, void *data)
{
	const struct rtnexthop *hop;
	struct route *route = data;
	const struct nlattr *attr;
	int left;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg)) {
		if (nlh->nlmsg_type != RTM_NEWROUTE || mnl_attr_get_type(attr) != RTA_MULTIPATH)
			continue;
		hop = mnl_attr_get_payload(attr);
		left = mnl_attr_get_payload_len(attr);
		for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
			if (route->n_hops < HOPS_MAX && !(hop->rtnh_flags & RTNH_F_DEAD))
				route->hops[route->n_hops++] = hop->rtnh_ifindex;
	}
}

/**
 * route_get_hops - Learn whether a route has several next hops, since Linux 4.13.
 * @route: From route_get().
 * @to: Where it leads.
 */
void route_get_hops(struct route *route, const struct host *to)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, RTM_GETROUTE);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));

	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rtm->rtm_family = to->family;
	rtm->rtm_dst_len = 8 * host_length(to);
	rtm->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(nlh, RTA_DST, host_length(to), to->bytes);
	kernel_dump(NETLINK_ROUTE, nlh, take_hops, route);
}

/**
 * route_leaves_by - Whether packets may leave by an interface.
 * @route: The route.
 * @index: Number of the interface.
 */
bool route_leaves_by(const struct route *route, unsigned int index)
{
	size_t i;

	for (i = 0; i < route->n_hops; i++)
		if (route->hops[i] == index)
			return true;
	return route->out == index;
}

/**
 * rules_dump - Each rule of policy routing, in the order in which they count.
 * @family: AF_INET or AF_INET6.
 * @take: Called with each.
 * @data: For @take.
 *
 * Return: 0 or a negative errno; a kernel without policy routing has no rules.
 */
int rules_dump(int family, kernel_take take, void *data)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, RTM_GETRULE);
	struct fib_rule_hdr *hdr = mnl_nlmsg_put_extra_header(nlh, sizeof(*hdr));

	hdr->family = family;
	return kernel_dump(NETLINK_ROUTE, nlh, take, data);
}

static void take_policy(const struct nlmsghdr *nlh, void *data)
{
	const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	bool *encrypts = data;

	mnl_attr_for_each(attr, nlh, sizeof(*info))
		if (mnl_attr_get_type(attr) == XFRMA_TMPL && info->dir == XFRM_POLICY_OUT)
			*encrypts = true;
}

/**
 * ipsec_may_encrypt - Whether a policy of this router's own IPsec encrypts what leaves, or that
 * is not known.
 */
bool ipsec_may_encrypt(void)
{
	char buffer[KERNEL_REQUEST_SIZE];
	bool encrypts = false;
	int ret = kernel_dump(NETLINK_XFRM, kernel_request(buffer, XFRM_MSG_GETPOLICY),
			      take_policy, &encrypts);

	return encrypts || ret == -EPERM;
}
