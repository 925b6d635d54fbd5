/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371,
 * annex A), which admits exactly what a token bucket of the same rate and burst
 * admits. The whole state is one word, the theoretical arrival time (TAT) of the
 * next unit; 0 is the state of a bucket that was never used.
 *
 * Times are in ticks of 1/256 ns, which wrap after 834 days of uptime. Nothing owes for long:
 * a time is later than another if it is at most that much later, and earlier everywhere else
 * on the circle. So a bucket that was last used up to 834 days ago is full, but for the length
 * of what it can owe. (A plain 0 would be later than the last ticks before the wrap: therefore
 * it is a case of its own.) Where a unit takes few ticks (a byte at 400 Gbit/s: 5),
 * its interval is in fractions of them (sl_limit.shift). Pure arithmetic, compiled
 * for BPF and natively.
 */
#ifndef SLUICE_SHARED_GCRA_H
#define SLUICE_SHARED_GCRA_H

#include "sluice/abi.h"

#define SL_TICK_SHIFT 8 /* ticks = ns << SL_TICK_SHIFT */

static inline __u64 sl_ticks(__u64 ns)
{
	return ns << SL_TICK_SHIFT;
}

/* By how many ticks `then` is later than `now`; 0: it is not, or by more than `most`, which says
 * the same: it is of an earlier round of the clock.
 */
static inline __u64 sl_ticks_ahead(__u64 then, __u64 now, __u64 most)
{
	__u64 ahead = then - now;

	return ahead <= most ? ahead : 0;
}

/* What cells of the gate and buckets of an earlier generation owe at most: 52 days. */
#define SL_TICKS_AHEAD (1ULL << 60)

/* What a bucket of this depth owes at most: CPUs that all charge it at once go beyond its depth. */
static inline __u64 sl_gcra_most(__u64 depth)
{
	return depth >> 60 ? 1ULL << 63 : depth << 3;
}

/* What a bucket owes, in ticks. An idle bucket is full, never fuller. */
static inline __u64 sl_gcra_owed(__u64 tat, __u64 now, __u64 most)
{
	return tat ? sl_ticks_ahead(tat, now, most) : 0;
}

/* The cost of some units (fewer than 2^16), in ticks. */
static inline __u64 sl_limit_cost(const struct sl_limit *limit, __u32 units)
{
	return units * limit->rate.interval >> limit->shift;
}

/* The time from which on a cell of the gate, or a bucket of an earlier generation, owes nothing. A
 * TAT in the past counts as now.
 */
static inline __u64 sl_gcra_base(__u64 tat, __u64 now)
{
	return now + sl_gcra_owed(tat, now, SL_TICKS_AHEAD);
}

/* Whether a packet that costs `cost` ticks and arrives at `now` may pass a bucket that
 * holds `depth` ticks. 1: yes, and *ret_tat is the state that follows. 0: no, the
 * state stays, and *ret_tat is left alone.
 */
static inline int sl_gcra_admit(__u64 depth, __u64 cost, __u64 tat, __u64 now, __u64 *ret_tat)
{
	__u64 owed = sl_gcra_owed(tat, now, sl_gcra_most(depth)) + cost;

	if (owed > depth)
		return 0;
	*ret_tat = now + owed;
	return 1;
}

/* The state of a bucket whose rate has changed: it owes as many units as before. */
static inline __u64 sl_gcra_convert(const struct sl_limit *limit, __u64 tat, __u64 now)
{
	__u64 owed = (sl_gcra_base(tat, now) - now) / limit->replaced_interval;
	__u64 room = limit->rate.depth;
	__u64 interval = limit->rate.interval >> limit->shift ?: 1;

	/* Never deeper than empty: a source cannot owe more. */
	return now + (owed < room / interval ? owed * interval : room);
}

#endif
