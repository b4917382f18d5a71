// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of ipset from the kernel, and whether a packet is in one; see ipset.h. They are
 * asked for only where a rule uses one, as the kernel would load the module else. All but
 * ipset_read() is pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/util.h"
#include "../kernel.h"
#include "ipset.h"

/* --- what the kernel tells --- */

static void take_address(struct ipset_range *range, const struct nlattr *nest, bool end)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		size_t length = mnl_attr_get_payload_len(attr);

		if (length > sizeof(range->last))
			continue;
		memcpy(range->last, mnl_attr_get_payload(attr), length);
		if (!end)
			memcpy(range->first, range->last, length);
	}
}

/* A network goes from its own bits and zeros to its own bits and ones. */
static void stretch(struct ipset_range *range, uint8_t prefix)
{
	size_t i;

	range->prefix = prefix;
	for (i = 0; i < sizeof(range->last); i++) {
		uint8_t mask = prefix_mask(prefix, i);

		range->first[i] &= mask;
		range->last[i] |= ~mask;
	}
}

static void take_port(struct ipset_element *e, const struct nlattr *attr, bool end)
{
	e->ports[1] = ntohs(mnl_attr_get_u16(attr));
	if (!end)
		e->ports[0] = e->ports[1];
}

static void take_flags(struct ipset_element *e, uint32_t flags)
{
	e->excepted = flags & IPSET_FLAG_NOMATCH;
	e->wildcard = flags & IPSET_FLAG_IFACE_WILDCARD;
}

static void take_element(struct ipset *set, const struct nlattr *nest)
{
	uint8_t all = set->family == NFPROTO_IPV6 ? 128 : 32;
	uint8_t bits[2] = { set->netmask ? set->netmask : all, all };
	struct ipset_element *e;
	const struct nlattr *attr;
	bool ranges = false;

	set->list = xgrow(set->list, set->n, sizeof(*set->list));
	e = &set->list[set->n++];
	*e = (struct ipset_element){};
	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case IPSET_ATTR_IP:
			take_address(&e->addresses[0], attr, false);
			break;
		case IPSET_ATTR_IP_TO:
			take_address(&e->addresses[0], attr, true);
			ranges = true;
			break;
		case IPSET_ATTR_IP2:
			take_address(&e->addresses[1], attr, false);
			break;
		case IPSET_ATTR_CIDR:
			bits[0] = mnl_attr_get_u8(attr);
			break;
		case IPSET_ATTR_CIDR2:
			bits[1] = mnl_attr_get_u8(attr);
			break;
		case IPSET_ATTR_PORT:
			take_port(e, attr, false);
			break;
		case IPSET_ATTR_PORT_TO:
			take_port(e, attr, true);
			break;
		case IPSET_ATTR_PROTO:
			e->l4proto = mnl_attr_get_u8(attr);
			break;
		case IPSET_ATTR_CADT_FLAGS:
			take_flags(e, ntohl(mnl_attr_get_u32(attr)));
			break;
		case IPSET_ATTR_IFACE:
		case IPSET_ATTR_NAME:
			e->name = mnl_attr_get_str(attr);
			break;
		}
	}
	if (!ranges)
		stretch(&e->addresses[0], bits[0]);
	stretch(&e->addresses[1], bits[1]);
}

static void take_header(struct ipset *set, const struct nlattr *nest)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == IPSET_ATTR_NETMASK)
			set->netmask = mnl_attr_get_u8(attr);
}

static struct ipset *set_named(struct ruleset *rs, const char *name)
{
	size_t i;

	for (i = 0; i < rs->n_ipsets; i++)
		if (!strcmp(rs->ipsets[i].name, name))
			return &rs->ipsets[i];
	rs->ipsets = xgrow(rs->ipsets, rs->n_ipsets, sizeof(*rs->ipsets));
	rs->ipsets[rs->n_ipsets] = (struct ipset){ .name = name, .type = "" };
	return &rs->ipsets[rs->n_ipsets++];
}

/* Of a large set come several messages, of which the first one says what it is. */
static void take_set(struct ipset *set, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *element;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		switch (mnl_attr_get_type(attr)) {
		case IPSET_ATTR_TYPENAME:
			set->type = mnl_attr_get_str(attr);
			break;
		case IPSET_ATTR_FAMILY:
			set->family = mnl_attr_get_u8(attr);
			break;
		case IPSET_ATTR_INDEX:
			set->index = ntohs(mnl_attr_get_u16(attr));
			break;
		case IPSET_ATTR_DATA:
			take_header(set, attr);
			break;
		case IPSET_ATTR_ADT:
			mnl_attr_for_each_nested(element, attr)
				take_element(set, element);
			break;
		}
	}
}

/**
 * ipset_take - Take in what the kernel tells of a set.
 * @rs: The ruleset.
 * @nlh: The answer to IPSET_CMD_LIST, which stays where it is.
 */
void ipset_take(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == IPSET_ATTR_SETNAME)
			take_set(set_named(rs, mnl_attr_get_str(attr)), nlh);
}

static void keep_and_take(const struct nlmsghdr *nlh, void *data)
{
	struct nlmsghdr *own = memcpy(xrealloc(NULL, nlh->nlmsg_len), nlh, nlh->nlmsg_len);

	ruleset_keep(data, own);
	ipset_take(data, own);
}

static bool is_needed(const struct ruleset *rs)
{
	size_t i, k;

	for (i = 0; i < rs->n_chains; i++)
		for (k = 0; k < rs->chains[i].n_rules; k++)
			if (rule_has_match(&rs->chains[i].rules[k], "set"))
				return true;
	return false;
}

/**
 * ipset_read - Learn the sets of ipset, if a rule uses one.
 * @rs: The ruleset, after its rules; gets the sets.
 *
 * Return: 0 or a negative errno.
 */
int ipset_read(struct ruleset *rs)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh;

	if (!is_needed(rs))
		return 0;
	nlh = kernel_nfnl_request(buffer, NFNL_SUBSYS_IPSET, IPSET_CMD_LIST, AF_INET);
	mnl_attr_put_u8(nlh, IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
	return kernel_dump(NETLINK_NETFILTER, nlh, keep_and_take, rs);
}

/**
 * ipset_free - Forget them.
 * @rs: The ruleset.
 */
void ipset_free(struct ruleset *rs)
{
	size_t i;

	for (i = 0; i < rs->n_ipsets; i++)
		free(rs->ipsets[i].list);
	free(rs->ipsets);
}

/* --- whether a packet is in one --- */

static enum truth has_address(const struct machine *m, const struct ipset_range *range, bool src)
{
	const struct packet *p = m->packet;

	return bytes_between(src ? p->src : p->dst, src ? p->src_known : p->dst_known,
			     range->first, range->last, p->family == NFPROTO_IPV6 ? 16 : 4);
}

static enum truth has_port(const struct machine *m, const struct ipset_element *e, bool src)
{
	uint16_t port = src ? m->packet->sport : m->packet->dport;
	bool ports = m->packet->l4proto == IPPROTO_TCP || m->packet->l4proto == IPPROTO_UDP;

	if (e->l4proto && e->l4proto != m->packet->l4proto)
		return NO;
	/* a set of ports alone has those of TCP and UDP */
	if (!ports)
		return e->l4proto ? YES : NO;
	if (!port)
		return MAYBE_SO;
	return port >= e->ports[0] && port <= e->ports[1] ? YES : NO;
}

static enum truth has_interface(const struct machine *m, const struct ipset_element *e, bool src)
{
	const struct link *link = src ? m->packet->in : m->packet->out;
	bool before = !src && m->hook == NF_INET_PRE_ROUTING;

	if (!link || !e->name || before)
		return NO;
	return !(e->wildcard ? strncmp(link->name, e->name, strlen(e->name)) :
			       strcmp(link->name, e->name)) ? YES : NO;
}

static bool part_is(const char *part, const char *what)
{
	size_t length = strlen(what);

	return !strncmp(part, what, length) && (!part[length] || part[length] == ',');
}

/* Each part of a type is compared by itself; of hardware addresses and marks nothing is known. */
static enum truth has_element(const struct machine *m, const struct ipset *set,
			      const struct ipset_element *e, uint8_t flags)
{
	const char *part = strchr(set->type, ':');
	enum truth truth = YES;
	size_t i, n = 0;

	for (i = 0; part && i < IPSET_PARTS && truth != NO; i++, part = strchr(part, ',')) {
		bool src = flags & IPSET_DIM_ONE_SRC << i;

		part++;
		if ((part_is(part, "ip") || part_is(part, "net")) && n < 2)
			truth = both(truth, has_address(m, &e->addresses[n++], src));
		else if (part_is(part, "port"))
			truth = both(truth, has_port(m, e, src));
		else if (part_is(part, "iface"))
			truth = both(truth, has_interface(m, e, src));
		else
			truth = both(truth, MAYBE_SO);
	}
	return truth;
}

static enum truth set_has(const struct machine *m, const struct ipset *set, uint8_t flags);

/* A set of sets has what one of them has. */
static enum truth list_has(const struct machine *m, const struct ipset *set, uint8_t flags)
{
	const struct ruleset *rs = m->rs;
	enum truth best = NO, one;
	size_t i, k;

	for (i = 0; i < set->n; i++)
		for (k = 0; k < rs->n_ipsets && set->list[i].name; k++) {
			const struct ipset *member = &rs->ipsets[k];

			if (strcmp(member->name, set->list[i].name) ||
			    part_is(member->type, "list:set"))
				continue;
			one = set_has(m, member, flags);
			best = one > best ? one : best;
		}
	return best;
}

/* The network with the most bits decides, and may be an exception. */
static enum truth set_has(const struct machine *m, const struct ipset *set, uint8_t flags)
{
	enum truth truth, doubt[2] = { NO, NO };
	bool found = false, excepted = false;
	int longest = 0;
	size_t i;

	if (set->family != NFPROTO_UNSPEC && set->family != m->packet->family)
		return NO;
	if (part_is(set->type, "list:set"))
		return list_has(m, set, flags);
	for (i = 0; i < set->n; i++) {
		const struct ipset_element *e = &set->list[i];
		int prefix = e->addresses[0].prefix + e->addresses[1].prefix;

		truth = has_element(m, set, e, flags);
		if (truth == MAYBE_SO)
			doubt[e->excepted] = MAYBE_SO;
		if (truth != YES || (found && prefix < longest))
			continue;
		found = true;
		excepted = e->excepted;
		longest = prefix;
	}
	if (found && !excepted)
		return doubt[true] == NO ? YES : MAYBE_SO;
	return doubt[false];
}

/**
 * ipset_has - Whether a packet is in a set.
 * @m: The packet, and the ruleset that has the sets.
 * @index: The set's number.
 * @flags: Which of its parts are looked at as those of the source, as in struct xt_set_info.
 *
 * Return: MAYBE_SO where the set could not be read.
 */
enum truth ipset_has(const struct machine *m, uint16_t index, uint8_t flags)
{
	size_t i;

	for (i = 0; i < m->rs->n_ipsets; i++)
		if (m->rs->ipsets[i].index == index)
			return set_has(m, &m->rs->ipsets[i], flags);
	return MAYBE_SO;
}
