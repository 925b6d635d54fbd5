/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * New connections of a source that is over its limit go to the responder, which answers them
 * (429). Their flows are tracked whatever the slot. So that other sources pay for no look-up,
 * a word of sl_responding, which some sources share, holds the time until which one of them
 * may have such connections.
 */
#ifndef SLUICE_BPF_RESPOND_H
#define SLUICE_BPF_RESPOND_H

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/pace.h"
#include "bpf/packet.h"
#include "bpf/tracking.h"
#include "sluice/hash.h"
#include "sluice/second.h"

/* The word that holds until when the source's flows are to be looked up. */
static __always_inline __u32 *respond_until(const struct sl_packet *packet)
{
	struct sl_source key = {
		.addr = packet->source,
		.id = packet->service->id,
		.family = packet->destination.family,
	};
	__u32 line = (__u32)sl_hash_source(&key, sl_tuning.gate_seed) & sl_settings.gate_mask;

	return bpf_map_lookup_elem(&sl_responding, &line);
}

static __always_inline bool respond_is_current(const __u32 *until)
{
	return until && *until && sl_second_difference(*until, coarse_seconds()) > 0;
}

/* Whether the responder serves. If so, it is the packet's backend, and select keeps to it. */
static __always_inline bool respond_serves(struct sl_packet *packet)
{
	packet->opened = false;
	packet->backend_index = packet->service->responder;
	packet->backend = bpf_map_lookup_elem(&sl_backends, &packet->backend_index);
	if (packet->backend && packet->backend->state & SL_BACKEND_SERVES)
		return true;
	packet->backend = NULL;
	return false;
}

/* Whether the packet belongs to a connection that the responder has: no limit is
 * charged for it, or it would never be answered.
 */
static __always_inline bool respond_continues(struct xdp_md *xdp, struct sl_packet *packet,
					      __u32 *until)
{
	struct tracking tracking = tracking_of(packet);
	__u32 end = tracking.now + SL_RESPOND_SECONDS;

	if (packet->syn)
		return false;
	tracking.only = packet->service->responder;
	if (tracking_follow(xdp, &tracking) == SL_NO_BACKEND)
		return false;
	if (*until != end)
		*until = end;
	return respond_serves(packet);
}

static __always_inline bool respond_has(const struct sl_packet *packet, struct sl_flow *flow)
{
	if (!flow || flow->backend != packet->service->responder)
		return false;
	flow_end(flow, SL_FLOW_OVER);
	return true;
}

/* Forgets the responder's connection on a port that a new connection uses. */
static __always_inline void respond_forget(const struct sl_packet *packet)
{
	struct sl_flow_key key = flow_key(packet);

	if (respond_has(packet, bpf_map_lookup_elem(&sl_flows, &key)))
		bpf_map_delete_elem(&sl_flows, &key);
	if (respond_has(packet, bpf_map_lookup_elem(&sl_handshakes, &key)))
		bpf_map_delete_elem(&sl_handshakes, &key);
}

/* Gives a new connection to the responder, if it can take it. No connection of a backend's that
 * lives is taken from it.
 */
static __always_inline bool respond_begins(struct xdp_md *xdp, struct sl_packet *packet,
					   __u32 *until)
{
	struct tracking tracking = tracking_of(packet);

	if (!until || !respond_serves(packet))
		return false;
	tracking.known = true; /* it may be, so tracking_assign() looks it up */
	tracking.yields = true;
	if (tracking_assign(xdp, &tracking, packet->backend_index)) {
		packet->backend = NULL;
		return false;
	}
	*until = tracking.now + SL_RESPOND_SECONDS;
	return true;
}

#endif
