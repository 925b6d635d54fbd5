// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/used.h"

#include <string.h>

#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/watched.h"

static bool has_neighbours(const struct nexthops *hops, int ifindex)
{
	const struct link *link = links_find(&hops->sources.links, ifindex);

	return link && link->ethernet;
}

void nexthops_want(struct nexthops *hops, const struct neighbour_key *key, unsigned for_ms)
{
	const uint64_t now = uv_now(hops->loop);

	if (!has_neighbours(hops, key->ifindex))
		return;
	kept_keep(&hops->used, key, now, now + for_ms);
	nexthops_set_tend_timer(hops);
}

void nexthops_use(struct nexthops *hops, const struct neighbour_key *key, unsigned for_ms)
{
	nexthops_want(hops, key, for_ms);
	kept_doubt(&hops->used, key, uv_now(hops->loop));
	nexthops_set_tend_timer(hops);
}

struct nexthop_way nexthops_way(const struct nexthops *hops, const struct neighbour_key *key)
{
	const struct link *link = links_find(&hops->sources.links, key->ifindex);
	struct nexthop_way way = {};
	const __u8 *mac;

	if (!link || !link->up)
		return way;
	way.mtu = link->mtu;
	if (!link->ethernet) {
		way.open = true;
		return way;
	}
	mac = kept_mac(&hops->used, key);
	if (!mac)
		return way;
	way.open = way.addressed = true;
	memcpy(way.mac, mac, sizeof(way.mac));
	return way;
}

void nexthops_follow_used(struct nexthops *hops, nexthop_changed_fn *changed, void *arg)
{
	hops->used_changed = changed;
	hops->used_arg = arg;
}
