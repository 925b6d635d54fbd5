/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Brings the maps into line with configuration, health and next hops. For core/ alone.
 */
#ifndef SLUICE_DAEMON_CORE_RECONCILE_H
#define SLUICE_DAEMON_CORE_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>

struct balancer;

/* Plans and applies every service that is dirty. */
void balancer_reconcile(struct balancer *balancer);

/* The same for services that have just been made; the maps then hold them and no
 * others.
 */
void balancer_reconcile_all(struct balancer *balancer);

/* How many services the maps had no room for, as they should be. */
size_t balancer_waiting(const struct balancer *balancer);

/* Tries some of these once more, for a moment. True: there was room, so that more may follow at
 * once.
 */
bool balancer_retry(struct balancer *balancer);

#endif
