/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An IKE SA by the sequence of its messages, as seen from between its ends. Pure code,
 * as in parse.h.
 */
#ifndef VPNPASS_IKE_TRACK_H
#define VPNPASS_IKE_TRACK_H

#include "parse.h"

enum ike_phase {
	IKE_SA_NEW = 0,		/* nothing seen: a zeroed state */
	IKE_SA_HALF_OPEN,
	IKE_SA_ESTABLISHED,
	IKE_SA_DELETED,		/* given up in clear before it was up */
};

/* The meanings of a message, returned by ike_track_message(); any may come together. */
#define IKE_EV_ESTABLISHED	0x0004
#define IKE_EV_NATT		0x0008	/* first message behind a marker */
#define IKE_EV_BEGIN		0x0010	/* began an exchange that makes SAs */
#define IKE_EV_CHILD		0x0020	/* finished an exchange that makes SAs */
#define IKE_EV_CHILD_RETRACT	0x0080	/* the last CHILD came too early */
#define IKE_EV_DELETED		0x0800
#define IKE_EV_ADOPTED		0x1000	/* joined in mid-life */
#define IKE_EV_NO_CHILD		0x4000	/* ended an exchange that could make SAs */
#define IKE_EV_FOREIGN		0x8000	/* does not fit; nothing changed */

#define IKE_REQS	4	/* open exchanges kept, per side */
#define IKE_QUICKS	4	/* open IKEv1 quick modes kept */
#define IKE_QUICKS_DONE	8	/* finished ones remembered */

struct ike_req {
	u32 mid;
	u32 asked;		/* request's fragments seen, bit per number */
	u32 told;		/* response's */
	u16 ask_total;
	u16 tell_total;
	u8 exchange;		/* 0: free */
	bool done;
};

struct ike_window {
	struct ike_req req[IKE_REQS];
	u32 top;		/* highest message ID finished */
	u32 done;		/* bit n: top - n is finished */
	u32 child_mid;		/* message ID of the last CHILD */
	u8 next;
	bool any;		/* top is valid */
	bool child;		/* child_mid is valid */
};

struct ike_quick {
	u32 mid;
	u32 len1;		/* length of message 1 */
	u8 count;		/* messages passed; 0: free */
	u8 dir;			/* enum ike_dir of message 1 */
};

struct ike_phase2 {
	struct ike_quick quick[IKE_QUICKS];
	u32 done[IKE_QUICKS_DONE];
	u8 next;
	u8 n_done;		/* valid in done[], up to its size */
	u8 next_done;
};

/**
 * struct ike_sa_state - one IKE SA, as seen from between its ends
 * @ispi: initiator's SPI
 * @rspi: responder's SPI; 0 until answered
 * @version: 1 or 2
 * @phase: enum ike_phase
 * @opener: enum ike_dir of the initiator's messages (v1, adopted: a guess)
 * @crypt: v1: bit per enum ike_dir: sent an encrypted message
 * @answered: the responder's SPI came from the responder
 * @rspi_fixed: the initiator has used @rspi, no other answer can replace it
 * @adopted: began in mid-life
 * @natt: moved to (or began on) port 4500
 *
 * Zeroed is IKE_SA_NEW. Owned and serialised by the caller.
 */
struct ike_sa_state {
	u64 ispi;
	u64 rspi;
	u8 version;
	u8 phase;
	u8 opener;
	u8 crypt;
	bool answered:1;
	bool rspi_fixed:1;
	bool adopted:1;
	bool natt:1;
	union {
		struct ike_window win[2];	/* v2, by enum ike_dir asking */
		struct ike_phase2 p2;		/* v1 */
	};
};

/**
 * ike_track_message - let one message act on its IKE SA
 * @st: the SA; zeroed for a new one
 * @dir: which way the message goes
 * @m: IKE_CLASS_IKE as read by ike_parse()
 *
 * CHILD is reported once per exchange, however often its messages repeat. It
 * is evidence, not proof: what was agreed is encrypted. An IKE SA's own rekey
 * looks the same.
 *
 * Return: IKE_EV_* bits. With IKE_EV_FOREIGN @st is as it was.
 */
u32 ike_track_message(struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m);

/* --- among track.c, track_v1.c and track_v2.c ----------------------------- */

static inline enum ike_dir ike_other(enum ike_dir dir)
{
	return dir == IKE_DIR_OUT ? IKE_DIR_IN : IKE_DIR_OUT;
}

static inline u32 ike_sa_up(struct ike_sa_state *st)
{
	if (st->phase == IKE_SA_ESTABLISHED)
		return 0;
	st->phase = IKE_SA_ESTABLISHED;
	return IKE_EV_ESTABLISHED;
}

/* v1: second part of ike_track_message(); v2: @joined if this message began @st. */
u32 ike_v1_track(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m);
u32 ike_v2_track(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m, bool joined);

#endif /* VPNPASS_IKE_TRACK_H */
