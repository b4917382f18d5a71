// SPDX-License-Identifier: GPL-2.0
/* Rule 2 of docs/pairing.md. */
#include "window.h"

/* Eighths of the logarithm, by a line between the powers of two. */
s16 pair_log2(u32 x)
{
	s16 n = 0;

	for (x = max_t(u32, x, 1) << 3; x >= 16; x >>= 1)
		n++;
	return n * PAIR_BIT + (s16)(x - 8);
}

/**
 * pair_window_sample() - a message of IKE was answered
 * @w: the window
 * @ms: how long after
 */
void pair_window_sample(struct pair_window *w, u32 ms)
{
	u32 x = min_t(u32, ms, PAIR_RECENT_MS) * 16;

	if (!w->n) {
		w->lo = x;
		w->hi = x;
	}
	w->n = min_t(u8, w->n + 1, 4);
	w->lo = x < w->lo ? x : w->lo + (x - w->lo) / 16;
	w->hi = x > w->hi ? x : w->hi - (w->hi - x) / 16;
}

/* Without IKE: what most arrivals in doubt have in common, ms. */
void pair_window_lags(struct pair_window *w, u32 lo, u32 hi)
{
	w->lo = lo * 16;
	w->hi = hi * 16;
}

/* The next round trip may differ by so many ms from those seen: by more, the fewer
 * there were.
 */
static u32 margin(const struct pair_window *w)
{
	return (w->hi - w->lo) / 32 + 8 + (w->n ? w->hi / 16 / 4 / w->n : 0);
}

static u32 window_begin(const struct pair_window *w)
{
	u32 lo = w->lo / 16;

	return lo > margin(w) ? lo - margin(w) : 0;
}

/* Samples of ESP itself have the time of the host behind the gateway in them. */
u32 pair_window_end(const struct pair_window *w)
{
	if (!w->hi)
		return PAIR_UNKNOWN_MS;
	return w->hi / 16 + margin(w) + (w->n ? PAIR_THINK_MS : 0);
}

u32 pair_window_len(const struct pair_window *w)
{
	return pair_window_end(w) - window_begin(w);
}

bool pair_in_window(const struct pair_window *w, u32 question, u32 now)
{
	u32 age = now - question;

	return age >= window_begin(w) && age <= pair_window_end(w);
}

/* Whether what arrives then comes late enough to answer. */
bool pair_is_answer(const struct pair_window *w, u32 question, u32 arrival)
{
	return (s32)(arrival - question - window_begin(w)) >= 0;
}
