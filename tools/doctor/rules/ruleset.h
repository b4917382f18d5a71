/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nft ruleset, as far as it decides what happens to a packet, and beside it the
 * rules of iptables-legacy, as chains like its own. Names point into messages. libnftnl
 * is not used, as it refuses a whole rule for one expression that is newer than the library
 * (1.2.4 does for "inner"); here that expression alone is one that may match.
 */
#ifndef _VPNPASS_DOCTOR_RULESET_H
#define _VPNPASS_DOCTOR_RULESET_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NFT_KEY_SIZE	64

struct legacy_rule;
struct ipset;

/**
 * struct nft_rule - One rule.
 * @handle: Its number.
 * @comment: What its author said of it, NULL without any.
 * @expressions: NFTA_RULE_EXPRESSIONS, NULL without any.
 * @legacy: What iptables-legacy has instead of these and of a number, NULL in nft.
 */
struct nft_rule {
	uint64_t handle;
	const char *comment;
	const struct nlattr *expressions;
	const struct legacy_rule *legacy;
};

/**
 * struct nft_chain - A chain.
 * @family: NFPROTO_*.
 * @legacy: It is iptables-legacy's, of whose tables nft may have others by these names.
 * @table: Name of its table.
 * @name: Its name.
 * @type: filter, nat or route; NULL when it is not a base chain.
 * @hook: Where a base chain sits, NF_INET_* or NF_NETDEV_*.
 * @priority: When.
 * @drops: Its policy is to drop.
 * @device: NFTA_HOOK_DEV, the interface that it is bound to, NULL for all.
 * @devices: NFTA_HOOK_DEVS, several of them, likewise.
 * @rules: Its rules in order.
 * @n_rules: How many.
 */
struct nft_chain {
	uint8_t family;
	bool legacy;
	const char *table, *name, *type;
	uint32_t hook;
	int32_t priority;
	bool drops;
	const struct nlattr *device, *devices;
	struct nft_rule *rules;
	size_t n_rules;
};

/**
 * struct nft_element - What is between two keys, both included.
 * @first: The lower key.
 * @last: The higher one.
 * @catchall: It stands for all that no other element has.
 * @is_end: It is no element but where the one before it ends; until
 *          set_finish() only.
 * @has_end: Both keys came with it.
 * @data: NFTA_SET_ELEM_DATA of a map, or NULL.
 */
struct nft_element {
	uint8_t first[NFT_KEY_SIZE], last[NFT_KEY_SIZE];
	bool catchall, is_end, has_end;
	const struct nlattr *data;
};

/**
 * struct nft_set - A set or map.
 * @family: NFPROTO_*.
 * @table: Name of its table.
 * @name: Its name.
 * @flags: NFT_SET_*.
 * @key_length: Bytes of a key.
 * @fields: Bytes of each part of a concatenation, each padded to 4.
 * @n_fields: How many, 0 when it is none or is compared as a whole.
 * @elements: What is in it.
 * @n_elements: How much.
 */
struct nft_set {
	uint8_t family;
	const char *table, *name;
	uint32_t flags, key_length;
	uint32_t fields[NFT_KEY_SIZE / 4];
	size_t n_fields;
	struct nft_element *elements;
	size_t n_elements;
};

/**
 * struct nft_helper - A connection tracking helper that rules may attach.
 * @family: NFPROTO_*.
 * @table: Name of its table.
 * @name: Its name there.
 * @helper: The kernel's name of it.
 */
struct nft_helper {
	uint8_t family;
	const char *table, *name, *helper;
};

/**
 * struct ruleset - All of it; zeroed before it is read.
 * @chains: Its chains.
 * @n_chains: How many.
 * @last_chain: Whose rule was read last.
 * @by_name: They in an order in which they are found quickly; from ruleset_sort().
 * @sets: Its sets and maps.
 * @n_sets: How many.
 * @helpers: Its helper objects.
 * @n_helpers: How many.
 * @ipsets: The sets of ipset that rules of iptables' look into.
 * @n_ipsets: How many.
 * @ports: There are chains that may tell the ports of a bridge apart.
 * @encrypts: IPsec of this router's own may encrypt what leaves.
 * @messages: What the names, expressions and rules point into.
 * @n_messages: How many.
 */
struct ruleset {
	struct nft_chain *chains;
	size_t n_chains;
	const struct nft_chain **by_name;
	size_t last_chain;
	struct nft_set *sets;
	size_t n_sets;
	struct nft_helper *helpers;
	size_t n_helpers;
	struct ipset *ipsets;
	size_t n_ipsets;
	bool ports, encrypts;
	void **messages;
	size_t n_messages;
};

int ruleset_read(struct ruleset *rs);
void ruleset_free(struct ruleset *rs);
void ruleset_keep(struct ruleset *rs, void *memory);
void ruleset_sort(struct ruleset *rs);
void ruleset_take(struct ruleset *rs, const struct nlmsghdr *nlh);
const struct nft_chain *ruleset_chain(const struct ruleset *rs, const struct nft_chain *from,
				      const char *name);
const struct nft_set *ruleset_set(const struct ruleset *rs, const struct nft_chain *from,
				  const char *name);
const char *ruleset_helper(const struct ruleset *rs, const struct nft_chain *from,
			   const char *name);
const char *nft_family_name(uint8_t family);
bool chain_is_at(const struct nft_chain *chain, const char *name);

/* sets.c */
void set_take(struct nft_set *set, const struct nlmsghdr *nlh);
void set_elements_take(struct nft_set *set, const struct nlattr *list);
void set_finish(struct nft_set *set);

#endif /* _VPNPASS_DOCTOR_RULESET_H */
