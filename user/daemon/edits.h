/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of what the operator has changed at run time.
 */
#ifndef SLUICE_EDITS_H
#define SLUICE_EDITS_H

#include "daemon/server.h"

/* Notes a change that has been made, in place of what it makes void: an earlier
 * one of the same kind, the adding of what is removed. Taking back a drain (or
 * disabling) leaves nothing to note. 0 or -ENOMEM: nothing is noted.
 */
int edits_note(struct server *server, const struct config_change *change,
	       unsigned long long deadline_ms);

/* Makes the noted changes to a configuration that was read anew, and marks those
 * that do not fit it any more. Takes *config and gives another.
 */
void edits_remake(struct server *server, struct config **config);

/* Forgets, and logs, what was marked: that configuration runs now. */
void edits_forget_unfit(struct server *server);

#endif
