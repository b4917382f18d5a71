// SPDX-License-Identifier: GPL-2.0
/*
 * Parts of nft rules that iptables-nft leaves as its own: matches and targets of
 * x_tables, those that firewalls use around VPNs. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <stddef.h>
#include <string.h>

#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "../../lib/util.h"
#include "eval.h"

static enum truth flip(enum truth truth, bool invert)
{
	if (!invert || truth == MAYBE_SO)
		return truth;
	return truth == YES ? NO : YES;
}

static enum truth both(enum truth a, enum truth b)
{
	return a < b ? a : b;
}

/* Ports are in host byte order in these; 0 is one that is not known. */
static enum truth port_in(uint16_t port, uint16_t first, uint16_t last)
{
	if (!first && last == 0xffff)
		return YES;
	if (!port)
		return MAYBE_SO;
	return port >= first && port <= last ? YES : NO;
}

static enum truth match_udp(const struct machine *m, const void *info)
{
	const struct xt_udp *udp = info;
	enum truth src = port_in(m->packet->sport, udp->spts[0], udp->spts[1]);
	enum truth dst = port_in(m->packet->dport, udp->dpts[0], udp->dpts[1]);

	return both(flip(src, udp->invflags & XT_UDP_INV_SRCPT),
		    flip(dst, udp->invflags & XT_UDP_INV_DSTPT));
}

static enum truth match_tcp(const struct machine *m, const void *info)
{
	const struct xt_tcp *tcp = info;
	enum truth src = port_in(m->packet->sport, tcp->spts[0], tcp->spts[1]);
	enum truth dst = port_in(m->packet->dport, tcp->dpts[0], tcp->dpts[1]);
	enum truth ports = both(flip(src, tcp->invflags & XT_TCP_INV_SRCPT),
				flip(dst, tcp->invflags & XT_TCP_INV_DSTPT));

	return tcp->flg_mask || tcp->option ? both(ports, MAYBE_SO) : ports;
}

static enum truth match_multiport(const struct machine *m, const void *info)
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

static enum truth match_conntrack(const struct machine *m, const void *info)
{
	const struct xt_conntrack_mtinfo3 *ct = info;

	if (ct->match_flags != XT_CONNTRACK_STATE)
		return MAYBE_SO;
	return state_in(m, ct->state_mask, ct->invert_flags & XT_CONNTRACK_STATE);
}

static enum truth match_state(const struct machine *m, const void *info)
{
	return state_in(m, ((const struct xt_state_info *)info)->statemask, false);
}

static enum truth match_any(const struct machine *m, const void *info)
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
enum truth xt_match(const struct machine *m, const char *name, uint32_t revision,
		    const uint8_t *info, size_t length)
{
	static const struct {
		const char *name;
		uint32_t from, to;
		size_t length;
		enum truth (*match)(const struct machine *m, const void *info);
	} matches[] = {
		{ "comment", 0, 0, 0, match_any },
		{ "udp", 0, 0, sizeof(struct xt_udp), match_udp },
		{ "tcp", 0, 0, sizeof(struct xt_tcp), match_tcp },
		{ "multiport", 1, 1, sizeof(struct xt_multiport_v1), match_multiport },
		{ "conntrack", 2, 3, offsetof(struct xt_conntrack_mtinfo3, origsrc_port_high),
		  match_conntrack },
		{ "state", 0, 0, sizeof(struct xt_state_info), match_state },
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

/* To what is not looked at here; CONNMARK sets either, as its options say. */
static void target_mark(struct machine *m, const char *name)
{
	bool connection = !strcmp(name, "CONNMARK");

	if (!connection && strcmp(name, "MARK"))
		return;
	m->sets[PACKET_MARK] = true;
	m->sets[CONNECTION_MARK] = connection;
	m->set = (struct marks){};
}

/**
 * xt_target - What an x_tables target does.
 * @m: Told of it.
 * @name: Of the target; one not known here lets the packet go on.
 * @info: Its data.
 * @length: Bytes of it.
 */
void xt_target(struct machine *m, const char *name, const uint8_t *info, size_t length)
{
	static const char *const nat[] = {
		"MASQUERADE", "SNAT", "NETMAP", "DNAT", "REDIRECT"
	}, *const away[] = { "NFQUEUE", "TPROXY", "SYNPROXY", "ECHO" };
	size_t i;

	if (!strcmp(name, "REJECT"))
		rule_verdict(m, NF_DROP, NULL, YES);
	else if (!strcmp(name, "CT"))
		target_ct(m, info, length);
	else if (!strcmp(name, "FLOWOFFLOAD"))
		m->offloads = "";
	target_mark(m, name);
	for (i = 0; i < ARRAY_SIZE(nat); i++) {
		if (strcmp(name, nat[i]))
			continue;
		m->masquerades = m->hook == NF_INET_POST_ROUTING;
		rule_verdict(m, NF_ACCEPT, NULL, YES);
	}
	for (i = 0; i < ARRAY_SIZE(away); i++)
		if (!strcmp(name, away[i]))
			rule_verdict(m, NF_ACCEPT, NULL, MAYBE_SO);
}
