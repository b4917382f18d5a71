/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of a command, and functions it may use. The table of commands is cmd/commands.c. */
#ifndef _VPNPASS_CLI_H
#define _VPNPASS_CLI_H

#include <stdbool.h>

#include "model.h"
#include "nl.h"
#include "out.h"
#include "util.h"

enum stamp {
	STAMP_CLOCK,	/* 11:51:02.123 */
	STAMP_FULL,	/* 2026-11-22T11:51:02.123456+00:00 */
	STAMP_SHORT,	/* [2026-11-22T11:51:02.123456] */
};

/**
 * struct context - What main() hands to a command.
 * @out: Output to stdout, closed by main().
 * @nl: Connection, opened by cli_connect(), closed by main().
 * @stamp: How monitor is to tell the time.
 */
struct context {
	struct out out;
	struct nl nl;
	enum stamp stamp;
};

/**
 * struct command - One word after vpnpass.
 * @name: The word.
 * @hidden: It is in no list and cannot be abbreviated.
 * @usage: Arguments, one form a line.
 * @summary: One line for the list of commands.
 * @details: More for its own help, may be NULL.
 * @options: Its own options, up to a NULL, may be NULL.
 * @words: Words that may stand where a filter of sessions may, up to a NULL, may be NULL.
 * @run: Does it, with the words after the name; returns an exit code.
 * @complete: Calls suggest_word() for the last word, may be NULL.
 */
struct command {
	const char *name;
	bool hidden;
	const char *usage;
	const char *summary;
	const char *details;
	const char *const *options;
	const char *const *words;
	int (*run)(struct context *ctx, int argc, char **argv);
	void (*complete)(struct context *ctx, int argc, char **argv);
};

/* cli.c */
void command_usage(const struct command *command, FILE *file);
int usage_error(const struct command *command, const char *fmt, ...) __printf(2, 3);
int usage_error_word(const struct command *command, const char *what, const char *word,
		     const char *const *known) __attribute__((nonnull(2, 3, 4)));
void answer_object(struct out *o);
void error_object(struct out *o, int ret);
bool word_is(const char *word, const char *full);
void suggest_word(const char *prefix, const char *word);
void suggest_files(void);

/* stamp.c */
#define STAMP_SIZE	48
struct maybe stamp_now(void);
void stamp_text(char to[STAMP_SIZE], enum stamp stamp, struct maybe ns);
void stamp_json(struct context *ctx, struct maybe ns);

/*
 * Each protocol that we know, and the module that brings it: the one list of them, in the
 * order in which they are told. make style compares it with those that are not C.
 */
#define KNOWN_PROTOS(f)			\
	f("pptp", "vpnpass_pptp")	\
	f("l2tp", "vpnpass_l2tp")	\
	f("ike", "vpnpass_ike")		\
	f("natt", "vpnpass_ike")	\
	f("esp", "vpnpass_esp")

#define PROTO_NAME(name, module)	name,
#define PROTO_COMMA(name, module)	name ", "
#define PROTO_HELP	\
	"PROTO: " KNOWN_PROTOS(PROTO_COMMA) "ipsec (ike and esp) or all.\n"

/* protos.c */
bool proto_plausible(const char *which);
int proto_usage(const struct command *command, const char *word);
bool proto_covers(const char *which, const char *name);
bool proto_is_group(const char *which);
int cli_connect(struct context *ctx, const char *which);
int protos_fetch(struct context *ctx, const char *which, struct replies *replies);
bool protos_next(const struct replies *r, const char *which,
		 const struct nlmsghdr **pos, struct proto *proto);
void suggest_protos(struct context *ctx, const char *prefix);

/* change.c */
#define CHANGE_KEY_MAX	255

/**
 * struct change - What to set: a mode, or a setting if there is a key.
 * @which: Name of a protocol or group.
 * @mode: The mode.
 * @key: Name of the setting, or NULL.
 * @value: Its value.
 */
struct change {
	const char *which;
	uint32_t mode;
	const char *key;
	uint32_t value;
};

const struct setting *proto_setting(const struct proto *p, const char *key);
bool change_concerns(const struct change *change, const struct replies *r,
		     const struct proto *p);
int change_send(struct context *ctx, const char *name, const struct change *change);

bool change_fits(const struct proto *p, const struct change *change);

/* module.c */
const char *module_of(const char *proto);
bool module_load(const char *module);

/* ns.c */
#define NETNS_DIR	"/run/netns"
struct ifaddrs;
int netns_enter(const char *name);
bool ifaddrs_have(const struct ifaddrs *list, const struct raw_address *a);

/* prometheus.c */
void prometheus_print(FILE *f, const struct replies *r, const struct replies *sessions,
		      const char *which);
void prometheus_print_down(FILE *f);

/* print.c */
void session_fields(struct out *o, const struct session *s);
void session_pins_line(struct out *o, const struct session *s);
void pin_fields(struct out *o, const struct pin *pin);
void pin_text(char *to, size_t size, const struct pin *pin);
const char *pin_kind_name(struct maybe kind);
const char *pin_dir_name(struct maybe dir);

#endif /* _VPNPASS_CLI_H */
