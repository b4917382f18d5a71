// SPDX-License-Identifier: GPL-2.0
/*
 * A switch to be turned or a setting to be changed, for one protocol or a
 * group; used by cmd_set.c and cmd_restore.c.
 */
#include <string.h>

#include "cli.h"

/**
 * proto_setting - A setting of a protocol.
 * @p: The protocol.
 * @key: Name of the setting.
 *
 * Return: the setting, NULL if it has none of that name.
 */
const struct setting *proto_setting(const struct proto *p, const char *key)
{
	size_t i;

	for (i = 0; i < p->n_settings; i++)
		if (!strcmp(p->settings[i].name, key))
			return &p->settings[i];
	return NULL;
}

static bool any_has_setting(const struct replies *r, const struct change *change)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	bool has = false;

	while (!has && protos_next(r, change->which, &pos, &proto)) {
		has = proto_setting(&proto, change->key);
		proto_free(&proto);
	}
	return has;
}

/**
 * change_concerns - Whether a change is for a protocol that its name covers.
 * @change: The change.
 * @r: From protos_fetch().
 * @p: The protocol.
 *
 * A setting of a group is for those that have it; if none has, for all of
 * them, so that the first refuses.
 */
bool change_concerns(const struct change *change, const struct replies *r,
		     const struct proto *p)
{
	return !change->key || proto_setting(p, change->key) ||
	       !any_has_setting(r, change);
}

/**
 * change_send - Have the kernel change it.
 * @ctx: Context, connected.
 * @name: The protocol.
 * @change: What, with a key of CHANGE_KEY_MAX characters at most.
 *
 * Return: 0 or a negative errno, see nl_talk().
 */
int change_send(struct context *ctx, const char *name, const struct change *change)
{
	struct nlmsghdr *nlh = nl_request(&ctx->nl, VPNPASS_CMD_PROTO_SET, false);
	struct replies replies = {};
	struct nlattr *nest;
	int ret;

	mnl_attr_put_strz(nlh, VPNPASS_A_PROTO_NAME, name);
	if (change->key) {
		nest = mnl_attr_nest_start(nlh, VPNPASS_A_PROTO_SETTING);
		mnl_attr_put_strz(nlh, VPNPASS_A_SETTING_NAME, change->key);
		mnl_attr_put_u32(nlh, VPNPASS_A_SETTING_VALUE, change->value);
		mnl_attr_nest_end(nlh, nest);
	} else {
		mnl_attr_put_u32(nlh, VPNPASS_A_PROTO_MODE, change->mode);
	}
	ret = nl_talk(&ctx->nl, &replies);
	replies_free(&replies);
	return ret;
}
