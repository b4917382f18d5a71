// SPDX-License-Identifier: GPL-2.0
/*
 * Meanings of the counters, in a line each; see counters.h. vpnpass(4) has the
 * same by protocol. A counter of a newer module has no line here.
 */
#include <string.h>

#include "counters.h"
#include "util.h"

static const struct {
	const char *name, *help;
} counters[] = {
	{ "adopted", "Key exchanges first seen in the middle" },
	{ "blocked", "Packets dropped because the switch is at block" },
	{ "by_responder_spi", "Messages told apart by the responder's SPI" },
	{ "call_failed", "Calls given up for want of memory or numbers" },
	{ "calls", "Calls set up" },
	{ "calls_refused", "Calls that the server or a limit refused" },
	{ "calls_restored", "Calls found again by their GRE" },
	{ "children", "Exchanges that made ESP associations" },
	{ "conflict", "Numbers and ports another session has, connections another helper has" },
	{ "controls", "Control connections begun" },
	{ "copies", "Copies of packets sent to further clients in doubt" },
	{ "corrected", "Inbound SPIs whose pin was taken back on contrary evidence" },
	{ "dropped_ahead", "Control segments dropped because one before them is missing" },
	{ "dropped_early", "GRE packets dropped because their call is not set up yet" },
	{ "dropped_strict", "Packets in doubt dropped because of the setting strict" },
	{ "esp", "ESP packets in UDP seen" },
	{ "established", "Key exchanges completed" },
	{ "fast_learned", "Ways found for a number's packets" },
	{ "fast_packets", "Packets that went the fast way" },
	{ "fast_refused", "Times that a number's packets had no fast way" },
	{ "gateway_first", "Key exchanges that the gateway began" },
	{ "hidden_id", "Tunnel IDs that cannot be read because they are hidden" },
	{ "icmp_related", "ICMP errors led to the client they are about" },
	{ "ike", "IKE messages on the NAT traversal port seen" },
	{ "keepalive", "NAT keepalives seen" },
	{ "kept_port", "Sessions that kept their source port" },
	{ "limit_client", "Sessions refused by max_per_client" },
	{ "limit_copies", "Packets in doubt that went to fewer clients because of copy_rate" },
	{ "limit_half_open", "Key exchanges refused by max_half_open" },
	{ "limit_half_open_client", "Key exchanges refused by max_half_open_client" },
	{ "limit_ids", "Numbers refused by max_ids" },
	{ "limit_numbers", "Numbers refused because a session has as many as it may" },
	{ "limit_peer", "Sessions refused by max_per_peer" },
	{ "limit_sessions", "Sessions refused by max_sessions" },
	{ "limit_unknown", "Packets from a gateway with too many unknown numbers" },
	{ "local_sa", "Packets of the router's own IPsec, left alone" },
	{ "malformed", "Packets that break the protocol's format" },
	{ "move_refused", "Packets from another port of the server's that fit no tunnel" },
	{ "moved_natt", "Key exchanges that went on with NAT traversal" },
	{ "moved_port", "Servers that answered from another port" },
	{ "no_memory", "Failures for want of memory" },
	{ "no_room", "Packets dropped, as nothing can be remembered of their SPI" },
	{ "paired", "Numbers paired with those of the other direction" },
	{ "paired_evidence", "Inbound SPIs paired by what was observed over several packets" },
	{ "paired_only_client", "Inbound SPIs paired with the only client" },
	{ "pin_failed", "Numbers that could not be pinned" },
	{ "plain", "Connections left to plain NAT" },
	{ "repeated", "Control segments seen again and rewritten as before" },
	{ "resumed", "Control connections found again" },
	{ "rewritten", "Control segments rewritten" },
	{ "sessions_end", "Sessions ended" },
	{ "sessions_new", "Sessions begun" },
	{ "tunnels", "Tunnels set up" },
	{ "unknown_id", "Packets with a number that belongs to nobody" },
	{ "unknown_spi", "Packets with an SPI that belongs to nobody" },
	{ "waited", "Packets made to wait for another client's pairing" },
};

/**
 * counter_help - What a counter counts.
 * @name: The counter.
 *
 * Return: a line of text, NULL for one that is not known here.
 */
const char *counter_help(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (!strcmp(counters[i].name, name))
			return counters[i].help;
	return NULL;
}
