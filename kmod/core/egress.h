/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPNPASS_CORE_EGRESS_H
#define VPNPASS_CORE_EGRESS_H

#include "core.h"

int vpnpass_packet_leaves(struct sk_buff *skb, unsigned int protoff, struct nf_conn *ct,
			  enum ip_conntrack_info ctinfo);

#endif /* VPNPASS_CORE_EGRESS_H */
