// SPDX-License-Identifier: GPL-2.0
/*
 * route-split: a rule of policy routing picks a VPN's data by its protocol and
 * looks it up in another table than its control connection, so that a gateway
 * may see two addresses. route-blocked: a rule refuses a protocol that has no ports,
 * for which the kernel tells no route.
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
	if (hdr->action != FR_ACT_TO_TBL || l4proto != half->l4proto || half->table ||
	    (half->port && (half->port < ports.start || half->port > ports.end)))
		return;
	half->table = table;
	half->priority = priority;
}

/* Each rule of policy routing of IPv4's */
static int dump_rules(kernel_take take, void *data)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, RTM_GETRULE);
	struct fib_rule_hdr *hdr = mnl_nlmsg_put_extra_header(nlh, sizeof(*hdr));

	hdr->family = AF_INET;
	return kernel_dump(NETLINK_ROUTE, nlh, take, data);
}

static char *half_text(const struct half *half, const char *title)
{
	if (!half->table)
		return xasprintf("no rule of its own for %s", title);
	return xasprintf("rule %u has table %u for %s", half->priority, half->table, title);
}

static void report_split(struct report *r, const struct split *s)
{
	char *one = half_text(&s->halves[0], s->titles[0]);
	char *two = half_text(&s->halves[1], s->titles[1]);

	found(r, "route-split", SEVERITY_WARNING, s->proto, xasprintf("ip rule: %s, %s", one, two),
	      xasprintf("Send %s and %s the same way: have the rules (ip rule) choose by %s",
			s->titles[0], s->titles[1], "address, or both by protocol."));
	free(one);
	free(two);
}

/**
 * struct refusal_search - Rules that refuse protocols without ports.
 * @ev: The evidence.
 * @r: Where they are reported.
 */
struct refusal_search {
	const struct evidence *ev;
	struct report *r;
};

/* Rules about sources, marks and interfaces that it leaves by may be about others. */
static bool is_about_us(const struct evidence *ev, const struct fib_rule_hdr *hdr,
			const struct nlattr *dst, const struct nlattr *in)
{
	const struct link *lan = NULL;
	struct host net;
	size_t i;

	if (dst)
		host_set(&net, AF_INET, mnl_attr_get_payload(dst));
	for (i = 0; in && i < ev->net.n_links; i++)
		if (!strcmp(ev->net.links[i].name, mnl_attr_get_str(in)) &&
		    network_is_lan(&ev->net, &ev->net.links[i]))
			lan = &ev->net.links[i];
	return !hdr->src_len && (!in || lan) &&
	       (!dst || (ev->to && host_in(ev->to, &net, hdr->dst_len)));
}

static const char *refusal_name(uint8_t action)
{
	return action == FR_ACT_BLACKHOLE ? "blackhole" :
	       action == FR_ACT_PROHIBIT ? "prohibit" :
	       action == FR_ACT_UNREACHABLE ? "unreachable" : NULL;
}

static void take_refusal(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *has[FRA_MAX + 1] = {};
	struct refusal_search *search = data;
	const struct vpn *vpn;
	uint32_t priority;

	mnl_attr_for_each(attr, nlh, sizeof(*hdr))
		if (mnl_attr_get_type(attr) <= FRA_MAX)
			has[mnl_attr_get_type(attr)] = attr;
	if (!refusal_name(hdr->action) || !has[FRA_IP_PROTO] || has[FRA_FWMARK] ||
	    has[FRA_OIFNAME] || hdr->flags & FIB_RULE_INVERT ||
	    !is_about_us(search->ev, hdr, has[FRA_DST], has[FRA_IIFNAME]))
		return;
	/* a call ID stands for PPTP's GRE */
	vpn = vpn_of(mnl_attr_get_u8(has[FRA_IP_PROTO]), 1);
	if (!vpn || vpn->port)
		return;
	priority = has[FRA_PRIORITY] ? mnl_attr_get_u32(has[FRA_PRIORITY]) : 0;
	found(search->r, "route-blocked", SEVERITY_ERROR, vpn->proto,
	      xasprintf("rule %u for ways out (ip rule) refuses %s (%s)", priority, vpn->title,
			refusal_name(hdr->action)),
	      xasprintf("If that is not meant to be so: ip rule del priority %u", priority));
}

static void find_refusals(const struct evidence *ev, struct report *r)
{
	struct refusal_search search = { ev, r };

	if (!ev->to || ev->to->family == AF_INET)
		dump_rules(take_refusal, &search);
}

void check_routes(const struct evidence *ev, struct report *r)
{
	struct split splits[] = {
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

	find_refusals(ev, r);
	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		/* a kernel without policy routing has no rules */
		if (dump_rules(take_rule, &splits[i].halves[0]) ||
		    dump_rules(take_rule, &splits[i].halves[1]))
			continue;
		if (splits[i].halves[0].table != splits[i].halves[1].table)
			report_split(r, &splits[i]);
	}
}
