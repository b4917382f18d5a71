// SPDX-License-Identifier: GPL-2.0
/*
 * failnth: does something again and again, and each time the next allocation
 * that the kernel makes for it fails (Documentation/fault-injection, fail-nth),
 * until it makes no more. Called by faults/test_alloc.sh.
 *
 * usage: failnth load FILE.ko		init_module(2), unloaded when it loads
 *        failnth netns			a new network namespace
 *        failnth write FILE TEXT...	a word after the other
 *        failnth genl FAMILY CMD FLAGS HEX...	netlink requests; the answer is
 *					read
 * Prints "allocations N refused N". Exit code 1 when the last try, with no fault,
 * did not work, 4 when the kernel has no fault injection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int nth_fd;
static char **arg;
static int n_arg;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_fd, text, len, 0) != len)
		fail("fail-nth");
}

/* The calls that are left: 0 when the fault has happened. */
static unsigned int disarm(void)
{
	char text[16] = "";
	unsigned int left;

	if (pread(nth_fd, text, sizeof(text) - 1, 0) < 0)
		fail("fail-nth");
	left = strtoul(text, NULL, 0);
	arm(0);
	return left;
}

/* --- the act itself: 0 or -errno; *left as of disarm() -------------------------- */
static int do_load(unsigned int n, unsigned int *left)
{
	char name[64];
	const char *base = strrchr(arg[0], '/');
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		fail(arg[0]);
	snprintf(name, sizeof(name), "%s", base ? base + 1 : arg[0]);
	name[strcspn(name, ".")] = 0;
	arm(n);
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	*left = disarm();
	close(fd);
	if (!err && syscall(SYS_delete_module, name, O_NONBLOCK))
		fail("delete_module");
	return err;
}

/* In a child, which takes the namespace with it. */
static int do_netns(unsigned int n, unsigned int *left)
{
	int status, pipefd[2], said[2] = { -EIO, 0 };
	pid_t pid;

	if (pipe(pipefd))
		fail("pipe");
	pid = fork();
	if (!pid) {
		nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
		arm(n);
		said[0] = unshare(CLONE_NEWNET) ? -errno : 0;
		said[1] = disarm();
		_exit(write(pipefd[1], said, sizeof(said)) != sizeof(said));
	}
	if (waitpid(pid, &status, 0) != pid || status ||
	    read(pipefd[0], said, sizeof(said)) != sizeof(said))
		fail("child");
	close(pipefd[0]);
	close(pipefd[1]);
	*left = said[1];
	return said[0];
}

static int do_write(unsigned int n, unsigned int *left)
{
	int i, fd, err = 0;

	fd = open(arg[0], O_WRONLY);
	if (fd < 0)
		fail(arg[0]);
	arm(n);
	for (i = 1; i < n_arg; i++)
		if (pwrite(fd, arg[i], strlen(arg[i]), 0) < 0)
			err = -errno;
	*left = disarm();
	close(fd);
	return err;
}

static int genl_fd(void)
{
	struct timeval patience = { .tv_sec = 2 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static size_t unhex(uint8_t *to, const char *hex)
{
	unsigned int byte;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = byte;
	return n;
}

/* The errno in the end of an answer, else 1 to read on. */
static int verdict(const char *buf, int len)
{
	const struct nlmsghdr *h;

	for (h = (const void *)buf; NLMSG_OK(h, (unsigned int)len); h = NLMSG_NEXT(h, len))
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			return *(const int *)NLMSG_DATA(h);
	return 1;
}

static int request(int fd, uint16_t family, int cmd, int flags, const char *hex)
{
	struct {
		struct nlmsghdr nl;
		struct genlmsghdr genl;
		uint8_t data[1024];
	} m = {
		.nl.nlmsg_type = family, .nl.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
		.genl.cmd = cmd, .genl.version = 1,
	};
	static char buf[65536];
	int len, err;

	m.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + unhex(m.data, hex);
	if (send(fd, &m, m.nl.nlmsg_len, 0) < 0)
		return -errno;
	do {
		len = recv(fd, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		err = verdict(buf, len);
	} while (err == 1);
	return err;
}

static uint16_t family_id(const char *name)
{
	char buf[4096];
	struct nlattr *a;
	struct {
		struct nlmsghdr nl;
		struct genlmsghdr genl;
		struct nlattr attr;
		char name[16];
	} m = {
		.nl.nlmsg_type = GENL_ID_CTRL, .nl.nlmsg_flags = NLM_F_REQUEST,
		.nl.nlmsg_len = sizeof(m), .genl.cmd = CTRL_CMD_GETFAMILY,
		.attr.nla_type = CTRL_ATTR_FAMILY_NAME,
	};
	int fd = genl_fd(), len;

	m.attr.nla_len = NLA_HDRLEN + strlen(name) + 1;
	m.nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(m.attr.nla_len);
	strncpy(m.name, name, sizeof(m.name) - 1);
	if (send(fd, &m, m.nl.nlmsg_len, 0) < 0)
		fail("send");
	len = recv(fd, buf, sizeof(buf), 0);
	close(fd);
	for (char *p = buf + NLMSG_LENGTH(GENL_HDRLEN); p + sizeof(*a) < buf + len;
	     p += NLA_ALIGN(a->nla_len)) {
		a = (void *)p;
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)(a + 1);
		if (a->nla_len < sizeof(*a))
			break;
	}
	fprintf(stderr, "no family %s\n", name);
	exit(2);
}

static int do_genl(unsigned int n, unsigned int *left)
{
	static uint16_t family;
	int i, err = 0, fd, e;

	if (!family)
		family = family_id(arg[0]);
	fd = genl_fd();
	arm(n);
	for (i = 3; i < n_arg; i++) {
		e = request(fd, family, atoi(arg[1]), strtol(arg[2], NULL, 0), arg[i]);
		err = err ?: e;
	}
	*left = disarm();
	close(fd);
	return err;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(unsigned int n, unsigned int *left);
	} ops[] = {
		{ "load", 1, do_load },
		{ "netns", 0, do_netns },
		{ "write", 2, do_write },
		{ "genl", 4, do_genl },
	};
	unsigned int n, left = 0, refused = 0;
	int err = 0;
	size_t i;

	arg = argv + 2;
	n_arg = argc - 2;
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		return 4;
	for (i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (argc >= 2 && !strcmp(ops[i].name, argv[1]) && n_arg >= ops[i].args)
			break;
	if (i == sizeof(ops) / sizeof(*ops)) {
		fprintf(stderr, "usage: failnth load|netns|write|genl ...\n");
		return 2;
	}
	for (n = 1; !left && n < 20000; n++) {
		err = ops[i].run(n, &left);
		refused += err != 0;
	}
	printf("allocations %u refused %u\n", n - 2, refused);
	if (err)
		printf("without a fault: %s\n", strerror(-err));
	return err ? 1 : 0;
}
