/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How large the maps must be for a configuration, and how large they are made. For core/ alone.
 */
#ifndef SLUICE_DAEMON_CORE_SIZES_H
#define SLUICE_DAEMON_CORE_SIZES_H

#include "daemon/datapath/datapath.h"

struct balancer;
struct config;
struct diag;

/* The least that the maps must hold for this configuration; the tables are the caller's to
 * free. 0 or -ENOMEM.
 */
int sizes_needed(const struct config *config, struct datapath_sizes *ret_sizes);

/* With room to grow. */
struct datapath_sizes sizes_roomy(const struct datapath_sizes *needed);

/* Whether the running maps can be brought to hold this configuration: as datapath_fits(), and
 * diag says the cure.
 */
int balancer_check_room(const struct balancer *balancer, const struct config *config,
			struct diag *diag);

#endif
