// SPDX-License-Identifier: GPL-2.0
/* How long a gateway takes to answer; see round_trip.h. */
#include "ike/round_trip.h"

static bool is_of(const struct ike_round_trip *t, u8 exchange, u32 mid)
{
	return t->exchange == exchange && t->mid == mid;
}

void ike_round_trip_asked(struct ike_round_trip *t, u8 exchange, u32 mid, u16 frag,
			  u32 now)
{
	if (is_of(t, exchange, mid)) {
		/* Only a first message has the number of the one before, 0. */
		if (!t->open && mid)
			return;
		if (t->open && frag <= t->frag) {
			t->again = true;
			return;
		}
	}
	if (!t->open || !is_of(t, exchange, mid))
		t->again = false;
	t->exchange = exchange;
	t->mid = mid;
	t->frag = frag;
	t->at = now;
	t->open = true;
}

u32 ike_round_trip_answered(struct ike_round_trip *t, u8 exchange, u32 mid, u32 now)
{
	if (!t->open || !is_of(t, exchange, mid))
		return IKE_NO_ROUND_TRIP;
	t->open = false;
	return t->again || exchange == IKE_V2_AUTH ? IKE_NO_ROUND_TRIP : now - t->at;
}

static bool asks(const struct ike_msg *m)
{
	if (m->version == 2)
		return !m->response;
	return m->opens || m->exchange == IKE_V1_QUICK;
}

static bool answers(const struct ike_msg *m)
{
	if (m->version == 2)
		return m->response;
	return m->answers || m->exchange == IKE_V1_QUICK;
}

u32 ike_round_trip(struct ike_round_trip *t, enum ike_dir dir, const struct ike_msg *m,
		   u32 now)
{
	if (dir == IKE_DIR_IN)
		return answers(m) ? ike_round_trip_answered(t, m->exchange, m->mid, now) :
				    IKE_NO_ROUND_TRIP;
	if (asks(m))
		ike_round_trip_asked(t, m->exchange, m->mid, m->frag_num, now);
	return IKE_NO_ROUND_TRIP;
}
