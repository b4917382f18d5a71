// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a pinned packet as it left the router. Conntrack looks
 * for the quoted addresses alone, which several clients share; the number in
 * the first 8 bytes of the quoted L4 header says whose packet it was.
 * Errors that quote a packet to a client are conntrack's own business:
 * their addresses are unique.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ipv6.h>
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

static struct vpnpass_pin *find_quoted(struct vpnpass_net *vn, struct vpnpass_pkt *q,
				       const struct nf_conn *tmpl)
{
	const struct vpnpass_proto *p;
	struct vpnpass_pin *pin;
	int i;

	q->key.kind = VPNPASS_KEY_QUOTE;
	if (tmpl)
		q->key.zone = nf_ct_zone_id(nf_ct_zone(tmpl), IP_CT_DIR_REPLY);
	for (i = 0; i < VPNPASS_PROTOS; i++) {
		p = rcu_dereference(vpnpass_protos[i]);
		if (!p || READ_ONCE(vn->proto[i].mode) != VPNPASS_MODE_ON ||
		    !has_l4proto(p, q->key.l4proto) || p->ops->number(q))
			continue;
		pin = vpnpass_pin_find(vn, &q->key);
		if (pin)
			return pin;
	}
	return NULL;
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
	struct vpnpass_pin *pin;
	struct nf_conn *ct;

	if (!read_error(skb, state->pf, thoff, &q))
		return NF_ACCEPT;
	pin = find_quoted(vn, &q, tmpl);
	if (!pin || !credible(skb, state, thoff, &q))
		return NF_ACCEPT;
	ct = pin->session->ct;
	if (nf_ct_is_dying(ct) || nf_ct_is_expired(ct))
		return NF_ACCEPT;

	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, pin->dir == IP_CT_DIR_ORIGINAL ? IP_CT_RELATED_REPLY :
							   IP_CT_RELATED);
	if (tmpl)
		nf_ct_put(tmpl);
	vpnpass_count(vn, pin->session->proto, VPNPASS_CNT_ICMP_RELATED);
	return vpnpass_renumber(pin, skb, q.thoff,
				thoff + offsetof(struct icmphdr, checksum));
}
