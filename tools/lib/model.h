/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's answers, taken out of its messages.
 * Attributes that are not known here are passed over, missing ones or ones of
 * an unexpected size are marked as not known. Strings point into the message.
 */
#ifndef _VPNPASS_MODEL_H
#define _VPNPASS_MODEL_H

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "out.h"

/* An address as it goes into requests; no bytes when it was not given. */
struct raw_address {
	uint8_t bytes[16];
	size_t length;
};

struct setting {
	const char *name, *unit;
	struct maybe value, minimum, maximum, initial;
};

struct counter {
	const char *name;
	struct maybe value;
};

/* A protocol; the arrays are freed by proto_free(). */
struct proto {
	const char *name;
	struct maybe mode, sessions, pins;
	struct setting *settings;
	size_t n_settings;
	struct counter *counters;
	size_t n_counters;
};

/* Times in milliseconds. */
struct pin {
	struct maybe kind, dir, number, nat, idle, state;
};

/* A session; times in milliseconds, addresses empty when not known. */
struct session {
	const char *proto, *state;
	char client[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN], local[INET6_ADDRSTRLEN];
	struct maybe id, version, age, idle;
	struct maybe packets_out, bytes_out, packets_in, bytes_in;
	char dest[INET6_ADDRSTRLEN];
	const char *device;
	struct maybe zone, zone_reply, lifetime, fast_out, fast_in;
	struct pin *pins;
	size_t n_pins;
};

/* An event; time in nanoseconds since 1970. */
struct event {
	const char *proto, *reason;
	struct maybe type, time, mode;
	bool has_setting, has_session, has_pin;
	struct setting setting;
	struct session session;
	struct pin pin;
};

void proto_read(struct proto *proto, const struct nlmsghdr *nlh);
void proto_free(struct proto *proto);
void session_read(struct session *session, const struct nlmsghdr *nlh);
void session_free(struct session *session);
struct maybe count_read(const struct nlmsghdr *nlh);
void event_read(struct event *event, const struct nlmsghdr *nlh);
void event_free(struct event *event);

bool address_parse(struct raw_address *a, const char *text);

const char *mode_name(struct maybe mode);
int mode_number(const char *name);
const char *const *event_list(void);
bool event_known(const char *name);
const char *event_name(struct maybe type);
const char *pin_state_name(struct maybe state);
const char *model_attr_name(int command, int attr, int inner);

#endif /* _VPNPASS_MODEL_H */
