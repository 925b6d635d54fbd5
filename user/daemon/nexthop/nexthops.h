/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Next hops: which device and which MAC addresses lead to an address, from the
 * kernel's routes, neighbours and links over netlink, and followed as they
 * change. Asks the kernel to resolve what is missing, and keeps it fresh.
 * Knows nothing of services or maps.
 */
#ifndef SLUICE_DAEMON_NEXTHOP_NEXTHOPS_H
#define SLUICE_DAEMON_NEXTHOP_NEXTHOPS_H

#include "daemon/nexthop/nexthop.h"

struct diag;
struct nexthops;
struct nexthop_watch;
struct ip;
struct uv_loop_s;

/* Opens netlink, subscribes, loads links and neighbours. 0 or -errno. */
int nexthops_new(struct uv_loop_s *loop, struct diag *diag, struct nexthops **ret_hops);

/* Frees at once what the loop does not hold; run the loop until it is empty
 * afterwards. Every watch must have been freed. Accepts NULL.
 */
void nexthops_free(struct nexthops *hops);

/* Watches an address; watches of one address share the work. The first state
 * is there at once (nexthop_watch_get). 0 or -errno.
 */
int nexthop_watch_new(struct nexthops *hops, const struct ip *ip, nexthop_changed_fn *changed,
		      void *arg, struct nexthop_watch **ret_watch);
/* The same, of the route alone: no neighbour is asked for, so the state is never
 * NEXTHOP_RESOLVED.
 */
int nexthop_watch_route(struct nexthops *hops, const struct ip *ip, nexthop_changed_fn *changed,
			void *arg, struct nexthop_watch **ret_watch);

void nexthop_watch_free(struct nexthop_watch *watch);

/* Valid until the loop runs again. */
const struct nexthop *nexthop_watch_get(const struct nexthop_watch *watch);

#endif
