/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether the maps have room for a change, before anything of it is written. Indices that are
 * retired count as free: the code that takes one waits for the grace period. Those that flows may
 * still name do not.
 */
#ifndef SLUICE_DAEMON_DATAPATH_ROOM_H
#define SLUICE_DAEMON_DATAPATH_ROOM_H

struct change;
struct diag;

/* For the change as a whole, whose backends are matched already. 0, or -ENOSPC and diag. */
int room_check(const struct change *change, struct diag *diag);

#endif
