/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The responder's surroundings: a network namespace with one veth into ours, and
 * an unprivileged process in it (sluice-responder) that answers every TCP
 * connection to a service's address with 429 or 503. To the datapath it is a
 * backend that `dsr` reaches over the veth. Ends with the daemon.
 */
#ifndef SLUICE_DAEMON_RESPONDER_RESPONDER_H
#define SLUICE_DAEMON_RESPONDER_RESPONDER_H

#include "lib/config/config.h"

struct diag;
struct datapath;
struct responder;
struct uv_loop_s;

/* The way to it has come or gone (responder_hop() says which). */
typedef void responder_changed_fn(void *arg);

/* Makes namespace, veth and process; a process that dies is started again, not
 * more often than once a second. 0 or -errno and diag.
 */
int responder_new(struct uv_loop_s *loop, struct datapath *datapath, responder_changed_fn *changed,
		  void *arg, struct diag *diag, struct responder **ret_responder);

/* Ends it; run the loop until it is empty before freeing what arg points to.
 * Accepts NULL.
 */
void responder_free(struct responder *responder);

/* The way to it, or NULL while it does not run. */
const struct sl_hop *responder_hop(const struct responder *responder);

/* What it says for each service of config that config_responds(); again after each
 * change of the configuration. 0 or -errno.
 */
int responder_tell(struct responder *responder, const struct config *config);

#endif
