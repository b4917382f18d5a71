/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules of iptables-legacy and ip6tables-legacy, which the kernel keeps apart from
 * nft's: each table is a run of entries, IPv4's and IPv6's of different layout.
 */
#ifndef _VPNPASS_DOCTOR_LEGACY_H
#define _VPNPASS_DOCTOR_LEGACY_H

#include "ruleset.h"

#define LEGACY_HOOKS	5	/* NF_INET_NUMHOOKS when their tables were laid out */
#define LEGACY_NAME	32	/* XT_TABLE_MAXNAMELEN */
#define LEGACY_DEVICE	16	/* IFNAMSIZ */

/**
 * struct legacy_side - What a rule says of where a packet comes from, or goes to.
 * @address: Its address.
 * @mask: The bits of it that are compared.
 * @device: The interface.
 * @device_mask: The bytes of its name that are compared.
 * @not_address: All other addresses.
 * @not_device: All other interfaces.
 */
struct legacy_side {
	uint8_t address[16], mask[16];
	uint8_t device[LEGACY_DEVICE], device_mask[LEGACY_DEVICE];
	bool not_address, not_device;
};

/**
 * struct legacy_rule - One rule, of either family.
 * @from: Where packets come from.
 * @to: Where they go.
 * @l4proto: IP protocol, 0 for all.
 * @not_l4proto: All but that.
 * @fragments: It is about later fragments alone.
 * @packets: What its counter says.
 * @matches: Its matches, one behind the other.
 * @matches_size: Bytes of them.
 * @target: Name of the target, empty for a verdict.
 * @revision: Of the target.
 * @info: The target's data.
 * @info_size: Bytes of it.
 * @has_verdict: There is one; without, the packet goes on to the next rule.
 * @verdict: NF_* or NFT_*, when there is one.
 * @chain: Where it jumps, NULL when that chain is not known.
 */
struct legacy_rule {
	struct legacy_side from, to;
	uint16_t l4proto;
	bool not_l4proto, fragments;
	uint64_t packets;
	const uint8_t *matches;
	size_t matches_size;
	const char *target;
	uint8_t revision;
	const uint8_t *info;
	size_t info_size;
	bool has_verdict;
	int32_t verdict;
	const char *chain;
};

/**
 * struct legacy_table - A table as the kernel gives it.
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6.
 * @name: Such as "filter".
 * @hooks: Those at which it has a chain, as bits.
 * @begins: Where each of these chains begins, in bytes.
 * @policies: Where its policy is.
 * @entries: The entries, aligned as the kernel's are.
 * @size: Bytes of them.
 */
struct legacy_table {
	uint8_t family;
	char name[LEGACY_NAME];
	uint32_t hooks, begins[LEGACY_HOOKS], policies[LEGACY_HOOKS];
	const uint8_t *entries;
	size_t size;
};

/**
 * struct legacy_gap - The first table that could not be read.
 * @error: Why, a negative errno; 0 when all were read.
 * @which: Whose table it is, and its name.
 */
struct legacy_gap {
	int error;
	char which[64];
};

void legacy_read(struct ruleset *rs, struct legacy_gap *gap);

/* legacy_table.c */
int legacy_table_take(struct ruleset *rs, const struct legacy_table *table);

#endif /* _VPNPASS_DOCTOR_LEGACY_H */
