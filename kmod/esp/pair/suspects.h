/* SPDX-License-Identifier: GPL-2.0 */
/* The clients that an unknown SPI may belong to, and how much speaks for each. */
#ifndef VPNPASS_ESP_PAIR_SUSPECTS_H
#define VPNPASS_ESP_PAIR_SUSPECTS_H

#include "room.h"

struct pair_out *pair_asked_on(const struct pair_suspect *s);
struct pair_suspect *pair_suspect_of(struct pair_trial *t, const struct pair_client *c);
struct pair_suspect *pair_suspect_add(const struct pair_group *g, struct pair_trial *t,
				      struct pair_client *c);
void pair_arrival_score(struct pair_group *g, struct pair_trial *t, u32 now);

#endif /* VPNPASS_ESP_PAIR_SUSPECTS_H */
