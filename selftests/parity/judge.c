// SPDX-License-Identifier: GPL-2.0
/*
 * A fault is a packet that stock delivers and vpnpass does not, or not to the
 * same receiver, or not with the same source, port and contents; and one that a rule
 * drops on stock and vpnpass lets through. A difference has a name of five words,
 *   RULESET KIND PROTOCOL DIRECTION FROM
 * KIND: missing, ahead, source, payload, repeat, callid, checksum, again, copy, leak.
 * PROTOCOL: udp:500, esp, ...
 * and names are held against the patterns of docs/parity.md.
 */
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "parity.h"

#define MAX_INTENDED 64

/* A difference that is meant. */
static struct intended {
	char pattern[96];
	unsigned long seen;
} intended[MAX_INTENDED];
static unsigned int n_intended;

/* intended_read - lines of the file between "```parity" and "```" */
void intended_read(const char *file)
{
	FILE *f = fopen(file, "r");
	bool inside = false;
	char line[256];

	if (!f) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "```", 3)) {
			inside = !strcmp(line, "```parity");
		} else if (inside && line[0] && n_intended < MAX_INTENDED) {
			snprintf(intended[n_intended++].pattern, sizeof(intended[0].pattern),
				 "%.95s", line);
		}
	}
	fclose(f);
}

static bool is_intended(const char *sign)
{
	unsigned int i;

	for (i = 0; i < n_intended; i++)
		if (!fnmatch(intended[i].pattern, sign, 0)) {
			intended[i].seen++;
			return true;
		}
	return false;
}

void intended_print(void)
{
	unsigned int i;

	for (i = 0; i < n_intended; i++)
		if (intended[i].seen)
			printf("# %s: intended %s: %lu\n", opt.ruleset,
			       intended[i].pattern, intended[i].seen);
}

static bool same_receiver(const struct seen *a, const struct seen *b)
{
	return a->side == b->side && a->dport == b->dport && addr_same(a->dst, b->dst);
}

/*
 * Where stock's NAT chose a port at random, that port is nobody's due; nor is what it
 * chooses later for the same port, as the first may be in the way or not.
 */
static bool port_free(const struct seq *q, const struct step *s, const struct outcome *stock)
{
	const struct step *t;

	if (opt.random_port)
		return true;
	for (t = q->step; t <= s; t++)
		if (t->from == FROM_INSIDE && t->in == s->in && t->proto == s->proto &&
		    t->sport == s->sport && stock[t->id].n && stock[t->id].seen->sport != s->sport)
			return true;
	return false;
}

/*
 * Is octet @at of TCP data part of the call ID of a PPTP message (RFC 2637 2), which is 0?
 * Of a message that began in another segment nothing says where that is.
 */
static bool in_call_id_0(const uint8_t *data, size_t len, size_t at)
{
	static const uint8_t magic[] = { 0, 1, 0x1a, 0x2b, 0x3c, 0x4d };
	size_t id = at - (at & 1);

	if (len < 10 || memcmp(data + 2, magic, sizeof(magic)))
		return !data[at];
	return id >= 12 && id + 2 <= len && !data[id] && !data[id + 1] &&
	       !memcmp(data + id - 10, magic, sizeof(magic));
}

/* Does a message of vpnpass's say another call ID where it is 0 on stock, and no more? */
static bool is_renumbered(const struct step *s, const struct seen *w, const struct seen *o)
{
	const size_t head = 20, sum = 16;
	size_t i;

	if (s->proto != IPPROTO_TCP || w->len != o->len || o->len > MAX_DATA)
		return false;
	for (i = 4; i < o->len; i++)
		if (w->data[i] != o->data[i] && i / 2 != sum / 2 &&
		    (i < head || !in_call_id_0(o->data + head, o->len - head, i - head)))
			return false;
	return true;
}

static const char *differs(const struct step *s, const struct outcome *v, const struct seen *o,
			   bool any_port)
{
	const char *best = "missing";
	const struct seen *w;
	bool renumbered;

	for (w = v->seen; w < v->seen + v->n; w++) {
		if (!same_receiver(o, w))
			continue;
		renumbered = w->hash != o->hash && is_renumbered(s, w, o);
		if (w->hash != o->hash && !renumbered) {
			if (best[0] == 'm')
				best = "payload";
			continue;
		}
		/* stock lets it out untranslated, and nobody can answer it */
		if (s->from == FROM_INSIDE && !opt.routed && addr_same(o->src, host_inside(s->in)))
			return NULL;
		if (!addr_same(w->src, o->src) || (w->sport != o->sport && !any_port)) {
			best = "source";
			continue;
		}
		if (o->csum_ok && !w->csum_ok)
			return "checksum";
		if (w->count < o->count)
			return "missing";
		if (w->count > o->count)
			return "again";
		return renumbered ? "callid" : NULL;
	}
	return best;
}

/* Whether this delivery counts: what arrives at the router itself only if it is in use there. */
static bool counts(const struct seq *q, const struct step *s, const struct seen *o)
{
	const struct step *t;

	if (o->side == SIDE_SINK)
		return false;
	if (o->side != SIDE_OWN)
		/* a packet that goes back to where it came from has arrived nowhere */
		return s->from == FROM_INSIDE || (o->side != SIDE_WAN && o->side != SIDE_WAN2);
	if (s->in != HOST_ROUTER)
		return false;
	for (t = q->step; t < s; t++)
		if (t->from == FROM_INSIDE && t->in == HOST_ROUTER && t->proto == s->proto &&
		    t->out == s->out && t->sport == s->dport && t->dport == s->sport)
			return true;
	return false;
}

static bool same_ends(const struct step *a, const struct step *b)
{
	return a->in == b->in && a->out == b->out && a->proto == b->proto;
}

static bool opposite_flow(const struct step *a, const struct step *b)
{
	return same_ends(a, b) && a->from != b->from && a->sport == b->dport &&
	       a->dport == b->sport;
}

static bool same_flow(const struct step *a, const struct step *b)
{
	return a->from == b->from && a->in == b->in && a->out == b->out && a->proto == b->proto &&
	       a->sport == b->sport && a->dport == b->dport && a->quote == b->quote;
}

/* A packet that is invalid to conntrack goes on untranslated, and arrives nowhere. */
static bool came_through(const struct step *s, const struct outcome *o)
{
	const struct seen *a;

	for (a = o->seen; a < o->seen + o->n; a++) {
		if (a->side == SIDE_SINK)
			continue;
		if (s->from == FROM_INSIDE ? opt.routed || s->in == HOST_ROUTER ||
					     !addr_same(a->src, host_inside(s->in)) :
					     a->side != SIDE_WAN && a->side != SIDE_WAN2)
			return true;
	}
	return false;
}

/* A receiver discards what acknowledges octets that it has not sent (RFC 9293 3.10.7.4). */
static bool acks_unsent(const struct seq *q, const struct step *s)
{
	const struct step *t;

	for (t = q->step; t < s; t++)
		if (opposite_flow(t, s) &&
		    (int32_t)(t->seq + t->len + !!(t->flags & 3) - s->ack) >= 0)
			return false;
	return s->flags & 0x10;
}

/*
 * A segment ahead of a hole in a PPTP control connection, as far as the sender's own
 * packets say that came through. One that did not is judged itself.
 */
static bool is_ahead(const struct seq *q, const struct step *s, const struct outcome *vpnpass)
{
	const struct step *t;
	uint32_t next = 0;
	bool begun = false, more;

	if (s->proto != IPPROTO_TCP || (s->sport != 1723 && s->dport != 1723))
		return false;
	do {
		more = false;
		for (t = q->step; t < s; t++) {
			uint32_t end = t->seq + t->len + !!(t->flags & 3);

			if (!same_flow(s, t) || !came_through(t, &vpnpass[t->id]) ||
			    acks_unsent(q, t) ||
			    (begun ? (int32_t)(t->seq - next) > 0 || (int32_t)(end - next) <= 0 :
				     !(t->flags & 2)))
				continue;
			begun = more = true;
			next = end;
		}
	} while (more);
	return begun && (int32_t)(s->seq - next) > 0;
}

/* A segment has octets that were sent before, and they are others. */
static bool is_repeat(const struct seq *q, const struct step *s)
{
	const struct step *t;
	uint32_t i, at;

	for (t = q->step; s->proto == IPPROTO_TCP && t < s; t++)
		for (i = 0; same_flow(s, t) && i < s->len; i++) {
			at = s->seq + i - t->seq;
			if (at < t->len && t->data[at] != s->data[i])
				return true;
		}
	return false;
}

/*
 * The kernel drops one packet of a masqueraded flow that leaves another way than
 * before. Where stock had no flow before, it has none to drop.
 */
static bool is_failover_loss(const struct seq *q, const struct step *s,
			     struct outcome result[N_ROUTERS][MAX_STEPS])
{
	const struct step *t = s;
	bool before = false;

	if (s->from != FROM_INSIDE)
		return false;
	while (t > q->step && (--t)->from != FROM_EVENT)
		if (same_flow(s, t))
			return false;
	for (; t > q->step; t--)
		before |= same_flow(s, t - 1) && !result[STOCK][t[-1].id].n &&
			  result[VPNPASS][t[-1].id].n;
	return before;
}

/* The step that an error is about, or NULL. */
static const struct step *quoted_step(const struct seq *q, const struct step *s)
{
	const struct step *t;

	for (t = q->step; s->quote != NO_QUOTE && t < s; t++)
		if (t->id == s->quote)
			return t;
	return NULL;
}

/* The answer to a packet that the kernel dropped finds no flow. */
static bool answers(const struct step *lost, const struct step *s)
{
	return lost && s->from == FROM_OUTSIDE && opposite_flow(lost, s);
}

/* Does what the gateway sends reach the host that it is for, and on stock another one? */
static bool is_righted(const struct step *s, const struct outcome *v, const struct seen *stock)
{
	const struct seen *a;

	for (a = v->seen; s->from == FROM_OUTSIDE && a < v->seen + v->n; a++)
		if (addr_same(a->dst, host_inside(s->in)) && !addr_same(stock->dst, a->dst))
			return true;
	return false;
}

static const char *judge_step(const struct seq *q, const struct step *s,
			      struct outcome result[N_ROUTERS][MAX_STEPS])
{
	const struct outcome *v = &result[VPNPASS][s->id], *o = &result[STOCK][s->id];
	bool any_port = port_free(q, s, result[STOCK]);
	const struct seen *a, *b;
	const char *kind;
	bool dropped = false, delivered = false;

	for (a = o->seen; a < o->seen + o->n; a++) {
		dropped |= a->side == SIDE_SINK;
		if (!counts(q, s, a) || is_righted(s, v, a))
			continue;
		delivered = true;
		kind = differs(s, v, a, any_port);
		if (kind)
			return kind;
	}
	for (b = v->seen; b < v->seen + v->n; b++) {
		if (b->side == SIDE_SINK || b->side == SIDE_OWN)
			continue;
		if (dropped)
			return "leak";
		for (a = o->seen; delivered && a < o->seen + o->n; a++)
			if (a->side != SIDE_SINK && same_receiver(a, b))
				break;
		if (delivered && a == o->seen + o->n)
			return "copy";
	}
	return NULL;
}

/* Version 1 with a key, RFC 2637 4.1. */
static bool is_calls_gre(const struct step *s)
{
	return s->len > 3 && (s->data[1] & 7) == 1 && s->data[2] == 0x88 && s->data[3] == 0x0b;
}

static void proto_name(const struct step *s, char *name, size_t size)
{
	static const uint16_t known[] = { 500, 4500, 1701, 1723 };
	const char *base = s->proto == IPPROTO_UDP ? "udp" : "tcp";
	unsigned int i;

	if (s->quote != NO_QUOTE) {
		snprintf(name, size, "icmp");
		return;
	}
	switch (s->proto) {
	case IPPROTO_UDP:
	case IPPROTO_TCP:
		for (i = 0; i < 4; i++)
			if (s->sport == known[i] || s->dport == known[i]) {
				snprintf(name, size, "%s:%u", base, known[i]);
				return;
			}
		snprintf(name, size, "%s", base);
		return;
	case 50:
		snprintf(name, size, s->len < 8 ? "esp:short" : memcmp(s->data, "\0\0\0", 4) ?
			 "esp" : "esp:0");
		return;
	case IPPROTO_AH:
		/* of IPv6 it is an extension header, and what follows in it ESP */
		if (s->len > 1 && s->data[0] == 50 && s->len < (s->data[1] + 2u) * 4 + 8)
			snprintf(name, size, "esp:short");
		else
			snprintf(name, size, "ip:%u", s->proto);
		return;
	case IPPROTO_GRE:
		snprintf(name, size, is_calls_gre(s) ? "gre:pptp" : "gre");
		return;
	case 115:
		snprintf(name, size, "l2tp3");
		return;
	}
	snprintf(name, size, "ip:%u", s->proto);
}

static bool left_alike(const struct outcome *a, const struct outcome *b)
{
	const struct seen *x, *y;

	for (x = a->seen; x < a->seen + a->n; x++)
		for (y = b->seen; y < b->seen + b->n; y++)
			if (same_receiver(x, y) && x->sport == y->sport &&
			    addr_same(x->src, y->src))
				return true;
	return false;
}

/*
 * Has the gateway sent this to the address and port that a packet left by, and has another
 * host got it?
 */
static bool comes_alike(const struct step *t, const struct step *about,
			const struct outcome *vpnpass)
{
	const struct outcome *left = &vpnpass[about->id], *came = &vpnpass[t->id];
	const struct seen *x, *y;

	for (x = left->seen; x < left->seen + left->n; x++)
		for (y = came->seen; y < came->seen + came->n; y++)
			if (t->out == about->out && t->sport == x->dport && t->dport == x->sport &&
			    !addr_same(y->dst, host_inside(about->in)))
				return true;
	return false;
}

/*
 * An error about a packet of which 8 octets are not told from those of another inside host:
 * vpnpass has let both keep their port.
 */
static bool is_alike(const struct seq *q, const struct step *s, const struct outcome *vpnpass)
{
	const struct step *t, *about = quoted_step(q, s);

	if (!about || s->from != FROM_OUTSIDE)
		return false;
	for (t = q->step; t < s; t++)
		if (t->proto == about->proto &&
		    (t->from == FROM_OUTSIDE ? comes_alike(t, about, vpnpass) :
		     t->in != about->in && left_alike(&vpnpass[t->id], &vpnpass[about->id])))
			return true;
	return false;
}

/* GRE between two hosts with PPTP, but without the number of any call. */
static bool is_other_gre(const struct seq *q, const struct step *s)
{
	const struct step *t;

	if (s->proto != IPPROTO_GRE ||
	    (is_calls_gre(s) && s->len > 7 && (s->data[6] || s->data[7])))
		return false;
	for (t = q->step; t < q->step + q->n; t++)
		if (t->proto == IPPROTO_TCP && t->in == s->in && t->out == s->out)
			return true;
	return false;
}

static bool is_first(const struct seq *q, const struct step *s)
{
	const struct step *t;

	for (t = q->step; t < s; t++)
		if (same_flow(t, s))
			return false;
	return true;
}

static const char *host_name(const struct step *s)
{
	return s->in == HOST_SERVER ? "server" : s->in == HOST_ROUTER ? "router" : "client";
}

/* A later packet of a TCP connection of which a segment was dropped ahead of a hole. */
static bool same_connection(const struct step *a, const struct step *b)
{
	return b->quote == NO_QUOTE && same_ends(a, b) &&
	       (a->sport == b->sport || a->sport == b->dport);
}

/* judge_sequence - whether there is a difference that nobody intended; its name goes to @sign */
bool judge_sequence(const struct seq *q, struct outcome result[N_ROUTERS][MAX_STEPS], char *sign,
		    size_t size)
{
	const struct step *s, *about, *ahead = NULL, *lost = NULL;
	bool missing, failover;
	char proto[16];

	for (s = q->step; s < q->step + q->n; s++) {
		const char *kind = judge_step(q, s, result);

		/* an error about what did not arrive, or elsewhere, is another error */
		about = quoted_step(q, s);
		if (about && judge_step(q, about, result))
			continue;
		if (lost && same_flow(lost, s))
			lost = NULL;
		missing = kind && !strcmp(kind, "missing");
		failover = missing && is_failover_loss(q, s, result);
		if (failover)
			lost = s;
		if (!kind || failover || (missing && answers(lost, s)))
			continue;
		if (missing && is_ahead(q, s, result[VPNPASS]))
			ahead = s;
		if (ahead && same_connection(ahead, s))
			kind = "ahead";
		else if (!strcmp(kind, "payload") && is_repeat(q, s))
			kind = "repeat";
		proto_name(s, proto, sizeof(proto));
		if (!strncmp(proto, "esp:", 4) && is_first(q, s))
			lost = s;
		if (is_alike(q, s, result[VPNPASS]))
			snprintf(proto, sizeof(proto), "icmp:alike");
		else if (is_other_gre(q, s))
			snprintf(proto, sizeof(proto), "gre:other");
		snprintf(sign, size, "%s %s %s %s %s", opt.ruleset, kind, proto,
			 s->from == FROM_INSIDE ? "out" : "in", host_name(s));
		if (!is_intended(sign))
			return true;
	}
	return false;
}

bool outcome_late(const struct outcome *v, const struct outcome *o)
{
	const struct seen *a, *b;

	for (a = o->seen; a < o->seen + o->n; a++) {
		if (a->side == SIDE_SINK || a->side == SIDE_OWN)
			continue;
		for (b = v->seen; b < v->seen + v->n; b++)
			if (same_receiver(a, b) && b->count >= a->count)
				break;
		if (b == v->seen + v->n)
			return true;
	}
	return false;
}

void count_outcome(const struct seq *q, struct outcome result[N_ROUTERS][MAX_STEPS])
{
	const struct seen *a;
	const struct step *s;

	for (s = q->step; s < q->step + q->n; s++) {
		const struct outcome *v = &result[VPNPASS][s->id], *o = &result[STOCK][s->id];
		unsigned int n = 0;

		for (a = o->seen; a < o->seen + o->n; a++) {
			n += a->side != SIDE_SINK && a->side != SIDE_OWN;
			stats.dropped += a->side == SIDE_SINK;
		}
		stats.delivered += n;
		for (a = v->seen; !n && a < v->seen + v->n; a++)
			stats.extra += a->side != SIDE_SINK && a->side != SIDE_OWN;
	}
}

static void seen_print(const char *who, const struct outcome *o)
{
	static const char * const sides[] = { "lan", "wan", "wan2", "dmz", "dropped", "router" };
	const struct seen *a;

	printf("#       %s:%s", who, o->n ? "" : " nothing");
	for (a = o->seen; a < o->seen + o->n; a++)
		printf(" %s %s:%u > %s:%u %u octets%s%s", sides[a->side], addr_text(a->src),
		       a->sport, addr_text(a->dst), a->dport, a->len, a->csum_ok ? "" :
		       " BAD SUM", a->count > 1 ? " (more than once)" : "");
	putchar('\n');
}

void outcome_print(const struct outcome *vpnpass, const struct outcome *stock)
{
	const struct seen *a = vpnpass->seen, *b = stock->seen;
	unsigned int i;

	seen_print("stock", stock);
	seen_print("vpnpass", vpnpass);
	if (!vpnpass->n || !stock->n || a->hash == b->hash)
		return;
	for (i = 0; i < a->len && i < b->len && i < MAX_DATA; i++)
		if (a->data[i] != b->data[i])
			printf("#       octet %u: %02x, not %02x\n", i, a->data[i], b->data[i]);
}

void step_print(const struct step *s)
{
	char proto[16];
	unsigned int i;

	if (s->from == FROM_EVENT) {
		printf("#   %s\n", s->event == EVENT_FAILOVER ? "failover" : "back");
		return;
	}
	proto_name(s, proto, sizeof(proto));
	printf("#   %s%u %s gateway%u %s", host_name(s), s->in, s->from == FROM_INSIDE ? ">" : "<",
	       s->out, proto);
	if (s->quote != NO_QUOTE)
		printf(" error about step %u", s->quote);
	else if (s->proto == IPPROTO_UDP || s->proto == IPPROTO_TCP)
		printf(" %u>%u", s->sport, s->dport);
	if (s->proto == IPPROTO_TCP)
		printf(" flags %02x seq %u ack %u", s->flags, s->seq, s->ack);
	printf(" len %u [%s]%s", s->len, s->talk, s->frag ? " fragments" : "");
	if (s->gap_ms)
		printf(" after %u ms", s->gap_ms);
	putchar(' ');
	for (i = 0; i < s->len && i < 40; i++)
		printf("%02x", s->data[i]);
	printf(" (step %u)\n", s->id);
}
