// SPDX-License-Identifier: BSD-2-Clause
/* From route, link and neighbour to a next hop. Invariant: members that do not apply
 * to a next hop are zero.
 */
#include "daemon/nexthop/path.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/nexthop/origins.h"

int nexthop_path_find(struct nexthop_sources *sources, const struct ip *ip, uint64_t now_ms,
		      struct nexthop_path *path)
{
	struct route route;
	int error;

	error = route_lookup(sources->netlink, ip, &route);
	if (error)
		return error;
	if (route.kind == ROUTE_UNICAST && !path->route_only)
		error = neighbour_use(&sources->neighbours, route.ifindex,
				      route.gateway.family ? &route.gateway : ip, now_ms,
				      &path->user);
	else
		neighbour_unuse(&sources->neighbours, &path->user);
	if (error)
		return error;
	if (route.kind == ROUTE_UNICAST)
		path->last_ifindex = route.ifindex;
	path->route = route;
	return 0;
}

void nexthop_path_drop(struct nexthop_sources *sources, struct nexthop_path *path)
{
	neighbour_unuse(&sources->neighbours, &path->user);
}

/* Without a route: a device that goes down takes its routes along, and then it
 * is the device that should be named.
 */
static void describe_unrouted(const struct nexthop_sources *sources,
			      const struct nexthop_path *path, struct nexthop *hop)
{
	const struct link *link = links_find(&sources->links, path->last_ifindex);

	hop->state = NEXTHOP_NO_ROUTE;
	if (!link || link->up)
		return;
	hop->state = NEXTHOP_LINK_DOWN;
	strcpy(hop->device, link->name);
}

static enum nexthop_state unicast_state(const struct links *links, const struct link *link,
					const __u8 *mac)
{
	const struct link *carrier = links_carrier(links, link);

	if (!carrier)
		return NEXTHOP_UNSUPPORTED;
	if (!link->up || !carrier->up)
		return NEXTHOP_LINK_DOWN;
	switch (links_sends(links, carrier)) {
	case LINK_NEEDS_POLLING:
		return NEXTHOP_NEEDS_POLLING;
	case LINK_NEEDS_PROGRAM:
		return NEXTHOP_NEEDS_PROGRAM;
	case LINK_SENDS:
		break;
	}
	return mac ? NEXTHOP_RESOLVED : NEXTHOP_NO_NEIGHBOUR;
}

#define MTU_MAX 0xffff /* an IPv4 packet is not longer, nor an IPv6 one that we see */

/* The longest packet that the way takes, as far as this machine knows. */
static __u16 route_mtu(const struct route *route, const struct link *link)
{
	__u32 mtu = link->mtu ? link->mtu : MTU_MAX;

	if (route->mtu && route->mtu < mtu)
		mtu = route->mtu;
	return mtu < MTU_MAX ? (__u16)mtu : MTU_MAX;
}

static void describe_unicast(const struct nexthop_sources *sources, const struct nexthop_path *path,
			     const struct link *link, struct nexthop *hop)
{
	const struct link *carrier = links_carrier(&sources->links, link);
	const __u8 *mac = path->user.neighbour ? neighbour_mac(path->user.neighbour) : NULL;

	hop->gateway = path->route.gateway;
	hop->state = unicast_state(&sources->links, link, mac);
	if (hop->state == NEXTHOP_NEEDS_POLLING || hop->state == NEXTHOP_NEEDS_PROGRAM)
		strcpy(hop->carrier, carrier->name);
	if (hop->state != NEXTHOP_RESOLVED)
		return;
	memcpy(hop->wire.dst_mac, mac, sizeof(hop->wire.dst_mac));
	memcpy(hop->wire.src_mac, link->mac, sizeof(hop->wire.src_mac));
	hop->wire.ifindex = carrier->ifindex;
	hop->wire.vlan = carrier == link ? 0 : htons(link->vlan);
	hop->wire.mtu = route_mtu(&path->route, link);
	origins_find(&sources->links, &path->route, &hop->wire, hop->origins);
}

struct nexthop nexthop_path_describe(const struct nexthop_sources *sources,
				     const struct nexthop_path *path)
{
	const struct link *link = links_find(&sources->links, path->route.ifindex);
	struct nexthop hop = {};

	/* The link is unknown: its RTM_NEWLINK has not arrived yet. */
	if (path->route.kind == ROUTE_NONE || !link) {
		describe_unrouted(sources, path, &hop);
		return hop;
	}
	strcpy(hop.device, link->name);
	if (path->route.kind == ROUTE_LOCAL)
		hop.state = NEXTHOP_LOCAL;
	else
		describe_unicast(sources, path, link, &hop);
	return hop;
}
