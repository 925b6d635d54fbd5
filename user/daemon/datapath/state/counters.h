/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters of the maps, which are arrays of 64-bit words for each CPU.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_COUNTERS_H
#define SLUICE_DAEMON_DATAPATH_STATE_COUNTERS_H

#include <stddef.h>

#include "daemon/datapath/program/maps.h"

/* Sums the n counters under an index over CPUs. 0 or -errno. */
int counters_sum(const struct map *map, unsigned index, size_t n, __u64 *ret_sums);

/* Zeroes the counters of an index that is given to another service, backend or limit. */
void counters_reset(const struct map *map, unsigned index);

#endif
