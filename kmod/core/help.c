// SPDX-License-Identifier: GPL-2.0
/*
 * A conntrack helper of our own, in the netfilter sense: it brings packets of a
 * VPN's connections to hook.c when they leave, and costs other traffic nothing.
 * It expects nothing, and no rule can name it, as no packet has its protocol. A
 * flowtable leaves connections with a helper alone.
 */
#include <net/netfilter/nf_conntrack_helper.h>

#include "core.h"

static struct nf_conntrack_helper *helper;

/**
 * vpnpass_conn_watched() - do a connection's packets come to vpnpass_leaving()?
 * @ct: the connection
 *
 * Context: RCU read side.
 */
bool vpnpass_conn_watched(const struct nf_conn *ct)
{
	const struct nf_conn_help *help = nfct_help(ct);

	return help && rcu_access_pointer(help->helper) == helper;
}
EXPORT_SYMBOL_GPL(vpnpass_conn_watched);

/**
 * vpnpass_conn_watch() - have a connection's packets come to vpnpass_leaving()
 * @ct: not confirmed, without a helper
 *
 * Context: any, RCU read side.
 * Return: false when there is no memory.
 */
bool vpnpass_conn_watch(struct nf_conn *ct)
{
	struct nf_conn_help *help;

	help = nf_ct_helper_ext_add(ct, GFP_ATOMIC | __GFP_NOWARN);
	if (!help)
		return false;
	vpnpass_compat_helper_set(help, helper);
	/* or kernels before 6.0 look for one by the port once NAT is done */
	set_bit(IPS_HELPER_BIT, &ct->status);
	return true;
}

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
	vpnpass_compat_helper_unset(helper);
}
EXPORT_SYMBOL_GPL(vpnpass_conn_unwatch);

/* Context: process. Returns 0 or -errno. */
int vpnpass_help_init(void)
{
	return vpnpass_compat_helper_new(&helper, vpnpass_leaving);
}

/* No connection leads to us any more. Process context, with no hooks left. */
void vpnpass_help_exit(void)
{
	nf_conntrack_helper_unregister(helper);
}
