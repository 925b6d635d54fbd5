/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * nat's way back: an answer of a backend gets the service's address as its
 * source and leaves for the client, whose next hop is the kernel's to say.
 * Until the kernel has said that the packet is to be forwarded, nothing is
 * written and nothing dropped: an answer to this machine itself (a health
 * check's) is untouched.
 */
#ifndef SLUICE_ANSWER_H
#define SLUICE_ANSWER_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/forward.h"
#include "bpf/maps.h"
#include "bpf/rewrite.h"

/* The libc header that has these does not compile for BPF. */
#define ANSWER_AF_INET  2
#define ANSWER_AF_INET6 10

/* A packet with a backend's source address must come from where that backend
 * is; else anybody could have packets sent under the service's address.
 */
static __always_inline bool answer_comes_from_backend(const struct xdp_md *xdp,
						      struct sl_packet *packet)
{
	const struct sl_hop *hop;

	packet->backend_index = packet->answer->backend;
	packet->backend = bpf_map_lookup_elem(&sl_backends, &packet->backend_index);
	if (!packet->backend)
		return false;
	hop = backend_hop(packet->backend);
	return hop->ifindex == xdp->ingress_ifindex && hop->vlan == packet->vlan;
}

/* Asks the kernel's routes and neighbours for the way to the client. */
static __always_inline int find_client(struct xdp_md *xdp, const struct sl_packet *packet,
				       struct bpf_fib_lookup *fib)
{
	fib->ifindex = xdp->ingress_ifindex;
	fib->l4_protocol = packet->destination.proto;
	fib->sport = packet->answer->port;
	fib->dport = packet->destination.port;
	fib->tot_len = packet->end - packet->l3;
	if (packet->destination.family == SL_FAMILY_IPV6) {
		fib->family = ANSWER_AF_INET6;
		__builtin_memcpy(fib->ipv6_src, &packet->answer->addr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &packet->destination.addr, sizeof(fib->ipv6_dst));
	} else {
		fib->family = ANSWER_AF_INET;
		fib->ipv4_src = packet->answer->addr.words[3];
		fib->ipv4_dst = packet->destination.addr.words[3];
	}
	return bpf_fib_lookup(xdp, fib, sizeof(*fib), 0);
}

static __always_inline enum sl_verdict rewrite_answer(struct xdp_md *xdp,
						      const struct sl_packet *packet)
{
	return rewrite_end(xdp, packet, REWRITE_SOURCE, &packet->answer->addr,
			   packet->answer->port);
}

/* The device that carries frames for the one that the route names. False: none
 * does that takes frames from XDP.
 */
static __always_inline bool find_device(const struct xdp_md *xdp, __u32 ifindex,
					struct sl_hop *ret_hop)
{
	const struct sl_device *device;

	ret_hop->ifindex = ifindex;
	if (ifindex == xdp->ingress_ifindex)
		return true;
	device = bpf_map_lookup_elem(&sl_devices, &ifindex);
	if (!device)
		return false;
	ret_hop->ifindex = device->ifindex;
	ret_hop->vlan = device->vlan;
	return true;
}

/* The kernel takes the hop off the TTL, and finds the rest of the way. */
static __always_inline enum sl_verdict leave_to_kernel(struct xdp_md *xdp,
						       const struct sl_packet *packet)
{
	return rewrite_answer(xdp, packet) ?: SL_PASS_UNRESOLVED;
}

static __always_inline enum sl_verdict send_answer(struct xdp_md *xdp, struct sl_packet *packet,
						   const struct bpf_fib_lookup *fib)
{
	struct sl_hop hop = {};

	if (!find_device(xdp, fib->ifindex, &hop))
		return leave_to_kernel(xdp, packet);
	__builtin_memcpy(hop.dst_mac, fib->dmac, sizeof(hop.dst_mac));
	__builtin_memcpy(hop.src_mac, fib->smac, sizeof(hop.src_mac));
	return rewrite_ttl(xdp, packet)
	    ?: rewrite_answer(xdp, packet)
	    ?: send_to_hop(xdp, packet, &hop)
	    ?: SL_RETURNED;
}

static __always_inline enum sl_verdict return_to_client(struct xdp_md *xdp,
							struct sl_packet *packet)
{
	struct bpf_fib_lookup fib = {};

	if (!answer_comes_from_backend(xdp, packet))
		return SL_PASS_ELSEWHERE;
	switch (find_client(xdp, packet, &fib)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return packet->broken ?: send_answer(xdp, packet, &fib);
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		return packet->broken ?: leave_to_kernel(xdp, packet);
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return SL_PASS_OWN;
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return SL_PASS_FORWARDING_OFF;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return SL_PASS_TOO_BIG;
	default:
		return SL_DROP_NO_ROUTE;
	}
}

#endif
