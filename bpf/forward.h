/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * Sends a packet to its backend, by the backend's mode of forwarding, through its next hop.
 */
#ifndef SLUICE_BPF_FORWARD_H
#define SLUICE_BPF_FORWARD_H

#include <linux/if_ether.h>

#include <bpf/bpf_helpers.h>

#include "bpf/direct.h"
#include "bpf/forward_ipip.h"
#include "bpf/forward_nat.h"
#include "bpf/oversize.h"
#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/rewrite.h"
#include "bpf/unsent.h"

/* Takes off or puts on VLAN tags until the frame has the one that the hop asks
 * for, or none. The MAC addresses are lost: the caller writes them anyway.
 * Invalidates packet offsets.
 */
static __always_inline bool set_vlan(struct xdp_md *xdp, const struct sl_packet *packet,
				     __be16 vlan)
{
	int surplus = (int)packet_tags(packet) - (vlan ? 1 : 0);
	__be16 *tag;

	if (surplus && bpf_xdp_adjust_head(xdp, surplus * (int)sizeof(struct vlan_tag)))
		return false;
	if (!vlan)
		return true;
	tag = packet_bytes(xdp, 2 * ETH_ALEN, sizeof(struct vlan_tag));
	if (!tag)
		return false;
	tag[0] = bpf_htons(ETH_P_8021Q);
	tag[1] = vlan;
	return true;
}

/* Copies both addresses as words: they lie one behind the other in both structures. */
static __always_inline void copy_macs(struct ethhdr *ethernet, const struct sl_hop *hop)
{
	const __u32 *from = (const void *)hop->dst_mac;
	__u32 *to = (void *)ethernet->h_dest;

	_Static_assert(offsetof(struct sl_hop, src_mac) == offsetof(struct ethhdr, h_source),
		       "the addresses lie alike");
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
}

/* Writes the MAC addresses, and chooses the action by which the frame leaves. */
static __always_inline enum sl_verdict address_frame(struct xdp_md *xdp, struct sl_packet *packet,
						     const struct sl_hop *hop)
{
	struct ethhdr *ethernet = packet_ethernet(xdp);

	if (!ethernet)
		return SL_DROP_INTERNAL;
	copy_macs(ethernet, hop);
	packet->action =
		hop->ifindex == xdp->ingress_ifindex ? XDP_TX : (int)bpf_redirect(hop->ifindex, 0);
	return SL_NEXT;
}

/* Writes the frame's header for the hop. */
static __always_inline enum sl_verdict send_to_hop(struct xdp_md *xdp, struct sl_packet *packet,
						   const struct sl_hop *hop)
{
	/* One right tag stays as it came, with its priority. */
	if (unlikely((packet_is_tagged(packet) || hop->vlan) &&
		     (packet_tags(packet) != 1 || packet->vlan != hop->vlan)) &&
	    !set_vlan(xdp, packet, hop->vlan))
		return SL_DROP_INTERNAL;
	return address_frame(xdp, packet, hop);
}

static __always_inline const struct sl_hop *backend_hop(const struct sl_backend *backend)
{
	const struct sl_hop *hop = &backend->hops[backend->state & SL_BACKEND_HOP];

	/* Else the compiler adds the index to the backend anew for each member of the hop. */
	asm("" : "+r"(hop));
	return hop;
}

/* Whether the backend that was chosen is the client. It would get a packet from itself, and its
 * answer would stay there: without this packet's source rewritten too, none can come back.
 */
static __always_inline bool is_own_client(const struct sl_packet *packet)
{
	const struct sl_addr *client = &packet->source, *backend = &packet->backend->addr;

	return unlikely(client->halves[1] == backend->halves[1]) &&
	       client->halves[0] == backend->halves[0];
}

/* The packet of a client, as its backend is to get it. */
static __always_inline enum sl_verdict
rewrite_request(struct xdp_md *xdp, const struct sl_packet *packet, enum sl_forward forward)
{
	const struct rewriting new = {
		.end = REWRITE_DESTINATION,
		.hop = true,
		.addr = &packet->backend->addr,
		.port = packet->backend->port,
	};

	return forward == SL_FORWARD_NAT ? rewrite_end(xdp, packet, &new)
					 : rewrite_ttl(xdp, packet);
}

/* A packet for a backend of nat or dsr that is longer than the hop's MTU. */
static __always_inline enum sl_verdict
forward_oversize(struct xdp_md *xdp, struct sl_packet *packet, const struct sl_hop *hop)
{
	enum sl_verdict verdict;

	if (!oversize_may_be_cut(xdp, packet))
		return oversize_refuse(xdp, packet, hop->mtu) ? SL_REJECTED_TOO_BIG
							      : SL_DROP_TOO_BIG;
	verdict = rewrite_request(xdp, packet, packet->backend->forward);
	if (verdict)
		return verdict;
	return unsent_long(xdp, packet, hop) ? SL_FRAGMENTED : SL_DROP_TOO_BIG;
}

static __always_inline enum sl_verdict forward_nat(struct xdp_md *xdp, struct sl_packet *packet,
						   const struct sl_hop *hop)
{
	struct sl_backend *backend = packet->backend;

	if (is_own_client(packet))
		return SL_DROP_HAIRPIN;
	if (unlikely(backend->state & SL_BACKEND_ASKED))
		direct_serve(packet, backend);
	if (unlikely(oversize(packet, hop->mtu)))
		return forward_oversize(xdp, packet, hop);
	return rewrite_request(xdp, packet, SL_FORWARD_NAT) ?: send_to_hop(xdp, packet, hop);
}

static __always_inline enum sl_verdict forward_by(struct xdp_md *xdp, struct sl_packet *packet,
						  const struct sl_hop *hop)
{
	switch ((enum sl_forward)packet->backend->forward) {
	case SL_FORWARD_DSR:
		if (unlikely(oversize(packet, hop->mtu)))
			return forward_oversize(xdp, packet, hop);
		return rewrite_request(xdp, packet, SL_FORWARD_DSR)
			       ?: send_to_hop(xdp, packet, hop);
	case SL_FORWARD_NAT:
		return forward_nat(xdp, packet, hop);
	case SL_FORWARD_IPIP:
		return encapsulate(xdp, packet, hop) ?: address_frame(xdp, packet, hop);
	}
	return SL_DROP_INTERNAL;
}

static __always_inline enum sl_verdict forward_to_backend(struct xdp_md *xdp,
							  struct sl_packet *packet)
{
	const struct sl_backend *backend = packet->backend;
	enum sl_verdict verdict = forward_by(xdp, packet, backend_hop(backend));

	return verdict ?: backend->state & SL_BACKEND_RESPONDER ? SL_RESPONDED : SL_FORWARDED;
}

#endif
