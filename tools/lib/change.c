// SPDX-License-Identifier: GPL-2.0
/*
 * A switch to be turned or a setting to be changed, for one protocol or a group.
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

/* Settings that mean nothing any more. The kernel does not list them; it takes them, so
 * that files saved before can be restored, and says that it ignores them.
 */
static const struct {
	const char *proto;
	const char *key;
} gone[] = {
	{ "esp", "hold" }, { "esp", "pairing_window" }, { "ike", "gate" }, { "ike", "gate_time" },
};

static bool setting_is_gone(const struct proto *p, const char *key)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gone); i++)
		if (!strcmp(p->name, gone[i].proto) && !strcmp(key, gone[i].key))
			return true;
	return false;
}

static bool any_has_setting(const struct replies *r, const struct change *change)
{
	const struct nlmsghdr *pos = NULL;
	struct proto proto;
	bool has = false;

	while (!has && protos_next(r, change->which, &pos, &proto)) {
		has = proto_setting(&proto, change->key) ||
		      setting_is_gone(&proto, change->key);
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
	       setting_is_gone(p, change->key) || !any_has_setting(r, change);
}

static void complain_no_setting(const struct proto *p, const char *key)
{
	const char *names[64] = {}, *meant;
	char list[256] = "";
	size_t i, at = 0;

	for (i = 0; i < p->n_settings && i < ARRAY_SIZE(names) - 1; i++) {
		names[i] = p->settings[i].name;
		if (at < sizeof(list))
			at += snprintf(list + at, sizeof(list) - at, " %s", names[i]);
	}
	meant = nearest_word(key, names);
	complain("%s has no setting %s%s%s%s", p->name, key, meant ? " (did you mean " : "",
		 meant ? meant : "", meant ? "?)" : "");
	complain_code("no-setting");
	advise("Settings of %s:%s", p->name, list);
	if (meant)
		advise_quietly("did you mean %s?", meant);
}

/**
 * change_fits - Whether a protocol can have the value, as far as it told.
 * @p: The protocol.
 * @change: The change.
 *
 * Return: whether it can; if not it has complained.
 */
bool change_fits(const struct proto *p, const struct change *change)
{
	const struct setting *s = change->key ? proto_setting(p, change->key) : NULL;

	if (!change->key)
		return true;
	if (!s && setting_is_gone(p, change->key))
		return true;
	if (!s) {
		complain_no_setting(p, change->key);
		return false;
	}
	if ((!s->minimum.known || change->value >= s->minimum.value) &&
	    (!s->maximum.known || change->value <= s->maximum.value))
		return true;
	complain("%s %s: %u is out of range (%ju..%ju)", p->name, s->name, change->value,
		 s->minimum.value, s->maximum.value);
	complain_code("range");
	advise_quietly("%s of %s may be %ju to %ju%s%s", s->name, p->name, s->minimum.value,
		       s->maximum.value, s->unit ? " " : "", s->unit ? s->unit : "");
	return false;
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
	if (!ret && *ctx->nl.text)
		complain("%s %s: %s", name, change->key ?: mode_name(MAYBE(change->mode)),
			 ctx->nl.text);
	return ret;
}
