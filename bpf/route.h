/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 *
 * The route cache: which device and MAC address lead to a client. Asking the kernel's
 * routes and neighbours is half of what a reply costs, so the last result is kept, in
 * lines that clients share, until the daemon hears of any change, and a second at most.
 */
#ifndef SLUICE_BPF_ROUTE_H
#define SLUICE_BPF_ROUTE_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/clock.h"
#include "bpf/maps.h"
#include "bpf/packet.h"
#include "bpf/unsent.h"
#include "sluice/gcra.h"
#include "sluice/second.h"

/* The libc header that has these does not compile for BPF. */
#define ROUTE_AF_INET  2
#define ROUTE_AF_INET6 10

/* Beside the results of bpf_fib_lookup(), which are 0 and more: there is a route, and its
 * device takes no frames from XDP.
 */
#define ROUTE_NO_FRAMES (-1)

/* For this many ticks a route holds. */
#define ROUTE_HOLDS (1ULL << (SL_SECOND_SHIFT + SL_TICK_SHIFT))

/* The client's line on this CPU. */
static __always_inline struct sl_route *route_line(const struct sl_packet *packet)
{
	const struct sl_addr *client = &packet->destination.addr;
	__u64 hash = (client->halves[0] ^ client->halves[1]) * 0x9e3779b97f4a7c15ULL;
	__u32 line = hash >> (64 - SL_ROUTE_BITS); /* the upper bits depend on all of the address */

	return bpf_map_lookup_elem(&sl_ways, &line);
}

/* Whether the line holds the packet's route, and it is still true. */
static __always_inline bool route_holds(const struct sl_route *route,
					const struct sl_packet *packet)
{
	const struct sl_addr *client = &packet->destination.addr;

	return route->client.halves[1] == client->halves[1] &&
	       route->client.halves[0] == client->halves[0] &&
	       route->family == packet->destination.family &&
	       route->service == packet->reply->service && route->ingress == packet->ingress &&
	       route->generation == sl_tuning.route_generation &&
	       sl_ticks_ahead(route->until, kernel_ticks(), ROUTE_HOLDS);
}

/* Asks without a length, because the kernel names no next hop for a packet that is too long. */
static __always_inline int route_look_up(struct xdp_md *xdp, const struct sl_packet *packet,
					 struct bpf_fib_lookup *fib)
{
	fib->ifindex = packet->ingress;
	fib->l4_protocol = packet->destination.proto;
	fib->sport = packet->reply->port;
	fib->dport = packet->destination.port;
	if (packet_is_ipv6(packet)) {
		fib->family = ROUTE_AF_INET6;
		__builtin_memcpy(fib->ipv6_src, &packet->reply->addr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &packet->destination.addr, sizeof(fib->ipv6_dst));
	} else {
		fib->family = ROUTE_AF_INET;
		fib->ipv4_src = packet->reply->addr.words[3];
		fib->ipv4_dst = packet->destination.addr.words[3];
	}
	return bpf_fib_lookup(xdp, fib, sizeof(*fib), 0);
}

/* The device that carries frames for the one that the route names, or the bridge's port that
 * does. False: no device that takes frames from XDP does.
 */
static __always_inline bool route_device(const struct xdp_md *xdp, const struct bpf_fib_lookup *fib,
					 struct sl_hop *ret_hop)
{
	struct sl_port port = { .bridge = fib->ifindex };
	const struct sl_device *device;

	ret_hop->ifindex = fib->ifindex;
	ret_hop->vlan = 0;
	if (fib->ifindex == xdp->ingress_ifindex)
		return true;
	device = bpf_map_lookup_elem(&sl_devices, &fib->ifindex);
	if (!device) {
		__builtin_memcpy(port.mac, fib->dmac, sizeof(port.mac));
		device = bpf_map_lookup_elem(&sl_ports, &port);
	}
	if (!device)
		return false;
	ret_hop->ifindex = device->ifindex;
	ret_hop->vlan = device->vlan;
	return true;
}

/* Asks the kernel: BPF_FIB_LKUP_RET_* or ROUTE_NO_FRAMES. On success, and then alone, *route is
 * written. *fib is what the kernel has said, without a MAC address unless it knows one.
 */
static __always_inline int route_ask(struct xdp_md *xdp, const struct sl_packet *packet,
				     struct sl_route *route, struct bpf_fib_lookup *fib)
{
	__u32 generation =
		sl_tuning.route_generation; /* read first, so that no change meanwhile is missed */
	int result = route_look_up(xdp, packet, fib);
	__u64 now = kernel_ticks();

	if (result && result != BPF_FIB_LKUP_RET_NO_NEIGH)
		return result;
	route->family = 0;
	if (!result)
		unsent_name_hop(packet, fib, now);
	if (!route_device(xdp, fib, &route->hop))
		return ROUTE_NO_FRAMES;
	if (result)
		return result;
	__builtin_memcpy(route->hop.dst_mac, fib->dmac, sizeof(fib->dmac));
	__builtin_memcpy(route->hop.src_mac, fib->smac, sizeof(fib->smac));
	route->hop.mtu = fib->mtu_result;
	route->client = packet->destination.addr;
	route->family = packet->destination.family;
	route->service = packet->reply->service;
	route->ingress = packet->ingress;
	route->generation = generation;
	route->until = now + ROUTE_HOLDS;
	return result;
}

#endif
