/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The interfaces that the program is to be attached to: those of the configuration, and those
 * that a command has named since. An interface may be missing when it is named, and it may go
 * and return: the program is attached to it whenever it appears.
 */
#ifndef SLUICE_DAEMON_CORE_INTERFACES_H
#define SLUICE_DAEMON_CORE_INTERFACES_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/config/config.h"

struct balancer;
struct diag;

/* At run time, until the next reload. -ENODEV, -EBUSY, ...: diag says it. */
int balancer_attach(struct balancer *balancer, const char *interface, enum attach_mode mode,
		    struct diag *diag);
int balancer_detach(struct balancer *balancer, const char *interface, struct diag *diag);

/* How many interfaces run the program. */
size_t balancer_count_attached(const struct balancer *balancer);

/* ---- for core/ alone: all interfaces of a configuration ---------------------- */

/* Claims every interface of the configuration that runs, before any of them is touched. */
int balancer_claim_all(struct balancer *balancer, struct diag *diag);

/* Attaches to all interfaces of config that do not run the program, or not in the mode that
 * config asks for. Missing ones are waited for. On failure some may have been attached to, or
 * run in another mode: balancer_attach_undo() takes that back.
 */
int balancer_attach_all(struct balancer *balancer, const struct config *config, struct diag *diag);
void balancer_attach_undo(struct balancer *balancer);

/* Detaches from interfaces that are not in config; NULL: from all. */
void balancer_detach_others(struct balancer *balancer, const struct config *config);

/* Brings the interfaces into line with the kernel's devices, after those have changed. */
void balancer_follow_interfaces(struct balancer *balancer);

#endif
