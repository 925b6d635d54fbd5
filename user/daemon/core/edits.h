/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of the operator's changes at run time.
 */
#ifndef SLUICE_DAEMON_CORE_EDITS_H
#define SLUICE_DAEMON_CORE_EDITS_H

#include "daemon/core/balancer.h"

struct edit_list {
	struct balancer_edit *edits;
	size_t n;
};

/* The balancer's list with a further change, in place of those that it makes void: an
 * earlier one of the same kind, or all changes of a backend that is removed. A change that
 * makes the backend as the file has it needs no note: *ret_noted. The list is the caller's.
 * 0 or -ENOMEM.
 */
int edits_with(const struct balancer *balancer, const struct balancer_edit *edit,
	       struct edit_list *ret_list, bool *ret_noted);

/* The list with a change that the state file remembers; undone: with those alone that the
 * change does not make void.
 */
int edits_replay(const struct balancer *balancer, const struct balancer_edit *edit, bool undone,
		 struct edit_list *ret_list);

/* The balancer gets this list, and the caller the one that it had. */
void edits_swap(struct balancer *balancer, struct edit_list *list);

void edits_free(struct edit_list *list);

#define EDIT_TEXT_SIZE 256

/* "backend web/web-1 drained at run time". Returns buffer. */
const char *edits_describe(const struct config_change *change, char buffer[static EDIT_TEXT_SIZE]);

/* A configuration that was read anew, with the balancer's changes made: another object, or
 * file itself where there are none. Changes that do not fit any more are marked.
 */
struct config *edits_remake(struct balancer *balancer, struct config *file);

/* Whether the operator has changed this backend at run time. */
bool edits_are_about(const struct backend *backend);

/* The change that drains this backend until a time that is set, or NULL. */
const struct balancer_edit *edits_drain_of(const struct backend *backend);

/* Until the edit's deadline, rounded up: 0 is when it has ended. */
unsigned long long edits_seconds_left(const struct balancer *balancer,
				      const struct balancer_edit *edit);

/* Forgets, and logs, the marked changes: that configuration runs now. Returns how many they
 * were.
 */
size_t edits_forget_unfit(struct balancer *balancer);

#endif
