/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What balancer*.c share; nobody else includes it.
 */
#ifndef SLUICE_DAEMON_CORE_INTERNAL_H
#define SLUICE_DAEMON_CORE_INTERNAL_H

#include "daemon/core/balancer.h"
#include "daemon/datapath/datapath.h"

/* core/interfaces.c */

/* Claims every interface of what runs, before anything of it is touched. */
int balancer_claim_all(struct balancer *balancer, struct diag *diag);

/* Attaches to all interfaces of config that are not attached yet. */
int balancer_attach_all(struct balancer *balancer, const struct config *config, struct diag *diag);

/* Detaches from what is not in config; NULL: from all. */
void balancer_detach_others(struct balancer *balancer, const struct config *config);

/* core/reload.c */

/* What the maps must hold at the least. */
struct datapath_sizes balancer_needed_sizes(const struct config *config);

/* What holds for all services and can always be changed. */
void balancer_set_all(struct balancer *balancer);

/* Takes over what one of the interfaces runs already, or loads afresh. */
int balancer_open_datapath(struct balancer *balancer, struct diag *diag);

/* core/limiter.c */

/* What all services share of limits and access. 0, or -errno and diag, and nothing
 * has changed.
 */
int balancer_apply_limiter(struct balancer *balancer, const struct config *config,
			   struct diag *diag);

/* Starts or ends the responder, as config asks for it; without one, limits drop. */
void balancer_apply_responder(struct balancer *balancer, const struct config *config);

/* Listens to what the program tells of limits. */
int balancer_follow_limits(struct balancer *balancer, struct diag *diag);
void balancer_unfollow_limits(struct balancer *balancer);

#endif
