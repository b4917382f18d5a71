// SPDX-License-Identifier: GPL-2.0
/*
 * A sequence of messages and one IKE SA, for both versions: does a message fit, who
 * answered with which SPI, has the SA moved to port 4500. Messages that make SAs are
 * told by track_v1.c and track_v2.c; see track.h.
 */
#include "ike/track.h"

/* May bring the responder's SPI, or another one for it. */
static bool brings_rspi(const struct ike_msg *m)
{
	if (m->version == 2)
		return m->answers;
	return m->rspi && !m->encrypted && ike_v1_phase1(m->exchange) &&
	       (m->answers || m->frag_num);
}

/* An error or deletion in clear, which may come with any responder SPI. */
static bool is_clear_info(const struct ike_msg *m)
{
	return !m->encrypted && (m->exchange == IKE_V1_INFO ||
				 m->exchange == IKE_V2_INFO);
}

/* Does the message fit an SA that is under way? */
static bool fits(const struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m)
{
	bool from_opener = dir == st->opener;

	if (m->version != st->version || m->ispi != st->ispi)
		return false;
	if (m->version == 2 && ike_v2_first(m->exchange)) {
		/* Nobody asks anew, or answers late, with another SPI. */
		if (m->initiator != from_opener)
			return false;
		return m->opens || !m->answers || !st->rspi_fixed ||
		       m->rspi == st->rspi;
	}
	if (m->opens)
		return from_opener;
	if (is_clear_info(m))
		return !m->rspi || !st->rspi_fixed || m->rspi == st->rspi;
	if (m->version == 2 &&
	    (!m->encrypted || m->initiator != from_opener))
		return false;
	if (st->rspi_fixed || !m->rspi)
		return m->rspi && m->rspi == st->rspi;
	return from_opener || brings_rspi(m) || m->rspi == st->rspi;
}

/* May an unknown SA be joined here? Encrypted, with both SPIs, is enough. */
static bool adoptable(const struct ike_msg *m)
{
	return m->encrypted && m->rspi &&
	       !(m->version == 2 && ike_v2_first(m->exchange));
}

static u32 begin(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m)
{
	memset(st, 0, sizeof(*st));
	st->ispi = m->ispi;
	st->version = m->version;
	st->phase = IKE_SA_HALF_OPEN;
	st->opener = dir;
	if (m->opens)
		return 0;
	if (m->version == 2 && !m->initiator)
		st->opener = ike_other(dir);
	st->rspi = m->rspi;
	st->rspi_fixed = true;
	st->adopted = true;
	return IKE_EV_ADOPTED;
}

/* Learn what every message that fits tells. */
static u32 learn(struct ike_sa_state *st, enum ike_dir dir,
		 const struct ike_msg *m)
{
	u32 ev = 0;

	if (m->natt && !st->natt) {
		st->natt = true;
		ev |= IKE_EV_NATT;
	}
	if (!m->rspi || st->rspi_fixed || is_clear_info(m))
		return ev;
	if (dir == st->opener) {
		/* Which of several answers the initiator took. */
		st->rspi = m->rspi;
		st->rspi_fixed = true;
	} else if (brings_rspi(m)) {
		st->rspi = m->rspi;
		st->answered = true;
	}
	return ev;
}

static u32 clear_info(struct ike_sa_state *st, const struct ike_msg *m)
{
	/* Anybody can send it, so it ends nothing that is worth something. */
	if (!m->deletes || st->phase != IKE_SA_HALF_OPEN ||
	    st->adopted)
		return 0;
	st->phase = IKE_SA_DELETED;
	return IKE_EV_DELETED;
}

u32 ike_track_message(struct ike_sa_state *st, enum ike_dir dir,
		      const struct ike_msg *m)
{
	bool fresh = st->phase == IKE_SA_NEW || st->phase == IKE_SA_DELETED;
	u32 ev = 0;

	if (m->cls != IKE_CLASS_IKE || m->walk == IKE_WALK_BAD ||
	    (ike_is_fragment(m, m->next) && !m->frag_num))
		return IKE_EV_FOREIGN;
	if (fresh && !m->opens &&
	    (st->phase == IKE_SA_DELETED || !adoptable(m)))
		return IKE_EV_FOREIGN;
	if (fresh)
		ev = begin(st, dir, m);
	else if (!fits(st, dir, m))
		return IKE_EV_FOREIGN;
	ev |= learn(st, dir, m);
	if (is_clear_info(m))
		return ev | clear_info(st, m);
	if (m->version == 1)
		return ev | ike_v1_track(st, dir, m);
	return ev | ike_v2_track(st, dir, m, fresh);
}
