// SPDX-License-Identifier: GPL-2.0
/* L2TP as the core sees it: its packets, settings and counters. */
#include <linux/l2tp.h>
#include <linux/module.h>

#include "l2tp.h"

static const struct vpnpass_match l2tp_match[] = {
	{ .l4proto = IPPROTO_L2TP },
	{ .l4proto = IPPROTO_UDP, .port = L2TP_UDP_PORT },
};

static const struct vpnpass_setting l2tp_settings[] = {
	VPNPASS_COMMON_SETTINGS(600),
	[L2TP_SET_KEEP_PORT] = { "keep_port", "", 0, 1, 0 },
	[L2TP_SET_MAX_IDS] = { "max_ids", "numbers", 2, 65535, 256 },
	[L2TP_SET_PAIRING_WINDOW] = { "pairing_window", "ms", 10, 10000, 500 },
	[L2TP_SET_FAST] = VPNPASS_FAST_SETTING,
};

static const char *const l2tp_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[L2TP_CNT_TUNNELS] = "tunnels",
	[L2TP_CNT_MOVED] = "moved_port",
	[L2TP_CNT_MOVE_REFUSED] = "move_refused",
	[L2TP_CNT_KEPT_PORT] = "kept_port",
	[L2TP_CNT_CONFLICT] = "conflict",
	[L2TP_CNT_HIDDEN] = "hidden_id",
	[L2TP_CNT_LIMIT_IDS] = "limit_ids",
	[L2TP_CNT_PIN_FAILED] = "pin_failed",
	[L2TP_CNT_PAIRED] = "paired",
	[L2TP_CNT_WAITED] = "waited",
	[L2TP_CNT_UNKNOWN] = "unknown_id",
	VPNPASS_FAST_COUNTERS(L2TP_CNT_FAST),
};

struct vpnpass_proto l2tp_proto = {
	.name = "l2tp",
	.owner = THIS_MODULE,
	.match = l2tp_match,
	.n_match = ARRAY_SIZE(l2tp_match),
	.settings = l2tp_settings,
	.n_settings = ARRAY_SIZE(l2tp_settings),
	.counters = l2tp_counters,
	.n_counters = ARRAY_SIZE(l2tp_counters),
	.fast_number = { .l4proto = IPPROTO_L2TP, .kind = L2TP_KEY_SESSION },
	.fast_setting = L2TP_SET_FAST,
	.fast_counter = L2TP_CNT_FAST,
	.session_size = sizeof(struct l2tp_session),
	.begins_late = true,
	.net_size = sizeof(struct l2tp_net),
	.number_mask = L2TP_NUMBER_MASK,
};
