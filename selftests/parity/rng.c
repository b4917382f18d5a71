// SPDX-License-Identifier: GPL-2.0
/* Chance, the same for the same seed everywhere: splitmix64. */
#include "parity.h"

static uint64_t state;

void rng_seed(uint64_t seed, uint64_t n)
{
	state = seed * 0x9e3779b97f4a7c15ull ^ n * 0xd1342543de82ef95ull;
	rng_next();
}

uint64_t rng_next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}
