// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel on paper: stands in for tools/lib/transport.c and answers from the
 * file $VPNPASS_REPLAY, made by cli_fixture.py. What the tool sends is added
 * to the file $VPNPASS_SENT. Used by test_cli.sh.
 * Out of a pipe messages come one by one as they are written.
 *
 * Messages with sequence number 0 get that of the last request. A message of
 * type 0xffff is an error of the socket, its payload the errno.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/transport.h"
#include "lib/util.h"

#define PORTID		4711
#define SOCKET_ERROR	0xffff

struct transport {
	FILE *replies;
	bool live;
	uint32_t seq;
};

struct transport *transport_open(void)
{
	struct transport *t = xrealloc(NULL, sizeof(*t));

	t->seq = 0;
	/* like a socket it can be written to, if anybody does so by mistake */
	t->replies = fopen(getenv("VPNPASS_REPLAY"), "r+b");
	if (!t->replies)
		abort();
	t->live = fseek(t->replies, 0, SEEK_CUR);
	/* messages that are there are seen by poll(), too */
	if (t->live)
		setvbuf(t->replies, NULL, _IONBF, 0);
	return t;
}

void transport_close(struct transport *t)
{
	fclose(t->replies);
	free(t);
}

uint32_t transport_portid(const struct transport *t)
{
	(void)t;
	return PORTID;
}

int transport_join(struct transport *t, uint32_t group)
{
	(void)t;
	return group == 77 ? 0 : -EINVAL;
}

int transport_send(struct transport *t, const void *data, size_t length)
{
	const struct nlmsghdr *nlh = data;
	FILE *sent = fopen(getenv("VPNPASS_SENT"), "ab");

	if (!sent || fwrite(data, 1, length, sent) != length)
		abort();
	fclose(sent);
	t->seq = nlh->nlmsg_seq;
	return 0;
}

/* A message into data, its padded length out; 0 at the end of the file. */
static size_t read_one(struct transport *t, char *data, size_t room)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)data;
	size_t rest;

	if (room < sizeof(*nlh) || fread(nlh, sizeof(*nlh), 1, t->replies) != 1)
		return 0;
	rest = NLMSG_ALIGN(nlh->nlmsg_len) - sizeof(*nlh);
	if (rest > room - sizeof(*nlh)) {
		fseek(t->replies, -(long)sizeof(*nlh), SEEK_CUR);
		return 0;
	}
	if (fread(nlh + 1, 1, rest, t->replies) != rest)
		return 0;
	if (!nlh->nlmsg_seq) {
		nlh->nlmsg_seq = t->seq;
		nlh->nlmsg_pid = PORTID;
	}
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

ssize_t transport_receive(struct transport *t, void *data, size_t size)
{
	size_t got = 0, one;

	errno = 0;
	while ((one = read_one(t, (char *)data + got, size - got))) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)data + got);

		if (nlh->nlmsg_type == SOCKET_ERROR && got) {
			fseek(t->replies, -(long)one, SEEK_CUR);
			break;
		}
		if (nlh->nlmsg_type == SOCKET_ERROR)
			return -*(int *)(nlh + 1);
		got += one;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
			break;
		if (t->live)
			break;
	}
	return !got && errno == EINTR ? -EINTR : (ssize_t)got;
}

int transport_fd(const struct transport *t)
{
	return fileno(t->replies);
}
