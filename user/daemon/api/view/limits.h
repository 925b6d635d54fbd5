/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits, limited sources and denied prefixes as JSON; api/view/view.h's rules hold. Of
 * what can be many, at most so many rows are shown, and "more" says how many are
 * not. The buckets are copied first: with all 131072 of the default that takes
 * tens of milliseconds.
 */
#ifndef SLUICE_DAEMON_API_VIEW_LIMITS_H
#define SLUICE_DAEMON_API_VIEW_LIMITS_H

#include <jansson.h>
#include <stddef.h>

struct ip;
struct balancer;
struct service;

#define VIEW_ROWS_MAX 1000

/* The source of a limit per service. */
#define VIEW_ALL_SOURCES "all"

json_t *view_limits(const struct balancer *balancer);

/* A service's limits, and the sources that have a bucket, most refused first. */
json_t *view_service_limits(const struct service *service, size_t rows);

/* The sources of all services that are over a limit or were lately, most refused
 * first.
 */
json_t *view_sources(const struct balancer *balancer, size_t rows);

/* All that is known of one address. */
json_t *view_source(const struct balancer *balancer, const struct ip *ip);

/* What is denied at run time, and how much the configuration allows and denies. */
json_t *view_denied(const struct balancer *balancer, size_t rows);

#endif
