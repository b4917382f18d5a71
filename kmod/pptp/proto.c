// SPDX-License-Identifier: GPL-2.0
/* PPTP as the core sees it: its packets, settings and counters. */
#include <linux/module.h>

#include "pptp.h"

static bool gre_blocks(const struct sk_buff *skb, unsigned int thoff)
{
	const u8 *h;
	u8 buf[4];

	h = skb_header_pointer(skb, thoff, sizeof(buf), buf);
	return h && vpnpass_gre_is_pptp(h);
}

static const struct vpnpass_match pptp_match[] = {
	{ .l4proto = IPPROTO_GRE, .no_post = true, .blocks = gre_blocks },
	{ .l4proto = IPPROTO_TCP, .port = PPTP_PORT, .input = true },
};

/* A control connection (which the tool does not show) and each of its calls are
 * a session.
 */
static const struct vpnpass_setting pptp_settings[] = {
	VPNPASS_COMMON_SETTINGS_WITH(3600, 256, 16384),
	[PPTP_SET_FAST] = VPNPASS_FAST_SETTING,
};

static const char *const pptp_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[PPTP_CNT_CONTROLS] = "controls",
	[PPTP_CNT_CALLS] = "calls",
	[PPTP_CNT_CALLS_REFUSED] = "calls_refused",
	[PPTP_CNT_CALLS_RESTORED] = "calls_restored",
	[PPTP_CNT_CALL_FAILED] = "call_failed",
	[PPTP_CNT_PIN_FAILED] = "pin_failed",
	[PPTP_CNT_REWRITTEN] = "rewritten",
	[PPTP_CNT_REPEATED] = "repeated",
	[PPTP_CNT_DROPPED_AHEAD] = "dropped_ahead",
	[PPTP_CNT_DROPPED_EARLY] = "dropped_early",
	[PPTP_CNT_PLAIN] = "plain",
	[PPTP_CNT_RESUMED] = "resumed",
	[PPTP_CNT_CONFLICT] = "conflict",
	VPNPASS_FAST_COUNTERS(PPTP_CNT_FAST),
};

struct vpnpass_proto pptp_proto = {
	.name = "pptp",
	.owner = THIS_MODULE,
	.match = pptp_match,
	.n_match = ARRAY_SIZE(pptp_match),
	.settings = pptp_settings,
	.n_settings = ARRAY_SIZE(pptp_settings),
	.counters = pptp_counters,
	.n_counters = ARRAY_SIZE(pptp_counters),
	.fast_number = { .l4proto = IPPROTO_GRE, .kind = VPNPASS_KEY_PACKET },
	.fast_setting = PPTP_SET_FAST,
	.fast_counter = PPTP_CNT_FAST,
	.session_size = sizeof(struct pptp_session),
	.net_size = sizeof(struct pptp_net),
	.any_end = true,
};
