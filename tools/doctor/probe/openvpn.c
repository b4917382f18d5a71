// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for OpenVPN: a client's hard reset. A server with tls-auth or
 * tls-crypt answers no stranger.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

/* Opcode in the upper five bits, key 0 */
#define RESET_CLIENT_V2	(7 << 3)
#define RESET_SERVER_V2	(8 << 3)
#define SESSION_SIZE	8

static size_t ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	uint8_t *p = put8(to, RESET_CLIENT_V2);

	(void)variant;
	p = put_bytes(p, talk->random, SESSION_SIZE);
	p = put32(put8(p, 0), 0);	/* acknowledges nothing, packet 0 */
	return p - to;
}

/* The answer acknowledges packet 0 and repeats our session's number. */
static bool understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	size_t acks;

	if (length < 1 + SESSION_SIZE + 1 || data[0] != RESET_SERVER_V2)
		return false;
	acks = data[1 + SESSION_SIZE];
	if (!acks || length < 1 + SESSION_SIZE + 1 + 4 * acks + SESSION_SIZE + 4 ||
	    memcmp(data + 1 + SESSION_SIZE + 1 + 4 * acks, talk->random, SESSION_SIZE))
		return false;
	snprintf(text, PROBE_TEXT, "OpenVPN, hard reset");
	return true;
}

const struct service service_openvpn = {
	.name = "openvpn",
	.l4proto = IPPROTO_UDP,
	.port = 1194,
	.variants = 1,
	.ask = ask,
	.understand = understand,
};
