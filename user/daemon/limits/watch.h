/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Follows on the loop the program's events about limits, for the log.
 */
#ifndef SLUICE_DAEMON_LIMITS_WATCH_H
#define SLUICE_DAEMON_LIMITS_WATCH_H

struct balancer;
struct diag;
struct limits_watch;

/* Begins; the balancer runs, and must outlive it. 0 or -errno and diag. */
int limits_watch_new(struct balancer *balancer, struct diag *diag, struct limits_watch **ret_watch);

/* Ends at once; run the loop until it is empty afterwards. Accepts NULL. */
void limits_watch_free(struct limits_watch *watch);

#endif
