/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How the CPU time of something grows with its size, without a word on how long it takes: with
 * four times the size, sorting takes a bit more than four times as long, and a walk over all for
 * each takes sixteen times as long.
 */
#ifndef SLUICE_TESTS_UNIT_BASE_GROWTH_H
#define SLUICE_TESTS_UNIT_BASE_GROWTH_H

#include <stddef.h>
#include <time.h>

#define GROWTH_ROUNDS 5
#define GROWTH_MAX    10 /* with four times the size */

/* Does it once, with this size. */
typedef void growth_fn(size_t size);

static inline double growth_once(growth_fn *work, size_t size)
{
	struct timespec begun, ended;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	work(size);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	return (double)(ended.tv_sec - begun.tv_sec) +
	       (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
}

/* The CPU time that it takes: the least of several rounds, as other programs of the machine only
 * add to it.
 */
static inline double growth_seconds(growth_fn *work, size_t size)
{
	double least = growth_once(work, size);

	for (int i = 1; i < GROWTH_ROUNDS; i++) {
		double seconds = growth_once(work, size);

		least = seconds < least ? seconds : least;
	}
	return least;
}

/* The time with four times the size by the time with the size. */
static inline double growth_of(growth_fn *work, size_t size)
{
	return growth_seconds(work, 4 * size) / growth_seconds(work, size);
}

#endif
