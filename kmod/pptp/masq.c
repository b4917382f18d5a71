// SPDX-License-Identifier: GPL-2.0
/*
 * Has a masqueraded connection lost its address? Called by control.c. A file of
 * its own since the kernel's nf_nat.h brings a PPTP header whose names are ours.
 */
#include <linux/inetdevice.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_nat.h>

#include "masq.h"

/**
 * pptp_masq_lost() - whether the router has no longer the address of a connection
 * @ct: the connection, alive or not, IPv4
 *
 * Addresses that a rule names (snat to) need not be the router's.
 *
 * Context: RCU read side.
 */
bool pptp_masq_lost(const struct nf_conn *ct)
{
#if IS_ENABLED(CONFIG_NF_NAT_MASQUERADE)
	const struct nf_conn_nat *nat = nfct_nat(ct);

	return nat && nat->masq_index &&
	       !__ip_dev_find(nf_ct_net(ct),
			      ct->tuplehash[IP_CT_DIR_REPLY].tuple.dst.u3.ip, false);
#else
	return false;
#endif
}
