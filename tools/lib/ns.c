// SPDX-License-Identifier: GPL-2.0
/*
 * The network namespace: entering one that "ip netns" named for the option -n,
 * before anything is asked of the kernel, and whether an address is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/**
 * netns_enter - Enter a network namespace.
 * @name: A name under /run/netns, or a path if there is a slash in it.
 *
 * Return: an exit code; other than EXIT_OK it has complained.
 */
int netns_enter(const char *name)
{
	char *path = strchr(name, '/') ? xstrdup(name) : xasprintf(NETNS_DIR "/%s", name);
	int ret = EXIT_OK;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0) {
		complain("network namespace %s: %s", name, strerror(errno));
		return EXIT_USAGE;
	}
	if (setns(fd, CLONE_NEWNET)) {
		complain("network namespace %s: %s", name, strerror(errno));
		ret = EXIT_REFUSED;
	}
	close(fd);
	return ret;
}

/**
 * ifaddrs_have - Whether an address is one of the router's own.
 * @list: From getifaddrs(), or NULL.
 * @a: The address.
 */
bool ifaddrs_have(const struct ifaddrs *list, const struct raw_address *a)
{
	for (; list; list = list->ifa_next) {
		const struct sockaddr *sa = list->ifa_addr;
		const void *bytes = NULL;

		if (sa && sa->sa_family == AF_INET && a->length == 4)
			bytes = &((const struct sockaddr_in *)sa)->sin_addr;
		else if (sa && sa->sa_family == AF_INET6 && a->length == 16)
			bytes = &((const struct sockaddr_in6 *)sa)->sin6_addr;
		if (bytes && !memcmp(bytes, a->bytes, a->length))
			return true;
	}
	return false;
}
