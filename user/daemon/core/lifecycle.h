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

/* Opens the socket for balancer_options.packet_socket, which stays the caller's to close. It
 * needs CAP_NET_RAW, which nothing later does. 0 or -errno and diag.
 */
int balancer_open_socket(struct diag *diag, int *ret_fd);

/* Takes config, also on failure; options are copied, their strings are borrowed. 0, or
 * -ENOMEM and diag.
 */
int balancer_new(struct uv_loop_s *loop, const struct balancer_options *options,
		 struct config *config, struct diag *diag, struct balancer **ret_balancer);

/* Opens (or takes over) the datapath, starts checking, fills the maps, attaches
 * to the interfaces. The loop is the caller's to run. 0 or -errno and diag: then part of
 * it may have begun, and the balancer is to be stopped and freed as one that runs.
 */
int balancer_start(struct balancer *balancer, struct diag *diag);

/* Detaches (unless options.keep) and frees; run the loop until it is empty in between:
 * balancer_stop(), uv_run(), balancer_free(). Both accept NULL.
 */
void balancer_stop(struct balancer *balancer);
void balancer_free(struct balancer *balancer);

#endif
