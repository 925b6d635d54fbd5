/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits, limited sources and denied prefixes as JSON; api/view/view.h's rules hold. Long
 * lists are cut at a number of rows, and "more" says how many rows are left out.
 */
#ifndef SLUICE_DAEMON_API_VIEW_LIMITS_H
#define SLUICE_DAEMON_API_VIEW_LIMITS_H

#include <jansson.h>
#include <stddef.h>

#include "sluice/api.h"

struct ip;
struct balancer;
struct service;

#define VIEW_ROWS_MAX SL_API_ROWS_MAX

/* The source of a limit per service. */
#define VIEW_ALL_SOURCES "all"

json_t *view_limits(const struct balancer *balancer);

/* A service's limits, and the sources that have a bucket, most refused first. */
json_t *view_service_limits(const struct service *service, size_t rows);

/* The sources of all services that are over a limit or were lately, most refused
 * first.
 */
json_t *view_sources(const struct balancer *balancer, size_t rows);

/* The denials, limits and buckets of one address. */
json_t *view_source(const struct balancer *balancer, const struct ip *ip);

/* The prefixes denied at run time, and how many the configuration allows and denies. */
json_t *view_denied(const struct balancer *balancer, size_t rows);

#endif
