/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the path of a request names, and the refusal where there is no such
 * thing. For handlers alone.
 */
#ifndef SLUICE_API_FIND_H
#define SLUICE_API_FIND_H

#include "daemon/api_handlers.h"

struct backend;
struct service;

/* By the path's third segment. NULL: *ret_refusal names the services that exist. */
const struct service *api_find_service(const struct api_ask *ask, struct api_answer *ret_refusal);

/* By the third and the fourth. */
const struct backend *api_find_backend(const struct api_ask *ask, struct api_answer *ret_refusal);

/* The service's backend of this name, or NULL. */
const struct backend *api_backend_named(const struct service *service, const char *name);

#endif
