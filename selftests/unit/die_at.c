// SPDX-License-Identifier: GPL-2.0
/*
 * A power cut at the Nth thing that is done to a file: linked into the tool with
 * --wrap of these calls, ends it without a word before that one, or with the
 * write half done. Used by test_cli.sh.
 *
 * VPNPASS_DIE_AT	the call, from 1 on
 * VPNPASS_DIE_HALF	when set, half of a write is done
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define DIED	77

static int calls;

static int is_last(void)
{
	const char *at = getenv("VPNPASS_DIE_AT");

	return at && ++calls == atoi(at);
}

static void die_here(void)
{
	if (is_last())
		_exit(DIED);
}

ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length)
{
	if (!is_last())
		return __real_write(fd, data, length);
	if (getenv("VPNPASS_DIE_HALF") && __real_write(fd, data, length / 2) < 0)
		_exit(1);
	_exit(DIED);
}

int __real_mkostemp(char *name, int flags);
int __wrap_mkostemp(char *name, int flags)
{
	die_here();
	return __real_mkostemp(name, flags);
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
	die_here();
	return __real_fchmod(fd, mode);
}

int __real_fchown(int fd, uid_t user, gid_t group);
int __wrap_fchown(int fd, uid_t user, gid_t group)
{
	die_here();
	return __real_fchown(fd, user, group);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd)
{
	die_here();
	return __real_fsync(fd);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	die_here();
	return __real_close(fd);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to)
{
	die_here();
	return __real_rename(from, to);
}
