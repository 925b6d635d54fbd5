/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changes of backends at run time, and taking changes at run time back.
 */
#ifndef SLUICE_DAEMON_CORE_CHANGE_H
#define SLUICE_DAEMON_CORE_CHANGE_H

#include <stddef.h>

#include "daemon/author.h"

struct balancer;
struct balancer_edit;
struct config_change;
struct diag;

struct edit_request {
	const struct config_change *change;
	unsigned timeout_ms; /* of a drain, after which the backend is disabled; 0: none */
	struct author author;
};

/* Changes one backend; when this returns 0, packets go by it, and the state file has it. Or
 * -errno and diag, and nothing has changed. -EIO: the change cannot be kept.
 */
int balancer_edit(struct balancer *balancer, const struct edit_request *request, struct diag *diag);

/* The time of a drain is over: its backend is disabled. 0 or -errno and diag. */
int balancer_end_drain(struct balancer *balancer, const struct balancer_edit *drain,
		       struct diag *diag);

struct revert {
	/* Of a backend; of a service, where backend is NULL; of all, with the denials, where
	 * both are.
	 */
	const char *service, *backend;
	size_t n_edits, n_denials; /* the result: those that were taken back */
};

/* Takes changes back. 0, or -errno and diag, and nothing has changed. -ENOENT: there are none
 * of that name. -EIO: that cannot be kept.
 */
int balancer_revert(struct balancer *balancer, struct revert *revert, struct diag *diag);

#endif
