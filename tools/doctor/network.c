// SPDX-License-Identifier: GPL-2.0
/*
 * Interfaces, addresses and default routes by rtnetlink; see network.h.
 */
#include <errno.h>
#include <fnmatch.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"
#include "kernel.h"
#include "network.h"

static void take_kind(struct link *link, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
			snprintf(link->kind, sizeof(link->kind), "%s", mnl_attr_get_str(attr));
}

static void take_link_attr(struct link *link, const struct nlattr *attr)
{
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof(link->name), "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_MASTER:
		link->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		take_kind(link, attr);
		break;
	}
}

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
		/* a device without a notion of a carrier counts as running */
		.carrier = ifi->ifi_flags & IFF_RUNNING,
		.loopback = ifi->ifi_flags & IFF_LOOPBACK,
	};
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
		take_link_attr(link, attr);
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

static void add_way(struct network *net, const struct way_out *way, unsigned int index)
{
	const struct link *link = network_link(net, index);

	if (!link || link->loopback)
		return;
	net->ways = xgrow(net->ways, net->n_ways, sizeof(*net->ways));
	net->ways[net->n_ways] = *way;
	net->ways[net->n_ways++].index = index;
}

static void take_hops(struct network *net, const struct way_out *way, const struct nlattr *attr)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(hop, left); left -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		add_way(net, way, hop->rtnh_ifindex);
}

static void take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct way_out way = { .family = rtm->rtm_family, .table = rtm->rtm_table };
	const struct nlattr *attr, *hops = NULL;
	unsigned int index = 0;

	if (rtm->rtm_dst_len || rtm->rtm_type != RTN_UNICAST)
		return;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			way.table = mnl_attr_get_u32(attr);
			break;
		case RTA_PRIORITY:
			way.metric = mnl_attr_get_u32(attr);
			break;
		case RTA_OIF:
			index = mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
			host_set(&way.next, rtm->rtm_family, mnl_attr_get_payload(attr));
			break;
		case RTA_MULTIPATH:
			hops = attr;
			break;
		}
	}
	if (hops)
		take_hops(data, &way, hops);
	else
		add_way(data, &way, index);
}

/* The kernel asks a neighbour three times, a second apart, before it calls it FAILED. */
static bool is_given_up(const struct ndmsg *ndm, uint32_t probes)
{
	return ndm->ndm_state & NUD_FAILED || (ndm->ndm_state & NUD_INCOMPLETE && probes > 1);
}

static void keep_neighbour(struct network *net, const struct ndmsg *ndm, const struct host *host,
			   const struct nlattr *mac, bool silent)
{
	struct neighbour *n;

	net->neighbours = xgrow(net->neighbours, net->n_neighbours, sizeof(*net->neighbours));
	n = &net->neighbours[net->n_neighbours++];
	*n = (struct neighbour){ .index = ndm->ndm_ifindex, .host = *host, .silent = silent };
	n->known = mac && mnl_attr_get_payload_len(mac) == sizeof(n->mac) &&
		   !(ndm->ndm_state & (NUD_FAILED | NUD_INCOMPLETE));
	if (n->known)
		memcpy(n->mac, mnl_attr_get_payload(mac), sizeof(n->mac));
}

static void take_neighbour(const struct nlmsghdr *nlh, void *data)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *mac = NULL;
	struct network *net = data;
	struct host host = {};
	uint32_t probes = 0;
	size_t i;

	mnl_attr_for_each(attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_DST)
			host_set(&host, ndm->ndm_family, mnl_attr_get_payload(attr));
		else if (mnl_attr_get_type(attr) == NDA_PROBES)
			probes = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == NDA_LLADDR)
			mac = attr;
	}
	keep_neighbour(net, ndm, &host, mac, is_given_up(ndm, probes));
	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].index == (unsigned int)ndm->ndm_ifindex && host.family &&
		    host_equal(&net->ways[i].next, &host))
			net->ways[i].silent = is_given_up(ndm, probes);
}

/* The main table decides; another, such as a VRF's, where that has none. */
static bool counts(const struct network *net, const struct way_out *way)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == way->family && net->ways[i].table == RT_TABLE_MAIN)
			return way->table == RT_TABLE_MAIN;
	return true;
}

static bool is_best(const struct network *net, const struct way_out *way)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == way->family && counts(net, &net->ways[i]) &&
		    net->ways[i].metric < way->metric)
			return false;
	return counts(net, way);
}

static struct link *link_of(struct network *net, unsigned int index)
{
	size_t i;

	for (i = 0; i < net->n_links; i++)
		if (net->links[i].index == index)
			return &net->links[i];
	return NULL;
}

static void mark_ways(struct network *net)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++) {
		struct link *link = link_of(net, net->ways[i].index);

		if (!is_best(net, &net->ways[i])) {
			link->spare = true;
			continue;
		}
		link->wan = true;
		net->default_route = true;
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

/* What a kernel without IPv6 has not, and what changes all the time, is not what fails it. */
static int read_once(struct network *net)
{
	int ret;

	ret = dump(RTM_GETLINK, sizeof(struct ifinfomsg), AF_UNSPEC, take_link, net);
	if (!ret)
		ret = dump(RTM_GETADDR, sizeof(struct ifaddrmsg), AF_UNSPEC, take_address, net);
	if (!ret)
		ret = dump(RTM_GETROUTE, sizeof(struct rtmsg), AF_INET, take_route, net);
	if (!ret)
		dump(RTM_GETROUTE, sizeof(struct rtmsg), AF_INET6, take_route, net);
	if (!ret)
		dump(RTM_GETNEIGH, sizeof(struct ndmsg), AF_UNSPEC, take_neighbour, net);
	return ret;
}

/**
 * network_read - Learn the interfaces and what they have, also when they change meanwhile.
 * @net: Zeroed; for network_free().
 *
 * Return: 0 or a negative errno.
 */
int network_read(struct network *net)
{
	int i, ret = -EINTR;

	for (i = 0; i < KERNEL_READ_TRIES && ret == -EINTR; i++) {
		network_free(net);
		ret = read_once(net);
	}
	mark_ways(net);
	return ret;
}

/**
 * network_free - Forget them.
 * @net: From network_read(); empty afterwards.
 */
void network_free(struct network *net)
{
	free(net->links);
	free(net->addresses);
	free(net->ways);
	free(net->neighbours);
	memset(net, 0, sizeof(*net));
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
 * network_reaches - Whether an address is in a network that an interface is in.
 * @net: The network.
 * @link: The interface.
 * @a: The address.
 */
bool network_reaches(const struct network *net, const struct link *link, const struct host *a)
{
	const struct link_address *la = NULL;

	while ((la = network_next(net, link->index, a->family, la)))
		if (host_in(a, &la->address, la->prefix))
			return true;
	return false;
}

/**
 * network_neighbour - What is known of a host on the cable of an interface.
 * @net: The network.
 * @index: Number of the interface.
 * @a: The host's address.
 *
 * Return: it, or NULL when it was not asked.
 */
const struct neighbour *network_neighbour(const struct network *net, unsigned int index,
					  const struct host *a)
{
	size_t i;

	for (i = 0; i < net->n_neighbours; i++)
		if (net->neighbours[i].index == index && host_equal(&net->neighbours[i].host, a))
			return &net->neighbours[i];
	return NULL;
}

/**
 * network_mac - The hardware address of a host on the cable of an interface.
 * @net: The network.
 * @index: Number of the interface.
 * @a: The host's address.
 *
 * Return: six bytes, or NULL when it is not known.
 */
const uint8_t *network_mac(const struct network *net, unsigned int index, const struct host *a)
{
	const struct neighbour *n = network_neighbour(net, index, a);

	return n && n->known ? n->mac : NULL;
}

/**
 * network_has - Whether an interface has an address.
 * @net: The network.
 * @index: Number of the interface, 0 for any.
 * @a: The address.
 */
bool network_has(const struct network *net, unsigned int index, const struct host *a)
{
	const struct link_address *la = NULL;

	while ((la = network_next(net, index, a->family, la)))
		if (host_equal(&la->address, a))
			return true;
	return false;
}

/**
 * network_is_local - Whether an address is the router's own.
 * @net: The network.
 * @a: The address.
 */
bool network_is_local(const struct network *net, const struct host *a)
{
	return network_has(net, 0, a);
}

/**
 * link_is_tunnel - Whether what goes by it is carried inside other packets.
 * @link: The interface.
 */
bool link_is_tunnel(const struct link *link)
{
	static const char *const kinds[] = {
		"wireguard", "ovpn", "ipip", "sit", "ip6tnl", "gre", "ip6gre", "vti", "vti6",
		"xfrm", "amt",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return link->type == ARPHRD_NONE || link->type == ARPHRD_TUNNEL ||
	       link->type == ARPHRD_TUNNEL6 || link->type == ARPHRD_SIT ||
	       link->type == ARPHRD_IPGRE;
}

/**
 * link_is_container - Whether it leads to containers or virtual machines of
 * this host, by the names that their managers give.
 * @link: The interface.
 */
bool link_is_container(const struct link *link)
{
	static const char *const names[] = {
		"docker[0-9]*", "docker_gwbridge", "virbr[0-9]*", "lxcbr[0-9]*", "lxdbr[0-9]*",
		"incusbr[0-9]*", "podman[0-9]*", "cni[0-9]*", "flannel*", "cali*", "kube-*",
	};
	size_t i;

	/* Docker's other networks: the first 12 digits of the number that each has */
	if (!strncmp(link->name, "br-", 3) && strspn(link->name + 3, "0123456789abcdef") == 12)
		return true;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!fnmatch(names[i], link->name, 0))
			return true;
	return false;
}

/**
 * network_is_lan - Whether an interface leads to clients: it is up, has an
 * address, and is neither the loopback, nor one that leads out, nor a tunnel, nor one
 * for containers.
 * @net: The network.
 * @link: The interface.
 */
bool network_is_lan(const struct network *net, const struct link *link)
{
	return link->up && !link->loopback && !link->wan && !link->spare &&
	       !link_is_tunnel(link) && !link_is_container(link) &&
	       network_next(net, link->index, 0, NULL);
}

/**
 * network_lan_of - The LAN that an address is in.
 * @net: The network.
 * @a: The address.
 *
 * Return: the interface or NULL.
 */
const struct link *network_lan_of(const struct network *net, const struct host *a)
{
	size_t i;

	for (i = 0; i < net->n_links; i++)
		if (network_is_lan(net, &net->links[i]) && network_reaches(net, &net->links[i], a))
			return &net->links[i];
	return NULL;
}

/**
 * network_is_router - Whether there is a LAN and a way out.
 * @net: The network.
 */
bool network_is_router(const struct network *net)
{
	bool lan = false, wan = false;
	size_t i;

	for (i = 0; i < net->n_links; i++) {
		lan |= network_is_lan(net, &net->links[i]);
		wan |= net->links[i].wan;
	}
	return lan && wan;
}
