/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the kernel would send a packet of this machine: `ip route get`. Keeps
 * nothing.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_ROUTES_H
#define SLUICE_DAEMON_NEXTHOP_ROUTES_H

#include <stdbool.h>

#include "daemon/nexthop/nexthop.h"

struct netlink;

#define ROUTE_WAYS 8

enum route_kind {
	ROUTE_NONE,  /* none, or one that says unreachable, blackhole, prohibit, broadcast, ... */
	ROUTE_LOCAL, /* an address of the machine's own */
	ROUTE_UNICAST,
};

struct route {
	enum route_kind kind;
	int ifindex;       /* unless ROUTE_NONE */
	struct ip gateway; /* family 0: on link. May be IPv6 for an IPv4 destination */
	/* All devices that packets to there may take, also ifindex: a route can have several
	 * next hops. Beyond ROUTE_WAYS, some are missing.
	 */
	int ways[ROUTE_WAYS];
	unsigned n_ways;
	__u32 mtu; /* the route's own, or what the kernel has learned; 0: the device's */
};

/* 0 or -errno; that there is no route is no error. */
int route_lookup(struct netlink *netlink, const struct ip *destination, struct route *ret_route);

/* Whether the kernel would forward a packet, so far as its routes say. */
bool route_forwards(struct netlink *netlink, const struct forwarded *packet);

#endif
