// SPDX-License-Identifier: GPL-2.0
/*
 * The way to the kernel by a generic netlink socket; see transport.h.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "transport.h"
#include "util.h"

/* Enough for a burst of events while the reader waits for its pipe. */
#define RECEIVE_BUFFER	(1024 * 1024)

struct transport {
	struct mnl_socket *socket;
};

/**
 * transport_open - Open the way to the kernel.
 *
 * Return: a handle for transport_close(), or NULL with errno set.
 */
struct transport *transport_open(void)
{
	int on = 1, size = RECEIVE_BUFFER;
	struct mnl_socket *socket;
	struct transport *t;

	socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!socket)
		return NULL;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		return NULL;
	}
	/* Each of these only makes things better, an old kernel does without. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	t = xrealloc(NULL, sizeof(*t));
	t->socket = socket;
	return t;
}

/**
 * transport_close - Close it.
 * @t: From transport_open().
 */
void transport_close(struct transport *t)
{
	mnl_socket_close(t->socket);
	free(t);
}

/**
 * transport_portid - The port that answers are sent to.
 * @t: From transport_open().
 */
uint32_t transport_portid(const struct transport *t)
{
	return mnl_socket_get_portid(t->socket);
}

/**
 * transport_join - Subscribe to a multicast group.
 * @t: From transport_open().
 * @group: Its number.
 *
 * Return: 0 or a negative errno.
 */
int transport_join(struct transport *t, uint32_t group)
{
	if (mnl_socket_setsockopt(t->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

/**
 * transport_send - Send one message.
 * @t: From transport_open().
 * @data: The message.
 * @length: Its bytes.
 *
 * Return: 0 or a negative errno.
 */
int transport_send(struct transport *t, const void *data, size_t length)
{
	return mnl_socket_sendto(t->socket, data, length) < 0 ? -errno : 0;
}

/**
 * transport_fd - What to wait on for messages, with poll().
 * @t: From transport_open().
 */
int transport_fd(const struct transport *t)
{
	return mnl_socket_get_fd(t->socket);
}

/**
 * transport_receive - Wait for messages.
 * @t: From transport_open().
 * @data: Where to put them.
 * @size: Room there.
 *
 * Return: bytes received or a negative errno, -EINTR after a signal.
 */
ssize_t transport_receive(struct transport *t, void *data, size_t size)
{
	ssize_t got = mnl_socket_recvfrom(t->socket, data, size);

	return got < 0 ? -errno : got;
}
