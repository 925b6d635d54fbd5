// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/stats.h"

#include <errno.h>

#include "daemon/datapath/internal.h"
#include "daemon/datapath/state/counters.h"

/* Both kinds of counters are arrays of 64-bit ones. */
#define STATS_COUNTERS (sizeof(struct sl_stats) / sizeof(__u64))
#define COUNT_COUNTERS (sizeof(struct sl_count) / sizeof(__u64))

int datapath_service_stats(const struct datapath *datapath, const struct sl_key *service,
			   struct sl_stats *ret_stats)
{
	const struct installed *installed = installed_find(&datapath->installed, service);

	if (!installed)
		return -ENOENT;
	return counters_sum(&datapath->maps.map[MAP_SERVICE_STAT], installed->id, STATS_COUNTERS,
			    (__u64 *)ret_stats);
}

int datapath_backend_stats(const struct datapath *datapath, const struct sl_key *service,
			   const struct sl_key *backend, struct sl_stats *ret_stats)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;

	if (!found)
		return -ENOENT;
	return counters_sum(&datapath->maps.map[MAP_BACKEND_STAT], found->index, STATS_COUNTERS,
			    (__u64 *)ret_stats);
}

int datapath_verdicts(const struct datapath *datapath,
		      struct sl_count ret_counts[static SL_VERDICT_COUNT])
{
	for (unsigned i = 0; i < SL_VERDICT_COUNT; i++) {
		int error = counters_sum(&datapath->maps.map[MAP_VERDICTS], i, COUNT_COUNTERS,
					 (__u64 *)&ret_counts[i]);

		if (error)
			return error;
	}
	return 0;
}

unsigned datapath_backend_live(const struct datapath *datapath, const struct sl_key *service,
			       const struct sl_key *backend)
{
	const struct installed *installed = installed_find(&datapath->installed, service);
	const struct installed_backend *found =
		installed ? installed_find_backend(installed, backend) : NULL;
	__u32 live = found ? datapath->maps.loads[found->index].live : 0;

	return (__s32)live > 0 ? live : 0;
}
