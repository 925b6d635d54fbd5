/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The balancer's start and its end.
 */
#ifndef SLUICE_DAEMON_CORE_LIFECYCLE_H
#define SLUICE_DAEMON_CORE_LIFECYCLE_H

struct balancer;
struct balancer_options;
struct config;
struct diag;
struct uv_loop_s;

/* Opens (or takes over) the datapath, starts checking, fills the maps, attaches
 * to the interfaces. Takes config, also on failure. The loop is the caller's to
 * run; options are copied, their strings are borrowed. 0 or -errno and diag.
 */
int balancer_new(struct uv_loop_s *loop, const struct balancer_options *options,
		 struct config *config, struct diag *diag, struct balancer **ret_balancer);

/* Detaches (unless options.keep) and frees; run the loop until it is empty
 * first: balancer_stop(), uv_run(), balancer_free(). Both accept NULL.
 */
void balancer_stop(struct balancer *balancer);
void balancer_free(struct balancer *balancer);

#endif
