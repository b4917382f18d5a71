// SPDX-License-Identifier: GPL-2.0
/*
 * The nft ruleset by nfnetlink; see ruleset.h. iptables' rules come the same
 * way where iptables is the nft one.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/util.h"
#include "../kernel.h"
#include "ipset.h"

#define NFT_COMMENT	0

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static uint8_t family_of(const struct nlmsghdr *nlh)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);

	return nfg->nfgen_family;
}

/* Index the attributes of a message or nest; unknown ones are left out. */
static void index_attr(const struct nlattr *attr, const struct nlattr **tb, uint16_t max)
{
	if (mnl_attr_get_type(attr) <= max)
		tb[mnl_attr_get_type(attr)] = attr;
}

static void index_message(const struct nlmsghdr *nlh, const struct nlattr **tb, uint16_t max)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		index_attr(attr, tb, max);
}

static const char *text(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_str(attr) : NULL;
}

/* While rules are read; they come chain by chain, so that it is mostly the same again. */
static struct nft_chain *find_chain(const struct ruleset *rs, uint8_t family,
				    const char *table, const char *name)
{
	struct nft_chain *last = rs->last_chain < rs->n_chains ? &rs->chains[rs->last_chain] : NULL;
	size_t i;

	if (last && last->family == family && same(last->table, table) && same(last->name, name))
		return last;

	for (i = rs->n_chains; i-- > 0;) {
		struct nft_chain *c = &rs->chains[i];

		if (c->family == family && same(c->table, table) && same(c->name, name))
			return c;
	}
	return NULL;
}

/**
 * chain_is_at - Whether packets of an interface meet a chain.
 * @chain: The chain.
 * @name: The interface, empty for none.
 */
bool chain_is_at(const struct nft_chain *chain, const char *name)
{
	const struct nlattr *attr;

	if (chain->device && !strcmp(mnl_attr_get_str(chain->device), name))
		return true;
	if (chain->devices)
		mnl_attr_for_each_nested(attr, chain->devices)
			if (!strcmp(mnl_attr_get_str(attr), name))
				return true;
	return !chain->device && !chain->devices;
}

static void take_hook(struct nft_chain *chain, const struct nlattr *hook)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, hook) {
		if (mnl_attr_get_type(attr) == NFTA_HOOK_HOOKNUM)
			chain->hook = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == NFTA_HOOK_PRIORITY)
			chain->priority = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == NFTA_HOOK_DEV)
			chain->device = attr;
		else if (mnl_attr_get_type(attr) == NFTA_HOOK_DEVS)
			chain->devices = attr;
	}
}

static void take_chain(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_CHAIN_MAX + 1] = {};
	struct nft_chain *chain;

	index_message(nlh, tb, NFTA_CHAIN_MAX);
	rs->chains = xgrow(rs->chains, rs->n_chains, sizeof(*rs->chains));
	chain = &rs->chains[rs->n_chains++];
	*chain = (struct nft_chain){
		.family = family_of(nlh),
		.table = text(tb[NFTA_CHAIN_TABLE]),
		.name = text(tb[NFTA_CHAIN_NAME]),
	};
	if (tb[NFTA_CHAIN_HOOK]) {
		chain->type = tb[NFTA_CHAIN_TYPE] ? text(tb[NFTA_CHAIN_TYPE]) : "filter";
		take_hook(chain, tb[NFTA_CHAIN_HOOK]);
	}
	if (tb[NFTA_CHAIN_POLICY])
		chain->drops = ntohl(mnl_attr_get_u32(tb[NFTA_CHAIN_POLICY])) == NF_DROP;
}

/* nft keeps a comment in data that the kernel does not look into: type, length, text. */
static const char *comment_of(const struct nlattr *userdata)
{
	const uint8_t *p = mnl_attr_get_payload(userdata);
	size_t left = mnl_attr_get_payload_len(userdata);

	for (; left >= 2 && left - 2 >= p[1]; left -= 2 + p[1], p += 2 + p[1])
		if (p[0] == NFT_COMMENT && p[1] && !p[2 + p[1] - 1])
			return (const char *)p + 2;
	return NULL;
}

static void take_rule(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_RULE_MAX + 1] = {};
	struct nft_chain *chain;
	struct nft_rule *rule;

	index_message(nlh, tb, NFTA_RULE_MAX);
	chain = find_chain(rs, family_of(nlh), text(tb[NFTA_RULE_TABLE]),
			   text(tb[NFTA_RULE_CHAIN]));
	if (!chain || !tb[NFTA_RULE_HANDLE])
		return;
	rs->last_chain = chain - rs->chains;
	chain->rules = xgrow(chain->rules, chain->n_rules, sizeof(*chain->rules));
	rule = &chain->rules[chain->n_rules++];
	*rule = (struct nft_rule){};
	rule->handle = be64toh(mnl_attr_get_u64(tb[NFTA_RULE_HANDLE]));
	rule->comment = tb[NFTA_RULE_USERDATA] ? comment_of(tb[NFTA_RULE_USERDATA]) : NULL;
	rule->expressions = tb[NFTA_RULE_EXPRESSIONS];
}

static void take_set(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	struct nft_set *set;

	rs->sets = xgrow(rs->sets, rs->n_sets, sizeof(*rs->sets));
	set = &rs->sets[rs->n_sets++];
	*set = (struct nft_set){ .family = family_of(nlh) };
	set_take(set, nlh);
}

static void take_elements(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1] = {};
	size_t i;

	index_message(nlh, tb, NFTA_SET_ELEM_LIST_MAX);
	for (i = 0; i < rs->n_sets; i++) {
		struct nft_set *set = &rs->sets[i];

		if (tb[NFTA_SET_ELEM_LIST_ELEMENTS] && set->family == family_of(nlh) &&
		    same(set->table, text(tb[NFTA_SET_ELEM_LIST_TABLE])) &&
		    same(set->name, text(tb[NFTA_SET_ELEM_LIST_SET])))
			set_elements_take(set, tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	}
}

static void take_object(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_OBJ_MAX + 1] = {};
	const struct nlattr *attr, *helper = NULL;

	index_message(nlh, tb, NFTA_OBJ_MAX);
	if (!tb[NFTA_OBJ_TYPE] || !tb[NFTA_OBJ_DATA] ||
	    ntohl(mnl_attr_get_u32(tb[NFTA_OBJ_TYPE])) != NFT_OBJECT_CT_HELPER)
		return;
	mnl_attr_for_each_nested(attr, tb[NFTA_OBJ_DATA])
		if (mnl_attr_get_type(attr) == NFTA_CT_HELPER_NAME)
			helper = attr;
	rs->helpers = xgrow(rs->helpers, rs->n_helpers, sizeof(*rs->helpers));
	rs->helpers[rs->n_helpers++] = (struct nft_helper){
		.family = family_of(nlh),
		.table = text(tb[NFTA_OBJ_TABLE]),
		.name = text(tb[NFTA_OBJ_NAME]),
		.helper = text(helper),
	};
}

/* A dormant table has no effect: its chains become ones that no packet meets. */
static void take_table(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NFTA_TABLE_MAX + 1] = {};
	size_t i;

	index_message(nlh, tb, NFTA_TABLE_MAX);
	if (!tb[NFTA_TABLE_FLAGS] ||
	    !(ntohl(mnl_attr_get_u32(tb[NFTA_TABLE_FLAGS])) & NFT_TABLE_F_DORMANT))
		return;
	for (i = 0; i < rs->n_chains; i++)
		if (rs->chains[i].family == family_of(nlh) &&
		    same(rs->chains[i].table, text(tb[NFTA_TABLE_NAME])))
			rs->chains[i].type = NULL;
}

/**
 * ruleset_keep - Have memory freed with the ruleset.
 * @rs: The ruleset.
 * @memory: What it points into.
 */
void ruleset_keep(struct ruleset *rs, void *memory)
{
	rs->messages = xgrow(rs->messages, rs->n_messages, sizeof(*rs->messages));
	rs->messages[rs->n_messages++] = memory;
}

/**
 * ruleset_take - Take in one message of the ruleset; chains come before their
 * rules and tables, sets before their elements.
 * @rs: The ruleset.
 * @nlh: The message, copied.
 */
void ruleset_take(struct ruleset *rs, const struct nlmsghdr *nlh)
{
	static void (*const takes[])(struct ruleset *rs, const struct nlmsghdr *nlh) = {
		[NFT_MSG_NEWTABLE] = take_table,
		[NFT_MSG_NEWCHAIN] = take_chain,
		[NFT_MSG_NEWRULE] = take_rule,
		[NFT_MSG_NEWSET] = take_set,
		[NFT_MSG_NEWSETELEM] = take_elements,
		[NFT_MSG_NEWOBJ] = take_object,
	};
	uint8_t type = nlh->nlmsg_type & 0xff;
	struct nlmsghdr *copy;

	if (type >= ARRAY_SIZE(takes) || !takes[type])
		return;
	rs->ports |= type == NFT_MSG_NEWCHAIN && (family_of(nlh) == NFPROTO_BRIDGE ||
						  family_of(nlh) == NFPROTO_NETDEV);
	copy = memcpy(xrealloc(NULL, nlh->nlmsg_len), nlh, nlh->nlmsg_len);
	ruleset_keep(rs, copy);
	takes[type](rs, copy);
}

static void take(const struct nlmsghdr *nlh, void *data)
{
	ruleset_take(data, nlh);
}

static int dump(struct ruleset *rs, uint8_t type)
{
	char buffer[KERNEL_REQUEST_SIZE];

	return kernel_dump(NETLINK_NETFILTER,
			   kernel_nfnl_request(buffer, NFNL_SUBSYS_NFTABLES, type,
					       NFPROTO_UNSPEC), take, rs);
}

static int dump_elements(struct ruleset *rs, const struct nft_set *set)
{
	char buffer[KERNEL_REQUEST_SIZE];
	struct nlmsghdr *nlh = kernel_nfnl_request(buffer, NFNL_SUBSYS_NFTABLES,
						   NFT_MSG_GETSETELEM, set->family);

	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, set->table);
	mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, set->name);
	return kernel_dump(NETLINK_NETFILTER, nlh, take, rs);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* A name in the table of one chain, and another chain */
static int compare_chains(const struct nft_chain *in, const char *name,
			  const struct nft_chain *other)
{
	int order = in->family - other->family;

	if (!order)
		order = in->legacy - other->legacy;
	if (!order)
		order = strcmp(or_empty(in->table), or_empty(other->table));
	return order ? order : strcmp(name, or_empty(other->name));
}

static int by_name(const void *a, const void *b)
{
	const struct nft_chain *const *x = a, *const *y = b;

	return compare_chains(*x, or_empty((*x)->name), *y);
}

/**
 * ruleset_sort - Have ruleset_chain() find the chains that were added.
 * @rs: The ruleset.
 */
void ruleset_sort(struct ruleset *rs)
{
	size_t i;

	free(rs->by_name);
	rs->by_name = xrealloc(NULL, (rs->n_chains + 1) * sizeof(*rs->by_name));
	for (i = 0; i < rs->n_chains; i++)
		rs->by_name[i] = &rs->chains[i];
	qsort(rs->by_name, rs->n_chains, sizeof(*rs->by_name), by_name);
}

static int read_once(struct ruleset *rs)
{
	static const uint8_t types[] = {
		NFT_MSG_GETCHAIN, NFT_MSG_GETTABLE, NFT_MSG_GETRULE, NFT_MSG_GETSET,
		NFT_MSG_GETOBJ,
	};
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < ARRAY_SIZE(types); i++)
		ret = dump(rs, types[i]);
	ruleset_sort(rs);
	for (i = 0; !ret && i < rs->n_sets; i++) {
		ret = dump_elements(rs, &rs->sets[i]);
		set_finish(&rs->sets[i]);
	}
	return ret;
}

/**
 * ruleset_read - Learn the ruleset, also when it changes meanwhile.
 * @rs: Zeroed; for ruleset_free().
 *
 * Return: 0, also when the kernel has no nf_tables and therefore no rules, or
 * a negative errno.
 */
int ruleset_read(struct ruleset *rs)
{
	int i, ret = 0;

	for (i = 0; i < KERNEL_READ_TRIES; i++) {
		ret = read_once(rs);
		if (ret != -EINTR && ret != -ENOENT)
			break;
		ruleset_free(rs);
	}
	return ret == -EOPNOTSUPP || ret == -EINVAL || ret == -EPROTONOSUPPORT ? 0 : ret;
}

/**
 * ruleset_free - Forget it.
 * @rs: The ruleset, empty afterwards.
 */
void ruleset_free(struct ruleset *rs)
{
	size_t i;

	for (i = 0; i < rs->n_chains; i++)
		free(rs->chains[i].rules);
	for (i = 0; i < rs->n_sets; i++)
		free(rs->sets[i].elements);
	ipset_free(rs);
	for (i = 0; i < rs->n_messages; i++)
		free(rs->messages[i]);
	free(rs->chains);
	free(rs->by_name);
	free(rs->sets);
	free(rs->helpers);
	free(rs->messages);
	*rs = (struct ruleset){};
}

/**
 * ruleset_chain - The chain that a rule jumps to.
 * @rs: The ruleset.
 * @from: The rule's chain.
 * @name: The chain's name.
 *
 * Return: the chain or NULL.
 */
const struct nft_chain *ruleset_chain(const struct ruleset *rs, const struct nft_chain *from,
				      const char *name)
{
	size_t low = 0, high = rs->n_chains;

	while (name && rs->by_name && low < high) {
		size_t middle = (low + high) / 2;
		int order = compare_chains(from, name, rs->by_name[middle]);

		if (!order)
			return rs->by_name[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/**
 * ruleset_set - The set that a rule looks into.
 * @rs: The ruleset.
 * @from: The rule's chain.
 * @name: The set's name.
 *
 * Return: the set or NULL.
 */
const struct nft_set *ruleset_set(const struct ruleset *rs, const struct nft_chain *from,
				  const char *name)
{
	size_t i;

	for (i = 0; i < rs->n_sets; i++) {
		const struct nft_set *s = &rs->sets[i];

		if (s->family == from->family && same(s->table, from->table) &&
		    same(s->name, name))
			return s;
	}
	return NULL;
}

/**
 * ruleset_helper - The connection tracking helper that a rule attaches.
 * @rs: The ruleset.
 * @from: The rule's chain.
 * @name: Name of the object.
 *
 * Return: the kernel's name of the helper or NULL.
 */
const char *ruleset_helper(const struct ruleset *rs, const struct nft_chain *from,
			   const char *name)
{
	size_t i;

	for (i = 0; i < rs->n_helpers; i++) {
		const struct nft_helper *h = &rs->helpers[i];

		if (h->family == from->family && same(h->table, from->table) &&
		    same(h->name, name))
			return h->helper;
	}
	return NULL;
}

/**
 * nft_family_name - As nft writes it.
 * @family: NFPROTO_*.
 */
const char *nft_family_name(uint8_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_NETDEV:
		return "netdev";
	case NFPROTO_BRIDGE:
		return "bridge";
	}
	return "unknown";
}
