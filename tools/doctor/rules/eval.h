/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Judgement of the ruleset on a packet of which only some fields are known. Pure:
 * rules and packet in, judgement out. eval.c walks chains, expr.c understands
 * the expressions of a rule, legacy_rule.c a rule of iptables-legacy's, xt.c what is
 * iptables' in both.
 */
#ifndef _VPNPASS_DOCTOR_EVAL_H
#define _VPNPASS_DOCTOR_EVAL_H

#include <netinet/in.h>

#include <linux/netfilter.h>

#include "../network.h"
#include "ruleset.h"

/* Before Linux 5.10 there was no such hook in family inet. */
#ifndef NF_INET_INGRESS
#define NF_INET_INGRESS	NF_INET_NUMHOOKS
#endif

/* Whether something matches, as far as is known. */
enum truth {
	NO,
	MAYBE_SO,
	YES,
};

/**
 * struct packet - One that the router forwards, or of its own.
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6.
 * @l4proto: IP protocol.
 * @reply: It goes back to who began, on a connection that is established;
 *         otherwise it is the first.
 * @related: Its connection is related to another, as GRE's is that we help.
 * @in: Where it comes in, NULL when the router sends it.
 * @out: Where it leaves, NULL when it is for the router.
 * @in_port: Where that is a bridge, its port, or NULL.
 * @out_port: Likewise of @out.
 * @src: Source address, bits that are not known are 0.
 * @src_known: A mask of those that are.
 * @dst: Destination address.
 * @dst_known: Likewise.
 * @sport: Source port, 0 when it is not known or there is none.
 * @dport: Destination port, likewise.
 * @one_client: It is of one client that is known.
 * @mac: Hardware address that it comes in with, if @mac_known.
 * @mac_known: That is known.
 */
struct packet {
	uint8_t family, l4proto;
	bool reply, related;
	const struct link *in, *out, *in_port, *out_port;
	uint8_t src[16], src_known[16], dst[16], dst_known[16];
	uint16_t sport, dport;
	bool one_client, mac_known;
	uint8_t mac[6];
};

/**
 * struct place - A rule, or the policy of a chain.
 * @chain: The chain, NULL for none.
 * @base: The base chain from which it came there.
 * @rule: The rule, NULL for the policy.
 * @early: The packet came to the policy past the last rules of the base chain.
 * @packets: What the rule's own counter says.
 * @counted: It has one.
 * @object: The object that the rule names, such as a flowtable.
 */
struct place {
	const struct nft_chain *chain, *base;
	const struct nft_rule *rule;
	bool early;
	uint64_t packets;
	bool counted;
	const char *object;
};

/* More base chains than this that drop the same are not told. */
#define ALSO_MAX	3

/**
 * struct judgement - What becomes of the packet.
 * @dropped: Where it is dropped for certain.
 * @also: Where it would be next, if it were not dropped there.
 * @n_also: How many such places.
 * @suspect: Where it may be, by a rule that has dropped packets and does not
 *           match the control packets.
 * @unsure: Where it is dropped if something matches that could not be found out, which the
 *          place's object says.
 * @doubted: Where it is dropped unless a rule before, that may or may not match,
 *           accepts it.
 * @offloaded: Where its connection is handed to a flowtable.
 * @untracked: Where it is exempted from connection tracking.
 * @helper: Where a connection tracking helper is attached.
 * @diverted: Where its destination is translated.
 * @counts: Where, behind conntrack, each packet is counted on: by a limit, a quota, a log
 *          or a queue.
 * @masqueraded: Whether its source address is translated.
 * @own_address: Whether that gets an address of where it leaves.
 * @snat: The lowest and the highest that it gets, if that is another.
 * @snat_known: There are such.
 * @mark: What it is marked with when its route is looked up, 0 when that is not known.
 * @mark_known: It is known.
 * @may_drop: A rule may drop it, for all that its counter says.
 */
struct judgement {
	struct place also[ALSO_MAX];
	size_t n_also;
	struct place dropped, suspect, unsure, doubted, offloaded, untracked, helper, diverted;
	struct place counts;
	enum truth masqueraded, own_address;
	uint8_t snat[2][16];
	bool snat_known;
	uint32_t mark;
	bool mark_known, may_drop;
};

void judge_packet(const struct ruleset *rs, const struct packet *packet,
		  const struct packet *const *controls, struct judgement *j);

/* Declarations below are between eval.c, expr.c, legacy_rule.c and xt.c. */

#define VERDICTS_MAX	16

enum mark {
	PACKET_MARK,
	CONNECTION_MARK,
	N_MARKS,
};

/**
 * struct verdict - Where a packet goes from here.
 * @code: NF_DROP, NF_ACCEPT, NFT_JUMP...
 * @chain: Of a jump.
 * @certain: It is so.
 */
struct verdict {
	int32_t code;
	const char *chain;
	enum truth certain;
};

/**
 * struct marks - What rules did to the packet and its connection, carried from rule to rule.
 * @value: Of each mark.
 * @known: Which of their bits are known.
 * @untracked: A rule exempted the packet from connection tracking.
 */
struct marks {
	uint32_t value[N_MARKS], known[N_MARKS];
	bool untracked;
};

/**
 * struct machine - Registers and side effects while a rule is run.
 * @rs: The ruleset.
 * @packet: The packet.
 * @chain: The chain of the rule.
 * @hook: Where we are: NF_INET_*, also for chains of family netdev.
 * @bridge: In the bridge, whose hooks have the same numbers (NF_BR_*).
 * @priority: Of the base chain.
 * @marks: Marks as they were before the rule.
 * @sets: Which marks the rule sets.
 * @set: And to what.
 * @value: The registers.
 * @known: Which of their bits are known.
 * @verdicts: What the rule may lead to; none means on to the next.
 * @n_verdicts: How many.
 * @counted: It has a counter.
 * @packets: What that says.
 * @masquerades: It translates the source address.
 * @own: To an address of where it leaves.
 * @snat: To one from the first of these to the second, if @snat_known.
 * @snat_known: It is known to which.
 * @diverts: It translates the destination.
 * @untracks: It exempts from tracking.
 * @offloads: Name of the flowtable that it feeds.
 * @helper: Name of the helper that it attaches.
 * @counts: Name of the limit, quota, log or queue in it.
 * @unsure: What a match of it looks at that could not be found out, NULL for nothing.
 */
struct machine {
	const struct ruleset *rs;
	const struct packet *packet;
	const struct nft_chain *chain;
	uint32_t hook;
	bool bridge;
	int32_t priority;
	const struct marks *marks;
	bool sets[N_MARKS];
	struct marks set;
	uint8_t value[NFT_KEY_SIZE], known[NFT_KEY_SIZE];
	struct verdict verdicts[VERDICTS_MAX];
	size_t n_verdicts;
	bool counted, masquerades, own, snat_known, diverts, untracks;
	uint8_t snat[2][16];
	uint64_t packets;
	const char *offloads, *helper, *counts, *unsure;
};

enum truth rule_run(struct machine *m, const struct nft_rule *rule);
enum truth legacy_rule_run(struct machine *m, const struct legacy_rule *rule);
void rule_counts(struct machine *m, const char *name);
void rule_translates(struct machine *m);
enum truth packet_is_encrypted(struct machine *m);
bool packet_mac(struct machine *m);
void rule_verdict(struct machine *m, int32_t code, const char *chain, enum truth certain);
uint32_t packet_state(const struct machine *m);
enum truth bytes_between(const uint8_t *value, const uint8_t *known, const uint8_t *first,
			 const uint8_t *last, size_t length);
uint32_t address_type(const struct machine *m, bool src);
bool rule_has_match(const struct nft_rule *rule, const char *name);
bool legacy_has_match(const struct legacy_rule *rule, const char *name);
enum truth xt_match(struct machine *m, const char *name, uint32_t revision,
		    const uint8_t *info, size_t length);
void xt_target(struct machine *m, const char *name, uint32_t revision, const uint8_t *info,
	       size_t length);

/* In the bridge a packet that is at one of these hooks has the port that it came by alone. */
static inline bool is_way_in(uint32_t hook)
{
	return hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN;
}

/* The bits of a byte of an address, counted from 0, that belong to its prefix. */
static inline uint8_t prefix_mask(int prefix, size_t byte)
{
	int bits = prefix - 8 * (int)byte;

	return bits >= 8 ? 0xff : bits <= 0 ? 0 : 0xff << (8 - bits);
}

static inline enum truth flip(enum truth truth, bool invert)
{
	if (!invert || truth == MAYBE_SO)
		return truth;
	return truth == YES ? NO : YES;
}

static inline enum truth both(enum truth a, enum truth b)
{
	return a < b ? a : b;
}

/* FIN, SYN, RST and ACK: the first packet of TCP has SYN alone, later ones have ACK. */
#define TCP_FLAGS_KNOWN		0x17

static inline uint8_t tcp_flags(const struct packet *p)
{
	return p->reply ? 0x10 : 0x02;
}

/* As NFT_CT_STATE has them; 0 stands for not known. */
#define STATE_ESTABLISHED	2
#define STATE_RELATED		4
#define STATE_NEW		8
#define STATE_UNTRACKED		64

#endif /* _VPNPASS_DOCTOR_EVAL_H */
