/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a transition (docs/architecture.md, Slots and transition).
 */
#ifndef SLUICE_DAEMON_DATAPATH_SETTLE_H
#define SLUICE_DAEMON_DATAPATH_SETTLE_H

#include "daemon/datapath/timeouts.h"

struct datapath;
struct installed;

/* A round of the walk begins in SL_SECOND now: notes which slots moved too lately to settle in it. */
void settle_begin(const struct datapath *datapath, struct installed *installed,
		  const struct datapath_timeouts *timeouts, unsigned now);

/* Settles the service's slots for which a round of the walk that has just ended found no
 * reason to wait; now: the SL_SECOND of the round's last step.
 */
void settle_service(struct datapath *datapath, struct installed *installed,
		    const struct datapath_timeouts *timeouts, unsigned now);

/* No flow needs the tables any longer that the service's own has replaced: retires them. */
void settle_forget_replaced(struct datapath *datapath, struct installed *installed);

#endif
