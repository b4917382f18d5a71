/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PPTP control channel (RFC 2637) as a byte stream whose call IDs are
 * rewritten in place. Pure: see pure.h.
 *
 * Two ends, named by the NAT: "inside" is the end whose address is translated
 * (a client behind SNAT, a server behind DNAT, this host itself), "outside"
 * the other. Either may be PNS or PAC. Only numbers that name a call of the
 * inside are ever changed: the outside's own call IDs go through as they are.
 *
 * How the embedder drives it, all under one lock per TCP connection:
 *   pptp_ctl_init()     when the handshake is over
 *   pptp_ctl_syn()      then, for each direction
 *   pptp_ctl_segment()  for every segment with payload, before it is forwarded
 *   pptp_ctl_ack()      for every segment with ACK
 * None of what a window check refuses may be handed in: it is believed.
 * FIN and RST mean nothing here. When the connection is gone, so is the
 * struct; only rings given with pptp_ctl_ring() are to be freed.
 *
 * A call ID has two bytes, and a sender may put them in two segments and wait
 * for the first to be acknowledged. So a translation is asked for in two
 * steps, the high byte alone and then the whole number. See ctl_calls.c for
 * how the high byte of the answer is known before the number is.
 */
#ifndef VPNPASS_PPTP_CTL_H
#define VPNPASS_PPTP_CTL_H

#include "../pure.h"

/*
 * A message may be longer than RFC 2637 says, up to this (octets): what is
 * added is passed over. A shorter one, or a longer, is not PPTP any more.
 */
#define PPTP_CTL_MSG_MAX	1024

/* Rewrites remembered per direction before the embedder is asked for more. */
#define PPTP_CTL_RING		32

/* No segment (65,535 octets) can begin more call ID fields than this. */
#define PPTP_CTL_SEG_FIELDS	5464

enum pptp_dir {
	PPTP_FROM_IN,
	PPTP_FROM_OUT,
	PPTP_DIRS,
};

/* Control message types, RFC 2637 2. */
enum pptp_msg {
	PPTP_START_REQUEST = 1,
	PPTP_START_REPLY,
	PPTP_STOP_REQUEST,
	PPTP_STOP_REPLY,
	PPTP_ECHO_REQUEST,
	PPTP_ECHO_REPLY,
	PPTP_OUT_CALL_REQUEST,
	PPTP_OUT_CALL_REPLY,
	PPTP_IN_CALL_REQUEST,
	PPTP_IN_CALL_REPLY,
	PPTP_IN_CALL_CONNECTED,
	PPTP_CALL_CLEAR_REQUEST,
	PPTP_CALL_DISCONNECT_NOTIFY,
	PPTP_WAN_ERROR_NOTIFY,
	PPTP_SET_LINK_INFO,
	PPTP_MSG_TYPES,
};

enum pptp_ctl_verdict {
	PPTP_CTL_PASS,	/* forward it, with the bytes as they are now */
	PPTP_CTL_DROP,	/* ahead of the stream: drop, TCP sends again */
	PPTP_CTL_GROW,	/* nothing done: see struct pptp_ctl_result, want */
};

/* Why a connection is plain TCP from here on. */
enum pptp_ctl_dead {
	PPTP_CTL_ALIVE,
	PPTP_DEAD_UNSEEN,	/* something has gone another way */
	PPTP_DEAD_LENGTH,	/* shorter than its type, or too long */
	PPTP_DEAD_MSGTYPE,	/* not a control message (RFC 2637 1.4) */
	PPTP_DEAD_COOKIE,
	PPTP_DEAD_RING,		/* the embedder had no room to remember */
	PPTP_DEAD_REASONS,
};

/* The meaning of a call ID field to the translation. */
enum pptp_id_kind {
	PPTP_ID_FOREIGN,	/* names a call of the outside: never changed */
	PPTP_ID_NEW,		/* the inside's own; new unless known */
	PPTP_ID_OWN,		/* the inside's own */
	PPTP_ID_PEER,		/* the outside names a call of the inside */
	PPTP_ID_LOOSE,		/* the outside's own; some write the peer's */
};

/**
 * struct pptp_ctl_event - one whole message has gone by
 * @msg: control message type as sent; may be unknown (0, or above 15)
 * @dir: who sent it, enum pptp_dir
 * @result: its result code, 0 if the type has none
 * @fresh: @own was unknown until this message (PPTP_ID_NEW made it)
 * @own: the call ID that the sender gave, as it wrote it (host order)
 * @peer: the peer's call ID, as it wrote it (host order)
 *
 * Which of @own and @peer mean something depends on @msg; the others are 0.
 */
struct pptp_ctl_event {
	u16 msg;
	u8 dir;
	u8 result;
	bool fresh;
	u16 own, peer;
};

/**
 * struct pptp_ctl_ops - who knows the calls (ctl_calls.c in the module)
 * @undecided: whether @first would fail, asked without any effect
 * @first: high byte of the translation, given the high byte alone; negative
 *	if that cannot be told
 * @map: the whole translation. @hi is the high byte that it must have since
 *	it is already on its way, or negative: free. Negative if it cannot be.
 *	For PPTP_ID_NEW, *fresh is set if the number was unknown.
 * @event: after the last octet of each message, in stream order
 *
 * Called from pptp_ctl_segment() only, in its context, and not for
 * PPTP_ID_FOREIGN. May not call back into the pptp_ctl.
 */
struct pptp_ctl_ops {
	bool (*undecided)(void *priv, enum pptp_id_kind kind, u8 hi);
	int (*first)(void *priv, enum pptp_id_kind kind, u8 hi);
	int (*map)(void *priv, enum pptp_id_kind kind, u16 id, int hi,
		   bool *fresh);
	void (*event)(void *priv, const struct pptp_ctl_event *ev);
};

/**
 * struct pptp_ctl_fix - a call ID field that may be sent again
 * @seq: TCP sequence number of its first octet
 * @octet: what the receiver must see
 * @n: octets of it that were read; the second may come when the stream has died
 * @loose: the first is provisional: it was not decidable alone
 */
struct pptp_ctl_fix {
	u32 seq;
	u8 octet[2];
	u8 n;
	bool loose;
};

/* Where in a message the stream is. */
struct pptp_scan {
	u16 off;	/* octets of it seen */
	u16 len;	/* valid from off 2 */
	u16 type;	/* valid from off 10 */
	u8 bad;		/* enum pptp_ctl_dead */
	u8 head[18];	/* as sent */
};

struct pptp_ctl_half {
	u32 next;	/* sequence number of the first octet not seen */
	bool fresh;
	u8 waited;
	struct pptp_scan scan;
	struct pptp_ctl_fix *ring;
	u32 cap, head, count;
	struct pptp_ctl_fix own_ring[PPTP_CTL_RING];
};

/**
 * struct pptp_ctl - one control connection
 * @dead: enum pptp_ctl_dead; other than 0 it stays so
 * @msgs: whole messages read
 * @unknown: of them, with a type that RFC 2637 does not have (untouched)
 * @ahead: segments dropped for being ahead of the stream
 * @resent: segments that carried a remembered call ID again
 * @waits: segments dropped since half a call ID could not be decided
 * @torn: call IDs that could not be translated
 *
 * Holds a pointer into itself: do not move it once initialised.
 */
struct pptp_ctl {
	u8 dead;
	u32 msgs, unknown, ahead, resent, waits, torn;
	/* private: */
	const struct pptp_ctl_ops *ops;
	void *priv;
	struct pptp_ctl_half half[PPTP_DIRS];
};

/**
 * struct pptp_ctl_result - what pptp_ctl_segment() did
 * @changed: some octet differs from what was handed in
 * @died: the connection became plain TCP in this call
 * @from: offset of the first changed octet
 * @to: offset behind the last one
 * @csum: what the payload's Internet checksum sum grew by, in host order, if
 *	the payload begins at an even offset (in TCP it does): hand
 *	(__force __wsum)htons(csum) to inet_proto_csum_replace_by_diff()
 * @want: verdict GROW: entries that the ring of this direction must have
 * @wait: verdict GROW: an ACK will make room, so dropping is no dead end
 */
struct pptp_ctl_result {
	bool changed, died, wait;
	u16 csum;
	u32 from, to, want;
};

void pptp_ctl_init(struct pptp_ctl *ctl, const struct pptp_ctl_ops *ops,
		   void *priv);
void pptp_ctl_syn(struct pptp_ctl *ctl, enum pptp_dir dir, u32 isn);
int pptp_ctl_segment(struct pptp_ctl *ctl, enum pptp_dir dir, u32 seq,
		     u8 *data, u32 len, struct pptp_ctl_result *res);
void pptp_ctl_ack(struct pptp_ctl *ctl, enum pptp_dir dir, u32 ack);
void pptp_ctl_kill(struct pptp_ctl *ctl, enum pptp_ctl_dead why);
struct pptp_ctl_fix *pptp_ctl_ring(struct pptp_ctl *ctl, enum pptp_dir dir,
				   struct pptp_ctl_fix *ring, u32 cap);

/* Plain TCP has come to sequence number @next, whether it was handed in or not. */
static inline void pptp_ctl_follow(struct pptp_ctl *ctl, enum pptp_dir dir, u32 next)
{
	if ((s32)(next - ctl->half[dir].next) > 0)
		ctl->half[dir].next = next;
}

/* Nothing left to do for it: dead, and nothing in flight to be repeated. */
static inline bool pptp_ctl_done(const struct pptp_ctl *ctl)
{
	return ctl->dead && !ctl->half[PPTP_FROM_IN].count &&
	       !ctl->half[PPTP_FROM_OUT].count;
}

#endif
