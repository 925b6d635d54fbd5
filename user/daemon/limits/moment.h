/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The moment that all of an answer is about.
 */
#ifndef SLUICE_DAEMON_LIMITS_MOMENT_H
#define SLUICE_DAEMON_LIMITS_MOMENT_H

#include <stdbool.h>

#include "sluice/abi.h"

/* Now, by the clocks of buckets and of people. */
struct moment {
	unsigned long long ns;      /* CLOCK_MONOTONIC */
	unsigned long long wall_ms; /* Unix time */
};
struct moment moment_now(void);

/* How long ago an SL_SECOND was, in ms; 0 where it has just begun. */
unsigned long long moment_age_ms(const struct moment *now, __u32 second);

/* Whether the bucket's source was refused something in the last SL_LIMIT_CALM. */
bool moment_is_over(const struct moment *now, const struct sl_bucket *bucket);

#endif
