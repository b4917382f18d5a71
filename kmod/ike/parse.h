/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contents of an IKE or NAT-T datagram that are in clear. Pure code: nothing here
 * allocates, locks or reads a clock, so any context will do.
 *
 * All numbers are in host byte order; all times are u32 milliseconds of a
 * clock that may wrap.
 */
#ifndef VPNPASS_IKE_PARSE_H
#define VPNPASS_IKE_PARSE_H

#include "pure.h"

#define IKE_HDR_LEN		28
#define IKE_MARKER_LEN		4	/* RFC 3948 section 2.2 */
#define IKE_MAX_PAYLOADS	64	/* clear payloads read per message */

/*
 * Bytes of a datagram to hand to ike_parse(): marker, header and the numbers
 * of a fragment at least; beyond them lie notifies and deletions in clear.
 */
#define IKE_CAPTURE_MIN		(IKE_MARKER_LEN + IKE_HDR_LEN + 8)
#define IKE_CAPTURE_WANTED	1024

enum ike_port {
	IKE_PORT_500,
	IKE_PORT_4500,
};

/* OUT leaves the client behind this NAT, IN comes from its gateway. */
enum ike_dir {
	IKE_DIR_OUT = 0,
	IKE_DIR_IN = 1,
};

enum ike_class {
	IKE_CLASS_BAD,		/* see ike_msg.reason */
	IKE_CLASS_IKE,		/* behind a non-ESP marker if ike_msg.natt */
	IKE_CLASS_ESP,		/* ESP in UDP */
	IKE_CLASS_KEEPALIVE,	/* RFC 3948 section 2.3 */
};

/*
 * Why a datagram is IKE_CLASS_BAD. From IKE_BAD_ISPI on, the header was
 * complete and its fields are filled in (to be logged, not trusted).
 */
enum ike_reason {
	IKE_OK = 0,
	IKE_BAD_EMPTY,		/* no payload at all */
	IKE_BAD_SHORT,		/* datagram smaller than its header */
	IKE_BAD_CAPTURE,	/* caller captured less than the header */
	IKE_BAD_ESP_SPI,	/* ESP SPI 1..255, RFC 4303 section 2.1 */
	IKE_BAD_ISPI,		/* initiator SPI is zero */
	IKE_BAD_VERSION,	/* major version neither 1 nor 2 */
	IKE_BAD_LENGTH,		/* length field below 28 or past the end */
	IKE_BAD_TRAILING,	/* datagram longer than the length field */
	IKE_BAD_EXCHANGE,	/* exchange type of the other version, or 0 */
	IKE_BAD_FLAGS,		/* flags that contradict the exchange */
	IKE_BAD_RSPI_SET,	/* responder SPI present in a first message */
	IKE_BAD_RSPI_ZERO,	/* responder SPI missing in a later one */
	IKE_BAD_MSGID,		/* message ID the exchange cannot have */
	IKE_BAD_MAX
};

/* Exchange types, RFC 2408 3.1, RFC 2409 appendix A, IANA ikev2-parameters. */
enum ike_exchange {
	IKE_V1_BASE = 1,
	IKE_V1_MAIN = 2,
	IKE_V1_AGGRESSIVE = 4,
	IKE_V1_INFO = 5,
	IKE_V1_CONFIG = 6,
	IKE_V1_QUICK = 32,
	IKE_V1_NEW_GROUP = 33,
	IKE_V2_SA_INIT = 34,
	IKE_V2_AUTH = 35,
	IKE_V2_CREATE_CHILD = 36,
	IKE_V2_INFO = 37,
	IKE_V2_RESUME = 38,		/* RFC 5723 */
	IKE_V2_INTERMEDIATE = 43,	/* RFC 9242 */
	IKE_V2_FOLLOWUP_KE = 44,	/* RFC 9370 */
};

#define IKE_V1_ENCRYPTED	0x01
#define IKE_V2_INITIATOR	0x08
#define IKE_V2_RESPONSE		0x20

/* Payloads that hold part of a message: Cisco's, RFC 7383 section 2.5. */
#define IKE_V1_FRAGMENT		132
#define IKE_V2_FRAGMENT		53

/* How far the walk over the clear payloads came. */
enum ike_walk {
	IKE_WALK_DONE,		/* all of them read */
	IKE_WALK_ENCRYPTED,	/* ended where encryption begins */
	IKE_WALK_CUT,		/* ended where the captured prefix ends */
	IKE_WALK_LIMIT,		/* more than IKE_MAX_PAYLOADS */
	IKE_WALK_BAD,		/* a payload's length is impossible */
};

/**
 * struct ike_msg - one datagram, as far as it can be read
 * @ispi: initiator's IKE SPI (IKEv1: cookie)
 * @rspi: responder's IKE SPI, 0 in a first message
 * @mid: message ID
 * @len: length field of the IKE header; does not count the non-ESP marker
 * @frag_num: number of this fragment, from 1; 0 when not a fragment
 * @frag_total: fragments in all; 0 when unknown (IKEv1, but for the last)
 * @error: first error notify in clear (types 1..16383), or 0
 * @cls: enum ike_class
 * @reason: enum ike_reason
 * @version: major version
 * @exchange: exchange type, see enum ike_exchange
 * @next: first payload's type
 * @walk: enum ike_walk
 * @natt: came behind a non-ESP marker
 * @initiator: v2: sent by the original initiator of this IKE SA
 * @response: v2: answers a request
 * @encrypted: v1: encrypted; v2: has an SK or SKF payload. With too short a
 *	capture, v2's is known only if SK is the first payload
 * @opens: first message of an IKE SA
 * @answers: second message of an IKE SA, bringing the responder's SPI
 * @cookie: v2: has a COOKIE notify
 * @deletes: has a Delete payload in clear for the IKE SA. Nothing vouches for it
 */
struct ike_msg {
	u64 ispi;
	u64 rspi;
	u32 mid;
	u32 len;
	u16 frag_num;
	u16 frag_total;
	u16 error;
	u8 cls;
	u8 reason;
	u8 version;
	u8 exchange;
	u8 next;
	u8 walk;
	bool natt:1;
	bool initiator:1;
	bool response:1;
	bool encrypted:1;
	bool opens:1;
	bool answers:1;
	bool cookie:1;
	bool deletes:1;
};

/**
 * ike_parse - read one datagram of UDP port 500 or 4500
 * @m: result, written in full
 * @data: start of the UDP payload
 * @cap: bytes readable at @data; IKE_CAPTURE_MIN suffice for ike_track_message()
 * @dlen: length of the whole UDP payload
 * @port: which of the two ports
 *
 * Reads nothing beyond @cap and at most IKE_MAX_PAYLOADS payloads.
 * Return: the class, also in @m->cls.
 */
enum ike_class ike_parse(struct ike_msg *m, const u8 *data, u32 cap, u32 dlen,
			 enum ike_port port);

/* Exchanges that begin an IKE SA. */
static inline bool ike_v1_phase1(u8 exchange)
{
	return exchange == IKE_V1_MAIN || exchange == IKE_V1_AGGRESSIVE ||
	       exchange == IKE_V1_BASE;
}

static inline bool ike_v2_first(u8 exchange)
{
	return exchange == IKE_V2_SA_INIT || exchange == IKE_V2_RESUME;
}

static inline bool ike_is_fragment(const struct ike_msg *m, u8 payload)
{
	return payload == (m->version == 1 ? IKE_V1_FRAGMENT : IKE_V2_FRAGMENT);
}

#endif /* VPNPASS_IKE_PARSE_H */
