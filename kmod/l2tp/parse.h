/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contents of an L2TP packet: version 2 and 3 over UDP port 1701, version 3
 * over IP protocol 115. Pure code: nothing here allocates,
 * locks or reads a clock, so any context will do. All numbers are in host byte order.
 */
#ifndef VPNPASS_L2TP_PARSE_H
#define VPNPASS_L2TP_PARSE_H

#include "pure.h"

#define L2TP_MAX_AVPS		64	/* read per control message */

/*
 * Bytes of a packet to hand to l2tp_parse(): 24 would give the numbers of any control
 * message and its type. The assigned IDs come after AVPs as long as a host name.
 */
#define L2TP_CAPTURE_WANTED	1024

enum l2tp_encap {
	L2TP_UDP,
	L2TP_IP,
};

enum l2tp_class {
	L2TP_CLASS_BAD,		/* see l2tp_msg.reason */
	L2TP_CLASS_CONTROL,
	L2TP_CLASS_DATA,
};

enum l2tp_reason {
	L2TP_OK = 0,
	L2TP_BAD_EMPTY,		/* no payload at all */
	L2TP_BAD_SHORT,		/* packet smaller than its header */
	L2TP_BAD_CAPTURE,	/* caller captured less than the header */
	L2TP_BAD_L2F,		/* version 1: RFC 2341 on the same port */
	L2TP_BAD_VERSION,
	L2TP_BAD_FLAGS,		/* control message without L and S, or with O */
	L2TP_BAD_LENGTH,	/* length field below header or past the end */
	L2TP_BAD_OFFSET,	/* v2 data: offset padding past the end */
	L2TP_BAD_TUNNEL,	/* v2 data for tunnel 0 */
	L2TP_BAD_SESSION,	/* data for session 0 */
	L2TP_BAD_FIRST_AVP,	/* body does not begin with a message type */
	L2TP_BAD_AVP_LEN,	/* an AVP's length is impossible */
	L2TP_BAD_AVP_VALUE,	/* zero assigned where an ID is due */
	L2TP_BAD_AVP_TWICE,	/* two values for one ID */
	L2TP_BAD_MAX
};

/* Message types, RFC 2661 section 3.2, RFC 3931 section 3.1. */
enum l2tp_type {
	L2TP_SCCRQ = 1,
	L2TP_SCCRP = 2,
	L2TP_SCCCN = 3,
	L2TP_STOPCCN = 4,
	L2TP_HELLO = 6,
	L2TP_OCRQ = 7,
	L2TP_OCRP = 8,
	L2TP_OCCN = 9,
	L2TP_ICRQ = 10,
	L2TP_ICRP = 11,
	L2TP_ICCN = 12,
	L2TP_CDN = 14,
	L2TP_WEN = 15,
	L2TP_SLI = 16,
	L2TP_ACK = 20,		/* v3 only */
};

/* Flag bits of the first 16, RFC 2661 section 3.1. */
#define L2TP_F_CONTROL		0x8000
#define L2TP_F_LENGTH		0x4000
#define L2TP_F_SEQUENCE		0x0800
#define L2TP_F_OFFSET		0x0200
#define L2TP_F_PRIORITY		0x0100
#define L2TP_F_VERSION		0x000f

/* Bits of l2tp_msg.has and .hidden: AVPs of interest. */
#define L2TP_HAS_TUNNEL		0x01	/* AVP 9 */
#define L2TP_HAS_CCID		0x02	/* AVP 61 */
#define L2TP_HAS_LOCAL		0x04	/* AVP 63 */
#define L2TP_HAS_REMOTE		0x08	/* AVP 64 */

/**
 * struct l2tp_msg - one packet, as far as it can be read
 * @ccid: v3 control: Control Connection ID of the header (the receiver's)
 * @session_v3: v3 data: session ID of the header (the receiver's)
 * @assigned_ccid: AVP 61, the sender's
 * @local_session: AVP 63, the sender's
 * @remote_session: AVP 64, the receiver's; 0 in a first message
 * @tunnel: v2: tunnel ID of the header (the receiver's), 0 in a first message
 * @assigned_tunnel: AVP 9, the sender's
 * @type: control message's type, 0 for a ZLB
 * @cls: enum l2tp_class
 * @reason: enum l2tp_reason
 * @version: 2 or 3
 * @has: L2TP_HAS_* bits: values that are valid
 * @hidden: L2TP_HAS_* bits: sent, but hidden (RFC 2661 section 4.3)
 *
 * Where @has lacks a bit and @hidden too, the AVP is absent, or is among what was not
 * captured.
 */
struct l2tp_msg {
	u32 ccid;
	u32 session_v3;
	u32 assigned_ccid;
	u32 local_session;
	u32 remote_session;
	u16 tunnel;
	u16 assigned_tunnel;
	u16 type;
	u8 cls;
	u8 reason;
	u8 version;
	u8 has;
	u8 hidden;
};

/**
 * l2tp_parse - read one packet
 * @m: result, written in full
 * @data: start of the UDP payload, or of what follows the IP header
 * @cap: bytes readable at @data
 * @plen: length of the whole of it
 * @encap: which of the two
 *
 * Reads nothing beyond @cap and at most L2TP_MAX_AVPS AVPs. When the class is
 * L2TP_CLASS_BAD, whatever else is filled in is to be logged, not trusted.
 * Return: the class, also in @m->cls.
 */
enum l2tp_class l2tp_parse(struct l2tp_msg *m, const u8 *data, u32 cap,
			   u32 plen, enum l2tp_encap encap);

#endif /* VPNPASS_L2TP_PARSE_H */
