// SPDX-License-Identifier: GPL-2.0
/* The clients of one server that run L2TPv3 over IP. */
#include "ip.h"

#define ASK_EVERY	1000	/* ms */
#define SILENT		30000	/* ms after which an answer is doubted */
#define ASKED_AT_ONCE	16	/* clients */

static void group_setup(struct vpnpass_peer *peer)
{
	l2tp_turns_init(&container_of(peer, struct l2tp_group, peer)->turns);
}

int l2tp_groups_init(struct vpnpass_net *vn)
{
	return vpnpass_peers_init(&l2tp_net(vn)->groups, vn, sizeof(struct l2tp_group),
				  group_setup);
}

/* NULL when no client has sent to that server. Context: RCU read side. */
struct l2tp_group *l2tp_group_find(struct l2tp_net *ln, const struct vpnpass_peer_key *key)
{
	return vpnpass_peer_entry(vpnpass_peer_find(&ln->groups, key), struct l2tp_group);
}

/**
 * l2tp_group_join() - a session over IP begins
 * @ls: the session, not yet published
 *
 * Return: 0 or -ENOMEM.
 */
int l2tp_group_join(struct l2tp_session *ls)
{
	struct vpnpass_peer_key key = vpnpass_peer_key(ls->s.ct, IP_CT_DIR_REPLY);
	struct l2tp_net *ln = l2tp_net(ls->s.vn);

	ls->group = vpnpass_peer_entry(vpnpass_peer_get(&ln->groups, &key), struct l2tp_group);
	return ls->group ? 0 : -ENOMEM;
}

/* The session is published and confirmed: packets may be given to it. Lock held. */
void l2tp_group_link(struct l2tp_session *ls)
{
	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	l2tp_turns_add(&ls->group->turns, &ls->client);
}

/* A session goes, linked or not. Lock held. */
void l2tp_group_leave(struct l2tp_session *ls)
{
	struct l2tp_group *g = ls->group;

	lockdep_assert_held(&l2tp_net(ls->s.vn)->lock);
	if (!g)
		return;
	ls->group = NULL;
	l2tp_turns_del(&g->turns, &ls->client);
	vpnpass_peer_put(&g->peer);
}

/* When what it was answered on is silent, it may have another ID by now. */
static void doubt_answer(struct l2tp_session *ls, u32 now)
{
	struct l2tp_client *c = &ls->client;
	u32 last;

	if (!c->answer || (l2tp_id_last(ls, c->answer, &last) &&
			   now - last < SILENT))
		return;
	c->answer = 0;
	l2tp_id_del(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION, c->ask);
}

/**
 * l2tp_group_ask_anew() - a server uses an ID that is nobody's
 * @g: its clients
 * @now: vpnpass_now()
 *
 * One of them may have been set up anew. What clients send on IDs that were
 * found out passes unread; let some of it be read again. That harms nobody, so
 * that forged packets may cause it, but seldom, and for few clients at a time.
 */
void l2tp_group_ask_anew(struct l2tp_group *g, u32 now)
{
	struct list_head *clients = &g->turns.clients;
	struct l2tp_session *ls;
	u32 n;

	if (now - g->asked_at < ASK_EVERY)
		return;
	g->asked_at = now;
	for (n = min_t(u32, g->turns.n, ASKED_AT_ONCE); n; n--) {
		ls = list_first_entry(clients, struct l2tp_session, client.node);
		list_move_tail(&ls->client.node, clients);
		l2tp_ether_ask_anew(ls);
		doubt_answer(ls, now);
	}
}
