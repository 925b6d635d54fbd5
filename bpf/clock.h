/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Clocks that cost less than the exact one.
 */
#ifndef SLUICE_BPF_CLOCK_H
#define SLUICE_BPF_CLOCK_H

#include "bpf/maps.h"
#include "sluice/gcra.h"
#include "sluice/second.h"

/* SL_SECONDs of CLOCK_MONOTONIC, as coarse as the kernel's ticks. */
static __always_inline __u32 coarse_seconds(void)
{
	return sl_second(bpf_ktime_get_coarse_ns());
}

/* The kernel's jiffies in ticks (sluice/gcra.h). To read them is a load, where other clocks
 * are calls. They count from another moment than CLOCK_MONOTONIC, so they are compared with
 * one another alone.
 */
static __always_inline __u64 kernel_ticks(void)
{
	return sl_ticks(bpf_jiffies64() * sl_tuning.jiffy_ns);
}

#endif
