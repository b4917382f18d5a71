// SPDX-License-Identifier: GPL-2.0
/*
 * The word that somebody meant who mistyped it: the known one that takes the
 * fewest letters left out, added, changed or swapped with the next.
 */
#include <string.h>

#include "util.h"

#define WORD_MAX	32

static size_t least(size_t a, size_t b, size_t c)
{
	size_t two = a < b ? a : b;

	return two < c ? two : c;
}

/* Optimal string alignment distance; both words have less than WORD_MAX letters. */
static size_t distance(const char *a, const char *b)
{
	size_t d[WORD_MAX][WORD_MAX], n = strlen(a), m = strlen(b), i, j;

	for (i = 0; i <= n; i++) {
		for (j = 0; j <= m; j++) {
			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1,
					d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[n][m];
}

/**
 * nearest_word - The known word that a mistyped one is likely to mean.
 * @word: What was typed.
 * @known: The words that would have been right, up to a NULL.
 *
 * Return: one of them, NULL if none is near: a word of three letters or less
 * may have one mistake, a longer one two.
 */
const char *nearest_word(const char *word, const char *const *known)
{
	size_t limit = strlen(word) <= 3 ? 1 : 2, d;
	const char *best = NULL;

	if (!*word || strlen(word) >= WORD_MAX)
		return NULL;
	for (; *known; known++) {
		if (strlen(*known) >= WORD_MAX || strlen(*known) <= limit)
			continue;
		d = distance(word, *known);
		if (d > limit)
			continue;
		best = *known;
		limit = d ? d - 1 : 0;
	}
	return best;
}
