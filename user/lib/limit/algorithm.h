/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An algorithm is a row of functions; each has a file of its own in this directory. limit.c
 * and inherit.c ask the row, and no other file of the library or the daemon tells one
 * algorithm from another. Private to user/lib/limit.
 */
#ifndef SLUICE_LIB_LIMIT_ALGORITHM_H
#define SLUICE_LIB_LIMIT_ALGORITHM_H

#include <stdbool.h>

#include "sluice/abi.h"

struct limit_config;

/* `now` is in ticks, but where it says otherwise. */
struct limit_algorithm {
	/* true: the configuration gives a burst, and of the rate only the quotient matters;
	 * false: the limit is a count in a window as long as the rate's period.
	 */
	bool has_burst;

	/* Sets the rate, and the gate where the algorithm has one. */
	void (*wire)(const struct limit_config *config, struct sl_limit *limit);

	/* The units of a full bucket, or of an empty window. */
	unsigned long long (*whole)(const struct sl_limit *limit);

	/* The units that are used up, rounded up; may be more than the whole. */
	unsigned long long (*used)(const struct sl_limit *limit, const struct sl_bucket *bucket,
				   unsigned long long now);

	/* Nanoseconds until `units`, at most the whole, may pass; 0: they may pass now. */
	unsigned long long (*wait_ns)(const struct sl_limit *limit, const struct sl_bucket *bucket,
				      unsigned long long now, unsigned long long units);

	/* Nanoseconds in which an empty bucket becomes full, or a window's length. */
	unsigned long long (*window_ns)(const struct sl_limit *limit);

	/* The rest is NULL where it is not needed. */

	/* The bucket of a source that the gate has admitted alone: it owes the most that the
	 * gate lets a source owe. NULL: the algorithm has no gate.
	 */
	void (*owe_gate)(const struct sl_limit *limit, struct sl_bucket *bucket,
			 unsigned long long now);

	/* Tells `limit` what convert() and bucket_convert() of bpf/bucket.h need to know of
	 * the generation before it, `old`; `now` is an SL_SECOND. NULL: the state of one
	 * rate means nothing at another, and sources begin anew.
	 */
	void (*replace)(const struct sl_limit *old, unsigned now, struct sl_limit *limit);

	/* Makes the state of a bucket of the generation before a state of this one. */
	void (*convert)(const struct sl_limit *limit, struct sl_bucket *bucket,
			unsigned long long now);
};

#define LIMIT_ALGORITHM_ROW(name, row, word) extern const struct limit_algorithm limit_##row;
SL_ALGORITHMS(LIMIT_ALGORITHM_ROW)
#undef LIMIT_ALGORITHM_ROW

/* The row of an enum sl_limit_algorithm; NULL: the value, of a map perhaps, is none. */
const struct limit_algorithm *limit_algorithm(unsigned algorithm);

#endif
