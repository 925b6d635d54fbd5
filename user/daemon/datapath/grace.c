// SPDX-License-Identifier: BSD-2-Clause
/* What packets and flows may still reach: indices are free again when nobody can. Whoever
 * hands indices out has its pool watched here, and need not be known by name.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "daemon/datapath/internal.h"

unsigned take_index(struct datapath *datapath, struct idpool *pool)
{
	unsigned index = idpool_take(pool);

	if (index || !idpool_available(pool) || datapath_wait(datapath))
		return index;
	return idpool_take(pool);
}

/* Without memory to remember it, the index is lost, not used too early. */
void drop_index(struct datapath *datapath, struct idpool *pool, unsigned index)
{
	struct dropped *dropped =
		reallocarray(datapath->dropped, datapath->n_dropped + 1, sizeof(*dropped));

	if (!dropped)
		return;
	datapath->dropped = dropped;
	dropped[datapath->n_dropped++] =
		(struct dropped){ .pool = pool, .index = index, .round = datapath->round };
}

void dropped_retire(struct datapath *datapath)
{
	size_t kept = 0;

	for (size_t i = 0; i < datapath->n_dropped; i++) {
		const struct dropped *dropped = &datapath->dropped[i];

		if (dropped->round < datapath->round)
			idpool_retire(dropped->pool, dropped->index);
		else
			datapath->dropped[kept++] = *dropped;
	}
	datapath->n_dropped = kept;
}

int datapath_wait(struct datapath *datapath)
{
	int error = maps_wait_for_readers();

	if (error)
		return error;
	for (unsigned i = 0; i < datapath->n_pools; i++)
		idpool_recycle(datapath->pools[i]);
	for (unsigned i = 0; i < datapath->n_ranges; i++)
		extents_recycle(datapath->ranges[i]);
	datapath->epoch++;
	return 0;
}

void grace_watch_pool(struct datapath *datapath, struct idpool *pool)
{
	assert(datapath->n_pools < GRACE_POOLS);
	datapath->pools[datapath->n_pools++] = pool;
}

void grace_watch_ranges(struct datapath *datapath, struct extents *ranges)
{
	assert(datapath->n_ranges < GRACE_RANGES);
	datapath->ranges[datapath->n_ranges++] = ranges;
}
