// SPDX-License-Identifier: GPL-2.0
/*
 * route-blocked: an IPsec policy of this router's blocks what clients send, or the answers. What
 * is forwarded has to pass those of the direction fwd, and by those of out it is encrypted or not;
 * of each direction the first that matches counts.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/xfrm.h>
#include <stdlib.h>
#include <string.h>

#include "../contacts.h"
#include "../kernel.h"
#include "../rules/firewall.h"
#include "checks.h"

/**
 * struct policy - One policy.
 * @info: What the kernel says of it.
 * @mark: Of which packets, with its mask.
 * @elsewhere: It is of an interface for IPsec or of a socket, and not of what is forwarded.
 * @told: That it blocks something.
 */
struct policy {
	struct xfrm_userpolicy_info info;
	struct xfrm_mark mark;
	bool elsewhere, told;
};

/**
 * struct policies - All of them, by priority, and who is told.
 * @ev: The evidence.
 * @r: Where they are reported.
 * @list: The policies.
 * @n: How many.
 */
struct policies {
	const struct evidence *ev;
	struct report *r;
	struct policy *list;
	size_t n;
};

/* The lowest priority counts, and of equal ones the older. */
static void take_policy(const struct nlmsghdr *nlh, void *data)
{
	const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(nlh);
	struct policy policy = { .info = *info };
	struct policies *all = data;
	const struct nlattr *attr;
	size_t at;

	policy.elsewhere = info->dir > XFRM_POLICY_FWD || info->sel.ifindex;
	mnl_attr_for_each(attr, nlh, sizeof(*info)) {
		if (mnl_attr_get_type(attr) == XFRMA_MARK)
			memcpy(&policy.mark, mnl_attr_get_payload(attr), sizeof(policy.mark));
		else if (mnl_attr_get_type(attr) == XFRMA_IF_ID)
			policy.elsewhere |= mnl_attr_get_u32(attr);
	}
	all->list = xgrow(all->list, all->n, sizeof(*all->list));
	for (at = all->n++; at && all->list[at - 1].info.priority > info->priority; at--)
		all->list[at] = all->list[at - 1];
	all->list[at] = policy;
}

/* A port of 0 is one that is not known. */
static enum truth port_fits(uint16_t port, uint16_t wanted, uint16_t mask)
{
	if (!mask)
		return YES;
	if (!port)
		return MAYBE_SO;
	return (htons(port) ^ wanted) & mask ? NO : YES;
}

static enum truth fits(const struct policy *policy, const struct packet *p,
		       const struct judgement *j)
{
	const struct xfrm_selector *sel = &policy->info.sel;
	int family = p->family == NFPROTO_IPV6 ? AF_INET6 : AF_INET;
	enum truth truth;

	if (policy->elsewhere || sel->family != family || (sel->proto && sel->proto != p->l4proto))
		return NO;
	truth = both(both(prefix_has(&sel->saddr, sel->prefixlen_s, p->src, p->src_known),
			  prefix_has(&sel->daddr, sel->prefixlen_d, p->dst, p->dst_known)),
		     both(port_fits(p->sport, sel->sport, sel->sport_mask),
			  port_fits(p->dport, sel->dport, sel->dport_mask)));
	if (policy->mark.m && !j->mark_known)
		return both(truth, MAYBE_SO);
	return (j->mark & policy->mark.m) == policy->mark.v ? truth : NO;
}

/* The policy that counts in a direction if it blocks for certain, or NULL. */
static struct policy *blocking(const struct policies *all, uint8_t dir, const struct packet *p,
			       const struct judgement *j)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct policy *policy = &all->list[i];
		enum truth truth = policy->info.dir == dir ? fits(policy, p, j) : NO;

		if (truth != NO)
			return truth == YES && policy->info.action == XFRM_POLICY_BLOCK ?
			       policy : NULL;
	}
	return NULL;
}

static void report_policy(struct policies *all, struct policy *policy, const struct crossing *c)
{
	static const char *const dirs[] = { "in", "out", "fwd" };
	const struct host *server = c->contact ? &c->contact->server : all->ev->to;
	char text[INET6_ADDRSTRLEN], *with;
	bool one = policy->info.sel.proto;

	policy->told = true;
	with = server ? xasprintf("%s %s", c->packet->reply ? " of" : " to",
				  host_text(server, text)) : xstrdup("");
	found(all->r, "route-blocked", SEVERITY_ERROR, one ? c->vpn->proto : NULL,
	      xasprintf("an IPsec policy of this router's (%s, dir %s, priority %u) blocks %s%s%s",
			"ip xfrm policy", dirs[policy->info.dir], policy->info.priority,
			c->packet->reply ? "the answers of " : "",
			one ? c->vpn->title : "all VPNs", with),
	      SAY("See whether the VPN that runs on this router is up and is meant to keep",
		  "clients from that server; the policy is in ip xfrm policy."));
	free(with);
}

/* Of the router's own packets only those for the host that is asked about matter. */
static void take_crossing(const struct crossing *c, void *data)
{
	struct packet p = *c->packet;
	struct policies *all = data;
	struct policy *policy = NULL;

	if (!c->vpn || (!p.in && !all->ev->to) || !p.out)
		return;
	/* those of fwd see an answer as it was before NAT is undone, which IPv6 seldom has */
	if (p.reply && p.in && p.family == NFPROTO_IPV6)
		answer_to_client(all->ev, c, &p);
	if (p.in)
		policy = blocking(all, XFRM_POLICY_FWD, &p, c->j);
	if (p.reply && p.in)
		answer_to_client(all->ev, c, &p);
	if (!policy)
		policy = blocking(all, XFRM_POLICY_OUT, &p, c->j);
	if (policy && !policy->told)
		report_policy(all, policy, c);
}

void check_policies(const struct evidence *ev, struct report *r)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_request(buffer, XFRM_MSG_GETPOLICY);
	struct policies all = { .ev = ev, .r = r };
	int ret = kernel_dump(NETLINK_XFRM, nlh, take_policy, &all);

	/* a kernel without IPsec has none */
	if (ret == -EPERM)
		report_refused(r, "IPsec policies", ret);
	if (!ret && ev->rules_known)
		firewall_cross(ev, take_crossing, &all);
	free(all.list);
}
