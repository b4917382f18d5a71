// SPDX-License-Identifier: GPL-2.0
/*
 * Which module brings which protocol, and loading it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "progress.h"

/**
 * module_of - The module that brings a protocol.
 * @proto: Name of the protocol.
 *
 * Return: its name, NULL for a protocol that is not known here.
 */
const char *module_of(const char *proto)
{
#define NAME_AND_MODULE(name, module)	{ name, module },
	static const char *const modules[][2] = { KNOWN_PROTOS(NAME_AND_MODULE) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modules); i++)
		if (!strcmp(proto, modules[i][0]))
			return modules[i][1];
	return NULL;
}

/**
 * module_load - Load a module, when we are root.
 * @module: Its name.
 *
 * Return: whether modprobe succeeded. It is told to be quiet about a module
 * that is not installed; other reasons, such as a missing signature, it tells.
 */
bool module_load(const char *module)
{
	int status;
	pid_t pid;

	if (geteuid())
		return false;
	pid = fork();
	if (!pid) {
		execlp("modprobe", "modprobe", "-q", module, NULL);
		execl("/sbin/modprobe", "modprobe", "-q", module, NULL);
		_exit(EXIT_REFUSED);
	}
	if (pid < 0)
		return false;
	progress_begin("loading a kernel module");
	pid = waitpid(pid, &status, 0);
	progress_end();
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}
