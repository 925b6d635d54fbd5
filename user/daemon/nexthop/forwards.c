// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/forwards.h"

#include "daemon/nexthop/routes.h"
#include "daemon/nexthop/watched.h"

bool nexthops_forwards(const struct nexthops *hops, const struct forwarded *packet)
{
	return route_forwards(hops->sources.netlink, packet);
}

bool nexthops_is_local(const struct nexthops *hops, const struct ip *ip)
{
	struct route route;

	return !route_lookup(hops->sources.netlink, ip, &route) && route.kind == ROUTE_LOCAL;
}
