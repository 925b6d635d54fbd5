/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a transition (docs/architecture.md, Slots and transition).
 */
#ifndef SLUICE_DAEMON_DATAPATH_SETTLE_H
#define SLUICE_DAEMON_DATAPATH_SETTLE_H

#include "daemon/datapath/timeouts.h"

struct datapath;
struct installed;
struct piece;

/* A round of the walk begins, and looks at no flow before this was called of all pieces: notes which
 * slots have moved too lately, by SL_SECOND now, to settle in it.
 */
void settle_begin(const struct piece *piece, const struct datapath_timeouts *timeouts,
		  unsigned now);

/* Settles the slots for which a round of the walk that has looked at all flows found no reason to
 * wait; now: the SL_SECOND of this step.
 */
void settle_end(struct datapath *datapath, const struct piece *piece,
		const struct datapath_timeouts *timeouts, unsigned now);

/* No flow needs the tables any longer that the service's own has replaced: retires them. */
void settle_forget_replaced(struct datapath *datapath, struct installed *installed);

#endif
