/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The gate in front of the buckets (docs/architecture.md, The limiter): while the cell that a
 * source shares with others still has tokens, the source cannot be over its own
 * limit, and nothing else is touched. Every arrival is charged, admitted or not, so
 * that a cell stays dry as long as more arrives than the rate.
 */
#ifndef SLUICE_BPF_GATE_H
#define SLUICE_BPF_GATE_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/gate.h"
#include "sluice/hash.h"

/* The place of a source in the gate. key: with the limit's number as its id, so that another
 * rate finds the same cells.
 */
static __always_inline struct sl_gate_place gate_place(const struct sl_source *key)
{
	return sl_gate_place(sl_hash_source(key, sl_tuning.gate_seed), sl_settings.gate_mask);
}

static __always_inline struct sl_gate_line *gate_line(__u32 index)
{
	return bpf_map_lookup_elem(&sl_gate, &index);
}

/* Charges an arrival, and returns whether it may pass. */
static __always_inline bool gate_admits(const struct sl_limit *limit,
					const struct sl_gate_place *place, __u64 cost)
{
	struct sl_gate_line *line = gate_line(place->line);
	__u64 *cell, next;
	int admitted;

	if (!line)
		return false;
	cell = &line->cells[place->cell];
	admitted = sl_gate_charge(limit, *(volatile __u64 *)cell, kernel_ticks(),
				  sl_gate_cost(cost), &next);
	if (admitted < 0)
		return false;
	/* No swap: the gate is written for every packet, and a locked one stops the CPU. */
	*(volatile __u64 *)cell = next;
	return admitted;
}

static __always_inline bool gate_has_tag(const struct sl_gate_line *line, __u16 tag)
{
	return sl_gate_has_tag(line->tag_words[0], tag) || sl_gate_has_tag(line->tag_words[1], tag);
}

/* Notes that the source has a bucket, in the place of a random tag of the line. */
static __always_inline void gate_put_tag(struct sl_gate_line *line, __u16 tag)
{
	if (!gate_has_tag(line, tag))
		line->tags[bpf_get_prandom_u32() % SL_GATE_TAGS] = tag;
}

#endif
