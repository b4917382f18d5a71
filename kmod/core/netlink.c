// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "vpnpass": handlers of the operations in
 * uapi/vpnpass.yaml. Tables and policies are in netlink_gen.c.
 */
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <net/netfilter/nf_nat.h>

#include "core.h"
#include "fast.h"
#include "mode.h"
#include "netlink_gen.h"
#include "nl_put.h"

/* Sessions that a dump looks at before it lets others have the CPU. */
#define DUMP_BATCH	256

static int put_setting(struct sk_buff *skb, const struct vpnpass_setting *d,
		       u32 value)
{
	struct nlattr *nest = nla_nest_start(skb, VPNPASS_A_PROTO_SETTING);

	if (!nest ||
	    nla_put_string(skb, VPNPASS_A_SETTING_NAME, d->name) ||
	    nla_put_u32(skb, VPNPASS_A_SETTING_VALUE, value) ||
	    nla_put_u32(skb, VPNPASS_A_SETTING_MINIMUM, d->min) ||
	    nla_put_u32(skb, VPNPASS_A_SETTING_MAXIMUM, d->max) ||
	    nla_put_string(skb, VPNPASS_A_SETTING_UNIT, d->unit) ||
	    nla_put_u32(skb, VPNPASS_A_SETTING_DEFAULT, d->def))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counter(struct sk_buff *skb, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, VPNPASS_A_PROTO_COUNTER);

	if (!nest ||
	    nla_put_string(skb, VPNPASS_A_COUNTER_NAME, name) ||
	    nla_put_u64_64bit(skb, VPNPASS_A_COUNTER_VALUE, value,
			      VPNPASS_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static u64 counter_value(const struct vpnpass_net *vn, const struct vpnpass_proto *p, int i)
{
	if (p->fast_setting && i == p->fast_counter)
		return vpnpass_fast_packets(vn, p);
	return atomic64_read(&vn->proto[p->idx].counter[i]);
}

static int put_proto_attrs(struct sk_buff *skb, const struct vpnpass_net *vn,
			   const struct vpnpass_proto *p)
{
	const struct vpnpass_proto_net *pn = &vn->proto[p->idx];
	int i;

	if (nla_put_string(skb, VPNPASS_A_PROTO_NAME, p->name) ||
	    nla_put_u32(skb, VPNPASS_A_PROTO_MODE, pn->mode) ||
	    nla_put_u32(skb, VPNPASS_A_PROTO_SESSIONS, READ_ONCE(pn->n_shown)) ||
	    nla_put_u32(skb, VPNPASS_A_PROTO_PINS, atomic_read(&pn->n_pins)))
		return -EMSGSIZE;
	for (i = 0; i < p->n_settings; i++)
		if (!p->settings[i].gone &&
		    put_setting(skb, &p->settings[i], READ_ONCE(pn->setting[i])))
			return -EMSGSIZE;
	for (i = 0; i < p->n_counters; i++)
		if (put_counter(skb, p->counters[i], counter_value(vn, p, i)))
			return -EMSGSIZE;
	return 0;
}

static int put_proto(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		     const struct vpnpass_net *vn, const struct vpnpass_proto *p)
{
	void *hdr = genlmsg_put(skb, portid, seq, &vpnpass_nl_family, flags,
				VPNPASS_CMD_PROTO_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (put_proto_attrs(skb, vn, p)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* The module that a request names; extack says why there is none. */
static struct vpnpass_proto *proto_of(struct genl_info *info)
{
	const struct nlattr *name = info->attrs[VPNPASS_A_PROTO_NAME];
	struct vpnpass_proto *p;

	if (!name) {
		NL_SET_ERR_MSG(info->extack, "a protocol name is required");
		return ERR_PTR(-EINVAL);
	}
	p = vpnpass_proto_find(nla_data(name));
	if (!p) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "no such protocol: its module is not loaded");
		return ERR_PTR(-ENOENT);
	}
	return p;
}

int vpnpass_nl_proto_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpnpass_proto *p;
	struct vpnpass_net *vn;
	struct sk_buff *reply;
	int err;

	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&vpnpass_mutex);
	vn = vpnpass_net_make(genl_info_net(info));
	p = IS_ERR(vn) ? ERR_CAST(vn) : proto_of(info);
	err = IS_ERR(p) ? PTR_ERR(p) :
	      put_proto(reply, info->snd_portid, info->snd_seq, 0, vn, p);
	mutex_unlock(&vpnpass_mutex);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	return genlmsg_reply(reply, info);
}

int vpnpass_nl_proto_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vpnpass_proto *p;
	struct vpnpass_net *vn;
	int i;

	mutex_lock(&vpnpass_mutex);
	vn = vpnpass_net_make(sock_net(skb->sk));
	for (i = cb->args[0]; !IS_ERR(vn) && i < VPNPASS_PROTOS; i++) {
		p = vpnpass_proto_slot(i);
		if (p && put_proto(skb, NETLINK_CB(cb->skb).portid,
				   cb->nlh->nlmsg_seq, NLM_F_MULTI, vn, p))
			break;
	}
	mutex_unlock(&vpnpass_mutex);
	cb->args[0] = i;
	return IS_ERR(vn) ? PTR_ERR(vn) : skb->len;
}

static int setting_find(const struct vpnpass_proto *p, const char *name)
{
	int i;

	for (i = 0; i < p->n_settings; i++)
		if (!strcmp(p->settings[i].name, name))
			return i;
	return -ENOENT;
}

static int setting_request(struct vpnpass_net *vn, struct vpnpass_proto *p,
			   struct genl_info *info)
{
	struct nlattr *nest = info->attrs[VPNPASS_A_PROTO_SETTING];
	struct nlattr *tb[VPNPASS_A_SETTING_MAX + 1];
	u32 value;
	int idx;

	if (nla_parse_nested(tb, VPNPASS_A_SETTING_DEFAULT, nest,
			     vpnpass_setting_nl_policy, info->extack))
		return -EINVAL;
	if (!tb[VPNPASS_A_SETTING_NAME] || !tb[VPNPASS_A_SETTING_VALUE]) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "a setting needs a name and a value");
		return -EINVAL;
	}
	idx = setting_find(p, nla_data(tb[VPNPASS_A_SETTING_NAME]));
	if (idx < 0) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[VPNPASS_A_SETTING_NAME],
				    "the protocol has no such setting");
		return idx;
	}
	if (p->settings[idx].gone) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[VPNPASS_A_SETTING_NAME],
				    "this setting means nothing any more, and is ignored");
		return 0;
	}
	if (!vpnpass_limit_allowed(vn, p, idx, nla_get_u32(tb[VPNPASS_A_SETTING_VALUE]))) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[VPNPASS_A_SETTING_VALUE],
				    "above the limit of the initial network namespace");
		return -EPERM;
	}
	value = nla_get_u32(tb[VPNPASS_A_SETTING_VALUE]);
	if (value < p->settings[idx].min || value > p->settings[idx].max) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[VPNPASS_A_SETTING_VALUE],
				    "value out of range");
		return -ERANGE;
	}
	return vpnpass_setting_set(vn, p, idx, value);
}

static int set_request(struct vpnpass_net *vn, struct genl_info *info)
{
	struct nlattr *mode = info->attrs[VPNPASS_A_PROTO_MODE];
	struct vpnpass_proto *p = proto_of(info);
	int err = 0;

	if (IS_ERR(p))
		return PTR_ERR(p);
	if (!mode && !info->attrs[VPNPASS_A_PROTO_SETTING]) {
		NL_SET_ERR_MSG(info->extack, "neither a mode nor a setting to set");
		return -EINVAL;
	}
	if (info->attrs[VPNPASS_A_PROTO_SETTING])
		err = setting_request(vn, p, info);
	if (!err && mode) {
		err = vpnpass_mode_set(vn, p, nla_get_u32(mode));
		if (err)
			NL_SET_ERR_MSG(info->extack, "cannot register the hooks");
	}
	return err;
}

int vpnpass_nl_proto_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpnpass_net *vn;
	int err;

	mutex_lock(&vpnpass_mutex);
	vn = vpnpass_net_make(genl_info_net(info));
	err = IS_ERR(vn) ? PTR_ERR(vn) : set_request(vn, info);
	mutex_unlock(&vpnpass_mutex);
	return err;
}

struct filter {
	const char *proto;
	const union nf_inet_addr *client;
	const union nf_inet_addr *peer;
	u8 client_len;
	u8 peer_len;
};

static int filter_addr(const struct nlattr *attr, const union nf_inet_addr **addr,
		       u8 *len, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*len = nla_len(attr);
	if (*len != sizeof(struct in_addr) && *len != sizeof(struct in6_addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an address has 4 (IPv4) or 16 (IPv6) bytes");
		return -EINVAL;
	}
	*addr = nla_data(attr);
	return 0;
}

static int filter_read(struct filter *f, struct nlattr *const *tb,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *proto = tb[VPNPASS_A_SESSION_PROTO];
	int err;

	memset(f, 0, sizeof(*f));
	if (proto) {
		f->proto = nla_data(proto);
		if (!vpnpass_proto_find(f->proto)) {
			NL_SET_ERR_MSG_ATTR(extack, proto,
					    "no such protocol: its module is not loaded");
			return -ENOENT;
		}
	}
	err = filter_addr(tb[VPNPASS_A_SESSION_CLIENT], &f->client,
			  &f->client_len, extack);
	return err ?: filter_addr(tb[VPNPASS_A_SESSION_PEER], &f->peer,
				  &f->peer_len, extack);
}

static bool addr_match(const union nf_inet_addr *want, u8 len,
		       const union nf_inet_addr *have, u8 have_len)
{
	return !want || (len == have_len && !memcmp(want, have, len));
}

static bool filter_match(const struct vpnpass_session *s, const void *arg)
{
	const struct filter *f = arg;

	return (!f->proto || !strcmp(f->proto, s->proto->name)) &&
	       addr_match(f->client, f->client_len, &s->client, vpnpass_addr_len(s)) &&
	       addr_match(f->peer, f->peer_len, &s->peer, vpnpass_addr_len(s));
}

static int put_pins(struct sk_buff *skb, const struct vpnpass_session *s)
{
	const struct vpnpass_pin *pin;
	int err = 0;

	list_for_each_entry(pin, &s->pins, list) {
		if (pin->key.kind & VPNPASS_KEY_QUOTE ||
		    pin->number_kind == VPNPASS_NUMBER_HIDDEN)
			continue;
		err = vpnpass_nl_put_pin(skb, VPNPASS_A_SESSION_PIN, pin);
		if (err)
			break;
	}
	return err;
}

/* The session's numbers, and those of the one that came out of it. RCU read side. */
static int put_all_pins(struct sk_buff *skb, const struct vpnpass_session *s)
{
	const struct vpnpass_session *child = NULL;
	int err;

	if (s->proto->ops->session_child)
		child = s->proto->ops->session_child(s);
	spin_lock_bh(&s->vn->lock);
	err = put_pins(skb, s);
	if (!err && child)
		err = put_pins(skb, child);
	spin_unlock_bh(&s->vn->lock);
	return err;
}

static int put_zones(struct sk_buff *skb, const struct nf_conn *ct)
{
	const struct nf_conntrack_zone *zone = nf_ct_zone(ct);
	u16 orig = nf_ct_zone_id(zone, IP_CT_DIR_ORIGINAL);
	u16 reply = nf_ct_zone_id(zone, IP_CT_DIR_REPLY);

	if (orig && nla_put_u32(skb, VPNPASS_A_SESSION_ZONE, orig))
		return -EMSGSIZE;
	if (reply && nla_put_u32(skb, VPNPASS_A_SESSION_ZONE_REPLY, reply))
		return -EMSGSIZE;
	return 0;
}

/* The device that the connection is masqueraded on, if it is. */
static int put_masq(struct sk_buff *skb, const struct nf_conn *ct)
{
	int err = 0, index = vpnpass_conn_masq_index(ct);
	const struct net_device *dev;

	if (!index)
		return 0;
	rcu_read_lock();
	dev = dev_get_by_index_rcu(nf_ct_net(ct), index);
	if (dev)
		err = nla_put_string(skb, VPNPASS_A_SESSION_DEVICE, dev->name);
	rcu_read_unlock();
	return err;
}

/* Attributes that it takes to restore the session. */
static int put_conn(struct sk_buff *skb, const struct vpnpass_session *s)
{
	const union nf_inet_addr *dest;
	u32 lifetime;

	dest = &s->ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3;
	if (!nf_inet_addr_cmp(dest, &s->peer) &&
	    nla_put(skb, VPNPASS_A_SESSION_DEST, vpnpass_addr_len(s), dest))
		return -EMSGSIZE;
	/* A user's own conntrack timeout may be longer. */
	lifetime = jiffies_to_msecs(min(nf_ct_expires(s->ct), VPNPASS_TIMEOUT_MAX * HZ));
	if (nla_put_u32(skb, VPNPASS_A_SESSION_LIFETIME, lifetime))
		return -EMSGSIZE;
	return put_zones(skb, s->ct) ?: put_masq(skb, s->ct);
}

static int put_session_msg(struct sk_buff *skb, struct netlink_callback *cb,
			   const struct vpnpass_session *s)
{
	bool alone = !skb->len;
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &vpnpass_nl_family, NLM_F_MULTI, VPNPASS_CMD_SESSION_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (vpnpass_nl_put_session(skb, s) || put_conn(skb, s))
		goto cancel;
	/* A session with more pins than a message holds is shown with those that fit. */
	if (put_all_pins(skb, s) && !alone)
		goto cancel;
	genlmsg_end(skb, hdr);
	return 0;

cancel:
	genlmsg_cancel(skb, hdr);
	return -EMSGSIZE;
}

/* Sessions of a protocol after ID cb->args[1]. */
static int dump_proto(struct sk_buff *skb, struct netlink_callback *cb,
		      struct vpnpass_proto_net *pn, const struct filter *f)
{
	const struct vpnpass_session *s;
	unsigned long id;
	int err = 0;

	rcu_read_lock();
	for (;;) {
		id = cb->args[1] + 1;
		s = vpnpass_session_next(pn, &id);
		if (!s)
			break;
		if (!s->hidden && filter_match(s, f))
			err = put_session_msg(skb, cb, s);
		if (err)
			break;
		cb->args[1] = id;
		if (!(id % DUMP_BATCH) && need_resched()) {
			rcu_read_unlock();
			cond_resched();
			rcu_read_lock();
		}
	}
	rcu_read_unlock();
	return err;
}

static bool public_sessions;
module_param(public_sessions, bool, 0444);
MODULE_PARM_DESC(public_sessions, "let anybody in a network namespace read its sessions and events (default: no)");

/* Sessions say who talks to whom, which is not for everybody, as with conntrack's entries. */
static int may_read(const struct netlink_callback *cb, const struct net *net)
{
	if (public_sessions || netlink_ns_capable(cb->skb, net->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(cb->extack, "sessions are shown to CAP_NET_ADMIN alone");
	return -EPERM;
}

int vpnpass_nl_session_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb)
{
	struct net *net = sock_net(skb->sk);
	struct vpnpass_net *vn = vpnpass_net_get(net);
	struct filter f;
	int i, err;

	mutex_lock(&vpnpass_mutex);
	err = filter_read(&f, vpnpass_dump_attrs(cb), cb->extack) ?: may_read(cb, net);
	for (i = cb->args[0]; vn && !err && i < VPNPASS_PROTOS; i++) {
		if (i != cb->args[0])
			cb->args[1] = 0;
		cb->args[0] = i;
		if (vpnpass_proto_slot(i) && dump_proto(skb, cb, &vn->proto[i], &f))
			goto out;
	}
	cb->args[0] = VPNPASS_PROTOS;
out:
	mutex_unlock(&vpnpass_mutex);
	return err ?: skb->len;
}

int vpnpass_nl_session_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpnpass_net *vn = vpnpass_net_get(genl_info_net(info));
	struct sk_buff *reply;
	struct filter f;
	u32 n = 0;
	void *hdr;
	int i, err;

	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	mutex_lock(&vpnpass_mutex);
	err = filter_read(&f, info->attrs, info->extack);
	for (i = 0; vn && !err && i < VPNPASS_PROTOS; i++)
		if (vpnpass_proto_slot(i))
			n += vpnpass_sessions_end_if(vn, i, filter_match, &f,
						     "flushed");
	mutex_unlock(&vpnpass_mutex);
	if (err)
		goto free;

	err = -EMSGSIZE;
	hdr = genlmsg_put_reply(reply, info, &vpnpass_nl_family, 0,
				VPNPASS_CMD_SESSION_FLUSH);
	if (!hdr || nla_put_u32(reply, VPNPASS_A_SESSION_COUNT, n))
		goto free;
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);

free:
	nlmsg_free(reply);
	return err;
}

static struct genl_multicast_group groups[] __ro_after_init = {
	{ .name = VPNPASS_MCGRP_EVENTS },
};

/* Context: process. Returns 0 or -errno. */
int __init vpnpass_netlink_init(void)
{
	if (!public_sessions)
		groups[0].flags = VPNPASS_MCAST_ADMIN;
	vpnpass_nl_family.ops = vpnpass_nl_ops;
	vpnpass_nl_family.n_ops = VPNPASS_NL_N_OPS;
	vpnpass_nl_family.mcgrps = groups;
	vpnpass_nl_family.n_mcgrps = ARRAY_SIZE(groups);
	return genl_register_family(&vpnpass_nl_family);
}

void vpnpass_netlink_exit(void)
{
	genl_unregister_family(&vpnpass_nl_family);
}
