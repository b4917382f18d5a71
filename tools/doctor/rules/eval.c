// SPDX-License-Identifier: GPL-2.0
/*
 * Walking the chains of the ruleset with a packet; see eval.h. Pure.
 */
/* before those of the kernel, which then leave the same out */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/util.h"
#include "eval.h"

/* The kernel allows as many jumps within one another. */
#define DEPTH_MAX	16

#define NETDEV_EGRESS	1
#define NO_HOOK		(~0U)

enum outcome {
	GOES_ON,
	ACCEPTED,
	DROPPED,
};

/**
 * struct walk - One packet on its way.
 * @m: For running rules.
 * @controls: Packets of other kinds.
 * @j: What is found.
 * @base: The base chain that it is in.
 * @marks: Its marks so far.
 * @maybe_done: It may have been accepted already by this base chain.
 * @early: It has left this base chain before its end, by a goto or a return.
 * @unsure: It came here if something matches that could not be found out, NULL if not.
 * @depth: Jumps so far.
 */
struct walk {
	struct machine m;
	const struct packet *const *controls;
	struct judgement *j;
	const struct nft_chain *base;
	struct marks marks;
	bool maybe_done, early;
	const char *unsure;
	int depth;
};

static enum outcome walk_chain(struct walk *w, const struct nft_chain *chain, bool certain,
			       bool particular);

/* A rule is particular when it is about this kind of packet and not others. */
static bool is_particular(const struct walk *w, const struct nft_chain *chain,
			  const struct nft_rule *rule)
{
	struct machine m = w->m;
	int i;

	m.chain = chain;
	for (i = 0; w->controls && w->controls[i]; i++) {
		m.packet = w->controls[i];
		if (rule_run(&m, rule) != NO)
			return false;
	}
	return w->controls;
}

static void mark(const struct walk *w, struct place *place, const struct nft_chain *chain,
		 const struct nft_rule *rule, const char *object)
{
	if (place->chain)
		return;
	*place = (struct place){
		.chain = chain, .base = w->base, .rule = rule, .early = w->early,
		.packets = w->m.packets, .counted = w->m.counted, .object = object,
	};
}

/* Where it is dropped: the first such place, and those after it. */
static void mark_drop(const struct walk *w, const struct nft_chain *chain,
		      const struct nft_rule *rule)
{
	struct judgement *j = w->j;

	if (!j->dropped.chain)
		mark(w, &j->dropped, chain, rule, NULL);
	else if (j->n_also < ALSO_MAX)
		mark(w, &j->also[j->n_also++], chain, rule, NULL);
}

/* A rule that may or may not match leaves known what its mark has in common with before. */
static void set_marks(struct walk *w, enum truth matches)
{
	const struct machine *m = &w->m;
	enum mark i;

	for (i = 0; i < N_MARKS; i++) {
		if (!m->sets[i])
			continue;
		if (matches != YES)
			w->marks.known[i] &= m->set.known[i] &
					     ~(w->marks.value[i] ^ m->set.value[i]);
		else
			w->marks.known[i] = m->set.known[i];
		if (matches == YES)
			w->marks.value[i] = m->set.value[i] & m->set.known[i];
	}
}

static bool is_behind_conntrack(const struct machine *m)
{
	return m->chain->family != NFPROTO_NETDEV && !m->bridge && m->hook != NF_INET_INGRESS &&
	       (m->hook != NF_INET_PRE_ROUTING || m->priority >= NF_IP_PRI_CONNTRACK);
}

/* The first rule that translates is the last one, and a second may come where it may not match. */
static void note_translation(struct walk *w, enum truth matches)
{
	struct judgement *j = w->j;

	if (w->m.own && matches > j->own_address)
		j->own_address = matches;
	j->snat_known = w->m.snat_known && matches == YES && !j->masqueraded;
	memcpy(j->snat, w->m.snat, sizeof(j->snat));
	if (matches > j->masqueraded)
		j->masqueraded = matches;
}

static void note_effects(struct walk *w, const struct nft_chain *chain,
			 const struct nft_rule *rule, enum truth matches)
{
	const struct machine *m = &w->m;

	if (m->masquerades)
		note_translation(w, matches);
	if (m->counts && is_behind_conntrack(m))
		mark(w, &w->j->counts, chain, rule, m->counts);
	if (w->maybe_done)
		matches = MAYBE_SO;
	set_marks(w, matches);
	if (matches != YES)
		return;
	if (m->offloads)
		mark(w, &w->j->offloaded, chain, rule, m->offloads);
	if (m->untracks) {
		mark(w, &w->j->untracked, chain, rule, NULL);
		w->marks.untracked = true;
	}
	if (m->diverts)
		mark(w, &w->j->diverted, chain, rule, NULL);
	if (m->helper)
		mark(w, &w->j->helper, chain, rule, m->helper);
}

static enum outcome jump(struct walk *w, const struct nft_chain *from, const char *name,
			 bool certain, bool particular)
{
	const struct nft_chain *to = ruleset_chain(w->m.rs, from, name);
	enum outcome outcome;

	if (!to || w->depth == DEPTH_MAX) {
		w->maybe_done = true;
		return GOES_ON;
	}
	w->depth++;
	outcome = walk_chain(w, to, certain, particular);
	w->depth--;
	return outcome;
}

static enum outcome drop(struct walk *w, const struct nft_chain *chain,
			 const struct nft_rule *rule, bool certain, bool particular)
{
	if (certain && !w->maybe_done) {
		mark_drop(w, chain, rule);
		return DROPPED;
	}
	if (w->unsure)
		mark(w, &w->j->unsure, chain, rule, w->unsure);
	w->j->may_drop |= !w->m.counted || w->m.packets;
	if (certain)
		mark(w, &w->j->doubted, chain, rule, NULL);
	if (w->m.counted && w->m.packets && particular)
		mark(w, &w->j->suspect, chain, rule, NULL);
	return GOES_ON;
}

/**
 * struct step - How it goes on after a verdict.
 * @outcome: What is decided.
 * @leave: The chain ends here.
 * @doubt: The chain may have ended here.
 */
struct step {
	enum outcome outcome;
	bool leave, doubt;
};

static struct step follow(struct walk *w, const struct nft_chain *chain,
			  const struct nft_rule *rule, const struct verdict *v, bool certain,
			  bool particular)
{
	bool sure = certain && v->certain == YES;
	struct step step = {};

	switch (v->code) {
	case NF_ACCEPT:
		w->maybe_done |= !sure;
		step.outcome = sure ? ACCEPTED : GOES_ON;
		step.leave = v->certain == YES;
		break;
	case NF_DROP:
		step.outcome = drop(w, chain, rule, sure, particular);
		step.leave = v->certain == YES;
		break;
	case NFT_JUMP:
	case NFT_GOTO:
		step.outcome = jump(w, chain, v->chain, sure, particular);
		if (v->code == NFT_GOTO) {
			step.leave = v->certain == YES;
			step.doubt = true;
		}
		break;
	case NFT_RETURN:
		step.leave = v->certain == YES;
		step.doubt = true;
		break;
	}
	return step;
}

static enum outcome walk_chain(struct walk *w, const struct nft_chain *chain, bool certain,
			       bool particular)
{
	size_t i, k;

	for (i = 0; i < chain->n_rules; i++) {
		const struct nft_rule *rule = &chain->rules[i];
		const char *unsure = w->unsure;
		struct machine after;
		enum truth matches;
		bool own;

		w->m.chain = chain;
		matches = rule_run(&w->m, rule);
		if (matches == NO)
			continue;
		note_effects(w, chain, rule, certain ? matches : MAYBE_SO);
		own = particular || (w->m.n_verdicts && is_particular(w, chain, rule));
		after = w->m;
		if (matches == MAYBE_SO && after.unsure)
			w->unsure = after.unsure;
		for (k = 0; k < after.n_verdicts; k++) {
			struct step step;

			w->m = after;
			step = follow(w, chain, rule, &after.verdicts[k], certain, own);
			w->early |= step.leave && chain == w->base;
			if (step.outcome != GOES_ON || step.leave) {
				w->unsure = unsure;
				return step.outcome;
			}
			certain &= !step.doubt;
		}
		w->unsure = unsure;
	}
	return GOES_ON;
}

/* Whether a base chain sees the packet at this hook, in the bridge or behind it. */
static bool is_met(const struct nft_chain *c, const struct packet *p, uint32_t hook, bool bridge)
{
	const struct link *link = hook == NF_INET_POST_ROUTING ? p->out : p->in;
	const struct link *port = hook == NF_INET_POST_ROUTING ? p->out_port : p->in_port;
	bool at_device = hook == NF_INET_INGRESS;

	if (!c->type || !strcmp(c->type, "route"))
		return false;
	if (bridge)
		return c->family == NFPROTO_BRIDGE && c->hook == hook;
	if (!strcmp(c->type, "nat") && p->reply)
		return false;
	if (c->family == NFPROTO_NETDEV) {
		if (!at_device && !(hook == NF_INET_POST_ROUTING && c->hook == NETDEV_EGRESS))
			return false;
		if (at_device && c->hook == NETDEV_EGRESS)
			return false;
	} else if (c->hook != hook || (c->family != NFPROTO_INET && c->family != p->family)) {
		return false;
	}
	return chain_is_at(c, link ? link->name : "") || (port && chain_is_at(c, port->name));
}

static int by_priority(const void *a, const void *b)
{
	const struct nft_chain *const *x = a, *const *y = b;

	/* packets that leave by a device have been through everything else */
	if (((*x)->family == NFPROTO_NETDEV) != ((*y)->family == NFPROTO_NETDEV) &&
	    ((*x)->hook == NETDEV_EGRESS || (*y)->hook == NETDEV_EGRESS))
		return (*x)->family == NFPROTO_NETDEV ? 1 : -1;
	return ((*x)->priority > (*y)->priority) - ((*x)->priority < (*y)->priority);
}

static enum outcome walk_base(struct walk *w, const struct nft_chain *chain)
{
	enum outcome outcome;

	w->base = chain;
	w->maybe_done = false;
	w->early = false;
	w->depth = 0;
	w->m.priority = chain->priority;
	outcome = walk_chain(w, chain, true, false);
	if (outcome != GOES_ON || !chain->drops)
		return outcome == DROPPED ? DROPPED : ACCEPTED;
	w->m.counted = false;
	w->m.packets = 0;
	w->j->may_drop |= w->maybe_done;
	if (w->maybe_done)
		mark(w, &w->j->doubted, chain, NULL, NULL);
	else
		mark_drop(w, chain, NULL);
	return w->maybe_done ? ACCEPTED : DROPPED;
}

/* Marks begin at 0; those of a connection that exists are what somebody made them. */
static void first_marks(struct walk *w)
{
	w->marks = (struct marks){ .known = { ~0U, w->m.packet->reply ? 0 : ~0U } };
	w->m.marks = &w->marks;
}

static void walk_hook(struct walk *w, uint32_t hook, bool bridge)
{
	const struct ruleset *rs = w->m.rs;
	const struct nft_chain **met = xrealloc(NULL, (rs->n_chains + 1) * sizeof(*met));
	size_t i, n = 0;

	w->m.hook = hook;
	w->m.bridge = bridge;
	for (i = 0; i < rs->n_chains; i++)
		if (is_met(&rs->chains[i], w->m.packet, hook, bridge))
			met[n++] = &rs->chains[i];
	qsort(met, n, sizeof(*met), by_priority);
	for (i = 0; i < n; i++)
		walk_base(w, met[i]);
	free(met);
}

/**
 * judge_packet - What becomes of a packet on its way through the router, or from or
 * to it.
 * @rs: The ruleset.
 * @packet: The packet.
 * @controls: Packets of other kinds, up to a NULL, to tell a rule that is
 *            about this kind; may be NULL.
 * @j: Filled in.
 */
void judge_packet(const struct ruleset *rs, const struct packet *packet,
		  const struct packet *const *controls, struct judgement *j)
{
	static const uint32_t ways[][4] = {
		{ NF_INET_INGRESS, NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING },
		{ NF_INET_INGRESS, NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NO_HOOK },
		{ NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NO_HOOK, NO_HOOK },
	};
	const uint32_t *hooks = ways[!packet->in ? 2 : !packet->out ? 1 : 0];
	struct walk w = { .m = { .rs = rs, .packet = packet }, .controls = controls, .j = j };
	size_t h;

	*j = (struct judgement){};
	first_marks(&w);
	if (packet->in_port) {
		walk_hook(&w, NF_INET_PRE_ROUTING, true);
		walk_hook(&w, NF_INET_LOCAL_IN, true);
	}
	for (h = 0; h < 4 && hooks[h] != NO_HOOK; h++) {
		walk_hook(&w, hooks[h], false);
		if (hooks[h] != NF_INET_PRE_ROUTING)
			continue;
		j->mark_known = w.marks.known[PACKET_MARK] == ~0U;
		j->mark = j->mark_known ? w.marks.value[PACKET_MARK] : 0;
	}
	if (packet->out_port) {
		walk_hook(&w, NF_INET_LOCAL_OUT, true);
		walk_hook(&w, NF_INET_POST_ROUTING, true);
	}
}
