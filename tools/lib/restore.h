/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file that is being restored: what it says, what the kernel has, and what
 * has been done so far. cmd/restore.c checks and applies it, restore_plan.c
 * knows what it changes.
 */
#ifndef _VPNPASS_RESTORE_H
#define _VPNPASS_RESTORE_H

#include "state.h"

/**
 * struct job - One run of restore.
 * @ctx: Context.
 * @name: Name of the file, for complaints.
 * @declarative: What the file does not name goes back to its default.
 * @sessions_only: Its switches and settings are left out.
 * @boot: The system is starting: the addresses and some devices are not there
 *        yet, and the clock may not have been set.
 * @check_only: Nothing is to be changed, and no module loaded.
 * @state: What the file says.
 * @protos: What the kernel has.
 * @elapsed: Milliseconds since the file was saved.
 * @absent: Sessions whose device is not there yet.
 */
struct job {
	struct context *ctx;
	const char *name;
	bool declarative, sessions_only, boot, check_only;
	struct state state;
	struct replies protos;
	uint64_t elapsed;
	size_t switches, settings, sessions, numbers, expired, absent, refused;
};

bool job_covers(const struct job *job, const char *which);
struct maybe job_mode(const struct job *job, const struct proto *p);
void job_add_defaults(struct job *job);
void job_print_plan(struct job *job);

#endif /* _VPNPASS_RESTORE_H */
