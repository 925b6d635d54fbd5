/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The datapath at the start, and its settings that hold for all services. For core/
 * alone.
 */
#ifndef SLUICE_DAEMON_CORE_OPEN_H
#define SLUICE_DAEMON_CORE_OPEN_H

#include "daemon/datapath/datapath.h"

struct balancer;
struct config;
struct diag;

/* Settings that hold for all services and can always be changed. */
void balancer_set_all(struct balancer *balancer);

/* Takes over the program that one of the interfaces runs already, or loads afresh. */
int balancer_open_datapath(struct balancer *balancer, struct diag *diag);

#endif
