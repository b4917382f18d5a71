/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the vpnpass family and their answers. Answers are collected whole before they
 * are looked at, so that an interrupted dump can be asked for again.
 */
#ifndef _VPNPASS_NL_H
#define _VPNPASS_NL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vpnpass.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NL_REQUEST_SIZE	4096

/**
 * struct nl - A connection to the family; zeroed before nl_open().
 * @transport: The way there, NULL while closed.
 * @family: Number of the family.
 * @events: Number of its events group, 0 if it has none.
 * @seq: Number of the last request.
 * @request: The last request.
 * @text: What the kernel said about the last error, empty if nothing.
 * @attr: Path of the attribute that the last error is about, or empty.
 */
struct nl {
	struct transport *transport;
	uint16_t family;
	uint32_t events;
	uint32_t seq;
	char request[NL_REQUEST_SIZE];
	char text[256];
	char attr[64];
};

/**
 * struct replies - Messages that came back; zeroed at first.
 * @data: The messages one after the other.
 * @length: Bytes of them.
 * @room: Bytes that there is room for.
 */
struct replies {
	char *data;
	size_t length, room;
};

int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
struct nlmsghdr *nl_request(struct nl *nl, uint8_t command, bool dump);
int nl_talk(struct nl *nl, struct replies *replies);
int nl_subscribe(struct nl *nl);
int nl_listen(struct nl *nl, struct replies *replies, const sigset_t *waitmask, int reader);
void nl_complain(const struct nl *nl, const char *what, int error);

const struct nlmsghdr *replies_next(const struct replies *r, const struct nlmsghdr *last);
void replies_free(struct replies *r);

#endif /* _VPNPASS_NL_H */
