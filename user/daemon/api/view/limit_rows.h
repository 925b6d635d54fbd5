/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows that api/view/limits.c and api/view/sources.c share. Not for other files.
 */
#ifndef SLUICE_DAEMON_API_VIEW_LIMIT_ROWS_H
#define SLUICE_DAEMON_API_VIEW_LIMIT_ROWS_H

#include <jansson.h>

struct running;
struct service;

/* The limits of all services (NULL) or one, once their buckets are counted. */
json_t *view_limit_rows(const struct running *running, const struct service *service);

#endif
