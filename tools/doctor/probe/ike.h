/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages of IKEv2 and of IKEv1 have the header and the chain of payloads in common
 * (RFC 7296 3.1, 3.2; RFC 2408 3.1, 3.2).
 */
#ifndef _VPNPASS_DOCTOR_PROBE_IKE_H
#define _VPNPASS_DOCTOR_PROBE_IKE_H

#include "probe.h"

#define IKE_HEADER_SIZE	28
#define IKE_COOKIE_SIZE	8
#define IKE_NONCE_SIZE	32

/* RFC 7296 3.10.1, RFC 2408 3.14.1 */
struct ike_name {
	uint16_t type;
	const char *name;
};

/**
 * struct payload - One of a message.
 * @kind: What it is.
 * @data: It, from its own header on.
 * @size: Of it.
 * @next: Private to ike_next_payload(), as is @left.
 */
struct payload {
	uint8_t kind;
	const uint8_t *data;
	size_t size;
	uint8_t next;
	size_t left;
};

/* ike.c */
uint8_t *ike_put_header(uint8_t *p, const uint8_t *cookie, const uint8_t *responder,
			uint8_t payload, uint8_t version, uint8_t exchange, uint8_t flags);
uint8_t *ike_put_payload(uint8_t *p, uint8_t next, const void *data, size_t length);
uint8_t *ike_put_modp(uint8_t *p, size_t size);
void ike_put_length(uint8_t *at, const uint8_t *start, const uint8_t *end);
size_t ike_finish(uint8_t *message, const uint8_t *end);
struct payload ike_payloads(const uint8_t *message, size_t length);
bool ike_next_payload(struct payload *p);
void ike_notify_text(char text[PROBE_TEXT], const char *before, const struct ike_name *names,
		     size_t n, uint16_t type);

/* ike_v2.c */
size_t ike_v2_ask(uint8_t to[PROBE_SIZE], const struct talk *talk);
bool ike_v2_understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT]);

/* ike_v1.c */
size_t ike_v1_ask(uint8_t to[PROBE_SIZE], const struct talk *talk);
bool ike_v1_understand(const uint8_t *data, size_t length, struct talk *talk,
		       char text[PROBE_TEXT]);

#endif /* _VPNPASS_DOCTOR_PROBE_IKE_H */
