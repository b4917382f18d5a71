/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The text format of save, restore and /etc/vpnpass.conf, see vpnpass.conf(5).
 * Reading it asks nobody anything; whether it fits this router is found out by
 * cmd/restore.c.
 */
#ifndef _VPNPASS_STATE_H
#define _VPNPASS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cli.h"

#define STATE_VERSION	1
#define STATE_SPIS	20	/* numbers of a session */

/* Where the file says so, from 1 on, is the first member of each. */
struct state_change {
	size_t line;
	struct change change;
};

struct state_local {
	size_t line;
	struct raw_address address;
};

struct state_spi {
	size_t line;
	bool in;
	uint32_t spi;
	uint64_t idle;		/* ms */
};

struct state_session {
	size_t line;
	const char *proto, *device;
	struct raw_address client, peer, local, dest;
	struct maybe zone, zone_reply;
	uint64_t expires;	/* ms, at the time of saving */
	struct state_spi *spis;
	size_t n_spis;
};

/**
 * struct state - What is in a file; zeroed at first.
 * @saved_line: Line that says when it was saved, 0 for a file by hand.
 * @saved: Seconds since 1970.
 * @changes: Switches and settings, in order.
 * @n_changes: How many.
 * @locals: Addresses that were the router's.
 * @n_locals: How many.
 * @sessions: The sessions.
 * @n_sessions: How many.
 * @line: Line of the first error.
 * @error: What is wrong there, empty if nothing.
 */
struct state {
	size_t saved_line;
	time_t saved;
	struct state_change *changes;
	size_t n_changes;
	struct state_local *locals;
	size_t n_locals;
	struct state_session *sessions;
	size_t n_sessions;
	size_t line;
	char error[160];
};

bool state_parse(struct state *state, char *text, size_t length);
void state_free(struct state *state);
uint32_t state_sum(const char *data, size_t length);

#endif /* _VPNPASS_STATE_H */
