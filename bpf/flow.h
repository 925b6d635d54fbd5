/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The flow table: it holds the flows of slots in transition, and all flows of services that
 * track each. Packets of other flows cost no look-up.
 *
 * A sender that does not see the connection can forge any single packet of it, but does not
 * know its sequence numbers. So a SYN takes no connection's place before a packet with the
 * number behind the SYN's has come, and a connection that has ended goes on when its client
 * does.
 */
#ifndef SLUICE_BPF_FLOW_H
#define SLUICE_BPF_FLOW_H

#include <bpf/bpf_endian.h>

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/second.h"
#include "sluice/slot.h"

/* The first packet behind a SYN bears the number behind the SYN's, or, where the packets before
 * it were lost, one that is a full frame higher.
 */
#define FLOW_FOLLOWS 2048

/* Data with a number that is less than this before the FIN's is sent again. */
#define FLOW_SENT_AGAIN (1 << 20)

/* SL_SECONDs behind a FIN in which the client acknowledges the server's. */
#define FLOW_LAST_ACK 2

/* SL_SECONDs behind a SYN in which the client answers the server's. */
#define FLOW_FOLLOW_UP 3

/* A packet's look-up in the flow table: the question, and what the look-up has found. The
 * functions of this module that are no inline ones take it by a pointer to the caller's stack;
 * the verifier follows each of these functions once, and not for each of their callers.
 */
struct tracking {
	struct sl_flow_key key;
	__u32 now;     /* SL_SECOND */
	__u32 only;    /* the one backend whose flows are meant; SL_NO_BACKEND: of any */
	__u32 idle;    /* SL_SECONDs without a packet after which a connection has ended */
	__u32 l4, end; /* as of struct sl_packet */
	bool tcp, syn, closing;
	bool all;    /* every flow of the service has an entry */
	bool known;  /* the flow has an entry, even if its backend does not serve any more */
	bool beside; /* of a SYN: the connection before on its port still has an entry */
	bool yields; /* a connection of another backend that lives keeps its entry */
	__u8 pad;
};

static __always_inline struct tracking tracking_of(const struct sl_packet *packet)
{
	bool tracked = packet->service->flags & SL_SERVICE_TRACKED;

	return (struct tracking){
		.key = {
			.source = packet->source,
			.port = packet->source_port,
			.service = packet->service->id,
		},
		.now = coarse_seconds(),
		.only = SL_NO_BACKEND,
		.idle = tracked ? sl_tuning.tracked_idle : sl_tuning.tcp_idle,
		.l4 = packet->l4,
		.end = packet->end,
		.tcp = packet_is_tcp(packet),
		.syn = packet->syn,
		.closing = packet->closing,
		.all = tracked && !(packet->slot & SL_SLOT_TRACKING),
	};
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

static __always_inline struct tcphdr *flow_tcp(const struct xdp_md *xdp,
					       const struct tracking *tracking)
{
	return packet_bytes(xdp, tracking->l4, sizeof(struct tcphdr));
}

/* The sequence number of a TCP packet. */
static __always_inline __u32 flow_number(const struct xdp_md *xdp, const struct tracking *tracking)
{
	const struct tcphdr *tcp = flow_tcp(xdp, tracking);

	return tcp ? bpf_ntohl(tcp->seq) : 0;
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

/* Whether the last packet behind a FIN is more than the client's acknowledgement of the server's
 * FIN, and than data that is sent again.
 */
static __always_inline bool flow_outlives_fin(const struct xdp_md *xdp,
					      const struct tracking *tracking,
					      const struct sl_flow *flow)
{
	const struct tcphdr *tcp;

	if (tracking->now - flow->seen >= FLOW_LAST_ACK)
		return true;
	tcp = flow_tcp(xdp, tracking);
	return tcp && tracking->end - tracking->l4 > tcp->doff * 4 &&
	       flow->number - bpf_ntohl(tcp->seq) - 1 >= FLOW_SENT_AGAIN;
}

/* Whether another connection begins on the flow's port. Meanwhile the flow is not opened again: a
 * packet of it may be forged, and the other one would not get the entry.
 */
static __always_inline bool flow_is_contended(const struct sl_flow_key *key, __u32 now)
{
	const struct sl_flow *begun = bpf_map_lookup_elem(&sl_handshakes, key);

	return begun && !(begun->flags & SL_FLOW_ENDED) && now - begun->seen < FLOW_FOLLOW_UP;
}

/* Notes a FIN or RST of the client's. */
static __always_inline void flow_close(const struct xdp_md *xdp, const struct tracking *tracking,
				       struct sl_flow *flow)
{
	const struct tcphdr *tcp = flow_tcp(xdp, tracking);

	if (!tcp)
		return;
	if (!tcp->rst)
		flow->number = bpf_ntohl(tcp->seq);
	flow_end(flow, tcp->rst ? SL_FLOW_RST : SL_FLOW_FIN);
}

/* Notes a packet that begins or ends something. Whether the flow was seen by it. */
static __always_inline bool flow_turn(const struct xdp_md *xdp, const struct tracking *tracking,
				      const struct sl_flow_key *key, struct sl_flow *flow)
{
	if (tracking->syn)
		flow->number = flow_number(xdp, tracking);
	else if (tracking->closing)
		flow_close(xdp, tracking, flow);
	else if (flow->flags == SL_FLOW_FIN && !flow_outlives_fin(xdp, tracking, flow))
		return false;
	else if (flow_is_contended(key, tracking->now))
		flow_end(flow, SL_FLOW_DOUBTED);
	else
		flow_reopen(flow);
	return true;
}

static __always_inline void flow_see(struct sl_flow *flow, __u32 now)
{
	if (flow->seen != now)
		flow->seen = now;
}

/* ---- the flow that a packet belongs to ------------------------------------------------ */

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

/* Whether a packet without SYN belongs to the connection that a SYN has begun. Where every flow
 * has an entry and this one has no other, it does; elsewhere its number says so.
 */
static __always_inline bool flow_begins(const struct xdp_md *xdp, const struct tracking *tracking,
					const struct sl_flow *begun, const struct sl_flow *flow)
{
	if (!flow && tracking->all)
		return true;
	return flow_number(xdp, tracking) - begun->number - 1 < FLOW_FOLLOWS;
}

/* The first packet behind a SYN moves the entry from the handshakes to the flows. */
static __always_inline struct sl_flow *flow_establish(const struct sl_flow_key *key,
						      struct sl_flow *begun, struct sl_flow *before)
{
	struct sl_flow moved = *begun;

	flow_leave_handshakes(&moved);
	if (before)
		flow_replace(&moved, before);
	if (bpf_map_update_elem(&sl_flows, key, &moved, BPF_ANY))
		return begun;
	bpf_map_delete_elem(&sl_handshakes, key);
	return bpf_map_lookup_elem(&sl_flows, key);
}

/* Finds the entry of the flow that the packet belongs to, or NULL. A SYN on the port of a
 * connection that lives belongs to that one, since any host could have sent it.
 */
static __always_inline struct sl_flow *
flow_find(const struct xdp_md *xdp, struct tracking *tracking, const struct sl_flow_key *key)
{
	struct sl_flow *flow = bpf_map_lookup_elem(&sl_flows, key), *begun;

	tracking->beside = flow;
	if (flow) {
		if (unlikely(tracking->syn))
			flow_expire(flow, tracking->idle, tracking->now);
		if (likely(!flow->flags))
			return flow;
	}
	begun = bpf_map_lookup_elem(&sl_handshakes, key);
	if (tracking->syn) {
		if (begun)
			flow_expire(begun, SL_HANDSHAKE_SECONDS, tracking->now);
		return begun;
	}
	if (begun && flow_begins(xdp, tracking, begun, flow))
		return flow_establish(key, begun, flow);
	return flow;
}

/* Whether the flow goes on with the backend that its entry says: one that serves on, and of a
 * connection that has not ended, if the packet is a SYN, which is then a new one on a reused port.
 */
static __always_inline bool flow_goes_on(const struct tracking *tracking,
					 const struct sl_flow *flow)
{
	__u32 index = flow->backend;
	const struct sl_backend *backend;

	if (tracking->syn && flow->flags & SL_FLOW_ENDED)
		return false;
	if (tracking->only != SL_NO_BACKEND)
		return index == tracking->only;
	backend = bpf_map_lookup_elem(&sl_backends, &index);
	return backend && backend->state & SL_BACKEND_SERVES;
}

/* Follows a flow: notes that a packet of it was seen; most often, when, and no more. Returns the
 * backend's index, or SL_NO_BACKEND: the flow has no entry, or none that counts, and
 * flow_assign() makes one.
 */
__noinline __u32 flow_follow(struct xdp_md *xdp, struct tracking *tracking)
{
	struct sl_flow_key key; /* Linux 6.1 takes no key from a function's argument */
	struct sl_flow *flow;

	if (!tracking)
		return SL_NO_BACKEND;
	key = tracking->key;
	flow = flow_find(xdp, tracking, &key);
	tracking->known = flow;
	if (!flow || !flow_goes_on(tracking, flow))
		return SL_NO_BACKEND;
	if (unlikely(flow->flags | tracking->closing | tracking->syn) &&
	    !flow_turn(xdp, tracking, &key, flow))
		return flow->backend;
	flow_see(flow, tracking->now);
	return flow->backend;
}

/* A handshake whose place another is about to take. */
static __always_inline struct sl_flow *flow_begun(const struct sl_flow_key *key)
{
	struct sl_flow *begun = bpf_map_lookup_elem(&sl_handshakes, key);

	if (begun)
		flow_leave_handshakes(begun);
	return begun;
}

/* The entry of a flow that is new here. A TCP connection that is met without its SYN, or that
 * begins on the port of another, counts as live with its next packet.
 */
static __always_inline struct sl_flow flow_new(const struct tracking *tracking, __u32 backend)
{
	bool doubted = tracking->tcp && (!tracking->syn || tracking->beside);

	return (struct sl_flow){
		.backend = backend,
		.seen = tracking->now,
		.flags = doubted ? SL_FLOW_DOUBTED : 0,
		.opened = walk_round(),
	};
}

/* The new entry takes the place of an older one. */
static __always_inline void flow_supersede(const struct tracking *tracking,
					   const struct sl_flow_key *key, struct sl_flow *flow,
					   struct sl_flow *old)
{
	flow_end(old, SL_FLOW_OVER);
	if (tracking->syn)
		old = flow_begun(key);
	if (old)
		flow_replace(flow, old);
}

/* Assigns the flow to a backend. Behind a SYN, the entry of the connection that had this port
 * before stays, until the new one has followed up. Returns 0, or 1: the flow yields.
 */
__noinline int flow_assign(struct xdp_md *xdp, struct tracking *tracking, __u32 backend)
{
	struct sl_flow_key key;
	struct sl_flow flow, *old = NULL;

	if (!tracking)
		return 1;
	key = tracking->key;
	if (tracking->known)
		old = flow_find(xdp, tracking, &key);
	if (old && tracking->yields && !(old->flags & SL_FLOW_ENDED) && old->backend != backend)
		return 1;
	flow = flow_new(tracking, backend);
	if (old)
		flow_supersede(tracking, &key, &flow, old);
	if (!flow.flags)
		load_add(backend, 1);
	if (tracking->closing)
		flow_close(xdp, tracking, &flow);
	if (!tracking->syn) {
		bpf_map_update_elem(&sl_flows, &key, &flow, BPF_ANY);
		return 0;
	}
	flow.number = flow_number(xdp, tracking);
	bpf_map_update_elem(&sl_handshakes, &key, &flow, BPF_ANY);
	return 0;
}

#endif
