/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The running services of a configuration: each backend with its health check
 * and its next hop.
 */
#ifndef SLUICE_DAEMON_CORE_SERVICES_H
#define SLUICE_DAEMON_CORE_SERVICES_H

#include "daemon/core/balancer.h"

/* Starts checks and watches for every backend of config, which must outlive the
 * services; those that run already for a predecessor are joined. All dirty. 0
 * or -errno; services_free() accepts NULL.
 */
int services_new(struct balancer *balancer, const struct config *config,
		 struct service **ret_services);
void services_free(struct service *services, const struct config *config);

#endif
