/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Schedulers: each chooses the backend of a new connection from the service's table, which the
 * daemon fills as include/sluice/scheduler.h says.
 */
#ifndef SLUICE_BPF_SCHEDULE_H
#define SLUICE_BPF_SCHEDULE_H

#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/hash.h"
#include "sluice/slot.h"

/* The largest number of backends that least-connections compares for one connection; of more,
 * it compares this many in a row from a random place on.
 */
#define SCHEDULE_COMPARED 64

static __always_inline __u64 *schedule_slot(__u32 table, __u32 position)
{
	__u32 index = table + position;

	return bpf_map_lookup_elem(&sl_slots, &index);
}

/* The flow's hash, by which its slot is found, as the scheduler wants it. */
static __always_inline __u32 schedule_flow(const struct sl_packet *packet,
					   enum sl_scheduler scheduler)
{
	return sl_hash_scheduled(scheduler, &packet->source, packet->source_port,
				 packet->destination.family, sl_settings.hash_seed);
}

/* The slot of a service's table that a flow's hash leads to. */
static __always_inline __u64 *schedule_hash(const struct sl_service *service, __u32 hash)
{
	return schedule_slot(service->table, sl_hash_scale(hash, service->table_size));
}

/* One atomic step of the service's cursor: CPUs never take the same turn. */
static __always_inline __u32 schedule_round_robin(const struct sl_service *service)
{
	__u32 id = service->id;
	__u64 *cursor = bpf_map_lookup_elem(&sl_cursors, &id);
	__u64 *slot;

	if (!cursor || !service->table_size)
		return SL_NO_BACKEND;
	slot = schedule_slot(service->table,
			     (__u32)(__sync_fetch_and_add(cursor, 1) % service->table_size));
	return slot ? sl_slot_current(*slot) : SL_NO_BACKEND;
}

/* Whether a has fewer connections for its weight than b, the new one included. */
static __always_inline bool load_less(const struct sl_load *a, const struct sl_load *b)
{
	/* A count that races or eviction drove below zero is none. */
	__u64 live_a = (__s32)a->live > 0 ? a->live : 0;
	__u64 live_b = (__s32)b->live > 0 ? b->live : 0;

	return (live_a + 1) * b->weight < (live_b + 1) * a->weight;
}

static __always_inline __u32 schedule_less(__u32 best, __u32 candidate)
{
	struct sl_load *load, *best_load;

	if (best == SL_NO_BACKEND || best == candidate)
		return candidate;
	load = bpf_map_lookup_elem(&sl_loads, &candidate);
	best_load = bpf_map_lookup_elem(&sl_loads, &best);
	return load && best_load && load_less(load, best_load) ? candidate : best;
}

struct comparing {
	__u32 table, table_size, position, best;
};

static long compare_next(__u32 i, void *context)
{
	struct comparing *comparing = context;
	__u64 *slot = schedule_slot(comparing->table, comparing->position);

	(void)i;
	if (!slot)
		return 1;
	comparing->best = schedule_less(comparing->best, sl_slot_current(*slot));
	if (++comparing->position >= comparing->table_size)
		comparing->position = 0;
	return 0;
}

/* Starts at a random place, so that CPUs that see the same counts do not all
 * choose the first of equals. A global function and bpf_loop(): the verifier
 * follows the body once, and not for each way that leads here.
 */
__noinline __u32 schedule_least_connections(__u32 table, __u32 table_size)
{
	struct comparing comparing = {
		.table = table,
		.table_size = table_size,
		.position = sl_hash_scale(bpf_get_prandom_u32(), table_size),
		.best = SL_NO_BACKEND,
	};

	bpf_loop(table_size < SCHEDULE_COMPARED ? table_size : SCHEDULE_COMPARED, compare_next,
		 &comparing, 0);
	return comparing.best;
}

/* The less busy of two (Mitzenmacher, "The power of two choices in randomized
 * load balancing", 1996), each drawn by weight.
 */
static __always_inline __u32 schedule_random(const struct sl_service *service)
{
	__u32 best = SL_NO_BACKEND;

	for (int i = 0; i < 2; i++) {
		__u64 *slot = schedule_slot(
			service->table, sl_hash_scale(bpf_get_prandom_u32(), service->table_size));

		if (slot)
			best = schedule_less(best, sl_slot_current(*slot));
	}
	return best;
}

/* A backend for a new connection of a service that tracks each; hashed is the
 * slot that the flow hashes to. A value that is no scheduler's chooses none.
 */
static __always_inline __u32 schedule_new(const struct sl_service *service, __u64 hashed)
{
	switch ((enum sl_scheduler)service->scheduler) {
	case SL_SCHEDULER_MAGLEV:
	case SL_SCHEDULER_SOURCE_HASH:
		return sl_slot_current(hashed);
	case SL_SCHEDULER_ROUND_ROBIN:
		return schedule_round_robin(service);
	case SL_SCHEDULER_LEAST_CONNECTIONS:
		return schedule_least_connections(service->table, service->table_size);
	case SL_SCHEDULER_RANDOM:
		return schedule_random(service);
	}
	return SL_NO_BACKEND;
}

#endif
