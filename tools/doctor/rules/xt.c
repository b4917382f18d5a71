// SPDX-License-Identifier: GPL-2.0
/*
 * Matches and targets of x_tables, those that firewalls use around VPNs: iptables-nft
 * leaves them as its own in nft rules, and iptables-legacy has nothing else. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <stddef.h>
#include <string.h>

#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "../../lib/util.h"
#include "ipset.h"

/* Ports are in host byte order in these; 0 is one that is not known. */
static enum truth port_in(uint16_t port, uint16_t first, uint16_t last)
{
	if (!first && last == 0xffff)
		return YES;
	if (!port)
		return MAYBE_SO;
	return port >= first && port <= last ? YES : NO;
}

static enum truth match_udp(struct machine *m, const void *info)
{
	const struct xt_udp *udp = info;
	enum truth src = port_in(m->packet->sport, udp->spts[0], udp->spts[1]);
	enum truth dst = port_in(m->packet->dport, udp->dpts[0], udp->dpts[1]);

	return both(flip(src, udp->invflags & XT_UDP_INV_SRCPT),
		    flip(dst, udp->invflags & XT_UDP_INV_DSTPT));
}

static enum truth match_flags(const struct machine *m, const struct xt_tcp *tcp)
{
	uint8_t known = tcp->flg_mask & TCP_FLAGS_KNOWN;
	enum truth truth = (tcp_flags(m->packet) ^ tcp->flg_cmp) & known ? NO :
			   tcp->flg_mask & ~TCP_FLAGS_KNOWN ? MAYBE_SO : YES;

	return flip(truth, tcp->invflags & XT_TCP_INV_FLAGS);
}

static enum truth match_tcp(struct machine *m, const void *info)
{
	const struct xt_tcp *tcp = info;
	enum truth src = port_in(m->packet->sport, tcp->spts[0], tcp->spts[1]);
	enum truth dst = port_in(m->packet->dport, tcp->dpts[0], tcp->dpts[1]);
	enum truth ports = both(flip(src, tcp->invflags & XT_TCP_INV_SRCPT),
				flip(dst, tcp->invflags & XT_TCP_INV_DSTPT));

	return tcp->option ? both(ports, MAYBE_SO) : both(ports, match_flags(m, tcp));
}

static enum truth match_multiport(struct machine *m, const void *info)
{
	const struct xt_multiport_v1 *mp = info;
	enum truth best = NO, src, dst;
	int i, n = mp->count < XT_MULTI_PORTS ? mp->count : XT_MULTI_PORTS;

	for (i = 0; i < n; i++) {
		uint16_t first = mp->ports[i], last = first;

		if (mp->pflags[i] && i + 1 < n)
			last = mp->ports[++i];
		src = port_in(m->packet->sport, first, last);
		dst = port_in(m->packet->dport, first, last);
		if (mp->flags == XT_MULTIPORT_SOURCE)
			dst = NO;
		else if (mp->flags == XT_MULTIPORT_DESTINATION)
			src = NO;
		best = src > best ? src : best;
		best = dst > best ? dst : best;
	}
	return flip(best, mp->invert);
}

static enum truth state_in(const struct machine *m, uint32_t mask, bool invert)
{
	uint32_t state = packet_state(m);

	return state ? flip(mask & state ? YES : NO, invert) : MAYBE_SO;
}

/* UNTRACKED has another bit here than in nft, and SNAT, of which nothing is known, has that. */
static enum truth match_conntrack(struct machine *m, const void *info)
{
	const struct xt_conntrack_mtinfo3 *ct = info;
	uint32_t mask = ct->state_mask & (XT_CONNTRACK_STATE_SNAT - 1);
	enum truth truth;

	/* iptables writes -m state as this match with a flag more */
	if ((ct->match_flags & ~XT_CONNTRACK_STATE_ALIAS) != XT_CONNTRACK_STATE)
		return MAYBE_SO;
	if (ct->state_mask & XT_CONNTRACK_STATE_UNTRACKED)
		mask |= STATE_UNTRACKED;
	truth = state_in(m, mask, false);
	if (truth == NO && ct->state_mask & XT_CONNTRACK_STATE_SNAT)
		return MAYBE_SO;
	return flip(truth, ct->invert_flags & XT_CONNTRACK_STATE);
}

static enum truth match_state(struct machine *m, const void *info)
{
	return state_in(m, ((const struct xt_state_info *)info)->statemask, false);
}

static enum truth mark_is(const struct machine *m, enum mark which,
			  const struct xt_mark_mtinfo1 *info)
{
	uint32_t known = m->marks->known[which];
	enum truth truth = info->mask & ~known ? MAYBE_SO : YES;

	if (info->mark & ~info->mask || (m->marks->value[which] ^ info->mark) & info->mask & known)
		truth = NO;
	return flip(truth, info->invert);
}

static enum truth match_mark(struct machine *m, const void *info)
{
	return mark_is(m, PACKET_MARK, info);
}

/* The data of both matches looks the same; without a connection nothing matches. */
static enum truth match_connmark(struct machine *m, const void *info)
{
	uint32_t state = packet_state(m);

	return !state || state == STATE_UNTRACKED ? MAYBE_SO : mark_is(m, CONNECTION_MARK, info);
}

static enum truth in_range(const struct machine *m, const struct xt_iprange_mtinfo *range, bool src)
{
	const struct packet *p = m->packet;

	return bytes_between(src ? p->src : p->dst, src ? p->src_known : p->dst_known,
			     (const uint8_t *)(src ? &range->src_min : &range->dst_min),
			     (const uint8_t *)(src ? &range->src_max : &range->dst_max),
			     p->family == NFPROTO_IPV6 ? 16 : 4);
}

static enum truth match_iprange(struct machine *m, const void *info)
{
	const struct xt_iprange_mtinfo *range = info;
	enum truth truth = YES;

	if (range->flags & IPRANGE_SRC)
		truth = flip(in_range(m, range, true), range->flags & IPRANGE_SRC_INV);
	if (range->flags & IPRANGE_DST)
		truth = both(truth, flip(in_range(m, range, false),
					 range->flags & IPRANGE_DST_INV));
	return truth;
}

static enum truth type_in(const struct machine *m, uint16_t mask, bool src, bool invert)
{
	uint32_t type = address_type(m, src);

	if (!mask)
		return YES;
	return type ? flip(mask & 1 << type ? YES : NO, invert) : MAYBE_SO;
}

static enum truth match_addrtype(struct machine *m, const void *info)
{
	const struct xt_addrtype_info_v1 *a = info;

	return both(type_in(m, a->source, true, a->flags & XT_ADDRTYPE_INVERT_SOURCE),
		    type_in(m, a->dest, false, a->flags & XT_ADDRTYPE_INVERT_DEST));
}

static enum truth match_pkttype(struct machine *m, const void *info)
{
	const struct xt_pkttype_info *type = info;

	(void)m;
	return flip(type->pkttype == PACKET_HOST ? YES : NO, type->invert);
}

/* As struct xt_physdev_info, whose header has interfaces in its own words */
struct physdev {
	char names[4][IFNAMSIZ];
	uint8_t invert, options;
};

#define PHYSDEV_BRIDGED	4	/* XT_PHYSDEV_OP_BRIDGED */

/* What is routed is not bridged from port to port; its port is known where that matters. */
static enum truth match_physdev(struct machine *m, const void *info)
{
	const struct physdev *dev = info;

	(void)m;
	if (dev->options != PHYSDEV_BRIDGED)
		return MAYBE_SO;
	return flip(NO, dev->invert & PHYSDEV_BRIDGED);
}

/* What a client sends comes in without an IPsec of this router's. */
static enum truth match_policy(struct machine *m, const void *info)
{
	const struct xt_policy_info *policy = info;
	enum truth truth = policy->flags & XT_POLICY_MATCH_IN ? NO : packet_is_encrypted(m);

	return flip(truth, policy->flags & XT_POLICY_MATCH_NONE);
}

static enum truth match_mac(struct machine *m, const void *info)
{
	const struct xt_mac_info *mac = info;

	if (!packet_mac(m))
		return MAYBE_SO;
	return flip(memcmp(m->packet->mac, mac->srcaddr, ETH_ALEN) ? NO : YES, mac->invert);
}

/* Sets may count packets, of which nothing is known. */
static enum truth match_set(struct machine *m, const void *info)
{
	const struct xt_set_info_match_v4 *set = info;
	enum truth truth = ipset_has(m, set->match_set.index, set->match_set.flags);

	if (set->packets.op || set->bytes.op || set->flags & IPSET_FLAG_RETURN_NOMATCH)
		truth = both(truth, MAYBE_SO);
	return flip(truth, set->match_set.flags & IPSET_INV_MATCH);
}

/* Before there were counters, the same without them. */
static enum truth match_old_set(struct machine *m, const void *info)
{
	const struct xt_set_info_match_v1 *set = info;

	return flip(ipset_has(m, set->match_set.index, set->match_set.flags),
		    set->match_set.flags & IPSET_INV_MATCH);
}

static enum truth match_any(struct machine *m, const void *info)
{
	(void)m;
	(void)info;
	return YES;
}

/**
 * xt_match - Whether an x_tables match matches.
 * @m: The packet and where it is.
 * @name: Of the match.
 * @revision: Its revision.
 * @info: Its data.
 * @length: Bytes of it.
 *
 * Return: MAYBE_SO for one that is not understood.
 */
enum truth xt_match(struct machine *m, const char *name, uint32_t revision,
		    const uint8_t *info, size_t length)
{
	static const struct {
		const char *name;
		uint32_t from, to;
		size_t length;
		enum truth (*match)(struct machine *m, const void *info);
	} matches[] = {
		{ "comment", 0, 0, 0, match_any },
		{ "udp", 0, 0, sizeof(struct xt_udp), match_udp },
		{ "tcp", 0, 0, sizeof(struct xt_tcp), match_tcp },
		{ "multiport", 1, 1, sizeof(struct xt_multiport_v1), match_multiport },
		{ "conntrack", 2, 3, offsetof(struct xt_conntrack_mtinfo3, origsrc_port_high),
		  match_conntrack },
		{ "state", 0, 0, sizeof(struct xt_state_info), match_state },
		{ "mark", 1, 1, sizeof(struct xt_mark_mtinfo1), match_mark },
		{ "connmark", 1, 1, sizeof(struct xt_connmark_mtinfo1), match_connmark },
		{ "iprange", 1, 1, sizeof(struct xt_iprange_mtinfo), match_iprange },
		{ "addrtype", 1, 1, sizeof(struct xt_addrtype_info_v1), match_addrtype },
		{ "pkttype", 0, 0, sizeof(struct xt_pkttype_info), match_pkttype },
		{ "physdev", 0, 0, sizeof(struct physdev), match_physdev },
		{ "policy", 0, 0, sizeof(struct xt_policy_info), match_policy },
		{ "mac", 0, 0, sizeof(struct xt_mac_info), match_mac },
		{ "set", 1, 2, sizeof(struct xt_set_info_match_v1), match_old_set },
		{ "set", 4, 4, sizeof(struct xt_set_info_match_v4), match_set },
	};
	uint64_t aligned[64];
	size_t i;

	if (length > sizeof(aligned))
		return MAYBE_SO;
	memset(aligned, 0, sizeof(aligned));
	memcpy(aligned, info, length);
	for (i = 0; i < ARRAY_SIZE(matches); i++)
		if (!strcmp(name, matches[i].name) && revision >= matches[i].from &&
		    revision <= matches[i].to && length >= matches[i].length)
			return matches[i].match(m, aligned);
	return MAYBE_SO;
}

/* Flags and helper are where they are in all revisions but the first's flags. */
static void target_ct(struct machine *m, const uint8_t *info, size_t length)
{
	const char *helper = (const char *)info + offsetof(struct xt_ct_target_info, helper);
	uint16_t flags;

	if (length < sizeof(struct xt_ct_target_info))
		return;
	memcpy(&flags, info, sizeof(flags));
	if (flags & XT_CT_NOTRACK)
		m->untracks = true;
	if (*helper && memchr(helper, '\0', sizeof(((struct xt_ct_target_info *)0)->helper)))
		m->helper = helper;
}

/* A mark gets some bits of itself and some of another: (to & of_a) ^ (b & of_b). */
static void mix(struct machine *m, enum mark to, uint32_t of_a, enum mark b, uint32_t of_b)
{
	const struct marks *old = m->marks;

	m->set.value[to] = (old->value[to] & of_a) ^ (old->value[b] & of_b);
	m->set.known[to] = (old->known[to] | ~of_a) & (old->known[b] | ~of_b);
}

/* A mark gets some bits changed and keeps the others. */
static void fix(struct machine *m, enum mark to, uint32_t mask, uint32_t value)
{
	m->set.value[to] = (m->marks->value[to] & ~mask) ^ value;
	m->set.known[to] = m->marks->known[to] | mask;
}

static void target_connmark(struct machine *m, uint32_t revision, const uint8_t *info,
			    size_t length)
{
	struct xt_connmark_tginfo2 cm;

	if (revision < 1 || revision > 2 || length < sizeof(cm))
		return;
	memcpy(&cm, info, sizeof(cm));
	/* the mode of the first revision is where the second one has how it shifts */
	if (revision == 1)
		cm.mode = cm.shift_dir;
	else if (cm.shift_bits)
		return;
	if (cm.mode == XT_CONNMARK_SET)
		fix(m, CONNECTION_MARK, cm.ctmask, cm.ctmark);
	else if (cm.mode == XT_CONNMARK_SAVE)
		mix(m, CONNECTION_MARK, ~cm.ctmask, PACKET_MARK, cm.nfmask);
	else if (cm.mode == XT_CONNMARK_RESTORE)
		mix(m, PACKET_MARK, ~cm.nfmask, CONNECTION_MARK, cm.ctmask);
	m->sets[PACKET_MARK] = cm.mode == XT_CONNMARK_RESTORE;
	m->sets[CONNECTION_MARK] = !m->sets[PACKET_MARK];
}

/* Where it is not understood what a mark is set to, CONNMARK may set either. */
static void target_mark(struct machine *m, const char *name, uint32_t revision,
			const uint8_t *info, size_t length)
{
	bool connection = !strcmp(name, "CONNMARK");
	struct xt_mark_tginfo2 mark;

	if (!connection && strcmp(name, "MARK"))
		return;
	m->sets[PACKET_MARK] = true;
	m->sets[CONNECTION_MARK] = connection;
	m->set = (struct marks){};
	if (connection) {
		target_connmark(m, revision, info, length);
	} else if (revision == 2 && length >= sizeof(mark)) {
		memcpy(&mark, info, sizeof(mark));
		fix(m, PACKET_MARK, mark.mask, mark.mark);
	}
}

/* The first revision has a number of ranges before the first one, and others have the range. */
static void target_snat(struct machine *m, uint32_t revision, const uint8_t *info, size_t length)
{
	struct nf_nat_ipv4_multi_range_compat old;
	struct nf_nat_range range;

	if (m->packet->family != NFPROTO_IPV4)
		return;
	if (revision == 0 && length >= sizeof(old)) {
		memcpy(&old, info, sizeof(old));
		memcpy(m->snat[0], &old.range[0].min_ip, 4);
		memcpy(m->snat[1], &old.range[0].max_ip, 4);
		m->snat_known = old.rangesize && old.range[0].flags & NF_NAT_RANGE_MAP_IPS;
	} else if (revision && length >= sizeof(range)) {
		memcpy(&range, info, sizeof(range));
		memcpy(m->snat[0], &range.min_addr, 4);
		memcpy(m->snat[1], &range.max_addr, 4);
		m->snat_known = range.flags & NF_NAT_RANGE_MAP_IPS;
	}
}

/**
 * xt_target - What an x_tables target does.
 * @m: Told of it.
 * @name: Of the target; one not known here lets the packet go on.
 * @revision: Its revision.
 * @info: Its data.
 * @length: Bytes of it.
 */
void xt_target(struct machine *m, const char *name, uint32_t revision, const uint8_t *info,
	       size_t length)
{
	static const char *const nat[] = {
		"MASQUERADE", "SNAT", "NETMAP", "DNAT", "REDIRECT"
	}, *const away[] = { "NFQUEUE", "TPROXY", "SYNPROXY", "ECHO" };
	size_t i;

	if (!strcmp(name, "REJECT"))
		rule_verdict(m, NF_DROP, NULL, YES);
	else if (!strcmp(name, "CT"))
		target_ct(m, info, length);
	else if (!strcmp(name, "NOTRACK"))
		m->untracks = true;
	else if (!strcmp(name, "FLOWOFFLOAD"))
		m->offloads = "";
	target_mark(m, name, revision, info, length);
	m->own = !strcmp(name, "MASQUERADE");
	if (!strcmp(name, "SNAT"))
		target_snat(m, revision, info, length);
	for (i = 0; i < ARRAY_SIZE(nat); i++)
		if (!strcmp(name, nat[i]))
			rule_translates(m);
	for (i = 0; i < ARRAY_SIZE(away); i++)
		if (!strcmp(name, away[i]))
			rule_verdict(m, NF_ACCEPT, NULL, MAYBE_SO);
}
