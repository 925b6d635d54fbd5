/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the things that the path of a request names, and makes the refusal where there
 * is no such thing. For handlers alone.
 */
#ifndef SLUICE_DAEMON_API_FIND_H
#define SLUICE_DAEMON_API_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/ask.h"

struct backend;
struct ip;
struct service;

/* The service that stands in the path where the route has {name}. NULL: *ret_refusal
 * names the services that exist.
 */
const struct service *api_find_service(const struct api_ask *ask, const char *name,
				       struct api_answer *ret_refusal);

/* {address}: an address, or a prefix, of which the address is taken. False:
 * *ret_refusal.
 */
bool api_find_address(const struct api_ask *ask, struct ip *ret_ip, struct api_answer *ret_refusal);

/* How many rows are asked for (?lines=), VIEW_ROWS_MAX unless said. False:
 * *ret_refusal.
 */
bool api_find_lines(const struct api_ask *ask, size_t *ret_lines, struct api_answer *ret_refusal);

/* {service} and {name}. NULL: *ret_refusal. */
const struct backend *api_find_backend(const struct api_ask *ask, struct api_answer *ret_refusal);

/* The service's backend of this name, or NULL. */
const struct backend *api_backend_named(const struct service *service, const char *name);

#endif
