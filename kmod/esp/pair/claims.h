/* SPDX-License-Identifier: GPL-2.0 */
/* Claims: what is known of a client that may own an SPI which turns up. */
#ifndef VPNPASS_ESP_PAIR_CLAIMS_H
#define VPNPASS_ESP_PAIR_CLAIMS_H

#include "window.h"

void pair_claim_new(struct pair_client *c, u32 now);
bool pair_is_open(const struct pair_client *c);
void pair_open_update(struct pair_group *g, struct pair_client *c, bool claim);
bool pair_may_own(const struct pair_group *g, const struct pair_client *c, u32 first_at);
s16 pair_claim_score(const struct pair_group *g, const struct pair_client *c, u32 at);
struct pair_spi *pair_spi_of(const struct list_head *spis, u32 spi);
void pair_halves_join(struct pair_group *g, struct pair_spi *in, struct pair_spi *out);
void pair_halves_split(struct pair_group *g, struct pair_spi *s);
void pair_question_note(struct pair_group *g, struct pair_client *c, struct pair_out *o,
			u32 now);

#endif /* VPNPASS_ESP_PAIR_CLAIMS_H */
