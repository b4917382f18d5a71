// SPDX-License-Identifier: GPL-2.0
/*
 * Whether ebtables-legacy has rules; they are not judged. A table is asked for only where its
 * module is loaded already, as asking loads it; of one that no rule was ever put into here,
 * Linux 5.15 and later make an empty one that accepts all.
 */
/* before those of the kernel, which then leave the same out */
#include <net/if.h>
#include <netinet/in.h>

#include <linux/netfilter_bridge/ebtables.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/util.h"
#include "firewall.h"

static bool is_loaded(const char *table)
{
	char line[256], module[32];
	FILE *file = fopen("/proc/modules", "re");
	bool loaded = !file;

	/* a kernel without modules has what it has */
	snprintf(module, sizeof(module), "ebtable_%s ", table);
	while (file && !loaded && fgets(line, sizeof(line), file))
		loaded = !strncmp(line, module, strlen(module));
	if (file)
		fclose(file);
	return loaded;
}

static unsigned int count_rules(const char *table)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct ebt_replace info = {};
	socklen_t length = sizeof(info);
	unsigned int n = 0;

	snprintf(info.name, sizeof(info.name), "%s", table);
	if (fd >= 0 && !getsockopt(fd, IPPROTO_IP, EBT_SO_GET_INFO, &info, &length))
		n = info.nentries;
	if (fd >= 0)
		close(fd);
	return n;
}

/* Rules in a bridge matter where a LAN is one. */
static bool any_bridge(const struct network *net)
{
	size_t i;

	for (i = 0; i < net->n_links; i++)
		if (!strcmp(net->links[i].kind, "bridge") && network_is_lan(net, &net->links[i]))
			return true;
	return false;
}

/**
 * ebtables_note - Say that rules of ebtables-legacy are not examined, if there are any.
 * @net: The network.
 * @r: Where it is said.
 */
void ebtables_note(const struct network *net, struct report *r)
{
	static const char *const tables[] = { "filter", "nat", "broute" };
	unsigned int n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables) && any_bridge(net); i++) {
		n = is_loaded(tables[i]) ? count_rules(tables[i]) : 0;
		if (n)
			not_examined(r, "firewall rules of ebtables-legacy, table %s (%u)",
				     tables[i], n);
	}
}
