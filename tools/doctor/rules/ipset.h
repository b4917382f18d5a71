/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of ipset, which rules of iptables look addresses and ports up in (-m set). */
#ifndef _VPNPASS_DOCTOR_IPSET_H
#define _VPNPASS_DOCTOR_IPSET_H

#include "eval.h"

#define IPSET_PARTS	3	/* the most that a set's type has: hash:ip,port,net */

/**
 * struct ipset_range - Addresses, both included.
 * @first: The lowest.
 * @last: The highest.
 * @prefix: Bits that they have in common.
 */
struct ipset_range {
	uint8_t first[16], last[16];
	uint8_t prefix;
};

/**
 * struct ipset_element - What is in a set.
 * @addresses: Of the first and the second part that is one.
 * @ports: The lowest and the highest.
 * @l4proto: Of these.
 * @name: Of an interface, or of a set that is a member of this one; NULL for none.
 * @wildcard: The interface's name may go on.
 * @excepted: What matches this is not in the set.
 */
struct ipset_element {
	struct ipset_range addresses[2];
	uint16_t ports[2];
	uint8_t l4proto;
	const char *name;
	bool wildcard, excepted;
};

/**
 * struct ipset - A set.
 * @name: Its name.
 * @type: Its type, such as "hash:ip,port".
 * @index: The number by which rules know it.
 * @family: NFPROTO_IPV4, NFPROTO_IPV6, or NFPROTO_UNSPEC for both.
 * @netmask: Bits of its addresses that count, 0 for all.
 * @list: What is in it.
 * @n: How much.
 */
struct ipset {
	const char *name, *type;
	uint16_t index;
	uint8_t family, netmask;
	struct ipset_element *list;
	size_t n;
};

int ipset_read(struct ruleset *rs);
void ipset_free(struct ruleset *rs);
void ipset_take(struct ruleset *rs, const struct nlmsghdr *nlh);
enum truth ipset_has(const struct machine *m, uint16_t index, uint8_t flags);

#endif /* _VPNPASS_DOCTOR_IPSET_H */
