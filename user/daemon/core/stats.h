/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program's counters, by service and backend; zeros for those that are not in the
 * maps. Only reads.
 */
#ifndef SLUICE_DAEMON_CORE_STATS_H
#define SLUICE_DAEMON_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/datapath/datapath.h"

struct backend;
struct balancer;
struct service;

/* Of one address of the service, by its place in the configuration. */
struct sl_stats stats_of_address(const struct service *service, size_t address);

/* Summed over the addresses of the service. */
struct sl_stats stats_of_service(const struct service *service);
struct sl_stats stats_of_backend(const struct backend *backend);

/* Live connections of the backend that are tracked, over all addresses. All are,
 * while it drains and whenever the scheduler tracks each flow; else those of
 * slots in transition.
 */
unsigned stats_live_connections(const struct backend *backend);

/* All packets, by verdict; zeros where the maps cannot be read. */
void stats_of_verdicts(const struct balancer *balancer,
		       struct sl_count ret_counts[static SL_VERDICT_COUNT]);

/* Whether the running program has the seed that every copy of sluice has. */
bool stats_seed_is_public(const struct balancer *balancer);

struct datapath_flow_stats stats_of_flows(const struct balancer *balancer);

#endif
