/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage limit caps the packets of one source, or of all of them, to a service. The gate
 * admits a source that is surely within its limits; a bucket judges the others.
 */
#ifndef SLUICE_BPF_LIMIT_H
#define SLUICE_BPF_LIMIT_H

#include <linux/in.h>

#include "bpf/bucket.h"
#include "bpf/gate.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/reject.h"
#include "bpf/respond.h"
#include "sluice/source.h"

/* The units that a packet counts for; 0: the limit does not apply to it. A value that is no
 * kind of unit counts nothing.
 */
static __always_inline __u32 limit_units(const struct sl_limit *limit, __u32 length, bool opens)
{
	switch ((enum sl_limit_count)limit->count) {
	case SL_COUNT_PACKETS:
		return 1;
	case SL_COUNT_BYTES:
		return length & 0xffff;
	case SL_COUNT_CONNECTIONS:
		return opens;
	}
	return 0;
}

/* Whether the gate admits the packet. */
static __always_inline bool limit_gate_admits(const struct sl_limit *limit,
					      const struct sl_gate_place *place, __u32 units)
{
	struct sl_limit_stats *stats;

	/* A bucket that all sources share is exact from the first packet on. */
	if (limit->flags & SL_LIMIT_PER_SERVICE ||
	    !gate_admits(limit, place, sl_limit_cost(limit, units)))
		return false;
	stats = limit_stats(limit);
	if (stats)
		stats->gate++;
	return true;
}

/* Whether the packet is within the limit. A function of its own to the verifier,
 * which follows it once, and not for each limit of a service.
 */
__noinline int limit_admits(struct limit_ask *ask)
{
	const struct sl_limit *limit;
	struct sl_gate_place place;
	struct sl_limit_stats *stats;
	struct sl_source key;
	__u32 index, units;

	if (!ask)
		return true;
	index = ask->limit;
	limit = bpf_map_lookup_elem(&sl_limits, &index);
	if (!limit)
		return true;
	units = limit_units(limit, ask->length, ask->opens);
	key = sl_limit_source(limit, &ask->source, ask->family, limit->number);
	place = gate_place(&key);
	if (!units || (ask->at_gate && limit_gate_admits(limit, &place, units)))
		return true;
	key.id = limit->id;
	stats = limit_stats(limit);
	return !stats || bucket_admits(limit, ask, &key, &place, units, stats);
}

/* Whether the gate of the service's first limit, most often its only one, admits the
 * packet. This is asked without a call.
 */
static __always_inline bool limit_admits_at_once(const struct sl_packet *packet)
{
	__u32 index = packet->service->limits;
	const struct sl_limit *limit = bpf_map_lookup_elem(&sl_limits, &index);
	struct sl_gate_place place;
	struct sl_source key;
	__u32 units;

	if (!limit)
		return false;
	units = limit_units(limit, packet->length, packet->syn);
	key = sl_limit_source(limit, &packet->source, packet->destination.family, limit->number);
	place = gate_place(&key);
	return !units || limit_gate_admits(limit, &place, units);
}

/* Whether a packet over the limit, one that opens a connection, gets an answer: the responder's, if
 * that is packet->backend now, or else a refusal. A value that is no action's drops.
 */
static __always_inline bool limit_answers(struct xdp_md *xdp, const struct sl_limit *limit,
					  struct sl_packet *packet, __u32 *until)
{
	switch ((enum sl_limit_action)limit->action) {
	case SL_ACTION_DROP:
		return false;
	case SL_ACTION_REJECT:
		return pace_refusals();
	case SL_ACTION_RESPOND:
		return pace_refusals() && respond_begins(xdp, packet, until);
	}
	return false;
}

/* Refuses a packet that is over the limit. SL_NEXT: it goes on, to the responder. */
static __always_inline enum sl_verdict refuse_source(struct xdp_md *xdp,
						     const struct sl_limit *limit,
						     struct sl_packet *packet, __u32 *until)
{
	bool opens = packet->syn || packet->destination.proto != IPPROTO_TCP;
	struct sl_limit_stats *stats;

	if (!opens || !limit_answers(xdp, limit, packet, until))
		return SL_DROP_LIMIT;
	stats = limit_stats(limit);
	if (stats)
		stats->answered++;
	if (packet->backend)
		return SL_NEXT;
	return reject_packet(xdp, packet, REJECT_PROHIBITED) ? SL_REJECTED_LIMIT : SL_DROP_LIMIT;
}

/* The first limit that the packet is over; NULL: none. */
static __always_inline const struct sl_limit *find_refusing(const struct sl_packet *packet)
{
	const struct sl_service *service = packet->service;
	struct limit_ask ask;
	bool passed = limit_admits_at_once(packet);
	__u32 index;

	if (likely(passed && service->n_limits == 1))
		return NULL;
	ask = (struct limit_ask){
		.source = packet->source,
		.family = packet->destination.family,
		.service = service->id,
		.length = packet->length,
		.opens = packet->syn,
	};
	for (__u32 i = 0; i < SL_LIMITS_MAX && i < service->n_limits; i++) {
		ask.limit = service->limits + i;
		if ((!i && passed) || limit_admits(&ask)) {
			ask.at_gate = true;
			continue;
		}
		index = service->limits + i;
		return bpf_map_lookup_elem(&sl_limits, &index);
	}
	return NULL;
}

static __always_inline enum sl_verdict limit_source(struct xdp_md *xdp, struct sl_packet *packet)
{
	const struct sl_limit *refusing;
	__u32 *until = NULL;

	if (likely(!packet->service->n_limits))
		return SL_NEXT;
	if (unlikely(packet->service->responder)) {
		until = respond_until(packet);
		if (respond_is_current(until) && respond_continues(xdp, packet, until))
			return SL_NEXT;
	}
	refusing = find_refusing(packet);
	if (unlikely(refusing))
		return refuse_source(xdp, refusing, packet, until);
	if (unlikely(until) && packet->syn && respond_is_current(until))
		respond_forget(packet);
	return SL_NEXT;
}

#endif
