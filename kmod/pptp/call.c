// SPDX-License-Identifier: GPL-2.0
/*
 * The GRE of calls: a conntrack entry made when the call connects, its session
 * and its pins. ctl_calls.c calls the operations at the end; control.c opens
 * what they have noted.
 *
 * The NAT core rewrites the call ID of a GRE packet together with its
 * destination address, and the entry says to what; in kernels without its part for
 * GRE pptp_renumber() does. A call ID names a call of its receiver (RFC 2637 4.1),
 * so packets to the inside get the inside's own number back and packets to the
 * outside pass as they are.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "../compat/compat.h"
#include "pptp.h"

#define ID_TRIES	8	/* numbers that conntrack may have, until it is given up */

static const struct nf_conntrack_tuple *tuple_of(const struct nf_conn *ct, int dir)
{
	return &ct->tuplehash[dir].tuple;
}

/* Addresses are the control connection's, call IDs stand for its ports. */
static void gre_tuple(struct nf_conntrack_tuple *t, const struct nf_conn *ct,
		      int dir, u16 src, u16 dst)
{
	const struct nf_conntrack_tuple *from = tuple_of(ct, dir);

	memset(t, 0, sizeof(*t));
	t->src.u3 = from->src.u3;
	t->src.l3num = from->src.l3num;
	t->src.u.gre.key = htons(src);
	t->dst.u3 = from->dst.u3;
	t->dst.u.gre.key = htons(dst);
	t->dst.protonum = IPPROTO_GRE;
	t->dst.dir = dir;
}

static struct nf_conn *gre_insert(struct pptp_control *pc,
				  const struct nf_conntrack_tuple *orig,
				  const struct nf_conntrack_tuple *reply)
{
	u32 timeout = vpnpass_setting(pc->vn, &pptp_proto, VPNPASS_SET_TIMEOUT);
	struct nf_conn *ct;

	ct = vpnpass_conn_alloc(pc->vn, nf_ct_zone(pc->ct), orig, reply, pc->ct, timeout);
	return ct && !vpnpass_conn_insert(ct) ? ct : NULL;
}

static struct nf_conn *gre_conn(struct pptp_control *pc, const struct pptp_call *c)
{
	bool snat = pc->in_dir == IP_CT_DIR_ORIGINAL;
	struct nf_conntrack_tuple orig, reply;
	struct nf_conn *ct;

	if (snat) {
		gre_tuple(&orig, pc->ct, IP_CT_DIR_ORIGINAL, c->in_id, c->out_id);
		gre_tuple(&reply, pc->ct, IP_CT_DIR_REPLY, c->out_id, c->nat_id);
	} else {
		gre_tuple(&orig, pc->ct, IP_CT_DIR_ORIGINAL, c->out_id, c->nat_id);
		gre_tuple(&reply, pc->ct, IP_CT_DIR_REPLY, c->in_id, c->out_id);
	}
	ct = gre_insert(pc, &orig, &reply);
	if (ct)
		return ct;
	/* A packet that came after its call was over, or before there was one, may have
	 * left an entry.
	 */
	vpnpass_flow_evict(pc->vn, nf_ct_zone(pc->ct), &orig);
	vpnpass_flow_evict(pc->vn, nf_ct_zone(pc->ct), &reply);
	return gre_insert(pc, &orig, &reply);
}

/* The router's address, where alloc took the outside's: a server inside. */
static void session_names(const struct pptp_control *pc, struct vpnpass_session *s)
{
	if (pc->in_dir == IP_CT_DIR_REPLY)
		s->local = tuple_of(pc->ct, IP_CT_DIR_ORIGINAL)->dst.u3;
}

/* Returns the session with a reference to @ct, which is the caller's until then. */
static struct pptp_session *gre_session(struct pptp_control *pc,
					struct pptp_gre *gre, struct nf_conn *ct)
{
	struct vpnpass_session *s = gre->reserve;
	struct pptp_session *ps;

	gre->reserve = NULL;
	if (!s) {
		s = vpnpass_session_alloc(pc->vn, &pptp_proto, ct);
		if (IS_ERR(s))
			return NULL;
	} else {
		vpnpass_session_rebind(s, ct);
	}
	session_names(pc, s);
	ps = pptp_session(s);
	INIT_LIST_HEAD(&ps->ending);
	ps->pc = pc;
	ps->gre = gre;
	if (!vpnpass_session_publish(s))
		return ps;
	vpnpass_session_discard(s);
	return NULL;
}

/* Returns the pin, or NULL: it was counted. */
static struct vpnpass_pin *pin_put(struct vpnpass_session *s, const struct vpnpass_key *key,
				   int dir, u16 nat)
{
	struct vpnpass_pin *pin = vpnpass_pin_alloc(s->vn);

	if (pin)
		pin->nat_number = nat;
	if (!vpnpass_pin_put(s, pin, key, dir, VPNPASS_NUMBER_KIND_CALL_ID))
		return pin;
	pptp_count(s->vn, PPTP_CNT_PIN_FAILED);
	return NULL;
}

/*
 * Pins of a direction: for packets as they arrive, and as they leave again for the
 * errors that quote them.
 */
static bool gre_pin(struct pptp_session *ps, int dir)
{
	const struct nf_conntrack_tuple *in = tuple_of(ps->s.ct, dir);
	const struct nf_conntrack_tuple *out = tuple_of(ps->s.ct, !dir);
	const struct nf_conntrack_zone *zone = nf_ct_zone(ps->s.ct);
	u16 after = ntohs(out->src.u.gre.key);
	struct vpnpass_pin *pin;
	struct vpnpass_key key = {
		.src = in->src.u3,
		.dst = in->dst.u3,
		.number = ntohs(in->dst.u.gre.key),
		.zone = nf_ct_zone_id(zone, dir),
		.l4proto = IPPROTO_GRE,
		.family = NFPROTO_IPV4,
		.kind = VPNPASS_KEY_PACKET,
	};

	pin = pin_put(&ps->s, &key, dir, after == key.number ? 0 : after);
	if (!pin)
		return false;
	vpnpass_event_pin(&ps->s, VPNPASS_EVENT_TYPE_PINNED, pin, NULL);
	key.src = out->dst.u3;
	key.dst = out->src.u3;
	key.number = after;
	key.zone = nf_ct_zone_id(zone, !dir);
	key.kind = VPNPASS_KEY_QUOTE;
	pin->quote = pin_put(&ps->s, &key, dir, 0);
	return true;
}

/*
 * Only the pin to the inside must be this call's own. Two calls of one sender
 * by the outside's same number cannot be told apart on their way there, and
 * need not: nothing but an address is changed, and that alike.
 */
static bool gre_pins(struct pptp_control *pc, struct pptp_session *ps)
{
	if (!gre_pin(ps, !pc->in_dir))
		return false;
	gre_pin(ps, pc->in_dir);
	return true;
}

/**
 * pptp_call_open() - let the GRE of a call flow
 * @pc: the control connection, locked
 * @gre: the call, all of its numbers known
 *
 * Context: RCU read side.
 * Return: 0, or -EAGAIN: it may work later.
 */
int pptp_call_open(struct pptp_control *pc, struct pptp_gre *gre)
{
	struct pptp_session *ps;
	struct nf_conn *ct;

	lockdep_assert_held(&pc->lock);
	if (gre->live)
		return 0;
	ct = gre_conn(pc, &gre->call);
	if (!ct)
		return -EAGAIN;
	ps = gre_session(pc, gre, ct);
	if (!ps)
		nf_ct_kill(ct);
	nf_ct_put(ct);
	if (!ps)
		return -EAGAIN;

	refcount_inc(&pc->refs);
	if (!gre_pins(pc, ps)) {
		ps->gre = NULL;
		list_add_tail(&ps->ending, &pc->ending);
		return -EAGAIN;
	}
	gre->live = ps;
	pptp_count(pc->vn, gre->restored ? PPTP_CNT_CALLS_RESTORED : PPTP_CNT_CALLS);
	gre->restored = true;
	return 0;
}

/**
 * pptp_call_rival() - an older call that is in the way of a new one
 * @pc: the control connection, locked
 * @gre: the new call
 *
 * The inside gives no number twice, so it has forgotten the old call: it was
 * restarted, and its old control connection nobody has ended yet.
 *
 * Context: RCU read side.
 * Return: its session, for vpnpass_session_end() without our lock; or NULL.
 */
struct vpnpass_session *pptp_call_rival(struct pptp_control *pc,
					const struct pptp_gre *gre)
{
	const struct nf_conntrack_tuple *t = tuple_of(pc->ct, pc->in_dir);
	const struct nf_conntrack_tuple *old;
	struct vpnpass_key key = {
		.src = t->src.u3,
		.dst = t->dst.u3,
		.number = gre->call.out_id,
		.zone = nf_ct_zone_id(nf_ct_zone(pc->ct), pc->in_dir),
		.l4proto = IPPROTO_GRE,
		.family = NFPROTO_IPV4,
		.kind = VPNPASS_KEY_PACKET,
	};
	struct vpnpass_pin *pin = vpnpass_pin_find(pc->vn, &key);

	lockdep_assert_held(&pc->lock);
	if (!pin || pin->dir != pc->in_dir)
		return NULL;
	old = tuple_of(pin->session->ct, pc->in_dir);
	return old->src.u.gre.key == htons(gre->call.in_id) ? pin->session : NULL;
}

/*
 * The core's word that the session of a call goes. If conntrack has lost the
 * entry, somebody deleted it or it was idle for long: the call itself lives.
 */
void pptp_call_session_end(struct pptp_session *ps)
{
	bool lost = nf_ct_is_dying(ps->s.ct) || nf_ct_is_expired(ps->s.ct);
	struct pptp_control *pc = ps->pc;

	spin_lock_bh(&pc->lock);
	list_del_init(&ps->ending);
	if (ps->gre) {
		ps->gre->live = NULL;
		if (lost && !pc->closed) {
			list_move_tail(&ps->gre->todo, &pc->retry);
			pptp_control_retry(pc);
		}
		ps->gre = NULL;
	}
	spin_unlock_bh(&pc->lock);
	pptp_control_put(pc);
}

/* --- operations for ctl_calls.c; pptp_control.lock is held ------------------ */

static struct pptp_call *op_alloc(void *priv)
{
	struct pptp_control *pc = priv;
	struct vpnpass_session *s;
	struct pptp_gre *gre;

	s = vpnpass_session_alloc(pc->vn, &pptp_proto, pc->ct);
	if (IS_ERR(s)) {
		pptp_count(pc->vn, PPTP_CNT_CALLS_REFUSED);
		return NULL;
	}
	gre = vpnpass_alloc_zeroed(pc->vn, sizeof(*gre));
	if (!gre) {
		vpnpass_session_discard(s);
		pptp_count(pc->vn, VPNPASS_CNT_NO_MEMORY);
		return NULL;
	}
	gre->reserve = s;
	INIT_LIST_HEAD(&gre->todo);
	list_add_tail(&gre->all, &pc->all);
	return &gre->call;
}

static void op_free(void *priv, struct pptp_call *call)
{
	struct pptp_gre *gre = container_of(call, struct pptp_gre, call);

	list_del(&gre->all);
	list_del(&gre->todo);
	if (gre->reserve)
		vpnpass_session_discard(gre->reserve);
	kfree(gre);
}

/* Does conntrack have GRE by that number, of a call that was not helped, which somebody
 * answers or a rule leads to a server inside?
 */
static bool is_spoken_for(const struct pptp_control *pc, u16 id)
{
	struct nf_conntrack_tuple_hash *h;
	struct nf_conntrack_tuple t;
	struct nf_conn *ct;
	bool is;

	/* without conntrack's part for GRE nothing tells whose it is */
	if (!VPNPASS_NAT_HAS_GRE)
		return false;
	gre_tuple(&t, pc->ct, !pc->in_dir, 0, id);
	t.dst.dir = IP_CT_DIR_ORIGINAL;
	h = nf_conntrack_find_get(pc->vn->net, nf_ct_zone(pc->ct), &t);
	if (!h)
		return false;
	ct = nf_ct_tuplehash_to_ctrack(h);
	is = READ_ONCE(ct->status) & (IPS_SEEN_REPLY | IPS_DST_NAT);
	nf_ct_put(ct);
	return is;
}

static int op_id_take(void *priv, u16 want, int block)
{
	struct pptp_control *pc = priv;
	int ids[ID_TRIES], n, last;

	for (n = 0; n < ID_TRIES; n++) {
		ids[n] = pptp_pool_id_take(pc->pool, want, block);
		if (ids[n] < 0 || !is_spoken_for(pc, ids[n]))
			break;
	}
	last = n < ID_TRIES ? ids[n] : -ENOSPC;
	while (n--)
		pptp_pool_id_put(pc->pool, ids[n]);
	return last;
}

static void op_id_put(void *priv, u16 id)
{
	struct pptp_control *pc = priv;

	pptp_pool_id_put(pc->pool, id);
}

static u32 op_id_room(void *priv, u8 block)
{
	struct pptp_control *pc = priv;

	return pptp_pool_id_room(pc->pool, block);
}

static void op_connected(void *priv, struct pptp_call *call)
{
	struct pptp_gre *gre = container_of(call, struct pptp_gre, call);
	struct pptp_control *pc = priv;

	gre->restored = false;
	list_move_tail(&gre->todo, &pc->opening);
}

/* Sessions end outside of our lock: pptp_control_settle(). */
static void op_ended(void *priv, struct pptp_call *call)
{
	struct pptp_gre *gre = container_of(call, struct pptp_gre, call);
	struct pptp_control *pc = priv;

	list_del_init(&gre->todo);
	if (!gre->live)
		return;
	gre->live->gre = NULL;
	list_add_tail(&gre->live->ending, &pc->ending);
	gre->live = NULL;
}

/* RFC 2637 2.5: who answers is alive, and so are its calls. Once a second will
 * do, however many there are in a segment.
 */
static void op_echo(void *priv)
{
	struct pptp_control *pc = priv;
	struct pptp_gre *gre;
	u32 timeout;

	if (time_before(jiffies, pc->echoed + HZ))
		return;
	pc->echoed = jiffies;
	pc->tries = 0;
	if (!list_empty(&pc->retry))
		pptp_control_retry(pc);
	timeout = vpnpass_setting(pc->vn, &pptp_proto, VPNPASS_SET_TIMEOUT) * HZ;
	list_for_each_entry(gre, &pc->all, all)
		if (gre->live &&
		    !test_bit(IPS_FIXED_TIMEOUT_BIT, &gre->live->s.ct->status))
			WRITE_ONCE(gre->live->s.ct->timeout,
				   nfct_time_stamp + timeout);
}

static void op_stop(void *priv)
{
}

const struct pptp_calls_ops pptp_call_ops = {
	.alloc = op_alloc,
	.free = op_free,
	.id_take = op_id_take,
	.id_put = op_id_put,
	.id_room = op_id_room,
	.connected = op_connected,
	.ended = op_ended,
	.echo = op_echo,
	.stop = op_stop,
};
