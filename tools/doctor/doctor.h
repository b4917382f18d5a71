/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vpnpass doctor: evidence is gathered once, then each check looks at it and
 * reports what it finds. A check is a find_*.c that registers itself with
 * CHECK(), as commands do; nothing else knows of it.
 */
#ifndef _VPNPASS_DOCTOR_H
#define _VPNPASS_DOCTOR_H

#include "../cli.h"
#include "flows.h"
#include "network.h"
#include "ruleset.h"

/* Worst first, as they are listed. */
enum severity {
	SEVERITY_ERROR,		/* a VPN does not work because of it */
	SEVERITY_WARNING,	/* one may not, now or under load */
	SEVERITY_INFO,		/* nothing is wrong; it explains what is seen */
};

/**
 * struct finding - Something that was found.
 * @code: Stable name of what it is.
 * @severity: How bad.
 * @proto: The VPN protocol it concerns, NULL for several or none.
 * @seen: The evidence; owned.
 * @advice: What to do about it; owned.
 */
struct finding {
	const char *code;
	enum severity severity;
	const char *proto;
	char *seen, *advice;
};

/**
 * struct report - What came of an examination.
 * @findings: All so far.
 * @n_findings: How many.
 * @notes: What could not be examined and why.
 * @n_notes: How many.
 * @refused: The kernel refused to tell something.
 */
struct report {
	struct finding *findings;
	size_t n_findings;
	char **notes;
	size_t n_notes;
	bool refused;
};

/**
 * struct ours - What our own modules know.
 * @loaded: The core is.
 * @known: It answered.
 * @protos: The helpers that are loaded.
 * @n_protos: How many.
 * @sessions: All sessions.
 * @n_sessions: How many.
 * @proto_replies: What @protos points into.
 * @session_replies: What @sessions points into.
 */
struct ours {
	bool loaded, known;
	struct proto *protos;
	size_t n_protos;
	struct session *sessions;
	size_t n_sessions;
	struct replies proto_replies, session_replies;
};

/**
 * struct evidence - All that the checks look at.
 * @net: Interfaces and addresses.
 * @rules: The nft ruleset.
 * @rules_known: It could be read.
 * @flows: Connections of VPN protocols.
 * @flows_known: They could be read.
 * @ours: What our modules know.
 */
struct evidence {
	struct network net;
	struct ruleset rules;
	bool rules_known;
	struct flows flows;
	bool flows_known;
	struct ours ours;
};

/**
 * struct check - One thing to look for.
 * @rank: Place among the checks; the order of findings of a severity.
 * @run: Looks at the evidence and reports with found() and not_examined().
 * @next: Next by rank, private to report.c.
 */
struct check {
	int rank;
	void (*run)(const struct evidence *ev, struct report *r);
	struct check *next;
};

#define CHECK(check) \
static void __attribute__((constructor)) register_##check(void) \
{ \
	check_register(&(check)); \
}

/* A text in several parts, joined by spaces; for what is reported. */
#define SAY(...)	say_all((const char *const []){ __VA_ARGS__, NULL })

/* report.c */
void check_register(struct check *check);
void checks_run(const struct evidence *ev, struct report *r);
void found(struct report *r, const char *code, enum severity severity, const char *proto,
	   char *seen, char *advice);
void not_examined(struct report *r, const char *fmt, ...) __printf(2, 3);
void refused(struct report *r, const char *what, int error);
char *say_all(const char *const *parts);
void report_print(struct report *r, struct out *o);
void report_free(struct report *r);

/* ours.c */
void ours_read(struct ours *ours, struct context *ctx, struct report *r);
void ours_free(struct ours *ours);
const struct proto *ours_proto(const struct ours *ours, const char *name);
bool ours_helps(const struct ours *ours, const char *name);

/* procfs.c */
struct maybe proc_number(const char *path);
struct maybe proc_snmp(const char *file, const char *group, const char *name);
struct maybe proc_conntrack_stat(const char *name);
bool proc_first_line(const char *path, char *line, size_t size);

/* probe.c */
int probe_run(struct context *ctx, int argc, char **argv);
void probe_complete(int argc, char **argv);

/* cmd_doctor.c */
int doctor_usage(const char *fmt, const char *word);

/* Beyond the exit codes of util.h */
#define EXIT_FOUND	3

#endif /* _VPNPASS_DOCTOR_H */
