/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The balancer's state as JSON, for the answers of the control interface. Only reads.
 * Every function returns a new reference, or NULL where there is no memory.
 */
#ifndef SLUICE_DAEMON_API_VIEW_VIEW_H
#define SLUICE_DAEMON_API_VIEW_VIEW_H

#include <jansson.h>
#include <stdbool.h>

struct attachment;
struct backend;
struct balancer;
struct diag;
struct diag_list;
struct service;

json_t *view_status(const struct balancer *balancer);

json_t *view_services(const struct balancer *balancer);
json_t *view_service(const struct service *service);

json_t *view_backends(const struct balancer *balancer);
json_t *view_backend(const struct backend *backend);

json_t *view_stats(const struct balancer *balancer);

json_t *view_attachment(const struct attachment *attachment);

/* Adds the file, line and column that diag knows. */
void view_add_place(json_t *object, const struct diag *diag);

/* The errors, or the warnings, of a list: each a text with its place. */
json_t *view_findings(const struct diag_list *list, bool warnings);

/* A string of bytes from outside. JSON wants UTF-8; in a text that is none, each byte that
 * is not ASCII becomes '?'.
 */
json_t *view_text(const char *text);

#endif
