/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of api/view/view.h share. Not for others.
 */
#ifndef SLUICE_DAEMON_API_VIEW_PARTS_H
#define SLUICE_DAEMON_API_VIEW_PARTS_H

#include <jansson.h>
#include <stdbool.h>

struct access_config;
struct backend;
struct ip;
struct limit_config;
struct prefix;
struct balancer;
struct service;
struct service_config;

json_t *view_ip(const struct ip *ip);

/* "192.0.2.0/24"; of a single address, that address. */
json_t *view_prefix(const struct prefix *prefix);

/* Unix time in ms: "2026-11-22T05:31:56Z". */
json_t *view_time(unsigned long long ms);

/* How many prefixes are allowed and denied, or null where none is. */
json_t *view_access(const struct access_config *access);

/* The settings of a limit. */
json_t *view_limit_config(const struct limit_config *limit);

/* Whether it has an address of this family. */
bool view_has_family(const struct service_config *service, unsigned char family);

/* Why the address may not use services: a row for each list that denies it. */
json_t *view_denials(const struct balancer *balancer, const struct ip *ip);

/* A service in short, as lists show it. */
json_t *view_service_row(const struct service *service);

/* Counters summed over the service's addresses. */
json_t *view_service_stats(const struct service *service);
json_t *view_backend_stats(const struct backend *backend);

/* What the operator changed at run time, a sentence each. */
json_t *view_changes(const struct balancer *balancer);

/* Whether any of that is about this backend; and in how many seconds its drain
 * ends, or null where that is not set.
 */
bool view_is_changed(const struct backend *backend);
json_t *view_deadline(const struct backend *backend);

/* Its check says up, and its next hop is known. */
bool view_is_healthy(const struct backend *backend);

/* How many of its backends get new connections. */
size_t view_serving(const struct service *service);

enum view_state { VIEW_OK, VIEW_DEGRADED, VIEW_DOWN };

/* down: no backend gets connections. degraded: a backend that should does not,
 * or is not healthy, one of the addresses has none, health is ignored, or the
 * service could not be applied.
 */
enum view_state view_service_state(const struct service *service);

#endif
