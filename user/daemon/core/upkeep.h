/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Work that is due by the clock: the walk over the flow table in small steps, slow starts
 * that climb, drains that come to their end, services that wait for room in the maps.
 */
#ifndef SLUICE_DAEMON_CORE_UPKEEP_H
#define SLUICE_DAEMON_CORE_UPKEEP_H

struct balancer;
struct upkeep;

/* balancer->datapath must be open. 0 or -errno. */
int upkeep_new(struct balancer *balancer, struct upkeep **ret_upkeep);

/* Run the loop until it is empty afterwards. Accepts NULL. */
void upkeep_free(struct upkeep *upkeep);

#endif
