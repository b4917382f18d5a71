// SPDX-License-Identifier: GPL-2.0
/*
 * The IKE SAs of a session: what the tracker makes of their messages, the pins
 * that lead to them, and how many of them there may be. SAs begin with a
 * client's message only. When room is needed the half-open one that has been
 * unused longest goes; an established one only after a long silence, and never
 * for another client's.
 */
#include <linux/slab.h>

#include "ike.h"

#define IKE_SA_IDLE	600000	/* ms; an established SA may go after that */

/* --- an SA ------------------------------------------------------------------- */

static void sa_free(struct ike_net *in, struct ike_sa *sa)
{
	ike_half_del(in, sa);
	list_del(&sa->list);
	sa->is->n_sas--;
	kfree(sa);
}

static void sa_unpin(struct ike_sa *sa)
{
	if (sa->out)
		vpnpass_pin_del(sa->out);
	if (sa->in)
		vpnpass_pin_del(sa->in);
	if (sa->rspi)
		vpnpass_pin_del(sa->rspi);
}

/* The SA goes, its session stays. */
static void sa_evict(struct ike_net *in, struct ike_sa *sa)
{
	struct ike_session *is = sa->is;

	sa_unpin(sa);
	sa_free(in, sa);
	ike_session_judge(is);
}

/* The session goes, and the core takes the pins. */
void ike_sa_drop_all(struct ike_session *is)
{
	struct ike_net *in = ike_net(is->s.vn);
	struct ike_sa *sa, *next;

	lockdep_assert_held(&in->lock);
	list_for_each_entry_safe(sa, next, &is->sas, list)
		sa_free(in, sa);
}

static struct ike_sa *sa_find(struct ike_session *is, u64 ispi)
{
	struct ike_sa *sa;

	list_for_each_entry(sa, &is->sas, list)
		if (sa->ispi == ispi)
			return sa;
	return NULL;
}

/* --- pins -------------------------------------------------------------------- */

static struct vpnpass_pin *pin_in(struct ike_session *is, u64 spi)
{
	return ike_pin_add(is, &is->s.peer, &is->s.local, spi, IP_CT_DIR_REPLY);
}

static bool sa_pin(struct ike_sa *sa)
{
	struct ike_session *is = sa->is;
	const union nf_inet_addr *dst;

	if (is->plain)
		return true;
	/* The gateway as the client knows it; rules may translate that too. */
	dst = &is->s.ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple.dst.u3;
	sa->in = pin_in(is, sa->ispi);
	if (!sa->in)
		return false;
	sa->out = ike_pin_add(is, &is->s.client, dst, sa->ispi, IP_CT_DIR_ORIGINAL);
	if (!sa->out)
		return false;
	vpnpass_event_pin(&is->s, VPNPASS_EVENT_TYPE_PINNED, sa->in, NULL);
	return true;
}

/* --- room -------------------------------------------------------------------- */

/* An SA that may go to make room in a session: NULL when each is in use. */
static struct ike_sa *sa_spare(struct ike_session *is, u32 now)
{
	struct ike_sa *sa, *idle = NULL;

	list_for_each_entry_reverse(sa, &is->sas, list) {
		if (sa->client)
			return sa;
		if (!idle && (sa->st.natt || now - sa->last >= IKE_SA_IDLE))
			idle = sa;
	}
	return idle;
}

static bool room_in_session(struct ike_net *in, struct ike_session *is, u32 now)
{
	struct ike_sa *spare;

	if (is->n_sas < vpnpass_setting(in->vn, &ike_proto, IKE_SET_MAX_SAS))
		return true;
	spare = sa_spare(is, now);
	vpnpass_limit_hit(&is->s, VPNPASS_CNT_LIMIT_NUMBERS);
	if (!spare)
		return false;
	sa_evict(in, spare);
	return true;
}

static void room_among_half_open(struct ike_net *in, struct ike_session *is)
{
	struct ike_client *c = ike_client_find(in, is);

	if (c && c->n_half >= vpnpass_setting(in->vn, &ike_proto,
					      IKE_SET_MAX_HALF_OPEN_CLIENT)) {
		vpnpass_limit_hit(&is->s, IKE_CNT_LIMIT_HALF_OPEN_CLIENT);
		sa_evict(in, list_first_entry(&c->half, struct ike_sa, client_half));
	}
	if (in->n_half >= vpnpass_setting(in->vn, &ike_proto,
					  IKE_SET_MAX_HALF_OPEN)) {
		vpnpass_limit_hit(&is->s, IKE_CNT_LIMIT_HALF_OPEN);
		sa_evict(in, list_first_entry(&in->half, struct ike_sa, half));
	}
}

/* --- messages ---------------------------------------------------------------- */

/*
 * An SPI that another session has. A client may come back from another port, or
 * by another connection when its own has ended: then it takes the SA along.
 */
static bool take_over(struct ike_net *in, struct ike_session *is, u64 ispi)
{
	struct vpnpass_pin *pin = ike_pin_find_inbound(is, ispi);
	struct ike_session *owner;
	struct ike_sa *sa;

	if (!pin)
		return true;
	owner = ike_session(pin->session);
	sa = sa_find(owner, ispi);
	if (!sa || !nf_inet_addr_cmp(&owner->s.client, &is->s.client))
		return false;
	sa_evict(in, sa);
	return true;
}

static struct ike_sa *sa_alloc(struct ike_net *in, struct ike_session *is,
			       const struct ike_msg *m)
{
	struct ike_client *c;
	struct ike_sa *sa;

	sa = vpnpass_alloc_zeroed(in->vn, sizeof(*sa));
	if (!sa)
		goto no_memory;
	c = ike_client_get(in, is);
	if (!c)
		goto free;
	sa->is = is;
	sa->ispi = m->ispi;
	sa->trip_ms = IKE_NO_ROUND_TRIP;
	list_add(&sa->list, &is->sas);
	is->n_sas++;
	WRITE_ONCE(is->version, m->version);
	ike_half_add(in, sa, c);
	return sa;

free:
	kfree(sa);
no_memory:
	vpnpass_count(in->vn, &ike_proto, VPNPASS_CNT_NO_MEMORY);
	return NULL;
}

/* Is the message worth an SA of its own? The tracker knows, but for answers to
 * what the gateway began; then it joins later.
 */
static bool begins_sa(const struct ike_msg *m)
{
	struct ike_sa_state st = {};

	return m->rspi || ike_track_message(&st, IKE_DIR_OUT, m) != IKE_EV_FOREIGN;
}

static struct ike_sa *sa_begin(struct ike_net *in, struct ike_session *is,
			       const struct ike_msg *m, u32 now)
{
	struct ike_sa *sa;

	if (!begins_sa(m))
		return NULL;
	if (!is->plain && !take_over(in, is, m->ispi)) {
		vpnpass_tell_conflict(&is->s, IKE_CNT_CONFLICT,
				      "initiator SPI in use by another session");
		return NULL;
	}
	if (!room_in_session(in, is, now))
		return NULL;
	room_among_half_open(in, is);
	sa = sa_alloc(in, is, m);
	if (sa && !sa_pin(sa)) {
		sa_evict(in, sa);
		return NULL;
	}
	return sa;
}

static void sa_round_trip(struct ike_sa *sa, u32 ms)
{
	if (ms != IKE_NO_ROUND_TRIP)
		sa->trip_ms = ms;
}

/* ESP's module knows the client only once it asks for SAs: what was measured before is
 * told then.
 */
static u32 trip_to_tell(struct ike_sa *sa, u32 ev)
{
	u32 ms = sa->trip_ms;

	if (sa->st.phase != IKE_SA_ESTABLISHED && !(ev & IKE_EV_BEGIN))
		return IKE_NO_ROUND_TRIP;
	sa->trip_ms = IKE_NO_ROUND_TRIP;
	return ms;
}

static void sa_count(struct ike_sa *sa, u32 ev)
{
	static const struct {
		u32 ev;
		int counter;
	} map[] = {
		{ IKE_EV_ESTABLISHED, IKE_CNT_ESTABLISHED },
		{ IKE_EV_CHILD, IKE_CNT_CHILDREN },
		{ IKE_EV_ADOPTED, IKE_CNT_ADOPTED },
		{ IKE_EV_NATT, IKE_CNT_MOVED_NATT },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		if (ev & map[i].ev)
			vpnpass_count(sa->is->s.vn, &ike_proto, map[i].counter);
}

static void sa_touch(struct ike_net *in, struct ike_sa *sa, enum ike_dir dir,
		     u32 now)
{
	struct vpnpass_pin *pin = dir == IKE_DIR_OUT ? sa->out : sa->in;

	if (!list_is_first(&sa->list, &sa->is->sas))
		list_move(&sa->list, &sa->is->sas);
	ike_half_touch(in, sa);
	sa->last = now;
	if (pin && READ_ONCE(pin->last) != now)
		WRITE_ONCE(pin->last, now);
}

/* Let the message act; what it changed for the session follows. Returns what ESP is to
 * be told.
 */
static u32 sa_track(struct ike_net *in, struct ike_sa *sa, enum ike_dir dir,
		    const struct ike_msg *m, u32 now)
{
	struct ike_session *is = sa->is;
	u32 ev = ike_track_message(&sa->st, dir, m);

	lockdep_assert_held(&in->lock);
	sa_touch(in, sa, dir, now);
	if (ev == IKE_EV_FOREIGN)
		return 0;
	sa_round_trip(sa, ike_round_trip(&sa->trip, dir, m, now));
	if (sa->client && (sa->st.phase == IKE_SA_ESTABLISHED || sa->st.natt))
		ike_half_del(in, sa);
	/* The client's word for it, so that nobody outside can make pins. */
	if (dir == IKE_DIR_OUT && sa->in && !sa->rspi && sa->st.rspi_fixed)
		sa->rspi = pin_in(is, sa->st.rspi);
	if (!ev)
		return 0;
	sa_count(sa, ev);
	if (ev & (IKE_EV_ESTABLISHED | IKE_EV_NATT | IKE_EV_DELETED))
		ike_session_judge(is);
	/* A rekeyed IKE SA shows up with SPIs that nobody saw agreed on. */
	if (ev & IKE_EV_CHILD && !list_empty(&is->node))
		list_move(&is->node, &is->peer->sessions);
	/* ESP is told of the client's requests, and of the gateway's responses to them. */
	if (dir == IKE_DIR_IN)
		return ev & ~(IKE_EV_BEGIN | IKE_EV_CHILD_RETRACT);
	return ev & ~IKE_EV_NO_CHILD;
}

static void tell(const struct ike_session *is, u8 what, u32 rtt_ms)
{
	const struct nf_conntrack_zone *zone = nf_ct_zone(is->s.ct);
	struct vpnpass_hint hint = {
		.what = what,
		.family = is->s.family,
		.client = is->s.client,
		.peer = is->s.peer,
		.local = is->s.local,
		.zone = is->zone || zone->flags & VPNPASS_ZONE_OURS ? nf_ct_zone_dflt : *zone,
		.rtt_ms = rtt_ms,
		.ct = is->s.ct,
	};
	u8 state = READ_ONCE(is->state);

	/* The client's word is not enough for an SA that is only being made. */
	if (state == IKE_STATE_ESTABLISHED ||
	    (state == IKE_STATE_HALF_OPEN && what != VPNPASS_HINT_MADE))
		vpnpass_hint_send(is->s.vn, &hint);
}

/* Tell the other modules what a message meant for ESP. No lock held. */
static void tell_all(const struct ike_session *is, u32 ev, u32 trip_ms)
{
	if (ev & (IKE_EV_CHILD_RETRACT | IKE_EV_NO_CHILD))
		tell(is, VPNPASS_HINT_NOT_MADE, 0);
	if (ev & IKE_EV_CHILD)
		tell(is, VPNPASS_HINT_MADE, 0);
	else if (ev & IKE_EV_BEGIN)
		tell(is, VPNPASS_HINT_ASKED, 0);
	if (trip_ms != IKE_NO_ROUND_TRIP)
		tell(is, VPNPASS_HINT_ROUND_TRIP, trip_ms);
}

/**
 * ike_sa_message() - a message of a session is going through
 * @is: the session, seen under RCU
 * @dir: which way
 * @m: IKE_CLASS_IKE
 *
 * Context: softirq, RCU read side.
 */
void ike_sa_message(struct ike_session *is, enum ike_dir dir, const struct ike_msg *m)
{
	u32 ev = 0, now = vpnpass_now(), trip_ms = IKE_NO_ROUND_TRIP;
	struct ike_net *in = ike_net(is->s.vn);
	struct ike_sa *sa;

	spin_lock_bh(&in->lock);
	if (is->linked) {
		sa = sa_find(is, m->ispi);
		if (!sa && dir == IKE_DIR_OUT)
			sa = sa_begin(in, is, m, now);
		if (sa) {
			ev = sa_track(in, sa, dir, m, now);
			trip_ms = trip_to_tell(sa, ev);
		}
	}
	spin_unlock_bh(&in->lock);
	tell_all(is, ev, trip_ms);
}

/* As ike_round_trip(), of a message that is not read; IKEv1's tell nothing. */
static u32 quiet_round_trip(struct ike_sa *sa, enum ike_dir dir,
			    const struct ike_head *p, u32 now)
{
	bool response = p->flags & IKE_V2_RESPONSE;

	if (p->version == 1)
		return IKE_NO_ROUND_TRIP;
	if (dir == IKE_DIR_IN && response)
		return ike_round_trip_answered(&sa->trip, p->exchange, p->mid, now);
	if (dir == IKE_DIR_OUT && !response)
		ike_round_trip_asked(&sa->trip, p->exchange, p->mid, 0, now);
	return IKE_NO_ROUND_TRIP;
}

/**
 * ike_sa_quiet() - a message that changes nothing: no need to read it
 * @is: the session, seen under RCU
 * @dir: which way it goes
 * @p: the message
 *
 * Informational messages of an established SA, of which dead-peer detection
 * consists, are all that most SAs see for hours.
 *
 * Context: softirq, RCU read side.
 * Return: false when ike_sa_message() has to see it.
 */
bool ike_sa_quiet(struct ike_session *is, enum ike_dir dir,
		  const struct ike_head *p)
{
	u32 now = vpnpass_now(), trip_ms = IKE_NO_ROUND_TRIP;
	struct ike_net *in = ike_net(is->s.vn);
	struct ike_sa *sa;
	bool quiet;

	if (p->exchange != (p->version == 1 ? IKE_V1_INFO : IKE_V2_INFO) ||
	    p->next == IKE_V2_FRAGMENT)
		return false;
	spin_lock_bh(&in->lock);
	sa = sa_find(is, p->ispi);
	quiet = sa && sa->st.phase == IKE_SA_ESTABLISHED &&
		sa->st.version == p->version && sa->rspi;
	if (quiet) {
		sa_touch(in, sa, dir, now);
		sa_round_trip(sa, quiet_round_trip(sa, dir, p, now));
		trip_ms = trip_to_tell(sa, 0);
	}
	spin_unlock_bh(&in->lock);
	tell_all(is, 0, trip_ms);
	return quiet;
}

/**
 * ike_sa_moved() - a client's IKE message on port 4500
 * @vn: netns
 * @key: the packet's, from the client to the gateway
 * @m: the message; its SA may have begun on port 500
 *
 * Context: softirq, RCU read side.
 */
void ike_sa_moved(struct vpnpass_net *vn, const struct vpnpass_key *key,
		  const struct ike_msg *m)
{
	struct vpnpass_pin *pin = ike_pin_find(vn, key, m->ispi);
	struct ike_net *in = ike_net(vn);
	struct ike_session *is;
	struct ike_sa *sa;

	if (!pin)
		return;
	is = ike_session(pin->session);
	spin_lock_bh(&in->lock);
	sa = is->linked ? sa_find(is, m->ispi) : NULL;
	if (sa)
		sa_track(in, sa, IKE_DIR_OUT, m, vpnpass_now());
	spin_unlock_bh(&in->lock);
}
