// SPDX-License-Identifier: GPL-2.0
/*
 * Files read and written whole, see file.h. What is written is there after a
 * power failure, or else the old file is.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "util.h"

#define FILE_MAX	(256u << 20)

/* All there is, with a NUL after it; NULL with errno set. */
static char *read_all(int fd, size_t *length)
{
	size_t size = 65536;
	char *data = xrealloc(NULL, size);
	ssize_t got;

	*length = 0;
	while ((got = read(fd, data + *length, size - *length - 1))) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			goto fail;
		*length += got;
		if (*length + 1 < size)
			continue;
		errno = EFBIG;
		if (size >= FILE_MAX)
			goto fail;
		size *= 2;
		data = xrealloc(data, size);
	}
	data[*length] = '\0';
	return data;

fail:
	free(data);
	return NULL;
}

/**
 * file_read - Read a file.
 * @name: Its name, "-" for standard input.
 * @length: Filled with its bytes, without the NUL that is put after them.
 *
 * Return: what is in it, freed by the caller; NULL with errno set.
 */
char *file_read(const char *name, size_t *length)
{
	int fd, error;
	char *data;

	if (!strcmp(name, "-"))
		return read_all(STDIN_FILENO, length);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	data = read_all(fd, length);
	error = errno;
	close(fd);
	errno = error;
	return data;
}

static int write_all(int fd, const char *data, size_t length)
{
	ssize_t put;

	while (length) {
		put = write(fd, data, length);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		data += put;
		length -= put;
	}
	return 0;
}

/* Owner and mode of the file that is replaced, else what open() would give. */
static int dress(int fd, const struct stat *old)
{
	mode_t mask = umask(0);

	umask(mask);
	if (!old)
		return fchmod(fd, 0666 & ~mask);
	/* Not being allowed to give it away is no reason not to save. */
	if (fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
		return -1;
	return fchmod(fd, old->st_mode & 07777);
}

static int sync_folder(const char *name)
{
	char *copy = xstrdup(name);
	int fd, ret;

	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0)
		return -1;
	ret = fsync(fd);
	/* some file systems cannot sync a folder */
	if (ret && (errno == EINVAL || errno == EROFS))
		ret = 0;
	close(fd);
	return ret;
}

static int replace(const char *name, const struct stat *old, const char *data, size_t length)
{
	char *temporary = xasprintf("%s.XXXXXX", name);
	int fd = mkostemp(temporary, O_CLOEXEC), ret, error;

	if (fd < 0) {
		free(temporary);
		return -1;
	}
	ret = write_all(fd, data, length) || dress(fd, old) || fsync(fd) ? -1 : 0;
	error = errno;
	if (close(fd) && !ret) {
		ret = -1;
		error = errno;
	}
	if (!ret && rename(temporary, name)) {
		ret = -1;
		error = errno;
	}
	if (ret)
		unlink(temporary);
	free(temporary);
	errno = error;
	return ret ? ret : sync_folder(name);
}

/**
 * file_write - Replace a file, all at once.
 * @name: Its name, "-" for standard output. What is not a regular file, such as
 *        a pipe, is written to as it is; a symbolic link is followed.
 * @data: What is to be in it.
 * @length: Bytes.
 *
 * Return: 0, or -1 with errno set and the old file still there.
 */
int file_write(const char *name, const char *data, size_t length)
{
	struct stat old;
	char *real;
	int fd, ret;

	if (!strcmp(name, "-"))
		return write_all(STDOUT_FILENO, data, length);
	if (stat(name, &old)) {
		if (errno != ENOENT)
			return -1;
		return replace(name, NULL, data, length);
	}
	if (S_ISREG(old.st_mode)) {
		real = realpath(name, NULL);
		ret = real ? replace(real, &old, data, length) : -1;
		free(real);
		return ret;
	}
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = write_all(fd, data, length);
	return close(fd) ? -1 : ret;
}
