/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers at random, the same ones from the same seed.
 */
#ifndef SLUICE_TESTS_UNIT_BASE_RANDOM_H
#define SLUICE_TESTS_UNIT_BASE_RANDOM_H

#include <stdint.h>

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline unsigned random_below(uint64_t *state, unsigned n)
{
	return (unsigned)(random_next(state) % n);
}

#endif
