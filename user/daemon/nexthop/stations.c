// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/stations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/nexthop/addresses.h"
#include "daemon/nexthop/links.h"
#include "lib/base/cleanup.h"

/* Devices that lie one above the other, at most; the kernel has the same bound. */
#define DEPTH_MAX 8

/* A device below the one whose frames are followed, and the tags that they have there. */
struct place {
	const struct link *link;
	__u16 vlan, inner;
	unsigned depth;
};

struct finding {
	const struct links *links;
	const struct link **in_masters; /* those that are in another, sorted by that one */
	size_t n_in_masters;
	struct stations *stations;
	const struct link *owner; /* whose MAC address it is */
	__u32 state;              /* SL_STATION_*, of the owner's stations */
};

static int compare_masters(const void *a, const void *b)
{
	const struct link *const *one = a, *const *other = b;

	return ((*one)->master > (*other)->master) - ((*one)->master < (*other)->master);
}

static int add(const struct finding *finding, const struct place *place)
{
	struct stations *stations = finding->stations;
	struct station *station;

	if (stations->n == stations->room) {
		size_t room = stations->room ? stations->room * 2 : 64;
		struct station *list = reallocarray(stations->list, room, sizeof(*list));

		if (!list)
			return -ENOMEM;
		stations->list = list;
		stations->room = room;
	}
	station = &stations->list[stations->n++];
	*station = (struct station){
		.key = { .ifindex = (__u32)place->link->ifindex,
			 .vlan = place->vlan,
			 .inner = place->inner },
		.state = finding->state,
	};
	memcpy(station->key.mac, finding->owner->mac, sizeof(station->key.mac));
	return 0;
}

static int descend(struct finding *finding, const struct place *place);

/* The first of those that are in the master. */
static size_t find_first(const struct finding *finding, int master)
{
	size_t low = 0, high = finding->n_in_masters;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (finding->in_masters[middle]->master < master)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int descend_to_ports(struct finding *finding, const struct place *place)
{
	int error = 0;

	for (size_t i = find_first(finding, place->link->ifindex);
	     !error && i < finding->n_in_masters &&
	     finding->in_masters[i]->master == place->link->ifindex;
	     i++) {
		struct place below = *place;

		below.link = finding->in_masters[i];
		below.depth++;
		error = descend(finding, &below);
	}
	return error;
}

/* False: there is no device below in this namespace, or its frames would have three tags. */
static bool step_to_parent(const struct finding *finding, struct place *place)
{
	const struct link *link = place->link;

	if (link->role == LINK_ROLE_VLAN) {
		if (place->inner)
			return false;
		place->inner = place->vlan;
		place->vlan = link->vlan;
	}
	place->link = link->parent ? links_find(finding->links, link->parent) : NULL;
	place->depth++;
	return place->link;
}

/* Notes the station here, and those below. */
static int descend(struct finding *finding, const struct place *place)
{
	struct place below = *place;
	int error = add(finding, place);

	if (error || place->depth == DEPTH_MAX)
		return error;
	switch (place->link->role) {
	case LINK_ROLE_NONE:
		return 0;
	case LINK_ROLE_BRIDGE:
		/* The machine that is the virtual router may be behind another port. */
		return finding->state == SL_STATION_STANDBY ? 0 : descend_to_ports(finding, place);
	case LINK_ROLE_BOND:
		return descend_to_ports(finding, place);
	case LINK_ROLE_VLAN:
	case LINK_ROLE_MACVLAN:
		return step_to_parent(finding, &below) ? descend(finding, &below) : 0;
	}
	return 0;
}

/* The MAC addresses of virtual routers (RFC 9568 section 7.3): 00-00-5E-00-01 for IPv4,
 * 00-00-5E-00-02 for IPv6, and the router's number.
 */
static bool is_virtual_router(const __u8 mac[static 6])
{
	static const __u8 prefix[] = { 0, 0, 0x5e, 0 };

	return !memcmp(mac, prefix, sizeof(prefix)) && (mac[4] == 1 || mac[4] == 2);
}

/* Whether frames that are sent to the device's MAC address are for this machine: SL_STATION_*, or
 * 0. A virtual router is the machine which is active: it holds an IP address there.
 */
static __u32 state_of(const struct link *link, const struct addresses *addresses)
{
	if (!link->ethernet)
		return 0;
	if (!is_virtual_router(link->mac))
		return link->role == LINK_ROLE_NONE || link->enabled ? SL_STATION_ACTIVE : 0;
	if (!link->up)
		return 0;
	return addresses_given(addresses, link->ifindex) ? SL_STATION_ACTIVE : SL_STATION_STANDBY;
}

static int find_in_masters(struct finding *finding)
{
	const struct link *link = NULL;

	finding->in_masters =
		calloc(finding->links->by_index.count + 1, sizeof(const struct link *));
	if (!finding->in_masters)
		return -ENOMEM;
	while ((link = links_next(finding->links, link)))
		if (link->master)
			finding->in_masters[finding->n_in_masters++] = link;
	qsort(finding->in_masters, finding->n_in_masters, sizeof(const struct link *),
	      compare_masters);
	return 0;
}

/* The stations of macvlan devices, or of the others. */
static int find_some(struct finding *finding, const struct addresses *addresses, bool macvlans)
{
	const struct link *link = NULL;
	int error = 0;

	while (!error && (link = links_next(finding->links, link))) {
		const struct place place = { .link = link };

		if ((link->role == LINK_ROLE_MACVLAN) != macvlans)
			continue;
		finding->owner = link;
		finding->state = state_of(link, addresses);
		if (finding->state)
			error = descend(finding, &place);
	}
	return error;
}

int stations_find(const struct links *links, const struct addresses *addresses,
		  struct stations *ret_stations)
{
	struct finding finding = { .links = links, .stations = ret_stations };
	int error;

	*ret_stations = (struct stations){};
	error = find_in_masters(&finding);
	if (!error)
		error = find_some(&finding, addresses, true);
	if (!error)
		error = find_some(&finding, addresses, false);
	free(finding.in_masters);
	return error;
}

void stations_done(struct stations *stations)
{
	free(stations->list);
}
