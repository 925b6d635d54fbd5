/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Says in the log who goes over a limit, and when it is back within. It remembers
 * no more sources, and says no more a second, than it has room for; the others are
 * counted in one line. What it has not said of a source's going over it does not
 * say of its coming back.
 */
#ifndef SLUICE_DAEMON_LIMITS_OFFENDERS_H
#define SLUICE_DAEMON_LIMITS_OFFENDERS_H

#include "sluice/abi.h"

struct limit_log;
struct balancer;

/* Reads the balancer's services and datapath when it is called. 0 or -ENOMEM. */
int limit_log_new(struct balancer *balancer, struct limit_log **ret_log);

/* Accepts NULL. */
void limit_log_free(struct limit_log *log);

/* A source has gone over its limit: source_over_fn. */
void limit_log_over(struct limit_log *log, const struct sl_event *event);

/* By the clock, once a second: looks who is back. */
void limit_log_tick(struct limit_log *log);

#endif
