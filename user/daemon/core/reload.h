/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From one configuration to the next: by the file.
 */
#ifndef SLUICE_DAEMON_CORE_RELOAD_H
#define SLUICE_DAEMON_CORE_RELOAD_H

#include <stdbool.h>
#include <stddef.h>

struct balancer;
struct config;
struct diag;

struct balancer_change {
	size_t services, backends;      /* of the new configuration */
	size_t added, removed, changed; /* services */
	size_t waiting;                 /* services that the maps have no room for yet */
};

/* On a fiber, whose caller holds balancer->changing, as for all changes: reads the file again
 * and applies the difference, or nothing at all: -errno and diag. A file that removes all
 * services, or all interfaces, was probably lost or cut: unless force is set, it is refused
 * (-ENOTEMPTY).
 */
int balancer_reload(struct balancer *balancer, bool force, struct diag *diag,
		    struct balancer_change *ret_change);

/* Notes for `problems` that a reload was refused whose operator gets no answer; the next
 * reload that succeeds takes the note back.
 */
void balancer_note_refusal(struct balancer *balancer, const struct diag *diag);

/* Checks a configuration (text NULL: the file) as a reload without force would, and
 * changes nothing. On a fiber that holds none of the balancer's locks.
 */
int balancer_check(struct balancer *balancer, const char *text, size_t length, const char *name,
		   struct diag *diag, struct balancer_change *ret_change);

/* Looks at the interfaces that a configuration names: a missing one is a warning, because it is
 * waited for; another's program where ours is to run is an error. balancer NULL: without a
 * daemon, only missing ones are found. 0, or -errno and diag.
 */
int balancer_check_interfaces(const struct balancer *balancer, const struct config *config,
			      struct diag *diag);

/* For change.c: whether a change of configuration can be made, and how large it is. 0, or
 * -errno and diag.
 */
int balancer_check_change(struct balancer *balancer, const struct config *config, struct diag *diag,
			  struct balancer_change *ret_change);

/* For change.c: from the configuration that runs to another one, which fits, and which the
 * balancer then owns. On failure nothing has changed, and config is still the caller's.
 */
int balancer_switch(struct balancer *balancer, struct config *config, struct diag *diag);

#endif
