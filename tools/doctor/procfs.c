// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers out of /proc: sysctls and the counters that have no netlink dump.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/**
 * proc_first_line - Read the first line of a file.
 * @path: The file.
 * @line: Filled with it, without the newline.
 * @size: Room there.
 *
 * Return: whether there was one.
 */
bool proc_first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file)
		return false;
	good = fgets(line, size, file);
	if (good)
		line[strcspn(line, "\n")] = '\0';
	fclose(file);
	return good;
}

/**
 * proc_number - Read a sysctl.
 * @path: The file below /proc/sys.
 *
 * Return: its number, not known when there is no such file.
 */
struct maybe proc_number(const char *path)
{
	char *full = xasprintf("/proc/sys/%s", path);
	struct maybe number = {};
	char line[64];

	if (proc_first_line(full, line, sizeof(line)))
		number = MAYBE(strtoull(line, NULL, 10));
	free(full);
	return number;
}

#define BLANKS	" \t\n"

/* Which word of a line is this name; -1 for none. */
static int column_of(char *line, const char *name)
{
	char *state, *word;
	int i = 0;

	for (word = strtok_r(line, BLANKS, &state); word; word = strtok_r(NULL, BLANKS, &state)) {
		if (!strcmp(word, name))
			return i;
		i++;
	}
	return -1;
}

static struct maybe number_at(char *line, int column, int base)
{
	char *state, *word;

	for (word = strtok_r(line, BLANKS, &state); word; word = strtok_r(NULL, BLANKS, &state))
		if (!column--)
			return MAYBE(strtoull(word, NULL, base));
	return (struct maybe){};
}

/**
 * proc_forwards - Whether what comes in by an interface is forwarded, of IPv4.
 * @interface: Its name.
 */
bool proc_forwards(const char *interface)
{
	char *path = xasprintf("net/ipv4/conf/%s/forwarding", interface);
	struct maybe own = proc_number(path);

	free(path);
	return !own.known || own.value;
}

/**
 * proc_snmp - A counter of the protocol stack.
 * @file: /proc/net/snmp or /proc/net/netstat.
 * @group: Its first word, with the colon.
 * @name: The counter.
 *
 * Return: its value, not known when there is none.
 */
struct maybe proc_snmp(const char *file, const char *group, const char *name)
{
	FILE *stats = fopen(file, "re");
	struct maybe number = {};
	int column = -1;
	char line[8192];

	while (stats && !number.known && fgets(line, sizeof(line), stats)) {
		if (strncmp(line, group, strlen(group)))
			continue;
		if (column < 0)
			column = column_of(line, name);
		else
			number = number_at(line, column, 10);
	}
	if (stats)
		fclose(stats);
	return number;
}

/**
 * proc_conntrack_stat - A counter of connection tracking, all CPUs together.
 * @name: As the first line of /proc/net/stat/nf_conntrack has it.
 *
 * Return: its value, not known when there is none.
 */
struct maybe proc_conntrack_stat(const char *name)
{
	FILE *stats = fopen("/proc/net/stat/nf_conntrack", "re");
	struct maybe sum = {};
	int column = -1;
	char line[1024];

	if (stats && fgets(line, sizeof(line), stats))
		column = column_of(line, name);
	while (column >= 0 && fgets(line, sizeof(line), stats)) {
		struct maybe one = number_at(line, column, 16);

		sum = (struct maybe){ sum.value + one.value, sum.known || one.known };
	}
	if (stats)
		fclose(stats);
	return sum;
}
