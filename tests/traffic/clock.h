/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The time, for tools that measure how long something took.
 */
#ifndef SLUICE_TESTS_TRAFFIC_CLOCK_H
#define SLUICE_TESTS_TRAFFIC_CLOCK_H

#include <time.h>

static inline double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
