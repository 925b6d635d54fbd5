/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A slot of a service's table: one word, so that a packet sees the whole of it.
 * `current` takes new connections. While the slot is in transition (tracking),
 * `previous` is the backend that connections belong to which are older than the
 * change and have not been seen since; when every live one has been seen and is
 * with `current`, the slot settles. `current == previous` does not mean settled:
 * flows may be pinned elsewhere. Pure arithmetic, for BPF and natively.
 */
#ifndef SLUICE_SHARED_SLOT_H
#define SLUICE_SHARED_SLOT_H

#include "sluice/abi.h"

#define SL_SLOT_INDEX_BITS 24
#define SL_SLOT_INDEX_MASK ((1ULL << SL_SLOT_INDEX_BITS) - 1)

#define SL_SLOT_TRACKING   (1ULL << 63)

/* The slot is in transition, and changed so lately that an unknown UDP flow is an older one,
 * which has not sent since; until sl_tuning.fresh_until.
 */
#define SL_SLOT_FRESH (1ULL << 62)

static inline __u32 sl_slot_current(__u64 slot)
{
	return (__u32)(slot & SL_SLOT_INDEX_MASK);
}

static inline __u32 sl_slot_previous(__u64 slot)
{
	return (__u32)(slot >> SL_SLOT_INDEX_BITS & SL_SLOT_INDEX_MASK);
}

static inline __u64 sl_slot(__u32 current, __u32 previous, __u64 marks)
{
	return current | (__u64)previous << SL_SLOT_INDEX_BITS | marks;
}

#endif
