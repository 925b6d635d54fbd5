/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the path of a request names, and the refusal where there is no such
 * thing. For handlers alone.
 */
#ifndef SLUICE_DAEMON_API_FIND_H
#define SLUICE_DAEMON_API_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/handlers/handlers.h"

struct backend;
struct ip;
struct service;

/* By the path's third segment. NULL: *ret_refusal names the services that exist. */
const struct service *api_find_service(const struct api_ask *ask, struct api_answer *ret_refusal);

/* By any of the path's segments, from 0. */
const struct service *api_find_service_at(const struct api_ask *ask, size_t segment,
					  struct api_answer *ret_refusal);

/* An address, or a prefix, of which the address is taken, by the third segment.
 * False: *ret_refusal.
 */
bool api_find_address(const struct api_ask *ask, struct ip *ret_ip, struct api_answer *ret_refusal);

/* How many rows are asked for (?lines=), VIEW_ROWS_MAX unless said. False:
 * *ret_refusal.
 */
bool api_find_lines(const struct api_ask *ask, size_t *ret_lines, struct api_answer *ret_refusal);

/* By the third and the fourth. */
const struct backend *api_find_backend(const struct api_ask *ask, struct api_answer *ret_refusal);

/* The service's backend of this name, or NULL. */
const struct backend *api_backend_named(const struct service *service, const char *name);

#endif
