/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of one control connection: their numbers on both sides of the
 * NAT, and how far each has come. Pure: see pure.h. It answers the stream's
 * questions (pptp_calls_ctl_ops, priv is the struct pptp_calls) and tells the
 * embedder when a call's GRE may flow and when it ends. Same lock as the
 * connection's struct pptp_ctl.
 *
 * Call IDs are in host order throughout.
 */
#ifndef VPNPASS_PPTP_CTL_CALLS_H
#define VPNPASS_PPTP_CTL_CALLS_H

#include "ctl.h"

enum pptp_call_state {
	PPTP_CALL_REQUESTED,	/* asked for, not answered */
	PPTP_CALL_ANSWERED,	/* incoming call accepted, not yet connected */
	PPTP_CALL_CONNECTED,
	PPTP_CALL_CLEARING,	/* Call-Clear-Request seen */
};

/**
 * struct pptp_call - one call; embed it, allocate it in the alloc callback
 * @in_id: call ID of the inside, as the inside knows it
 * @nat_id: the same as the outside knows it
 * @out_id: call ID of the outside, if there is one
 * @has_out: there is
 * @state: enum pptp_call_state
 * @up: connected() was called
 */
struct pptp_call {
	u16 in_id, nat_id, out_id;
	bool has_out, up;
	u8 state;
	/* private: */
	struct list_head link, by_in, by_nat, by_out;
};

/**
 * struct pptp_calls_ops - the embedder
 * @alloc: memory for one call, or NULL: a limit, or none to be had. Asked
 *	only for a call that the inside asks for or answers.
 * @free: the call is over; it is on no list any more
 * @id_take: a number that nobody else uses towards the outside; as
 *	pptp_ids_take()
 * @id_put: give it back
 * @id_room: how many are left in a block; as pptp_ids_room()
 * @connected: GRE may flow: all three numbers are known
 * @ended: GRE must end; only after @connected, before @free
 * @echo: the control connection is alive (RFC 2637 2.5, 2.6)
 * @stop: the session was asked to stop (2.3); the calls go at its answer
 *
 * Called in the context of pptp_ctl_segment() and pptp_calls_flush().
 */
struct pptp_calls_ops {
	struct pptp_call *(*alloc)(void *priv);
	void (*free)(void *priv, struct pptp_call *call);
	int (*id_take)(void *priv, u16 want, int block);
	void (*id_put)(void *priv, u16 id);
	u32 (*id_room)(void *priv, u8 block);
	void (*connected)(void *priv, struct pptp_call *call);
	void (*ended)(void *priv, struct pptp_call *call);
	void (*echo)(void *priv);
	void (*stop)(void *priv);
};

/* A direction of the high bytes' translation; see ctl_calls.c. */
struct pptp_blocks {
	u8 to[256];
	u8 set[256 / 8];
	u8 odd[256 / 8];
};

/**
 * struct pptp_calls - all calls of a control connection
 * @count: how many there are
 * @refused: calls for which @alloc had nothing
 * @odd: calls whose number could not be had in their block
 */
struct pptp_calls {
	u32 count, refused, odd;
	/* private: */
	const struct pptp_calls_ops *ops;
	void *priv;
	struct list_head *hash;
	u32 buckets;
	struct list_head live, orphans;
	struct pptp_blocks out, in;
};

extern const struct pptp_ctl_ops pptp_calls_ctl_ops;

void pptp_calls_init(struct pptp_calls *calls, const struct pptp_calls_ops *ops,
		     void *priv, struct list_head *hash, u32 heads);
void pptp_calls_flush(struct pptp_calls *calls);
struct pptp_call *pptp_call_by_in(const struct pptp_calls *calls, u16 id);
struct pptp_call *pptp_call_by_nat(const struct pptp_calls *calls, u16 id);
struct pptp_call *pptp_call_by_out(const struct pptp_calls *calls, u16 id);

#endif
