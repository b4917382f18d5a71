// SPDX-License-Identifier: GPL-2.0
/* The command line: one cell of the matrix a call, one line of figures for it. */
#include <getopt.h>
#include <time.h>

#include "sim.h"

struct options opt = {
	.clients = 20, .runs = 10, .seed = 1, .tick = 4, .spoof = 5, .loss = 0.01,
	.ike = true, .net = networks, .scene = scenes,
};
struct world w;

static const char usage[] =
	"pair_sim: the ESP pairing policy in a network of one's choice\n"
	"  --net N        model, 20/20, 60/60, 300/10, 650/30, lte\n"
	"  --scene S      mix, client-first, gateway-first, idle, one-way, two-sas,\n"
	"                 rekey-20s, gateway-boot, mid-life, vanish, eap, slow-gateway,\n"
	"                 pings-1s, pings-200ms, pings-in-turn, ten (the first ten), all\n"
	"  --hostile H    none, spoof, repeat, spis, answers\n"
	"  --spoof N      spoofed packets a second (5)\n"
	"  --clients N    of the one gateway, all starting within a second (20)\n"
	"  --no-ike       IKE is not in sight\n"
	"  --runs N       runs of each scene (10)\n"
	"  --secs N       length of a run (that of the scene)\n"
	"  --loss X       part of the packets lost on the WAN (0.01)\n"
	"  --tick N       ms of the router's clock (4)\n"
	"  --seed N       another world\n"
	"  --from N       number of the first run, to repeat one\n"
	"  --trace        what the policy saw and did, packet by packet\n"
	"  --each         a line for each scene\n"
	"A line: policy, network, scene, hostile, IKE, clients, runs, seed; flows up %,\n"
	"first answer median and p99 ms, inbound lost %, clients wrong for 10 s and more %,\n"
	"clients wrong at the end %, copies per 1,000 inbound, SPIs paired at the end %, CPU s.\n";

static const char *const hostiles[] = { "none", "spoof", "repeat", "spis", "answers", NULL };

static int cmp_u32(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

static void run_one(u64 run, struct result *r)
{
	clock_t t0 = clock();
	struct ev e;

	w.res = r;
	w.now = 0;
	w.end = (us_t)(opt.secs ? opt.secs : opt.scene->secs) * SEC;
	queue_reset();
	truth_reset();
	ike_reset();
	plan_run(run);
	policy_pair.reset();
	while (event_pop(&e)) {
		w.now = e.at;
		event_dispatch(&e);
	}
	tally_run(r);
	r->cpu += (double)(clock() - t0) / CLOCKS_PER_SEC;
}

static double part(u64 n, u64 of)
{
	return of ? 100.0 * (double)n / (double)of : 0;
}

static void line(const struct result *r, const char *scene)
{
	qsort(r->ttp, r->n_ttp, sizeof(u32), cmp_u32);
	printf("%s\t%s\t%s\t%s%.0u\t%s\t%u\t%u\t%u\t%.2f\t%u\t%u\t%.3f\t%.3f\t%.3f\t%.0f\t%.1f\t%.1f\n",
	       policy_pair.name, opt.net->name, scene, hostiles[opt.hostile],
	       opt.hostile == H_SPOOF ? opt.spoof : 0, opt.ike ? "ike" : "no-ike",
	       opt.clients, opt.runs, opt.seed, part(r->up, r->expect),
	       r->n_ttp ? r->ttp[r->n_ttp / 2] : 0,
	       r->n_ttp ? r->ttp[(u32)(0.99 * (r->n_ttp - 1))] : 0,
	       part(r->lost, r->in), part(r->wrong, r->clients),
	       part(r->wrong_end, r->clients), 10 * part(r->copies, r->in),
	       part(r->paired, r->spis), r->cpu);
	fflush(stdout);
}

static void *named(const void *table, size_t size, const char *name)
{
	const char *const *p = table;

	for (; *p; p = (const char *const *)((const char *)p + size))
		if (!strcmp(*p, name))
			return (void *)p;
	fputs(usage, stderr);
	exit(2);
}

static int n_scenes = 1;
static bool each;

static void scene_named(const char *name)
{
	if (!strcmp(name, "ten"))
		n_scenes = 10;
	else if (!strcmp(name, "all"))
		for (n_scenes = 0; scenes[n_scenes].name; n_scenes++)
			;
	else
		opt.scene = named(scenes, sizeof(*scenes), name);
}

static void option(int c, const char *arg)
{
	switch (c) {
	case 'n':
		opt.net = named(networks, sizeof(*networks), arg);
		break;
	case 's':
		scene_named(arg);
		break;
	case 'h':
		opt.hostile = (enum hostile)((const char *const *)named(hostiles, sizeof(char *),
					      arg) - hostiles);
		break;
	case 'S':
		opt.spoof = (u32)atoi(arg);
		break;
	case 'c':
		opt.clients = min((u32)atoi(arg), MAX_CLIENTS);
		break;
	case 'r':
		opt.runs = (u32)atoi(arg);
		break;
	case 't':
		opt.secs = (u32)atoi(arg);
		break;
	case 'e':
		opt.seed = (u32)atoi(arg);
		break;
	case 'f':
		opt.from = (u32)atoi(arg);
		break;
	case 'l':
		opt.loss = atof(arg);
		break;
	case 'i':
		opt.tick = (u32)atoi(arg);
		break;
	case 'I':
		opt.ike = false;
		break;
	case 'T':
		opt.trace = true;
		break;
	case 'E':
		each = true;
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void options(int argc, char **argv)
{
	static const struct option lo[] = {
		{ "net", 1, NULL, 'n' }, { "scene", 1, NULL, 's' },
		{ "hostile", 1, NULL, 'h' },
		{ "spoof", 1, NULL, 'S' }, { "clients", 1, NULL, 'c' },
		{ "runs", 1, NULL, 'r' }, { "secs", 1, NULL, 't' },
		{ "seed", 1, NULL, 'e' }, { "from", 1, NULL, 'f' },
		{ "loss", 1, NULL, 'l' }, { "tick", 1, NULL, 'i' },
		{ "no-ike", 0, NULL, 'I' }, { "trace", 0, NULL, 'T' },
		{ "each", 0, NULL, 'E' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", lo, NULL)) != -1)
		option(c, optarg);
}

int main(int argc, char **argv)
{
	struct result sum = {}, *r = &sum;
	size_t most;
	int i;
	u32 k;

	options(argc, argv);
	most = (size_t)opt.runs * opt.clients * 8 * (size_t)n_scenes;
	sum.ttp = malloc(most * sizeof(u32));
	if (!sum.ttp)
		abort();
	for (i = 0; i < n_scenes; i++) {
		if (n_scenes > 1)
			opt.scene = &scenes[i];
		for (k = 0; k < opt.runs; k++)
			run_one(k + opt.from, r);
		if (each) {
			line(r, opt.scene->name);
			sum = (struct result) { .ttp = sum.ttp };
		}
	}
	if (!each)
		line(r, n_scenes == 1 ? opt.scene->name : n_scenes == 10 ? "ten" : "all");
	free(sum.ttp);
	return 0;
}
