/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Services that "doctor probe" asks for: what to send, and whether what comes
 * back is an answer. Pure but for random bytes, which the caller brings.
 */
#ifndef _VPNPASS_DOCTOR_PROBE_H
#define _VPNPASS_DOCTOR_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PROBE_SIZE	1024
#define PROBE_RANDOM	512
#define PROBE_TEXT	120

/**
 * struct service - One service on one port.
 * @name: For the command line.
 * @l4proto: IPPROTO_UDP or IPPROTO_TCP.
 * @port: Where it listens.
 * @any_port: It may answer from another port.
 * @variants: How many requests there are; the first is tried alone at first.
 * @ask: Fills in a request, returns its length. It is the same for the same
 *       random bytes, as retransmissions have to be.
 * @understand: Whether data is an answer, and what it says. Of a stream all
 *              that came so far is given.
 * @end: Fills in what takes the request back after an answer; may be NULL.
 */
struct service {
	const char *name;
	uint8_t l4proto;
	uint16_t port;
	bool any_port;
	int variants;
	size_t (*ask)(uint8_t to[PROBE_SIZE], const uint8_t random[PROBE_RANDOM], int variant);
	bool (*understand)(const uint8_t *data, size_t length,
			   const uint8_t random[PROBE_RANDOM], char text[PROBE_TEXT]);
	size_t (*end)(uint8_t to[PROBE_SIZE], const uint8_t random[PROBE_RANDOM],
		      const uint8_t *answer, size_t length);
};

enum result {
	WAITING,
	ANSWERED,
	REFUSED,
	SILENT,
};

/**
 * struct asked - What came of asking for a service.
 * @service: The service.
 * @result: ANSWERED, REFUSED or SILENT.
 * @text: What was answered, or why not.
 * @refuser: Who sent the ICMP error, empty for a reset or when there was none.
 * @tries: How often it was asked.
 */
struct asked {
	const struct service *service;
	enum result result;
	char text[PROBE_TEXT + 64];
	char refuser[48];
	int tries;
};

extern const struct service service_ike, service_natt, service_pptp, service_l2tp,
			    service_openvpn;

/* Appending in network byte order. */
static inline uint8_t *put8(uint8_t *to, uint8_t value)
{
	*to = value;
	return to + 1;
}

static inline uint8_t *put16(uint8_t *to, uint16_t value)
{
	return put8(put8(to, value >> 8), value);
}

static inline uint8_t *put32(uint8_t *to, uint32_t value)
{
	return put16(put16(to, value >> 16), value);
}

static inline uint8_t *put_bytes(uint8_t *to, const void *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

static inline uint16_t get16(const uint8_t *from)
{
	return from[0] << 8 | from[1];
}

static inline uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

#endif /* _VPNPASS_DOCTOR_PROBE_H */
