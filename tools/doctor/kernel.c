// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps by netlink; see kernel.h. Messages are handed on as they come, as a
 * connection table may be large.
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "../lib/util.h"
#include "kernel.h"

#define RECEIVE_SIZE	(64 * 1024)

struct taker {
	kernel_take take;
	void *data;
};

static int one_message(const struct nlmsghdr *nlh, void *data)
{
	const struct taker *taker = data;

	taker->take(nlh, taker->data);
	return MNL_CB_OK;
}

static int collect(struct mnl_socket *socket, const struct nlmsghdr *nlh, struct taker *taker)
{
	static char buffer[RECEIVE_SIZE];
	unsigned int portid = mnl_socket_get_portid(socket);
	uint32_t seq = nlh->nlmsg_seq;
	int ret = MNL_CB_OK;
	ssize_t got;

	if (mnl_socket_sendto(socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (ret == MNL_CB_OK) {
		got = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		ret = mnl_cb_run(buffer, got, seq, portid, one_message, taker);
	}
	return ret < 0 ? -errno : 0;
}

/**
 * kernel_dump - Ask for all objects of a kind.
 * @bus: NETLINK_ROUTE or NETLINK_NETFILTER.
 * @nlh: The request, from kernel_request() or kernel_nfnl_request().
 * @take: Called with each message.
 * @data: For @take.
 *
 * Return: 0 or a negative errno, -EINTR when the list changed while it was
 * read.
 */
int kernel_dump(int bus, struct nlmsghdr *nlh, kernel_take take, void *data)
{
	struct taker taker = { take, data };
	struct mnl_socket *socket;
	int ret;

	socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		ret = -errno;
	else
		ret = collect(socket, nlh, &taker);
	mnl_socket_close(socket);
	return ret;
}

/**
 * kernel_request - Begin a request for a dump.
 * @buffer: KERNEL_REQUEST_SIZE bytes.
 * @type: Message type.
 *
 * Return: the message; the family's own header and attributes may follow.
 */
struct nlmsghdr *kernel_request(void *buffer, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = time(NULL);
	return nlh;
}

/**
 * kernel_nfnl_request - Begin a request for a dump to a part of netfilter.
 * @buffer: KERNEL_REQUEST_SIZE bytes.
 * @subsystem: NFNL_SUBSYS_*.
 * @type: Message type within it.
 * @family: NFPROTO_* or AF_*.
 *
 * Return: the message; attributes may follow.
 */
struct nlmsghdr *kernel_nfnl_request(void *buffer, uint8_t subsystem, uint8_t type,
				     uint8_t family)
{
	struct nlmsghdr *nlh = kernel_request(buffer, subsystem << 8 | type);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}
