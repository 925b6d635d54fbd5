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
#include "bpf/packet.h"
#include "bpf/respond.h"
#include "bpf/source.h"

/* What the packet counts for; 0: the limit is not about it. */
static __always_inline __u32 limit_units(const struct sl_limit *limit, const struct limit_ask *ask)
{
	switch (limit->count) {
	case SL_COUNT_BYTES:
		return ask->length & 0xffff;
	case SL_COUNT_CONNECTIONS:
		return ask->opens;
	}
	return 1;
}

/* Whether the packet is within the limit. A function of its own to the verifier,
 * which follows it once, and not for each limit of a service.
 */
__noinline int limit_admits(struct limit_ask *ask)
{
	const struct sl_limit *limit;
	struct sl_limit_stats *stats;
	struct sl_source key;
	struct gate gate;
	__u32 index;

	if (!ask)
		return true;
	index = ask->limit;
	limit = bpf_map_lookup_elem(&sl_limits, &index);
	if (!limit)
		return true;
	stats = limit_stats(limit);
	ask->units = limit_units(limit, ask);
	if (!stats || !ask->units)
		return true;
	key = source_key(&ask->source, ask->family,
			 ask->family == SL_FAMILY_IPV6 ? limit->prefix_v6 : limit->prefix_v4,
			 limit->number);
	if (gate_admits(limit, &key, sl_limit_cost(limit, ask->units), &gate)) {
		stats->gate++;
		return true;
	}
	key.id = limit->id;
	return bucket_admits(limit, ask, &key, &gate, stats);
}

/* Over the limit. SL_NEXT: the packet goes on, to be answered. */
static __always_inline enum sl_verdict refuse_source(const struct sl_limit *limit,
						     struct sl_packet *packet, __u32 *until)
{
	bool opens = packet->syn || packet->destination.proto != IPPROTO_TCP;
	struct sl_limit_stats *stats;

	if (limit->action == SL_ACTION_DROP || !opens ||
	    !pace_allows(answers, sl_ticks(bpf_ktime_get_ns())))
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
	struct limit_ask ask = {
		.source = packet->source,
		.family = packet->destination.family,
		.limit = service->limits,
		.service = service->id,
		.length = packet->length,
		.opens = packet->syn,
	};
	__u32 index;

	for (int i = 0; i < SL_LIMITS_MAX && i < service->n_limits; i++, ask.limit++) {
		if (limit_admits(&ask))
			continue;
		index = ask.limit;
		return bpf_map_lookup_elem(&sl_limits, &index);
	}
	return NULL;
}

static __always_inline enum sl_verdict limit_source(struct sl_packet *packet)
{
	const struct sl_limit *refusing;
	__u32 *until = NULL;
	bool responding;

	if (likely(!packet->service->n_limits))
		return SL_NEXT;
	if (packet->service->responder)
		until = respond_until(packet);
	responding = respond_is_current(until);
	if (responding && respond_continues(packet, until))
		return SL_NEXT;
	refusing = find_refusing(packet);
	if (unlikely(refusing))
		return refuse_source(refusing, packet, until);
	if (responding && packet->syn)
		respond_forget(packet);
	return SL_NEXT;
}

#endif
