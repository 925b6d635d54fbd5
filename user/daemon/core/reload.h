/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From one configuration to the next: by the file, or by a change at run time.
 */
#ifndef SLUICE_DAEMON_CORE_RELOAD_H
#define SLUICE_DAEMON_CORE_RELOAD_H

#include <stddef.h>

struct balancer;
struct config_change;
struct diag;

struct balancer_change {
	size_t services, backends;      /* of the new configuration */
	size_t added, removed, changed; /* services */
};

/* Reads the file again and applies the difference, or nothing at all: -errno
 * and diag.
 */
int balancer_reload(struct balancer *balancer, struct diag *diag,
		    struct balancer_change *ret_change);

/* Checks a configuration (text NULL: the file) as a reload would, and changes
 * nothing.
 */
int balancer_check(struct balancer *balancer, const char *text, size_t length, const char *name,
		   struct diag *diag, struct balancer_change *ret_change);

/* Changes one backend at run time; when this returns 0, packets go by it.
 * timeout_ms: of a drain, after which the backend is disabled; 0: none.
 */
int balancer_edit(struct balancer *balancer, const struct config_change *change,
		  unsigned timeout_ms, struct diag *diag);

#endif
