/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for unknown SPIs: it comes with clients, never with an arrival. */
#ifndef VPNPASS_ESP_PAIR_ROOM_H
#define VPNPASS_ESP_PAIR_ROOM_H

#include "claims.h"

void pair_room_add(struct pair_group *g, struct pair_trial *t);
void pair_room_del(struct pair_group *g, struct pair_trial *t);
void pair_room_free(struct pair_group *g, struct pair_trial *t);
struct pair_trial *pair_room_find(const struct pair_group *g, u32 spi);
struct pair_trial *pair_room_new(struct pair_group *g, u32 spi, u32 now);
void pair_room_seen(struct pair_group *g, struct pair_trial *t, u32 now);
void pair_room_forget(struct pair_group *g, const struct pair_client *c);
void pair_set_lead(struct pair_trial *t, struct pair_client *c);

#endif /* VPNPASS_ESP_PAIR_ROOM_H */
