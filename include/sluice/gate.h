/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The gate is an array of cells that sources share (docs/architecture.md, The limiter).
 * A cell is the theoretical arrival time of all its sources together. As cells are times,
 * sources of limits with different rates can share one.
 *
 * Invariant: a source never owes more by its own arrivals than its cell does, as long as
 * sl_limit.gate_cap is at least a whole burst beyond gate_depth. So each source that the
 * gate admits is within its limit. The cap is no less for another reason: the gate
 * drains by the clock, as the source's bucket does, and must not be ready again
 * before the bucket is full, or a source that pauses for as long as the cap gets
 * both again and again. Pure arithmetic, compiled for BPF and natively.
 *
 * A source has one cell. With two, of which the lower counts (a count-min sketch with
 * conservative update), simulated traffic of many even sources ran the gate dry at
 * half the load, and a source beside heavy ones was hardly better off.
 */
#ifndef SLUICE_SHARED_GATE_H
#define SLUICE_SHARED_GATE_H

#include "sluice/abi.h"
#include "sluice/gcra.h"
#include "sluice/inline.h"

struct sl_gate_place {
	__u32 line; /* of sl_gate */
	__u32 cell; /* of the line */
	__u16 tag;  /* never 0 */
};

/* The place of a source by its hash (sl_hash_source()); mask: lines, less one. Each
 * member takes bits of its own, scaled to its range.
 */
static SL_ALWAYS_INLINE struct sl_gate_place sl_gate_place(__u64 hash, __u32 mask)
{
	return (struct sl_gate_place){
		.line = (__u32)hash & mask,
		.cell = (hash >> 32 & 0xffff) * SL_GATE_CELLS >> 16,
		.tag = (__u16)(hash >> 48 | 1),
	};
}

/* Whether one of the four tags in a word is this one. A lane of the difference that is
 * zero borrows into its top bit.
 */
static inline int sl_gate_has_tag(__u64 word, __u16 tag)
{
	__u64 difference = word ^ tag * 0x0001000100010001ULL;

	return ((difference - 0x0001000100010001ULL) & ~difference & 0x8000800080008000ULL) != 0;
}

/* The gate is charged a sixteenth more than an arrival costs: its cells are written
 * without locks, and where two CPUs raise one at the same moment, the charge of one is
 * lost. The bucket is exact.
 */
static inline __u64 sl_gate_cost(__u64 cost)
{
	return cost + (cost >> 4);
}

/* Charges an arrival, whose cost is of sl_gate_cost(). 1: the gate admits it; 0: the gate
 * is dry. Either way the cell becomes *ret_next. -1: the gate is dry, and the cell at its
 * cap: nothing is to be written, and *ret_next is left alone.
 */
static inline int sl_gate_charge(const struct sl_limit *limit, __u64 cell, __u64 now, __u64 cost,
				 __u64 *ret_next)
{
	__u64 ahead = sl_gcra_base(cell, now) - now + cost;

	if (ahead > limit->gate_cap)
		return -1;
	*ret_next = now + ahead;
	return ahead <= limit->gate_depth;
}

#endif
