/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Stage select: chooses the backend that a packet goes to (docs/architecture.md, Slots and
 * transition). In the steady state the flow's slot in the service's table says it, and no flow
 * is looked up.
 */
#ifndef SLUICE_BPF_SELECT_H
#define SLUICE_BPF_SELECT_H

#include <linux/in.h>

#include "bpf/affinity.h"
#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/reject.h"
#include "bpf/schedule.h"
#include "bpf/tracking.h"
#include "sluice/hash.h"
#include "sluice/slot.h"

/* The backend at index, if it has all the bits of want in its state; else NULL. */
static __always_inline struct sl_backend *backend_that(__u32 index, __u32 want)
{
	struct sl_backend *backend = NULL;

	if (index != SL_NO_BACKEND)
		backend = bpf_map_lookup_elem(&sl_backends, &index);
	return backend && (backend->state & want) == want ? backend : NULL;
}

/* Ends a packet that no backend can serve. */
static __always_inline enum sl_verdict select_none(struct xdp_md *xdp, struct sl_packet *packet)
{
	if (packet->service->flags & SL_SERVICE_REJECT && pace_refusals() &&
	    reject_packet(xdp, packet, REJECT_PROHIBITED))
		return SL_REJECTED;
	return SL_DROP_NO_BACKEND;
}

/* Sends the packet to the backend at index. */
static __always_inline enum sl_verdict select_index(struct xdp_md *xdp, struct sl_packet *packet,
						    __u32 index)
{
	packet->backend_index = index;
	packet->backend = backend_that(index, 0);
	return likely(packet->backend) ? SL_NEXT : select_none(xdp, packet);
}

/* A backend for a new connection. */
static __always_inline __u32 select_new(const struct sl_packet *packet, __u64 slot, __u32 now)
{
	const struct sl_service *service = packet->service;
	struct sl_source client;
	__u32 index;

	if (!service->affinity_timeout)
		return schedule_new(service, slot);
	client = affinity_key(packet);
	index = affinity_find(service, &client, now);
	if (!backend_that(index, SL_BACKEND_SERVES | SL_BACKEND_NEW))
		index = schedule_new(service, slot);
	if (index != SL_NO_BACKEND)
		affinity_set(service, &client, index, now);
	return index;
}

/* A flow in a table that another one has replaced. */
struct replaced_ask {
	struct sl_addr source;
	__be16 port;
	__u16 pad;
	__u32 family;
	__u32 service; /* index into sl_services: whose table it is */
	__u32 pad2;
};

/* The index of the backend that an older connection has by a replaced table: the slot's `previous`,
 * if it is in transition; where it has none, what the table says that was replaced before, and so
 * on. A function of its own to the verifier.
 */
__noinline __u32 select_replaced(struct replaced_ask *ask)
{
	const struct sl_service *service;
	__u32 index, hash;
	__u64 slot, *old;

	if (!ask)
		return SL_NO_BACKEND;
	index = ask->service;
	for (int i = 0; i < SL_REPLACED_MAX && index; i++) {
		service = bpf_map_lookup_elem(&sl_services, &index);
		if (!service)
			return SL_NO_BACKEND;
		hash = sl_hash_scheduled(service->scheduler, &ask->source, ask->port, ask->family,
					 sl_settings.hash_seed);
		old = schedule_hash(service, hash);
		if (!old)
			return SL_NO_BACKEND;
		slot = *old;
		if (!(slot & SL_SLOT_TRACKING))
			return sl_slot_current(slot);
		if (sl_slot_previous(slot) != SL_NO_BACKEND)
			return sl_slot_previous(slot);
		index = service->replaced;
	}
	return SL_NO_BACKEND;
}

/* The backend of an older connection: the slot's `previous`; where the slot has none, the
 * backend that the replaced table tells.
 */
static __always_inline __u32 select_previous(const struct sl_packet *packet, __u64 slot)
{
	struct replaced_ask ask;

	if (sl_slot_previous(slot) != SL_NO_BACKEND || !packet->service->replaced)
		return sl_slot_previous(slot);
	ask = (struct replaced_ask){
		.source = packet->source,
		.port = packet->source_port,
		.family = packet->destination.family,
		.service = packet->service->replaced,
	};
	return select_replaced(&ask);
}

static __always_inline bool slot_is_fresh(__u64 slot, __u32 now)
{
	return slot & SL_SLOT_FRESH && sl_second_difference(sl_tuning.fresh_until, now) >= 0;
}

/* A packet of a flow that has no (valid) entry. Is it a new connection, or one
 * that is older than the slot's transition and belongs to `previous`? TCP says
 * so itself; a UDP flow that shows up early in the transition is an older one.
 */
static __always_inline __u32 select_unknown(struct sl_packet *packet, __u64 slot, __u32 now)
{
	bool udp = packet->destination.proto == IPPROTO_UDP;
	bool older = udp ? slot_is_fresh(slot, now) : !packet->syn;

	if ((slot & SL_SLOT_TRACKING) && older) {
		__u32 previous = select_previous(packet, slot);

		if (backend_that(previous, SL_BACKEND_SERVES)) {
			packet->opened = false;
			return previous;
		}
	}
	packet->opened = udp || packet->syn;
	return select_new(packet, slot, now);
}

/* The backend of a packet whose flow is not steady. known: it may have an entry. */
static __always_inline __u32 select_changing(struct xdp_md *xdp, struct sl_packet *packet,
					     struct tracking *tracking, bool known)
{
	__u32 index = known ? tracking_follow(xdp, tracking) : SL_NO_BACKEND;

	if (index != SL_NO_BACKEND)
		return index;
	index = select_unknown(packet, packet->slot, tracking->now);
	if (index == SL_NO_BACKEND)
		return index;
	/* Without a call, because a flood consists of such packets. */
	if (!known)
		tracking_open(xdp, tracking, index);
	else
		(void)tracking_assign(xdp, tracking, index);
	return index;
}

/* Where the flow is steady, all is done here; else, tracking.h has the functions. */
static __always_inline enum sl_verdict select_tracked(struct xdp_md *xdp, struct sl_packet *packet)
{
	struct tracking tracking;
	struct sl_flow *flow;
	bool known;

	packet->opened = false;
	tracking_begin(&tracking, packet);
	flow = bpf_map_lookup_elem(&sl_flows, &tracking.key);
	if (likely(flow && flow_is_steady(flow, packet, tracking.now))) {
		packet->backend_index = flow->backend;
		packet->backend = backend_that(flow->backend, SL_BACKEND_SERVES);
		if (likely(packet->backend)) {
			flow_see(flow, tracking.now);
			return SL_NEXT;
		}
	}
	tracking_complete(&tracking, packet);
	tracking.absent = !flow;
	known = flow || bpf_map_lookup_elem(&sl_handshakes, &tracking.key);
	return select_index(xdp, packet, select_changing(xdp, packet, &tracking, known));
}

/* Reads the flow's slot, for select_backend(). It does so before the limit because both read
 * memory that is seldom in the nearest cache: so the CPU waits for the two together.
 */
static __always_inline enum sl_verdict read_slot(struct sl_packet *packet)
{
	const __u64 *slot;

	packet->hash = schedule_flow(packet, packet->service->scheduler);
	slot = schedule_hash(packet->service, packet->hash);
	if (!slot)
		return SL_DROP_INTERNAL;
	packet->slot = *(const volatile __u64 *)slot;
	return SL_NEXT;
}

static __always_inline enum sl_verdict select_backend(struct xdp_md *xdp, struct sl_packet *packet)
{
	/* The responder's, as the limit has said. */
	if (unlikely(packet->backend))
		return SL_NEXT;
	if (unlikely((packet->slot & SL_SLOT_TRACKING) ||
		     packet->service->flags & SL_SERVICE_TRACKED))
		return select_tracked(xdp, packet);
	packet->opened = packet->syn;
	return select_index(xdp, packet, sl_slot_current(packet->slot));
}

#endif
