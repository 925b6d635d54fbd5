// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/origins.h"

#include <arpa/inet.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/datapath/internal.h"
#include "sluice/second.h"

/* An entry that is being written names no device, so that no packet is taken by half of it. A
 * packet that has found the entry before may be routed in the new one's name, once.
 */
void origins_put(struct sl_origins *origins, const struct sl_origin *wanted)
{
	static const struct sl_origin none[SL_ORIGINS];

	if (!wanted)
		wanted = none;
	for (unsigned i = 0; i < SL_ORIGINS; i++) {
		struct sl_origin *entry = &origins->from[i];

		if (!memcmp(entry, &wanted[i], sizeof(*entry)))
			continue;
		__atomic_store_n(&entry->ifindex, 0, __ATOMIC_SEQ_CST);
		entry->name = wanted[i].name;
		entry->vlan = wanted[i].vlan;
		__atomic_store_n(&entry->ifindex, wanted[i].ifindex, __ATOMIC_RELEASE);
	}
}

/* Whether packets of the backend are believed by now where the last foreign one came in: a route
 * has changed, or the device was made anew.
 */
static bool is_believed(const struct sl_backend *backend, const struct sl_origins *origins)
{
	const struct sl_hop *hop = &backend->hops[backend->state & SL_BACKEND_HOP];
	__u32 ifindex = origins->foreign_ifindex;
	__be16 vlan = origins->foreign_vlan;

	if (hop->ifindex == ifindex && hop->vlan == vlan)
		return true;
	for (unsigned i = 0; i < SL_ORIGINS; i++)
		if (origins->from[i].ifindex == ifindex && origins->from[i].vlan == vlan)
			return true;
	return false;
}

bool datapath_foreign(const struct datapath *datapath, const struct sl_key *service,
		      const struct sl_key *backend, struct datapath_foreign *ret_foreign)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;
	const struct sl_origins *origins;
	int seconds;

	if (!found)
		return false;
	origins = &datapath->maps.origins[found->index];
	if (!origins->foreign_ifindex ||
	    is_believed(&datapath->maps.backends[found->index], origins))
		return false;
	/* The program's clock may be ahead of this one. */
	seconds = sl_second_difference(clock_second(), origins->foreign_seen);
	*ret_foreign = (struct datapath_foreign){
		.ifindex = origins->foreign_ifindex,
		.vlan = ntohs(origins->foreign_vlan),
		.seconds = seconds > 0 ? (unsigned)seconds : 0,
	};
	return true;
}
