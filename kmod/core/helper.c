// SPDX-License-Identifier: GPL-2.0
/*
 * A conntrack helper of our own, in the netfilter sense: it brings packets of a
 * VPN's connections to egress.c when they leave, and costs other traffic nothing.
 * It expects nothing. A flowtable leaves connections with a helper alone. One is
 * registered for each protocol, under the same name, so that ctnetlink finds it for
 * the entries that conntrackd hands to another router.
 */
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_helper.h>

#include "core.h"

static struct nf_conntrack_helper *helpers[VPNPASS_HELPERS];

static struct nf_conntrack_helper *helper_for(const struct nf_conn *ct)
{
	int i;

	for (i = 0; i < VPNPASS_HELPERS; i++)
		if (vpnpass_helper_l4proto[i] == nf_ct_protonum(ct))
			return helpers[i];
	return NULL;
}

/**
 * vpnpass_conn_watched() - do a connection's packets come to vpnpass_packet_leaves()?
 * @ct: the connection
 *
 * Context: RCU read side.
 */
bool vpnpass_conn_watched(const struct nf_conn *ct)
{
	const struct nf_conn_help *help = nfct_help(ct);

	return help && rcu_access_pointer(help->helper) == helper_for(ct);
}

/* Sessions show what conntrack counts, also where the user does not have it count. It
 * did not count @skb, the first packet, for want of counters then.
 */
static bool count_from_now(struct nf_conn *ct, const struct sk_buff *skb)
{
	struct nf_conn_counter *c;

	if (nf_conn_acct_find(ct))
		return true;
	if (!nf_ct_ext_add(ct, NF_CT_EXT_ACCT, GFP_ATOMIC | __GFP_NOWARN))
		return false;
	if (!skb)
		return true;
	c = &nf_conn_acct_find(ct)->counter[IP_CT_DIR_ORIGINAL];
	atomic64_set(&c->packets, 1);
	atomic64_set(&c->bytes, skb->len - skb_network_offset(skb));
	return true;
}

/**
 * vpnpass_conn_watch() - have a connection's packets come to vpnpass_packet_leaves()
 * @ct: not confirmed, without a helper
 * @skb: its first packet, or NULL
 *
 * Context: any, RCU read side.
 * Return: false when there is no memory.
 */
bool vpnpass_conn_watch(struct nf_conn *ct, const struct sk_buff *skb)
{
	struct nf_conntrack_helper *helper = helper_for(ct);
	struct nf_conn_help *help;

	if (!helper || !count_from_now(ct, skb))
		return false;
	help = nf_ct_helper_ext_add(ct, GFP_ATOMIC | __GFP_NOWARN);
	if (!help)
		return false;
	vpnpass_compat_helper_set(help, helper);
	/* Without the bit, kernels before 6.0 look for a helper by the port once NAT is done. */
	set_bit(IPS_HELPER_BIT, &ct->status);
	return true;
}

/**
 * vpnpass_conn_data() - room in a watched connection's entry for its protocol module
 * @ct: the connection
 *
 * All zero when the watch begins, or when user space attaches it.
 *
 * Context: RCU read side.
 * Return: VPNPASS_CONN_DATA octets, or NULL when the connection is not watched.
 */
void *vpnpass_conn_data(const struct nf_conn *ct)
{
	struct nf_conn_help *help = nfct_help(ct);

	BUILD_BUG_ON(sizeof(help->data) < VPNPASS_CONN_DATA);
	/* looked up once: user space may take the helper off meanwhile */
	return help && rcu_access_pointer(help->helper) == helper_for(ct) ? help->data : NULL;
}
EXPORT_SYMBOL_GPL(vpnpass_conn_data);

/**
 * vpnpass_conn_unwatch() - undo vpnpass_conn_watch(), confirmed or not
 * @ct: a connection that is watched
 *
 * The extension's memory stays where it is: who is reading it may go on.
 *
 * Context: RCU read side; not for two at a time.
 */
void vpnpass_conn_unwatch(struct nf_conn *ct)
{
	WRITE_ONCE(ct->ext->offset[NF_CT_EXT_HELPER], 0);
	clear_bit(IPS_HELPER_BIT, &ct->status);
	vpnpass_compat_helper_unset(helper_for(ct));
}
EXPORT_SYMBOL_GPL(vpnpass_conn_unwatch);

/**
 * vpnpass_conn_rewatch() - undo vpnpass_conn_unwatch()
 * @ct: a confirmed connection, which user space gives no helper any more
 * @at: the offset that its helper extension had
 *
 * Context: RCU read side; not for two at a time.
 */
void vpnpass_conn_rewatch(struct nf_conn *ct, u8 at)
{
	struct nf_conn_help *help = (void *)ct->ext + at;

	vpnpass_compat_helper_set(help, helper_for(ct));
	set_bit(IPS_HELPER_BIT, &ct->status);
	/* A CPU that finds the extension finds the helper in it. */
	smp_store_release(&ct->ext->offset[NF_CT_EXT_HELPER], at);
}

static void helpers_del(int n)
{
	while (n--)
		nf_conntrack_helper_unregister(helpers[n]);
}

/* Have connections that are watched call @leaving for their packets when they leave.
 * Context: process. Returns 0 or -errno.
 */
int vpnpass_help_init(int (*leaving)(struct sk_buff *skb, unsigned int protoff,
				     struct nf_conn *ct, enum ip_conntrack_info ctinfo))
{
	int i, err;

	for (i = 0; i < VPNPASS_HELPERS; i++) {
		err = vpnpass_compat_helper_new(&helpers[i], i, leaving);
		if (err) {
			helpers_del(i);
			return err;
		}
	}
	return 0;
}

/* No connection leads to us any more. Process context, with no hooks left. */
void vpnpass_help_exit(void)
{
	helpers_del(VPNPASS_HELPERS);
}
