// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family, and sessions and pins as attributes, in answers and in
 * events alike. Operations are joined to the family when it is registered (netlink.c).
 */
#include <linux/module.h>
#include <net/netfilter/nf_conntrack_acct.h>

#include "nl_put.h"

struct genl_family vpnpass_nl_family __ro_after_init = {
	.name = VPNPASS_FAMILY_NAME,
	.version = VPNPASS_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	VPNPASS_GENL_RESV_START(VPNPASS_CMD_MAX + 1)
};

int vpnpass_nl_put_pin(struct sk_buff *skb, int attr,
		       const struct vpnpass_pin *pin)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	u64 mask = pin->session->proto->number_mask ?: ~0ULL;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, VPNPASS_A_PIN_KIND, pin->number_kind) ||
	    nla_put_u32(skb, VPNPASS_A_PIN_DIR, pin->dir) ||
	    nla_put_u64_64bit(skb, VPNPASS_A_PIN_NUMBER, pin->key.number & mask,
			      VPNPASS_A_PIN_PAD) ||
	    nla_put_u32(skb, VPNPASS_A_PIN_IDLE,
			vpnpass_now() - READ_ONCE(pin->last)) ||
	    nla_put_u32(skb, VPNPASS_A_PIN_STATE, VPNPASS_PIN_STATE_SETTLED) ||
	    (pin->nat_number &&
	     nla_put_u64_64bit(skb, VPNPASS_A_PIN_NAT_NUMBER, pin->nat_number,
			       VPNPASS_A_PIN_PAD))) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

static int put_counts(struct sk_buff *skb, const struct vpnpass_session *s)
{
	static const struct {
		int attr;
		int dir;
		bool bytes;
	} counts[] = {
		{ VPNPASS_A_SESSION_PACKETS_OUT, IP_CT_DIR_ORIGINAL, false },
		{ VPNPASS_A_SESSION_BYTES_OUT, IP_CT_DIR_ORIGINAL, true },
		{ VPNPASS_A_SESSION_PACKETS_IN, IP_CT_DIR_REPLY, false },
		{ VPNPASS_A_SESSION_BYTES_IN, IP_CT_DIR_REPLY, true },
	};
	const struct nf_conn_acct *acct = nf_conn_acct_find(s->ct);
	const struct nf_conn_counter *c;
	u64 n = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		if (acct) {
			c = &acct->counter[counts[i].dir];
			n = atomic64_read(counts[i].bytes ? &c->bytes : &c->packets);
		}
		if (nla_put_u64_64bit(skb, counts[i].attr, n, VPNPASS_A_SESSION_PAD))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_fast(struct sk_buff *skb, const struct vpnpass_session *s)
{
	if (!s->proto->fast_setting)
		return 0;
	if (nla_put_u64_64bit(skb, VPNPASS_A_SESSION_FAST_OUT,
			      atomic64_read(&s->fast[IP_CT_DIR_ORIGINAL]),
			      VPNPASS_A_SESSION_PAD))
		return -EMSGSIZE;
	return nla_put_u64_64bit(skb, VPNPASS_A_SESSION_FAST_IN,
				 atomic64_read(&s->fast[IP_CT_DIR_REPLY]),
				 VPNPASS_A_SESSION_PAD);
}

/* The attributes of a session but for its pins; any context, RCU. */
int vpnpass_nl_put_session(struct sk_buff *skb, const struct vpnpass_session *s)
{
	u64 age = div_u64(ktime_get_boottime_ns() - s->began, NSEC_PER_MSEC);
	const struct vpnpass_ops *ops = s->proto->ops;
	const char *state;
	u32 version;

	state = ops->session_state ? ops->session_state(s) : NULL;
	version = ops->session_version ? ops->session_version(s) : 0;
	if (nla_put_u64_64bit(skb, VPNPASS_A_SESSION_ID, s->id,
			      VPNPASS_A_SESSION_PAD) ||
	    nla_put_string(skb, VPNPASS_A_SESSION_PROTO, s->proto->name) ||
	    nla_put(skb, VPNPASS_A_SESSION_CLIENT, vpnpass_addr_len(s), &s->client) ||
	    nla_put(skb, VPNPASS_A_SESSION_PEER, vpnpass_addr_len(s), &s->peer) ||
	    nla_put(skb, VPNPASS_A_SESSION_LOCAL, vpnpass_addr_len(s), &s->local) ||
	    nla_put_u64_64bit(skb, VPNPASS_A_SESSION_AGE, age,
			      VPNPASS_A_SESSION_PAD) ||
	    nla_put_u64_64bit(skb, VPNPASS_A_SESSION_IDLE,
			      vpnpass_now() - READ_ONCE(s->last),
			      VPNPASS_A_SESSION_PAD) ||
	    put_counts(skb, s) || put_fast(skb, s) ||
	    (state && nla_put_string(skb, VPNPASS_A_SESSION_STATE, state)) ||
	    (version && nla_put_u32(skb, VPNPASS_A_SESSION_VERSION, version)))
		return -EMSGSIZE;
	return 0;
}
