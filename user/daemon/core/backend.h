/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions about one backend of a running service. Only reads.
 */
#ifndef SLUICE_DAEMON_CORE_BACKEND_H
#define SLUICE_DAEMON_CORE_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

struct backend;

/* Whether it takes new connections. */
bool backend_serves(const struct backend *backend);

/* Its check says up, and its next hop is known. */
bool backend_is_healthy(const struct backend *backend);

/* Whether it should serve, and does not, or is not healthy. A backup need not serve; a
 * backend that the operator took out, or that has no weight, must not.
 */
bool backend_is_lacking(const struct backend *backend);

/* Why a backend gets no new connections, or "" if it does: "down: connection
 * refused", "no neighbour answers for ...", "weight 0". Returns buffer.
 */
const char *backend_explain(const struct backend *backend, char *buffer, size_t size);

/* Tenths of its weight that the backend has now: 10 unless it starts slowly. */
unsigned backend_weight_tenths(const struct backend *backend);

#endif
