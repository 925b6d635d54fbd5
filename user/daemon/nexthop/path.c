// SPDX-License-Identifier: BSD-2-Clause
/* From route, link and neighbour to a hop, and to words. Invariant: what is not
 * said of a hop is zero.
 */
#include "daemon/nexthop/path.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool hop_equal(const struct hop *a, const struct hop *b)
{
	return a->state == b->state && memcmp(&a->wire, &b->wire, sizeof(a->wire)) == 0 &&
	       ip_equal(&a->gateway, &b->gateway) && strcmp(a->device, b->device) == 0;
}

int hop_path_find(struct hop_sources *sources, const struct ip *ip, uint64_t now_ms,
		  struct hop_path *path)
{
	struct route route;
	int error;

	error = route_lookup(sources->netlink, ip, &route);
	if (error)
		return error;
	if (route.kind == ROUTE_UNICAST)
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

void hop_path_drop(struct hop_sources *sources, struct hop_path *path)
{
	neighbour_unuse(&sources->neighbours, &path->user);
}

/* Without a route: a device that goes down takes its routes along, and then it
 * is the device that should be named.
 */
static void describe_unrouted(const struct hop_sources *sources, const struct hop_path *path,
			      struct hop *hop)
{
	const struct link *link = links_find(&sources->links, path->last_ifindex);

	hop->state = HOP_NO_ROUTE;
	if (!link || link->up)
		return;
	hop->state = HOP_LINK_DOWN;
	strcpy(hop->device, link->name);
}

static enum hop_state unicast_state(const struct link *link, const struct link *carrier,
				    const __u8 *mac)
{
	if (!carrier)
		return HOP_UNSUPPORTED;
	if (!link->up || !carrier->up)
		return HOP_LINK_DOWN;
	return mac ? HOP_RESOLVED : HOP_NO_NEIGHBOUR;
}

#define MTU_DEFAULT 1500   /* of Ethernet */
#define MTU_MAX     0xffff /* an IPv4 packet is not longer, nor an IPv6 one that we see */

/* The longest packet that the way takes, as far as this machine knows. */
static __u16 route_mtu(const struct route *route, const struct link *link)
{
	__u32 mtu = link->mtu ? link->mtu : MTU_MAX;

	if (route->mtu && route->mtu < mtu)
		mtu = route->mtu;
	return mtu < MTU_MAX ? (__u16)mtu : MTU_MAX;
}

static void describe_unicast(const struct hop_sources *sources, const struct hop_path *path,
			     const struct link *link, struct hop *hop)
{
	const struct link *carrier = links_carrier(&sources->links, link);
	const __u8 *mac = path->user.neighbour ? neighbour_mac(path->user.neighbour) : NULL;

	hop->gateway = path->route.gateway;
	hop->state = unicast_state(link, carrier, mac);
	if (hop->state != HOP_RESOLVED)
		return;
	memcpy(hop->wire.dst_mac, mac, sizeof(hop->wire.dst_mac));
	memcpy(hop->wire.src_mac, link->mac, sizeof(hop->wire.src_mac));
	hop->wire.ifindex = carrier->ifindex;
	hop->wire.vlan = carrier == link ? 0 : htons(link->vlan);
	hop->wire.mtu = route_mtu(&path->route, link);
}

struct hop hop_path_describe(const struct hop_sources *sources, const struct hop_path *path)
{
	const struct link *link = links_find(&sources->links, path->route.ifindex);
	struct hop hop = {};

	/* The link is unknown: its RTM_NEWLINK has not arrived yet. */
	if (path->route.kind == ROUTE_NONE || !link) {
		describe_unrouted(sources, path, &hop);
		return hop;
	}
	strcpy(hop.device, link->name);
	if (path->route.kind == ROUTE_LOCAL)
		hop.state = HOP_LOCAL;
	else
		describe_unicast(sources, path, link, &hop);
	return hop;
}

static const char *mac_format(const __u8 mac[static 6], char buffer[static 18])
{
	(void)snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
	return buffer;
}

/* ", MTU 9000", where it is not the default. */
static const char *mtu_format(__u16 mtu, char buffer[static 16])
{
	buffer[0] = '\0';
	if (mtu && mtu != MTU_DEFAULT)
		(void)snprintf(buffer, 16, ", MTU %u", mtu);
	return buffer;
}

const char *hop_explain(const struct hop *hop, const struct ip *ip, char *buffer,
			unsigned long size)
{
	char address[ADDR_TEXT_SIZE], gateway[ADDR_TEXT_SIZE], mac[18], mtu[16];
	const bool on_link = hop->gateway.family == 0;

	ip_format(ip, address);
	ip_format(&hop->gateway, gateway);
	switch (hop->state) {
	case HOP_RESOLVED:
		(void)snprintf(buffer, size, "%s%s%s is at %s on %s%s", address,
			       on_link ? "" : " via ", on_link ? "" : gateway,
			       mac_format(hop->wire.dst_mac, mac), hop->device,
			       mtu_format(hop->wire.mtu, mtu));
		break;
	case HOP_NO_NEIGHBOUR:
		(void)snprintf(buffer, size, "no neighbour answers for %s%s on %s",
			       on_link ? "" : "the gateway ", on_link ? address : gateway,
			       hop->device);
		break;
	case HOP_NO_ROUTE:
		(void)snprintf(buffer, size, "no route to %s", address);
		break;
	case HOP_LINK_DOWN:
		(void)snprintf(buffer, size, "%s is down or has no carrier", hop->device);
		break;
	case HOP_LOCAL:
		(void)snprintf(buffer, size, "%s is an address of this machine", address);
		break;
	case HOP_UNSUPPORTED:
		(void)snprintf(buffer, size,
			       "%s, which leads to %s, takes no frames from XDP: it is a bridge, a "
			       "tunnel or the like, or a VLAN in a VLAN",
			       hop->device, address);
		break;
	}
	return buffer;
}
