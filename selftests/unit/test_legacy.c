// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the reader of iptables-legacy's tables. Tables are laid out as the kernel's
 * are, and packets judged by them; then they are cut anywhere, and any bit is changed.
 */
/* before those of the kernel, which then leave the same out */
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/doctor/rules/ipset.h"
#include "../../tools/doctor/rules/legacy.h"
#include "tap.h"

#define TABLE_SIZE	8192

/**
 * struct maker - A table that is being written.
 * @bytes: It, aligned.
 * @size: Bytes so far.
 * @rule: Where the entry begins that is being written.
 * @six: It is IPv6's.
 * @table: What the kernel says of it.
 */
static struct maker {
	uint64_t bytes[TABLE_SIZE / 8];
	size_t size, rule;
	bool six;
	struct legacy_table table;
} made;

static void *put(size_t size)
{
	uint8_t *at = (uint8_t *)made.bytes + made.size;

	if (made.size + XT_ALIGN(size) > TABLE_SIZE)
		abort();
	memset(at, 0, XT_ALIGN(size));
	made.size += XT_ALIGN(size);
	return at;
}

static void begin_table(const char *name, bool six)
{
	made = (struct maker){ .six = six };
	made.table.family = six ? NFPROTO_IPV6 : NFPROTO_IPV4;
	snprintf(made.table.name, sizeof(made.table.name), "%s", name);
}

/* Begins a rule about an IP protocol that comes in by an interface, of which "+" is any end. */
static void *rule(uint16_t l4proto, const char *in)
{
	struct ip6t_entry *six;
	struct ipt_entry *four;
	size_t length = strcspn(in, "+");

	made.rule = made.size;
	length += *in && !in[length];
	if (made.six) {
		six = put(sizeof(*six));
		six->ipv6.proto = l4proto;
		six->ipv6.flags = l4proto ? IP6T_F_PROTO : 0;
		memcpy(six->ipv6.iniface, in, strcspn(in, "+"));
		memset(six->ipv6.iniface_mask, 0xff, length);
		six->counters.pcnt = 7;
		return six;
	}
	four = put(sizeof(*four));
	four->ip.proto = l4proto;
	memcpy(four->ip.iniface, in, strcspn(in, "+"));
	memset(four->ip.iniface_mask, 0xff, length);
	four->counters.pcnt = 7;
	return four;
}

static void match(const char *name, uint8_t revision, const void *info, size_t size)
{
	struct xt_entry_match *m = put(sizeof(*m) + size);

	m->u.match_size = XT_ALIGN(sizeof(*m) + size);
	strcpy(m->u.user.name, name);
	m->u.user.revision = revision;
	memcpy(m->data, info, size);
}

/* Ends the rule by a target; returns where the next one begins. */
static size_t target(const char *name, uint8_t revision, const void *info, size_t size)
{
	uint8_t *entry = (uint8_t *)made.bytes + made.rule;
	size_t at = made.size - made.rule;
	struct xt_entry_target *t = put(sizeof(*t) + size);

	t->u.target_size = XT_ALIGN(sizeof(*t) + size);
	strcpy(t->u.user.name, name);
	t->u.user.revision = revision;
	memcpy(t->data, info, size);
	if (made.six) {
		((struct ip6t_entry *)entry)->target_offset = at;
		((struct ip6t_entry *)entry)->next_offset = made.size - made.rule;
	} else {
		((struct ipt_entry *)entry)->target_offset = at;
		((struct ipt_entry *)entry)->next_offset = made.size - made.rule;
	}
	return made.size;
}

static size_t verdict(int code)
{
	return target("", 0, &code, sizeof(code));
}

static void hook(int number, size_t begins, size_t policy)
{
	made.table.hooks |= 1 << number;
	made.table.begins[number] = begins;
	made.table.policies[number] = policy;
}

/* A user's chain, or without a name the end of the table. */
static size_t head(const char *name)
{
	char text[XT_FUNCTION_MAXNAMELEN] = "ERROR";

	if (name)
		snprintf(text, sizeof(text), "%s", name);
	rule(0, "");
	return target("ERROR", 0, text, sizeof(text));
}

static void policy(int number, size_t begins, int code)
{
	size_t at = made.size;

	rule(0, "");
	verdict(code);
	hook(number, begins, at);
}

#define DROPS		(-NF_DROP - 1)
#define ACCEPTS		(-NF_ACCEPT - 1)
#define RETURNS		XT_RETURN

/* Bytes of a rule without matches, and how far a user's first chain is behind its head. */
static size_t bare(void)
{
	return (made.six ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry)) +
	       XT_ALIGN(sizeof(struct xt_standard_target));
}

static size_t head_size(void)
{
	return bare() - XT_ALIGN(sizeof(struct xt_standard_target)) +
	       XT_ALIGN(sizeof(struct xt_error_target));
}

/*
 * FORWARD, by an interface to a user's chain, whose rules are told apart by port and
 * protocol; the policy is given.
 */
static void make_filter(bool six, int falls, bool is_goto)
{
	struct xt_udp ike = { .spts = { 0, 0xffff }, .dpts = { 500, 500 } };
	char comment[256] = "no IKE";
	size_t forward, after;
	void *e;

	begin_table("filter", six);
	policy(NF_INET_LOCAL_IN, 0, ACCEPTS);
	forward = made.size;
	e = rule(0, "lan+");
	if (is_goto && six)
		((struct ip6t_entry *)e)->ipv6.flags |= IP6T_F_GOTO;
	else if (is_goto)
		((struct ipt_entry *)e)->ip.flags |= IPT_F_GOTO;
	/* behind this rule, the next one, two policies and the head */
	after = forward + 4 * bare();
	verdict(after + head_size());
	rule(IPPROTO_TCP, "");
	verdict(ACCEPTS);
	policy(NF_INET_FORWARD, forward, falls);
	after = made.size;
	rule(0, "");
	verdict(ACCEPTS);
	hook(NF_INET_LOCAL_OUT, after, after);
	head("vpn");
	rule(IPPROTO_UDP, "");
	match("udp", 0, &ike, sizeof(ike));
	match("comment", 0, comment, sizeof(comment));
	verdict(DROPS);
	rule(IPPROTO_ESP, "");
	verdict(made.rule + bare());
	rule(IPPROTO_ESP, "lan9");
	verdict(DROPS);
	rule(IPPROTO_AH, "");
	verdict(RETURNS);
	rule(0, "");
	verdict(RETURNS);
	head(NULL);
}

/**
 * struct outcome - What became of a packet.
 * @error: Of legacy_table_take().
 * @dropped: It is dropped for certain,
 * @chain: by a rule of this chain,
 * @rule: of this number, or 0 for the policy,
 * @packets: whose counter says this,
 * @comment: and whose comment is this.
 * @early: It came to the policy past the last rules.
 * @suspect: It may be dropped by a rule that has dropped packets.
 * @doubted: It may be accepted before.
 * @untracked: It is not tracked.
 * @masqueraded: Its source is translated.
 * @rules_in_vpn: How many rules the chain "vpn" has.
 */
struct outcome {
	int error;
	bool dropped;
	char chain[32];
	size_t rule;
	uint64_t packets;
	char comment[32];
	bool early, suspect, doubted, untracked, masqueraded;
	size_t rules_in_vpn;
};

static struct packet packet_of(bool six, uint8_t l4proto, uint16_t port, const struct link *in,
			       const struct link *out)
{
	struct packet p = {
		.family = six ? NFPROTO_IPV6 : NFPROTO_IPV4, .l4proto = l4proto, .dport = port,
		.in = in, .out = out,
	};

	inet_pton(six ? AF_INET6 : AF_INET, six ? "2001:db8:1::" : "192.168.1.0", p.src);
	memset(p.src_known, 0xff, six ? 8 : 3);
	return p;
}

static void tell(struct outcome *o, const struct judgement *j)
{
	const struct place *p = &j->dropped;

	o->suspect = j->suspect.chain;
	o->doubted = j->doubted.chain;
	o->untracked = j->untracked.chain;
	o->masqueraded = j->masqueraded == YES;
	o->dropped = p->chain;
	if (!p->chain)
		return;
	snprintf(o->chain, sizeof(o->chain), "%s", p->chain->name);
	o->rule = p->rule ? p->rule - p->chain->rules + 1 : 0;
	o->packets = p->packets;
	o->early = p->early;
	snprintf(o->comment, sizeof(o->comment), "%s",
		 p->rule && p->rule->comment ? p->rule->comment : "");
}

/* A packet of a LAN's by way of a ruleset of this table alone */
static struct outcome judge_table(const struct legacy_table *table, uint8_t l4proto, uint16_t port,
				  const char *name)
{
	struct link in = { .index = 2 }, out = { .index = 3, .name = "wan" };
	bool six = table->family == NFPROTO_IPV6;
	struct packet web, packet;
	const struct packet *const controls[] = { &web, NULL };
	struct outcome o = {};
	struct ruleset rs = {};
	struct judgement j;
	size_t i;

	snprintf(in.name, sizeof(in.name), "%s", name);
	web = packet_of(six, IPPROTO_TCP, 443, &in, &out);
	packet = packet_of(six, l4proto, port, &in, &out);
	o.error = legacy_table_take(&rs, table);
	ruleset_sort(&rs);
	judge_packet(&rs, &packet, controls, &j);
	tell(&o, &j);
	for (i = 0; i < rs.n_chains; i++)
		if (!strcmp(rs.chains[i].name, "vpn"))
			o.rules_in_vpn = rs.chains[i].n_rules;
	ruleset_free(&rs);
	return o;
}

static struct outcome judged(uint8_t l4proto, uint16_t port, const char *in)
{
	made.table.entries = (const uint8_t *)made.bytes;
	made.table.size = made.size;
	return judge_table(&made.table, l4proto, port, in);
}

static void dropped_at(int line, struct outcome o, const char *chain, size_t number)
{
	tap_check(!o.error && o.dropped && !strcmp(o.chain, chain) && o.rule == number, line,
		  "it is dropped there");
}

static void passed(int line, struct outcome o)
{
	tap_check(!o.error && !o.dropped, line, "it passes");
}

#define DROPPED(l4proto, port, in, chain, number)				\
	dropped_at(__LINE__, judged(l4proto, port, in), chain, number)

#define PASSED(l4proto, port, in)	passed(__LINE__, judged(l4proto, port, in))

static void test_family(bool six)
{
	make_filter(six, ACCEPTS, false);
	DROPPED(IPPROTO_UDP, 500, "lan1", "vpn", 1);
	SAME(judged(IPPROTO_UDP, 500, "lan1").packets, 7);
	CHECK(!strcmp(judged(IPPROTO_UDP, 500, "lan1").comment, "no IKE"));
	done(six ? "IPv6: a rule in a user's chain drops" : "IPv4: a rule in a user's chain drops");
	PASSED(IPPROTO_UDP, 4500, "lan1");
	PASSED(IPPROTO_UDP, 500, "dmz");
	PASSED(IPPROTO_ESP, 0, "lan1");
	DROPPED(IPPROTO_ESP, 0, "lan9", "vpn", 3);
	done(six ? "IPv6: other packets pass" : "IPv4: other packets pass");
	make_filter(six, DROPS, false);
	PASSED(IPPROTO_TCP, 1723, "lan1");
	DROPPED(IPPROTO_ESP, 0, "lan1", "FORWARD", 0);
	DROPPED(IPPROTO_AH, 0, "lan1", "FORWARD", 0);
	CHECK(!judged(IPPROTO_ESP, 0, "lan1").early);
	done(six ? "IPv6: the policy drops" : "IPv4: the policy drops");
	make_filter(six, DROPS, true);
	DROPPED(IPPROTO_TCP, 1723, "lan1", "FORWARD", 0);
	CHECK(judged(IPPROTO_TCP, 1723, "lan1").early);
	PASSED(IPPROTO_TCP, 1723, "dmz");
	done(six ? "IPv6: from a goto it comes to the policy" :
		   "IPv4: from a goto it comes to the policy");
	SAME(judged(IPPROTO_ESP, 0, "lan1").rules_in_vpn, 4);
	done(six ? "IPv6: rules are counted as iptables does" :
		   "IPv4: rules are counted as iptables does");
}

/* The last rule's verdict, FORWARD's policy, and the end of the table. */
static void end_forward(int last, int otherwise)
{
	verdict(last);
	policy(NF_INET_FORWARD, 0, otherwise);
	head(NULL);
}

static void test_headers(void)
{
	struct ipt_entry *e;

	begin_table("filter", false);
	e = rule(IPPROTO_ESP, "");
	e->ip.invflags = IPT_INV_PROTO;
	end_forward(DROPS, ACCEPTS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	DROPPED(IPPROTO_UDP, 500, "lan1", "FORWARD", 1);
	done("all protocols but one");

	begin_table("filter", false);
	e = rule(0, "lan1");
	e->ip.invflags = IPT_INV_VIA_IN;
	end_forward(DROPS, ACCEPTS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	DROPPED(IPPROTO_ESP, 0, "lan10", "FORWARD", 1);
	done("all interfaces but one");

	begin_table("filter", false);
	e = rule(0, "");
	inet_pton(AF_INET, "192.168.0.0", &e->ip.src);
	inet_pton(AF_INET, "255.255.0.0", &e->ip.smsk);
	end_forward(DROPS, ACCEPTS);
	DROPPED(IPPROTO_ESP, 0, "lan1", "FORWARD", 1);
	e->ip.invflags = IPT_INV_SRCIP;
	PASSED(IPPROTO_ESP, 0, "lan1");
	inet_pton(AF_INET, "192.168.1.7", &e->ip.src);
	inet_pton(AF_INET, "255.255.255.255", &e->ip.smsk);
	e->ip.invflags = 0;
	PASSED(IPPROTO_ESP, 0, "lan1");
	CHECK(!judged(IPPROTO_ESP, 0, "lan1").doubted);
	done("addresses, of which the last bits are not known");

	begin_table("filter", false);
	e = rule(0, "");
	e->ip.flags = IPT_F_FRAG;
	end_forward(DROPS, ACCEPTS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	e->ip.invflags = IPT_INV_FRAG;
	DROPPED(IPPROTO_ESP, 0, "lan1", "FORWARD", 1);
	done("later fragments");
}

/* A match that is not understood is not believed to match. */
static void test_unknown(void)
{
	uint64_t info = 1;

	begin_table("filter", false);
	rule(IPPROTO_ESP, "");
	match("martian", 0, &info, sizeof(info));
	end_forward(DROPS, ACCEPTS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	CHECK(judged(IPPROTO_ESP, 0, "lan1").suspect);
	CHECK(!judged(IPPROTO_UDP, 500, "lan1").suspect);
	done("a match that is not known makes a rule suspect that has dropped packets");

	begin_table("filter", false);
	rule(0, "");
	match("martian", 0, &info, sizeof(info));
	end_forward(ACCEPTS, DROPS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	CHECK(judged(IPPROTO_ESP, 0, "lan1").doubted);
	done("a match that is not known makes the policy doubtful");

	begin_table("filter", false);
	rule(0, "");
	end_forward(1, DROPS);
	PASSED(IPPROTO_ESP, 0, "lan1");
	CHECK(judged(IPPROTO_ESP, 0, "lan1").doubted);
	done("a jump to where no chain begins is not followed");

	begin_table("rawpost", false);
	policy(NF_INET_POST_ROUTING, 0, ACCEPTS);
	head(NULL);
	SAME(judged(IPPROTO_ESP, 0, "lan1").error, -EOPNOTSUPP);
	done("a table of which it is not known when its rules come");
}

static void test_effects(void)
{
	uint16_t notrack = 1;
	uint8_t ct[sizeof(struct xt_ct_target_info)] = {};

	begin_table("raw", false);
	rule(IPPROTO_ESP, "lan1");
	memcpy(ct, &notrack, sizeof(notrack));
	target("CT", 0, ct, sizeof(ct));
	rule(IPPROTO_AH, "lan1");
	target("NOTRACK", 0, ct, 0);
	policy(NF_INET_PRE_ROUTING, 0, ACCEPTS);
	head(NULL);
	CHECK(judged(IPPROTO_ESP, 0, "lan1").untracked);
	CHECK(judged(IPPROTO_AH, 0, "lan1").untracked);
	CHECK(!judged(IPPROTO_UDP, 500, "lan1").untracked);
	done("what is exempted from tracking");

	begin_table("nat", false);
	rule(0, "");
	target("MASQUERADE", 0, ct, 24);
	policy(NF_INET_POST_ROUTING, 0, ACCEPTS);
	head(NULL);
	CHECK(judged(IPPROTO_ESP, 0, "lan1").masqueraded);
	done("what is masqueraded");
}

/* MARK --set-xmark VALUE/MASK and -m mark --mark VALUE/MASK, in tables of their own. */
static void test_marks(void)
{
	static const struct {
		uint32_t set, set_mask, is, is_mask;
		uint8_t invert;
		bool drops;
	} cases[] = {
		{ 0x66, ~0U, 0x66, ~0U, 0, true }, { 0x66, ~0U, 0x67, ~0U, 0, false },
		{ 0x66, ~0U, 0x60, 0xf0, 0, true }, { 0x66, ~0U, 0x60, 0xf0, 1, false },
		{ 0x66, ~0U, 0x66, 0xf0, 0, false }, { 0x05, 0x0f, 0x05, ~0U, 0, true },
		{ 0x10, 0, 0x10, 0x30, 0, true }, { 0, 0, 0, ~0U, 0, true },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t set[2] = { cases[i].set, cases[i].set_mask };
		struct { uint32_t mark, mask; uint8_t invert; } is = {
			cases[i].is, cases[i].is_mask, cases[i].invert,
		};

		begin_table("mangle", false);
		rule(0, "");
		target("MARK", 2, set, sizeof(set));
		rule(0, "");
		match("mark", 1, &is, sizeof(is));
		verdict(DROPS);
		policy(NF_INET_FORWARD, 0, ACCEPTS);
		head(NULL);
		SAME(judged(IPPROTO_ESP, 0, "lan1").dropped, cases[i].drops);
	}
	done("marks of packets");
}

/* A rule that drops by a match alone */
static bool drops_by(bool six, const char *name, uint8_t revision, const void *info, size_t size)
{
	begin_table("filter", six);
	rule(0, "");
	match(name, revision, info, size);
	verdict(DROPS);
	policy(NF_INET_FORWARD, 0, ACCEPTS);
	head(NULL);
	return judged(IPPROTO_ESP, 0, "lan1").dropped;
}

/* Packets are from 192.168.1.0/24, of which the last byte is not known. */
static void test_ranges(void)
{
	static const struct {
		const char *first, *last;
		uint8_t flags;
		bool drops;
	} cases[] = {
		{ "192.168.1.0", "192.168.1.255", IPRANGE_SRC, true },
		{ "192.168.0.9", "192.168.2.0", IPRANGE_SRC, true },
		{ "192.168.1.1", "192.168.1.255", IPRANGE_SRC, false },
		{ "192.168.2.0", "192.168.9.0", IPRANGE_SRC, false },
		{ "192.168.2.0", "192.168.9.0", IPRANGE_SRC | IPRANGE_SRC_INV, true },
		{ "0.0.0.0", "255.255.255.255", IPRANGE_SRC, true },
		{ "192.168.2.0", "192.168.1.0", IPRANGE_SRC, false },
	};
	struct xt_iprange_mtinfo range = {};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		range.flags = cases[i].flags;
		inet_pton(AF_INET, cases[i].first, &range.src_min);
		inet_pton(AF_INET, cases[i].last, &range.src_max);
		SAME(drops_by(false, "iprange", 1, &range, sizeof(range)), cases[i].drops);
	}
	range.flags = IPRANGE_SRC;
	inet_pton(AF_INET6, "2001:db8::", &range.src_min);
	inet_pton(AF_INET6, "2001:db8:f::", &range.src_max);
	CHECK(drops_by(true, "iprange", 1, &range, sizeof(range)));
	done("ranges of addresses");
}

static void test_types(void)
{
	struct xt_addrtype_info_v1 local = { .dest = XT_ADDRTYPE_LOCAL };
	struct xt_addrtype_info_v1 far = {
		.source = XT_ADDRTYPE_UNICAST, .dest = XT_ADDRTYPE_LOCAL,
		.flags = XT_ADDRTYPE_INVERT_DEST,
	};

	CHECK(!drops_by(false, "addrtype", 1, &local, sizeof(local)));
	CHECK(drops_by(false, "addrtype", 1, &far, sizeof(far)));
	done("types of addresses");
}

static struct ipset_range net(const char *text, int bits)
{
	struct ipset_range range = { .prefix = bits };
	uint32_t mask = bits ? ~0U << (32 - bits) : 0, address;

	inet_pton(AF_INET, text, &address);
	address = htonl(ntohl(address) & mask);
	memcpy(range.first, &address, 4);
	address |= htonl(~mask);
	memcpy(range.last, &address, 4);
	return range;
}

/* IKE of 192.168.1.0/24, of which the last byte is not known, to 198.51.100.1 */
static void test_sets(void)
{
	struct ipset_element nets[] = {
		{ .addresses = { net("10.0.0.0", 8) } },
		{ .addresses = { net("198.51.100.0", 24) } },
		{ .addresses = { net("192.168.0.0", 23) } },
	}, exceptions[] = {
		{ .addresses = { net("198.51.100.0", 30) }, .excepted = true },
		{ .addresses = { net("198.51.0.0", 16) } },
		{ .addresses = { net("192.168.0.0", 16) } },
		{ .addresses = { net("192.168.1.7", 32) }, .excepted = true },
	}, host[] = {
		{ .addresses = { net("192.168.1.7", 32) } },
	}, ports[] = {
		{ .addresses = { net("198.51.100.1", 32) }, .ports = { 500, 500 },
		  .l4proto = IPPROTO_TCP },
		{ .addresses = { net("198.51.100.2", 32) }, .ports = { 500, 500 },
		  .l4proto = IPPROTO_UDP },
		{ .addresses = { net("198.51.100.1", 32) }, .ports = { 400, 600 },
		  .l4proto = IPPROTO_UDP },
	}, devices[] = {
		{ .addresses = { net("198.51.100.0", 24) }, .name = "lan1" },
		{ .addresses = { net("198.51.100.0", 24) }, .name = "wan9" },
		{ .addresses = { net("0.0.0.0", 0) }, .name = "wa", .wildcard = true },
	}, machines[1] = {}, members[] = {
		{ .name = "but" }, { .name = "devices" }, { .name = "all" },
	};
	struct ipset sets[] = {
		{ "nets", "hash:net", 0, NFPROTO_IPV4, 0, nets, 3 },
		{ "but", "hash:net", 1, NFPROTO_IPV4, 0, exceptions, 4 },
		{ "host", "hash:ip", 2, NFPROTO_IPV4, 0, host, 1 },
		{ "ports", "hash:ip,port", 3, NFPROTO_IPV4, 0, ports, 2 },
		{ "devices", "hash:net,iface", 4, NFPROTO_IPV4, 0, devices, 2 },
		{ "machines", "hash:mac", 5, NFPROTO_UNSPEC, 0, machines, 1 },
		{ "all", "list:set", 6, NFPROTO_UNSPEC, 0, members, 3 },
	};
	const uint8_t from = IPSET_DIM_ONE_SRC, second = IPSET_DIM_TWO_SRC;
	struct ruleset rs = { .ipsets = sets, .n_ipsets = sizeof(sets) / sizeof(sets[0]) };
	struct link in = { .name = "lan1" }, out = { .name = "wan" };
	struct packet p = packet_of(false, IPPROTO_UDP, 500, &in, &out);
	struct machine m = { .rs = &rs, .packet = &p, .hook = NF_INET_FORWARD };

	inet_pton(AF_INET, "198.51.100.1", p.dst);
	memset(p.dst_known, 0xff, 4);
	SAME(ipset_has(&m, 0, 0), YES);
	SAME(ipset_has(&m, 0, from), YES);
	SAME(ipset_has(&m, 77, 0), MAYBE_SO);
	done("networks in a set");
	SAME(ipset_has(&m, 1, 0), NO);
	SAME(ipset_has(&m, 1, from), MAYBE_SO);
	done("exceptions in a set");
	SAME(ipset_has(&m, 2, 0), NO);
	SAME(ipset_has(&m, 2, from), MAYBE_SO);
	done("a host in a set, of whom it is not known whether he sends it");
	SAME(ipset_has(&m, 3, 0), NO);
	sets[3].n++;
	SAME(ipset_has(&m, 3, 0), YES);
	SAME(ipset_has(&m, 3, second), MAYBE_SO);
	done("ports in a set");
	SAME(ipset_has(&m, 4, second), YES);
	SAME(ipset_has(&m, 4, 0), NO);
	sets[4].n++;
	SAME(ipset_has(&m, 4, 0), YES);
	SAME(ipset_has(&m, 5, from), MAYBE_SO);
	SAME(ipset_has(&m, 6, second), YES);
	done("interfaces, hardware addresses, and sets in a set");
	p.family = NFPROTO_IPV6;
	SAME(ipset_has(&m, 0, 0), NO);
	SAME(ipset_has(&m, 6, second), NO);
	done("IPv6 is in no set of IPv4");
}

/* From the heap, so that a read beyond the end is seen. */
static bool take_copy(size_t size)
{
	struct legacy_table table = made.table;
	uint8_t *copy = malloc(size ? size : 1);
	struct outcome o;

	memcpy(copy, made.bytes, size);
	table.entries = copy;
	table.size = size;
	o = judge_table(&table, IPPROTO_UDP, 500, "lan1");
	free(copy);
	return !o.error;
}

static void test_broken(bool six)
{
	uint8_t *bytes = (uint8_t *)made.bytes;
	size_t i, n = 0;
	int bit;

	make_filter(six, DROPS, false);
	CHECK(take_copy(made.size));
	for (i = 0; i < made.size; i++)
		n += take_copy(i);
	/* a cut between two entries leaves a table, when it is behind the chains of hooks */
	SAME(n, 7);
	for (i = 0; i < made.size; i++)
		for (bit = 0; bit < 8; bit++) {
			bytes[i] ^= 1 << bit;
			take_copy(made.size);
			bytes[i] ^= 1 << bit;
		}
	for (i = 0; i < 32; i++) {
		made.table.begins[NF_INET_FORWARD] ^= 1U << i;
		take_copy(made.size);
		made.table.begins[NF_INET_FORWARD] ^= 1U << i;
		made.table.policies[NF_INET_FORWARD] ^= 1U << i;
		take_copy(made.size);
		made.table.policies[NF_INET_FORWARD] ^= 1U << i;
		made.table.hooks ^= 1U << i;
		take_copy(made.size);
		made.table.hooks ^= 1U << i;
	}
	CHECK(take_copy(made.size));
	done(six ? "IPv6: a table that is cut, and any bit changed" :
		   "IPv4: a table that is cut, and any bit changed");
}

int main(void)
{
	test_family(false);
	test_family(true);
	test_headers();
	test_unknown();
	test_effects();
	test_marks();
	test_ranges();
	test_types();
	test_sets();
	test_broken(false);
	test_broken(true);
	return tap_end();
}
