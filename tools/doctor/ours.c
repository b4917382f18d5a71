// SPDX-License-Identifier: GPL-2.0
/*
 * Knowledge of our own modules; see doctor.h. Nothing is loaded for it: that it
 * is missing may be what is wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

static int fetch(struct context *ctx, int command, struct replies *replies)
{
	nl_request(&ctx->nl, command, true);
	return nl_talk(&ctx->nl, replies);
}

static void read_protos(struct ours *ours)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;

	while (protos_next(&ours->proto_replies, NULL, &pos, &proto)) {
		ours->protos = xgrow(ours->protos, ours->n_protos, sizeof(proto));
		ours->protos[ours->n_protos++] = proto;
	}
}

static void read_sessions(struct ours *ours)
{
	const struct nlmsghdr *pos = NULL;
	struct session session;

	while ((pos = replies_next(&ours->session_replies, pos))) {
		session_read(&session, pos);
		if (!session.proto) {
			session_free(&session);
			continue;
		}
		ours->sessions = xgrow(ours->sessions, ours->n_sessions, sizeof(session));
		ours->sessions[ours->n_sessions++] = session;
	}
}

/**
 * ours_read - Ask our modules.
 * @ours: Zeroed; for ours_free().
 * @ctx: Context.
 * @r: Told when they do not answer.
 */
void ours_read(struct ours *ours, struct context *ctx, struct report *r)
{
	int ret = nl_open(&ctx->nl);

	ours->known = ret == -ENOENT;
	if (ret == -ENOENT)
		return;
	if (!ret) {
		ours->loaded = true;
		ret = fetch(ctx, VPNPASS_CMD_PROTO_GET, &ours->proto_replies);
	}
	if (!ret)
		ret = fetch(ctx, VPNPASS_CMD_SESSION_GET, &ours->session_replies);
	if (ret) {
		report_refused(r, "vpnpass's own sessions and counters", ret);
		return;
	}
	ours->known = true;
	read_protos(ours);
	read_sessions(ours);
}

/**
 * ours_free - Forget the answers.
 * @ours: From ours_read().
 */
void ours_free(struct ours *ours)
{
	size_t i;

	for (i = 0; i < ours->n_protos; i++)
		proto_free(&ours->protos[i]);
	for (i = 0; i < ours->n_sessions; i++)
		session_free(&ours->sessions[i]);
	free(ours->protos);
	free(ours->sessions);
	replies_free(&ours->proto_replies);
	replies_free(&ours->session_replies);
}

/**
 * ours_proto - Find a protocol.
 * @ours: What they told.
 * @name: The protocol.
 *
 * Return: it, NULL when its module is not loaded.
 */
const struct proto *ours_proto(const struct ours *ours, const char *name)
{
	size_t i;

	for (i = 0; i < ours->n_protos; i++)
		if (!strcmp(ours->protos[i].name, name))
			return &ours->protos[i];
	return NULL;
}

/**
 * ours_helps - Whether a protocol is helped: its module is loaded and on.
 * @ours: What they told.
 * @name: The protocol.
 */
bool ours_helps(const struct ours *ours, const char *name)
{
	const struct proto *proto = ours_proto(ours, name);

	return proto && proto->mode.known && proto->mode.value == VPNPASS_MODE_ON;
}
