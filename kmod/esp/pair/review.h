/* SPDX-License-Identifier: GPL-2.0 */
/* A pin is taken back when the traffic speaks against it. */
#ifndef VPNPASS_ESP_PAIR_REVIEW_H
#define VPNPASS_ESP_PAIR_REVIEW_H

#include "deliver.h"

void pair_out_confirm(struct pair_group *g, struct pair_out *o, bool question, u32 now,
		      struct pair_act *act);
void pair_pins_review(struct pair_group *g, struct pair_client *c, struct pair_out *o,
		      u32 now, struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_REVIEW_H */
