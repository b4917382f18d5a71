// SPDX-License-Identifier: GPL-2.0
/*
 * Which client of a gateway may make SAs now. While it is open which ESP SPI
 * belongs to one client, a message of another's that would make more waits here,
 * taken off POSTROUTING after all of its rules, and goes on in its turn. What
 * a gateway begins is dropped meanwhile; it repeats it. Called by sa.c, ike.c
 * and session.c.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/dst.h>

#include "ike.h"

#define IKE_GATE_POLL	10	/* ms from look to look while anything waits */
#define IKE_GATE_OPEN	500	/* ms for an exchange that gets no answer */
#define IKE_GATE_TELL	10	/* ms from an exchange's end until ESP's helper knows */
#define IKE_GATE_TURN	4000	/* ms for a client that begins one after the other */
#define IKE_GATE_IN	4000	/* ms that a gateway's requests are dropped */

/* What may wait: exchanges of a gateway's clients, parts of an exchange; in a
 * netns, packets and bytes. And gateways to look at, at a time.
 */
#define IKE_GATE_MAX_PEER	256
#define IKE_GATE_MAX_PARTS	16
#define IKE_GATE_MAX_PACKETS	4096
#define IKE_GATE_MAX_BYTES	(8 << 20)
#define IKE_GATE_PEERS		256

struct ike_held {
	struct list_head list;		/* in ike_sa.held */
	struct sk_buff *skb;
	struct ike_session *is;		/* whose it was; under RCU */
	struct ike_msg m;
	u32 ev;				/* what it meant, once it goes on */
};

/* --- whose turn it is ------------------------------------------------------- */

static bool gate_is_on(const struct ike_session *is)
{
	return vpnpass_setting(is->s.vn, &ike_proto, IKE_SET_GATE) &&
	       !list_is_singular(&is->peer->sessions);
}

static bool opener_is_busy(const struct ike_peer *p, u32 now)
{
	return p->opener && (s32)(p->open_until - now) > 0;
}

static bool other_is_open(const struct ike_session *is, u32 now)
{
	struct vpnpass_hint hint = {
		.family = is->s.family,
		.client = is->s.client,
		.peer = is->s.peer,
		.local = is->s.local,
		.ct = is->s.ct,
	};

	if (is->peer->opener != is && opener_is_busy(is->peer, now))
		return true;
	return vpnpass_busy(is->s.vn, &hint);
}

/* An exchange can take several requests (EAP, RFC 7296 section 2.16): who is at
 * it need not queue for each.
 */
static bool queues(const struct ike_session *is, u32 now)
{
	const struct ike_peer *p = is->peer;

	if (p->opener == is && opener_is_busy(p, now) &&
	    now - p->opened < IKE_GATE_TURN)
		return false;
	return !list_empty(&p->waiting);
}

/**
 * ike_gate_passed() - a message went through
 * @is: its session
 * @ev: what it meant, IKE_EV_*
 * @now: ms
 *
 * Context: ike_net.lock held.
 */
void ike_gate_passed(struct ike_session *is, u32 ev, u32 now)
{
	struct ike_peer *p = is->peer;

	if (ev & (IKE_EV_BEGIN | IKE_EV_AGAIN)) {
		if (p->opener != is || !opener_is_busy(p, now))
			p->opened = now;
		p->opener = is;
		p->open_until = now + IKE_GATE_OPEN;
	}
	if (!(ev & IKE_EV_CHILD))
		return;
	/* The ESP helper, which is told next, knows whether it is decided. */
	if (p->opener == is)
		p->open_until = now + IKE_GATE_TELL;
	/* A rekeyed IKE SA shows up with SPIs that nobody saw agreed on. */
	if (is->linked)
		list_move(&is->node, &p->sessions);
}

/* --- what waits ------------------------------------------------------------- */

/* A message or fragment of the exchange that waits already, or of one more. */
static bool is_for_later(const struct ike_sa *sa, const struct ike_msg *m)
{
	const struct ike_held *h;
	int n = 0;

	list_for_each_entry(h, &sa->held, list) {
		if (h->m.mid != m->mid || h->m.exchange != m->exchange ||
		    (h->m.frag_num == m->frag_num &&
		     h->m.frag_total == m->frag_total))
			return true;
		n++;
	}
	return n == IKE_GATE_MAX_PARTS;
}

static bool is_full(const struct ike_net *in, const struct ike_sa *sa,
		    const struct sk_buff *skb)
{
	return in->n_held >= IKE_GATE_MAX_PACKETS ||
	       in->held_bytes + skb->truesize > IKE_GATE_MAX_BYTES ||
	       (list_empty(&sa->held) &&
		sa->is->peer->n_waiting >= IKE_GATE_MAX_PEER);
}

static void queue_look(struct ike_net *in)
{
	queue_delayed_work(system_power_efficient_wq, &in->gate_work,
			   msecs_to_jiffies(IKE_GATE_POLL));
}

static void start_waiting(struct ike_net *in, struct ike_sa *sa,
			  const struct ike_msg *m, u32 now)
{
	struct ike_peer *p = sa->is->peer;

	sa->gated_at = now;
	if (list_empty(&p->waiting))
		list_add_tail(&p->gate, &in->gates);
	/* What is repeated has had its turn, and nothing came of it. */
	if (ike_repeats_child(&sa->st, IKE_DIR_OUT, m))
		list_add(&sa->wait, &p->waiting);
	else
		list_add_tail(&sa->wait, &p->waiting);
	p->n_waiting++;
}

static void stop_waiting(struct ike_net *in, struct ike_sa *sa)
{
	struct ike_peer *p = sa->is->peer;
	const struct ike_held *h;

	list_for_each_entry(h, &sa->held, list) {
		in->n_held--;
		in->held_bytes -= h->skb->truesize;
	}
	list_del(&sa->wait);
	p->n_waiting--;
	if (list_empty(&p->waiting))
		list_del(&p->gate);
}

/* False when it cannot be kept. A device that goes down is waited for by those
 * who have seen it up, and only then is ike_gates_dev_gone() called.
 */
static bool hold(struct ike_net *in, struct ike_sa *sa, const struct ike_msg *m,
		 struct vpnpass_pkt *pkt, u32 now)
{
	struct sk_buff *skb = pkt->skb;
	struct ike_held *h;

	if (is_full(in, sa, skb) || !netif_running(skb->dev))
		return false;
	h = kmalloc(sizeof(*h), GFP_ATOMIC | __GFP_NOWARN);
	if (!h)
		return false;
	if (!vpnpass_keep(pkt)) {
		kfree(h);
		return false;
	}
	h->skb = skb;
	h->m = *m;
	if (list_empty(&sa->held))
		start_waiting(in, sa, m, now);
	list_add_tail(&h->list, &sa->held);
	in->n_held++;
	in->held_bytes += skb->truesize;
	dev_hold(skb->dev);
	queue_look(in);
	return true;
}

/**
 * ike_gate() - has this message of a client's to wait?
 * @in: the netns
 * @sa: its SA
 * @m: the message
 * @pkt: its packet
 * @now: ms
 *
 * So has one that repeats what got no answer: the SA may be there already, or
 * comes now, in the middle of another client's turn.
 * An IKE SA that is rekeyed by itself looks as if it made ESP SAs (RFC 7296
 * section 1.3.2): it waits, too, and what it opens is over with open_until and
 * the ESP helper's window.
 *
 * Context: ike_net.lock held, RCU read side.
 * Return: IKE_PASS; IKE_LATER when that is to be asked in POSTROUTING; there,
 * IKE_HELD when the packet was taken, or IKE_DROP: its sender repeats it.
 */
enum ike_pass ike_gate(struct ike_net *in, struct ike_sa *sa,
		       const struct ike_msg *m, struct vpnpass_pkt *pkt, u32 now)
{
	struct ike_session *is = sa->is;

	if (!gate_is_on(is) || (!ike_begins_child(&sa->st, IKE_DIR_OUT, m) &&
				!ike_repeats_child(&sa->st, IKE_DIR_OUT, m)))
		return IKE_PASS;
	if (pkt->state->hook != NF_INET_POST_ROUTING)
		return IKE_LATER;
	if (list_empty(&sa->held) && !queues(is, now) && !other_is_open(is, now))
		return IKE_PASS;
	vpnpass_count(in->vn, &ike_proto, IKE_CNT_GATED);
	if (is_for_later(sa, m))
		return IKE_DROP;
	if (hold(in, sa, m, pkt, now))
		return IKE_HELD;
	vpnpass_count(in->vn, &ike_proto, IKE_CNT_GATE_DROPPED);
	return IKE_DROP;
}

/**
 * ike_gate_in() - has this message of a gateway's to be dropped?
 * @sa: its SA
 * @m: the message
 * @now: ms
 *
 * Context: ike_net.lock held, RCU read side.
 */
bool ike_gate_in(struct ike_sa *sa, const struct ike_msg *m, u32 now)
{
	struct ike_session *is = sa->is;

	if (!gate_is_on(is) || !ike_begins_child(&sa->st, IKE_DIR_IN, m))
		return false;
	if (!other_is_open(is, now) ||
	    (sa->in_gated && now - sa->in_gated_at >= IKE_GATE_IN)) {
		sa->in_gated = false;
		return false;
	}
	if (!sa->in_gated)
		sa->in_gated_at = now;
	sa->in_gated = true;
	vpnpass_count(is->s.vn, &ike_proto, IKE_CNT_GATED);
	return true;
}

/* --- the end of waiting ----------------------------------------------------- */

/* The SA goes, or the device that its messages were to leave by. Lock held. */
void ike_gate_drop(struct ike_net *in, struct ike_sa *sa)
{
	struct ike_held *h, *next;

	if (list_empty(&sa->held))
		return;
	stop_waiting(in, sa);
	list_for_each_entry_safe(h, next, &sa->held, list) {
		dev_put(h->skb->dev);
		kfree_skb(h->skb);
		kfree(h);
		vpnpass_count(in->vn, &ike_proto, IKE_CNT_GATE_DROPPED);
	}
	INIT_LIST_HEAD(&sa->held);
}

static bool leaves_by(const struct ike_sa *sa, const struct net_device *dev)
{
	const struct ike_held *h;

	list_for_each_entry(h, &sa->held, list)
		if (h->skb->dev == dev)
			return true;
	return false;
}

/* Context: process. Drops what is to leave by a device that goes down. */
void ike_gates_dev_gone(struct vpnpass_net *vn, const struct net_device *dev)
{
	struct ike_net *in = ike_net(vn);
	struct ike_peer *p, *next_p;
	struct ike_sa *sa, *next;

	spin_lock_bh(&in->lock);
	list_for_each_entry_safe(p, next_p, &in->gates, gate)
		list_for_each_entry_safe(sa, next, &p->waiting, wait)
			if (leaves_by(sa, dev))
				ike_gate_drop(in, sa);
	spin_unlock_bh(&in->lock);
}

static void let_go(struct ike_net *in, struct ike_sa *sa, u32 now,
		   struct list_head *out)
{
	struct ike_held *h;

	stop_waiting(in, sa);
	list_for_each_entry(h, &sa->held, list) {
		h->is = sa->is;
		h->ev = ike_sa_track(in, sa, IKE_DIR_OUT, &h->m, now);
	}
	list_splice_tail_init(&sa->held, out);
}

/* First come, first served; who repeats is the next. */
static void look(struct ike_net *in, struct ike_peer *p, u32 now,
		 struct list_head *out)
{
	u32 most = vpnpass_setting(in->vn, &ike_proto, IKE_SET_GATE_TIME);
	struct ike_sa *sa, *next;

	list_for_each_entry_safe(sa, next, &p->waiting, wait) {
		if (now - sa->gated_at < most && gate_is_on(sa->is) &&
		    other_is_open(sa->is, now))
			return;
		let_go(in, sa, now, out);
	}
}

/* Lock held, RCU read side. */
static void look_at_all(struct ike_net *in, struct list_head *out)
{
	u32 now = vpnpass_now(), n = IKE_GATE_PEERS;
	struct ike_peer *p;
	LIST_HEAD(todo);

	list_splice_init(&in->gates, &todo);
	while (n-- && !list_empty(&todo)) {
		p = list_first_entry(&todo, struct ike_peer, gate);
		list_move_tail(&p->gate, &in->gates);
		look(in, p, now, out);
	}
	list_splice(&todo, &in->gates);
}

/* The devices are held, so the netns is there for as long as there are packets. */
static void send(struct net *net, struct list_head *out)
{
	struct ike_held *h, *next;

	list_for_each_entry_safe(h, next, out, list) {
		struct net_device *dev = h->skb->dev;

		ike_sa_tell(h->is, h->ev);
		vpnpass_send(net, h->skb);
		dev_put(dev);
		kfree(h);
	}
}

static void gate_work(struct work_struct *work)
{
	struct ike_net *in = container_of(to_delayed_work(work), struct ike_net,
					  gate_work);
	LIST_HEAD(out);

	local_bh_disable();
	rcu_read_lock();
	spin_lock(&in->lock);
	look_at_all(in, &out);
	if (!list_empty(&in->gates))
		queue_look(in);
	spin_unlock(&in->lock);
	send(in->vn->net, &out);
	rcu_read_unlock();
	local_bh_enable();
}

void ike_gates_init(struct ike_net *in)
{
	INIT_LIST_HEAD(&in->gates);
	INIT_DELAYED_WORK(&in->gate_work, gate_work);
}

/* Context: process; there are no sessions any more. */
void ike_gates_exit(struct ike_net *in)
{
	cancel_delayed_work_sync(&in->gate_work);
}
