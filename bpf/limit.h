/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage limit: what one source, or all of them, may send to a service. Whoever is
 * within its limits passes the gate; whoever may not be is judged by a bucket.
 */
#ifndef SLUICE_LIMIT_H
#define SLUICE_LIMIT_H

#include <linux/in.h>

#include "bpf/bucket.h"
#include "bpf/gate.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/respond.h"

/* What the packet counts for; 0: the limit is not about it. */
static __always_inline __u32 limit_units(const struct sl_limit *limit,
					 const struct sl_packet *packet)
{
	switch (limit->count) {
	case SL_COUNT_BYTES:
		return packet->length & 0xffff;
	case SL_COUNT_CONNECTIONS:
		return packet->syn;
	}
	return 1;
}

/* Whether the gate admits the packet. */
static __always_inline bool gate_opens(const struct sl_limit *limit,
				       const struct sl_gate_place *place, __u32 units)
{
	struct sl_limit_stats *stats;

	/* What all sources share is exact from the first packet on. */
	if (limit->flags & SL_LIMIT_PER_SERVICE ||
	    !gate_admits(limit, place, sl_limit_cost(limit, units)))
		return false;
	stats = limit_stats(limit);
	if (stats)
		stats->gate++;
	return true;
}

/* Whether the packet is within the limit at index. */
static __always_inline bool limit_admits(const struct sl_packet *packet,
					 const struct sl_limit *limit, __u32 index)
{
	__u32 units = limit_units(limit, packet), family = packet->destination.family;
	const struct sl_source key =
		limit_source_key(limit, &packet->source, family, limit->number);
	const struct sl_gate_place place = gate_place(&key);
	struct limit_ask ask;

	if (!units || likely(gate_opens(limit, &place, units)))
		return true;
	ask = (struct limit_ask){
		.source = packet->source,
		.family = family,
		.limit = index,
		.service = packet->service->id,
		.units = units,
		.line = place.line,
		.tag = place.tag,
	};
	return bucket_admits(&ask);
}

/* Over the limit. SL_NEXT: the packet goes on, to be answered. */
static __always_inline enum sl_verdict refuse_source(const struct sl_limit *limit,
						     struct sl_packet *packet, __u32 *until)
{
	bool opens = packet->syn || packet->destination.proto != IPPROTO_TCP;
	struct sl_limit_stats *stats;

	if (limit->action == SL_ACTION_DROP || !opens || !pace_answers())
		return SL_DROP_LIMIT;
	if (limit->action == SL_ACTION_RESPOND && !respond_begins(packet, until))
		return SL_DROP_LIMIT;
	packet->decided = true;
	stats = limit_stats(limit);
	if (stats)
		stats->answered++;
	return SL_NEXT;
}

/* The first limit that the packet is over; NULL: none. */
static __always_inline const struct sl_limit *find_refusing(const struct sl_packet *packet)
{
	const struct sl_service *service = packet->service;
	const struct sl_limit *limit;

	__u32 first = service->limits, n = service->n_limits;

	for (__u32 i = 0; i < SL_LIMITS_MAX; i++) {
		__u32 index = first + i;

		limit = bpf_map_lookup_elem(&sl_limits, &index);
		if (limit && !limit_admits(packet, limit, first + i))
			return limit;
		if (likely(i + 1 >= n))
			break;
	}
	return NULL;
}

static __always_inline enum sl_verdict limit_source(struct sl_packet *packet)
{
	const struct sl_limit *refusing;
	__u32 *until = NULL;

	if (likely(!packet->service->n_limits))
		return SL_NEXT;
	if (unlikely(packet->service->responder)) {
		until = respond_until(packet);
		if (respond_is_current(until) && respond_continues(packet, until))
			return SL_NEXT;
	}
	refusing = find_refusing(packet);
	if (unlikely(refusing))
		return refuse_source(refusing, packet, until);
	if (unlikely(until) && packet->syn && respond_is_current(until))
		respond_forget(packet);
	return SL_NEXT;
}

#endif
