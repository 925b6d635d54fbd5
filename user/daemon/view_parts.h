/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of view.h share. Not for others.
 */
#ifndef SLUICE_VIEW_PARTS_H
#define SLUICE_VIEW_PARTS_H

#include <jansson.h>

struct backend;
struct service;

/* A service in short, as lists show it. */
json_t *view_service_row(const struct service *service);

/* Counters summed over the service's addresses. */
json_t *view_service_stats(const struct service *service);
json_t *view_backend_stats(const struct backend *backend);

/* How many of its backends get new connections. */
size_t view_serving(const struct service *service);

enum view_state { VIEW_OK, VIEW_DEGRADED, VIEW_DOWN };

/* down: no backend gets connections. degraded: a backend that should does not,
 * one of the addresses has none, or the service could not be applied.
 */
enum view_state view_service_state(const struct service *service);

#endif
