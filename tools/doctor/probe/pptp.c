// SPDX-License-Identifier: GPL-2.0
/*
 * Asking for PPTP: a Start-Control-Connection-Request (RFC 2637 2.1).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "../../lib/util.h"
#include "probe.h"

#define MESSAGE_SIZE	156
#define MAGIC		0x1a2b3c4d
#define TYPE_REQUEST	1
#define TYPE_REPLY	2
#define TYPE_STOP	3
#define NAME_SIZE	64

static uint8_t *put_name(uint8_t *p, const char *name)
{
	memset(p, 0, NAME_SIZE);
	memcpy(p, name, strlen(name));
	return p + NAME_SIZE;
}

static uint8_t *put_start(uint8_t *p, uint16_t length, uint16_t type)
{
	p = put16(put16(p, length), 1);
	p = put32(p, MAGIC);
	return put16(put16(p, type), 0);
}

static size_t ask(uint8_t to[PROBE_SIZE], const struct talk *talk, int variant)
{
	uint8_t *p = put_start(to, MESSAGE_SIZE, TYPE_REQUEST);

	(void)talk;
	(void)variant;
	p = put16(put16(p, 0x0100), 0);		/* version 1.0 */
	p = put32(put32(p, 3), 3);		/* any framing, any bearer */
	p = put16(put16(p, 0), 1);		/* no channels, firmware */
	p = put_name(put_name(p, "vpnpass"), "vpnpass");
	return p - to;
}

static const char *result_text(uint8_t result)
{
	static const char *const texts[] = {
		"result 0", "accepted", "general error", "channel exists", "not authorized",
		"version not supported"
	};

	return result < ARRAY_SIZE(texts) ? texts[result] : "unknown result";
}

static bool understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT])
{
	(void)talk;
	if (length < MESSAGE_SIZE || get16(data) != MESSAGE_SIZE || get32(data + 4) != MAGIC ||
	    get16(data + 8) != TYPE_REPLY)
		return false;
	snprintf(text, PROBE_TEXT, "PPTP, %s%s%.*s", result_text(data[14]),
		 data[28] ? ", host " : "", NAME_SIZE, (const char *)data + 28);
	return true;
}

/* Stop-Control-Connection-Request, reason 1: no particular one (2.3) */
static size_t end(uint8_t to[PROBE_SIZE], const struct talk *talk, const uint8_t *answer,
		  size_t length)
{
	uint8_t *p = put_start(to, 16, TYPE_STOP);

	(void)talk;
	(void)answer;
	(void)length;
	p = put16(put8(put8(p, 1), 0), 0);
	return p - to;
}

const struct service service_pptp = {
	.name = "pptp",
	.l4proto = IPPROTO_TCP,
	.port = 1723,
	.variants = 1,
	.ask = ask,
	.understand = understand,
	.end = end,
};
