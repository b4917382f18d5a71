// SPDX-License-Identifier: GPL-2.0
/*
 * The ESP pairing policy: inbound SPIs whose owner is in question ("trials"),
 * and for whom something speaks. Storage and bookkeeping only; pair_score.c
 * does the judging.
 */
#include "pair_int.h"

#define TRIALS_MAX	512
#define COPY_FIRST	200	/* ms; copied at once unless it is clear whose it is */

static struct pair_trial **bucket(struct pair_group *g, u32 spi)
{
	return &g->hash[(spi * 0x9e3779b1u) >> 26];
}

struct pair_trial *pair_trial_find(struct pair_group *g, u32 spi)
{
	struct pair_trial *t = *bucket(g, spi);

	while (t && t->spi != spi)
		t = t->next;
	return t;
}

static void trial_unhash(struct pair_group *g, struct pair_trial *t)
{
	struct pair_trial **pp = bucket(g, t->spi);

	while (*pp && *pp != t)
		pp = &(*pp)->next;
	if (*pp)
		*pp = t->next;
}

void pair_trial_move(struct pair_trial *t, struct list_head *to)
{
	list_del_init(&t->node);
	list_add_tail(&t->node, to);
}

void pair_cand_del(struct pair_group *g, struct pair_trial *t,
		   struct pair_cand *cd)
{
	struct pair_spi *ask = cd->ask;
	struct pair_client *c = cd->c;
	int i, k;

	*cd = t->cand[--t->nc];
	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c == c)
			break;
	for (k = 0; i == t->nc && k < PAIR_TRIAL_OF; k++)
		if (c->trial[k] == t)
			c->trial[k] = NULL;
	if (ask && ask->answer == t) {
		ask->answer = NULL;
		pair_relist(g, c);
	}
}

void pair_trial_end(struct pair_group *g, struct pair_trial *t)
{
	while (t->nc)
		pair_cand_del(g, t, &t->cand[t->nc - 1]);
	trial_unhash(g, t);
	if (t->slot && !t->slot->priv && t->slot->state != PAIR_FREE) {
		t->slot->state = PAIR_FREE;
		t->owner->n_in--;
	}
	t->used = false;
	t->slot = NULL;
	g->n_trials--;
	pair_trial_move(t, &g->room);
}

static struct pair_trial *first_of(struct list_head *h)
{
	return list_empty(h) ? NULL :
	       list_first_entry(h, struct pair_trial, node);
}

/* Room for one more: unused, else settled, else seen once, else idle. */
static struct pair_trial *trial_room(struct pair_group *g, u32 now)
{
	struct pair_trial *t = first_of(&g->room);

	if (t && g->n_trials < TRIALS_MAX)
		return t;
	t = first_of(&g->done);
	if (!t)
		t = first_of(&g->once);
	if (!t) {
		t = first_of(&g->live);
		if (t && age(now, t->last) < RECENT)
			t = NULL;
	}
	if (t)
		pair_trial_end(g, t);
	return t;
}

struct pair_trial *pair_trial_new(struct pair_group *g, u32 spi, bool fresh,
				  u32 now)
{
	struct pair_trial *t = trial_room(g, now);
	struct pair_trial **pp = bucket(g, spi);

	if (!t)
		return NULL;
	t->spi = spi;
	t->first = now;
	t->last = now;
	t->alone = now;
	t->copied = now - COPY_FIRST;
	t->all = now;
	t->owner = NULL;
	t->n = 0;
	t->pace = 0;
	t->round = 0;
	memset(t->turn, 0, sizeof(t->turn));
	t->nc = 0;
	t->used = true;
	t->fresh = fresh;
	t->next = *pp;
	*pp = t;
	g->n_trials++;
	pair_trial_move(t, &g->once);
	return t;
}

/* ---- candidates ---- */

/* The best of one client, or of all (NULL). */
static struct pair_cand *best_of(struct pair_trial *t, const struct pair_client *c)
{
	struct pair_cand *b = NULL;
	int i;

	for (i = 0; i < t->nc; i++)
		if ((!c || t->cand[i].c == c) && (!b || t->cand[i].score > b->score))
			b = &t->cand[i];
	return b;
}

struct pair_cand *pair_best(struct pair_trial *t)
{
	return best_of(t, NULL);
}

struct pair_cand *pair_cand_of(struct pair_trial *t, const struct pair_client *c,
			       struct pair_spi *ask)
{
	int i;

	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c == c &&
		    (t->cand[i].ask == ask || !t->cand[i].ask || !ask))
			return &t->cand[i];
	return NULL;
}

/* An entry of the client's own list: its own, free, or one worth little. */
static int client_room(struct pair_group *g, struct pair_client *c,
		       const struct pair_trial *t)
{
	int k, worst = -1, low = BITS_LINK, worth;
	struct pair_cand *cd;

	for (k = 0; k < PAIR_TRIAL_OF; k++)
		if (c->trial[k] == t)
			return k;
	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k])
			return k;
		cd = best_of(c->trial[k], c);
		worth = cd->score - (c->trial[k]->n > 1 ? 0 : BITS_SHARED);
		if (worth < low) {
			low = worth;
			worst = k;
		}
	}
	while (worst >= 0 && c->trial[worst])
		pair_cand_del(g, c->trial[worst],
			      best_of(c->trial[worst], c));
	return worst;
}

/* Who has just been hit by chance stays before who was a while ago. */
static int standing(const struct pair_cand *cd)
{
	return 2 * cd->score + cd->hit;
}

/* Adds one for whom something speaks. NULL when all others have more. */
struct pair_cand *pair_cand_add(struct pair_group *g, struct pair_trial *t,
				struct pair_client *c, struct pair_spi *ask,
				int score)
{
	struct pair_cand *cd;
	int i, k, low = 0;

	if (t->nc == PAIR_CANDS) {
		for (i = 1; i < t->nc; i++)
			if (standing(&t->cand[i]) < standing(&t->cand[low]))
				low = i;
		if (standing(&t->cand[low]) >= max_t(int, 2 * score, 2 * BITS_SEEN + 1))
			return NULL;
		pair_cand_del(g, t, &t->cand[low]);
	}
	k = client_room(g, c, t);
	if (k < 0)
		return NULL;
	c->trial[k] = t;
	cd = &t->cand[t->nc++];
	memset(cd, 0, sizeof(*cd));
	cd->c = c;
	cd->ask = ask;
	cd->score = (s8)score;
	return cd;
}

/* How far it is ahead of all other clients. */
int pair_lead(const struct pair_trial *t, const struct pair_cand *b)
{
	int i, second = 0;

	for (i = 0; i < t->nc; i++)
		if (t->cand[i].c != b->c)
			second = max_t(int, second, t->cand[i].score);
	return b->score - second;
}

/*
 * The question is another SPI's, but IKE's word for the client stands: it goes to
 * what else the client asks here. False when the candidate itself is to go.
 */
static bool keep_told(struct pair_trial *t, struct pair_cand *cd)
{
	int i, score = min_t(int, cd->score, BITS_TURN_IKE);

	if (!cd->told || !cd->c->n_evid)
		return false;
	for (i = 0; i < t->nc; i++) {
		if (t->cand[i].c != cd->c || &t->cand[i] == cd)
			continue;
		t->cand[i].told = true;
		t->cand[i].score = (s8)max_t(int, t->cand[i].score, score);
		return false;
	}
	cd->ask = NULL;
	cd->score = (s8)score;
	memset(cd->took, 0, sizeof(cd->took));
	return true;
}

/* One question has one answer: no trial is about it any more. */
void pair_forget(struct pair_group *g, struct pair_client *c,
		 const struct pair_spi *ask)
{
	struct pair_trial *t;
	int i, k;

	for (k = 0; k < PAIR_TRIAL_OF; k++) {
		t = c->trial[k];
		for (i = t ? t->nc - 1 : -1; i >= 0; i--)
			if (t->cand[i].c == c && t->cand[i].ask == ask &&
			    !keep_told(t, &t->cand[i]))
				pair_cand_del(g, t, &t->cand[i]);
	}
}

/*
 * Lets IKE expect a new SPI? It has made an SA that has not come, or is about to:
 * the answer may be lost, but the gateway may use what it has agreed to.
 */
bool pair_claims(const struct pair_client *c, u32 now)
{
	return c->n_evid || (c->n_begun && age(now, c->evid_at) < BEGUN);
}

/* ... and nothing has come that is about as likely to be it as IKE can tell. */
bool pair_expects(const struct pair_client *c, u32 now)
{
	struct pair_cand *b;
	int k, n = c->n_evid;

	if (!n && pair_claims(c, now))
		n = !c->n_early;

	for (k = 0; n && k < PAIR_TRIAL_OF; k++) {
		if (!c->trial[k] || !c->trial[k]->fresh)
			continue;
		b = pair_best(c->trial[k]);
		if (b->c == c && b->score >= BITS_TURN_IKE)
			n--;
	}
	return n;
}

/* Where IKE is in sight a new SPI belongs to who was seen to make one. */
bool pair_may_own(const struct pair_client *c, const struct pair_trial *t)
{
	return !t->fresh || !c->ike ||
		(pair_claims(c, t->last) && !before(t->first, c->claim_at));
}
