/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The running services of a configuration: each backend with its health check
 * and its next hop.
 */
#ifndef SLUICE_DAEMON_CORE_SERVICES_H
#define SLUICE_DAEMON_CORE_SERVICES_H

#include "daemon/core/balancer.h"

/* The services of config, which must outlive them: those that run and of which it says the same,
 * and new ones, whose checks and watches are started. 0 or -errno.
 */
int services_new(struct balancer *balancer, const struct config *config,
		 struct service ***ret_services);

/* These are the balancer's services from now on, and this is its configuration. Returns the ones
 * before, which are the caller's to free, as is their configuration.
 */
struct service **services_replace(struct balancer *balancer, struct config *config,
				  struct service **services);

/* Behind that, once they are claimed: what their checks and next hops told before they ran. */
void services_take_news(struct balancer *balancer);

/* The balancer stops, and has none any more. */
void services_end(struct balancer *balancer);

/* Frees those of the n that do not run. Accepts NULL. */
void services_free(struct service **services, size_t n);

#endif
