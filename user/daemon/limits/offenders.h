/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Says in the log which source goes over a limit, and when it is back within. It
 * remembers no more sources, and says no more a second, than it has room for; the others
 * are counted in one line. Of a source whose going over it has not said, it does not say
 * the coming back either.
 */
#ifndef SLUICE_DAEMON_LIMITS_OFFENDERS_H
#define SLUICE_DAEMON_LIMITS_OFFENDERS_H

#include "sluice/abi.h"

struct balancer;
struct offenders;

/* Reads the balancer's services and datapath when it is called. 0 or -ENOMEM. */
int offenders_new(struct balancer *balancer, struct offenders **ret_offenders);

/* Accepts NULL. */
void offenders_free(struct offenders *log);

/* The program says that a source has gone over its limit. */
void offenders_over(struct offenders *log, const struct sl_event *event);

/* Once a second: looks which sources are back. */
void offenders_tick(struct offenders *log);

#endif
