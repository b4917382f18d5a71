// SPDX-License-Identifier: GPL-2.0
/*
 * A conntrack helper of our own is what brings packets of a VPN to hook.c when
 * they are about to leave: a hook would cost every packet of the router. It
 * expects nothing and is not for rules to name.
 */
#include <net/netfilter/nf_conntrack_helper.h>

#include "core.h"

static struct nf_conntrack_helper *helper;

/**
 * vpnpass_helper_add() - have a connection's packets come to vpnpass_help()
 * @ct: not confirmed, without a helper
 *
 * Context: any, RCU read side.
 * Return: false when there is no memory.
 */
bool vpnpass_helper_add(struct nf_conn *ct)
{
	struct nf_conn_help *help = nf_ct_helper_ext_add(ct, GFP_ATOMIC | __GFP_NOWARN);

	if (!help)
		return false;
	vpnpass_compat_helper_set(help, helper);
	/* as 6.1 does it itself: NAT must not look for another (5.10) */
	set_bit(IPS_HELPER_BIT, &ct->status);
	return true;
}

int vpnpass_helper_init(void)
{
	return vpnpass_compat_helper_new(&helper, vpnpass_help);
}

/* No connection leads to us any more. Process context, module exit, before the
 * netns' data go.
 */
void vpnpass_helper_exit(void)
{
	vpnpass_compat_helper_free(helper);
}
