// SPDX-License-Identifier: GPL-2.0
/*
 * Further UDP ports that have packets reach a protocol module, each at one address
 * and in one netns: for flows that leave the protocol's own port (RFC 2661 8.1). A
 * client chooses some of these ports, so that they must not concern anybody else.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/slab.h>

#include "match.h"
#include "watch.h"

#define WATCHES_MAX	1024	/* in a netns */

struct watch {
	struct hlist_node node;
	union nf_inet_addr addr;
	__be16 port;
	u8 family;
	u8 slot;	/* plus one */
	u32 refs;
	struct rcu_head rcu;
};

static struct hlist_head *bucket_of(const struct vpnpass_watches *w, __be16 port)
{
	return (struct hlist_head *)&w->bucket[vpnpass_watch_bit(port) % WATCH_BUCKETS];
}

static struct watch *find(const struct vpnpass_watches *w, u8 family,
			  const union nf_inet_addr *addr, __be16 port)
{
	struct watch *watch;

	hlist_for_each_entry_rcu(watch, bucket_of(w, port), node, true)
		if (watch->port == port && watch->family == family &&
		    nf_inet_addr_cmp(&watch->addr, addr))
			return watch;
	return NULL;
}

static u8 watch_slot(const struct vpnpass_watches *w, u8 family,
		     const union nf_inet_addr *addr, __be16 port)
{
	const struct watch *watch = find(w, family, addr, port);

	return watch ? watch->slot : 0;
}

/* The slot, plus one, that watches a port of a packet at its address; 0 for none. */
static u8 slot_watching(const struct vpnpass_net *vn, const struct sk_buff *skb, u8 pf,
			const __be16 *h)
{
	const struct vpnpass_watches *w = READ_ONCE(vn->watches);
	union nf_inet_addr src = {}, dst = {};

	if (!w || !(vpnpass_watch_may_have(w, h[0]) || vpnpass_watch_may_have(w, h[1])))
		return 0;
	if (pf == NFPROTO_IPV4) {
		src.ip = ip_hdr(skb)->saddr;
		dst.ip = ip_hdr(skb)->daddr;
	} else {
		src.in6 = ipv6_hdr(skb)->saddr;
		dst.in6 = ipv6_hdr(skb)->daddr;
	}
	return watch_slot(w, pf, &dst, h[1]) ?:
	       watch_slot(w, pf, &src, h[0]);
}

/* The slot, plus one, that a TCP or UDP packet is for; 0 for none. RCU read side. */
u8 vpnpass_ports_slot(const struct vpnpass_net *vn, const struct sk_buff *skb, u8 pf,
		      unsigned int thoff, u8 l4proto)
{
	__be16 buf[2];
	const __be16 *h;
	u8 slot;

	h = skb_header_pointer(skb, thoff, sizeof(buf), buf);
	if (!h)
		return 0;
	slot = vpnpass_match_port(l4proto, ntohs(h[1])) ?:
	       vpnpass_match_port(l4proto, ntohs(h[0]));
	if (slot || l4proto != IPPROTO_UDP)
		return slot;
	return slot_watching(vn, skb, pf, h);
}

static struct vpnpass_watches *watches_get(struct vpnpass_net *vn)
{
	struct vpnpass_watches *w = vn->watches;

	lockdep_assert_held(&vn->lock);
	if (!w) {
		w = vpnpass_alloc_zeroed(vn, sizeof(*w));
		/* pairs with the READ_ONCE() of who asks: it is empty for who finds it */
		smp_store_release(&vn->watches, w);
		if (w)
			vpnpass_udp_watched();
	}
	return w;
}

static int watch_new(struct vpnpass_net *vn, const struct vpnpass_proto *p, u8 family,
		     const union nf_inet_addr *addr, __be16 port)
{
	struct vpnpass_watches *w = watches_get(vn);
	struct watch *watch;

	if (!w)
		return -ENOMEM;
	watch = find(w, family, addr, port);
	if (watch) {
		watch->refs += watch->slot == p->idx + 1;
		return watch->slot == p->idx + 1 ? 0 : -EBUSY;
	}
	if (w->n >= WATCHES_MAX)
		return -ENOSPC;
	watch = vpnpass_alloc_zeroed(vn, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	watch->addr = *addr;
	watch->port = port;
	watch->family = family;
	watch->slot = p->idx + 1;
	watch->refs = 1;
	w->n++;
	hlist_add_head_rcu(&watch->node, bucket_of(w, port));
	set_bit(vpnpass_watch_bit(port), w->ports);
	return 0;
}

/**
 * vpnpass_port_watch() - have UDP packets with a further port reach a module
 * @vn: netns
 * @p: the module, which has a UDP port among its matches
 * @family: of the address
 * @addr: packets to or from this one, as they are before or after NAT
 * @port: and with this port there, host order
 *
 * Packets with a port of some module's matches go there as before.
 *
 * Context: any; takes vpnpass_net.lock.
 * Return: 0, to be undone by vpnpass_port_unwatch(); -EBUSY when another module
 * watches the port, -ENOSPC when the netns watches too many, -ENOMEM.
 */
int vpnpass_port_watch(struct vpnpass_net *vn, const struct vpnpass_proto *p, u8 family,
		       const union nf_inet_addr *addr, u16 port)
{
	int err;

	spin_lock_bh(&vn->lock);
	err = watch_new(vn, p, family, addr, htons(port));
	spin_unlock_bh(&vn->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vpnpass_port_watch);

static bool bit_is_needed(const struct vpnpass_watches *w, __be16 port)
{
	const struct watch *watch;

	hlist_for_each_entry(watch, bucket_of(w, port), node)
		if (vpnpass_watch_bit(watch->port) == vpnpass_watch_bit(port))
			return true;
	return false;
}

/**
 * vpnpass_port_unwatch() - undo one vpnpass_port_watch()
 * @vn: netns
 * @family: as there
 * @addr: as there
 * @port: as there
 *
 * Context: any; takes vpnpass_net.lock.
 */
void vpnpass_port_unwatch(struct vpnpass_net *vn, u8 family,
			  const union nf_inet_addr *addr, u16 port)
{
	struct vpnpass_watches *w = vn->watches;
	struct watch *watch;

	spin_lock_bh(&vn->lock);
	watch = find(w, family, addr, htons(port));
	if (!WARN_ON_ONCE(!watch) && !--watch->refs) {
		hlist_del_rcu(&watch->node);
		w->n--;
		if (!bit_is_needed(w, watch->port))
			clear_bit(vpnpass_watch_bit(watch->port), w->ports);
		kfree_rcu(watch, rcu);
	}
	spin_unlock_bh(&vn->lock);
}
EXPORT_SYMBOL_GPL(vpnpass_port_unwatch);

/* No packet and no session is left. Process context. */
void vpnpass_watches_exit(struct vpnpass_net *vn)
{
	kfree(vn->watches);
}
