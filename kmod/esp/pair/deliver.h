/* SPDX-License-Identifier: GPL-2.0 */
/* Delivery: the clients that get a packet in doubt. */
#ifndef VPNPASS_ESP_PAIR_DELIVER_H
#define VPNPASS_ESP_PAIR_DELIVER_H

#include "lead.h"

void pair_receivers_fill(struct pair_group *g, struct pair_trial *t, bool alone, u32 now,
			 struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_DELIVER_H */
