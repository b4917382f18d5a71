// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to the multicast group "events". Best effort: what nobody listens to
 * is not built, what does not fit or find memory is not sent.
 */
#include <linux/ktime.h>
#include <net/genetlink.h>

#include "core.h"
#include "nl_put.h"

struct event {
	u32 type;
	const struct vpnpass_proto *proto;
	const struct vpnpass_session *session;
	const struct vpnpass_pin *pin;
	const char *reason;
	u32 mode;
	const char *setting;
	u32 value;
};

static int put_session(struct sk_buff *skb, const struct event *e)
{
	struct nlattr *nest;

	if (!e->session)
		return 0;
	nest = nla_nest_start(skb, VPNPASS_A_EVENT_SESSION);
	if (!nest || vpnpass_nl_put_session(skb, e->session))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_setting(struct sk_buff *skb, const struct event *e)
{
	struct nlattr *nest;

	if (!e->setting)
		return 0;
	nest = nla_nest_start(skb, VPNPASS_A_EVENT_SETTING);
	if (!nest || nla_put_string(skb, VPNPASS_A_SETTING_NAME, e->setting) ||
	    nla_put_u32(skb, VPNPASS_A_SETTING_VALUE, e->value))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_event(struct sk_buff *skb, const struct event *e)
{
	void *hdr = genlmsg_put(skb, 0, 0, &vpnpass_nl_family, 0,
				VPNPASS_CMD_EVENT_NTF);

	if (!hdr ||
	    nla_put_u32(skb, VPNPASS_A_EVENT_TYPE, e->type) ||
	    nla_put_u64_64bit(skb, VPNPASS_A_EVENT_TIME, ktime_get_real_ns(),
			      VPNPASS_A_EVENT_PAD) ||
	    nla_put_string(skb, VPNPASS_A_EVENT_PROTO, e->proto->name) ||
	    (e->type == VPNPASS_EVENT_TYPE_MODE &&
	     nla_put_u32(skb, VPNPASS_A_EVENT_MODE, e->mode)) ||
	    put_setting(skb, e) || put_session(skb, e) ||
	    (e->pin && vpnpass_nl_put_pin(skb, VPNPASS_A_EVENT_PIN, e->pin)) ||
	    (e->reason &&
	     nla_put_string(skb, VPNPASS_A_EVENT_REASON, e->reason)))
		return -EMSGSIZE;
	genlmsg_end(skb, hdr);
	return 0;
}

static void send(const struct vpnpass_net *vn, const struct event *e)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&vpnpass_nl_family, vn->net, 0))
		return;
	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return;
	if (put_event(skb, e)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_multicast_netns(&vpnpass_nl_family, vn->net, skb, 0, 0,
				GFP_ATOMIC);
}

void vpnpass_event_session(const struct vpnpass_session *s, u32 type,
			   const char *reason)
{
	send(s->vn, &(struct event) {
		.type = type, .proto = s->proto, .session = s, .reason = reason,
	});
}
EXPORT_SYMBOL_GPL(vpnpass_event_session);

void vpnpass_event_pin(const struct vpnpass_session *s, u32 type,
		       const struct vpnpass_pin *pin, const char *reason)
{
	send(s->vn, &(struct event) {
		.type = type, .proto = s->proto, .session = s, .pin = pin,
		.reason = reason,
	});
}
EXPORT_SYMBOL_GPL(vpnpass_event_pin);

/* At most once a second: whoever causes such an event can do so with every packet. */
static bool may_tell(unsigned long *told)
{
	unsigned long last = READ_ONCE(*told);

	return !(last && time_before(jiffies, last + HZ)) &&
	       cmpxchg(told, last, jiffies ?: 1) == last;
}

/**
 * vpnpass_limit_hit() - count a limit that refused something, and tell of it
 * @s: the session that was refused, or that was refused more
 * @counter: one of the VPNPASS_CNT_LIMIT_* or of the module's own
 *
 * Context: any.
 */
void vpnpass_limit_hit(const struct vpnpass_session *s, int counter)
{
	struct vpnpass_proto_net *pn = &s->vn->proto[s->proto->idx];

	vpnpass_count(s->vn, s->proto, counter);
	if (may_tell(&pn->limit_told))
		vpnpass_event_session(s, VPNPASS_EVENT_TYPE_LIMIT,
				      s->proto->counters[counter]);
}
EXPORT_SYMBOL_GPL(vpnpass_limit_hit);

/**
 * vpnpass_tell_conflict() - count that two clients cannot be told apart, and tell of it
 * @s: the session of one of them
 * @counter: one of the module's own
 * @reason: for user space
 *
 * Context: any.
 */
void vpnpass_tell_conflict(const struct vpnpass_session *s, int counter, const char *reason)
{
	vpnpass_count(s->vn, s->proto, counter);
	if (may_tell(&s->vn->proto[s->proto->idx].conflict_told))
		vpnpass_event_session(s, VPNPASS_EVENT_TYPE_CONFLICT, reason);
}
EXPORT_SYMBOL_GPL(vpnpass_tell_conflict);

void vpnpass_event_mode(struct vpnpass_net *vn, const struct vpnpass_proto *p)
{
	send(vn, &(struct event) {
		.type = VPNPASS_EVENT_TYPE_MODE, .proto = p,
		.mode = vn->proto[p->idx].mode,
	});
}

void vpnpass_event_setting(struct vpnpass_net *vn, const struct vpnpass_proto *p,
			   int idx)
{
	send(vn, &(struct event) {
		.type = VPNPASS_EVENT_TYPE_SETTING, .proto = p,
		.setting = p->settings[idx].name,
		.value = vn->proto[p->idx].setting[idx],
	});
}
