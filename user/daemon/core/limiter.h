/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The settings of limits and access that all services share, and the responder. For core/
 * alone.
 */
#ifndef SLUICE_DAEMON_CORE_LIMITER_H
#define SLUICE_DAEMON_CORE_LIMITER_H

struct balancer;
struct config;
struct diag;

/* The limiter's rates and the access lists of all services. 0, or -errno and diag, and
 * nothing has changed.
 */
int balancer_apply_limiter(struct balancer *balancer, const struct config *config,
			   struct diag *diag);

/* Starts or ends the responder, as config asks for it; without one, limits drop. */
void balancer_apply_responder(struct balancer *balancer, const struct config *config);

#endif
