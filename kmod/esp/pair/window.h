/* SPDX-License-Identifier: GPL-2.0 */
/* When an answer to a question may come, learnt from round trips. */
#ifndef VPNPASS_ESP_PAIR_WINDOW_H
#define VPNPASS_ESP_PAIR_WINDOW_H

#include "pair.h"

#define PAIR_BIT	8	/* a score is in eighths of a bit */

s16 pair_log2(u32 x);
void pair_window_sample(struct pair_window *w, u32 ms);
void pair_window_lags(struct pair_window *w, u32 lo, u32 hi);
u32 pair_window_end(const struct pair_window *w);
u32 pair_window_len(const struct pair_window *w);
bool pair_in_window(const struct pair_window *w, u32 question, u32 now);
bool pair_is_answer(const struct pair_window *w, u32 question, u32 arrival);

/* An average that follows a quarter of each change; 0: no sample so far. */
static inline u16 pair_mean(u16 mean, u32 sample)
{
	sample = min_t(u32, sample, PAIR_RECENT_MS);
	return mean ? (3 * mean + sample + 2) / 4 : sample;
}

#endif /* VPNPASS_ESP_PAIR_WINDOW_H */
