// SPDX-License-Identifier: GPL-2.0
/*
 * A table of iptables-legacy's, turned into chains as nft has them; see legacy.h.
 * Nothing in it is believed that was not compared with the size of the table. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/util.h"
#include "legacy.h"

#define ALIGNMENT	__alignof__(struct _xt_align)

/**
 * struct kind - What the kernel knows of a table by its name.
 * @name: The name.
 * @type: The type that such a chain has in nft.
 * @priority: Of its chains, by hook.
 */
struct kind {
	const char *name, *type;
	int32_t priority[LEGACY_HOOKS];
};

static const struct kind kinds[] = {
	{ "raw", "filter", { -300, -300, -300, -300, -300 } },
	{ "mangle", "filter", { -150, -150, -150, -150, -150 } },
	{ "nat", "nat", { -100, 100, 0, -100, 100 } },
	{ "filter", "filter", { 0, 0, 0, 0, 0 } },
	{ "security", "filter", { 50, 50, 50, 50, 50 } },
};

static const char *const hook_names[LEGACY_HOOKS] = {
	"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING",
};

/**
 * struct entry - A rule and its place in the table.
 * @at: Where it begins, in bytes.
 * @next: Where the one after it does.
 * @head: The name of the user's chain whose head it is, NULL for a rule.
 * @chain: The name of the chain whose first rule it is, or NULL.
 * @goes_to: What its verdict says, if it has the target of verdicts.
 * @is_goto: Where that is a jump, it does not come back.
 * @rule: The rule.
 */
struct entry {
	size_t at, next;
	const char *head, *chain;
	int goes_to;
	bool is_goto;
	struct legacy_rule *rule;
};

/**
 * struct reading - A table that is being turned.
 * @table: The table.
 * @kind: What is known of it.
 * @list: Its entries.
 * @n: How many.
 */
struct reading {
	const struct legacy_table *table;
	const struct kind *kind;
	struct entry *list;
	size_t n;
};

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static void take_side(struct legacy_side *side, const void *address, const void *mask,
		      size_t length, const void *device, const void *device_mask)
{
	memcpy(side->address, address, length);
	memcpy(side->mask, mask, length);
	memcpy(side->device, device, LEGACY_DEVICE);
	memcpy(side->device_mask, device_mask, LEGACY_DEVICE);
}

static void take_inversions(struct legacy_rule *rule, uint8_t flags)
{
	rule->from.not_device = flags & IPT_INV_VIA_IN;
	rule->to.not_device = flags & IPT_INV_VIA_OUT;
	rule->from.not_address = flags & IPT_INV_SRCIP;
	rule->to.not_address = flags & IPT_INV_DSTIP;
	rule->not_l4proto = flags & IPT_INV_PROTO;
}

/**
 * struct extent - Where the parts of an entry are, from its beginning.
 * @matches: The matches, which go on to the target.
 * @target: The target.
 * @next: The next entry.
 */
struct extent {
	size_t matches, target, next;
};

static struct extent take_four(struct entry *e, const uint8_t *bytes)
{
	const struct ipt_entry *four = (const void *)bytes;
	const struct ipt_ip *ip = &four->ip;

	take_side(&e->rule->from, &ip->src, &ip->smsk, 4, ip->iniface, ip->iniface_mask);
	take_side(&e->rule->to, &ip->dst, &ip->dmsk, 4, ip->outiface, ip->outiface_mask);
	take_inversions(e->rule, ip->invflags);
	e->rule->l4proto = ip->proto;
	e->rule->fragments = ip->flags & IPT_F_FRAG && !(ip->invflags & IPT_INV_FRAG);
	e->rule->packets = four->counters.pcnt;
	e->is_goto = ip->flags & IPT_F_GOTO;
	return (struct extent){ sizeof(*four), four->target_offset, four->next_offset };
}

/* IPv6 has the same inversions. */
static struct extent take_six(struct entry *e, const uint8_t *bytes)
{
	const struct ip6t_entry *six = (const void *)bytes;
	const struct ip6t_ip6 *ip = &six->ipv6;

	take_side(&e->rule->from, &ip->src, &ip->smsk, 16, ip->iniface, ip->iniface_mask);
	take_side(&e->rule->to, &ip->dst, &ip->dmsk, 16, ip->outiface, ip->outiface_mask);
	take_inversions(e->rule, ip->invflags);
	e->rule->l4proto = ip->flags & IP6T_F_PROTO ? ip->proto : 0;
	e->rule->packets = six->counters.pcnt;
	e->is_goto = ip->flags & IP6T_F_GOTO;
	return (struct extent){ sizeof(*six), six->target_offset, six->next_offset };
}

/* Whether matches follow each other without a gap, up to the target. */
static bool are_matches(const uint8_t *bytes, size_t size)
{
	const struct xt_entry_match *match;
	size_t at, own;

	for (at = 0; at < size; at += own) {
		match = (const void *)(bytes + at);
		if (size - at < sizeof(*match))
			return false;
		own = match->u.match_size;
		if (own < sizeof(*match) || own > size - at || own % ALIGNMENT ||
		    !is_text(match->u.user.name, sizeof(match->u.user.name)))
			return false;
	}
	return true;
}

static bool take_target(struct entry *e, const uint8_t *bytes, size_t room)
{
	const struct xt_entry_target *target = (const void *)bytes;
	const struct xt_standard_target *standard = (const void *)bytes;
	const struct xt_error_target *error = (const void *)bytes;
	size_t size = target->u.target_size;

	if (size < sizeof(*target) || size > room ||
	    !is_text(target->u.user.name, sizeof(target->u.user.name)))
		return false;
	e->rule->target = target->u.user.name;
	e->rule->revision = target->u.user.revision;
	e->rule->info = bytes + sizeof(*target);
	e->rule->info_size = size - sizeof(*target);
	if (!strcmp(e->rule->target, XT_ERROR_TARGET)) {
		e->head = error->errorname;
		return size >= sizeof(*error) && is_text(e->head, sizeof(error->errorname));
	}
	if (*e->rule->target)
		return true;
	if (size < sizeof(*standard))
		return false;
	e->goes_to = standard->verdict;
	return true;
}

static bool take_entry(const struct legacy_table *table, struct entry *e)
{
	bool six = table->family == NFPROTO_IPV6;
	size_t left = table->size - e->at;
	const uint8_t *bytes = table->entries + e->at;
	struct extent x;

	if (left < (six ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry)))
		return false;
	x = six ? take_six(e, bytes) : take_four(e, bytes);
	if (x.next > left || x.next % ALIGNMENT || x.target % ALIGNMENT || x.target < x.matches ||
	    x.target + sizeof(struct xt_entry_target) > x.next)
		return false;
	e->next = e->at + x.next;
	e->rule->matches = bytes + x.matches;
	e->rule->matches_size = x.target - x.matches;
	return are_matches(e->rule->matches, e->rule->matches_size) &&
	       take_target(e, bytes + x.target, x.next - x.target);
}

/* The rules stay with the ruleset, as memory that it frees. */
static bool take_entries(struct ruleset *rs, struct reading *r)
{
	size_t smallest = sizeof(struct ipt_entry) + sizeof(struct xt_entry_target);
	size_t most = r->table->size / smallest + 1, at = 0;
	struct legacy_rule *rules = xrealloc(NULL, most * sizeof(*rules));

	ruleset_keep(rs, rules);
	while (at < r->table->size) {
		struct entry *e;

		r->list = xgrow(r->list, r->n, sizeof(*r->list));
		e = &r->list[r->n];
		*e = (struct entry){ .at = at, .rule = &rules[r->n] };
		*e->rule = (struct legacy_rule){};
		if (!take_entry(r->table, e))
			return false;
		at = e->next;
		r->n++;
	}
	return true;
}

/* Entries are in the order of their places. */
static struct entry *entry_at(const struct reading *r, size_t at)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (r->list[middle].at == at)
			return &r->list[middle];
		if (r->list[middle].at > at)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool is_at_hook(const struct reading *r, size_t hook)
{
	return r->table->hooks & 1U << hook;
}

/* A chain at a hook is there as a whole, and its policy is a verdict. */
static bool is_hook_sound(const struct reading *r, size_t hook)
{
	struct entry *first = entry_at(r, r->table->begins[hook]);
	struct entry *policy = entry_at(r, r->table->policies[hook]);

	return first && policy && first <= policy && !*policy->rule->target;
}

/* Jumps are told by the name of the chain that begins there. */
static bool name_chains(struct reading *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->list[i].head && i + 1 < r->n)
			r->list[i + 1].chain = r->list[i].head;
	for (i = 0; i < LEGACY_HOOKS; i++) {
		if (!is_at_hook(r, i))
			continue;
		if (!is_hook_sound(r, i))
			return false;
		entry_at(r, r->table->begins[i])->chain = hook_names[i];
	}
	return true;
}

/* A verdict is below 0, a jump says how far; one to the next entry goes on there. */
static void settle_verdict(const struct reading *r, struct entry *e)
{
	const struct entry *to;

	if (e->head || *e->rule->target || e->goes_to == (int)e->next)
		return;
	e->rule->has_verdict = true;
	if (e->goes_to == XT_RETURN) {
		e->rule->verdict = NFT_RETURN;
	} else if (e->goes_to < 0) {
		e->rule->verdict = -(e->goes_to + 1);
	} else {
		to = entry_at(r, e->goes_to);
		e->rule->verdict = e->is_goto ? NFT_GOTO : NFT_JUMP;
		e->rule->chain = to ? to->chain : NULL;
	}
}

static bool is_bare(const struct legacy_rule *rule)
{
	static const uint8_t nothing[LEGACY_DEVICE];

	return !rule->matches_size && !rule->l4proto && !rule->fragments &&
	       !memcmp(rule->from.mask, nothing, sizeof(rule->from.mask)) &&
	       !memcmp(rule->to.mask, nothing, sizeof(rule->to.mask)) &&
	       !memcmp(rule->from.device_mask, nothing, sizeof(nothing)) &&
	       !memcmp(rule->to.device_mask, nothing, sizeof(nothing));
}

/* iptables ends a user's chain by this, and does not show it. */
static bool is_end(const struct legacy_rule *rule)
{
	return rule->has_verdict && rule->verdict == NFT_RETURN && is_bare(rule);
}

static const char *comment_of(const struct legacy_rule *rule)
{
	const struct xt_entry_match *match;
	size_t at, size;

	for (at = 0; at < rule->matches_size; at += match->u.match_size) {
		match = (const void *)(rule->matches + at);
		size = match->u.match_size - sizeof(*match);
		if (!strcmp(match->u.user.name, "comment") && size && match->data[0] &&
		    is_text((const char *)match->data, size))
			return (const char *)match->data;
	}
	return NULL;
}

static void take_rules(struct nft_chain *chain, const struct entry *first, const struct entry *end)
{
	size_t i, n = end - first;

	chain->rules = n ? xrealloc(NULL, n * sizeof(*chain->rules)) : NULL;
	chain->n_rules = n;
	for (i = 0; i < n; i++)
		chain->rules[i] = (struct nft_rule){
			.comment = comment_of(first[i].rule), .legacy = first[i].rule,
		};
}

static struct nft_chain *add_chain(struct ruleset *rs, const struct reading *r, const char *name)
{
	struct nft_chain *chain;

	rs->chains = xgrow(rs->chains, rs->n_chains, sizeof(*rs->chains));
	chain = &rs->chains[rs->n_chains++];
	*chain = (struct nft_chain){
		.family = r->table->family, .legacy = true, .table = r->kind->name, .name = name,
	};
	return chain;
}

static void add_base_chain(struct ruleset *rs, const struct reading *r, size_t hook)
{
	const struct entry *policy = entry_at(r, r->table->policies[hook]);
	struct nft_chain *chain = add_chain(rs, r, hook_names[hook]);

	chain->type = r->kind->type;
	chain->hook = hook;
	chain->priority = r->kind->priority[hook];
	chain->drops = policy->rule->has_verdict && policy->rule->verdict == NF_DROP;
	take_rules(chain, entry_at(r, r->table->begins[hook]), policy);
}

/* A user's chain goes on to the next head; the last head is the end of the table. */
static void add_user_chain(struct ruleset *rs, const struct reading *r, const struct entry *head)
{
	const struct entry *end = head + 1, *last = r->list + r->n;

	while (end < last && !end->head)
		end++;
	if (end == last)
		return;
	if (end > head + 1 && is_end(end[-1].rule))
		end--;
	take_rules(add_chain(rs, r, head->head), head + 1, end);
}

static bool turn(struct ruleset *rs, struct reading *r)
{
	size_t i;

	if (!take_entries(rs, r) || !name_chains(r))
		return false;
	for (i = 0; i < r->n; i++)
		settle_verdict(r, &r->list[i]);
	for (i = 0; i < LEGACY_HOOKS; i++)
		if (is_at_hook(r, i))
			add_base_chain(rs, r, i);
	for (i = 0; i < r->n; i++)
		if (r->list[i].head)
			add_user_chain(rs, r, &r->list[i]);
	return true;
}

/**
 * legacy_table_take - Take in a table of iptables-legacy's.
 * @rs: The ruleset, to which its chains are added; for ruleset_sort().
 * @table: The table, whose entries last as long as @rs does.
 *
 * Return: 0; -EOPNOTSUPP for a table of which it is not known when its rules come; -EBADMSG,
 * without any change, for one that is not as the kernel makes them.
 */
int legacy_table_take(struct ruleset *rs, const struct legacy_table *table)
{
	struct reading r = { .table = table };
	bool good;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(table->name, kinds[i].name))
			r.kind = &kinds[i];
	if (!r.kind)
		return -EOPNOTSUPP;
	good = turn(rs, &r);
	free(r.list);
	return good ? 0 : -EBADMSG;
}
