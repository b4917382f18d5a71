// SPDX-License-Identifier: GPL-2.0
/*
 * ct_unhelp: takes the helper off every connection of this network namespace, by
 * ctnetlink with an empty helper name, as the namespace's root may at any time.
 * Called by selftests/hostile.
 *
 * Prints "unhelped N of M": how many had a helper and were let have none, of how many
 * connections.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX 4096

struct request {
	struct nlmsghdr n;
	struct nfgenmsg g;
	char attrs[512];
};

static struct request found[MAX];
static unsigned int n_found, n_helped;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

static void add(struct request *r, const struct nlattr *a)
{
	memcpy((char *)r + NLMSG_ALIGN(r->n.nlmsg_len), a, a->nla_len);
	r->n.nlmsg_len = NLMSG_ALIGN(r->n.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/* A connection of the dump that has a helper, as a request for it to have none. */
static void look(const struct nlmsghdr *n)
{
	static const struct {
		struct nlattr help, name;
		char text[4];
	} none = { { sizeof(none), NLA_F_NESTED | CTA_HELP }, { 5, CTA_HELP_NAME }, "" };
	const struct nfgenmsg *g = NLMSG_DATA(n);
	const char *end = (const char *)n + n->nlmsg_len;
	const struct nlattr *a = (const struct nlattr *)(g + 1);
	struct request *r = &found[n_found];
	bool helped = false;

	memset(r, 0, sizeof(*r));
	r->n.nlmsg_len = NLMSG_LENGTH(sizeof(r->g));
	r->n.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	r->n.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	r->g.nfgen_family = g->nfgen_family;
	for (; (const char *)a < end; a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len))) {
		unsigned int type = a->nla_type & NLA_TYPE_MASK;

		helped |= type == CTA_HELP;
		if (type == CTA_TUPLE_ORIG || type == CTA_ZONE)
			add(r, a);
	}
	add(r, &none.help);
	if (helped && n_found < MAX)
		n_found++;
}

static unsigned int dump(int fd)
{
	struct request ask = {
		.n = { NLMSG_LENGTH(sizeof(ask.g)), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
		       NLM_F_REQUEST | NLM_F_DUMP, 0, 0 },
	};
	static char buf[1 << 16];
	unsigned int all = 0;

	if (send(fd, &ask, ask.n.nlmsg_len, 0) < 0)
		fail("dump");
	for (;;) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);
		struct nlmsghdr *n = (struct nlmsghdr *)buf;

		if (len <= 0)
			fail("dump");
		for (; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			if (n->nlmsg_type == NLMSG_DONE || n->nlmsg_type == NLMSG_ERROR)
				return all;
			all++;
			look(n);
		}
	}
}

int main(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	char buf[4096];
	unsigned int all, i;

	if (fd < 0)
		fail("socket");
	all = dump(fd);
	for (i = 0; i < n_found; i++) {
		struct nlmsghdr *n = (struct nlmsghdr *)buf;
		struct nlmsgerr *e = NLMSG_DATA(n);

		if (send(fd, &found[i], found[i].n.nlmsg_len, 0) < 0 ||
		    recv(fd, buf, sizeof(buf), 0) < 0)
			fail("helper");
		n_helped += n->nlmsg_type == NLMSG_ERROR && !e->error;
		if (e->error)
			fprintf(stderr, "helper: %s\n", strerror(-e->error));
	}
	printf("unhelped %u of %u\n", n_helped, all);
	return 0;
}
