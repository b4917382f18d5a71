/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long a gateway takes to answer, from the requests of one IKE SA that pass
 * here. Pure code, as in parse.h.
 */
#ifndef VPNPASS_IKE_ROUND_TRIP_H
#define VPNPASS_IKE_ROUND_TRIP_H

#include "parse.h"

#define IKE_NO_ROUND_TRIP	(~0U)

/**
 * struct ike_round_trip - the client's latest request that can be measured by
 * @mid: its message ID
 * @at: when it passed, its last fragment if it has several, ms
 * @frag: number of that fragment, 0 for none
 * @exchange: its exchange type, 0 before the first
 * @open: no answer has passed
 * @again: it passed more than once, and nobody knows which of them is answered
 *
 * Zeroed before the first. Owned and serialised by the caller.
 */
struct ike_round_trip {
	u32 mid;
	u32 at;
	u16 frag;
	u8 exchange;
	bool open;
	bool again;
};

/**
 * ike_round_trip_asked - a client's request passes
 * @t: of the IKE SA
 * @exchange: the request's
 * @mid: likewise
 * @frag: number of this fragment, 0 for none
 * @now: time, ms
 */
void ike_round_trip_asked(struct ike_round_trip *t, u8 exchange, u32 mid, u16 frag,
			  u32 now);

/**
 * ike_round_trip_answered - a gateway's response passes
 * @t: of the IKE SA
 * @exchange: the response's
 * @mid: likewise
 * @now: time, ms
 *
 * Return: ms since the request; IKE_NO_ROUND_TRIP when that says nothing: it was
 * repeated, or the response has to be waited for longer than the way takes, as in
 * IKE_AUTH, whose sides verify certificates and ask other machines.
 */
u32 ike_round_trip_answered(struct ike_round_trip *t, u8 exchange, u32 mid, u32 now);

/**
 * ike_round_trip - a message that was read passes
 * @t: of the IKE SA
 * @dir: which way it goes
 * @m: the message
 * @now: time, ms
 *
 * Of IKEv1, whose messages do not say which of them they answer, the first message
 * of an IKE SA and that of a quick mode are measured.
 *
 * Return: as ike_round_trip_answered().
 */
u32 ike_round_trip(struct ike_round_trip *t, enum ike_dir dir, const struct ike_msg *m,
		   u32 now);

#endif /* VPNPASS_IKE_ROUND_TRIP_H */
