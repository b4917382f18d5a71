// SPDX-License-Identifier: GPL-2.0
/*
 * Interfaces, addresses and default routes by rtnetlink; see network.h. Read
 * by cmd_doctor.c, looked at by the checks.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../util.h"
#include "kernel.h"
#include "network.h"

static void take_link(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct network *net = data;
	const struct nlattr *attr;
	struct link *link;

	net->links = xgrow(net->links, net->n_links, sizeof(*net->links));
	link = &net->links[net->n_links++];
	*link = (struct link){
		.index = ifi->ifi_index,
		.type = ifi->ifi_type,
		.up = ifi->ifi_flags & IFF_UP,
		.loopback = ifi->ifi_flags & IFF_LOOPBACK,
	};
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		else if (mnl_attr_get_type(attr) == IFLA_MASTER)
			link->master = mnl_attr_get_u32(attr);
	}
}

static void take_address(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *address = NULL;
	struct network *net = data;
	struct link_address *a;

	/* On a point-to-point link IFA_ADDRESS is the other end's. */
	mnl_attr_for_each(attr, nlh, sizeof(*ifa))
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
		    (mnl_attr_get_type(attr) == IFA_ADDRESS && !address))
			address = attr;
	if (!address || (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return;
	net->addresses = xrealloc(net->addresses,
				  (net->n_addresses + 1) * sizeof(*net->addresses));
	a = &net->addresses[net->n_addresses++];
	a->index = ifa->ifa_index;
	a->prefix = ifa->ifa_prefixlen;
	host_set(&a->address, ifa->ifa_family, mnl_attr_get_payload(address));
}

static void mark_wan(struct network *net, unsigned int index)
{
	size_t i;

	for (i = 0; i < net->n_links; i++) {
		if (net->links[i].index != index || net->links[i].loopback)
			continue;
		net->links[i].wan = true;
		net->default_route = true;
	}
}

static void take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct rtnexthop *hop;
	const struct nlattr *attr;
	int left;

	if (rtm->rtm_dst_len || rtm->rtm_type != RTN_UNICAST)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			mark_wan(data, mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) != RTA_MULTIPATH)
			continue;
		hop = mnl_attr_get_payload(attr);
		left = mnl_attr_get_payload_len(attr);
		for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
			mark_wan(data, hop->rtnh_ifindex);
	}
}

static int dump(uint16_t type, size_t header, uint8_t family, kernel_take take,
		struct network *net)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, type);
	uint8_t *extra = mnl_nlmsg_put_extra_header(nlh, header);

	*extra = family;
	return kernel_dump(NETLINK_ROUTE, nlh, take, net);
}

/**
 * network_read - Learn the interfaces and what they have.
 * @net: Zeroed; for network_free().
 *
 * Return: 0 or a negative errno.
 */
int network_read(struct network *net)
{
	int ret;

	ret = dump(RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC, take_link, net);
	if (!ret)
		ret = dump(RTM_GETADDR, sizeof(struct ifaddrmsg), AF_UNSPEC, take_address, net);
	if (!ret)
		ret = dump(RTM_GETROUTE, sizeof(struct rtmsg), AF_INET, take_route, net);
	/* a kernel without IPv6 has none */
	if (!ret)
		dump(RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6, take_route, net);
	return ret;
}

/**
 * network_free - Forget them.
 * @net: From network_read().
 */
void network_free(struct network *net)
{
	free(net->links);
	free(net->addresses);
}

/**
 * network_link - Find an interface.
 * @net: The network.
 * @index: Its number.
 *
 * Return: the interface or NULL.
 */
const struct link *network_link(const struct network *net, unsigned int index)
{
	size_t i;

	for (i = 0; i < net->n_links; i++)
		if (net->links[i].index == index)
			return &net->links[i];
	return NULL;
}

/**
 * network_next - Walk over the addresses of an interface.
 * @net: The network.
 * @index: Number of the interface, 0 for all.
 * @family: AF_INET, AF_INET6, or 0 for both.
 * @last: Where the walk is, NULL to begin.
 *
 * Return: the next or NULL.
 */
const struct link_address *network_next(const struct network *net, unsigned int index,
					int family, const struct link_address *last)
{
	const struct link_address *a = last ? last + 1 : net->addresses;

	for (; a && a < net->addresses + net->n_addresses; a++)
		if ((!index || a->index == index) && (!family || a->address.family == family))
			return a;
	return NULL;
}

/**
 * network_is_local - Whether an address is the router's own.
 * @net: The network.
 * @a: The address.
 */
bool network_is_local(const struct network *net, const struct host *a)
{
	const struct link_address *la = NULL;

	while ((la = network_next(net, 0, a->family, la)))
		if (host_equal(&la->address, a))
			return true;
	return false;
}

/**
 * network_is_lan - Whether an interface leads to clients: it is up, has an
 * address, is not the loopback and does not lead out.
 * @net: The network.
 * @link: The interface.
 */
bool network_is_lan(const struct network *net, const struct link *link)
{
	return link->up && !link->loopback && !link->wan &&
	       network_next(net, link->index, 0, NULL);
}
