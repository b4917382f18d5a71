/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of numbers that packets are found by, and flags that are ours. */
#ifndef VPNPASS_CORE_KINDS_H
#define VPNPASS_CORE_KINDS_H

#include <linux/bits.h>
#include <linux/vpnpass.h>

/* vpnpass_key.kind: bit 0 tells packets as they reach PREROUTING or OUTPUT from packets
 * as they left the router, for ICMP errors that quote them.
 */
#define VPNPASS_KEY_PACKET	0
#define VPNPASS_KEY_QUOTE	BIT(0)

/* The other bits are what the number is, so that protocols with the same L4 protocol do
 * not find each other's: an enum vpnpass_number_kind, or one of enum vpnpass_kind.
 */
#define VPNPASS_KEY_NUMBER_SHIFT	1
#define VPNPASS_KEY_OF(kind)	((kind) << VPNPASS_KEY_NUMBER_SHIFT)

/**
 * enum vpnpass_kind - what a number is that user space has no kind for
 * @VPNPASS_KIND_L2TP_CCID: control connection ID of L2TPv3; shown as a tunnel ID
 * @VPNPASS_KIND_L2TP_ADDRESS: Ethernet address in L2TPv3 data
 * @VPNPASS_KIND_NATT_PORTS: both ports of a NAT-T flow
 */
enum vpnpass_kind {
	VPNPASS_KIND_L2TP_CCID = 0x20,
	VPNPASS_KIND_L2TP_ADDRESS = 0x40,
	VPNPASS_KIND_NATT_PORTS = 0x60,
};

/* vpnpass_pin.number_kind of a pin that user space is not shown. */
#define VPNPASS_NUMBER_HIDDEN	0xff

/* nf_conntrack_zone.flags: the zone is ours, and not the administrator's. */
#define VPNPASS_ZONE_OURS	0x40

#endif /* VPNPASS_CORE_KINDS_H */
