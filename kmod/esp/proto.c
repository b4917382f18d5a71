// SPDX-License-Identifier: GPL-2.0
/* ESP as the core sees it: its packets, settings and counters. */
#include <linux/module.h>

#include "esp.h"

static const struct vpnpass_match esp_match[] = {
	{ .l4proto = IPPROTO_ESP },
	{ .l4proto = IPPROTO_AH, .block_only = true },
};

static const struct vpnpass_setting esp_settings[] = {
	VPNPASS_COMMON_SETTINGS(3600),
	[ESP_SET_COPIES] = { "copies", "packets", 0, 180, PAIR_COPIES_MAX },
	[ESP_SET_COPY_RATE] = { "copy_rate", "packets", 0, 65535, 16000 },
	[ESP_SET_SPIS] = { "spis", "SPIs", 8, 128, 64 },
	[ESP_SET_STRICT] = { "strict", "", 0, 1, 0 },
	[ESP_SET_WINDOW] = { "pairing_window", .gone = true },
	[ESP_SET_HOLD] = { "hold", .gone = true },
	[ESP_SET_FAST] = VPNPASS_FAST_SETTING,
};

static const char *const esp_counters[] = {
	VPNPASS_COMMON_COUNTERS,
	[ESP_CNT_PAIRED_ONLY] = "paired_only_client",
	[ESP_CNT_PAIRED_EVIDENCE] = "paired_evidence",
	[ESP_CNT_CORRECTED] = "corrected",
	[ESP_CNT_COPIES] = "copies",
	[ESP_CNT_LIMIT_COPIES] = "limit_copies",
	[ESP_CNT_UNKNOWN] = "unknown_spi",
	[ESP_CNT_DROPPED_STRICT] = "dropped_strict",
	[ESP_CNT_NO_ROOM] = "no_room",
	[ESP_CNT_LOCAL_SA] = "local_sa",
	[ESP_CNT_PIN_FAILED] = "pin_failed",
	VPNPASS_FAST_COUNTERS(ESP_CNT_FAST),
};

struct vpnpass_proto esp_proto = {
	.name = "esp",
	.owner = THIS_MODULE,
	.match = esp_match,
	.n_match = ARRAY_SIZE(esp_match),
	.settings = esp_settings,
	.n_settings = ARRAY_SIZE(esp_settings),
	.counters = esp_counters,
	.n_counters = ARRAY_SIZE(esp_counters),
	.fast_number = { .l4proto = IPPROTO_ESP, .kind = VPNPASS_KEY_PACKET },
	.fast_setting = ESP_SET_FAST,
	.fast_counter = ESP_CNT_FAST,
	.session_size = sizeof(struct esp_session),
	.net_size = sizeof(struct esp_net),
};
