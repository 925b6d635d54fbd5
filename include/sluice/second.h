/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Coarse time: an SL_SECOND is 2^30 ns (1.07 s) of CLOCK_MONOTONIC. Flows are seen, and
 * affinities, buckets and access entries expire, in SL_SECONDs of 32 bits, which wrap
 * and are compared as differences. Pure arithmetic, compiled for BPF and natively.
 */
#ifndef SLUICE_SHARED_SECOND_H
#define SLUICE_SHARED_SECOND_H

#include <linux/types.h>

#define SL_SECOND_SHIFT 30

/* The second that a time lies in. */
static inline __u32 sl_second(__u64 ns)
{
	return (__u32)(ns >> SL_SECOND_SHIFT);
}

/* The length in nanoseconds of this many seconds, or the time at which that second begins. */
static inline __u64 sl_second_ns(__u32 seconds)
{
	return (__u64)seconds << SL_SECOND_SHIFT;
}

/* The seconds of a duration, rounded up. */
static inline __u32 sl_second_ceil(__u64 ns)
{
	return sl_second(ns + (1ULL << SL_SECOND_SHIFT) - 1);
}

/* a - b; negative: a is the earlier of the two. */
static inline __s32 sl_second_difference(__u32 a, __u32 b)
{
	return (__s32)(a - b);
}

#endif
