/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which sessions or events are meant: "proto P client A peer A", and "type T" or
 * "limit N", on the command line.
 */
#ifndef _VPNPASS_FILTER_H
#define _VPNPASS_FILTER_H

#include "cli.h"

/**
 * struct filter - What was asked for; members that were not given are empty.
 * @which: Protocol or group.
 * @client: Address of the client.
 * @peer: Address of the peer.
 * @type: Name of an event.
 * @limit: How many at most, 0 for all.
 */
struct filter {
	const char *which;
	struct raw_address client, peer;
	const char *type;
	uint32_t limit;
};

/* A filter has proto, client and peer, and of some commands one word more. */
enum filter_more { FILTER_NO_MORE, FILTER_TYPE, FILTER_LIMIT };

int filter_parse(struct filter *f, const struct command *command, enum filter_more more,
		 int argc, char **argv);
bool filter_takes_session(const struct filter *f, const struct session *s);
bool filter_takes_event(const struct filter *f, const struct event *e);
void filter_complete(struct context *ctx, enum filter_more more, int argc, char **argv);
int filter_request(struct context *ctx, const struct filter *f, int command,
		   int (*done)(struct context *ctx, const struct replies *r, void *data),
		   void *data);

#endif /* _VPNPASS_FILTER_H */
