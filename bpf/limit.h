/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage limit: a token bucket per source and service, as GCRA in one word,
 * updated by compare-and-swap, so that CPUs agree without a lock.
 */
#ifndef SLUICE_LIMIT_H
#define SLUICE_LIMIT_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/gcra.h"

/* Swaps lost in a row before the packet is refused. Each lost one means that
 * another CPU has just admitted a packet of this same source.
 */
#define LIMIT_TRIES 8

static __always_inline struct sl_source source_key(const struct sl_packet *packet)
{
	struct sl_source key = {
		.addr = packet->source,
		.service = packet->service->id,
		.family = packet->destination.family,
	};

	/* One customer has a /64 at least: counting addresses would count nothing. */
	if (key.family == SL_FAMILY_IPV6)
		key.addr.halves[1] = 0;
	return key;
}

static __always_inline enum sl_verdict limit_source(const struct sl_packet *packet)
{
	const struct sl_rate rate = packet->service->limit;
	struct sl_source key;
	__u64 now, seen, next, *tat;

	if (!rate.interval)
		return SL_NEXT;
	key = source_key(packet);
	/* Asked for here and not in the entry, as a clock costs what a lookup costs. */
	now = sl_ticks(bpf_ktime_get_ns());
	tat = bpf_map_lookup_elem(&sl_sources, &key);
	if (!tat) {
		next = now + rate.interval;
		if (!bpf_map_update_elem(&sl_sources, &key, &next, BPF_NOEXIST))
			return SL_NEXT;
		/* Another CPU was first, or no memory at all: then without a bucket. */
		tat = bpf_map_lookup_elem(&sl_sources, &key);
		if (!tat)
			return SL_NEXT;
	}
	for (int i = 0; i < LIMIT_TRIES; i++) {
		seen = *(volatile __u64 *)tat;
		if (!sl_gcra_admit(&rate, seen, now, &next))
			break;
		if (__sync_val_compare_and_swap(tat, seen, next) == seen)
			return SL_NEXT;
	}
	return SL_DROP_LIMIT;
}

#endif
