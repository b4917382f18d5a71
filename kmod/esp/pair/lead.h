/* SPDX-License-Identifier: GPL-2.0 */
/* The lead of one client over all others, and when it is enough for a pin. */
#ifndef VPNPASS_ESP_PAIR_LEAD_H
#define VPNPASS_ESP_PAIR_LEAD_H

#include "suspects.h"

void pair_act_pin(struct pair_act *act, struct pair_spi *s);
void pair_act_free(struct pair_group *g, struct pair_act *act, struct pair_spi *s);
u32 pair_used_at(const struct pair_spi *s);
bool pair_spi_trim(struct pair_group *g, struct pair_client *c, bool in, u32 now,
		   struct pair_act *act);
struct pair_in *pair_add_in(struct pair_group *g, struct pair_client *c, u32 spi, u32 now,
			    struct pair_act *act);
void pair_lead_look(struct pair_group *g, struct pair_trial *t, u32 now,
		    struct pair_act *act);

#endif /* VPNPASS_ESP_PAIR_LEAD_H */
