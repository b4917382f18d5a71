/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VPNPASS_CORE_BLOCK_H
#define VPNPASS_CORE_BLOCK_H

#include "core.h"

unsigned int vpnpass_block_packet(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state);

#endif /* VPNPASS_CORE_BLOCK_H */
