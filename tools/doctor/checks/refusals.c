// SPDX-License-Identifier: GPL-2.0
/*
 * route-blocked: a rule of policy routing refuses a protocol that has no ports, by IPv4 or by
 * IPv6: its packets on their way out, or the answers on their way back. The kernel tells no route
 * of such protocols. Therefore the rules are walked through here as the kernel does it, up to
 * the first one that has a way.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/fib_rules.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../contacts.h"
#include "../kernel.h"
#include "../rules/firewall.h"
#include "checks.h"

/* Kinds of packets without ports, there and back, by IPv4 and by IPv6 */
#define TOLD_MAX	16

/**
 * struct refusing - Packets on their way through the rules.
 * @ev: The evidence.
 * @r: Where a rule that refuses them is reported.
 * @c: The crossing.
 * @p: Its packet, as it is routed.
 * @decided: A rule before has a way for it, or may have.
 * @told: Kinds of packets and directions of which it was told that a rule refuses them.
 * @n_told: How many.
 */
struct refusing {
	const struct evidence *ev;
	struct report *r;
	const struct crossing *c;
	struct packet p;
	bool decided;
	struct {
		const struct vpn *vpn;
		int family;
		bool reply;
	} told[TOLD_MAX];
	size_t n_told;
};

static const char *refusal_name(uint8_t action)
{
	return action == FR_ACT_BLACKHOLE ? "blackhole" :
	       action == FR_ACT_PROHIBIT ? "prohibit" :
	       action == FR_ACT_UNREACHABLE ? "unreachable" : NULL;
}

static enum truth mark_fits(const struct refusing *s, const struct nlattr *mark,
			    const struct nlattr *mask)
{
	uint32_t bits = mask ? mnl_attr_get_u32(mask) : ~0U;

	if (!mark || !bits)
		return YES;
	if (!s->c->j->mark_known)
		return MAYBE_SO;
	return (s->c->j->mark ^ mnl_attr_get_u32(mark)) & bits ? NO : YES;
}

static const void *payload(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_payload(attr) : NULL;
}

/* A forwarded packet has no socket, and a protocol without ports matches no rule about ports. */
static enum truth fits(const struct refusing *s, const struct fib_rule_hdr *hdr,
		       const struct nlattr *const *has)
{
	const struct link *in = s->c->packet->in;
	enum truth truth;

	if (has[FRA_OIFNAME] || has[FRA_SPORT_RANGE] || has[FRA_DPORT_RANGE] ||
	    (has[FRA_L3MDEV] && !in->master) ||
	    (has[FRA_IIFNAME] && strcmp(mnl_attr_get_str(has[FRA_IIFNAME]), in->name)) ||
	    (has[FRA_IP_PROTO] && mnl_attr_get_u8(has[FRA_IP_PROTO]) != s->c->vpn->l4proto))
		truth = NO;
	else if (has[FRA_L3MDEV] || has[FRA_TUN_ID] || has[FRA_UID_RANGE] || hdr->tos)
		truth = MAYBE_SO;
	else
		truth = both(mark_fits(s, has[FRA_FWMARK], has[FRA_FWMASK]),
			     both(prefix_has(payload(has[FRA_SRC]), hdr->src_len, s->p.src,
					     s->p.src_known),
				  prefix_has(payload(has[FRA_DST]), hdr->dst_len, s->p.dst,
					     s->p.dst_known)));
	return flip(truth, hdr->flags & FIB_RULE_INVERT);
}

/*
 * A table has a way to the outside by a default route, unless the rule leaves that out; the
 * main one has the ways to the LANs. Of others nothing is known, and a gateway that is
 * known may be in them.
 */
static bool may_have_way(const struct refusing *s, uint32_t table, bool no_default)
{
	const struct network *net = &s->ev->net;
	int family = s->c->packet->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	size_t i;

	if (table == RT_TABLE_LOCAL)
		return false;
	for (i = 0; !no_default && i < net->n_ways; i++)
		if (net->ways[i].family == family && net->ways[i].table == table)
			return true;
	return s->c->packet->reply || (table != RT_TABLE_MAIN && *s->p.dst_known);
}

static bool is_told(struct refusing *s, int family)
{
	size_t i;

	for (i = 0; i < s->n_told; i++)
		if (s->told[i].vpn == s->c->vpn && s->told[i].family == family &&
		    s->told[i].reply == s->c->packet->reply)
			return true;
	return false;
}

static void report_rule(struct refusing *s, const struct fib_rule_hdr *hdr, uint32_t priority)
{
	const char *six = hdr->family == AF_INET6 ? " -6" : "";
	const struct packet *p = s->c->packet;

	s->decided = true;
	if (s->n_told == TOLD_MAX)
		return;
	s->told[s->n_told].vpn = s->c->vpn;
	s->told[s->n_told].family = hdr->family;
	s->told[s->n_told++].reply = p->reply;
	/* others may have a rule of this priority as well, so that a user has to look */
	found(s->r, "route-blocked", SEVERITY_ERROR, s->c->vpn->proto,
	      xasprintf("rule %u for ways out (ip%s rule) refuses %s%s from %s (%s)", priority, six,
			p->reply ? "the answers of " : "", s->c->vpn->title, p->in->name,
			refusal_name(hdr->action)),
	      xasprintf("If that is not meant to be so, look at it with ip%s rule, and: %s%s %s %u",
			six, "ip", six, "rule del priority", priority));
}

/* A rule about all protocols is told of by those whose route the kernel tells. */
static void take_rule(const struct nlmsghdr *nlh, void *data)
{
	const struct fib_rule_hdr *hdr = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *has[FRA_MAX + 1] = {};
	uint32_t table = hdr->table, no_default = ~0U;
	struct refusing *s = data;
	enum truth truth;

	mnl_attr_for_each(attr, nlh, sizeof(*hdr))
		if (mnl_attr_get_type(attr) <= FRA_MAX)
			has[mnl_attr_get_type(attr)] = attr;
	truth = s->decided ? NO : fits(s, hdr, has);
	if (truth == NO)
		return;
	if (has[FRA_TABLE])
		table = mnl_attr_get_u32(has[FRA_TABLE]);
	if (has[FRA_SUPPRESS_PREFIXLEN])
		no_default = mnl_attr_get_u32(has[FRA_SUPPRESS_PREFIXLEN]);
	if (hdr->action == FR_ACT_TO_TBL)
		s->decided = may_have_way(s, table, no_default != ~0U);
	else if (hdr->action == FR_ACT_GOTO)
		s->decided = true;
	else if (!refusal_name(hdr->action) || truth != YES)
		return;
	else if (!has[FRA_IP_PROTO])
		s->decided = true;
	else
		report_rule(s, hdr, has[FRA_PRIORITY] ? mnl_attr_get_u32(has[FRA_PRIORITY]) : 0);
}

static void take_crossing(const struct crossing *c, void *data)
{
	const struct packet *p = c->packet;
	int family = p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	struct refusing *s = data;

	if (!c->vpn || c->vpn->port || !p->in || !p->out || is_told(s, family))
		return;
	s->c = c;
	s->decided = false;
	s->p = *p;
	/* NAT is undone before an answer is routed */
	if (p->reply)
		answer_to_client(s->ev, c, &s->p);
	rules_dump(family, take_rule, s);
}

void check_refusals(const struct evidence *ev, struct report *r)
{
	struct refusing s = { .ev = ev, .r = r };

	if (ev->rules_known)
		firewall_cross(ev, take_crossing, &s);
}
