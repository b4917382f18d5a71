// SPDX-License-Identifier: GPL-2.0
/*
 * Meanings of the findings for somebody who is no engineer.
 */
#include <stddef.h>
#include <string.h>

#include "doctor.h"

static const struct {
	const char *code, *text;
} meanings[] = {
	{ "nft-drop", "This router's own firewall throws away packets that the VPN needs." },
	{ "nft-notrack",
	  "These packets leave with an address of your own network, which nobody can answer." },
	{ "fast-rules",
	  "A rule that counts or limits packets misses most of these; the VPN itself works." },
	{ "path-silent",
	  "The request left this router, and nothing came back: this VPN cannot connect." },
	{ "path-refused", "The server, or somebody on the way to it, says no to this VPN." },
	{ "dropped-here",
	  "This router throws away packets that the VPN needs, by something beside its firewall." },
	{ "untranslated", "The other end cannot answer: it sees an address of your own network." },
	{ "stale-address",
	  "The VPN goes on with an address that this router does not have there any more." },
	{ "route-split",
	  "One half of the VPN may go another way than the other, which servers refuse." },
	{ "conntrack-full", "This router has no room for more connections: new ones are dropped." },
	{ "flowtable",
	  "The router's fast path takes these packets past vpnpass, which cannot help." },
	{ "in-tree-helper", "Two helpers want the same connection, and the kernel's own has it." },
	{ "not-loaded", "Several devices that use one VPN server may get in each other's way." },
	{ "helper-missing",
	  "Several devices with this VPN and one server may get in each other's way." },
	{ "switch-off", "This VPN gets plain address translation, as without vpnpass." },
	{ "switch-block", "This VPN is forbidden on this router, by its own setting." },
	{ "limit-hit", "A client got no VPN session, as a limit of vpnpass was reached." },
	{ "no-memory", "A client got no VPN session, as the router had no memory for it." },
	{ "forwarding-off",
	  "Devices do not get out: this router keeps what they send, all or that part of it." },
	{ "no-nat",
	  "The devices' private addresses leave as they are, and nobody outside can answer." },
	{ "double-nat",
	  "The device before this router is a router as well, and has to let VPNs pass too." },
	{ "cgnat",
	  "Several customers of the provider share an address: not every VPN passes that." },
	{ "nat-outside",
	  "Something outside changes the address of what you send: not every VPN passes that." },
	{ "ike-tcp",
	  "IPsec reaches this server by another way (TCP), while its usual one is shut." },
	{ "shared-address",
	  "Several customers share an IPv4 address: native IPsec and PPTP seldom pass." },
	{ "tunnel-uplink", "All travels inside another VPN, whose far end decides what passes." },
	{ "reverse-path",
	  "Packets come in by a line where this router does not expect them, and it drops them." },
	{ "ike-fragments",
	  "The VPN begins to connect and then hangs: its large messages get lost." },
	{ "l2tp-ipsec-clash",
	  "When two devices use this server at once, one may lose its connection." },
	{ "needs-no-help", "This VPN works through any router; passthrough is not its problem." },
	{ "nat-clash",
	  "Only one device at a time can use this VPN server; what others send is lost." },
	{ "one-client",
	  "This device's VPN works; a second one that wants this server gets nothing." },
	{ "answers-unclaimed",
	  "The server answers, but this router does not know which device it is for." },
	{ "link-down", "The line to the Internet ends at this router, so there is no Internet." },
	{ "next-hop-silent", "The modem or router before this one does not answer it at all." },
	{ "no-address", "This router was given no address from outside, so there is no Internet." },
	{ "no-default-route", "This router does not know the way to the Internet." },
	{ "same-subnet", "This router cannot tell its own network from the one outside." },
	{ "route-blocked",
	  "This router itself refuses to send packets to the VPN server." },
	{ "no-route", "This router does not know a way to this server." },
	{ "small-mtu", "Large packets do not fit: a VPN may connect and then hang." },
	{ "large-lost",
	  "The VPN may begin to connect and then hang: large messages do not arrive." },
	{ "host-answers", "The server can be reached with this VPN from here." },
	{ "host-refuses", "Somebody said no when this router asked for this VPN." },
	{ "host-silent", "The server does not answer this VPN from here." },
	{ "answers-dropped",
	  "The server answers, and this router's own firewall drops the answer." },
	{ "server-nat", "The server is behind a router of its own; Windows may need a setting." },
	{ "ah", "This kind of IPsec cannot get through any router that translates addresses." },
	{ "gre-plain", "This tunnel works for one device at a time." },
	{ "natt-unused",
	  "This VPN does not use what lets IPsec pass any router; a second device may fail." },
	{ "eoip", "This tunnel cannot get through a Linux router that translates addresses." },
	{ "l2tp-clear", "This VPN is not encrypted: everybody on the way can read it." },
	{ "wifi-calling", "Phones make calls by this server when they are on Wi-Fi." },
	{ "diverted", "This router hands the connection to somebody else than the VPN server." },
	{ "udp-timeout", "The VPN drops when nothing is sent for a while." },
	{ "not-examined", "There may be more that is wrong than this list shows." },
};

/**
 * meaning_of - What a finding means to its reader.
 * @code: Its name.
 *
 * Return: a sentence.
 */
const char *meaning_of(const char *code)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (!strcmp(code, meanings[i].code))
			return meanings[i].text;
	return "";
}
