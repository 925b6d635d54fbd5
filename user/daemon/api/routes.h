/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the route of a request among the tables of handlers/, and has it handled.
 * Knows JSON and the balancer, nothing of sockets.
 */
#ifndef SLUICE_DAEMON_API_ROUTES_H
#define SLUICE_DAEMON_API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/api/ask.h"
#include "daemon/api/reply.h"

/* How long a body may be for this method and path. */
size_t api_body_limit(const char *method, const char *path);

/* Whether a request of this method and path takes much memory until it is answered. */
bool api_is_large(const char *method, const char *path);

/* Changes nothing unless the answer's status is 200. */
struct api_answer api_answer(const struct api_call *call);

#endif
