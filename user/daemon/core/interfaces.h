/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The interfaces that the program is attached to.
 */
#ifndef SLUICE_DAEMON_CORE_INTERFACES_H
#define SLUICE_DAEMON_CORE_INTERFACES_H

#include "lib/config/config.h"

struct balancer;
struct diag;

/* At run time, until the next reload. -ENODEV, -EBUSY, ...: diag says it. */
int balancer_attach(struct balancer *balancer, const char *interface, enum attach_mode mode,
		    struct diag *diag);
int balancer_detach(struct balancer *balancer, const char *interface, struct diag *diag);

/* ---- for core/ alone: all interfaces of a configuration ---------------------- */

/* Claims every interface of the configuration that runs, before any of them is touched. */
int balancer_claim_all(struct balancer *balancer, struct diag *diag);

/* Attaches to all interfaces of config that are not attached yet. */
int balancer_attach_all(struct balancer *balancer, const struct config *config, struct diag *diag);

/* Detaches from interfaces that are not in config; NULL: from all. */
void balancer_detach_others(struct balancer *balancer, const struct config *config);

#endif
