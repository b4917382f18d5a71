/* SPDX-License-Identifier: GPL-2.0 */
/* Round trips without IKE: how long after questions what is in doubt arrives. */
#ifndef VPNPASS_ESP_PAIR_LAGS_H
#define VPNPASS_ESP_PAIR_LAGS_H

#include "window.h"

void pair_lag_count(struct pair_group *g, u32 now);

#endif /* VPNPASS_ESP_PAIR_LAGS_H */
