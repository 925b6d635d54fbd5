/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Brings the maps into line with configuration, health and next hops. For core/ alone.
 */
#ifndef SLUICE_DAEMON_CORE_RECONCILE_H
#define SLUICE_DAEMON_CORE_RECONCILE_H

struct balancer;

/* Plans and applies every service that is dirty. */
void balancer_reconcile(struct balancer *balancer);

/* The same for services that have just been made; the maps then hold them and no
 * others.
 */
void balancer_reconcile_all(struct balancer *balancer);

#endif
