/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All slots of all services, in pieces that a turn of the loop has time for. In between,
 * services may come and go, and tables may be replaced: what comes behind the sweep's place is
 * not met, what goes before it is.
 */
#ifndef SLUICE_DAEMON_DATAPATH_SWEEP_H
#define SLUICE_DAEMON_DATAPATH_SWEEP_H

#include <stdbool.h>

struct datapath;
struct installed;

/* Starts zeroed. */
struct sweep {
	unsigned id;   /* of the service that comes next */
	unsigned slot; /* of that one */
	unsigned left; /* work of this turn that is left */
};

/* Slots of one service. Of a service of which none is in transition, there is one empty piece. */
struct piece {
	struct installed *installed;
	unsigned begin, end; /* the first slot, and the one behind the last */
	bool last;           /* of this service */
};

/* A turn begins. */
void sweep_turn(struct sweep *sweep);

/* The next piece; false: the turn or the sweep is over. */
bool sweep_next(const struct datapath *datapath, struct sweep *sweep, struct piece *ret_piece);

/* Whether it has met all services; then it is zeroed. */
bool sweep_over(const struct datapath *datapath, struct sweep *sweep);

#endif
