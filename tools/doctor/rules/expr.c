// SPDX-License-Identifier: GPL-2.0
/*
 * The expressions of one nft rule, run on a packet of which only some bits are
 * known; see eval.h. What is not understood may or may not match, and leaves
 * nothing known in the registers. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <endian.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stddef.h>
#include <string.h>

#include "../../lib/util.h"
#include "eval.h"

#define PRIORITY_CONNTRACK	(-200)
#define STATUS_DNAT		0x20

/*
 * Most of the time goes by here where rules are many: the attributes are walked through
 * without calls to libmnl.
 */
static const struct nlattr *member(const struct nlattr *nest, uint16_t type)
{
	size_t at = sizeof(*nest), size = nest ? nest->nla_len : 0;
	const struct nlattr *attr;

	for (; at + sizeof(*attr) <= size; at += MNL_ALIGN(attr->nla_len)) {
		attr = (const void *)((const char *)nest + at);
		if (attr->nla_len < sizeof(*attr) || at + attr->nla_len > size)
			return NULL;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
	}
	return NULL;
}

static uint32_t number(const struct nlattr *nest, uint16_t type, uint32_t otherwise)
{
	const struct nlattr *attr = member(nest, type);

	return attr ? ntohl(mnl_attr_get_u32(attr)) : otherwise;
}

static const char *string(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr = member(nest, type);

	return attr ? mnl_attr_get_str(attr) : "";
}

/* Where a register begins; enum nft_registers counts in 16 and in 4 bytes. */
static int offset_of(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 16;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (reg - NFT_REG32_00) * 4;
	return -1;
}

static bool fits(int offset, size_t length)
{
	return offset >= 0 && offset + length <= NFT_KEY_SIZE;
}

static void forget_all(struct machine *m)
{
	memset(m->known, 0, sizeof(m->known));
}

/* Into a register; the rest of its last four bytes becomes 0. */
static void load(struct machine *m, uint32_t reg, const void *value, const void *known,
		 size_t length)
{
	int at = offset_of(reg);
	size_t padded = (length + 3) & ~3UL;
	size_t i;

	if (!fits(at, padded)) {
		forget_all(m);
		return;
	}
	memset(m->value + at, 0, padded);
	memset(m->known + at, 0xff, padded);
	memcpy(m->value + at, value, length);
	if (known)
		memcpy(m->known + at, known, length);
	for (i = 0; i < length; i++)
		m->value[at + i] &= m->known[at + i];
}

static void load_unknown(struct machine *m, uint32_t reg, size_t length)
{
	static const uint8_t nothing[NFT_KEY_SIZE];

	load(m, reg, nothing, nothing, length > NFT_KEY_SIZE ? NFT_KEY_SIZE : length);
}

static void load_u32(struct machine *m, uint32_t reg, uint32_t value, uint32_t known)
{
	load(m, reg, &value, &known, sizeof(value));
}

/* --- comparing --- */

static enum truth equal(const uint8_t *value, const uint8_t *known, const uint8_t *other,
			size_t length)
{
	enum truth truth = YES;
	size_t i;

	for (i = 0; i < length; i++) {
		if ((value[i] ^ other[i]) & known[i])
			return NO;
		if (known[i] != 0xff)
			truth = MAYBE_SO;
	}
	return truth;
}

/**
 * bytes_between - Whether a value of which some bits are known is between two others.
 * @value: The value, bits that are not known are 0.
 * @known: A mask of those that are.
 * @first: The least, in network byte order.
 * @last: The most, included.
 * @length: Bytes of each.
 */
enum truth bytes_between(const uint8_t *value, const uint8_t *known, const uint8_t *first,
			 const uint8_t *last, size_t length)
{
	uint8_t least[NFT_KEY_SIZE], most[NFT_KEY_SIZE];
	size_t i;

	if (!memcmp(first, last, length))
		return equal(value, known, first, length);
	for (i = 0; i < length; i++) {
		least[i] = value[i] & known[i];
		most[i] = least[i] | (uint8_t)~known[i];
	}
	if (memcmp(most, first, length) < 0 || memcmp(least, last, length) > 0)
		return NO;
	return memcmp(least, first, length) >= 0 && memcmp(most, last, length) <= 0 ? YES :
										      MAYBE_SO;
}

static enum truth negate(enum truth truth)
{
	return truth == YES ? NO : truth == NO ? YES : MAYBE_SO;
}

static enum truth run_cmp(struct machine *m, const struct nlattr *e)
{
	static const uint8_t zero[NFT_KEY_SIZE];
	const struct nlattr *data = member(member(e, NFTA_CMP_DATA), NFTA_DATA_VALUE);
	uint32_t op = number(e, NFTA_CMP_OP, NFT_CMP_EQ);
	int at = offset_of(number(e, NFTA_CMP_SREG, 0));
	size_t length = data ? mnl_attr_get_payload_len(data) : 0;
	uint8_t ones[NFT_KEY_SIZE];
	const uint8_t *value, *known, *than;

	if (!data || !fits(at, length))
		return MAYBE_SO;
	value = m->value + at;
	known = m->known + at;
	than = mnl_attr_get_payload(data);
	memset(ones, 0xff, sizeof(ones));
	switch (op) {
	case NFT_CMP_EQ:
		return equal(value, known, than, length);
	case NFT_CMP_NEQ:
		return negate(equal(value, known, than, length));
	case NFT_CMP_LTE:
		return bytes_between(value, known, zero, than, length);
	case NFT_CMP_GT:
		return negate(bytes_between(value, known, zero, than, length));
	case NFT_CMP_GTE:
		return bytes_between(value, known, than, ones, length);
	case NFT_CMP_LT:
		return negate(bytes_between(value, known, than, ones, length));
	}
	return MAYBE_SO;
}

static enum truth run_range(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *from = member(member(e, NFTA_RANGE_FROM_DATA), NFTA_DATA_VALUE);
	const struct nlattr *to = member(member(e, NFTA_RANGE_TO_DATA), NFTA_DATA_VALUE);
	int at = offset_of(number(e, NFTA_RANGE_SREG, 0));
	enum truth inside;
	size_t length;

	if (!from || !to)
		return MAYBE_SO;
	length = mnl_attr_get_payload_len(from);
	if (!fits(at, length) || mnl_attr_get_payload_len(to) != length)
		return MAYBE_SO;
	inside = bytes_between(m->value + at, m->known + at, mnl_attr_get_payload(from),
			       mnl_attr_get_payload(to), length);
	return number(e, NFTA_RANGE_OP, NFT_RANGE_EQ) == NFT_RANGE_EQ ? inside : negate(inside);
}

static enum truth run_bitwise(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *mask = member(member(e, NFTA_BITWISE_MASK), NFTA_DATA_VALUE);
	const struct nlattr *xor = member(member(e, NFTA_BITWISE_XOR), NFTA_DATA_VALUE);
	size_t i, length = number(e, NFTA_BITWISE_LEN, 0);
	int from = offset_of(number(e, NFTA_BITWISE_SREG, 0));
	uint8_t value[NFT_KEY_SIZE], known[NFT_KEY_SIZE];

	if (!mask || !xor || !fits(from, length) || mnl_attr_get_payload_len(mask) < length ||
	    mnl_attr_get_payload_len(xor) < length) {
		forget_all(m);
		return YES;
	}
	for (i = 0; i < length; i++) {
		uint8_t and = ((const uint8_t *)mnl_attr_get_payload(mask))[i];

		known[i] = m->known[from + i] | (uint8_t)~and;
		value[i] = (m->value[from + i] & and) ^
			   ((const uint8_t *)mnl_attr_get_payload(xor))[i];
	}
	load(m, number(e, NFTA_BITWISE_DREG, 0), value, known, length);
	return YES;
}

/* Both operations swap, and only where the host is little-endian. */
static enum truth run_byteorder(struct machine *m, const struct nlattr *e)
{
	size_t i, length = number(e, NFTA_BYTEORDER_LEN, 0);
	size_t unit = number(e, NFTA_BYTEORDER_SIZE, 1);
	int from = offset_of(number(e, NFTA_BYTEORDER_SREG, 0));
	uint8_t value[NFT_KEY_SIZE], known[NFT_KEY_SIZE];

	if (!unit || !fits(from, length)) {
		forget_all(m);
		return YES;
	}
	for (i = 0; i < length; i++) {
		size_t at = i;

		/* a rest that is no whole unit, such as a protocol number, stays as it is */
		if (htobe16(1) != 1 && i < length / unit * unit)
			at = i / unit * unit + unit - 1 - i % unit;
		value[i] = m->value[from + at];
		known[i] = m->known[from + at];
	}
	load(m, number(e, NFTA_BYTEORDER_DREG, 0), value, known, length);
	return YES;
}

/* --- sets and maps --- */

static enum truth in_element(const struct machine *m, int at, const struct nft_set *set,
			     const struct nft_element *e)
{
	enum truth truth = YES, one;
	size_t i, offset = 0;

	if (set->n_fields < 2)
		return bytes_between(m->value + at, m->known + at, e->first, e->last,
			       set->key_length);
	for (i = 0; i < set->n_fields && truth != NO; i++) {
		one = fits(at + offset, set->fields[i]) ?
			bytes_between(m->value + at + offset, m->known + at + offset,
				      e->first + offset, e->last + offset, set->fields[i]) :
			MAYBE_SO;
		truth = one < truth ? one : truth;
		offset += (set->fields[i] + 3) & ~3U;
	}
	return truth;
}

static void map_verdict(struct machine *m, const struct nft_element *e, enum truth certain)
{
	const struct nlattr *verdict = member(e->data, NFTA_DATA_VERDICT);

	if (verdict)
		rule_verdict(m, number(verdict, NFTA_VERDICT_CODE, NFT_CONTINUE),
			     string(verdict, NFTA_VERDICT_CHAIN), certain);
}

/* Look a key up; a map's verdicts go where the rule's own would. */
static enum truth look(struct machine *m, const struct nft_set *set, int at, bool verdicts)
{
	const struct nft_element *catchall = NULL;
	enum truth best = NO;
	size_t i;

	for (i = 0; i < set->n_elements && best != YES; i++) {
		const struct nft_element *e = &set->elements[i];
		enum truth truth = NO;

		if (e->catchall)
			catchall = e;
		else
			truth = in_element(m, at, set, e);
		best = truth > best ? truth : best;
		if (truth != NO && verdicts)
			map_verdict(m, e, truth);
	}
	if (catchall && best != YES) {
		if (verdicts)
			map_verdict(m, catchall, best == NO ? YES : MAYBE_SO);
		best = YES;
	}
	return best;
}

static enum truth run_lookup(struct machine *m, const struct nlattr *e)
{
	const struct nft_set *set = ruleset_set(m->rs, m->chain, string(e, NFTA_LOOKUP_SET));
	int at = offset_of(number(e, NFTA_LOOKUP_SREG, 0));
	bool map = member(e, NFTA_LOOKUP_DREG);
	uint32_t reg = number(e, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	enum truth truth;

	if (!set || !fits(at, set->key_length)) {
		forget_all(m);
		m->n_verdicts = 0;
		rule_verdict(m, NF_ACCEPT, NULL, MAYBE_SO);
		return MAYBE_SO;
	}
	truth = look(m, set, at, map && reg == NFT_REG_VERDICT);
	if (map && reg != NFT_REG_VERDICT)
		forget_all(m);
	return number(e, NFTA_LOOKUP_FLAGS, 0) & NFT_LOOKUP_F_INV ? negate(truth) : truth;
}

/* --- known bits of the packet --- */

/**
 * packet_state - The state that connection tracking gives the packet.
 * @m: Where it is.
 *
 * Return: a STATE_*, 0 when it has none yet.
 */
uint32_t packet_state(const struct machine *m)
{
	if (m->hook == NF_INET_NUMHOOKS || m->bridge ||
	    ((m->hook == NF_INET_PRE_ROUTING || m->hook == NF_INET_LOCAL_OUT) &&
	     m->priority <= PRIORITY_CONNTRACK))
		return 0;
	if (m->marks->untracked)
		return STATE_UNTRACKED;
	if (m->packet->reply)
		return STATE_ESTABLISHED;
	return m->packet->related ? STATE_RELATED : STATE_NEW;
}

static enum truth load_link(struct machine *m, uint32_t reg, const struct link *link,
			    uint32_t key)
{
	char name[IFNAMSIZ] = "";
	uint16_t type;

	/* a packet without that device ends the rule */
	if (!link)
		return NO;
	snprintf(name, sizeof(name), "%s", link->name);
	type = link->type;
	switch (key) {
	case NFT_META_IIF:
	case NFT_META_OIF:
		load_u32(m, reg, link->index, ~0U);
		break;
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		load(m, reg, name, NULL, sizeof(name));
		break;
	default:
		load(m, reg, &type, NULL, sizeof(type));
	}
	return YES;
}

/* In the bridge a packet is at one port; the way to or from the router has no other. */
static const struct link *link_in(const struct machine *m)
{
	if (!m->bridge)
		return m->packet->in;
	return is_way_in(m->hook) ? m->packet->in_port : NULL;
}

static const struct link *link_out(const struct machine *m)
{
	if (!m->bridge)
		return m->packet->out;
	return is_way_in(m->hook) ? NULL : m->packet->out_port;
}

static void load_mark(struct machine *m, uint32_t reg, enum mark mark)
{
	load_u32(m, reg, m->marks->value[mark], m->marks->known[mark]);
}

/* The value that a rule sets a mark to; it has an effect only if the rule comes so far. */
static void store_mark(struct machine *m, int at, enum mark mark)
{
	m->sets[mark] = true;
	m->set.known[mark] = 0;
	if (!fits(at, sizeof(uint32_t)))
		return;
	memcpy(&m->set.value[mark], m->value + at, sizeof(uint32_t));
	memcpy(&m->set.known[mark], m->known + at, sizeof(uint32_t));
}

static enum truth run_meta(struct machine *m, const struct nlattr *e)
{
	uint32_t key = number(e, NFTA_META_KEY, 0), reg = number(e, NFTA_META_DREG, 0);
	const struct packet *p = m->packet;
	bool six = p->family == NFPROTO_IPV6;
	uint16_t ether = htons(six ? ETH_P_IPV6 : ETH_P_IP);
	uint8_t none = 0;

	if (!member(e, NFTA_META_DREG)) {
		if (key == NFT_META_MARK)
			store_mark(m, offset_of(number(e, NFTA_META_SREG, 0)), PACKET_MARK);
		return YES;
	}
	switch (key) {
	case NFT_META_MARK:
		load_mark(m, reg, PACKET_MARK);
		return YES;
	case NFT_META_NFPROTO:
		load(m, reg, &p->family, NULL, 1);
		return YES;
	case NFT_META_L4PROTO:
		load(m, reg, &p->l4proto, NULL, 1);
		return YES;
	case NFT_META_PROTOCOL:
		load(m, reg, &ether, NULL, sizeof(ether));
		return YES;
	case NFT_META_PKTTYPE:
		/* PACKET_HOST, and no client sends these by an IPsec of the router's */
	case NFT_META_SECPATH:
		load(m, reg, &none, NULL, 1);
		return YES;
	case NFT_META_IIF:
	case NFT_META_IIFNAME:
	case NFT_META_IIFTYPE:
		return load_link(m, reg, link_in(m), key);
	case NFT_META_OIF:
	case NFT_META_OIFNAME:
	case NFT_META_OIFTYPE:
		/* before routing there is none, and the rule ends */
		if (m->hook == NF_INET_PRE_ROUTING || m->hook == NF_INET_NUMHOOKS)
			return NO;
		return load_link(m, reg, link_out(m), key);
	}
	load_unknown(m, reg, IFNAMSIZ);
	return YES;
}

static enum truth run_ct(struct machine *m, const struct nlattr *e)
{
	uint32_t key = number(e, NFTA_CT_KEY, 0), reg = number(e, NFTA_CT_DREG, 0);
	uint32_t state = packet_state(m);
	uint8_t direction = m->packet->reply;

	if (!member(e, NFTA_CT_DREG)) {
		if (key == NFT_CT_MARK)
			store_mark(m, offset_of(number(e, NFTA_CT_SREG, 0)), CONNECTION_MARK);
		return YES;
	}
	if (key == NFT_CT_STATE && state)
		load_u32(m, reg, state, ~0U);
	else if (key == NFT_CT_DIRECTION && state)
		load(m, reg, &direction, NULL, 1);
	else if (key == NFT_CT_STATUS && state)
		load_u32(m, reg, 0, STATUS_DNAT);
	else if (key == NFT_CT_MARK && state)
		load_mark(m, reg, CONNECTION_MARK);
	else if (key == NFT_CT_PROTOCOL && state)
		load(m, reg, &m->packet->l4proto, NULL, 1);
	else if (key == NFT_CT_L3PROTOCOL && state)
		load(m, reg, &m->packet->family, NULL, 1);
	else
		load_unknown(m, reg, 16);
	return YES;
}

struct header {
	uint8_t value[60], known[60];
};

static void put(struct header *h, size_t at, const void *value, const void *known,
		size_t length)
{
	memcpy(h->value + at, value, length);
	if (known)
		memcpy(h->known + at, known, length);
	else
		memset(h->known + at, 0xff, length);
}

static void network_header(struct header *h, const struct packet *p)
{
	if (p->family == NFPROTO_IPV4) {
		put(h, 0, "\x45", NULL, 1);
		put(h, 9, &p->l4proto, NULL, 1);
		put(h, 12, p->src, p->src_known, 4);
		put(h, 16, p->dst, p->dst_known, 4);
	} else {
		put(h, 6, &p->l4proto, NULL, 1);
		put(h, 8, p->src, p->src_known, 16);
		put(h, 24, p->dst, p->dst_known, 16);
	}
}

static void transport_header(struct header *h, const struct packet *p)
{
	uint16_t sport = htons(p->sport), dport = htons(p->dport);

	if (p->l4proto != IPPROTO_TCP && p->l4proto != IPPROTO_UDP)
		return;
	if (p->sport)
		put(h, 0, &sport, NULL, 2);
	if (p->dport)
		put(h, 2, &dport, NULL, 2);
	if (p->l4proto == IPPROTO_TCP)
		put(h, 13, &(uint8_t){ tcp_flags(p) }, &(uint8_t){ TCP_FLAGS_KNOWN }, 1);
}

/**
 * packet_is_encrypted - Whether an IPsec of this router's own encrypts what leaves.
 * @m: Where it is.
 *
 * Return: NO where no policy does; else it depends on these, which are not looked at.
 */
enum truth packet_is_encrypted(struct machine *m)
{
	if (!m->rs->encrypts)
		return NO;
	m->unsure = "whether IPsec of this router's encrypts it";
	return MAYBE_SO;
}

/**
 * packet_mac - Whether the hardware address that the packet comes in with is known.
 * @m: Where it is. As with addresses, that of any client is not.
 */
bool packet_mac(struct machine *m)
{
	const struct packet *p = m->packet;

	if (p->mac_known)
		return true;
	if (p->one_client && !p->reply)
		m->unsure = "the client's hardware address";
	return false;
}

/* The key of what is encrypted has a place in the register, and is 0 or 1. */
static enum truth run_rt(struct machine *m, const struct nlattr *e)
{
	uint32_t reg = number(e, NFTA_RT_DREG, 0);
	uint8_t none = 0;

	if (number(e, NFTA_RT_KEY, 0) == NFT_RT_XFRM && packet_is_encrypted(m) == NO)
		load(m, reg, &none, NULL, 1);
	else
		load_unknown(m, reg, 16);
	return YES;
}

/* What a client sends comes in without IPsec; what has none ends the rule. */
static enum truth run_xfrm(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *dir = member(e, NFTA_XFRM_DIR);

	load_unknown(m, number(e, NFTA_XFRM_DREG, 0), 16);
	return dir && mnl_attr_get_u8(dir) == XFRM_POLICY_OUT ? packet_is_encrypted(m) : NO;
}

static enum truth run_payload(struct machine *m, const struct nlattr *e)
{
	uint32_t base = number(e, NFTA_PAYLOAD_BASE, 0), reg = number(e, NFTA_PAYLOAD_DREG, 0);
	size_t at = number(e, NFTA_PAYLOAD_OFFSET, 0), length = number(e, NFTA_PAYLOAD_LEN, 0);
	uint16_t ether = htons(m->packet->family == NFPROTO_IPV6 ? ETH_P_IPV6 : ETH_P_IP);
	struct header h = {};

	if (!member(e, NFTA_PAYLOAD_DREG))
		return YES;
	if (base == NFT_PAYLOAD_NETWORK_HEADER)
		network_header(&h, m->packet);
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		transport_header(&h, m->packet);
	else if (base == NFT_PAYLOAD_LL_HEADER && (m->bridge || m->packet->in))
		put(&h, offsetof(struct ethhdr, h_proto), &ether, NULL, sizeof(ether));
	if (base == NFT_PAYLOAD_LL_HEADER && at < offsetof(struct ethhdr, h_proto) &&
	    at + length > offsetof(struct ethhdr, h_source) && packet_mac(m))
		put(&h, offsetof(struct ethhdr, h_source), m->packet->mac, NULL, ETH_ALEN);
	if (at + length > sizeof(h.value))
		load_unknown(m, reg, length);
	else
		load(m, reg, h.value + at, h.known + at, length);
	return YES;
}

/**
 * address_type - What the kernel says of whose an address of the packet is.
 * @m: Where it is.
 * @src: The source, not the destination.
 *
 * Return: RTN_*, 0 when it is not known. After DNAT was undone, both ends of what is forwarded
 * are somebody else.
 */
uint32_t address_type(const struct machine *m, bool src)
{
	const struct packet *p = m->packet;

	if (m->hook == NF_INET_FORWARD || (m->hook == NF_INET_PRE_ROUTING && !p->reply))
		return RTN_UNICAST;
	if (m->hook == NF_INET_LOCAL_IN && !m->bridge)
		return src ? RTN_UNICAST : RTN_LOCAL;
	if (m->hook == NF_INET_LOCAL_OUT && !m->bridge)
		return src ? RTN_LOCAL : RTN_UNICAST;
	return 0;
}

static enum truth run_fib(struct machine *m, const struct nlattr *e)
{
	bool src = number(e, NFTA_FIB_FLAGS, 0) & NFTA_FIB_F_SADDR;
	uint32_t reg = number(e, NFTA_FIB_DREG, 0), type = address_type(m, src);

	if (number(e, NFTA_FIB_RESULT, 0) == NFT_FIB_RESULT_ADDRTYPE && type)
		load_u32(m, reg, type, ~0U);
	else
		load_unknown(m, reg, IFNAMSIZ);
	return YES;
}

/* --- verdicts and effects --- */

/**
 * rule_verdict - Note where the rule may lead.
 * @m: Where it is run.
 * @code: NF_* or NFT_*.
 * @chain: Of a jump.
 * @certain: Whether it does when the rule matches.
 */
void rule_verdict(struct machine *m, int32_t code, const char *chain, enum truth certain)
{
	/* beyond what fits here, all that matters is that we do not know */
	if (m->n_verdicts == VERDICTS_MAX) {
		m->n_verdicts--;
		code = NF_ACCEPT;
		certain = MAYBE_SO;
	}
	m->verdicts[m->n_verdicts++] = (struct verdict){ code, chain, certain };
}

static enum truth run_immediate(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *data = member(e, NFTA_IMMEDIATE_DATA);
	const struct nlattr *verdict = member(data, NFTA_DATA_VERDICT);
	const struct nlattr *value = member(data, NFTA_DATA_VALUE);

	if (verdict)
		rule_verdict(m, number(verdict, NFTA_VERDICT_CODE, NFT_CONTINUE),
			     string(verdict, NFTA_VERDICT_CHAIN), YES);
	else if (value && mnl_attr_get_payload_len(value) <= NFT_KEY_SIZE)
		load(m, number(e, NFTA_IMMEDIATE_DREG, 0), mnl_attr_get_payload(value), NULL,
		     mnl_attr_get_payload_len(value));
	return YES;
}

static enum truth run_counter(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *packets = member(e, NFTA_COUNTER_PACKETS);

	m->counted = packets;
	m->packets = packets ? be64toh(mnl_attr_get_u64(packets)) : 0;
	return YES;
}

static enum truth run_reject(struct machine *m, const struct nlattr *e)
{
	(void)e;
	rule_verdict(m, NF_DROP, NULL, YES);
	return YES;
}

/**
 * rule_translates - Note that a rule translates an address, and is the last to do so.
 * @m: Where it is run, which says whose address.
 */
void rule_translates(struct machine *m)
{
	m->masquerades = m->hook == NF_INET_POST_ROUTING;
	m->diverts = m->hook == NF_INET_PRE_ROUTING;
	rule_verdict(m, NF_ACCEPT, NULL, YES);
}

static enum truth run_redirect(struct machine *m, const struct nlattr *e)
{
	(void)e;
	rule_translates(m);
	return YES;
}

static enum truth run_masquerade(struct machine *m, const struct nlattr *e)
{
	m->own = true;
	return run_redirect(m, e);
}

static bool take_address(const struct machine *m, uint8_t *address, uint32_t reg)
{
	int at = offset_of(reg);

	if (!fits(at, 4) || memcmp(m->known + at, "\xff\xff\xff\xff", 4))
		return false;
	memcpy(address, m->value + at, 4);
	return true;
}

static enum truth run_nat(struct machine *m, const struct nlattr *e)
{
	uint32_t first = number(e, NFTA_NAT_REG_ADDR_MIN, NFT_REG_VERDICT);
	uint32_t last = number(e, NFTA_NAT_REG_ADDR_MAX, first);

	m->snat_known = m->packet->family == NFPROTO_IPV4 &&
			take_address(m, m->snat[0], first) && take_address(m, m->snat[1], last);
	return run_redirect(m, e);
}

/* Others decide elsewhere what becomes of it. */
static enum truth run_away(struct machine *m, const struct nlattr *e)
{
	(void)e;
	rule_verdict(m, NF_ACCEPT, NULL, MAYBE_SO);
	return YES;
}

static enum truth run_notrack(struct machine *m, const struct nlattr *e)
{
	(void)e;
	m->untracks = true;
	return YES;
}

static enum truth run_offload(struct machine *m, const struct nlattr *e)
{
	m->offloads = string(e, NFTA_FLOW_TABLE_NAME);
	return YES;
}

static enum truth run_object(struct machine *m, const struct nlattr *e)
{
	if (number(e, NFTA_OBJREF_IMM_TYPE, 0) == NFT_OBJECT_CT_HELPER)
		m->helper = ruleset_helper(m->rs, m->chain, string(e, NFTA_OBJREF_IMM_NAME));
	else if (number(e, NFTA_OBJREF_IMM_TYPE, 0) != NFT_OBJECT_COUNTER)
		return MAYBE_SO;
	return YES;
}

/* Rules are run for each LAN and kind of packets: most names differ in their first letter. */
static inline bool is_name(const char *a, const char *b)
{
	return *a == *b && !strcmp(a, b);
}

/**
 * rule_counts - Note a part of a rule that acts on packets by how many there are, or on each.
 * @m: Where it is run.
 * @name: Of the part, as nft or as iptables has it.
 */
void rule_counts(struct machine *m, const char *name)
{
	static const char *const names[] = {
		"limit", "quota", "log", "queue", "hashlimit", "LOG", "NFLOG", "NFQUEUE",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (is_name(name, names[i]))
			m->counts = names[i];
}

/**
 * rule_has_match - Whether a rule has a match of x_tables.
 * @rule: The rule.
 * @name: Of the match.
 */
bool rule_has_match(const struct nft_rule *rule, const char *name)
{
	const struct nlattr *element;

	if (rule->legacy)
		return legacy_has_match(rule->legacy, name);
	if (!rule->expressions)
		return false;
	mnl_attr_for_each_nested(element, rule->expressions)
		if (!strcmp(string(element, NFTA_EXPR_NAME), "match") &&
		    !strcmp(string(member(element, NFTA_EXPR_DATA), NFTA_MATCH_NAME), name))
			return true;
	return false;
}

static enum truth run_match(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *info = member(e, NFTA_MATCH_INFO);

	rule_counts(m, string(e, NFTA_MATCH_NAME));
	return info ? xt_match(m, string(e, NFTA_MATCH_NAME), number(e, NFTA_MATCH_REV, 0),
			       mnl_attr_get_payload(info), mnl_attr_get_payload_len(info)) :
		      MAYBE_SO;
}

static enum truth run_target(struct machine *m, const struct nlattr *e)
{
	const struct nlattr *info = member(e, NFTA_TARGET_INFO);

	rule_counts(m, string(e, NFTA_TARGET_NAME));
	xt_target(m, string(e, NFTA_TARGET_NAME), number(e, NFTA_TARGET_REV, 0),
		  info ? mnl_attr_get_payload(info) : NULL,
		  info ? mnl_attr_get_payload_len(info) : 0);
	return YES;
}

static enum truth run_nothing(struct machine *m, const struct nlattr *e)
{
	(void)m;
	(void)e;
	return YES;
}

static const struct {
	const char *name;
	enum truth (*run)(struct machine *m, const struct nlattr *e);
} expressions[] = {
	{ "cmp", run_cmp }, { "range", run_range }, { "bitwise", run_bitwise },
	{ "byteorder", run_byteorder }, { "lookup", run_lookup }, { "meta", run_meta },
	{ "ct", run_ct }, { "payload", run_payload }, { "fib", run_fib },
	{ "immediate", run_immediate }, { "counter", run_counter },
	{ "reject", run_reject }, { "masq", run_masquerade }, { "nat", run_nat },
	{ "redir", run_redirect }, { "queue", run_away }, { "fwd", run_away },
	{ "synproxy", run_away }, { "tproxy", run_away }, { "notrack", run_notrack },
	{ "flow_offload", run_offload }, { "objref", run_object }, { "match", run_match },
	{ "target", run_target }, { "log", run_nothing }, { "last", run_nothing },
	{ "dup", run_nothing }, { "rt", run_rt }, { "xfrm", run_xfrm },
};

static enum truth run_expression(struct machine *m, const struct nlattr *element)
{
	const char *name = string(element, NFTA_EXPR_NAME);
	size_t i;

	rule_counts(m, name);
	for (i = 0; i < ARRAY_SIZE(expressions); i++)
		if (is_name(name, expressions[i].name))
			return expressions[i].run(m, member(element, NFTA_EXPR_DATA));
	forget_all(m);
	return MAYBE_SO;
}

/**
 * rule_run - Run a rule.
 * @m: With packet, chain and hook; what the rule leads to is left there.
 * @rule: The rule.
 *
 * Return: whether the rule matches.
 */
enum truth rule_run(struct machine *m, const struct nft_rule *rule)
{
	const struct nlattr *element;
	enum truth truth = YES;

	forget_all(m);
	memset(m->value, 0, sizeof(m->value));
	m->n_verdicts = 0;
	m->counted = false;
	m->masquerades = false;
	m->own = false;
	m->snat_known = false;
	m->diverts = false;
	m->untracks = false;
	m->packets = 0;
	m->offloads = NULL;
	m->helper = NULL;
	m->counts = NULL;
	m->unsure = NULL;
	memset(m->sets, 0, sizeof(m->sets));
	if (rule->legacy)
		return legacy_rule_run(m, rule->legacy);
	if (!rule->expressions)
		return YES;
	mnl_attr_for_each_nested(element, rule->expressions) {
		enum truth one = run_expression(m, element);
		size_t i;

		truth = one < truth ? one : truth;
		if (truth == NO)
			return NO;
		for (i = 0; i < m->n_verdicts && truth == MAYBE_SO; i++)
			m->verdicts[i].certain = MAYBE_SO;
	}
	return truth;
}
