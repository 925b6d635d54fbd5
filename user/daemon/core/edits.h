/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of what the operator has changed at run time.
 */
#ifndef SLUICE_DAEMON_CORE_EDITS_H
#define SLUICE_DAEMON_CORE_EDITS_H

#include "daemon/core/balancer.h"

/* Notes a change that has been made, in place of what it makes void: an earlier
 * one of the same kind, all that was done to what is removed. What the file says
 * too needs no note. 0 or -ENOMEM: nothing is noted.
 */
int edits_note(struct balancer *balancer, const struct config_change *change,
	       unsigned long long deadline_ms);

/* A configuration that was read anew, with the noted changes made: another one,
 * or file itself where there are none. Those that do not fit any more are marked.
 */
struct config *edits_remake(struct balancer *balancer, struct config *file);

/* Whether the operator has changed this backend at run time. */
bool edits_are_about(const struct backend *backend);

/* The change that drains this backend until a time that is set, or NULL. */
const struct balancer_edit *edits_drain_of(const struct backend *backend);

/* Until the edit's deadline, rounded up: 0 is when it has ended. */
unsigned long long edits_seconds_left(const struct balancer *balancer,
				      const struct balancer_edit *edit);

/* Forgets, and logs, what was marked: that configuration runs now. */
void edits_forget_unfit(struct balancer *balancer);

#endif
