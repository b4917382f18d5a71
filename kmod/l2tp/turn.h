/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The owner of an ID that a server sends on, when all that tells is who has just
 * sent. Pure code: any context; the caller sees to it that a single one runs at a
 * time. Times are in ms and wrap.
 */
#ifndef VPNPASS_L2TP_TURN_H
#define VPNPASS_L2TP_TURN_H

#include "pure.h"

#define L2TP_TRIALS	16	/* IDs of one server being found out */

/**
 * struct l2tp_client - one of the clients
 * @node: in l2tp_turns.clients
 * @ask: server's session ID that it has sent on last, or 0
 * @answer: its own ID for that when it was found, else 0
 * @yield_until: others go first until then
 * @vain: turns it has had in vain
 * @yields: @yield_until is valid
 * @unasked: the server sends to it of its own accord
 */
struct l2tp_client {
	struct list_head node;
	u32 ask;
	u32 answer;
	u32 yield_until;
	u8 vain;
	bool yields;
	bool unasked;
};

/**
 * struct l2tp_trial - an ID that a server uses, whose is not known
 * @id: the ID, 0 in a free slot
 * @c: in whose turns it was heard
 * @turn: number of the last of them
 * @hits: how often
 * @n: in how many turns
 */
struct l2tp_trial {
	u32 id;
	struct l2tp_client *c;
	u32 turn;
	u16 hits;
	u8 n;
};

/**
 * struct l2tp_turns - the clients of one server
 * @clients: theirs
 * @n: how many
 * @turn: whose turn it is, or was last, or NULL
 * @turn_at: since when
 * @window: how long it sends
 * @turns: turns so far
 * @heard: this one had an answer
 * @next: the next of @trials to be given up
 * @trials: IDs being found out
 */
struct l2tp_turns {
	struct list_head clients;
	u32 n;
	struct l2tp_client *turn;
	u32 turn_at;
	u32 window;
	u32 turns;
	bool heard;
	u8 next;
	struct l2tp_trial trials[L2TP_TRIALS];
};

void l2tp_turns_init(struct l2tp_turns *t);
void l2tp_turns_add(struct l2tp_turns *t, struct l2tp_client *c);
void l2tp_turns_del(struct l2tp_turns *t, struct l2tp_client *c);
bool l2tp_turn_out(struct l2tp_turns *t, struct l2tp_client *c, u32 id,
		   u32 window, u32 now);
struct l2tp_client *l2tp_turn_in(struct l2tp_turns *t, u32 id, u32 now,
				 bool *proven);

#endif /* VPNPASS_L2TP_TURN_H */
