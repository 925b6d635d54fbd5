/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The flow table: it holds the flows of slots in transition, and all flows of services that
 * track each. Packets of other flows cost no look-up. Here is what happens to an entry; tracking.h
 * says which packets make it happen.
 */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/second.h"

/* The key of the packet's flow. */
static __always_inline struct sl_flow_key flow_key(const struct sl_packet *packet)
{
	return (struct sl_flow_key){
		.source = packet->source,
		.port = packet->source_port,
		.service = packet->service->id,
	};
}

/* SL_SECONDs without a packet after which a connection of the service has ended. */
static __always_inline __u32 flow_idle(const struct sl_service *service)
{
	return service->flags & SL_SERVICE_TRACKED ? sl_tuning.tracked_idle : sl_tuning.tcp_idle;
}

/* The word of the daemon's walk over the flows: its round in the lower half, SL_ROUND_* in the
 * upper one.
 */
static __always_inline __u64 walk_word(void)
{
	__u32 key = 0;
	__u64 *word = bpf_map_lookup_elem(&sl_round, &key);

	return word ? *word : 0;
}

static __always_inline __u32 walk_round(void)
{
	return (__u32)walk_word();
}

/* Counts one live connection more or less. */
static __always_inline void load_add(__u32 backend, __s32 change)
{
	struct sl_load *load = bpf_map_lookup_elem(&sl_loads, &backend);

	if (load)
		__sync_fetch_and_add(&load->live, change);
}

/* ---- the end of a connection, and its reopening -------------------------------------- */

/* Notes that the flow has ended. One CPU alone finds no flag, and takes the connection off the
 * count.
 */
static __always_inline void flow_end(struct sl_flow *flow, __u32 flag)
{
	if (!flow->flags)
		flow->closed = walk_round();
	if (!__sync_lock_test_and_set(&flow->flags, flag))
		load_add(flow->backend, -1);
}

/* The connection goes on. If it was live when the round of the walk began, it still counts as
 * that.
 */
static __always_inline void flow_reopen(struct sl_flow *flow)
{
	__u32 flags = flow->flags, round = walk_round();

	if (flow->closed != round)
		flow->opened = round;
	if (__sync_val_compare_and_swap(&flow->flags, flags, 0) == flags)
		load_add(flow->backend, 1);
}

static __always_inline void flow_end_at(struct sl_flow *flow, __u32 backend)
{
	if (flow && flow->backend == backend)
		flow_end(flow, SL_FLOW_OVER);
}

/* Notes a RST in a reply of packet->backend. It comes by the way that leads to the backend, so it
 * is not forged.
 */
static __always_inline void flow_end_by_reply(const struct xdp_md *xdp,
					      const struct sl_packet *packet)
{
	const struct tcphdr *tcp = packet_tcp(xdp, packet);
	struct sl_flow_key key = {
		.source = packet->destination.addr,
		.port = packet->destination.port,
		.service = packet->reply->service,
	};

	if (!tcp || !tcp->rst)
		return;
	flow_end_at(bpf_map_lookup_elem(&sl_flows, &key), packet->backend_index);
	flow_end_at(bpf_map_lookup_elem(&sl_handshakes, &key), packet->backend_index);
}

static __always_inline void flow_see(struct sl_flow *flow, __u32 now)
{
	if (flow->seen != now)
		flow->seen = now;
}

/* Whether a flow is steady, that is, the packet changes nothing of its entry in sl_flows but the
 * time at which it was seen: most packets change no more.
 */
static __always_inline bool flow_is_steady(const struct sl_flow *flow,
					   const struct sl_packet *packet, __u32 now)
{
	if (flow->flags | packet->closing)
		return false;
	return likely(!packet->syn) ||
	       sl_second_difference(now, flow->seen) <= (__s32)flow_idle(packet->service);
}

/* ---- another connection on the same port ------------------------------------------------ */

/* A SYN on a port whose connection has been silent for too long: that connection has ended. */
static __always_inline void flow_expire(struct sl_flow *flow, __u32 idle, __u32 now)
{
	if (sl_second_difference(now, flow->seen) > (__s32)idle)
		flow_end(flow, SL_FLOW_OVER);
}

/* `flow` takes the place of `old`, which may have been live when the round of the walk began. */
static __always_inline void flow_replace(struct sl_flow *flow, struct sl_flow *old)
{
	__u32 round = walk_round();

	flow_end(old, SL_FLOW_OVER);
	flow->earlier_round = round;
	if (old->opened != round && (!old->flags || old->closed == round))
		flow->earlier = old->backend;
	else
		flow->earlier = old->earlier_round == round ? old->earlier : SL_NO_BACKEND;
}

/* The flow leaves the handshakes. If the walk has looked at all of those in this round, the flow
 * has been counted.
 */
static __always_inline void flow_leave_handshakes(struct sl_flow *flow)
{
	__u64 word = walk_word();

	if (word & SL_ROUND_HANDSHAKES)
		flow->opened = (__u32)word;
}

#endif
