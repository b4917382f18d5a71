// SPDX-License-Identifier: GPL-2.0
/* How far a session has come, and how long its connection may be silent for that. */
#include "ike.h"

#define IKE_MOVED_TIMEOUT	300	/* s; port 500 is not needed any more */

static enum ike_state sa_state(const struct ike_sa *sa)
{
	if (sa->st.natt)
		return IKE_STATE_MOVED;
	return sa->st.phase == IKE_SA_ESTABLISHED ? IKE_STATE_ESTABLISHED :
						    IKE_STATE_HALF_OPEN;
}

/* The session is as far as the furthest of its SAs. */
void ike_session_judge(struct ike_session *is)
{
	enum ike_state state = IKE_STATE_HALF_OPEN;
	const struct ike_sa *sa;

	lockdep_assert_held(&ike_net(is->s.vn)->lock);
	list_for_each_entry(sa, &is->sas, list)
		state = max(state, sa_state(sa));
	WRITE_ONCE(is->state, state);
}

/* vpnpass_attach_packet() gave it the time of an established session. */
void ike_session_timeout(const struct ike_session *is)
{
	u8 state = READ_ONCE(is->state);
	struct nf_conn *ct = is->s.ct;
	u32 time = IKE_MOVED_TIMEOUT;

	if (state == IKE_STATE_ESTABLISHED ||
	    test_bit(IPS_FIXED_TIMEOUT_BIT, &ct->status))
		return;
	if (state == IKE_STATE_HALF_OPEN)
		time = vpnpass_setting(is->s.vn, &ike_proto,
				       IKE_SET_HALF_OPEN_TIME);
	WRITE_ONCE(ct->timeout, nfct_time_stamp + time * HZ);
}

const char *ike_session_state(const struct vpnpass_session *s)
{
	static const char *const names[] = {
		[IKE_STATE_HALF_OPEN] = "half-open",
		[IKE_STATE_MOVED] = "moved to NAT-T",
		[IKE_STATE_ESTABLISHED] = "established",
	};
	const struct ike_session *is = container_of(s, struct ike_session, s);

	return names[READ_ONCE(is->state)];
}

u32 ike_session_version(const struct vpnpass_session *s)
{
	const struct ike_session *is = container_of(s, struct ike_session, s);

	return READ_ONCE(is->version);
}
