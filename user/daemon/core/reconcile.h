/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Brings the maps into line with configuration, health and next hops. For core/ alone.
 */
#ifndef SLUICE_DAEMON_CORE_RECONCILE_H
#define SLUICE_DAEMON_CORE_RECONCILE_H

#include <stddef.h>

struct balancer;

/* At the start: brings the maps into line with the services that balancer_claim_services() has
 * named; from then on a fiber does, whenever there is something to do. 0 or -ENOMEM.
 */
int balancer_reconcile_start(struct balancer *balancer);

/* The balancer has got other services: the maps come to hold those that are dirty, and then no
 * others any more.
 */
void balancer_claim_services(struct balancer *balancer);

/* For a fiber: waits until they do. */
void balancer_await_services(struct balancer *balancer);

/* How many services the maps had no room for, as they should be. */
size_t balancer_waiting(const struct balancer *balancer);

#endif
