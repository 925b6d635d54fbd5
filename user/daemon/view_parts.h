/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of view.h share. Not for others.
 */
#ifndef SLUICE_VIEW_PARTS_H
#define SLUICE_VIEW_PARTS_H

#include <jansson.h>
#include <stdbool.h>

struct backend;
struct ip;
struct server;
struct service;

json_t *view_ip(const struct ip *ip);

/* A service in short, as lists show it. */
json_t *view_service_row(const struct service *service);

/* Counters summed over the service's addresses. */
json_t *view_service_stats(const struct service *service);
json_t *view_backend_stats(const struct backend *backend);

/* What the operator changed at run time, a sentence each. */
json_t *view_changes(const struct server *server);

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
