// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink operation session-restore: reads what user space saved of a
 * session, checks it, has the module begin it again. A module has no packet to
 * go by here, so nothing is taken on trust that the router itself can tell.
 */
#include <linux/netdevice.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "core.h"
#include "netlink_gen.h"
#include "nl_put.h"

static const int needed[] = {
	VPNPASS_A_SESSION_PROTO, VPNPASS_A_SESSION_CLIENT, VPNPASS_A_SESSION_PEER,
	VPNPASS_A_SESSION_LOCAL, VPNPASS_A_SESSION_LIFETIME,
};

static bool unicast(const union nf_inet_addr *a, u8 family)
{
	int type;

	if (family == NFPROTO_IPV4)
		return !ipv4_is_multicast(a->ip) && !ipv4_is_lbcast(a->ip) &&
		       !ipv4_is_zeronet(a->ip) && !ipv4_is_loopback(a->ip);
	type = ipv6_addr_type(&a->in6);
	return (type & IPV6_ADDR_UNICAST) &&
	       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_MAPPED));
}

static int read_addr(struct genl_info *info, int type, u8 family,
		     union nf_inet_addr *to)
{
	const struct nlattr *attr = info->attrs[type];
	int len = family == NFPROTO_IPV4 ? sizeof(struct in_addr) :
					   sizeof(struct in6_addr);

	if (nla_len(attr) != len) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "addresses are of different families");
		return -EINVAL;
	}
	memcpy(to, nla_data(attr), len);
	if (unicast(to, family))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "not the address of a host");
	return -EINVAL;
}

static int read_addrs(struct genl_info *info, struct vpnpass_restore *r)
{
	int err, len = nla_len(info->attrs[VPNPASS_A_SESSION_CLIENT]);

	if (len != sizeof(struct in_addr) && len != sizeof(struct in6_addr)) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[VPNPASS_A_SESSION_CLIENT],
				    "an address has 4 (IPv4) or 16 (IPv6) bytes");
		return -EINVAL;
	}
	r->family = len == sizeof(struct in_addr) ? NFPROTO_IPV4 : NFPROTO_IPV6;
	err = read_addr(info, VPNPASS_A_SESSION_CLIENT, r->family, &r->client) ?:
	      read_addr(info, VPNPASS_A_SESSION_PEER, r->family, &r->peer) ?:
	      read_addr(info, VPNPASS_A_SESSION_LOCAL, r->family, &r->local);
	if (err)
		return err;
	r->dest = r->peer;
	if (info->attrs[VPNPASS_A_SESSION_DEST])
		err = read_addr(info, VPNPASS_A_SESSION_DEST, r->family, &r->dest);
	if (!err && (nf_inet_addr_cmp(&r->client, &r->local) ||
		     nf_inet_addr_cmp(&r->peer, &r->local) ||
		     nf_inet_addr_cmp(&r->client, &r->peer))) {
		NL_SET_ERR_MSG(info->extack,
			       "client, peer and local are three addresses");
		err = -EINVAL;
	}
	return err;
}

/* The zone of one direction; absent is the default one. */
static int read_zone(struct genl_info *info, int type, u16 *id)
{
	const struct nlattr *attr = info->attrs[type];

	*id = NF_CT_DEFAULT_ZONE_ID;
	if (!attr)
		return 0;
	if (nla_get_u32(attr) > U16_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such conntrack zone");
		return -ERANGE;
	}
	if (!IS_ENABLED(CONFIG_NF_CONNTRACK_ZONES)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "this kernel has no conntrack zones");
		return -EOPNOTSUPP;
	}
	*id = nla_get_u32(attr);
	return 0;
}

/* A connection has one zone, for one direction or both. */
static int read_zones(struct genl_info *info, struct vpnpass_restore *r)
{
	u16 orig, reply;
	int err;

	err = read_zone(info, VPNPASS_A_SESSION_ZONE, &orig) ?:
	      read_zone(info, VPNPASS_A_SESSION_ZONE_REPLY, &reply);
	if (err)
		return err;
	r->zone.dir = NF_CT_DEFAULT_ZONE_DIR;
	r->zone.id = orig ?: reply;
	if (orig == reply)
		return 0;
	if (orig && reply) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[VPNPASS_A_SESSION_ZONE_REPLY],
				    "the zones of both directions differ");
		return -EINVAL;
	}
	r->zone.dir = orig ? NF_CT_ZONE_DIR_ORIG : NF_CT_ZONE_DIR_REPL;
	return 0;
}

static int read_device(struct genl_info *info, struct vpnpass_restore *r)
{
	const struct nlattr *attr = info->attrs[VPNPASS_A_SESSION_DEVICE];
	struct net_device *dev;

	if (!attr)
		return 0;
	rcu_read_lock();
	dev = dev_get_by_name_rcu(genl_info_net(info), nla_data(attr));
	if (dev)
		r->masq_index = dev->ifindex;
	rcu_read_unlock();
	if (dev)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "no such device");
	return -ENODEV;
}

static int read_pin(struct genl_info *info, const struct nlattr *nest,
		    struct vpnpass_restore *r)
{
	struct nlattr *tb[VPNPASS_A_PIN_MAX + 1];
	struct vpnpass_restore_pin *pin;

	if (r->n_pins == VPNPASS_RESTORE_PINS) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest, "too many numbers");
		return -E2BIG;
	}
	if (nla_parse_nested(tb, VPNPASS_A_PIN_STATE, nest, vpnpass_pin_nl_policy,
			     info->extack))
		return -EINVAL;
	if (!tb[VPNPASS_A_PIN_KIND] || !tb[VPNPASS_A_PIN_DIR] ||
	    !tb[VPNPASS_A_PIN_NUMBER]) {
		NL_SET_ERR_MSG_ATTR(info->extack, nest,
				    "a number needs its kind and direction");
		return -EINVAL;
	}
	pin = &r->pins[r->n_pins++];
	pin->attr = nest;
	pin->kind = nla_get_u32(tb[VPNPASS_A_PIN_KIND]);
	pin->dir = nla_get_u32(tb[VPNPASS_A_PIN_DIR]);
	pin->number = nla_get_u64(tb[VPNPASS_A_PIN_NUMBER]);
	if (tb[VPNPASS_A_PIN_IDLE])
		pin->idle = nla_get_u32(tb[VPNPASS_A_PIN_IDLE]);
	return 0;
}

static int read_pins(struct genl_info *info, struct vpnpass_restore *r)
{
	const struct nlattr *attr;
	int left, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, left) {
		if (nla_type(attr) != VPNPASS_A_SESSION_PIN)
			continue;
		err = read_pin(info, attr, r);
		if (err)
			return err;
	}
	return 0;
}

static int read_lifetime(struct genl_info *info, struct vpnpass_restore *r)
{
	const struct nlattr *attr = info->attrs[VPNPASS_A_SESSION_LIFETIME];

	r->lifetime = nla_get_u32(attr);
	if (r->lifetime && r->lifetime <= VPNPASS_TIMEOUT_MAX * MSEC_PER_SEC)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "value out of range");
	return -ERANGE;
}

static int read_request(struct genl_info *info, struct vpnpass_restore *r)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		if (info->attrs[needed[i]])
			continue;
		NL_SET_ERR_MSG(info->extack,
			       "proto, client, peer, local and lifetime are required");
		return -EINVAL;
	}
	r->extack = info->extack;
	return read_addrs(info, r) ?: read_zones(info, r) ?:
	       read_device(info, r) ?: read_lifetime(info, r) ?:
	       read_pins(info, r);
}

/* Context: vpnpass_mutex, so the module stays. */
static int restore(struct genl_info *info, struct vpnpass_restore *r)
{
	const struct nlattr *name = info->attrs[VPNPASS_A_SESSION_PROTO];
	struct vpnpass_net *vn = vpnpass_net_get(genl_info_net(info));
	struct vpnpass_proto *p = vpnpass_proto_find(nla_data(name));
	int ret;

	if (!p) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "no such protocol: its module is not loaded");
		return -ENOENT;
	}
	if (!p->ops->restore) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "sessions of this protocol cannot be restored");
		return -EOPNOTSUPP;
	}
	if (!vn || vn->proto[p->idx].mode != VPNPASS_MODE_ON) {
		NL_SET_ERR_MSG_ATTR(info->extack, name,
				    "the protocol is not switched on");
		return -ESHUTDOWN;
	}
	rcu_read_lock();
	ret = p->ops->restore(vn, r);
	rcu_read_unlock();
	return ret;
}

int vpnpass_nl_session_restore_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vpnpass_restore *r;
	struct sk_buff *reply;
	void *hdr;
	int ret;

	reply = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	ret = -ENOMEM;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		goto free;
	ret = read_request(info, r);
	if (!ret) {
		mutex_lock(&vpnpass_mutex);
		ret = restore(info, r);
		mutex_unlock(&vpnpass_mutex);
	}
	kfree(r);
	if (ret < 0)
		goto free;

	hdr = genlmsg_put_reply(reply, info, &vpnpass_nl_family, 0,
				VPNPASS_CMD_SESSION_RESTORE);
	if (!hdr || nla_put_u32(reply, VPNPASS_A_SESSION_COUNT, ret)) {
		ret = -EMSGSIZE;
		goto free;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);

free:
	nlmsg_free(reply);
	return ret;
}
