/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way to one address: its route and the neighbour on it, and the hop that
 * follows from them. Knows nothing of watches or of time passing.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_PATH_H
#define SLUICE_DAEMON_NEXTHOP_PATH_H

#include "daemon/nexthop/addresses.h"
#include "daemon/nexthop/features.h"
#include "daemon/nexthop/links.h"
#include "daemon/nexthop/neighbours.h"
#include "daemon/nexthop/nexthop.h"
#include "daemon/nexthop/routes.h"

struct netlink;

/* What all paths are made from. */
struct nexthop_sources {
	struct netlink *netlink;
	struct links links;
	struct features features;   /* of the links */
	struct addresses addresses; /* this machine's own */
	struct neighbours neighbours;
};

/* Zeroed: leads nowhere. */
struct nexthop_path {
	bool route_only; /* set by the owner: no neighbour is used */
	struct route route;
	int last_ifindex;           /* of the last unicast route; 0: there was none */
	struct neighbour_user user; /* of the neighbour, where the route is unicast */
};

/* Asks for the route to ip, and takes its neighbour. 0, or -errno and the path is
 * as it was.
 */
int nexthop_path_find(struct nexthop_sources *sources, const struct ip *ip, uint64_t now_ms,
		      struct nexthop_path *path);

/* Gives the neighbour back. */
void nexthop_path_drop(struct nexthop_sources *sources, struct nexthop_path *path);

struct nexthop nexthop_path_describe(const struct nexthop_sources *sources,
				     const struct nexthop_path *path);

#endif
