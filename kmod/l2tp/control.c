// SPDX-License-Identifier: GPL-2.0
/*
 * The meaning of control messages for a session: which IDs its ends give each
 * other, and whether the tunnel begins, is up or ends. Messages are read
 * where they leave the router.
 *
 * IDs are learned from the client's messages. They name both: its own in AVPs, the
 * server's in their headers (RFC 2661 3.1, RFC 3931 3.2.1). The ID of a session of
 * version 3, though, is the client's only when the server has named it, too: data
 * carry nothing else, so that otherwise any client could have another's.
 */
#include "l2tp.h"

/* A message's AVP for the sender's tunnel ID or control connection ID. */
static u8 tunnel_avp(const struct l2tp_msg *m)
{
	return m->version == 3 ? L2TP_HAS_CCID : L2TP_HAS_TUNNEL;
}

static u8 tunnel_kind(const struct l2tp_msg *m)
{
	return m->version == 3 ? L2TP_KEY_CCID : L2TP_KEY_TUNNEL;
}

static void learn_tunnel(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	u8 avp = tunnel_avp(m), kind = tunnel_kind(m);
	u32 id = m->version == 3 ? m->ccid : m->tunnel;

	if (id)
		l2tp_id_add(ls, IP_CT_DIR_ORIGINAL, kind, id);
	if (m->has & avp) {
		id = m->version == 3 ? m->assigned_ccid : m->assigned_tunnel;
		/* StopCCN has one, too: the tunnel it ends */
		if (id && m->type != L2TP_STOPCCN)
			l2tp_id_add(ls, IP_CT_DIR_REPLY, kind, id);
	} else if (m->hidden & avp) {
		l2tp_count(ls->s.vn, L2TP_CNT_HIDDEN);
	}
}

static u32 *claim_find(struct l2tp_session *ls, u32 id)
{
	int i;

	for (i = 0; i < L2TP_CLAIMS; i++)
		if (ls->claims[i] == id)
			return &ls->claims[i];
	return NULL;
}

/* A claim that is forgotten is made again by the client's retransmission. */
static void claim(struct l2tp_session *ls, u32 id)
{
	if (!claim_find(ls, id) && !l2tp_id_has(ls, L2TP_KEY_SESSION, id))
		ls->claims[ls->next_claim++ % L2TP_CLAIMS] = id;
}

/* A v3 session's data carry its ID alone; v2 data that of the tunnel, too. */
static void learn_session(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	if ((m->has & L2TP_HAS_LOCAL) && m->local_session)
		claim(ls, m->local_session);
	if ((m->has & L2TP_HAS_REMOTE) && m->remote_session)
		l2tp_id_add(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION,
			    m->remote_session);
}

/* Call-Disconnect-Notify: RFC 3931 3.1, by either side. */
static void forget_session(struct l2tp_session *ls, enum ip_conntrack_dir dir,
			   const struct l2tp_msg *m)
{
	if (m->has & L2TP_HAS_LOCAL)
		l2tp_id_del(ls, !dir, L2TP_KEY_SESSION, m->local_session);
	if (m->has & L2TP_HAS_REMOTE)
		l2tp_id_del(ls, dir, L2TP_KEY_SESSION, m->remote_session);
}

/* RFC 2661 8.1: the answer to the first message may come from any port, and
 * goes to that which the message came from. From then on ports stay.
 */
static void expect_answer(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	const struct nf_conntrack_tuple *reply = l2tp_tuple(ls, IP_CT_DIR_REPLY);

	if (!ls->udp || !(m->has & tunnel_avp(m)))
		return;
	ls->may_move = true;
	l2tp_session_watch(ls, &ls->s.local, ntohs(reply->dst.u.udp.port));
}

static void connected(struct l2tp_session *ls)
{
	if (ls->state != L2TP_STATE_UP)
		l2tp_count(ls->s.vn, L2TP_CNT_TUNNELS);
	WRITE_ONCE(ls->state, L2TP_STATE_UP);
	ls->may_move = false;
	if (!ls->moved)
		l2tp_session_unwatch(ls);
}

static void from_client(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	learn_tunnel(ls, m);
	learn_session(ls, m);
	switch (m->type) {
	case L2TP_SCCRQ:
		WRITE_ONCE(ls->state, L2TP_STATE_CONNECTING);
		expect_answer(ls, m);
		break;
	case L2TP_SCCRP:
		WRITE_ONCE(ls->state, L2TP_STATE_CONNECTING);
		break;
	case L2TP_SCCCN:
		connected(ls);
		break;
	}
}

/* A call's answer, which names the ID of who asked (RFC 3931 5.4.4, Remote Session
 * ID): the client's, if it did.
 */
static void from_server(struct l2tp_session *ls, const struct l2tp_msg *m)
{
	u32 *claim;

	if (m->type == L2TP_SCCCN)
		connected(ls);
	if (m->type < L2TP_OCRP || m->type > L2TP_ICCN ||
	    !(m->has & L2TP_HAS_REMOTE) || !m->remote_session)
		return;
	claim = claim_find(ls, m->remote_session);
	if (claim && l2tp_id_add(ls, IP_CT_DIR_REPLY, L2TP_KEY_SESSION,
				 m->remote_session) != -ENOMEM)
		*claim = 0;
}

/* A server's message to an ID that its client does not have is forged, or about
 * a tunnel long gone: it must not end the one that is there.
 */
static bool has_receiver(struct l2tp_session *ls, enum ip_conntrack_dir dir,
			 const struct l2tp_msg *m)
{
	u32 id = m->version == 3 ? m->ccid : m->tunnel;

	return dir == IP_CT_DIR_ORIGINAL || l2tp_id_has(ls, tunnel_kind(m), id);
}

/* A message of a tunnel that was there before we were. */
static bool proves_up(const struct l2tp_msg *m)
{
	return m->type == L2TP_HELLO || m->type >= L2TP_OCRQ;
}

/* StopCCN: of several tunnels in one flow that one ends. It names the sender's
 * ID in an AVP (RFC 2661 4.4.3, RFC 3931 5.4.3), the receiver's in its header.
 */
static void stop_tunnel(struct l2tp_session *ls, enum ip_conntrack_dir dir,
			const struct l2tp_msg *m)
{
	u32 header = m->version == 3 ? m->ccid : m->tunnel, own = 0;
	u32 others = ls->n_tunnels;
	u8 kind = tunnel_kind(m);
	u32 client, server;

	if (m->has & tunnel_avp(m))
		own = m->version == 3 ? m->assigned_ccid : m->assigned_tunnel;
	client = dir == IP_CT_DIR_ORIGINAL ? own : header;
	server = dir == IP_CT_DIR_ORIGINAL ? header : own;
	/* an ID that cannot be read is one of those that are known */
	if (others && (!client || l2tp_id_has(ls, kind, client)))
		others--;
	if (!others) {
		WRITE_ONCE(ls->state, L2TP_STATE_CLOSING);
		return;
	}
	if (client)
		l2tp_id_del(ls, IP_CT_DIR_REPLY, kind, client);
	if (server)
		l2tp_id_del(ls, IP_CT_DIR_ORIGINAL, kind, server);
}

/**
 * l2tp_control_message() - a control message passes
 * @ls: its session
 * @dir: its direction
 * @m: the message
 *
 * Context: softirq, RCU read side, l2tp_net.lock held.
 */
void l2tp_control_message(struct l2tp_session *ls, enum ip_conntrack_dir dir,
			  const struct l2tp_msg *m)
{
	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (ls->state == L2TP_STATE_DATA && proves_up(m))
		WRITE_ONCE(ls->state, L2TP_STATE_UP);
	if (!has_receiver(ls, dir, m))
		return;
	if (dir == IP_CT_DIR_ORIGINAL)
		from_client(ls, m);
	else
		from_server(ls, m);
	if (m->type == L2TP_CDN)
		forget_session(ls, dir, m);
	else if (m->type == L2TP_STOPCCN)
		stop_tunnel(ls, dir, m);
}
