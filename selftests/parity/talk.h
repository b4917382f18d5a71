/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PARITY_TALK_H
#define PARITY_TALK_H

#include "parity.h"

/* A conversation between two hosts; it is being written. */
struct talk {
	const char *name;
	uint8_t in, out, proto;
	bool outside_begins;
	uint16_t port[2];		/* the beginner's, the other end's */
};

void talk_begin(struct seq *s, struct talk *t);
void talk_ports(uint8_t proto, uint16_t initiator, uint16_t responder);

#endif
