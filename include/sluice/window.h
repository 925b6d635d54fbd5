/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows count units. A word of a bucket's state is the count of one window: its
 * number in the upper 16 bits, the units in the lower 48. A word that bears another
 * number is of another time, and counts as 0. (A source that comes back after
 * exactly 65 536 windows finds its old count: it gets less, once. When the ticks wrap, after
 * 834 days of uptime, a window ends early.)
 *
 * Fixed: one word. Windows follow the clock, so twice the limit may pass around
 * a boundary. Sliding: SL_WINDOW_PARTS parts of a window and the one that is
 * leaving it, which counts by the share of it that is still inside: any span as
 * long as the window gets the limit and at most a part's share more. Pure
 * arithmetic, compiled for BPF and natively.
 */
#ifndef SLUICE_SHARED_WINDOW_H
#define SLUICE_SHARED_WINDOW_H

#include "sluice/abi.h"
#include "sluice/inline.h"

#define SL_WINDOW_UNITS_BITS 48
#define SL_WINDOW_UNITS_MAX  ((1ULL << SL_WINDOW_UNITS_BITS) - 1)
#define SL_WINDOW_NUMBER_MAX 0xffffULL

/* The units of a word, if they are window number's; else 0. */
static inline __u64 sl_window_units(__u64 word, __u64 number)
{
	return word >> SL_WINDOW_UNITS_BITS == (number & SL_WINDOW_NUMBER_MAX)
		       ? word & SL_WINDOW_UNITS_MAX
		       : 0;
}

static inline __u64 sl_window_word(__u64 number, __u64 units)
{
	return (number & SL_WINDOW_NUMBER_MAX) << SL_WINDOW_UNITS_BITS | units;
}

/* The units that a window which admits `limit` still counts of the part that is leaving
 * it, number - SL_WINDOW_PARTS, when `passed` of the `length` ticks of part `number` are
 * over; rounded up.
 */
static inline __u64 sl_window_leaving(__u64 units, __u64 limit, __u64 passed, __u64 length)
{
	/* In 2^-12 of a part: units below 2^48 then fit. */
	__u64 inside = ((length - passed) << 1) / ((length >> 11) + 1) + 1;
	__u64 share = limit / SL_WINDOW_PARTS, counts;

	if (inside > 1ULL << 12)
		inside = 1ULL << 12;
	counts = (units * inside + (1ULL << 12) - 1) >> 12;
	return counts + share < units ? units - share : counts;
}

/* Fixed: the number of the window that `now` (ticks) lies in. */
static inline __u64 sl_window_number(const struct sl_limit *limit, __u64 now)
{
	return now / (limit->rate.interval ?: 1);
}

/* Sliding: the part that a moment lies in. */
struct sl_window_part {
	__u64 number;
	__u64 length; /* ticks */
	__u64 passed; /* of them, at that moment */
};

static SL_ALWAYS_INLINE struct sl_window_part sl_window_part(const struct sl_limit *limit,
							     __u64 now)
{
	__u64 length = limit->rate.interval / SL_WINDOW_PARTS ?: 1;
	__u64 number = now / length;

	return (struct sl_window_part){
		.number = number,
		.length = length,
		.passed = now - number * length,
	};
}

/* The word of a bucket's state that counts the part. */
static inline __u32 sl_window_index(const struct sl_window_part *part)
{
	return (__u32)(part->number % (SL_WINDOW_PARTS + 1));
}

/* The units that the sliding window counts of all parts but this one. The state may
 * change meanwhile: each word is read once.
 */
static inline __u64 sl_window_others(const struct sl_limit *limit, const struct sl_bucket *bucket,
				     const struct sl_window_part *part)
{
	__u64 others = 0;

	for (int i = 0; i <= SL_WINDOW_PARTS; i++) {
		__u64 word = *(const volatile __u64 *)&bucket->state[i];
		__u64 age = (part->number - (word >> SL_WINDOW_UNITS_BITS)) & SL_WINDOW_NUMBER_MAX;

		word &= SL_WINDOW_UNITS_MAX;
		if (age && age < SL_WINDOW_PARTS)
			others += word;
		else if (age == SL_WINDOW_PARTS)
			others += sl_window_leaving(word, limit->rate.depth, part->passed,
						    part->length);
	}
	return others;
}

#endif
