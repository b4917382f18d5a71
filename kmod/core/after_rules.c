// SPDX-License-Identifier: GPL-2.0
/*
 * A flow that a peer begins may be for a session of ours, or for a server to which a rule
 * of the administrator's leads it: his rules are asked first. A chain of NAT's own behind all
 * of his sees the first packet of each flow whose destination none of them has translated,
 * and protocol modules may give it to a session. A netns has the chain once a session has
 * wanted it.
 */
#include <linux/slab.h>
#include <net/netfilter/nf_nat.h>

#include "after_rules.h"
#include "match.h"
#include "packet.h"
#include "watch.h"

#define OLD_ENTRIES	64	/* entries of a netns that may wait to be freed */

/* NAT still looks at the entry that it made when the chain has been asked. */
struct old_entry {
	struct vpnpass_net *vn;
	struct nf_conn *ct;
	struct rcu_head rcu;
};

static bool has_room(const struct vpnpass_net *vn)
{
	return atomic_read(&vn->n_old) < OLD_ENTRIES;
}

static struct old_entry *old_entry_get(struct vpnpass_net *vn, struct nf_conn *ct)
{
	struct old_entry *old = NULL;

	if (has_room(vn))
		old = vpnpass_alloc_zeroed(vn, sizeof(*old));
	if (!old)
		return NULL;
	atomic_inc(&vn->n_old);
	nf_conntrack_get(&ct->ct_general);
	old->vn = vn;
	old->ct = ct;
	return old;
}

static void old_entry_put(struct old_entry *old)
{
	nf_ct_put(old->ct);
	atomic_dec(&old->vn->n_old);
	kfree(old);
}

static void old_entry_put_rcu(struct rcu_head *head)
{
	old_entry_put(container_of(head, struct old_entry, rcu));
}

static const struct vpnpass_proto *proto_of(const struct vpnpass_net *vn,
					    struct vpnpass_pkt *pkt)
{
	int l4proto;
	u8 slot;

	if (pkt->state->pf == NFPROTO_IPV4) {
		vpnpass_fill_v4(pkt, ip_hdr(pkt->skb));
		l4proto = pkt->key.l4proto;
	} else {
		l4proto = vpnpass_find_v6(pkt->skb, &pkt->thoff);
		if (l4proto < 0)
			return NULL;
		vpnpass_fill_v6(pkt, l4proto);
	}
	slot = READ_ONCE(vpnpass_l4map[l4proto]);
	if (vpnpass_by_ports(slot))
		slot = vpnpass_ports_slot(vn, pkt->skb, pkt->state->pf, pkt->thoff, l4proto);
	return slot && slot != L4_ICMP ? vpnpass_proto_on(vn, slot) : NULL;
}

/* The last chain of NAT's: no rule has translated the new flow's destination. */
static unsigned int after_rules(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct vpnpass_pkt pkt = { .skb = skb, .state = state };
	struct vpnpass_net *vn = priv;
	enum ip_conntrack_info ctinfo;
	const struct vpnpass_proto *p;
	struct old_entry *old;
	unsigned int verdict;
	struct nf_conn *ct;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || ctinfo != IP_CT_NEW)
		return NF_ACCEPT;
	p = proto_of(vn, &pkt);
	old = p && p->ops->after_rules ? old_entry_get(vn, ct) : NULL;
	if (!old)
		return NF_ACCEPT;
	pkt.key.zone = nf_ct_zone_id(nf_ct_zone(ct), IP_CT_DIR_ORIGINAL);
	verdict = p->ops->after_rules(vn, &pkt);
	if (skb_nfct(skb) == &ct->ct_general) {
		old_entry_put(old);
		return verdict;
	}
	call_rcu(&old->rcu, old_entry_put_rcu);
	ct = nf_ct_get(skb, &ctinfo);
	return verdict == NF_ACCEPT ? nf_nat_packet(ct, ctinfo, state->hook, skb) : verdict;
}

static int chain_add(struct net *net, const struct nf_hook_ops *ops)
{
	if (ops->pf == NFPROTO_IPV4)
		return nf_nat_ipv4_register_fn(net, ops);
#if IS_ENABLED(CONFIG_IPV6)
	return nf_nat_ipv6_register_fn(net, ops);
#else
	return 0;
#endif
}

static void chain_del(struct net *net, const struct nf_hook_ops *ops)
{
	if (ops->pf == NFPROTO_IPV4)
		nf_nat_ipv4_unregister_fn(net, ops);
#if IS_ENABLED(CONFIG_IPV6)
	else
		nf_nat_ipv6_unregister_fn(net, ops);
#endif
}

static void chains_work(struct work_struct *work)
{
	struct vpnpass_net *vn = container_of(work, struct vpnpass_net, chains_work);
	struct vpnpass_chain *c;

	mutex_lock(&vpnpass_mutex);
	for (c = vn->chains; c < vn->chains + ARRAY_SIZE(vn->chains); c++)
		if (READ_ONCE(c->wanted) && !c->there && !vn->dead)
			WRITE_ONCE(c->there, !chain_add(vn->net, &c->ops));
	mutex_unlock(&vpnpass_mutex);
}

static struct vpnpass_chain *chain_of(struct vpnpass_net *vn, u8 family)
{
	return &vn->chains[family == NFPROTO_IPV6];
}

/**
 * vpnpass_rules_want() - sessions of that family may be sent what a rule leads elsewhere
 * @vn: netns
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: any.
 */
void vpnpass_rules_want(struct vpnpass_net *vn, u8 family)
{
	struct vpnpass_chain *c = chain_of(vn, family);

	if (READ_ONCE(c->wanted))
		return;
	WRITE_ONCE(c->wanted, true);
	queue_work(system_power_efficient_wq, &vn->chains_work);
}
EXPORT_SYMBOL_GPL(vpnpass_rules_want);

/**
 * vpnpass_rules_first() - is a packet to be left to the administrator's rules?
 * @vn: netns
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: softirq, RCU read side.
 * Return: true when after_rules() is called for those that no rule translates, if they
 * begin a flow.
 */
bool vpnpass_rules_first(struct vpnpass_net *vn, u8 family)
{
	return READ_ONCE(chain_of(vn, family)->there) && has_room(vn);
}
EXPORT_SYMBOL_GPL(vpnpass_rules_first);

/* Context: process. */
void vpnpass_rules_init(struct vpnpass_net *vn)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	int i;

	INIT_WORK(&vn->chains_work, chains_work);
	for (i = 0; i < ARRAY_SIZE(vn->chains); i++)
		vn->chains[i].ops = (struct nf_hook_ops) {
			.hook = after_rules,
			.priv = vn,
			.pf = families[i],
			.hooknum = NF_INET_PRE_ROUTING,
			.priority = INT_MAX,
		};
}

/* No session can want a chain any more. Context: process, vpnpass_mutex. */
void vpnpass_rules_drop(struct vpnpass_net *vn)
{
	struct vpnpass_chain *c;

	lockdep_assert_held(&vpnpass_mutex);
	for (c = vn->chains; c < vn->chains + ARRAY_SIZE(vn->chains); c++) {
		WRITE_ONCE(c->wanted, false);
		if (c->there)
			chain_del(vn->net, &c->ops);
		WRITE_ONCE(c->there, false);
	}
}

/* A grace period after vpnpass_rules_drop(). Context: process, no mutex. */
void vpnpass_rules_exit(struct vpnpass_net *vn)
{
	cancel_work_sync(&vn->chains_work);
	if (atomic_read(&vn->n_old))
		rcu_barrier();	/* old_entry_put_rcu() */
}
