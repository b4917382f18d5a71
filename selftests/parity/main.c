// SPDX-License-Identifier: GPL-2.0
/*
 * parity RULESET VPNPASS-NETNS STOCK-NETNS [WORD VALUE...]
 *   seed N, count N, only N, corpus FILE, intended FILE, hosts FILE, pub ADDRESS,
 *   pub2 ADDRESS
 *   six, routed, server, failover, random-port, router, verbose: 1
 * Plays so many sequences, says what differs, and adds up. Exit code 1: something did.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "parity.h"

#define MAX_SHOWN 8

struct options opt = { .seed = 1, .count = 100, .only = -1 };
struct stats stats;

static struct outcome result[N_ROUTERS][MAX_STEPS], first[N_ROUTERS][MAX_STEPS];
static char shown[MAX_SHOWN][128];
static unsigned int n_shown, n_differ;

static void address(const char *text, uint8_t *to)
{
	if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, to) != 1) {
		fprintf(stderr, "no address: %s\n", text);
		exit(2);
	}
}

static void option(const char *word, const char *value)
{
	static const struct {
		const char *word;
		bool *to;
	} flags[] = {
		{ "six", &opt.six }, { "routed", &opt.routed }, { "server", &opt.server },
		{ "failover", &opt.failover }, { "random-port", &opt.random_port },
		{ "router", &opt.router }, { "verbose", &opt.verbose },
	};
	unsigned int i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (!strcmp(word, flags[i].word)) {
			*flags[i].to = atoi(value);
			return;
		}
	if (!strcmp(word, "seed"))
		opt.seed = strtoull(value, NULL, 0);
	else if (!strcmp(word, "count"))
		opt.count = atoi(value);
	else if (!strcmp(word, "only"))
		opt.only = atol(value);
	else if (!strcmp(word, "corpus"))
		corpus_read(value);
	else if (!strcmp(word, "intended"))
		intended_read(value);
	else if (!strcmp(word, "hosts"))
		hosts_read(value);
	else if (!strcmp(word, "pub"))
		address(value, opt.pub[0]);
	else if (!strcmp(word, "pub2"))
		address(value, opt.pub[1]);
	else
		exit((fprintf(stderr, "unknown word: %s\n", word), 2));
}

static bool is_shown(const char *sign)
{
	unsigned int i;

	for (i = 0; i < n_shown; i++)
		if (!strcmp(shown[i], sign))
			return true;
	return false;
}

static void sequence_print(const struct seq *s)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		step_print(&s->step[i]);
		if (s->step[i].from != FROM_EVENT)
			outcome_print(&result[VPNPASS][s->step[i].id],
				      &result[STOCK][s->step[i].id]);
	}
}

/* A difference that was of the moment: no fault that can be shown, but one to look at. */
static void unsteady_print(const struct seq *s, unsigned long index, const char *sign)
{
	unsigned int i;

	printf("# not again: %s (sequence %lu)\n", sign, index);
	for (i = 0; i < s->n; i++)
		if (outcome_late(&first[VPNPASS][s->step[i].id], &first[STOCK][s->step[i].id])) {
			step_print(&s->step[i]);
			outcome_print(&first[VPNPASS][s->step[i].id], &first[STOCK][s->step[i].id]);
		}
}

static void difference(struct seq *s, unsigned long index, char *sign, size_t size)
{
	bool verbose = opt.verbose;

	n_differ++;
	if (is_shown(sign) || n_shown == MAX_SHOWN)
		return;
	snprintf(shown[n_shown++], sizeof(shown[0]), "%s", sign);
	memcpy(first, result, sizeof(first));
	if (!verbose && !shrink_sequence(s, sign, size)) {
		n_shown--;
		n_differ--;
		stats.unsteady++;
		unsteady_print(s, index, sign);
		return;
	}
	printf("# DIFFERENCE %s: seed %llu, sequence %lu, shortest form:\n", sign,
	       (unsigned long long)opt.seed, index);
	if (!verbose) {
		routers_flush();
		run_sequence(s, result);
	}
	sequence_print(s);
	fflush(stdout);
}

static void play(unsigned long index)
{
	static struct seq s;
	char sign[128];

	sequence_make(&s, index);
	run_sequence(&s, result);
	if (judge_sequence(&s, result, sign, sizeof(sign)))
		difference(&s, index, sign, sizeof(sign));
	else
		count_outcome(&s, result);
}

int main(int argc, char **argv)
{
	const char *names[N_ROUTERS];
	time_t began = time(NULL);
	unsigned long i;
	int a;

	if (argc < 4 || argc % 2)
		return 2;
	opt.ruleset = argv[1];
	names[VPNPASS] = argv[2];
	names[STOCK] = argv[3];
	for (a = 4; a < argc; a += 2)
		option(argv[a], argv[a + 1]);
	routers_open(names);
	routers_flush();
	for (i = 0; i < opt.count; i++)
		if (opt.only < 0 || (unsigned long)opt.only == i)
			play(i);
	routers_reset();
	hosts_write();
	intended_print();
	printf("# %s: sequences %lu packets %lu delivered %lu only-vpnpass %lu dropped-by-rule %lu not-again %lu held-ms %u seconds %ld differences %u\n",
	       opt.ruleset, i, stats.packets / 2, stats.delivered, stats.extra, stats.dropped,
	       stats.unsteady, stats.held_ms, (long)(time(NULL) - began), n_differ);
	return n_differ ? 1 : 0;
}
