// SPDX-License-Identifier: GPL-2.0
/*
 * Talking to the vpnpass family; see nl.h. The format of errors and their
 * explanations is that of include/uapi/linux/netlink.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "nl.h"
#include "progress.h"
#include "transport.h"
#include "util.h"

#define RECEIVE_SIZE	(64 * 1024)
#define DUMP_TRIES	10

/**
 * replies_next - Walk over replies.
 * @r: The replies.
 * @last: Where the walk is, NULL to begin.
 *
 * Return: the next message or NULL.
 */
const struct nlmsghdr *replies_next(const struct replies *r, const struct nlmsghdr *last)
{
	const struct nlmsghdr *next;
	size_t offset = 0;

	if (last)
		offset = (const char *)last - r->data + MNL_ALIGN(last->nlmsg_len);
	if (offset + sizeof(*next) > r->length)
		return NULL;
	next = (const struct nlmsghdr *)(r->data + offset);
	return mnl_nlmsg_ok(next, r->length - offset) ? next : NULL;
}

/**
 * replies_free - Forget the replies.
 * @r: The replies, empty afterwards.
 */
void replies_free(struct replies *r)
{
	free(r->data);
	*r = (struct replies){};
}

static void replies_add(struct replies *r, const struct nlmsghdr *nlh)
{
	size_t padded = MNL_ALIGN(nlh->nlmsg_len);

	if (r->length + padded > r->room) {
		r->room = 2 * (r->length + padded);
		r->data = xrealloc(r->data, r->room);
	}
	memset(r->data + r->length, 0, padded);
	memcpy(r->data + r->length, nlh, nlh->nlmsg_len);
	r->length += padded;
}

static struct nlmsghdr *begin(struct nl *nl, uint16_t type, uint8_t command, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = 1;
	nl->text[0] = '\0';
	nl->attr[0] = '\0';
	return nlh;
}

/**
 * nl_request - Begin a request to the family.
 * @nl: Connection.
 * @command: VPNPASS_CMD_*.
 * @dump: Ask for all objects.
 *
 * Return: the message to put attributes in, for nl_talk() to send; it has
 * room for NL_REQUEST_SIZE bytes.
 */
struct nlmsghdr *nl_request(struct nl *nl, uint8_t command, bool dump)
{
	return begin(nl, nl->family, command, dump ? NLM_F_DUMP : NLM_F_ACK);
}

/* Name the attribute of the request that lies at an offset in it. */
static void blame(struct nl *nl, uint32_t offset)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)nl->request;
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const char *at = nl->request + offset, *outer, *inner = NULL;
	const struct nlattr *attr, *nested;

	mnl_attr_for_each(attr, nlh, sizeof(*genl)) {
		if (at < (const char *)attr || at >= (const char *)attr + attr->nla_len)
			continue;
		outer = model_attr_name(genl->cmd, mnl_attr_get_type(attr), 0);
		if (attr->nla_type & NLA_F_NESTED)
			mnl_attr_for_each_nested(nested, attr)
				if (at == (const char *)nested)
					inner = model_attr_name(genl->cmd,
								mnl_attr_get_type(attr),
								mnl_attr_get_type(nested));
		if (outer)
			snprintf(nl->attr, sizeof(nl->attr), "%s%s%s", outer,
				 inner ? "." : "", inner ? inner : "");
	}
}

/* The extended part of an error or of the end of a dump. */
static void explain(struct nl *nl, const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || mnl_nlmsg_get_payload_len(nlh) < skip)
		return;
	mnl_attr_for_each(attr, nlh, skip) {
		uint16_t length = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->text, sizeof(nl->text), "%.*s", length,
				 mnl_attr_get_str(attr));
		else if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS && length == 4)
			blame(nl, mnl_attr_get_u32(attr));
	}
}

static int read_error(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->error)
		skip += MNL_ALIGN(err->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
	explain(nl, nlh, skip);
	return err->error;
}

static int read_done(struct nl *nl, const struct nlmsghdr *nlh)
{
	const int *error = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error))
		return 0;
	explain(nl, nlh, sizeof(*error));
	return *error < 0 ? *error : 0;
}

/* Take the messages of one datagram: 1 to go on, 0 at the end, or an error. */
static int take(struct nl *nl, struct replies *r, const char *data, int left, bool *torn)
{
	const struct nlmsghdr *nlh;

	for (nlh = (const struct nlmsghdr *)data; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_seq != nl->seq ||
		    nlh->nlmsg_pid != transport_portid(nl->transport))
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*torn = true;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return read_error(nl, nlh);
		if (nlh->nlmsg_type == NLMSG_DONE)
			return read_done(nl, nlh);
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE)
			replies_add(r, nlh);
	}
	return 1;
}

static int talk_once(struct nl *nl, struct replies *r, bool *torn)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->request;
	static char data[RECEIVE_SIZE];
	ssize_t got;
	int ret;

	*torn = false;
	ret = transport_send(nl->transport, nlh, nlh->nlmsg_len);
	if (ret)
		return ret;
	do {
		got = transport_receive(nl->transport, data, sizeof(data));
		if (got == -EINTR) {
			ret = 1;
			continue;
		}
		if (got <= 0)
			return got ? got : -ENODATA;
		ret = take(nl, r, data, got, torn);
	} while (ret > 0);
	return ret;
}

/* Ask again when objects came or went meanwhile. */
static int talk(struct nl *nl, struct replies *replies)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl->request;
	int i, ret = 0;
	bool torn;

	for (i = 0; i < DUMP_TRIES; i++) {
		if (i)
			nlh->nlmsg_seq = ++nl->seq;
		replies_free(replies);
		ret = talk_once(nl, replies, &torn);
		if (ret || !torn)
			return ret;
	}
	complain("the list changed while it was read, it may be incomplete");
	return 0;
}

/**
 * nl_talk - Send the request and collect what comes back.
 * @nl: Connection with a request in it.
 * @replies: Filled in, to be freed by the caller also after an error.
 *
 * Return: 0 or a negative errno, then with nl->text and nl->attr.
 */
int nl_talk(struct nl *nl, struct replies *replies)
{
	int ret;

	progress_begin("waiting for the kernel");
	ret = talk(nl, replies);
	progress_end();
	return ret;
}

/* A multicast group of those that the controller lists. */
static void read_group(struct nl *nl, const struct nlattr *group)
{
	const char *name = "";
	const struct nlattr *attr;
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, group) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID &&
			 mnl_attr_get_payload_len(attr) == sizeof(id))
			id = mnl_attr_get_u32(attr);
	}
	if (!strcmp(name, VPNPASS_MCGRP_EVENTS))
		nl->events = id;
}

static void read_family(struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlattr *attr, *group;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
		    mnl_attr_get_payload_len(attr) == sizeof(nl->family))
			nl->family = mnl_attr_get_u16(attr);
		else if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GROUPS)
			mnl_attr_for_each_nested(group, attr)
				read_group(nl, group);
	}
}

/**
 * nl_open - Connect to the family in the current network namespace.
 * @nl: Connection; one that is open already stays so.
 *
 * Return: 0, -ENOENT when the kernel has no such family, or another errno.
 */
int nl_open(struct nl *nl)
{
	struct replies replies = {};
	struct nlmsghdr *nlh;
	int ret;

	if (!nl->transport)
		nl->transport = transport_open();
	if (!nl->transport)
		return -errno;
	if (nl->family)
		return 0;
	nlh = begin(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VPNPASS_FAMILY_NAME);
	ret = nl_talk(nl, &replies);
	if (!ret && replies_next(&replies, NULL))
		read_family(nl, replies_next(&replies, NULL));
	replies_free(&replies);
	if (!ret && !nl->family)
		ret = -EBADMSG;
	return ret;
}

/**
 * nl_close - Close the connection.
 * @nl: Connection, may be closed already.
 */
void nl_close(struct nl *nl)
{
	if (nl->transport)
		transport_close(nl->transport);
	*nl = (struct nl){};
}

/**
 * nl_subscribe - Ask for the events.
 * @nl: Open connection.
 *
 * Return: 0 or a negative errno.
 */
int nl_subscribe(struct nl *nl)
{
	return nl->events ? transport_join(nl->transport, nl->events) : -EOPNOTSUPP;
}

static int wait_for_events(const struct nl *nl, const sigset_t *waitmask, int reader)
{
	struct pollfd fds[] = {
		{ .fd = transport_fd(nl->transport), .events = POLLIN },
		{ .fd = reader },	/* errors only */
	};

	if (ppoll(fds, ARRAY_SIZE(fds), NULL, waitmask) < 0)
		return -errno;
	return fds[1].revents ? -EPIPE : 0;
}

/**
 * nl_listen - Wait for events.
 * @nl: Connection that has subscribed.
 * @replies: Replaced by the events, freed by the caller in the end.
 * @waitmask: Signals to block while waiting.
 * @reader: File whose reader is not to be waited for when it is gone.
 *
 * Return: 0, -EINTR after a signal, -ENOBUFS when events were lost, -ENODATA
 * when no more will come, -EPIPE when nobody reads.
 */
int nl_listen(struct nl *nl, struct replies *replies, const sigset_t *waitmask, int reader)
{
	static char data[RECEIVE_SIZE];
	const struct nlmsghdr *nlh;
	int left, ret;
	ssize_t got;

	replies_free(replies);
	ret = wait_for_events(nl, waitmask, reader);
	if (ret)
		return ret;
	got = transport_receive(nl->transport, data, sizeof(data));
	if (got <= 0)
		return got ? got : -ENODATA;
	left = got;
	for (nlh = (const struct nlmsghdr *)data; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type == nl->family)
			replies_add(replies, nlh);
	return 0;
}

/**
 * nl_complain - Say why the kernel refused.
 * @nl: Connection with the text of the last error.
 * @what: What the request was about, such as a protocol; may be NULL.
 * @error: The negative errno.
 */
void nl_complain(const struct nl *nl, const char *what, int error)
{
	bool told = nl->text[0];

	if (error == -EPERM && !told) {
		complain("%s", strerror(-error));
		advise("Changing anything needs CAP_NET_ADMIN in this network namespace; %s",
		       "try it as root.");
		complain_code("permission");
		return;
	}
	complain("%s%s%s%s%s%s", what ? what : "", what ? ": " : "",
		 told ? nl->text : strerror(-error), nl->attr[0] ? " (attribute " : "",
		 nl->attr, nl->attr[0] ? ")" : "");
	if (error == -EPERM)
		complain_code("permission");
}
