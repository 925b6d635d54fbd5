/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configured limit as the program wants it, and what a bucket's state means.
 * Pure; the daemon and the responder share it.
 */
#ifndef SLUICE_LIB_LIMIT_LIMIT_H
#define SLUICE_LIB_LIMIT_LIMIT_H

#include <stdbool.h>

#include "lib/base/units.h"
#include "sluice/abi.h"

struct limit_config;

/* The largest burst that fits into a bucket of this rate; 0: the rate itself is
 * too high. Units of the rate.
 */
unsigned long long limit_max_burst(const struct rate *rate, enum sl_limit_count count);

/* What the program needs, but for the numbers that the datapath gives out (id,
 * number, replaced*). The limit is one that config/read_limit.c has taken.
 */
struct sl_limit limit_wire(const struct limit_config *limit);

/* What a source may still send, as of `now` (ticks: sl_ticks() of CLOCK_MONOTONIC). */
struct limit_state {
	unsigned long long limit;     /* units: the burst, or what a window admits */
	unsigned long long remaining; /* units */
	unsigned long long reset_ns;  /* from now on: until all of it is there again */
};
struct limit_state limit_state(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now);

/* From now on, until so many units may pass, at most as many as the limit; 0: they
 * may now.
 */
unsigned long long limit_wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				 unsigned long long now, unsigned long long units);

/* The source's key in sl_buckets: its address cut to the limit's prefix. */
struct sl_source limit_source(const struct sl_limit *limit, const struct sl_addr *addr,
			      __u8 family);

#endif
