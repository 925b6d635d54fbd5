/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configured limits beside what runs of them, and the moment that all of a
 * view is about. For view_*.c and the handlers that forget sources.
 */
#ifndef SLUICE_DAEMON_LIMITS_RUNNING_H
#define SLUICE_DAEMON_LIMITS_RUNNING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sluice/abi.h"

struct limit_config;
struct balancer;
struct service;
struct sl_bucket;

struct view_limit {
	const struct service *service;
	const struct limit_config *config;
	unsigned number;             /* among the service's, from 1 */
	unsigned index;              /* in the maps */
	const struct sl_limit *wire; /* NULL: is not in the maps */
	size_t buckets;              /* sources that have one, once somebody has counted */
	size_t older;                /* buckets of the generation before */
};

struct view_limit_id {
	__u32 id;
	struct view_limit *limit;
};

/* In the configuration's order. Valid until anything is applied. */
struct view_limit_table {
	struct view_limit *limits;
	size_t n;
	struct view_limit_id *ids; /* sorted; those of the generation before, too */
	size_t n_ids;
};

/* 0 or -ENOMEM. view_limit_table_done() accepts an empty one. */
int view_limit_table_make(const struct balancer *balancer, struct view_limit_table *ret_table);
void view_limit_table_done(struct view_limit_table *table);

/* Whose buckets have this id; NULL: nobody's any more. */
struct view_limit *view_limit_table_find(const struct view_limit_table *table, __u32 id);

/* Now, by the clocks of buckets and of people. */
struct view_moment {
	unsigned long long ns; /* CLOCK_MONOTONIC */
	unsigned long long wall_ms;
};
struct view_moment view_now(void);

/* How long ago an SL_SECOND was, in ms; 0 where it has just begun. */
unsigned long long view_age_ms(const struct view_moment *now, __u32 second);

/* Whether it was refused something in the last SL_LIMIT_CALM. */
bool view_is_over(const struct view_moment *now, const struct sl_bucket *bucket);

#endif
