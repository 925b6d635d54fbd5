/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371,
 * annex A), which admits exactly what a token bucket of the same rate and burst
 * admits. The whole state is one word, the theoretical arrival time (TAT) of the
 * next unit; 0 is the state of a bucket that was never used.
 *
 * Times are in ticks of 1/256 ns; they wrap after 2.2 years of uptime and are
 * compared as differences. (After half of that time, a plain 0 would be in the future:
 * therefore it is a case of its own.) Where a unit takes few ticks (a byte at 400 Gbit/s: 5),
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

/* The cost of some units (fewer than 2^16), in ticks. */
static inline __u64 sl_limit_cost(const struct sl_limit *limit, __u32 units)
{
	return units * limit->rate.interval >> limit->shift;
}

/* The time from which on a bucket owes nothing. A TAT in the past counts as now: an
 * idle bucket is full, never fuller.
 */
static inline __u64 sl_gcra_base(__u64 tat, __u64 now)
{
	return tat && (__s64)(tat - now) > 0 ? tat : now;
}

/* Whether a packet that costs `cost` ticks and arrives at `now` may pass a bucket that
 * holds `depth` ticks. 1: yes, and *ret_tat is the state that follows. 0: no, the
 * state stays, and *ret_tat is left alone.
 */
static inline int sl_gcra_admit(__u64 depth, __u64 cost, __u64 tat, __u64 now, __u64 *ret_tat)
{
	__u64 next = sl_gcra_base(tat, now) + cost;

	if (next - now > depth)
		return 0;
	*ret_tat = next;
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
