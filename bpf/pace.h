/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Caps, per CPU, on work that an attacker could cause: new buckets, refusals, events for the
 * log.
 */
#ifndef SLUICE_BPF_PACE_H
#define SLUICE_BPF_PACE_H

#include <stdbool.h>

#include "bpf/maps.h"
#include "sluice/gcra.h"

static __always_inline struct sl_pace *own_pace(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&sl_paces, &key);
}

/* Whether one more unit of the work may be done now. tat: of struct sl_pace. */
static __always_inline bool pace_is_open(const volatile struct sl_rate *rate, __u64 tat, __u64 now)
{
	return sl_gcra_admit(rate->depth, rate->interval, tat, now, &tat);
}

/* The same, and charges it if it may. */
static __always_inline bool pace_allows(const volatile struct sl_rate *rate, __u64 *tat, __u64 now)
{
	return sl_gcra_admit(rate->depth, rate->interval, *tat, now, tat);
}

/* Whether one more refusal may be sent now; if so, it is charged. */
static __always_inline bool pace_refusals(void)
{
	struct sl_pace *pace = own_pace();

	return pace &&
	       pace_allows(&sl_tuning.refusals, &pace->refusals, sl_ticks(bpf_ktime_get_ns()));
}

#endif
