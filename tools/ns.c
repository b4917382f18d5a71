// SPDX-License-Identifier: GPL-2.0
/*
 * The option -n: entering a network namespace that "ip netns" named, before
 * anything is asked of the kernel. Called by main().
 */
#include <errno.h>
#include <fcntl.h>
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
