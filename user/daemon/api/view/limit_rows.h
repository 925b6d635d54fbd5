/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What api/view/limits.c and api/view/sources.c share. Not for others.
 */
#ifndef SLUICE_DAEMON_API_VIEW_LIMIT_ROWS_H
#define SLUICE_DAEMON_API_VIEW_LIMIT_ROWS_H

#include <jansson.h>
#include <stddef.h>

struct service;
struct source;
struct view_limit_table;

/* Counts the buckets of each limit. */
void view_count_buckets(const struct view_limit_table *table, const struct source *sources,
			size_t n);

/* Of all services (NULL) or one; once the buckets are counted. */
json_t *view_limit_rows(const struct view_limit_table *table, const struct service *service);

#endif
