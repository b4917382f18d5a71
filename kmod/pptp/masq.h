/* SPDX-License-Identifier: GPL-2.0 */
/* See masq.c. */
#ifndef VPNPASS_PPTP_MASQ_H
#define VPNPASS_PPTP_MASQ_H

#include <linux/types.h>

struct nf_conn;

bool pptp_masq_lost(const struct nf_conn *ct);

#endif
