// SPDX-License-Identifier: GPL-2.0
/*
 * One rule of iptables-legacy's, run on a packet of which only some bits are known; see
 * eval.h and legacy.h. Its matches and targets are xt.c's. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <string.h>

#include "eval.h"
#include "legacy.h"

static enum truth address_is(const uint8_t *address, const uint8_t *known,
			     const struct legacy_side *side)
{
	enum truth truth = YES;
	size_t i;

	for (i = 0; i < sizeof(side->address); i++) {
		/* bits beyond the mask never match */
		if (side->address[i] & ~side->mask[i] ||
		    (address[i] ^ side->address[i]) & side->mask[i] & known[i])
			return flip(NO, side->not_address);
		if (side->mask[i] & ~known[i])
			truth = MAYBE_SO;
	}
	return flip(truth, side->not_address);
}

/* A packet without that interface has one without a name. */
static enum truth device_is(const struct link *link, const struct legacy_side *side)
{
	uint8_t name[LEGACY_DEVICE] = {};
	size_t i;

	if (link)
		memcpy(name, link->name, strnlen(link->name, sizeof(name)));
	for (i = 0; i < sizeof(name); i++)
		if ((name[i] ^ side->device[i]) & side->device_mask[i])
			return flip(NO, side->not_device);
	return flip(YES, side->not_device);
}

/* Before routing nothing is known of where a packet leaves. */
static enum truth header_is(const struct machine *m, const struct legacy_rule *rule)
{
	const struct packet *p = m->packet;
	const struct link *out = m->hook == NF_INET_PRE_ROUTING ? NULL : p->out;
	bool same = rule->l4proto == p->l4proto;
	enum truth truth = YES;

	if (rule->fragments || (rule->l4proto && same == rule->not_l4proto))
		return NO;
	truth = both(truth, device_is(p->in, &rule->from));
	truth = both(truth, device_is(out, &rule->to));
	truth = both(truth, address_is(p->src, p->src_known, &rule->from));
	return both(truth, address_is(p->dst, p->dst_known, &rule->to));
}

static enum truth matches(struct machine *m, const struct legacy_rule *rule)
{
	enum truth truth = header_is(m, rule);
	const struct xt_entry_match *match;
	size_t at;

	for (at = 0; at < rule->matches_size && truth != NO; at += match->u.match_size) {
		match = (const void *)(rule->matches + at);
		rule_counts(m, match->u.user.name);
		truth = both(truth, xt_match(m, match->u.user.name, match->u.user.revision,
					     match->data, match->u.match_size - sizeof(*match)));
	}
	return truth;
}

/**
 * legacy_has_match - Whether a rule of iptables-legacy's has a match.
 * @rule: The rule.
 * @name: Of the match.
 */
bool legacy_has_match(const struct legacy_rule *rule, const char *name)
{
	const struct xt_entry_match *match;
	size_t at;

	for (at = 0; at < rule->matches_size; at += match->u.match_size) {
		match = (const void *)(rule->matches + at);
		if (!strcmp(match->u.user.name, name))
			return true;
	}
	return false;
}

/* A queue hands the packet to a program, which decides. */
static void run_target(struct machine *m, const struct legacy_rule *rule)
{
	if (*rule->target) {
		rule_counts(m, rule->target);
		xt_target(m, rule->target, rule->revision, rule->info, rule->info_size);
		return;
	}
	if (!rule->has_verdict)
		return;
	if (rule->verdict == NF_QUEUE)
		rule_counts(m, "queue");
	if (rule->verdict < 0 || rule->verdict == NF_DROP || rule->verdict == NF_ACCEPT)
		rule_verdict(m, rule->verdict, rule->chain, YES);
	else
		rule_verdict(m, NF_ACCEPT, NULL, MAYBE_SO);
}

/**
 * legacy_rule_run - Run a rule of iptables-legacy's.
 * @m: As for rule_run(), by which it is called.
 * @rule: The rule.
 *
 * Return: whether the rule matches.
 */
enum truth legacy_rule_run(struct machine *m, const struct legacy_rule *rule)
{
	enum truth truth;
	size_t i;

	m->counted = true;
	m->packets = rule->packets;
	truth = matches(m, rule);
	if (truth == NO)
		return NO;
	run_target(m, rule);
	for (i = 0; i < m->n_verdicts && truth == MAYBE_SO; i++)
		m->verdicts[i].certain = MAYBE_SO;
	return truth;
}
