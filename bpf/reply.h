/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Replies of nat backends: a reply gets the service's address as its source and leaves for the
 * client; the kernel tells the next hop. Until the kernel has said that the packet is to be
 * forwarded, nothing is written and nothing dropped: a reply to this machine itself (a health
 * check's) is untouched. A rewritten reply is not given to the kernel, which may refuse its
 * source, unless the kernel has said that it takes it.
 */
#ifndef SLUICE_BPF_REPLY_H
#define SLUICE_BPF_REPLY_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/direct.h"
#include "bpf/flow.h"
#include "bpf/forward.h"
#include "bpf/forward_nat.h"
#include "bpf/maps.h"
#include "bpf/ours.h"
#include "bpf/oversize.h"
#include "bpf/rewrite.h"
#include "bpf/route.h"
#include "bpf/unsent.h"

/* Whether packets of the backend may come in as this one did, beside the way of its hop: by
 * another route, or by a member of a bond or team. If not, the daemon can tell where it came in,
 * unless no way to the backend is known yet.
 */
static __always_inline bool reply_has_origin(const struct xdp_md *xdp, struct sl_packet *packet,
					     const struct sl_hop *hop)
{
	struct sl_origins *origins = bpf_map_lookup_elem(&sl_origins, &packet->backend_index);

	if (!origins || !hop->ifindex)
		return false;
	for (int i = 0; i < SL_ORIGINS; i++) {
		const struct sl_origin *from = &origins->from[i];

		if (from->ifindex == xdp->ingress_ifindex && from->vlan == packet->vlan) {
			packet->ingress = from->name;
			return true;
		}
	}
	origins->foreign_ifindex = xdp->ingress_ifindex;
	origins->foreign_vlan = packet->vlan;
	origins->foreign_seen = coarse_seconds();
	return false;
}

/* A packet with a backend's source address must arrive by a device and VLAN that lead to the
 * backend; otherwise any host could have packets sent under the service's address.
 */
static __always_inline bool reply_comes_from_backend(const struct xdp_md *xdp,
						     struct sl_packet *packet)
{
	const struct sl_hop *hop;

	packet->backend_index = packet->reply->backend;
	packet->backend = bpf_map_lookup_elem(&sl_backends, &packet->backend_index);
	if (!packet->backend)
		return false;
	hop = backend_hop(packet->backend);
	packet->ingress = xdp->ingress_ifindex;
	return likely(hop->ifindex == xdp->ingress_ifindex && hop->vlan == packet->vlan) ||
	       reply_has_origin(xdp, packet, hop);
}

/* hop: one is taken off the TTL, too. */
static __always_inline enum sl_verdict rewrite_reply(struct xdp_md *xdp,
						     const struct sl_packet *packet, bool hop)
{
	const struct rewriting new = {
		.end = REWRITE_SOURCE,
		.hop = hop,
		.addr = &packet->reply->addr,
		.port = packet->reply->port,
	};

	return rewrite_end(xdp, packet, &new);
}

/* Leaves the rewritten reply to the kernel, which lowers its TTL and routes it on. */
static __always_inline enum sl_verdict leave_to_kernel(struct xdp_md *xdp,
						       const struct sl_packet *packet)
{
	return rewrite_reply(xdp, packet, false) ?: SL_PASS_HANDED_OVER;
}

/* Gives the reply, as it is to be sent, to the daemon. The kernel would take it for a packet
 * with a forged source wherever that is an address of this machine, or not routed back to the
 * backend; it is given the reply only if no daemon empties the ring.
 */
static __always_inline enum sl_verdict hold_reply(struct xdp_md *xdp, struct sl_packet *packet,
						  const struct bpf_fib_lookup *fib,
						  enum sl_unsent_kind kind)
{
	struct sl_unsent_packet *entry;
	enum sl_verdict verdict;

	if (!unsent_may(packet))
		return SL_DROP_UNSENT;
	entry = bpf_ringbuf_reserve(&sl_unsent, sizeof(*entry), 0);
	if (!entry)
		return leave_to_kernel(xdp, packet);
	unsent_describe(packet, fib, kind, &entry->head);
	verdict = rewrite_reply(xdp, packet, true) ?: unsent_copy(xdp, packet, entry);
	if (verdict) {
		bpf_ringbuf_discard(entry, 0);
		return verdict;
	}
	bpf_ringbuf_submit(entry, 0);
	return SL_HELD;
}

static __always_inline enum sl_verdict refuse_reply(struct xdp_md *xdp, struct sl_packet *packet,
						    __u32 mtu)
{
	return oversize_refuse(xdp, packet, mtu) ? SL_REJECTED_REPLY : SL_DROP_TOO_BIG;
}

/* A reply that is longer than the hop's MTU. */
static __always_inline enum sl_verdict return_oversize(struct xdp_md *xdp, struct sl_packet *packet,
						       const struct sl_hop *hop)
{
	enum sl_verdict verdict;

	if (!oversize_may_be_cut(xdp, packet))
		return refuse_reply(xdp, packet, hop->mtu);
	verdict = rewrite_reply(xdp, packet, true);
	if (verdict)
		return verdict;
	return unsent_long(xdp, packet, hop) ? SL_FRAGMENTED_REPLY : SL_DROP_TOO_BIG;
}

/* Whether the kernel, asked by the daemon, forwards packets like the rewritten reply. */
static __always_inline bool kernel_forwards(const struct sl_packet *packet, __u32 egress)
{
	struct sl_handover key = {
		.service = packet->reply->addr,
		.ingress = packet->ingress,
		.egress = egress,
		.family = packet->destination.family,
	};

	return bpf_map_lookup_elem(&sl_handovers, &key);
}

/* The end of a reply that is not forwarded: it is for this machine, or nothing leads to its client
 * and the kernel tells the backend so.
 */
static __always_inline enum sl_verdict stay_here(const struct sl_packet *packet)
{
	const struct sl_addr *client = &packet->destination.addr;
	__u32 known =
		ours_address(client->halves[0], client->halves[1], packet->destination.family);

	return known & SL_ADDRESS_OWN ? SL_PASS_OWN : SL_PASS_NO_ROUTE;
}

/* Asks the kernel for the route of a reply, and writes it to *route. What is sent to an address
 * that no client has, a group for example, is no reply: the kernel gets it as it came.
 */
static __always_inline enum sl_verdict find_route(struct xdp_md *xdp, struct sl_packet *packet,
						  struct sl_route *route)
{
	enum sl_unsent_kind kind = SL_UNSENT_UNRESOLVED;
	struct bpf_fib_lookup fib = {};

	if (address_is_martian(&packet->destination.addr, packet_is_ipv6(packet)))
		return SL_PASS_DIRECT;
	switch (route_ask(xdp, packet, route, &fib)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return SL_NEXT;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		fib.ifindex = 0;
		__attribute__((fallthrough));
	case ROUTE_NO_FRAMES:
		/* The kernel would tell the packet's new source, which is not the backend. */
		if (fib.mtu_result && oversize(packet, fib.mtu_result) &&
		    !oversize_may_be_cut(xdp, packet))
			return packet->broken ?: refuse_reply(xdp, packet, fib.mtu_result);
		if (kernel_forwards(packet, fib.ifindex))
			return packet->broken ?: leave_to_kernel(xdp, packet);
		kind = SL_UNSENT_DEVICE;
		break;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		break;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return stay_here(packet);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return SL_PASS_FORWARDING_OFF;
	default:
		return SL_DROP_NO_ROUTE;
	}
	return packet->broken ?: hold_reply(xdp, packet, &fib, kind);
}

static __always_inline enum sl_verdict return_to_client(struct xdp_md *xdp,
							struct sl_packet *packet)
{
	enum sl_verdict verdict;
	struct sl_route *route;

	if (!reply_comes_from_backend(xdp, packet))
		return SL_PASS_ELSEWHERE;
	if (direct_is_reply(xdp, packet)) {
		/* It may be for another backend itself. */
		(void)direct_pass(xdp, packet);
		return SL_PASS_DIRECT;
	}
	if (unlikely(packet->closing))
		flow_end_by_reply(xdp, packet);
	route = route_line(packet);
	if (!route)
		return SL_DROP_INTERNAL;
	if (!route_holds(route, packet)) {
		verdict = find_route(xdp, packet, route);
		if (verdict)
			return verdict;
	}
	if (unlikely(oversize(packet, route->hop.mtu)))
		return packet->broken ?: return_oversize(xdp, packet, &route->hop);
	return packet->broken
	    ?: rewrite_reply(xdp, packet, true)
	    ?: send_to_hop(xdp, packet, &route->hop)
	    ?: SL_RETURNED;
}

#endif
