/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPNPASS_CORE_NL_PUT_H
#define VPNPASS_CORE_NL_PUT_H

#include <net/genetlink.h>

#include "core.h"

extern struct genl_family vpnpass_nl_family;

static inline u8 vpnpass_addr_len(const struct vpnpass_session *s)
{
	return s->family == NFPROTO_IPV4 ? sizeof(struct in_addr) :
					   sizeof(struct in6_addr);
}

int vpnpass_nl_put_session(struct sk_buff *skb, const struct vpnpass_session *s);
int vpnpass_nl_put_pin(struct sk_buff *skb, int attr, const struct vpnpass_pin *pin);

#endif /* VPNPASS_CORE_NL_PUT_H */
