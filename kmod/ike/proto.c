// SPDX-License-Identifier: GPL-2.0
/* IKE as the core sees it: its packets, settings and counters. */
#include <linux/module.h>

#include "ike.h"

static const struct vpnpass_match ike_match[] = {
	{ .l4proto = IPPROTO_UDP, .port = IKE_UDP_PORT },
};

/* The timeout is that of a quiet SA whose child SAs are at work. */
static const struct vpnpass_setting ike_settings[] = {
	VPNPASS_COMMON_SETTINGS(14400),
	[IKE_SET_HALF_OPEN_TIME] = { "half_open_timeout", "s", 1, 3600, 60 },
	[IKE_SET_MAX_HALF_OPEN] = { "max_half_open", "SAs", 1, 1000000, 4096 },
	[IKE_SET_MAX_HALF_OPEN_CLIENT] = { "max_half_open_client", "SAs", 1, 65535, 64 },
	[IKE_SET_MAX_SAS] = { "max_sas", "SAs", 8, 4096, 32 },
	[IKE_SET_GATE] = { "gate", .gone = true },
	[IKE_SET_GATE_TIME] = { "gate_time", .gone = true },
};

static const char *const ike_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[IKE_CNT_ESTABLISHED] = "established",
	[IKE_CNT_CHILDREN] = "children",
	[IKE_CNT_ADOPTED] = "adopted",
	[IKE_CNT_MOVED_NATT] = "moved_natt",
	[IKE_CNT_CONFLICT] = "conflict",
	[IKE_CNT_BY_RSPI] = "by_responder_spi",
	[IKE_CNT_GATEWAY_FIRST] = "gateway_first",
	[IKE_CNT_COPIES] = "copies",
	[IKE_CNT_UNKNOWN] = "unknown_spi",
	[IKE_CNT_LIMIT_UNKNOWN] = "limit_unknown",
	[IKE_CNT_LIMIT_HALF_OPEN] = "limit_half_open",
	[IKE_CNT_LIMIT_HALF_OPEN_CLIENT] = "limit_half_open_client",
	[IKE_CNT_PLAIN] = "plain",
};

struct vpnpass_proto ike_proto = {
	.name = "ike",
	.owner = THIS_MODULE,
	.match = ike_match,
	.n_match = ARRAY_SIZE(ike_match),
	.settings = ike_settings,
	.n_settings = ARRAY_SIZE(ike_settings),
	.counters = ike_counters,
	.n_counters = ARRAY_SIZE(ike_counters),
	.session_size = sizeof(struct ike_session),
	.net_size = sizeof(struct ike_net),
};
