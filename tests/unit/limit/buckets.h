/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A limit's buckets as the program keeps them (bpf/bucket.h), on one CPU: whether
 * some units may pass; if they may, they are charged.
 */
#ifndef SLUICE_TESTS_UNIT_LIMIT_BUCKETS_H
#define SLUICE_TESTS_UNIT_LIMIT_BUCKETS_H

#include <stdbool.h>

#include "sluice/gcra.h"
#include "sluice/window.h"

static inline bool take_tokens(const struct sl_limit *limit, struct sl_bucket *bucket, __u32 units,
			       __u64 now)
{
	return sl_gcra_admit(limit->rate.depth, sl_limit_cost(limit, units), bucket->state[0], now,
			     &bucket->state[0]);
}

static inline bool take_fixed(const struct sl_limit *limit, struct sl_bucket *bucket, __u32 units,
			      __u64 now)
{
	__u64 number = now / limit->rate.interval;
	__u64 counted = sl_window_units(bucket->state[0], number) + units;

	if (counted > limit->rate.depth)
		return false;
	bucket->state[0] = sl_window_word(number, counted);
	return true;
}

static inline bool take_sliding(const struct sl_limit *limit, struct sl_bucket *bucket, __u32 units,
				__u64 now)
{
	__u64 length = limit->rate.interval / SL_WINDOW_PARTS, number = now / length;
	__u64 *own = &bucket->state[number % (SL_WINDOW_PARTS + 1)];
	__u64 added = sl_window_units(*own, number) + units, counted = units;
	unsigned i;

	for (i = 0; i < SL_WINDOW_PARTS; i++)
		counted += sl_window_units(bucket->state[(number - i) % (SL_WINDOW_PARTS + 1)],
					   number - i);
	counted += sl_window_leaving(
		sl_window_units(bucket->state[(number - i) % (SL_WINDOW_PARTS + 1)], number - i),
		limit->rate.depth, now - number * length, length);
	if (counted > limit->rate.depth)
		return false;
	*own = sl_window_word(number, added);
	return true;
}

static inline bool bucket_take(const struct sl_limit *limit, struct sl_bucket *bucket, __u32 units,
			       __u64 now)
{
	switch ((enum sl_limit_algorithm)limit->algorithm) {
	case SL_ALGORITHM_TOKEN_BUCKET:
		return take_tokens(limit, bucket, units, now);
	case SL_ALGORITHM_FIXED_WINDOW:
		return take_fixed(limit, bucket, units, now);
	case SL_ALGORITHM_SLIDING_WINDOW:
		return take_sliding(limit, bucket, units, now);
	}
	return false;
}

#endif
