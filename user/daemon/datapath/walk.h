/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The walk over the flow tables, a batch at a time: removes flows that have ended, corrects
 * the counts of live connections, settles slots in transition, and frees the
 * indices of dropped services and backends.
 */
#ifndef SLUICE_DAEMON_DATAPATH_WALK_H
#define SLUICE_DAEMON_DATAPATH_WALK_H

#include <stdbool.h>

#include "daemon/datapath/timeouts.h"

struct datapath;
struct walk;

void datapath_set_timeouts(struct datapath *datapath, const struct datapath_timeouts *timeouts);
const struct datapath_timeouts *walk_timeouts(const struct datapath *datapath);

/* Whether there is anything to walk for. */
bool datapath_walk_needed(const struct datapath *datapath);

/* Looks at a bounded number of flows. 1: a round has ended. 0: there is more of it. -errno. */
int datapath_walk_step(struct datapath *datapath);

struct datapath_flow_stats {
	unsigned long long tracked; /* entries, as of the last round */
	unsigned long long slots_in_transition;
};
struct datapath_flow_stats datapath_flow_stats(const struct datapath *datapath);

/* For datapath_new() and datapath_free(). n_backends: entries of sl_backends. 0 or -ENOMEM. */
int walk_new(unsigned n_backends, struct walk **ret_walk);

/* Accepts NULL. */
void walk_free(struct walk *walk);

#endif
