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
	if (!origins->foreign_ifindex)
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
