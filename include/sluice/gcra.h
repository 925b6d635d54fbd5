/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The generic cell rate algorithm in its virtual scheduling form (ITU-T I.371,
 * annex A), which admits exactly what a token bucket of the same rate and burst
 * admits. The whole state is one word, the theoretical arrival time (TAT) of
 * the next packet; 0 is a bucket nobody has used.
 *
 * Times are in ticks of 1/256 ns, so that the error of an interval stays below
 * 0.1 % up to 10^8 packets a second; they wrap after 2.2 years of uptime and
 * are compared as differences. Pure arithmetic, compiled for BPF and natively.
 */
#ifndef SLUICE_GCRA_H
#define SLUICE_GCRA_H

#include "sluice/abi.h"

#define SL_TICK_SHIFT 8 /* ticks = ns << SL_TICK_SHIFT */

static inline __u64 sl_ticks(__u64 ns)
{
	return ns << SL_TICK_SHIFT;
}

/* Whether a packet that arrives at `now` may pass. 1: yes, and *ret_tat is the
 * state that follows. 0: no, the state stays, and *ret_tat is left alone. A
 * TAT in the past counts as now: an idle bucket is full, never fuller.
 */
static inline int sl_gcra_admit(const struct sl_rate *rate, __u64 tat, __u64 now, __u64 *ret_tat)
{
	__u64 base = (__s64)(tat - now) > 0 ? tat : now;

	if (base - now > rate->tolerance)
		return 0;
	*ret_tat = base + rate->interval;
	return 1;
}

#endif
