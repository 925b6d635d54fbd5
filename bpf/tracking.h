/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Packets that do more than to go on with their flow: they begin a connection, end it or open it
 * again. flow.h has the entries, and knows the packets that are none of these.
 *
 * A sender that does not see the connection can forge any single packet of it, but does not
 * know its sequence numbers. So a SYN takes no connection's place before a packet with the
 * number behind the SYN's has come, and a connection that has ended goes on when its client
 * does.
 */
#ifndef SLUICE_BPF_TRACKING_H
#define SLUICE_BPF_TRACKING_H

#include <linux/in.h>

#include <bpf/bpf_endian.h>

#include "bpf/clock.h"
#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "sluice/second.h"
#include "sluice/slot.h"

/* The first packet behind a SYN bears the number behind the SYN's, or, where the packets before
 * it were lost, one that is a full frame higher.
 */
#define TRACKING_FOLLOWS 2048

/* Data with a number that is less than this before the FIN's is sent again. */
#define TRACKING_SENT_AGAIN (1 << 20)

/* SL_SECONDs behind a FIN in which the client acknowledges the server's. */
#define TRACKING_LAST_ACK 2

/* SL_SECONDs behind a SYN in which the client answers the server's. */
#define TRACKING_FOLLOW_UP 3

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
	__u8 proto;
	bool syn;
	__u8 closing;
	bool all;    /* every flow of the service has an entry */
	bool absent; /* the flow has no entry in sl_flows, as was just seen */
	bool known;  /* it has an entry, even if its backend does not serve any more */
	bool beside; /* of a SYN: the connection before on its port still has an entry */
	bool yields; /* a connection of another backend that lives keeps its entry */
};

/* Begins a look-up: sets the key and the time, which are enough for a steady flow. */
static __always_inline void tracking_begin(struct tracking *tracking,
					   const struct sl_packet *packet)
{
	tracking->key = flow_key(packet);
	tracking->now = coarse_seconds();
}

/* Sets the other members, for a packet whose flow is not steady. By arithmetic, because the verifier would follow both
 * sides of each branch.
 */
static __always_inline void tracking_complete(struct tracking *tracking,
					      const struct sl_packet *packet)
{
	__u32 tracked = packet->service->flags & SL_SERVICE_TRACKED;

	_Static_assert(SL_SERVICE_TRACKED == 1, "the flag is a truth value");
	tracking->only = SL_NO_BACKEND;
	tracking->idle = flow_idle(packet->service);
	tracking->l4 = packet->l4;
	tracking->end = packet->end;
	tracking->proto = packet->destination.proto;
	tracking->syn = packet->syn;
	tracking->closing = packet->closing;
	tracking->all = tracked & ~(__u32)(packet->slot / SL_SLOT_TRACKING);
	tracking->absent = false;
	tracking->known = false;
	tracking->beside = false;
	tracking->yields = false;
}

static __always_inline struct tracking tracking_of(const struct sl_packet *packet)
{
	struct tracking tracking;

	tracking_begin(&tracking, packet);
	tracking_complete(&tracking, packet);
	return tracking;
}

static __always_inline struct tcphdr *tracking_tcp(const struct xdp_md *xdp,
						   const struct tracking *tracking)
{
	return packet_bytes(xdp, tracking->l4, sizeof(struct tcphdr));
}

/* The sequence number of a TCP packet. */
static __always_inline __u32 tracking_number(const struct xdp_md *xdp,
					     const struct tracking *tracking)
{
	const struct tcphdr *tcp = tracking_tcp(xdp, tracking);

	return tcp ? bpf_ntohl(tcp->seq) : 0;
}

/* ---- a packet that changes its flow --------------------------------------------------- */

/* Whether the last packet behind a FIN is more than the client's acknowledgement of the server's
 * FIN, and than data that is sent again.
 */
static __always_inline bool tracking_outlives_fin(const struct xdp_md *xdp,
						  const struct tracking *tracking,
						  const struct sl_flow *flow)
{
	const struct tcphdr *tcp;

	if (tracking->now - flow->seen >= TRACKING_LAST_ACK)
		return true;
	tcp = tracking_tcp(xdp, tracking);
	return tcp && tracking->end - tracking->l4 > tcp->doff * 4 &&
	       flow->number - bpf_ntohl(tcp->seq) - 1 >= TRACKING_SENT_AGAIN;
}

/* Whether another connection begins on the flow's port. Meanwhile the flow is not opened again: a
 * packet of it may be forged, and the other one would not get the entry.
 */
static __always_inline bool tracking_is_contended(const struct sl_flow_key *key, __u32 now)
{
	const struct sl_flow *begun = bpf_map_lookup_elem(&sl_handshakes, key);

	return begun && !(begun->flags & SL_FLOW_ENDED) && now - begun->seen < TRACKING_FOLLOW_UP;
}

/* Notes a FIN or RST of the client's. */
static __always_inline void tracking_close(const struct xdp_md *xdp,
					   const struct tracking *tracking, struct sl_flow *flow)
{
	const struct tcphdr *tcp = tracking_tcp(xdp, tracking);

	if (!tcp)
		return;
	if (!tcp->rst)
		flow->number = bpf_ntohl(tcp->seq);
	flow_end(flow, tcp->rst ? SL_FLOW_RST : SL_FLOW_FIN);
}

/* Notes a packet that begins or ends something. Whether the flow was seen by it. */
static __always_inline bool tracking_turn(const struct xdp_md *xdp, const struct tracking *tracking,
					  const struct sl_flow_key *key, struct sl_flow *flow)
{
	if (tracking->syn)
		flow->number = tracking_number(xdp, tracking);
	else if (tracking->closing)
		tracking_close(xdp, tracking, flow);
	else if (flow->flags == SL_FLOW_FIN && !tracking_outlives_fin(xdp, tracking, flow))
		return false;
	else if (tracking_is_contended(key, tracking->now))
		flow_end(flow, SL_FLOW_DOUBTED);
	else
		flow_reopen(flow);
	return true;
}

/* ---- the flow that a packet belongs to ------------------------------------------------ */

/* Whether a packet without SYN belongs to the connection that a SYN has begun. Where every flow
 * has an entry and this one has no other, it does; elsewhere its number says so.
 */
static __always_inline bool tracking_begins(const struct xdp_md *xdp,
					    const struct tracking *tracking,
					    const struct sl_flow *begun, const struct sl_flow *flow)
{
	if (!flow && tracking->all)
		return true;
	return tracking_number(xdp, tracking) - begun->number - 1 < TRACKING_FOLLOWS;
}

/* The first packet behind a SYN moves the entry from the handshakes to the flows. */
static __always_inline struct sl_flow *
tracking_establish(const struct sl_flow_key *key, struct sl_flow *begun, struct sl_flow *before)
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
tracking_find(const struct xdp_md *xdp, struct tracking *tracking, const struct sl_flow_key *key)
{
	struct sl_flow *flow = NULL, *begun;

	if (!tracking->absent)
		flow = bpf_map_lookup_elem(&sl_flows, key);
	tracking->absent = false;
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
	if (begun && tracking_begins(xdp, tracking, begun, flow))
		return tracking_establish(key, begun, flow);
	return flow;
}

/* Whether the flow goes on with the backend that its entry says: one that serves on, and of a
 * connection that has not ended, if the packet is a SYN, which is then a new one on a reused port.
 */
static __always_inline bool tracking_goes_on(const struct tracking *tracking,
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
 * tracking_assign() makes one.
 */
__noinline __u32 tracking_follow(struct xdp_md *xdp, struct tracking *tracking)
{
	struct sl_flow_key key; /* Linux 6.1 takes no key from a function's argument */
	struct sl_flow *flow;

	if (!tracking)
		return SL_NO_BACKEND;
	key = tracking->key;
	flow = tracking_find(xdp, tracking, &key);
	tracking->known = flow;
	if (!flow || !tracking_goes_on(tracking, flow))
		return SL_NO_BACKEND;
	if (unlikely(flow->flags | tracking->closing | tracking->syn) &&
	    !tracking_turn(xdp, tracking, &key, flow))
		return flow->backend;
	flow_see(flow, tracking->now);
	return flow->backend;
}

/* A handshake whose place another is about to take. */
static __always_inline struct sl_flow *tracking_begun(const struct sl_flow_key *key)
{
	struct sl_flow *begun = bpf_map_lookup_elem(&sl_handshakes, key);

	if (begun)
		flow_leave_handshakes(begun);
	return begun;
}

/* The entry of a flow that is new here. A TCP connection that is met without its SYN, or that
 * begins on the port of another, counts as live with its next packet.
 */
static __always_inline struct sl_flow tracking_new(const struct tracking *tracking, __u32 backend)
{
	bool doubted = tracking->proto == IPPROTO_TCP && (!tracking->syn || tracking->beside);

	return (struct sl_flow){
		.backend = backend,
		.seen = tracking->now,
		.flags = doubted ? SL_FLOW_DOUBTED : 0,
		.opened = walk_round(),
	};
}

/* The new entry takes the place of an older one. */
static __always_inline void tracking_supersede(const struct tracking *tracking,
					       const struct sl_flow_key *key, struct sl_flow *flow,
					       struct sl_flow *old)
{
	flow_end(old, SL_FLOW_OVER);
	if (tracking->syn)
		old = tracking_begun(key);
	if (old)
		flow_replace(flow, old);
}

/* Writes the new entry, and counts it. */
static __always_inline void tracking_put(struct xdp_md *xdp, const struct tracking *tracking,
					 const struct sl_flow_key *key, struct sl_flow *flow)
{
	if (!flow->flags)
		load_add(flow->backend, 1);
	if (tracking->closing)
		tracking_close(xdp, tracking, flow);
	if (!tracking->syn) {
		bpf_map_update_elem(&sl_flows, key, flow, BPF_ANY);
		return;
	}
	flow->number = tracking_number(xdp, tracking);
	bpf_map_update_elem(&sl_handshakes, key, flow, BPF_ANY);
}

/* Assigns a flow that has no entry to a backend. */
static __always_inline void tracking_open(struct xdp_md *xdp, const struct tracking *tracking,
					  __u32 backend)
{
	struct sl_flow flow = tracking_new(tracking, backend);

	tracking_put(xdp, tracking, &tracking->key, &flow);
}

/* Assigns the flow to a backend. Behind a SYN, the entry of the connection that had this port
 * before stays, until the new one has followed up. Returns 0, or 1: the flow yields.
 */
__noinline int tracking_assign(struct xdp_md *xdp, struct tracking *tracking, __u32 backend)
{
	struct sl_flow_key key;
	struct sl_flow flow, *old = NULL;

	if (!tracking)
		return 1;
	key = tracking->key;
	if (tracking->known)
		old = tracking_find(xdp, tracking, &key);
	if (old && tracking->yields && !(old->flags & SL_FLOW_ENDED) && old->backend != backend)
		return 1;
	flow = tracking_new(tracking, backend);
	if (old)
		tracking_supersede(tracking, &key, &flow, old);
	tracking_put(xdp, tracking, &key, &flow);
	return 0;
}

#endif
