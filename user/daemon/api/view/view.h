/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The balancer's state as JSON, for the answers of the control interface. Only reads.
 * Every function returns a new reference, or NULL where there is no memory.
 */
#ifndef SLUICE_DAEMON_API_VIEW_VIEW_H
#define SLUICE_DAEMON_API_VIEW_VIEW_H

#include <jansson.h>

struct attachment;
struct backend;
struct balancer;
struct service;

json_t *view_status(const struct balancer *balancer);

json_t *view_services(const struct balancer *balancer);
json_t *view_service(const struct service *service);

json_t *view_backends(const struct balancer *balancer);
json_t *view_backend(const struct backend *backend);

json_t *view_stats(const struct balancer *balancer);

json_t *view_attachment(const struct attachment *attachment);

/* A string of bytes from outside. JSON wants UTF-8; in a text that is none, each byte that
 * is not ASCII becomes '?'.
 */
json_t *view_text(const char *text);

#endif
