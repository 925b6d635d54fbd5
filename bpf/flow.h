/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The flow table: it holds the flows of slots in transition, and all flows of services that
 * track each. Packets of other flows cost no look-up.
 */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"

static __always_inline struct sl_flow_key flow_key(const struct sl_packet *packet)
{
	return (struct sl_flow_key){
		.source = packet->source,
		.port = packet->source_port,
		.service = packet->service->id,
	};
}

/* The number of the daemon's walk over the flows. */
static __always_inline __u16 walk_round(void)
{
	__u32 key = 0;
	__u64 *round = bpf_map_lookup_elem(&sl_round, &key);

	return round ? (__u16)*round : 0;
}

/* Counts one live connection more or less. */
static __always_inline void load_add(__u32 backend, __s32 change)
{
	struct sl_load *load = bpf_map_lookup_elem(&sl_loads, &backend);

	if (load)
		__sync_fetch_and_add(&load->live, change);
}

/* The flow's entry, or NULL. The first packet behind a SYN moves the entry from
 * the handshakes to the flows.
 */
static __always_inline struct sl_flow *flow_find(const struct sl_packet *packet,
						 const struct sl_flow_key *key)
{
	struct sl_flow *flow = bpf_map_lookup_elem(&sl_flows, key), moved;

	if (flow)
		return flow;
	flow = bpf_map_lookup_elem(&sl_handshakes, key);
	if (!flow || packet->syn)
		return flow;
	moved = *flow;
	if (bpf_map_update_elem(&sl_flows, key, &moved, BPF_ANY))
		return flow;
	bpf_map_delete_elem(&sl_handshakes, key);
	return bpf_map_lookup_elem(&sl_flows, key);
}

/* Notes that a packet of the flow was seen, and whether the packet ends the flow. One CPU
 * alone wins the swap, and takes the connection off the count.
 */
static __always_inline void flow_touch(struct sl_flow *flow, const struct sl_packet *packet,
				       __u32 now)
{
	if (flow->seen != now)
		flow->seen = now;
	if (likely(!packet->closing) || flow->flags)
		return;
	flow->closed = walk_round();
	if (__sync_val_compare_and_swap(&flow->flags, 0, SL_FLOW_CLOSED) == 0)
		load_add(flow->backend, -1);
}

/* Assigns the flow to a backend. old: the flow's entry, if it has one. */
static __always_inline void flow_set(const struct sl_packet *packet, const struct sl_flow_key *key,
				     const struct sl_flow *old, __u32 backend, __u32 now)
{
	struct sl_flow flow = {
		.backend = backend,
		.seen = now,
		.flags = packet->closing ? SL_FLOW_CLOSED : 0,
		.opened = walk_round(),
	};

	if (old && !old->flags)
		load_add(old->backend, -1);
	if (!flow.flags)
		load_add(backend, 1);
	if (!packet->syn) {
		bpf_map_update_elem(&sl_flows, key, &flow, BPF_ANY);
		return;
	}
	/* The entry of the connection that had this port before would be found first. */
	if (old)
		bpf_map_delete_elem(&sl_flows, key);
	bpf_map_update_elem(&sl_handshakes, key, &flow, BPF_ANY);
}

#endif
