/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters of the program. Sums over CPUs.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATS_H
#define SLUICE_DAEMON_DATAPATH_STATS_H

#include "sluice/abi.h"
#include "sluice/verdict.h"

struct datapath;

/* 0; -ENOENT: the service (or backend) is not in the maps; or another -errno. */
int datapath_service_stats(const struct datapath *datapath, const struct sl_key *service,
			   struct sl_stats *ret_stats);
int datapath_backend_stats(const struct datapath *datapath, const struct sl_key *service,
			   const struct sl_key *backend, struct sl_stats *ret_stats);

/* 0 or -errno. */
int datapath_verdicts(const struct datapath *datapath,
		      struct sl_count ret_counts[static SL_VERDICT_COUNT]);

/* Tracked connections of this backend that are live, as the last walk left it and
 * the program has counted since. 0 where it is not in the maps.
 */
unsigned datapath_backend_live(const struct datapath *datapath, const struct sl_key *service,
			       const struct sl_key *backend);

#endif
