// SPDX-License-Identifier: GPL-2.0
/*
 * L2TPv3 over IP (protocol 115, RFC 3931 4.1.1): whose is what a server sends?
 * What clients have been heard to agree on has its pins. For tunnels without a
 * control connection ("ip l2tp") the server's IDs must be found out: clients
 * that are not yet answered send one at a time, and an ID that comes in during
 * a client's turn, in two turns of it, is that client's. Called by l2tp.c and
 * session.c.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>

#include "../compat/compat.h"
#include "l2tp.h"

#define TRIALS		8	/* IDs of one server being found out */
#define TURNS		2	/* in which an ID must be heard */
#define YIELD		4	/* windows to wait after a turn in vain */

/* The clients of one server behind one address of the router's. */
struct l2tp_group_key {
	union nf_inet_addr peer;
	union nf_inet_addr local;
	u16 zone;
	u8 family;
	u8 pad;
};

/**
 * struct l2tp_trial - an ID that a server uses, whose is not known
 * @id: the ID, 0 in a free slot
 * @ls: in whose turn it was heard
 * @turn: number of the last of its turns
 * @n: how many of them
 */
struct l2tp_trial {
	u32 id;
	struct l2tp_session *ls;
	u32 turn;
	u8 n;
};

/**
 * struct l2tp_group - the clients of one server
 * @node: in l2tp_net.groups
 * @key: server and address
 * @rcu: for its end
 * @sessions: theirs
 * @n: how many
 * @refs: sessions that exist, linked or not
 * @turn: whose turn it is, NULL for nobody's
 * @turn_at: since when, ms
 * @turns: turns so far
 * @next: the next of @trials to be given up
 * @trials: IDs being found out
 */
struct l2tp_group {
	struct rhash_head node;
	struct l2tp_group_key key;
	struct rcu_head rcu;
	struct list_head sessions;
	u32 n;
	u32 refs;
	struct l2tp_session *turn;
	u32 turn_at;
	u32 turns;
	u8 next;
	struct l2tp_trial trials[TRIALS];
};

static const struct rhashtable_params group_params = {
	.head_offset = offsetof(struct l2tp_group, node),
	.key_offset = offsetof(struct l2tp_group, key),
	.key_len = sizeof(struct l2tp_group_key),
	.min_size = 16,
	.automatic_shrinking = true,
};

int l2tp_groups_init(struct l2tp_net *ln)
{
	return rhashtable_init(&ln->groups, &group_params);
}

void l2tp_groups_exit(struct l2tp_net *ln)
{
	rhashtable_destroy(&ln->groups);
}

static struct l2tp_group *group_alloc(const struct l2tp_group_key *key)
{
	struct l2tp_group *g = kzalloc(sizeof(*g), GFP_ATOMIC | __GFP_NOWARN);

	if (!g)
		return NULL;
	g->key = *key;
	INIT_LIST_HEAD(&g->sessions);
	return g;
}

static struct l2tp_group *group_get(struct l2tp_net *ln,
				    const struct l2tp_group_key *key)
{
	struct l2tp_group *g;

	g = rhashtable_lookup_fast(&ln->groups, key, group_params);
	if (!g) {
		g = group_alloc(key);
		if (!g)
			return NULL;
		if (rhashtable_insert_fast(&ln->groups, &g->node, group_params)) {
			kfree(g);
			return NULL;
		}
	}
	g->refs++;
	return g;
}

/**
 * l2tp_group_join() - a session over IP begins
 * @ls: the session, not yet published
 *
 * Return: 0 or -ENOMEM.
 */
int l2tp_group_join(struct l2tp_session *ls)
{
	const struct nf_conntrack_tuple *reply = l2tp_tuple(ls, IP_CT_DIR_REPLY);
	struct l2tp_net *ln = l2tp_net(ls->s.vn);
	struct l2tp_group_key key = {};

	key.peer = reply->src.u3;
	key.local = reply->dst.u3;
	key.zone = nf_ct_zone_id(nf_ct_zone(ls->s.ct), IP_CT_DIR_REPLY);
	key.family = ls->s.family;
	spin_lock_bh(&ln->lock);
	ls->group = group_get(ln, &key);
	spin_unlock_bh(&ln->lock);
	return ls->group ? 0 : -ENOMEM;
}

/* It is published and confirmed: packets may be given to it. Lock held. */
void l2tp_group_link(struct l2tp_session *ls)
{
	list_add(&ls->node, &ls->group->sessions);
	ls->group->n++;
}

static void forget_trials(struct l2tp_group *g, const struct l2tp_session *ls)
{
	int i;

	for (i = 0; i < TRIALS; i++)
		if (g->trials[i].ls == ls)
			g->trials[i] = (struct l2tp_trial) {};
}

/* A session goes, linked or not. Lock held. */
void l2tp_group_leave(struct l2tp_session *ls)
{
	struct l2tp_group *g = ls->group;

	if (!g)
		return;
	ls->group = NULL;
	if (!list_empty(&ls->node)) {
		list_del_init(&ls->node);
		g->n--;
	}
	if (g->turn == ls)
		g->turn = NULL;
	forget_trials(g, ls);
	if (--g->refs)
		return;
	rhashtable_remove_fast(&l2tp_net(ls->s.vn)->groups, &g->node,
			       group_params);
	kfree_rcu(g, rcu);
}

/* --- turns ---------------------------------------------------------------- */

static bool turn_is_over(const struct l2tp_session *ls, u32 now)
{
	const struct l2tp_group *g = ls->group;

	return now - g->turn_at >= vpnpass_setting(ls->s.vn, &l2tp_proto,
						   L2TP_SET_PAIRING_WINDOW);
}

static bool yields(struct l2tp_session *ls, u32 now)
{
	if (ls->yields && (s32)(now - ls->yield_until) >= 0)
		ls->yields = false;
	return ls->yields;
}

/* A turn has passed in vain: this may be a one-way flow. */
static void give_way(struct l2tp_session *ls, u32 now)
{
	ls->group->turn = NULL;
	ls->yields = ls->group->n > 1;
	ls->yield_until = now + YIELD *
		vpnpass_setting(ls->s.vn, &l2tp_proto, L2TP_SET_PAIRING_WINDOW);
}

/* May a client send on an ID that the server has not answered? */
static bool take_turn(struct l2tp_session *ls, u32 now)
{
	struct l2tp_group *g = ls->group;

	if (g->turn && !turn_is_over(ls, now)) {
		if (g->turn == ls)
			return true;
		l2tp_count(ls->s.vn, L2TP_CNT_WAITED);
		return false;
	}
	if (g->turn == ls)
		give_way(ls, now);
	if (yields(ls, now))
		return true;
	g->turn = ls;
	g->turn_at = now;
	g->turns++;
	return true;
}

/**
 * l2tp_ip_data() - data of a client's goes out on an ID that has no pin
 * @ls: its session
 * @id: the server's session ID
 *
 * Context: softirq, RCU read side, l2tp_net.lock held.
 * Return: verdict; who sends for the first time may have to wait for others.
 */
unsigned int l2tp_ip_data(struct l2tp_session *ls, u32 id)
{
	if (!ls->spare)
		ls->spare = vpnpass_pin_alloc();
	if (ls->ask != id) {
		ls->ask = id;
		ls->ask_answered = false;
	}
	if (ls->ask_answered) {
		l2tp_id_add(ls, IP_CT_DIR_ORIGINAL, L2TP_KEY_SESSION, id);
		return NF_ACCEPT;
	}
	return take_turn(ls, vpnpass_now()) ? NF_ACCEPT : NF_DROP;
}

/* --- what comes in -------------------------------------------------------- */

static struct l2tp_trial *trial_of(struct l2tp_group *g, u32 id)
{
	struct l2tp_trial *t;
	int i;

	for (i = 0; i < TRIALS; i++)
		if (g->trials[i].id == id)
			return &g->trials[i];
	t = &g->trials[g->next++ % TRIALS];
	*t = (struct l2tp_trial) { .id = id };
	return t;
}

/* An ID is heard in a client's turn. What came in another's speaks against. */
static void hear(struct l2tp_session *ls, u32 id)
{
	struct l2tp_group *g = ls->group;
	struct l2tp_trial *t = trial_of(g, id);

	if (t->ls != ls || !t->n)
		*t = (struct l2tp_trial) { .id = id, .ls = ls };
	else if (t->turn == g->turns)
		return;
	t->turn = g->turns;
	g->turn = NULL;
	if (++t->n < TURNS)
		return;
	if (ls->spare && !l2tp_id_add(ls, IP_CT_DIR_REPLY, L2TP_KEY_SESSION, id))
		l2tp_count(ls->s.vn, L2TP_CNT_PAIRED);
	*t = (struct l2tp_trial) {};
	ls->ask_answered = true;
	ls->yields = false;
}

/*
 * Whose is a packet with an ID that nobody was heard to choose? That of whose
 * turn it is, or of the only client there is. Lock held.
 */
static struct l2tp_session *owner_of(struct l2tp_group *g,
				     const struct l2tp_head *h)
{
	struct l2tp_session *ls = g->turn;

	if (ls && !h->control && !turn_is_over(ls, vpnpass_now())) {
		hear(ls, h->id);
		return ls;
	}
	return g->n == 1 ? list_first_entry(&g->sessions, struct l2tp_session,
					    node) : NULL;
}

/* The router's own L2TP, or an entry from before us. */
static bool stock_flow(const struct vpnpass_pkt *pkt)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(pkt->skb);
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple tuple;

	if (!nf_ct_get_tuplepr(pkt->skb, skb_network_offset(pkt->skb),
			       pkt->key.family, pkt->state->net, &tuple))
		return false;
	h = nf_conntrack_find_get(pkt->state->net, tmpl ? nf_ct_zone(tmpl) :
				  &nf_ct_zone_dflt, &tuple);
	if (!h)
		return false;
	nf_ct_put(nf_ct_tuplehash_to_ctrack(h));
	return true;
}

static unsigned int deliver(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			    struct l2tp_group *g, const struct l2tp_head *h)
{
	struct l2tp_session *ls = owner_of(g, h);

	if (!ls || !vpnpass_attach(&ls->s, pkt->skb, IP_CT_DIR_REPLY)) {
		l2tp_count(vn, L2TP_CNT_UNKNOWN);
		return NF_DROP;
	}
	pkt->done = !h->control;
	return NF_ACCEPT;
}

static struct l2tp_group_key group_key(const struct vpnpass_pkt *pkt)
{
	const struct nf_conn *tmpl = (void *)skb_nfct(pkt->skb);
	struct l2tp_group_key key = {
		.peer = pkt->key.src,
		.local = pkt->key.dst,
		.family = pkt->key.family,
	};

	key.zone = tmpl ? nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_REPLY) :
			  NF_CT_DEFAULT_ZONE_ID;
	return key;
}

/* No pin. From a server that clients use, nothing goes on to the router. */
static unsigned int unknown(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			    const struct l2tp_head *h)
{
	struct l2tp_group_key key = group_key(pkt);
	struct l2tp_net *ln = l2tp_net(vn);
	unsigned int verdict = NF_ACCEPT;
	struct l2tp_group *g;

	if (!rhashtable_lookup(&ln->groups, &key, group_params) ||
	    stock_flow(pkt))
		return NF_ACCEPT;
	spin_lock_bh(&ln->lock);
	g = rhashtable_lookup(&ln->groups, &key, group_params);
	if (g)
		verdict = h ? deliver(vn, pkt, g, h) : NF_DROP;
	spin_unlock_bh(&ln->lock);
	return verdict;
}

/**
 * l2tp_ip_miss() - a packet of protocol 115 that the core did not attach
 * @vn: netns
 * @pkt: the packet
 * @err: what l2tp_number() said
 *
 * Context: softirq, RCU read side.
 * Return: verdict.
 */
unsigned int l2tp_ip_miss(struct vpnpass_net *vn, struct vpnpass_pkt *pkt,
			  int err)
{
	struct vpnpass_pin *pin;
	struct l2tp_head h;

	if (!l2tp_read_head(pkt, &h)) {
		l2tp_count(vn, VPNPASS_CNT_MALFORMED);
		return unknown(vn, pkt, NULL);
	}
	if (!h.control)
		return unknown(vn, pkt, &h);
	pin = l2tp_find(vn, pkt, h.kind, h.id);
	if (pin && vpnpass_attach(pin->session, pkt->skb, pin->dir)) {
		WRITE_ONCE(pin->last, vpnpass_now());
		return NF_ACCEPT;
	}
	return unknown(vn, pkt, &h);
}
