/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way to one address: its route and the neighbour on it, and the hop that
 * follows from them. Knows nothing of watches or of time passing.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_PATH_H
#define SLUICE_DAEMON_NEXTHOP_PATH_H

#include "daemon/nexthop/links.h"
#include "daemon/nexthop/neighbours.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/nexthop/routes.h"

struct netlink;

/* What all paths are made from. */
struct hop_sources {
	struct netlink *netlink;
	struct links links;
	struct neighbours neighbours;
};

/* Zeroed: leads nowhere. */
struct hop_path {
	struct route route;
	int last_ifindex;           /* of the last unicast route; 0: there was none */
	struct neighbour_user user; /* of the neighbour, where the route is unicast */
};

/* Asks for the route to ip, and takes its neighbour. 0, or -errno and the path is
 * as it was.
 */
int hop_path_find(struct hop_sources *sources, const struct ip *ip, uint64_t now_ms,
		  struct hop_path *path);

/* Gives the neighbour back. */
void hop_path_drop(struct hop_sources *sources, struct hop_path *path);

struct hop hop_path_describe(const struct hop_sources *sources, const struct hop_path *path);

bool hop_equal(const struct hop *a, const struct hop *b);

#endif
