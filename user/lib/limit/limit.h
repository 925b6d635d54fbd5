/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Converts a configured limit to struct sl_limit, and reads a bucket's state. Pure; the
 * daemon and the responder share it.
 */
#ifndef SLUICE_LIB_LIMIT_LIMIT_H
#define SLUICE_LIB_LIMIT_LIMIT_H

#include <stdbool.h>

#include "lib/base/units.h"
#include "sluice/abi.h"

struct limit_config;

/* Whether the algorithm has a burst, and of the rate only the quotient matters; else it
 * counts in windows as long as the rate's period.
 */
bool limit_has_burst(enum sl_limit_algorithm algorithm);

/* The largest burst that fits into a bucket of this rate; 0: the rate itself is
 * too high. Units of the rate.
 */
unsigned long long limit_max_burst(const struct rate *rate, enum sl_limit_count count);

/* The limit for the program, without the numbers that the datapath gives out (id,
 * number, replaced*). The limit is one that config/read_limit.c has taken.
 */
struct sl_limit limit_wire(const struct limit_config *limit);

/* The units that a source may still send, as of `now` (ticks: sl_ticks() of
 * CLOCK_MONOTONIC). All are 0 where the limit, of a map, has an unknown algorithm:
 * the program admits nothing then.
 */
struct limit_state {
	unsigned long long limit;     /* units: the burst, or what a window admits */
	unsigned long long remaining; /* units */
	unsigned long long reset_ns;  /* from now on: until all of it is there again */
	unsigned long long window_ns; /* in which the whole of it comes back */
};
struct limit_state limit_state(const struct sl_limit *limit, const struct sl_bucket *bucket,
			       unsigned long long now);

/* Nanoseconds from now on until `units` may pass, at most as many as the limit; 0: they
 * may pass now, or the algorithm is unknown.
 */
unsigned long long limit_wait_ns(const struct sl_limit *limit, const struct sl_bucket *bucket,
				 unsigned long long now, unsigned long long units);

/* The most that a source can owe which the gate has admitted alone, as the state of the
 * bucket that it does not have; `now` in ticks.
 */
struct sl_bucket limit_gate_bucket(const struct sl_limit *limit, unsigned long long now);

/* The source's key in sl_buckets: its address cut to the limit's prefix. */
struct sl_source limit_source(const struct sl_limit *limit, const struct sl_addr *addr,
			      __u8 family);

#endif
