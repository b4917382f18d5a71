// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a pinned packet as it left the router. Conntrack looks
 * for the quoted addresses alone, which several clients share; the number in
 * the quoted packet says whose it was. Where 8 bytes of the L4 header, which is all that
 * an error must quote (RFC 792), do not have it, the protocol is asked who it may be.
 * Errors that quote a packet to a client are conntrack's own business:
 * their addresses are unique.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_zones.h>

#include "core.h"

static bool is_error_v4(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH;
}

static bool read_quote_v4(const struct sk_buff *skb, unsigned int off,
			  struct vpnpass_pkt *q)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5 || ip_is_fragment(iph))
		return false;
	q->key.src.ip = iph->saddr;
	q->key.dst.ip = iph->daddr;
	q->key.l4proto = iph->protocol;
	q->key.family = NFPROTO_IPV4;
	q->thoff = off + iph->ihl * 4;
	return true;
}

static bool read_quote_v6(const struct sk_buff *skb, unsigned int off,
			  struct vpnpass_pkt *q)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;
	__be16 frag_off;
	u8 nexthdr;
	int l4;

	ip6h = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	q->key.src.in6 = ip6h->saddr;
	q->key.dst.in6 = ip6h->daddr;
	q->key.family = NFPROTO_IPV6;
	nexthdr = ip6h->nexthdr;
	l4 = ipv6_skip_exthdr(skb, off + sizeof(buf), &nexthdr, &frag_off);
	if (l4 < 0 || frag_off)
		return false;
	q->key.l4proto = nexthdr;
	q->thoff = l4;
	return true;
}

/* RFC 792 and RFC 4443 2.1: an error has a header of 8 bytes, then the quote. */
static bool read_error(const struct sk_buff *skb, u8 pf, unsigned int thoff,
		       struct vpnpass_pkt *q)
{
	u8 buf[8];
	const u8 *icmph = skb_header_pointer(skb, thoff, sizeof(buf), buf);

	if (!icmph)
		return false;
	if (pf == NFPROTO_IPV4)
		return ip_hdr(skb)->protocol == IPPROTO_ICMP &&
		       is_error_v4(icmph[0]) &&
		       read_quote_v4(skb, thoff + sizeof(buf), q);
	return !(icmph[0] & ICMPV6_INFOMSG_MASK) &&
	       read_quote_v6(skb, thoff + sizeof(buf), q);
}

/* An error must reach us at the address that the quoted packet came from, and
 * be intact: conntrack will not look at it again.
 */
static bool credible(struct sk_buff *skb, const struct nf_hook_state *state,
		     unsigned int thoff, const struct vpnpass_pkt *q)
{
	if (state->pf == NFPROTO_IPV4)
		return ip_hdr(skb)->daddr == q->key.src.ip &&
		       !nf_ip_checksum(skb, state->hook, thoff, IPPROTO_ICMP);
	return ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &q->key.src.in6) &&
	       !nf_ip6_checksum(skb, state->hook, thoff, IPPROTO_ICMPV6);
}

static bool has_l4proto(const struct vpnpass_proto *p, u8 l4proto)
{
	int i;

	for (i = 0; i < p->n_match; i++)
		if (p->match[i].l4proto == l4proto && !p->match[i].block_only)
			return true;
	return false;
}

/* The sender of a quoted packet, and the pin that says so; NULL when it is not certain. */
struct quoted {
	struct vpnpass_session *session;
	struct vpnpass_pin *pin;
};

/* Conntrack knows by itself whose the quoted packet was: the router's own, a server's. */
static bool is_known_flow(const struct vpnpass_pkt *q, unsigned int off,
			  const struct nf_conntrack_zone *zone)
{
	struct nf_conntrack_tuple sent, answer;
	struct net *net = q->state->net;

	if (!nf_ct_get_tuplepr(q->skb, off, q->key.family, net, &sent) ||
	    !nf_ct_invert_tuple(&answer, &sent))
		return false;
	return vpnpass_found_is_stock(nf_conntrack_find_get(net, zone, &answer));
}

static bool find_of(struct vpnpass_net *vn, const struct vpnpass_proto *p,
		    struct vpnpass_pkt *q, unsigned int off,
		    const struct nf_conntrack_zone *zone, struct quoted *found)
{
	found->session = NULL;
	found->pin = p->ops->number(q) ? NULL : vpnpass_pin_find(vn, &q->key);
	if (found->pin)
		found->session = found->pin->session;
	else if (p->ops->quoted)
		found->session = p->ops->quoted(vn, q, is_known_flow(q, off, zone));
	return found->session;
}

static bool find_quoted(struct vpnpass_net *vn, struct vpnpass_pkt *q,
			unsigned int off, struct quoted *found)
{
	const struct nf_conntrack_zone *zone = vpnpass_skb_zone(q->skb);
	const struct vpnpass_proto *p;
	int i;

	q->key.zone = nf_ct_zone_id(zone, IP_CT_DIR_REPLY);
	for (i = 0; i < VPNPASS_PROTOS; i++) {
		q->key.kind = VPNPASS_KEY_QUOTE;
		p = rcu_dereference(vpnpass_protos[i]);
		if (p && READ_ONCE(vn->proto[i].mode) == VPNPASS_MODE_ON &&
		    has_l4proto(p, q->key.l4proto) && find_of(vn, p, q, off, zone, found))
			return true;
	}
	return false;
}

/**
 * vpnpass_icmp_error() - relate an ICMP error to the session it is about
 * @vn: netns
 * @skb: an ICMP or ICMPv6 packet without a connection
 * @state: of the hook
 * @thoff: offset of the ICMP header from skb->data
 *
 * Context: softirq, RCU read side.
 * Return: NF_ACCEPT, the packet is attached as RELATED when it is ours; NF_DROP
 * when there is no memory.
 */
unsigned int vpnpass_icmp_error(struct vpnpass_net *vn, struct sk_buff *skb,
				const struct nf_hook_state *state,
				unsigned int thoff)
{
	struct nf_conn *tmpl = (struct nf_conn *)skb_nfct(skb);
	struct vpnpass_pkt q = { .skb = skb, .state = state };
	struct quoted found;
	struct nf_conn *ct;

	if (!read_error(skb, state->pf, thoff, &q) ||
	    !find_quoted(vn, &q, thoff + sizeof(struct icmphdr), &found) ||
	    !credible(skb, state, thoff, &q))
		return NF_ACCEPT;
	ct = found.session->ct;
	if (nf_ct_is_dying(ct) || nf_ct_is_expired(ct))
		return NF_ACCEPT;

	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, found.pin && found.pin->dir == IP_CT_DIR_REPLY ?
			   IP_CT_RELATED : IP_CT_RELATED_REPLY);
	if (tmpl)
		nf_ct_put(tmpl);
	vpnpass_count(vn, found.session->proto, VPNPASS_CNT_ICMP_RELATED);
	if (!found.pin)
		return NF_ACCEPT;
	return vpnpass_renumber(found.pin, skb, q.thoff,
				thoff + offsetof(struct icmphdr, checksum));
}
