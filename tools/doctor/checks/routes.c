// SPDX-License-Identifier: GPL-2.0
/*
 * route-split: a rule of policy routing picks a VPN's data by its protocol and
 * looks it up in another table than its control connection, so that a gateway
 * may see two addresses.
 */
#include <netinet/in.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../doctor.h"
#include "../kernel.h"
#include "checks.h"

/**
 * struct half - One half of a VPN.
 * @l4proto: IP protocol.
 * @port: Destination port, 0 where there are none.
 * @table: Of the first rule that picks it by protocol, 0 for none.
 * @priority: Of that rule.
 */
struct half {
	uint8_t l4proto;
	uint16_t port;
	uint32_t table, priority;
};

struct split {
	const char *proto, *titles[2];
	struct half halves[2];
};

static void take_rule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	struct fib_rule_port_range ports = { 0, 0xffff };
	uint32_t table = hdr->table, priority = 0;
	struct half *half = data;
	const struct nlattr *attr;
	uint8_t l4proto = 0;

	mnl_attr_for_each(attr, nlh, sizeof(*hdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FRA_TABLE:
			table = mnl_attr_get_u32(attr);
			break;
		case FRA_PRIORITY:
			priority = mnl_attr_get_u32(attr);
			break;
		case FRA_IP_PROTO:
			l4proto = mnl_attr_get_u8(attr);
			break;
		case FRA_DPORT_RANGE:
			if (mnl_attr_get_payload_len(attr) == sizeof(ports))
				memcpy(&ports, mnl_attr_get_payload(attr), sizeof(ports));
			break;
		}
	}
	/* one that is about all but this is about others */
	if (hdr->action != FR_ACT_TO_TBL || hdr->flags & FIB_RULE_INVERT ||
	    l4proto != half->l4proto || half->table ||
	    (half->port && (half->port < ports.start || half->port > ports.end)))
		return;
	half->table = table;
	half->priority = priority;
}

static char *half_text(const struct half *half, const char *title)
{
	if (!half->table)
		return xasprintf("no rule of its own for %s", title);
	return xasprintf("rule %u has table %u for %s", half->priority, half->table, title);
}

static void report_split(struct report *r, const struct split *s, int family)
{
	char *one = half_text(&s->halves[0], s->titles[0]);
	char *two = half_text(&s->halves[1], s->titles[1]);

	found(r, "route-split", SEVERITY_WARNING, s->proto,
	      xasprintf("ip%s rule: %s, %s", family == AF_INET6 ? " -6" : "", one, two),
	      xasprintf("Send %s and %s the same way: have the rules (ip rule) choose by %s",
			s->titles[0], s->titles[1], "address, or both by protocol."));
	free(one);
	free(two);
}

static bool has_ways(const struct network *net, int family)
{
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == family)
			return true;
	return false;
}

/* The default route of a table, the first one; without a rule that is the main table. */
static const struct way_out *way_of(const struct network *net, int family, const struct half *half)
{
	uint32_t table = half->table ? half->table : RT_TABLE_MAIN;
	size_t i;

	for (i = 0; i < net->n_ways; i++)
		if (net->ways[i].family == family && net->ways[i].table == table)
			return &net->ways[i];
	return NULL;
}

/* Two tables may lead the same way. */
static bool go_together(const struct network *net, int family, const struct half halves[2])
{
	const struct way_out *one = way_of(net, family, &halves[0]);
	const struct way_out *two = way_of(net, family, &halves[1]);

	return halves[0].table == halves[1].table ||
	       (one && two && one->index == two->index && host_equal(&one->next, &two->next));
}

static void find_split(const struct network *net, struct report *r, struct split s, int family)
{
	/* a kernel without policy routing has no rules */
	if (rules_dump(family, take_rule, &s.halves[0]) ||
	    rules_dump(family, take_rule, &s.halves[1]))
		return;
	if (!go_together(net, family, s.halves))
		report_split(r, &s, family);
}

void check_routes(const struct evidence *ev, struct report *r)
{
	static const struct split splits[] = {
		{
			.proto = "esp",
			.titles = { "IKE", "ESP" },
			.halves = { { .l4proto = IPPROTO_UDP, .port = 500 },
				    { .l4proto = IPPROTO_ESP } },
		}, {
			.proto = "pptp",
			.titles = { "PPTP", "GRE" },
			.halves = { { .l4proto = IPPROTO_TCP, .port = 1723 },
				    { .l4proto = IPPROTO_GRE } },
		},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		find_split(&ev->net, r, splits[i], AF_INET);
		if (has_ways(&ev->net, AF_INET6))
			find_split(&ev->net, r, splits[i], AF_INET6);
	}
}
