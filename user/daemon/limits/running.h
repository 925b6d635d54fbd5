/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configured limits beside the limits that run. Only reads.
 */
#ifndef SLUICE_DAEMON_LIMITS_RUNNING_H
#define SLUICE_DAEMON_LIMITS_RUNNING_H

#include <stddef.h>

#include "sluice/abi.h"

struct balancer;
struct limit_config;
struct service;
struct source;

struct running_limit {
	const struct service *service;
	const struct limit_config *config;
	unsigned number;             /* among the service's, from 1 */
	unsigned index;              /* in the maps */
	const struct sl_limit *wire; /* NULL: is not in the maps */
	size_t buckets;              /* sources that have one, once they are counted */
	size_t older;                /* buckets of the generation before */
};

struct running_id {
	__u32 id;
	struct running_limit *limit;
};

/* All limits in the configuration's order. Valid until anything is applied. */
struct running {
	struct running_limit *limits;
	size_t n;
	struct running_id *ids; /* sorted; those of the generation before, too */
	size_t n_ids;
};

/* 0 or -ENOMEM. running_done() accepts an empty one. */
int running_make(const struct balancer *balancer, struct running *ret_running);
void running_done(struct running *running);

/* The limit whose buckets have this id, or NULL. */
struct running_limit *running_find(const struct running *running, __u32 id);

/* Counts the buckets of each limit. */
void running_count(const struct running *running, const struct source *sources, size_t n);

/* The limit's counters, and how many of its buckets were pushed out of the map, which is one
 * for all limits: those inserted less those that are there, once the buckets are counted.
 * 0 or -errno: the limit is not in the maps.
 */
int running_stats(const struct running_limit *limit, struct sl_limit_stats *ret_stats,
		  unsigned long long *ret_evicted);

#endif
