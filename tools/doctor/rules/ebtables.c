// SPDX-License-Identifier: GPL-2.0
/*
 * How many rules ebtables-legacy has; they are not judged. A table is asked for only where its
 * module is loaded already, as asking loads it; of one that no rule was ever put into here,
 * Linux 5.15 and later make an empty one that accepts all.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* after those of the C library, which have the same */
#include <linux/netfilter_bridge/ebtables.h>

#include "ebtables.h"

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

/**
 * ebtables_count - How many rules a table of ebtables-legacy has.
 * @table: Its name.
 */
unsigned int ebtables_count(const char *table)
{
	int fd = is_loaded(table) ? socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW) : -1;
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
