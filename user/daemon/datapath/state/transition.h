/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon notes of a table whose slots are in transition
 * (docs/architecture.md, Slots and transition).
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_TRANSITION_H
#define SLUICE_DAEMON_DATAPATH_STATE_TRANSITION_H

#include <linux/types.h>
#include <stdbool.h>

struct transition {
	unsigned n_tracking; /* slots in transition */
	/* NULL while no slot is in transition. */
	__u32 *changed; /* by slot: SL_SECOND in which it last moved */
	/* By slot: it does not settle in this round. It had moved too lately when the round
	 * began, has moved since, or a live flow was found elsewhere.
	 */
	bool *held;
};

/* Makes room to note that slots are in transition. 0 or -ENOMEM. */
int transition_begin(struct transition *transition, unsigned table_size);
void transition_end(struct transition *transition);

#endif
