// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of iptables-legacy from the kernel; see legacy.h. Only those are asked for
 * that are in force: of another the kernel would load the module.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/util.h"
#include "../kernel.h"
#include "legacy.h"

/* The kernel tells of a table by the same layout in both families. */
static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "struct ipt_getinfo");
static_assert(offsetof(struct ipt_get_entries, entrytable) ==
	      offsetof(struct ip6t_get_entries, entrytable), "struct ipt_get_entries");
static_assert(LEGACY_HOOKS == NF_INET_NUMHOOKS && LEGACY_NAME == XT_TABLE_MAXNAMELEN &&
	      LEGACY_DEVICE == IFNAMSIZ, "the kernel's sizes");

/**
 * struct side - One of the two families.
 * @family: NFPROTO_*.
 * @program: Whose rules these are.
 * @names: The file with names of tables.
 * @domain: Of sockets.
 * @level: Of their options.
 * @info: The option that says how large a table is.
 * @entries: The one that has its entries.
 */
struct side {
	uint8_t family;
	const char *program, *names;
	int domain, level, info, entries;
};

static const struct side sides[] = {
	{ NFPROTO_IPV4, "iptables-legacy", "/proc/net/ip_tables_names",
	  AF_INET, IPPROTO_IP, IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES },
	{ NFPROTO_IPV6, "ip6tables-legacy", "/proc/net/ip6_tables_names",
	  AF_INET6, IPPROTO_IPV6, IP6T_SO_GET_INFO, IP6T_SO_GET_ENTRIES },
};

static int get(int fd, const struct side *side, int option, void *data, size_t size)
{
	socklen_t length = size;

	if (getsockopt(fd, side->level, option, data, &length) < 0)
		return -errno;
	return length == size ? 0 : -EBADMSG;
}

/* Entries are asked for by their size: -EAGAIN when the table has another one by now. */
static int read_once(struct ruleset *rs, int fd, const struct side *side,
		     struct legacy_table *table)
{
	size_t head = offsetof(struct ipt_get_entries, entrytable);
	struct ipt_getinfo info = {};
	struct ipt_get_entries *all;
	int ret;

	memcpy(info.name, table->name, sizeof(info.name));
	ret = get(fd, side, side->info, &info, sizeof(info));
	if (ret)
		return ret;
	if (info.size > INT_MAX - head)
		return -EMSGSIZE;
	all = memset(xrealloc(NULL, head + info.size), 0, head);
	ruleset_keep(rs, all);
	memcpy(all->name, table->name, sizeof(all->name));
	all->size = info.size;
	ret = get(fd, side, side->entries, all, head + info.size);
	table->hooks = info.valid_hooks;
	memcpy(table->begins, info.hook_entry, sizeof(table->begins));
	memcpy(table->policies, info.underflow, sizeof(table->policies));
	table->entries = (const uint8_t *)all + head;
	table->size = info.size;
	return ret;
}

static int read_table(struct ruleset *rs, int fd, const struct side *side, const char *name)
{
	struct legacy_table table = { .family = side->family };
	int i, ret = -EAGAIN;

	snprintf(table.name, sizeof(table.name), "%.*s", LEGACY_NAME - 1, name);
	for (i = 0; i < KERNEL_READ_TRIES && ret == -EAGAIN; i++)
		ret = read_once(rs, fd, side, &table);
	return ret ? ret : legacy_table_take(rs, &table);
}

/* Rules of other tables count, also when one cannot be read. */
static void note_gap(struct legacy_gap *gap, int error, const struct side *side, const char *name)
{
	if (!error || gap->error)
		return;
	gap->error = error;
	snprintf(gap->which, sizeof(gap->which), "%s, table %s", side->program, name);
}

static void read_tables(struct ruleset *rs, const struct side *side, FILE *names,
			struct legacy_gap *gap)
{
	char name[LEGACY_NAME + 1];
	int fd = -1;

	while (fgets(name, sizeof(name), names)) {
		name[strcspn(name, "\n")] = '\0';
		if (fd < 0)
			fd = socket(side->domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		note_gap(gap, fd < 0 ? -errno : read_table(rs, fd, side, name), side, name);
	}
	if (fd >= 0)
		close(fd);
}

/**
 * legacy_read - Learn the rules of iptables-legacy and ip6tables-legacy, if there are any.
 * @rs: The ruleset, after ruleset_read(); gets their chains.
 * @gap: Zeroed; told what could not be read.
 */
void legacy_read(struct ruleset *rs, struct legacy_gap *gap)
{
	FILE *names;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		names = fopen(sides[i].names, "re");
		if (!names)
			continue;
		read_tables(rs, &sides[i], names, gap);
		fclose(names);
	}
	ruleset_sort(rs);
}
