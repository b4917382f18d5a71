/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vpnpass doctor: evidence is gathered once, then each check looks at it and
 * reports what it finds. The table of checks is checks/checks.c.
 */
#ifndef _VPNPASS_DOCTOR_H
#define _VPNPASS_DOCTOR_H

#include "../lib/cli.h"
#include "flows.h"
#include "heard.h"
#include "network.h"
#include "probe/probe.h"
#include "route.h"
#include "rules/ruleset.h"
#include "trace.h"

/* Worst first, as they are listed. */
enum severity {
	SEVERITY_ERROR,		/* a VPN does not work because of it */
	SEVERITY_WARNING,	/* a VPN may not work, now or under load */
	SEVERITY_INFO,		/* nothing is wrong; it explains what is seen */
};

/**
 * struct finding - Something that was found.
 * @code: Stable name of what it is.
 * @severity: How bad.
 * @proto: The VPN protocol it concerns, NULL for several or none.
 * @seen: The evidence; owned.
 * @advice: What to do about it; owned.
 * @commands: Lines for a shell that do it, in this order; owned.
 * @n_commands: How many.
 */
struct finding {
	const char *code;
	enum severity severity;
	const char *proto;
	char *seen, *advice;
	char **commands;
	size_t n_commands;
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
 * @protos: The protocols whose modules are loaded.
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

/* Counters of the kernel's that only grow. */
enum counter_kind {
	COUNTER_DROP,
	COUNTER_INSERT_FAILED,
	COUNTER_INVALID,
	COUNTER_REVERSE_PATH,
	COUNTER_NO_ROUTE_IN,
	N_COUNTERS,
};

/**
 * struct readings - What they say at one time.
 * @value: By counter_kind.
 */
struct readings {
	struct maybe value[N_COUNTERS];
};

/**
 * struct evidence - All that the checks look at.
 * @net: Interfaces and addresses.
 * @rules: The nft ruleset, and the tables of iptables-legacy.
 * @rules_known: The former could be read.
 * @all_rules_known: All of the latter could be, too.
 * @crossed: What becomes of packets in it, private to firewall.c.
 * @n_crossed: How many.
 * @contacts: Clients and gateways that had to do with each other, where @to is NULL.
 * @n_contacts: How many.
 * @flows: Connections of VPN protocols.
 * @flows_known: They could be read.
 * @ours: What our modules know.
 * @ear: What passed while the doctor looked.
 * @watching: He looks again and again, by one ear.
 * @before: Counters when he began.
 * @after: Counters at the end.
 * @seconds: The time between, 0 when he saw no reason to wait.
 * @to: The host that he was asked about, NULL for none.
 * @from: The client that is to reach it, NULL for any.
 * @name: What @to was called.
 * @route: The way to @to.
 * @asked: What came of asking it.
 * @n_asked: How many services.
 * @tracer: What the rules did to the packets of that.
 */
struct evidence {
	struct network net;
	struct ruleset rules;
	bool rules_known, all_rules_known;
	struct crossed *crossed;
	size_t n_crossed;
	struct contact *contacts;
	size_t n_contacts;
	struct flows flows;
	bool flows_known;
	struct ours ours;
	struct ear ear;
	bool watching;
	struct readings before, after;
	double seconds;
	const struct host *to, *from;
	const char *name;
	struct route route;
	struct asked *asked;
	size_t n_asked;
	struct tracer tracer;
};

/* A text in several parts, joined by spaces; for what is reported. */
#define SAY(...)	say_all((const char *const []){ __VA_ARGS__, NULL })

/* report.c */
struct finding *found(struct report *r, const char *code, enum severity severity,
		      const char *proto, char *seen, char *advice);
void finding_command(struct finding *f, char *command);
void not_examined(struct report *r, const char *fmt, ...) __printf(2, 3);
void report_refused(struct report *r, const char *what, int error);
char *say_all(const char *const *parts);
void finding_print(struct out *o, const struct finding *f, struct context *watching);
void notes_print(const struct report *r, struct out *o, struct context *watching);
void report_print(struct report *r, struct out *o);
void report_free(struct report *r);

/* meaning.c */
const char *meaning_of(const char *code);

/* ours.c */
void ours_read(struct ours *ours, struct context *ctx, struct report *r);
void ours_free(struct ours *ours);
const struct proto *ours_proto(const struct ours *ours, const char *name);
bool ours_helps(const struct ours *ours, const char *name);

/* procfs.c */
struct maybe proc_number(const char *path);
bool proc_forwards(const char *interface);
struct maybe proc_snmp(const char *file, const char *group, const char *name);
struct maybe proc_conntrack_stat(const char *name);
bool proc_first_line(const char *path, char *line, size_t size);

/* readings.c */
void readings_take(struct readings *r);
bool readings_any(const struct readings *r);
uint64_t grew_by(const struct evidence *ev, enum counter_kind kind);

/* checks/checks.c */
void checks_run_all(const struct evidence *ev, struct report *r);

/* probe/probe.c */
int probe_run_command(struct context *ctx, int argc, char **argv);
void probe_complete_word(int argc, char **argv);
int host_resolve(struct host *host, const char *name);
struct asked *probe_ask_host(const struct host *host, int seconds, size_t *n);

/* watch.c */
struct watch *watch_new(struct context *ctx, const struct host *to, const struct host *from);
void watch_ear(struct watch *w, struct ear *ear);
void watch_keep(struct watch *w, struct ear *ear);
void watch_report(struct watch *w, const struct report *r);

/* cmd/doctor.c */
int doctor_usage(const char *fmt, const char *word);

/* Beyond the exit codes of util.h */
#define EXIT_FOUND	3
#define EXIT_NOT_ALL	4

#endif /* _VPNPASS_DOCTOR_H */
