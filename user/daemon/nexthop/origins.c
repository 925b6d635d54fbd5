// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/nexthop/origins.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/nexthop/links.h"
#include "daemon/nexthop/routes.h"

struct found {
	struct sl_origin *origins;
	unsigned n;
	const struct sl_hop *hop;
};

static void add(struct found *found, int ifindex, int name, __be16 vlan)
{
	const struct sl_origin origin = {
		.ifindex = (unsigned)ifindex,
		.name = (unsigned)name,
		.vlan = vlan,
	};

	if (origin.ifindex == found->hop->ifindex && vlan == found->hop->vlan)
		return;
	for (unsigned i = 0; i < found->n; i++)
		if (!memcmp(&found->origins[i], &origin, sizeof(origin)))
			return;
	if (found->n < SL_ORIGINS)
		found->origins[found->n++] = origin;
}

/* In the order of their indices, which that of the table is not. */
static const struct link *next_member(const struct links *links, int master, int after)
{
	const struct hash_node *node = NULL;
	const struct link *next = NULL;

	while ((node = hashtable_next(&links->by_index, node))) {
		const struct link *link = HASH_ENTRY(node, const struct link, node);

		if (link->master == master && link->ifindex > after &&
		    (!next || link->ifindex < next->ifindex))
			next = link;
	}
	return next;
}

static void add_link(struct found *found, const struct links *links, int ifindex)
{
	const struct link *link = links_find(links, ifindex), *carrier, *member;
	__be16 vlan;

	carrier = link ? links_carrier(links, link) : NULL;
	if (!carrier)
		return;
	vlan = carrier == link ? 0 : htons(link->vlan);
	add(found, carrier->ifindex, carrier->ifindex, vlan);
	if (carrier->role != LINK_ROLE_BOND)
		return;
	member = next_member(links, carrier->ifindex, 0);
	for (; member; member = next_member(links, carrier->ifindex, member->ifindex))
		add(found, member->ifindex, carrier->ifindex, vlan);
}

void origins_find(const struct links *links, const struct route *route, const struct sl_hop *hop,
		  struct sl_origin ret_origins[static SL_ORIGINS])
{
	struct found found = { .origins = ret_origins, .hop = hop };

	memset(ret_origins, 0, SL_ORIGINS * sizeof(*ret_origins));
	add_link(&found, links, route->ifindex);
	for (unsigned i = 0; i < route->n_ways; i++)
		add_link(&found, links, route->ways[i]);
}
